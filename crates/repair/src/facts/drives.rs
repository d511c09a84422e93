//! The drive letters that a Windows knows.

use diskmend_base::utf16;
use diskmend_hive::{Corruption, ValueType};

use super::{Facts, Failure};
use crate::error::{Error, chain};
use crate::place::HiveName;
use crate::value_data::ValueData;

/// The key in SYSTEM with a value for each volume and drive letter that Windows has seen.
const KEY: &str = "MountedDevices";
/// What is before the letter in the names of its values.
const BEFORE: &str = r"\DosDevices\";
/// The greatest number of values that are read.
const MOST_VALUES: usize = 4096;
/// The greatest length of a value that may name drives, in bytes.
const MOST_BYTES: usize = 64 << 10;

/// The letters of the drives that Windows has had, in upper case.
#[derive(Debug, Default)]
pub(crate) struct Drives {
    /// Empty if they aren't known.
    letters: Vec<char>,
}

impl Drives {
    /// What is known if they can't be read: then no drive is missing.
    pub(super) const fn unknown() -> Self {
        Self {
            letters: Vec::new(),
        }
    }

    pub(super) fn read(facts: &Facts<'_>) -> Result<Self, String> {
        let system = facts.hive(HiveName::System).map_err(Failure::reason)?;
        let read = || -> Result<Vec<char>, Corruption> {
            let mut letters = Vec::new();
            let key = system.hive.key(KEY)?;
            if let Some(key) = key.filter(|key| !key.has_predefined_handle()) {
                for value in key.values()?.take(MOST_VALUES) {
                    let name = value?.name().escaped().to_string();
                    letters.extend(name.strip_prefix(BEFORE).and_then(letter));
                }
            }
            Ok(letters)
        };
        let letters = read().map_err(|source| chain(&Error::corrupt(system.path())(source)))?;
        Ok(Self { letters })
    }

    /// True if the data name a drive, and Windows has had others but surely never this one.
    pub(crate) fn is_missing(&self, data: &ValueData) -> bool {
        let is_text = matches!(
            data.value_type,
            ValueType::SZ | ValueType::EXPAND_SZ | ValueType::MULTI_SZ
        );
        if !is_text || data.bytes.len() > MOST_BYTES || self.letters.is_empty() {
            return false;
        }
        let Some(text) = utf16::decode(&data.bytes) else {
            return false;
        };
        let mut entries = text.split('\0');
        entries.any(|entry| {
            let path = entry.strip_prefix(r"\??\").unwrap_or(entry);
            letter(path).is_some_and(|letter| !self.letters.contains(&letter))
        })
    }
}

/// The letter before a colon at the beginning of a path, in upper case.
fn letter(path: &str) -> Option<char> {
    let mut letters = path.chars();
    let letter = letters.next().filter(char::is_ascii_alphabetic)?;
    (letters.next() == Some(':')).then(|| letter.to_ascii_uppercase())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_letter_that_no_volume_has_had_is_missing() {
        let drives = Drives {
            letters: vec!['C', 'E'],
        };
        let list = |entries: &[&str]| {
            let entries: Vec<String> = entries.iter().map(|one| (*one).to_owned()).collect();
            ValueData::list(&entries)
        };
        let text = |text: &str| ValueData::text(ValueType::SZ, text);
        for (data, missing) in [
            (list(&[r"?:\pagefile.sys"]), false),
            (list(&[r"c:\pagefile.sys 0 0"]), false),
            (list(&[r"D:\pagefile.sys 0 0"]), true),
            (list(&[r"C:\pagefile.sys", r"\??\D:\pagefile.sys"]), true),
            (list(&[]), false),
            (text(r"C:\dd.sys"), false),
            (text(r"f:\dd.sys"), true),
            (text(r"%SystemRoot%\MEMORY.DMP"), false),
            (text(r"\\server\share\D:\x"), false),
            (ValueData::dword(0x3a_0044), false),
        ] {
            assert_eq!(drives.is_missing(&data), missing, "{data}");
        }
        // On a disk that was never started, nothing is known.
        assert!(!Drives::default().is_missing(&text(r"D:\dd.sys")));
    }
}
