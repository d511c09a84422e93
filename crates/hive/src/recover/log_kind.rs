//! The kinds and formats of log files.

use std::fmt;

/// A transaction log of a primary file, by the ending of its name (regf spec, Multiple transaction
/// log files).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum LogKind {
    /// `.LOG`: the log of a hive that has only one.
    Log,
    /// `.LOG1`: the first log of a hive with two.
    Log1,
    /// `.LOG2`: the second log of a hive with two.
    Log2,
}

impl LogKind {
    /// All logs.
    pub const ALL: [Self; 3] = [Self::Log, Self::Log1, Self::Log2];

    /// The suffix that is appended to the primary file's name.
    #[must_use]
    pub const fn suffix(self) -> &'static str {
        match self {
            Self::Log => ".LOG",
            Self::Log1 => ".LOG1",
            Self::Log2 => ".LOG2",
        }
    }
}

impl fmt::Display for LogKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.suffix())
    }
}

/// The format of a transaction log (regf spec, Format of transaction log files).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum LogFormat {
    /// One set of dirty pages, up to Windows 8.
    Old,
    /// A chain of log entries, Windows 8.1 and later.
    New,
}

impl fmt::Display for LogFormat {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Old => "old (DIRT)",
            Self::New => "new (HvLE)",
        })
    }
}
