//! Points in time as Windows stores them.

/// A FILETIME: intervals of 100 ns since 1601-01-01 00:00 UTC.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Filetime(pub u64);
