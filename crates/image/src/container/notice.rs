//! Notices about a container that could be opened nevertheless.

use std::fmt;

/// A structure that was damaged, although its second copy was sound, or a replayed log.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Notice {
    /// The footer at the end of a dynamic VHD; its copy at offset 0 was used.
    FooterDamaged(String),
    /// The copy of the footer at offset 0 of a dynamic VHD.
    FooterCopyDamaged(String),
    /// One of the two headers of a VHDX.
    HeaderDamaged(String),
    /// The first of the two region tables of a VHDX.
    RegionTableDamaged(String),
    /// The log of the VHDX was replayed in memory. The file itself is updated before the first
    /// write.
    LogReplayed(Replay),
}

/// The part of a VHDX's log that was replayed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Replay {
    /// The number of log entries.
    pub entries: u64,
    /// Sequence number of the last of them.
    pub sequence_number: u64,
    /// The number of bytes of the file that they change.
    pub bytes: u64,
}

impl fmt::Display for Notice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::FooterDamaged(reason) => write!(
                f,
                "the footer at the end of the VHD is damaged, its copy at the start is used \
                 ({reason}); the footer is rewritten before the first change"
            ),
            Self::FooterCopyDamaged(reason) => write!(
                f,
                "the copy of the footer at the start of the VHD is damaged ({reason}); it is \
                 rewritten before the first change"
            ),
            Self::HeaderDamaged(reason) => {
                write!(
                    f,
                    "one of the two headers of the VHDX is damaged ({reason})"
                )
            }
            Self::RegionTableDamaged(reason) => write!(
                f,
                "the first region table of the VHDX is damaged, the second is used ({reason})"
            ),
            Self::LogReplayed(replay) => write!(
                f,
                "the VHDX was not closed properly: {} entries of its log, which change {} bytes, \
                 were replayed in memory, and are written to the file before the first change",
                replay.entries, replay.bytes
            ),
        }
    }
}
