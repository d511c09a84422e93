//! Security descriptors as they should be.

use std::fmt;
use std::ops::RangeInclusive;

use diskmend_acl::{Grant, SecurityDescriptor, Sid};

/// A security descriptor as it should be, of a folder or of what is in it.
#[derive(Clone, Debug)]
pub struct AclRow {
    /// The folder's path below the volume's root.
    pub path: FolderPath,
    /// Which objects the row is about.
    pub applies_to: AppliesTo,
    /// The builds of Windows that it is about; all of them where absent.
    pub builds: Option<RangeInclusive<u32>>,
    /// What they should be; a row without says only what is a fault.
    pub desired: Option<DesiredAcl>,
    /// When what is found is evidence of a fault.
    pub fault: Option<AclFault>,
    /// The recipe that repairs the fault, for a row that does not.
    pub repaired_by: Option<String>,
    /// One sentence for a person.
    pub why: String,
}

/// What a security descriptor should be.
#[derive(Clone, Debug)]
pub enum DesiredAcl {
    /// These parts, and the rest as it is.
    Parts(Box<SecurityDescriptor>),
    /// What is there, with an owner and grants, and nothing that denies what is granted.
    Grants(Grants),
}

/// What `takeown` and `icacls /grant` would do, and what they do not.
#[derive(Clone, Debug)]
pub struct Grants {
    /// The owner; as it is where absent.
    pub owner: Option<Sid>,
    /// What is granted, in this order.
    pub grants: Vec<Grant>,
    /// The DACL to begin with where there is none, or where it is NULL, empty or corrupt; an empty
    /// one where absent.
    pub replacement: Option<Box<SecurityDescriptor>>,
}

/// Which objects a row is about. Of a recipe's rows for one folder, the first that is about an
/// object counts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AppliesTo {
    /// The folder itself.
    Folder,
    /// Everything in it, at any depth.
    Contents,
    /// The files in the folder itself whose names begin so, whatever their case.
    FilesWithPrefix(String),
}

/// The condition under which a security descriptor is a fault.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AclFault {
    /// It is one when any of these accounts lacks its rights, or the DACL is corrupt.
    pub blocked: Vec<Grant>,
}

/// The path of a folder below a volume's root.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FolderPath {
    names: Vec<String>,
}

impl FolderPath {
    /// Reads a path with backslashes between its names.
    ///
    /// # Errors
    /// What is wrong with it, for a person.
    pub fn parse(text: &str) -> Result<Self, String> {
        let names: Vec<String> = text.split('\\').map(str::to_owned).collect();
        for name in &names {
            let reserved = |c: char| c.is_control() || "/:*?\"<>|%".contains(c);
            if name.is_empty() || name.chars().all(|c| c == '.') {
                return Err(format!(
                    "{text:?} is no path: names with one backslash between them, from the root of \
                     the volume"
                ));
            }
            if let Some(c) = name.chars().find(|c| reserved(*c)) {
                return Err(format!("{c:?} is not accepted in a path: {text:?}"));
            }
        }
        Ok(Self { names })
    }

    /// The names on the way.
    #[must_use]
    pub fn names(&self) -> Vec<&str> {
        self.names.iter().map(String::as_str).collect()
    }

    /// Whether both are the same folder, or one lies in the other.
    #[must_use]
    pub fn may_meet(&self, other: &Self) -> bool {
        let pairs = self.names.iter().zip(&other.names);
        pairs
            .into_iter()
            .all(|(a, b)| crate::names::same_file(a, b))
    }

    /// Whether both are the same folder.
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

impl fmt::Display for AppliesTo {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Folder => f.write_str("the folder"),
            Self::Contents => f.write_str("everything in it"),
            Self::FilesWithPrefix(prefix) => write!(f, "files {prefix}*"),
        }
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
    fn what_could_lead_elsewhere_is_no_path() {
        for bad in [
            "", "a\\\\b", "\\a", "a\\", "..\\a", "a\\..", "C:\\a", "a/b", "%x%", "a\0",
        ] {
            assert!(FolderPath::parse(bad).is_err(), "{bad:?}");
        }
    }
}
