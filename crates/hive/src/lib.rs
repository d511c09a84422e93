//! Registry hive files: read, recover from transaction logs, check, edit, commit crash-safely.
//!
//! The crate knows the file format (regf 1.3 to 1.6) and Windows's own commit protocol. It knows
//! neither the settings of Windows nor where a hive file is stored.
//!
//! An edit goes through four steps: [`open`] returns a [`Hive`], [`Editor`] changes it in memory
//! and records its [`Changes`], [`Edited::verify`] makes it [`Verified`], and [`commit`] writes it.

#![forbid(unsafe_code)]

mod base_block;
mod bins;
pub mod check;
pub mod commit;
mod create;
mod edit;
mod error;
mod expectation;
pub mod format;
mod hive;
mod image;
mod key;
pub mod list;
pub mod name;
mod offset;
mod recover;
pub mod reg_file;
mod time;
mod value;
mod value_type;
mod verify;
#[cfg(test)]
mod work;

pub use base_block::checksum;
pub use bins::Bins;
pub use diskmend_base::{Buffer, Storage};
pub use edit::{Change, Changes, EditError, Edited, Editor, MAX_DEPTH, Outcome, ValueContent};
pub use error::Corruption;
pub use expectation::{Expectation, Expected};
pub use hive::{DirtyHive, DirtyState, Hive, OpenError, Opened, components, open};
pub use image::Image;
pub use key::{Key, Subkeys};
pub use offset::{BASE_BLOCK_LEN, CellOffset, FileOffset, PAGE_LEN};
pub use recover::{
    Applied, LogFault, LogFormat, LogKind, Logs, ReadLogError, RecoverError, Recovery, RefusedLogs,
    SkippedLog,
};
pub use time::Filetime;
pub use value::{BigSegments, DataPlace, Value};
pub use value_type::ValueType;
pub use verify::{Committable, Unverified, Verified, VerifyError};
