//! The file that `icacls /save` writes and `icacls /restore` reads: reading and writing it.
//!
//! It is UTF-16LE without a byte order mark. Each object has two lines that end with CR LF: the
//! path relative to the folder given to `/restore`, then the DACL as SDDL. icacls leaves the owner
//! out, so a second file of the same form holds owner and group.

mod read;
mod write;

use std::fmt;

pub use read::{SaveReadError, SavedEntries, SavedEntry};
pub use write::{SaveWriteError, SavedSddl, write_saved};

/// What the SDDL lines of a save file hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SavedPart {
    /// The DACL: icacls's own file.
    Dacl,
    /// Owner and group: the second file, which icacls doesn't know.
    Owners,
}

impl fmt::Display for SavedPart {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Dacl => "DACL",
            Self::Owners => "owner and group",
        })
    }
}

const LINE_FEED: u16 = 0x0A;
const CARRIAGE_RETURN: u16 = 0x0D;
const BYTE_ORDER_MARK: u16 = 0xFEFF;

/// The name of another encoding's byte order mark, if a file's first units are one.
const fn foreign_mark(units: [u16; 2]) -> Option<&'static str> {
    match units {
        [0xFFFE, _] => Some("the byte order mark of UTF-16BE"),
        [0xBBEF, second] if second & 0xFF == 0xBF => Some("the byte order mark of UTF-8"),
        _ => None,
    }
}
