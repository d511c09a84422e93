//! The ground floor: what every other crate of diskmend builds on, and which knows of none of them.
//!
//! ```
//! use diskmend_base::escape::{Escaped, unescape};
//!
//! let name = "photo\u{202e}gpj.exe\nhint: run this";
//! let shown = Escaped(name).to_string();
//! assert_eq!(shown, "photo<U+202E>gpj.exe<U+000A>hint: run this");
//! assert!(unescape(&shown).into_iter().eq(name.encode_utf16()));
//! ```
//!
//! - [`bytes`]: checked parts of untrusted bytes, and structures in them;
//! - [`chain`]: an error and its causes in one line;
//! - [`count`]: numbers of a disk as lengths in memory, and back, without loss;
//! - [`Corruption`]: what a structure holds in place of what its format demands;
//! - [`escape`]: text from a disk in the one form in which it is safe to show, and back;
//! - [`Guid`]: as structures hold it and as Windows writes it;
//! - [`hex`]: bytes as hexadecimal digits;
//! - [`positioned`]: reads and writes at an offset of a file;
//! - [`Storage`] and [`Buffer`]: a file as the libraries for formats see it, on disk and in memory;
//! - [`upcase`]: the tables by which Windows disregards case;
//! - [`utf16`]: text as Windows stores it.

#![forbid(unsafe_code)]

pub mod bytes;
mod chain;
mod corruption;
pub mod count;
pub mod escape;
mod guid;
pub mod hex;
pub mod positioned;
mod storage;
pub mod upcase;
pub mod utf16;

pub use chain::chain;
pub use corruption::Corruption;
pub use guid::{Guid, GuidError};
pub use storage::{Buffer, Storage};
