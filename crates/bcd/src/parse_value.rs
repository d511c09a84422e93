//! Parses values as typed on a command line or in a recipe.

use diskmend_base::Guid;
use diskmend_base::hex;

use crate::device::{Device, Located, Partition, Target};
use crate::element_id::{ElementId, Format};
use crate::elements::{self, NumberStyle};
use crate::error::StoreError;
use crate::object_type::ObjectType;
use crate::store::Store;
use crate::value::ElementValue;

#[cfg(test)]
mod tests;

/// A text that is not a valid value for an element.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ParseValueError {
    /// The text does not match the element's format.
    #[error(
        "\"{text}\" for element {element}, which takes a value of type {format}: expected {expected}"
    )]
    Value {
        /// The element.
        element: ElementId,
        /// The format that its id requires.
        format: Format,
        /// The text as given.
        text: String,
        /// The accepted notation.
        expected: String,
    },
    /// Values of this format can't be typed.
    #[error("element {element} has {format}: its value can't be typed")]
    Format {
        /// The element.
        element: ElementId,
        /// The format that its id requires.
        format: Format,
    },
    /// A name has to be resolved, but the store can't be read.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Parses the value of an element in objects of a type.
///
/// Booleans are `yes`, `on`, `true`, `1` or their opposites; integers are decimal, hexadecimal with
/// `0x`, or `bcdedit`'s names for the element's values; objects are GUIDs or well-known names; list
/// items are separated by spaces or commas; devices are `boot`, `gpt disk {..} partition {..}`,
/// `mbr disk 0x.. offset 0x..`, `locate=custom:xxxxxxxx` or `hex:` and the bytes.
///
/// # Errors
/// If the text is not a valid value; see [`ParseValueError`].
pub fn parse_value(
    store: &Store<'_>,
    element: ElementId,
    object_type: ObjectType,
    text: &str,
) -> Result<ElementValue, ParseValueError> {
    let format = element.format();
    let style = elements::lookup(element, object_type).map_or(NumberStyle::Decimal, |i| i.style);
    let wrong = |expected: String| ParseValueError::Value {
        element,
        format,
        text: text.to_owned(),
        expected,
    };
    let object = |name: &str| -> Result<Guid, ParseValueError> {
        let expected = "a GUID in braces or a name such as {bootmgr}";
        store.resolve(name)?.ok_or_else(|| wrong(expected.into()))
    };
    let items = || text.split([' ', '\t', ',']).filter(|item| !item.is_empty());
    Ok(match format {
        Format::Boolean => {
            ElementValue::Boolean(boolean(text).ok_or_else(|| wrong("yes or no".into()))?)
        }
        Format::Integer => {
            ElementValue::Integer(integer(text, style).ok_or_else(|| wrong(numbers(style)))?)
        }
        Format::IntegerList => ElementValue::IntegerList(
            items()
                .map(|item| integer(item, style).ok_or_else(|| wrong(numbers(style))))
                .collect::<Result<_, _>>()?,
        ),
        Format::String => ElementValue::String(text.to_owned()),
        Format::Object => ElementValue::Object(object(text.trim())?),
        Format::ObjectList => {
            ElementValue::ObjectList(items().map(object).collect::<Result<_, _>>()?)
        }
        Format::Device => ElementValue::Device(device(text).ok_or_else(|| {
            wrong(
                "boot, gpt disk {..} partition {..}, mbr disk 0x.. offset 0x.., \
                 locate=custom:xxxxxxxx, or hex: and bytes"
                    .into(),
            )
        })?),
        Format::Unknown(_) => return Err(ParseValueError::Format { element, format }),
    })
}

fn boolean(text: &str) -> Option<bool> {
    let is_any = |words: [&str; 4]| words.iter().any(|word| word.eq_ignore_ascii_case(text));
    if is_any(["yes", "on", "true", "1"]) {
        Some(true)
    } else if is_any(["no", "off", "false", "0"]) {
        Some(false)
    } else {
        None
    }
}

fn integer(text: &str, style: NumberStyle) -> Option<u64> {
    match style {
        NumberStyle::Names(names) => {
            let index = names
                .iter()
                .position(|name| name.eq_ignore_ascii_case(text));
            // A name may look like a number but mean another value, such as 1394.
            if let Some(index) = index {
                return u64::try_from(index).ok();
            }
        }
        NumberStyle::Ipv4 => {
            if let Ok(address) = text.parse::<std::net::Ipv4Addr>() {
                return Some(address.to_bits().into());
            }
        }
        NumberStyle::Decimal | NumberStyle::Hex => {}
    }
    number(text)
}

fn number(text: &str) -> Option<u64> {
    let lower = text.to_ascii_lowercase();
    let (digits, radix) = match lower.strip_prefix("0x") {
        Some(hex) => (hex, 16),
        None => (lower.as_str(), 10),
    };
    (!digits.starts_with('+'))
        .then(|| u64::from_str_radix(digits, radix).ok())
        .flatten()
}

fn numbers(style: NumberStyle) -> String {
    match style {
        NumberStyle::Names(names) => format!("{}, or a number", names.join(", ")),
        NumberStyle::Ipv4 => "an IPv4 address or a number".into(),
        NumberStyle::Decimal | NumberStyle::Hex => {
            "a number, decimal or hexadecimal with 0x".into()
        }
    }
}

fn device(text: &str) -> Option<Vec<u8>> {
    let lower = text.trim().to_ascii_lowercase();
    if let Some(digits) = lower.strip_prefix("hex:") {
        let digits: String = digits.chars().filter(|c| !c.is_whitespace()).collect();
        let data = hex::decode(&digits)?;
        return Device::decode(&data).map(|_| data);
    }
    let words: Vec<&str> = lower.split_whitespace().collect();
    let target = match words.as_slice() {
        ["boot"] => Target::Boot,
        ["gpt", "disk", disk, "partition", partition] => Target::Partition(Partition::Gpt {
            disk: disk.parse().ok()?,
            partition: partition.parse().ok()?,
        }),
        ["mbr", "disk", signature, "offset", offset] => Target::Partition(Partition::Mbr {
            signature: u32::try_from(number(signature)?).ok()?,
            offset: number(offset)?,
        }),
        [locate] => {
            let digits = locate.strip_prefix("locate=custom:")?;
            let digits = digits.strip_prefix("0x").unwrap_or(digits);
            let id = elements::by_name(digits, ObjectType::UNKNOWN)?;
            Target::Locate {
                path: Located::Element(id),
                parent: None,
            }
        }
        _ => return None,
    };
    let device = Device {
        options: None,
        target,
    };
    device.encode()
}
