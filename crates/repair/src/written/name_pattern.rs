//! The pattern for names of files that a recipe's row names.

use std::fmt;

use diskmend_base::upcase::CaseTable;

/// The greatest length of a name in UTF-16 units.
const MAX_UNITS: usize = 255;

/// A pattern for names of files: `*` stands for any characters, `?` for one. Case is ignored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NamePattern {
    text: String,
    /// The pattern in UTF-16 and upper case, as NTFS compares names.
    units: Vec<u16>,
}

const ANY: u16 = b'*' as u16;
const ONE: u16 = b'?' as u16;

impl NamePattern {
    /// Reads a pattern.
    ///
    /// # Errors
    /// What is wrong with it, for display.
    pub fn parse(text: &str) -> Result<Self, String> {
        let reserved = |c: char| c.is_control() || "\\/:\"<>|%".contains(c);
        if let Some(c) = text.chars().find(|c| reserved(*c)) {
            return Err(format!("'{c}' is not accepted in a name: \"{text}\""));
        }
        if text.chars().all(|c| "*?. ".contains(c)) {
            return Err(format!(
                "\"{text}\" is the name of too many files: write at least one character of their \
                 names"
            ));
        }
        let units = upper(text);
        if units.len() > MAX_UNITS {
            return Err(format!("a name has at most {MAX_UNITS} characters"));
        }
        Ok(Self {
            text: text.to_owned(),
            units,
        })
    }

    /// True if the pattern is about a file with this name.
    #[must_use]
    pub fn matches(&self, name: &str) -> bool {
        let name = upper(name);
        let (mut at, mut of_name) = (0, 0);
        // Where to continue if the text after the last `*` doesn't fit.
        let mut again: Option<(usize, usize)> = None;
        while of_name < name.len() {
            match (self.units.get(at), name.get(of_name)) {
                (Some(&ANY), _) => {
                    again = Some((at + 1, of_name));
                    at += 1;
                }
                (Some(&wanted), Some(&unit)) if wanted == unit || wanted == ONE => {
                    at += 1;
                    of_name += 1;
                }
                _ => match &mut again {
                    Some((after, from)) => {
                        *from += 1;
                        (at, of_name) = (*after, *from);
                    }
                    None => return false,
                },
            }
        }
        self.units.iter().skip(at).all(|unit| *unit == ANY)
    }

    /// True if both can be about the same file, as far as that is plain.
    #[must_use]
    pub fn may_meet(&self, other: &Self) -> bool {
        match (self.is_name(), other.is_name()) {
            (_, true) => self.matches(&other.text),
            (true, false) => other.matches(&self.text),
            (false, false) => true,
        }
    }

    /// True if it is about one name.
    #[must_use]
    pub(crate) fn is_name(&self) -> bool {
        !self.units.contains(&ANY) && !self.units.contains(&ONE)
    }
}

fn upper(text: &str) -> Vec<u16> {
    let units = text.encode_utf16();
    units.map(|unit| CaseTable::FILES.upcase(unit)).collect()
}

impl fmt::Display for NamePattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stars_and_question_marks_stand_for_characters() {
        for (pattern, name, fits) in [
            ("C-00000291*.sys", "C-00000291-00000000-00000032.sys", true),
            ("C-00000291*.sys", "c-00000291.SYS", true),
            ("C-00000291*.sys", "C-00000292-1.sys", false),
            ("C-00000291*.sys", "C-00000291-1.sys.bak", false),
            ("*.TxR.*.regtrans-ms", "{a}.TxR.0.regtrans-ms", true),
            ("*.TxR.*.regtrans-ms", "{a}.TxR.regtrans-ms", false),
            ("a*b*c", "aXbXbc", true),
            ("a*b*c", "aXbXb", false),
            ("a?c", "abc", true),
            ("a?c", "ac", false),
            ("gpt.ini", "GPT.INI", true),
            ("gpt.ini", "gpt.ini2", false),
        ] {
            let parsed = NamePattern::parse(pattern).expect(pattern);
            assert_eq!(parsed.matches(name), fits, "{pattern} {name}");
        }
        // This once would have taken a time that doubles with each star.
        let many = NamePattern::parse(&"*a".repeat(120)).expect("valid");
        assert!(!many.matches(&"a".repeat(119)));
    }

    #[test]
    fn patterns_for_everything_or_elsewhere_are_refused() {
        for bad in ["", "*", "*.*", "..", "a\\b", "a/b", "a:b", "%a%", "a\n"] {
            assert!(NamePattern::parse(bad).is_err(), "{bad:?}");
        }
        assert!(NamePattern::parse(&"a".repeat(256)).is_err());
    }

    #[test]
    fn patterns_meet_if_a_name_fits_both() {
        let meet = |a, b| {
            let parse = |text| NamePattern::parse(text).expect("valid");
            parse(a).may_meet(&parse(b))
        };
        assert!(meet("a*", "abc") && meet("abc", "a*") && meet("a*", "*c"));
        assert!(!meet("a*", "bc") && !meet("ab", "ac"));
    }
}
