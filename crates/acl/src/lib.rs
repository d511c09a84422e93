//! Windows security descriptors: SIDs, access masks, ACEs, ACLs, SDDL and icacls's save files. This
//! crate never opens a file. It turns bytes and text into descriptors and back, edits descriptors
//! by icacls's rules, and says which rights a DACL gives to an account.
//!
//! ```
//! use diskmend_acl::{AccessMask, Domains, SddlParts, SecurityDescriptor, Token, icacls_lines};
//!
//! // A file's descriptor on the volume: an entry keeps NETWORK SERVICE out.
//! let sddl = "O:BAG:SYD:AI(D;;FR;;;NS)(A;;FA;;;SY)(A;ID;FA;;;BA)";
//! let stored = SecurityDescriptor::from_sddl(sddl, &Domains::default())?.to_bytes()?;
//!
//! let mut descriptor = SecurityDescriptor::from_bytes(&stored)?;
//! let service = Token::network_service();
//! let access = descriptor.access(&service, AccessMask::FILE_READ);
//! assert_eq!(access.denied_by, [0]);
//!
//! // icacls /grant "NT AUTHORITY\NETWORK SERVICE:(R)", and then something icacls can't do.
//! let granted = descriptor.grant(&r"NT AUTHORITY\NETWORK SERVICE:(R)".parse()?);
//! assert_eq!(granted.unwrap().to_string(), r"allow NT AUTHORITY\NETWORK SERVICE:(R)");
//! let removed = descriptor.unblock(&service, AccessMask::FILE_READ);
//! assert_eq!(removed[0].to_string(), r"remove NT AUTHORITY\NETWORK SERVICE:(DENY)(R)");
//!
//! assert!(descriptor.access(&service, AccessMask::FILE_READ).is_granted());
//! assert_eq!(
//!     descriptor.to_sddl(SddlParts::Dacl)?,
//!     "D:AI(A;;FA;;;SY)(A;;FR;;;NS)(A;ID;FA;;;BA)"
//! );
//! assert_eq!(icacls_lines("key", &descriptor).lines().next().unwrap(), r"key NT AUTHORITY\SYSTEM:(F)");
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! | module | content |
//! |---|---|
//! | [`mod@format`] | every binary structure, and its limits |
//! | `sid`, `mask`, `guid`, `ace`, `acl` | the parts of a descriptor |
//! | `descriptor` | the descriptor as bytes, and reading the sound parts of a corrupt one |
//! | `sddl` | descriptors as text |
//! | `save_file` | many descriptors in a file, as `icacls /save` writes it |
//! | `token`, `access` | the rights that a DACL gives to an account |
//! | `stranger` | accounts other than the expected ones that may change an object |
//! | `edit` | grants, resets and what icacls can't do: removing deny entries, setting a descriptor |
//! | `report` | what `icacls PATH` prints |

#![forbid(unsafe_code)]

mod access;
mod ace;
mod acl;
mod bytes;
mod descriptor;
mod edit;
mod error;
pub mod format;
mod mask;
mod report;
mod save_file;
mod sddl;
mod sid;
mod stranger;
mod token;

pub use access::Access;
pub use ace::{Ace, AceBody, AceFlags, AceType, Effect, ObjectTypes, Trustee};
pub use acl::Acl;
pub use descriptor::{AclSlot, Control, Part, Salvaged, SecurityDescriptor};
pub use diskmend_base::Guid;
pub use edit::{DaclFault, Edit, Grant, GrantTextError};
pub use error::{ByteOffset, Corruption, TooLarge};
pub use mask::{AccessMask, MaskTextError};
pub use report::{ace_text, icacls_lines};
pub use save_file::{
    SaveReadError, SaveWriteError, SavedEntries, SavedEntry, SavedPart, SavedSddl, write_saved,
};
pub use sddl::{Inexpressible, SddlError, SddlParts};
pub use sid::{Domains, RelativeAlias, Sid, SidTextError};
pub use stranger::Stranger;
pub use token::Token;
