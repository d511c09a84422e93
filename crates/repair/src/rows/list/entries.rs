//! The entries of a list in the registry, as they are stored.
//!
//! Lists are read leniently: Windows reads such as end without a terminator, with one too many, or
//! with an odd byte. They are not put in order: what isn't dropped stays unit by unit.

use diskmend_hive::ValueType;

use crate::value_data::ValueData;

/// The greatest length of a list that is read, in bytes.
pub(super) const MOST_BYTES: usize = 64 << 10;
/// The greatest number of entries. A longer list is none of Windows's.
const MOST_ENTRIES: usize = 1024;
const COMMA: u16 = 0x2c;

/// The form of a list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Separator {
    /// A `REG_MULTI_SZ`.
    MultiSz,
    /// Text with commas.
    Comma,
}

impl Separator {
    pub(super) fn of(word: &str) -> Option<Self> {
        [Self::MultiSz, Self::Comma]
            .into_iter()
            .find(|one| one.word() == word)
    }

    pub(super) const fn word(self) -> &'static str {
        match self {
            Self::MultiSz => "multi_sz",
            Self::Comma => "comma",
        }
    }

    const fn unit(self) -> u16 {
        match self {
            Self::MultiSz => 0,
            Self::Comma => COMMA,
        }
    }
}

/// A list.
#[derive(Debug)]
pub(super) struct Entries {
    separator: Separator,
    /// All parts between separators, empty ones included.
    parts: Vec<Vec<u16>>,
}

impl Entries {
    /// Reads a list; `None` if the data are no such list, or too many entries.
    pub(super) fn of(data: &ValueData, separator: Separator) -> Option<Self> {
        let fits = match separator {
            Separator::MultiSz => data.value_type == ValueType::MULTI_SZ,
            Separator::Comma => matches!(data.value_type, ValueType::SZ | ValueType::EXPAND_SZ),
        };
        if !fits || data.bytes.len() > MOST_BYTES {
            return None;
        }
        // An odd byte at the end is no part of a character.
        let (units, _) = data.bytes.as_chunks::<2>();
        let units = units.iter().map(|unit| u16::from_le_bytes(*unit));
        let units: Vec<u16> = match separator {
            Separator::MultiSz => units.collect(),
            // What follows the text is no part of it.
            Separator::Comma => units.take_while(|unit| *unit != 0).collect(),
        };
        let parts = units.split(|unit| *unit == separator.unit());
        let parts: Vec<Vec<u16>> = parts.map(<[u16]>::to_vec).collect();
        let filled = parts.iter().filter(|part| !part.is_empty()).count();
        (filled <= MOST_ENTRIES).then_some(Self { separator, parts })
    }

    /// The entries that are text, each with its number. Spaces around a name between commas don't
    /// belong to it.
    pub(super) fn names(&self) -> Vec<(usize, String)> {
        let parts = self.parts.iter().enumerate();
        let names = parts.filter_map(|(number, part)| {
            let name = String::from_utf16(part).ok()?;
            let name = match self.separator {
                Separator::MultiSz => name,
                Separator::Comma => name.trim().to_owned(),
            };
            (!name.is_empty()).then_some((number, name))
        });
        names.collect()
    }

    /// Removes the entries with these numbers.
    pub(super) fn drop(&mut self, numbers: &[usize]) {
        let parts = std::mem::take(&mut self.parts).into_iter().enumerate();
        let parts = parts.filter(|(number, _)| !numbers.contains(number));
        self.parts = parts.map(|(_, part)| part).collect();
    }

    /// True if no entry is left.
    pub(super) fn is_empty(&self) -> bool {
        self.parts.iter().all(Vec::is_empty)
    }

    /// The list as it is stored.
    pub(super) fn data(&self, value_type: ValueType) -> ValueData {
        let mut units = self.parts.join(&self.separator.unit());
        match self.separator {
            Separator::MultiSz if self.is_empty() => units = vec![0],
            Separator::MultiSz => {
                // Each string has a terminator, and the list has one more.
                while !units.ends_with(&[0, 0]) {
                    units.push(0);
                }
            }
            Separator::Comma => units.push(0),
        }
        let bytes = units.iter().flat_map(|unit| unit.to_le_bytes());
        ValueData {
            value_type,
            bytes: bytes.collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn multi(text: &str, odd: bool) -> ValueData {
        let units = text.encode_utf16().flat_map(u16::to_le_bytes);
        ValueData {
            value_type: ValueType::MULTI_SZ,
            bytes: units.chain(odd.then_some(0x41)).collect(),
        }
    }

    fn without(data: &ValueData, separator: Separator, name: &str) -> (Vec<String>, ValueData) {
        let mut entries = Entries::of(data, separator).expect("a list");
        let names = entries.names();
        let found = names.iter().filter(|(_, one)| one == name);
        let numbers: Vec<usize> = found.map(|(number, _)| *number).collect();
        entries.drop(&numbers);
        let names = names.into_iter().map(|(_, name)| name).collect();
        (names, entries.data(data.value_type))
    }

    #[test]
    fn lists_are_read_however_they_end_and_keep_what_stays() {
        for (text, odd, names, left) in [
            ("a\0b\0c\0\0", false, &["a", "b", "c"][..], "a\0c\0\0"),
            ("a\0b\0c\0", false, &["a", "b", "c"], "a\0c\0\0"),
            ("a\0b\0c", false, &["a", "b", "c"], "a\0c\0\0"),
            ("a\0b\0c", true, &["a", "b", "c"], "a\0c\0\0"),
            ("a\0b", false, &["a", "b"], "a\0\0"),
            ("b", false, &["b"], "\0"),
            ("b\0\0", false, &["b"], "\0"),
            // An empty string inside stays, so that Windows ends the list at the same entry.
            ("a\0b\0\0\0c\0\0", false, &["a", "b", "c"], "a\0\0\0c\0\0"),
            ("\0b\0a\0\0", false, &["b", "a"], "\0a\0\0"),
            ("b\0a\0b\0\0", false, &["b", "a", "b"], "a\0\0"),
        ] {
            let found = without(&multi(text, odd), Separator::MultiSz, "b");
            assert_eq!(found.0, names, "{text:?}");
            assert_eq!(found.1, multi(left, false), "{text:?}");
        }
    }

    #[test]
    fn text_with_commas_keeps_its_spelling() {
        let text = |text: &str| ValueData::text(ValueType::SZ, text);
        for (from, left) in [
            ("RDPNP,b,Other", "RDPNP,Other"),
            ("b,LanmanWorkstation", "LanmanWorkstation"),
            (" b , a ,c", " a ,c"),
            ("a,,b", "a,"),
            ("b", ""),
        ] {
            let found = without(&text(from), Separator::Comma, "b");
            assert_eq!(found.1, text(left), "{from:?}");
        }
        let mut long = text("a,b");
        long.bytes.extend([1, 2, 3]);
        assert_eq!(without(&long, Separator::Comma, "b").1, text("a"));
    }

    #[test]
    fn what_is_no_text_is_kept_and_what_is_no_list_is_not_read() {
        let unpaired = [0xd800_u16, 0, 0x62, 0, 0];
        let data = ValueData {
            value_type: ValueType::MULTI_SZ,
            bytes: unpaired
                .iter()
                .flat_map(|unit| unit.to_le_bytes())
                .collect(),
        };
        let (names, left) = without(&data, Separator::MultiSz, "b");
        assert_eq!(names, ["b"]);
        assert_eq!(left.bytes, [0, 0xd8, 0, 0, 0, 0]);
        let none = |value_type, bytes: Vec<u8>, separator| {
            let data = ValueData { value_type, bytes };
            assert!(Entries::of(&data, separator).is_none(), "{value_type}");
        };
        none(ValueType::SZ, vec![0x61, 0], Separator::MultiSz);
        none(ValueType::MULTI_SZ, vec![0x61, 0], Separator::Comma);
        none(ValueType::BINARY, vec![0x61, 0], Separator::MultiSz);
        none(
            ValueType::MULTI_SZ,
            vec![1; MOST_BYTES + 1],
            Separator::MultiSz,
        );
        let many = [0x61, 0, 0, 0].repeat(MOST_ENTRIES + 1);
        none(ValueType::MULTI_SZ, many, Separator::MultiSz);
        let empty = Entries::of(&multi("", false), Separator::MultiSz).expect("a list");
        assert!(empty.names().is_empty() && empty.is_empty());
    }
}
