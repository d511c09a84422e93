//! The files on a disk that diskmend changes.

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
    /// All hives that recipes may name.
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

/// Which hive file it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum HiveId {
    /// A hive of Windows that recipes may name.
    Windows(HiveName),
    /// The boot store that starts Windows.
    BootStore,
    /// Any other, by the name of its file.
    File(String),
}

impl fmt::Display for HiveId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Windows(name) => name.fmt(f),
            Self::BootStore => f.write_str("BCD"),
            Self::File(name) => f.write_str(name),
        }
    }
}

/// Something that is read, changed or left out as a whole.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Place {
    /// A hive.
    Hive(HiveId),
    /// A folder with permissions to read, by its path with `/`.
    Folder(String),
    /// All permissions.
    Permissions,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Hive(hive) => hive.fmt(f),
            Self::Folder(path) => f.write_str(path),
            Self::Permissions => f.write_str("permissions"),
        }
    }
}
