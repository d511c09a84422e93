//! SIDs and security descriptors.
#![forbid(unsafe_code)]
mod ace;
mod acl;
mod bytes;
mod descriptor;
mod error;
pub mod format;
mod guid;
mod mask;
mod sddl;
mod sid;
pub use ace::{Ace, AceBody, AceFlags, AceType, Effect, ObjectTypes, Trustee};
pub use acl::Acl;
pub use descriptor::{AclSlot, Control, Part, Salvaged, SecurityDescriptor};
pub use error::{Corruption, TooLarge};
pub use guid::{Guid, GuidTextError};
pub use mask::{AccessMask, MaskTextError};
pub use sddl::{Inexpressible, SddlError, SddlParts};
pub use sid::{Domains, RelativeAlias, Sid, SidTextError};
