//! Reads, writes and edits Windows security descriptors, and computes the rights that a DACL gives
//! to an account.
//!
//! A descriptor can be bytes, SDDL, or a line in a file of `icacls /save`. This crate does no I/O:
//! programs bring the bytes from a volume, a registry hive or a text file, and take them back.
//!
//! ```
//! use diskmend_acl::{AccessMask, Domains, SddlParts, SecurityDescriptor, Token, icacls_lines};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! // The descriptor of a file: an entry denies NETWORK SERVICE the right to read it.
//! let sddl = "O:BAG:SYD:AI(D;;FR;;;NS)(A;;FA;;;SY)(A;ID;FA;;;BA)";
//! let bytes = SecurityDescriptor::from_sddl(sddl, &Domains::default())?.to_bytes()?;
//!
//! // Ask for the rights of an account.
//! let mut descriptor = SecurityDescriptor::from_bytes(&bytes)?;
//! let service = Token::network_service();
//! let access = descriptor.access(&service, AccessMask::FILE_READ);
//! assert!(!access.is_granted());
//! assert_eq!(access.denied_by, [0]);
//!
//! // `icacls /grant "NT AUTHORITY\NETWORK SERVICE:(R)"` leaves the entry that denies: remove it.
//! descriptor.grant(&r"NT AUTHORITY\NETWORK SERVICE:(R)".parse()?);
//! descriptor.unblock(&service, AccessMask::FILE_READ);
//! assert!(descriptor.access(&service, AccessMask::FILE_READ).is_granted());
//!
//! // Show the result as SDDL, and as icacls prints it.
//! let dacl = "D:AI(A;;FA;;;SY)(A;;FR;;;NS)(A;ID;FA;;;BA)";
//! assert_eq!(descriptor.to_sddl(SddlParts::Dacl)?, dacl);
//! let lines = icacls_lines("key", &descriptor);
//! assert_eq!(lines.lines().next(), Some(r"key NT AUTHORITY\SYSTEM:(F)"));
//! # Ok(())
//! # }
//! ```
//!
//! # Where to go next
//!
//! | item | purpose |
//! |---|---|
//! | [`SecurityDescriptor`], [`Acl`], [`Ace`], [`Sid`], [`AccessMask`] | a descriptor and its parts |
//! | [`SecurityDescriptor::from_bytes`], [`Salvaged`] | read bytes; read what is sound in corrupt bytes |
//! | [`SecurityDescriptor::from_sddl`], [`Domains`] | read SDDL, with the aliases of a machine or domain |
//! | [`SecurityDescriptor::access`], [`Token`] | compute the rights of an account |
//! | [`SecurityDescriptor::stranger`], [`Stranger`] | find unexpected accounts that may change an object |
//! | [`Grant`], [`Edit`] | edit a DACL as `icacls` does, and know what has changed |
//! | [`SavedEntries`], [`write_saved`] | read and write the files of `icacls /save` |
//! | [`icacls_lines`], [`ace_text`] | print a DACL as `icacls` does |
//!
//! `examples/explain_sddl.rs` is a small program that explains a descriptor.
//!
//! # Limits
//!
//! - Account names are known only for SIDs that are the same on every machine. The names of other
//!   accounts are in the domain or in the SAM hive, which this crate does not read.
//! - Conditions of conditional ACEs are read and written but not evaluated, and object types are
//!   not compared. [`SecurityDescriptor::access`] counts such an ACE if it denies, not if it
//!   allows.
//! - SDDL can't express every descriptor. [`SecurityDescriptor::to_sddl`] then returns
//!   [`Inexpressible`]; it never leaves anything out silently.
//! - Descriptors are self-relative, as volumes and hives store them.

#![forbid(unsafe_code)]

mod access;
mod ace;
mod acl;
mod bytes;
mod descriptor;
mod edit;
mod error;
mod format;
mod mask;
mod report;
mod save_file;
mod sddl;
mod sid;
mod stranger;
mod token;

pub use access::Access;
pub use ace::{Ace, AceBody, AceFlags, AceType, ObjectTypes, Trustee};
pub use acl::Acl;
pub use descriptor::{AclSlot, Control, Part, Salvaged, SecurityDescriptor};
pub use diskmend_base::Guid;
pub use edit::{DaclFault, Edit, Grant, GrantTextError};
pub use error::{ByteOffset, Corruption, TooLarge};
pub use mask::{AccessMask, MaskTextError, Objects};
pub use report::{ace_text, icacls_lines};
pub use save_file::{
    SaveReadError, SaveWriteError, SavedEntries, SavedEntry, SavedPart, SavedSddl, write_saved,
};
pub use sddl::{Inexpressible, SddlError, SddlParts};
pub use sid::{Domains, RelativeAlias, Sid, SidTextError};
pub use stranger::Stranger;
pub use token::Token;
