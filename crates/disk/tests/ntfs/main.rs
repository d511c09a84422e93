//! Tests on real NTFS volumes, mounted with ntfs-3g on loop devices. They need root, FUSE, mkntfs
//! and free loop devices; without them, each test reports that it is left out.

#![cfg(test)]
#![cfg(target_os = "linux")]

mod alike;
#[path = "../common/mod.rs"]
mod common;
mod details;
mod forged;
mod hives;
mod image;
mod in_use;
mod names;
mod restored;
mod security;
