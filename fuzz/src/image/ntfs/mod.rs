//! Reads NTFS volumes as far as possible, and changes those that may be changed.

mod read;
mod record;
mod secure;
mod volume;
mod write;

use std::sync::OnceLock;

pub use read::ntfs_read;
use volume::Made;
pub use write::ntfs_write;

use super::input::Base;

/// The volumes from which inputs start.
fn made() -> &'static [Made] {
    static MADE: OnceLock<Vec<Made>> = OnceLock::new();
    MADE.get_or_init(|| vec![volume::make(4096, false), volume::make(1024, true)])
}

pub(super) fn bases() -> &'static [Base] {
    static BASES: OnceLock<Vec<Base>> = OnceLock::new();
    BASES.get_or_init(|| made().iter().map(Made::base).collect())
}
