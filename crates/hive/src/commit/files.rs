//! The files that a commit writes.

use std::fmt;
use std::io;

use crate::recover::LogKind;
use diskmend_base::Storage;

/// One of the files that make up a hive.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum HiveFileKind {
    /// The hive itself.
    Primary,
    /// A transaction log.
    Log(LogKind),
}

impl HiveFileKind {
    /// All files of a hive.
    pub const ALL: [Self; 4] = [
        Self::Primary,
        Self::Log(LogKind::Log),
        Self::Log(LogKind::Log1),
        Self::Log(LogKind::Log2),
    ];

    /// The suffix that is appended to the primary file's name.
    #[must_use]
    pub const fn suffix(self) -> &'static str {
        match self {
            Self::Primary => "",
            Self::Log(log) => log.suffix(),
        }
    }
}

impl fmt::Display for HiveFileKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Primary => f.write_str("primary"),
            Self::Log(log) => log.fmt(f),
        }
    }
}

/// The files of one hive, open for writing.
pub trait HiveFiles {
    /// The file, if it exists.
    fn file(&mut self, kind: HiveFileKind) -> Option<&mut dyn Storage>;

    /// Creates an empty file.
    ///
    /// # Errors
    /// Whatever the operating system reports.
    fn create(&mut self, kind: HiveFileKind) -> io::Result<()>;

    /// Returns only after the created files are durable in their folder.
    ///
    /// # Errors
    /// Whatever the operating system reports.
    fn sync_folder(&mut self) -> io::Result<()>;
}
