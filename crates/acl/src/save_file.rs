//! The file that `icacls /save` writes and `icacls /restore` reads, both ways.
//!
//! It is UTF-16LE without a byte order mark, two lines for each object, each ended by CR LF: the
//! path relative to the folder that `/restore` is given, then the DACL as SDDL. icacls leaves the
//! owner out; a second file of the same form holds owner and group.

mod read;
mod write;

pub use read::{SaveReadError, SavedEntries, SavedEntry};
pub use write::{SaveWriteError, SavedSddl, write_saved};

/// What the SDDL lines of a save file hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SavedPart {
    /// The DACL: icacls's own file.
    Dacl,
    /// Owner and group: the file beside it, which icacls does not know.
    Owners,
}

const LINE_FEED: u16 = 0x0A;
const CARRIAGE_RETURN: u16 = 0x0D;
const BYTE_ORDER_MARK: u16 = 0xFEFF;

/// The byte order mark of another encoding that these first units of a file would be.
const fn foreign_mark(units: [u16; 2]) -> Option<&'static str> {
    match units {
        [0xFFFE, _] => Some("the byte order mark of UTF-16BE"),
        [0xBBEF, second] if second & 0xFF == 0xBF => Some("the byte order mark of UTF-8"),
        _ => None,
    }
}
