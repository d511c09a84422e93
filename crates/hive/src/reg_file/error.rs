//! The errors of registry text files.

use std::io;

use diskmend_base::escape::Visible;

use super::{MAX_FILE_LEN, MAX_OPERATIONS};

/// The reason why a registry text file can't be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ParseError {
    /// The file is too long.
    #[error("registry file of {len} bytes: expected at most {MAX_FILE_LEN}")]
    TooLong {
        /// Length in bytes.
        len: usize,
    },
    /// The file contains too many keys and values.
    #[error("line {line}: expected at most {MAX_OPERATIONS} keys and values")]
    TooMany {
        /// The first line beyond the limit.
        line: usize,
    },
    /// The bytes are not in the encoding that they should be in.
    #[error("line {line}: expected {expected}")]
    Text {
        /// The line, counted from 1.
        line: usize,
        /// The encoding.
        expected: &'static str,
    },
    /// The line violates the format of registry files.
    #[error("line {line}: expected {expected}, found {found}")]
    Syntax {
        /// The line, counted from 1.
        line: usize,
        /// What the format requires.
        expected: &'static str,
        /// What was found.
        found: String,
    },
    /// A key is outside the hive.
    #[error(
        "line {line}: expected a key below '{}', found '{}'",
        Visible(prefix),
        Visible(path)
    )]
    OutsidePrefix {
        /// The line, counted from 1.
        line: usize,
        /// The path of the hive's root key.
        prefix: String,
        /// The key.
        path: String,
    },
}

/// Something that can't be written to a registry text file.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum WriteError {
    /// A line with this key would be read as something else.
    #[error(
        "key path \"{}\" can't be written to this registry file: expected no line break, no \
         U+0000, no '-' at the start, and in UTF-8 no half of a surrogate pair",
        Visible(path)
    )]
    Path {
        /// The key.
        path: String,
    },
    /// A line with this value would be read as something else.
    #[error(
        "value name \"{}\" can't be written to this registry file: expected no U+0000, and in \
         UTF-8 no half of a surrogate pair",
        Visible(name)
    )]
    ValueName {
        /// The value.
        name: String,
    },
    /// A value was written before any key.
    #[error("value before its key")]
    NoKey,
    /// The output failed.
    #[error("write registry file")]
    Io(#[from] io::Error),
}
