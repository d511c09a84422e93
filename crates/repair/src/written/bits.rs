//! Single bits of a number, as recipes and rules write them.

use diskmend_hive::ValueType;
use serde::Deserialize;
use toml::Spanned;

use super::numbers::number;
use super::{Written, Wrong, wrong};
use crate::value_data::{AnyBits, Bits};

/// The bits of a row: `{ set = 0x1, clear = 0x2 }`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct BitsFile {
    set: Option<Spanned<Written>>,
    clear: Option<Spanned<Written>>,
}

/// The bits of a fault or of evidence: `{ any_set = 0x1, any_clear = 0x2 }`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct AnyBitsFile {
    any_set: Option<Spanned<Written>>,
    any_clear: Option<Spanned<Written>>,
}

impl BitsFile {
    /// Checks the bits of a value of this type.
    ///
    /// # Errors
    /// What is wrong, with its place in the file.
    pub(crate) fn read(this: &Spanned<Self>, value_type: Option<ValueType>) -> Result<Bits, Wrong> {
        let most = most(value_type).map_err(wrong(this))?;
        let written = this.get_ref();
        let bits = Bits {
            set: bits(written.set.as_ref(), most)?,
            clear: bits(written.clear.as_ref(), most)?,
        };
        if bits.set | bits.clear == 0 {
            return Err(wrong(this)("name bits to set or to clear".to_owned()));
        }
        if bits.set & bits.clear != 0 {
            return Err(wrong(this)(format!(
                "the bits {:#x} are both set and cleared",
                bits.set & bits.clear
            )));
        }
        Ok(bits)
    }
}

impl AnyBitsFile {
    /// Checks the bits of a value of this type.
    ///
    /// # Errors
    /// What is wrong, with its place in the file.
    pub(crate) fn read(
        this: &Spanned<Self>,
        value_type: Option<ValueType>,
    ) -> Result<AnyBits, Wrong> {
        let most = most(value_type).map_err(wrong(this))?;
        let written = this.get_ref();
        let bits = AnyBits {
            set: bits(written.any_set.as_ref(), most)?,
            clear: bits(written.any_clear.as_ref(), most)?,
        };
        if bits.set | bits.clear == 0 {
            return Err(wrong(this)(
                "name bits of which one is set (any_set) or clear (any_clear)".to_owned(),
            ));
        }
        Ok(bits)
    }
}

/// The bits of a number that is written as `0x40`, `64` or `"0x40"`.
fn bits(written: Option<&Spanned<Written>>, most: u64) -> Result<u64, Wrong> {
    let Some(written) = written else { return Ok(0) };
    let bits = match written.get_ref() {
        Written::Number(number) => u64::try_from(*number).ok(),
        Written::Text(text) => number(text),
        Written::Bool(_) | Written::List(_) => None,
    };
    match bits {
        Some(bits) if bits <= most => Ok(bits),
        Some(bits) => Err(wrong(written)(format!(
            "{bits:#x} has bits beyond those of the type, {most:#x}"
        ))),
        None => Err(wrong(written)("bits are a number such as 0x40".to_owned())),
    }
}

/// All bits that a value of this type can have.
fn most(value_type: Option<ValueType>) -> Result<u64, String> {
    match value_type {
        Some(ValueType::DWORD | ValueType::DWORD_BIG_ENDIAN) => Ok(u32::MAX.into()),
        Some(ValueType::QWORD | ValueType::BINARY | ValueType::NONE) => Ok(u64::MAX),
        _ => Err(
            "only a value of type REG_DWORD, REG_DWORD_BIG_ENDIAN, REG_QWORD, REG_BINARY or \
             REG_NONE has bits"
                .to_owned(),
        ),
    }
}
