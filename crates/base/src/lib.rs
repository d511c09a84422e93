//! What all crates of diskmend share: bounds-checked reads of untrusted bytes, GUIDs, UTF-16, names
//! as Windows compares them, and text that is safe to print. This crate knows no disk format and no
//! other crate of diskmend.
//!
//! ```
//! use diskmend_base::escape::{Escaped, unescape};
//! use diskmend_base::upcase::CaseTable;
//! use diskmend_base::{Guid, bytes};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! // A name from a disk can try to deceive the reader. Its escaped form can't, and loses nothing.
//! let name = "photo\u{202e}gpj.exe\nhint: run this";
//! let shown = Escaped(name).to_string();
//! assert_eq!(shown, "photo<U+202E>gpj.exe<U+000A>hint: run this");
//! assert!(unescape(&shown).into_iter().eq(name.encode_utf16()));
//!
//! // Windows takes these names for one.
//! let (a, b) = ("System", "SYSTEM");
//! assert!(CaseTable::FILES.same(a.encode_utf16(), b.encode_utf16()));
//!
//! // An offset from a disk can point anywhere.
//! assert_eq!(bytes::u32_at(&[1, 0, 0, 0, 2], 0), Some(1));
//! assert_eq!(bytes::u32_at(&[1, 0, 0, 0, 2], 2), None);
//!
//! let guid: Guid = "{9dea862c-5cdd-4e70-acc1-f32b344d4795}".parse()?;
//! assert_eq!(guid.to_string(), "{9dea862c-5cdd-4e70-acc1-f32b344d4795}");
//! # Ok(())
//! # }
//! ```
//!
//! # Where to go next
//!
//! | item | purpose |
//! |---|---|
//! | [`bytes`] | parts of untrusted bytes, and structures in them |
//! | [`count`] | convert between numbers on disk and lengths in memory, without loss |
//! | [`escape`] | make text from a disk safe to show, and reverse it |
//! | [`Guid`], [`hex`], [`utf16`] | GUIDs, hexadecimal digits, text as Windows stores it |
//! | [`upcase`] | compare names as Windows does, without regard to case |
//! | [`Corruption`] | the error that says how a structure violates its format |
//! | [`chain`] | an error and its causes in one line |
//! | [`shell`] | quote a word of a command line that a person may copy |
//! | [`Storage`], [`Buffer`], [`positioned`] | a file on disk, and a file in memory |
//!
//! `examples/show_hidden.rs` is a small program that shows the hidden characters of a text.
//!
//! # Limits
//!
//! diskmend is built only for 64-bit machines, and [`count`] relies on that.

#![forbid(unsafe_code)]

pub mod bytes;
mod chain;
mod corruption;
pub mod count;
pub mod escape;
mod guid;
pub mod hex;
pub mod positioned;
pub mod shell;
mod storage;
pub mod upcase;
pub mod utf16;

pub use chain::chain;
pub use corruption::Corruption;
pub use guid::{Guid, GuidError};
pub use storage::{Buffer, Storage};
