//! The NTFS volume.

pub mod secure;
