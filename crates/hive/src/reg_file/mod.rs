//! Registry text files (`.reg`): converts text to operations and back, without touching a hive.
//!
//! The parser reads version 5 files (`Windows Registry Editor Version 5.00`; UTF-16LE, or UTF-8 as
//! other tools write it), version 4 files (`REGEDIT4`; bytes beyond ASCII are read as Windows-1252,
//! and so are the bytes of `hex(2)` and `hex(7)` data, which become UTF-16LE), and the output of
//! `hivexregedit --export`, which may lack the header and contain `str(N):"text"`.
//!
//! Windows skips what it does not understand. Here it is an error with its line, because half of a
//! change can be worse than none. Otherwise the rules are those of regedit: lines end in CR LF, LF
//! or CR; a line that begins with `;` or `#` is a comment, and so is the text after `;` that
//! follows a value; if a backslash continues a line of bytes, blank lines and `;` comments after it
//! are skipped. Half surrogate pairs in UTF-16 are kept. The escapes `\n` and `\r` are Wine's.
//!
//! ```
//! use diskmend_hive::reg_file::{Operation, RegFile};
//!
//! let text = b"REGEDIT4\r\n\r\n[HKEY_LOCAL_MACHINE\\SYSTEM\\Select]\r\n\"Current\"=dword:1\r\n";
//! let file = RegFile::parse(text)?.strip_prefix(r"HKLM\SYSTEM")?;
//! assert!(matches!(
//!     file.operations.as_slice(),
//!     [Operation::CreateKey { .. }, Operation::SetValue { data, line: 4, .. }]
//!         if data == &[1, 0, 0, 0]
//! ));
//! assert_eq!(file.operations[1].path(), "Select");
//! # Ok::<(), diskmend_hive::reg_file::ParseError>(())
//! ```

mod cursor;
mod data;
mod decode;
mod error;
mod parse;
mod prefix;
mod write;

use std::sync::Arc;

pub use error::{ParseError, WriteError};
pub use write::{Encoding, Writer};

/// The longest file that is read, in bytes.
pub const MAX_FILE_LEN: usize = 64 << 20;
/// The maximum number of operations that are read from a file.
pub(crate) const MAX_OPERATIONS: usize = 1 << 21;

/// The operations of a registry text file, in its order.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct RegFile {
    /// What the file asks for.
    pub operations: Vec<Operation>,
}

/// One line's request. Paths and names are as written, in the form of [`diskmend_base::escape`];
/// `line` counts from 1.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Operation {
    /// `[path]`: the key shall exist.
    CreateKey {
        /// The key.
        path: Arc<str>,
        /// The number of the line.
        line: usize,
    },
    /// `[-path]`: the key and everything below it shall not exist.
    DeleteKey {
        /// The key.
        path: Arc<str>,
        /// The number of the line.
        line: usize,
    },
    /// `"name"=...`: the value shall be this.
    SetValue {
        /// The value's key.
        path: Arc<str>,
        /// Name of the value; empty for the default value.
        name: String,
        /// Type of the data.
        value_type: u32,
        /// The data as a hive holds them.
        data: Vec<u8>,
        /// The number of the line.
        line: usize,
    },
    /// `"name"=-`: the value shall not exist.
    DeleteValue {
        /// The value's key.
        path: Arc<str>,
        /// Name of the value; empty for the default value.
        name: String,
        /// The number of the line.
        line: usize,
    },
}

impl Operation {
    /// The key that the operation is about.
    #[must_use]
    pub fn path(&self) -> &str {
        match self {
            Self::CreateKey { path, .. }
            | Self::DeleteKey { path, .. }
            | Self::SetValue { path, .. }
            | Self::DeleteValue { path, .. } => path,
        }
    }

    /// The line that asks for it, counted from 1.
    #[must_use]
    pub fn line(&self) -> usize {
        match self {
            Self::CreateKey { line, .. }
            | Self::DeleteKey { line, .. }
            | Self::SetValue { line, .. }
            | Self::DeleteValue { line, .. } => *line,
        }
    }

    fn path_mut(&mut self) -> &mut Arc<str> {
        match self {
            Self::CreateKey { path, .. }
            | Self::DeleteKey { path, .. }
            | Self::SetValue { path, .. }
            | Self::DeleteValue { path, .. } => path,
        }
    }
}

#[cfg(test)]
mod tests;
