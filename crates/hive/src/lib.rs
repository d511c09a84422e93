//! Reads, recovers, checks and edits the files of Windows registry hives (regf 1.3 to 1.6), while
//! Windows does not run.
//!
//! This crate knows the file format, the transaction logs and how Windows writes them. It does not
//! know what a key means to Windows, and it opens no file by itself. Everything that it reads is
//! treated as untrusted: a damaged or forged hive leads to an error, never to a panic.
//!
//! ```
//! use diskmend_hive::{Editor, Filetime, Opened, ValueContent, ValueType, open};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let file = concat!(env!("CARGO_MANIFEST_DIR"), "/../../fixtures/system-001/SYSTEM");
//! // Read.
//! let hive = match open(Box::new(std::fs::read(file)?))? {
//!     Opened::Clean(hive) => hive,
//!     Opened::Dirty(dirty) => return Err(format!("recover it first: {}", dirty.state()).into()),
//! };
//! let select = hive.key("Select")?.ok_or("no key Select")?;
//! let current = select.value("Current")?.ok_or("no value Current")?;
//! assert_eq!(ValueContent::of(&current)?.to_string(), "REG_DWORD of 4 bytes 01 00 00 00");
//!
//! // Edit in memory.
//! let now = Filetime(133_800_000_000_000_000);
//! let mut editor = Editor::new(hive, now);
//! let key = r"ControlSet001\Control\Terminal Server\WinStations\RDP-Tcp";
//! editor.create_key(key)?;
//! editor.set_value(key, "PortNumber", ValueType::DWORD, &3390_u32.to_le_bytes())?;
//!
//! // Verify: the changes are there, and the structure of the whole hive is sound.
//! let (verified, changes) = editor.finish()?.verify()?;
//! assert!(verified.report().is_sound() && !changes.is_empty());
//! # Ok(())
//! # }
//! ```
//!
//! # Where to go next
//!
//! | item | purpose |
//! |---|---|
//! | [`open`], [`Hive`], [`Key`], [`Value`] | read a hive |
//! | [`DirtyHive`], [`Logs`] | recover a hive that Windows has not closed, from its transaction logs |
//! | [`mod@check`] | find problems in the structure of a hive |
//! | [`Editor`], [`Changes`] | edit a hive in memory, and know what has changed |
//! | [`Edited::verify`], [`Verified`] | make sure that an edited hive may be written |
//! | [`mod@commit`] | write it to disk, so that a crash leaves either the old or the new state |
//! | [`Expectation`] | look up in a hive what an edit should have left there |
//! | [`reg_file`] | read and write `.reg` text |
//! | [`mod@format`], [`name`] | the structures on disk, and names |
//!
//! `examples/print_key.rs` is a small program that prints a key.
//!
//! # Limits
//!
//! - A hive is in memory as a whole. The format limits it to 2 GiB.
//! - The file must not be in use: this crate doesn't edit the registry of a Windows that runs.
//! - Transactions of the Kernel Transaction Manager (`.regtrans-ms`, `.blf`) are not read.
//! - Keys with a predefined handle, and tombstones of layered keys, can be read but not edited.

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
mod list;
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
pub use diskmend_base::{Buffer, Storage};
pub use edit::{
    Change, Changes, EditError, Edited, Editor, KeyState, MAX_DEPTH, NewDescriptor, Outcome,
    ValueContent,
};
pub use error::Corruption;
pub use expectation::{Expectation, Expected};
pub use hive::{DirtyHive, DirtyState, Hive, OpenError, Opened, open};
pub use image::Image;
pub use key::{Key, Subkeys, components};
pub use offset::{BASE_BLOCK_LEN, CellOffset, FileOffset, PAGE_LEN};
pub use recover::{
    Applied, LogFault, LogFormat, LogKind, Logs, ReadLogError, RecoverError, Recovery, RefusedLogs,
    SkippedLog,
};
pub use time::Filetime;
pub use value::{BigSegments, DataPlace, Value};
pub use value_type::ValueType;
pub use verify::{Committable, Unverified, Verified, VerifyError};
