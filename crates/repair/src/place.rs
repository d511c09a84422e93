//! The files of a disk that diskmend changes.

use std::fmt;

use serde::Serialize;

/// A hive file of `Windows/System32/config`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum HiveName {
    /// Control sets: services, drivers, system settings.
    System,
    /// Settings of Windows and of installed software.
    Software,
}

impl HiveName {
    /// All that recipes may name.
    pub const ALL: [Self; 2] = [Self::System, Self::Software];

    /// The file's name below `Windows/System32/config`.
    #[must_use]
    pub const fn file_name(self) -> &'static str {
        match self {
            Self::System => "SYSTEM",
            Self::Software => "SOFTWARE",
        }
    }
}

impl fmt::Display for HiveName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.file_name())
    }
}
