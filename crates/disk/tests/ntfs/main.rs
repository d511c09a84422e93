//! The same on real NTFS volumes, mounted with ntfs-3g on loop devices. Needs root, FUSE, mkntfs and
//! free loop devices; says so where it has to leave a test out.

#![cfg(test)]
#![cfg(target_os = "linux")]

mod alike;
#[path = "../common/mod.rs"]
mod common;
mod forged;
mod hives;
mod image;
mod in_use;
mod names;
mod restored;
mod security;
