//! Security descriptors: `$Secure` (record 9) holds each once, files name it by its id ("NTFS
//! Documentation" of the Linux-NTFS project, Files: $Secure).
//!
//! | module | what lives there |
//! |---|---|
//! | `sds` | `$SDS`, the descriptors, each in two copies |
//! | `node`, `index` | `$SII` and `$SDH`, by which they are found |

use std::fmt;

mod error;
mod format;
mod index;
mod node;
mod sds;

pub use error::SecurityError;

/// The number by which files name a descriptor of their volume.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct SecurityId(pub u32);

impl fmt::Display for SecurityId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:#x}", self.0)
    }
}
