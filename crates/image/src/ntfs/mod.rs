//! The NTFS volume.
