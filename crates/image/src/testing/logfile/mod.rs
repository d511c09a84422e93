//! Writes the journal of NTFS, $LogFile, as Windows does: of version 1.1 and 2.0, with work that a
//! crash has left.
//!
//! A [`Session`] is a volume in use. It makes changes in transactions and logs them, it writes
//! checkpoints and pages, and it stops at any moment. The result is an image with a log, the
//! volume that replaying this log must lead to, and what the log touches.
//!
//! The format follows the documentation of the Linux-NTFS project ($LogFile), and what logs that
//! Windows has written contain. It knows nothing of this crate's reader, so that each can check
//! the other.

#![expect(
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "tests make only what fits"
)]

mod apply;
mod bytes;
mod changes;
mod client;
mod compare;
mod image;
mod lfs;
mod session;
#[cfg(test)]
#[cfg(target_os = "linux")]
mod tests;

pub use changes::{Attribute, index_entry};
pub use client::{Action, Operation};
pub use compare::differing_clusters;
pub use lfs::{Tail, Version};
pub use session::{Change, Crashed, Session, Start, Target, Touched, Transaction};
