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
    /// The security policy of the machine: user rights, domain, secrets.
    Security,
    /// What the servicing stack has installed and has still to do. Windows XP has no such hive.
    Components,
    /// The settings of the user SYSTEM, not those of new users.
    Default,
    /// The accounts of the machine.
    Sam,
}

impl HiveName {
    /// All hives that recipes may name.
    pub const ALL: [Self; 6] = [
        Self::System,
        Self::Software,
        Self::Security,
        Self::Components,
        Self::Default,
        Self::Sam,
    ];

    /// The hive with this name, in any case.
    ///
    /// # Errors
    /// The names that exist, for display.
    pub(crate) fn parse(name: &str) -> Result<Self, String> {
        let found = Self::ALL.into_iter();
        let mut found = found.filter(|hive| hive.file_name().eq_ignore_ascii_case(name));
        found.next().ok_or_else(|| {
            let names = Self::ALL.map(Self::file_name);
            format!("no hive \"{name}\": expected one of {}", names.join(", "))
        })
    }

    /// True if a volume without it has no Windows.
    pub(crate) const fn makes_a_windows(self) -> bool {
        matches!(self, Self::System)
    }

    /// The file's name below `Windows/System32/config`.
    #[must_use]
    pub const fn file_name(self) -> &'static str {
        match self {
            Self::System => "SYSTEM",
            Self::Software => "SOFTWARE",
            Self::Security => "SECURITY",
            Self::Components => "COMPONENTS",
            Self::Default => "DEFAULT",
            Self::Sam => "SAM",
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
    /// A file that would be moved, by its path with `/`.
    File(String),
    /// All files that would be moved.
    Files,
    /// All permissions.
    Permissions,
    /// Everything that depends on what the Windows is.
    Windows,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Hive(hive) => hive.fmt(f),
            Self::Folder(path) | Self::File(path) => f.write_str(path),
            Self::Files => f.write_str("files"),
            Self::Permissions => f.write_str("permissions"),
            Self::Windows => f.write_str("this Windows"),
        }
    }
}

/// A path below a volume's root, for display: the whole path if the volume isn't the target.
pub(crate) fn on_volume(volume: Option<&str>, path: &str) -> String {
    match volume {
        // In a path that begins like this, a slash doesn't separate names, and people may copy this
        // one.
        Some(volume) if volume.starts_with(r"\\?\") => {
            let (volume, path) = (volume.trim_end_matches('\\'), path.replace('/', r"\"));
            format!(r"{volume}\{path}")
        }
        Some(volume) => format!("{}/{path}", volume.trim_end_matches(['/', '\\'])),
        None => path.to_owned(),
    }
}
