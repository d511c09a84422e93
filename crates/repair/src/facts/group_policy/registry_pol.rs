//! Registry.pol, the values that a group policy sets (MS-GPREG 2.2.1): a signature, a version, and
//! records of a key, a value, a type, a length and data in brackets.

use diskmend_base::bytes::{slice, u32_at};
use diskmend_base::utf16;

/// The greatest number of records that are read. Large policies have some thousands.
const MOST_RECORDS: usize = 50_000;
/// The greatest length of a key or of the name of a value, in UTF-16 units.
const MOST_UNITS: usize = 1024;
const HEADER: [u8; 8] = *b"PReg\x01\0\0\0";

/// True if the policy sets this value; false too if the file is damaged before it does.
pub(super) fn sets(file: &[u8], key: &str, value: &str) -> bool {
    let mut records = Records {
        file,
        at: HEADER.len(),
    };
    file.starts_with(&HEADER)
        && std::iter::from_fn(|| records.next())
            .take(MOST_RECORDS)
            .any(|(at, name)| at.eq_ignore_ascii_case(key) && name.eq_ignore_ascii_case(value))
}

struct Records<'f> {
    file: &'f [u8],
    at: usize,
}

impl Records<'_> {
    /// The key and the value of the next record.
    fn next(&mut self) -> Option<(String, String)> {
        self.mark(b'[')?;
        let key = self.text()?;
        self.mark(b';')?;
        let value = self.text()?;
        self.mark(b';')?;
        self.number()?;
        self.mark(b';')?;
        let len = self.number()?;
        self.mark(b';')?;
        self.at = self.at.checked_add(usize::try_from(len).ok()?)?;
        self.mark(b']')?;
        Some((key, value))
    }

    fn mark(&mut self, mark: u8) -> Option<()> {
        let found = slice(self.file, self.at, 2)?;
        self.at += 2;
        (found == [mark, 0]).then_some(())
    }

    fn number(&mut self) -> Option<u32> {
        let number = u32_at(self.file, self.at)?;
        self.at += 4;
        Some(number)
    }

    /// A text up to its NUL, which is skipped.
    fn text(&mut self) -> Option<String> {
        let rest = self.file.get(self.at..)?;
        let units = utf16::whole_units(rest).take(MOST_UNITS);
        let units: Vec<u16> = units.take_while(|unit| *unit != 0).collect();
        if units.len() == MOST_UNITS {
            return None;
        }
        self.at = self.at.checked_add(2 * (units.len() + 1))?;
        String::from_utf16(&units).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record(key: &str, value: &str, len: u32) -> Vec<u8> {
        let text = |text: &str| utf16::encode_terminated(text);
        let mark = |mark: u8| vec![mark, 0];
        [
            mark(b'['),
            text(key),
            mark(b';'),
            text(value),
            mark(b';'),
            4_u32.to_le_bytes().to_vec(),
            mark(b';'),
            len.to_le_bytes().to_vec(),
            mark(b';'),
            vec![1, 0, 0, 0],
            mark(b']'),
        ]
        .concat()
    }

    #[test]
    fn a_value_is_found_among_others_and_damage_ends_the_search() {
        let first = record(r"Software\A", "x", 4);
        let second = record(r"SOFTWARE\Policies\B", "fDeny", 4);
        let file = [&HEADER[..], &first, &second].concat();
        assert!(sets(&file, r"software\policies\b", "FDENY"));
        assert!(!sets(&file, r"SOFTWARE\Policies\B", "other"));
        for len in 0..file.len() {
            assert!(
                !sets(&file[..len], r"SOFTWARE\Policies\B", "fDeny"),
                "{len}"
            );
        }
        let long = [&HEADER[..], &record("a", "b", u32::MAX), &second].concat();
        assert!(!sets(&long, r"SOFTWARE\Policies\B", "fDeny"));
    }
}
