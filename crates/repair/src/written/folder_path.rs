//! The folder that a recipe's row names.

use std::fmt;

/// The path of a folder below a volume's root.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FolderPath {
    names: Vec<String>,
}

impl FolderPath {
    /// Reads a path with backslashes between its names.
    ///
    /// # Errors
    /// What is wrong with it, for display.
    pub fn parse(text: &str) -> Result<Self, String> {
        let names: Vec<String> = text.split('\\').map(str::to_owned).collect();
        for name in &names {
            let reserved = |c: char| c.is_control() || "/:*?\"<>|%".contains(c);
            if name.is_empty() || name.chars().all(|c| c == '.') {
                return Err(format!(
                    "\"{text}\" is not a path: write names with one backslash between them, from the root of \
                     the volume"
                ));
            }
            if let Some(c) = name.chars().find(|c| reserved(*c)) {
                return Err(format!("'{c}' is not accepted in a path: \"{text}\""));
            }
        }
        Ok(Self { names })
    }

    /// The names in the path.
    #[must_use]
    pub fn names(&self) -> Vec<&str> {
        self.names.iter().map(String::as_str).collect()
    }

    /// True if both are the same folder or if one is in the other.
    #[must_use]
    pub fn may_meet(&self, other: &Self) -> bool {
        let pairs = self.names.iter().zip(&other.names);
        pairs
            .into_iter()
            .all(|(a, b)| crate::names::same_file(a, b))
    }

    /// True if these are its names; case is ignored.
    pub(crate) fn is_names(&self, names: &[&str]) -> bool {
        let same = |(a, b): (&String, &&str)| crate::names::same_file(a, b);
        self.names.len() == names.len() && self.names.iter().zip(names).all(same)
    }

    /// True if this is the path of a file in that folder that the pattern is about.
    pub(crate) fn is_file_of(&self, folder: &Self, name: &super::NamePattern) -> bool {
        let names = self.names();
        let Some((last, above)) = names.split_last() else {
            return false;
        };
        folder.is_names(above) && name.matches(last)
    }

    /// True if this is the folder with that name in `above`, or is in it.
    pub(crate) fn is_in(&self, above: &Self, name: &super::NamePattern) -> bool {
        let names = self.names();
        let Some((start, rest)) = names.split_at_checked(above.names.len()) else {
            return false;
        };
        above.is_names(start) && rest.first().is_some_and(|first| name.matches(first))
    }

    /// True if both are the same folder.
    #[must_use]
    pub fn is(&self, other: &Self) -> bool {
        self.names.len() == other.names.len() && self.may_meet(other)
    }
}

impl fmt::Display for FolderPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.names.join("\\"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_compared_by_whole_names_without_regard_to_case() {
        let path = |text| FolderPath::parse(text).expect(text);
        let keys = path(r"ProgramData\Microsoft\Crypto");
        assert!(keys.is(&path(r"programdata\MICROSOFT\crypto")));
        assert!(keys.may_meet(&path("ProgramData")));
        assert!(keys.may_meet(&path(r"ProgramData\Microsoft\Crypto\RSA")));
        assert!(!keys.is(&path("ProgramData")));
        assert!(!keys.may_meet(&path(r"ProgramData\Micro")));
    }

    #[test]
    fn names_that_could_lead_elsewhere_are_refused() {
        for bad in [
            "", "a\\\\b", "\\a", "a\\", "..\\a", "a\\..", "C:\\a", "a/b", "%x%", "a\0",
        ] {
            assert!(FolderPath::parse(bad).is_err(), "{bad:?}");
        }
    }
}
