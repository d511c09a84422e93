//! The NTFS volume: its files and folders, over positioned reads and writes of a device.
//!
//! | module | what lives there |
//! |---|---|
//! | `format` | every structure as it lies on disk |
//! | `boot`, `fixup`, `record`, `attribute`, `runs`, `list` | one structure each, checked |
//! | `disk`, `mft`, `records`, `layout`, `stream` | where the bytes of a value lie |

mod attribute;
mod boot;
mod disk;
mod error;
mod fixup;
mod format;
mod layout;
mod list;
mod mft;
mod place;
mod record;
mod records;
mod runs;
pub mod secure;
mod stream;
#[cfg(test)]
mod testing;

pub use error::{Corruption, VolumeError};
pub use place::FileId;
