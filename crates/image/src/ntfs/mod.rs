//! The NTFS volume: its files and folders, over positioned reads and writes of a device.
//!
//! | module | what it contains |
//! |---|---|
//! | `format` | every structure as it is on disk |
//! | `boot`, `fixup`, `record`, `attribute`, `runs`, `list`, `index` | one structure each, checked |
//! | `disk`, `mft`, `records`, `layout`, `stream` | the positions of a value's bytes |
//! | `compressed`, `lznt1` | values that NTFS has compressed |
//! | `bitmap`, `upcase`, `log`, [`journal`] | the volume's own files |
//! | `allocate`, `promise`, `claims` | allocating clusters that no other file has |
//! | `volume`, `folder`, `member`, `metadata`, `names` | the content of a volume |
//! | `edit`, `growth` | writing records, and the values of indexes that get longer |
//! | `removable`, `remove`, `mft_bitmap`, `rename` | removing files, and giving them other names |
//! | `numbered` | files by the numbers of their records |
//! | `file`, `open`, `shared`, `grow`, `second` | reading and writing files |
//! | `writes` | what may be written on a volume that Windows did not dismount |
//! | [`secure`] | security descriptors |

mod allocate;
mod attribute;
mod bitmap;
mod boot;
mod claims;
mod compressed;
mod disk;
mod edit;
mod error;
mod extents;
mod file;
pub(crate) mod fixup;
mod folder;
mod format;
mod grow;
mod growth;
mod index;
pub mod journal;
mod layout;
mod list;
mod log;
mod lznt1;
mod member;
mod metadata;
mod mft;
mod mft_bitmap;
mod names;
mod numbered;
mod open;
mod place;
mod promise;
mod record;
mod records;
mod removable;
mod remove;
mod rename;
pub(crate) mod runs;
mod second;
pub mod secure;
mod shared;
mod stream;
#[cfg(test)]
mod testing;
#[cfg(test)]
mod tests;
mod times;
mod upcase;
mod volume;
mod writes;

pub use error::{Corruption, VolumeError};
pub use file::File;
pub use folder::{Entry, Namespace};
pub use log::Log;
pub use member::Member;
pub use metadata::{Kind, Metadata};
pub use place::FileId;
pub use volume::{State, Volume};
pub use writes::Writes;
