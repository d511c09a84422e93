//! What can be wrong with a registry text file.

use std::io;

use diskmend_base::escape::Visible;

use super::{MAX_FILE_LEN, MAX_OPERATIONS};

/// A registry text file that can't be taken.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ParseError {
    /// The file is too long.
    #[error("registry file of {len} bytes: expected at most {MAX_FILE_LEN}")]
    TooLong {
        /// Length in bytes.
        len: usize,
    },
    /// The file asks for too much.
    #[error("line {line}: expected at most {MAX_OPERATIONS} keys and values")]
    TooMany {
        /// The first line beyond the limit.
        line: usize,
    },
    /// The bytes are not the text they should be.
    #[error("line {line}: expected {expected}")]
    Text {
        /// The line, counted from 1.
        line: usize,
        /// The encoding.
        expected: &'static str,
    },
    /// The line is not what a registry file holds there.
    #[error("line {line}: expected {expected}, found {found}")]
    Syntax {
        /// The line, counted from 1.
        line: usize,
        /// What a registry file holds there.
        expected: &'static str,
        /// What is there.
        found: String,
    },
    /// A key lies elsewhere than the hive.
    #[error(
        "line {line}: expected a key below '{}', found '{}'",
        Visible(prefix),
        Visible(path)
    )]
    OutsidePrefix {
        /// The line, counted from 1.
        line: usize,
        /// Where the hive's keys lie.
        prefix: String,
        /// The key.
        path: String,
    },
}

/// Something that can't be written to a registry text file.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum WriteError {
    /// A line with this key would not read back as the key.
    #[error(
        "key path \"{}\" has no form in this registry file: expected no line break, no U+0000, no '-' \
         in front, and in UTF-8 no half of a surrogate pair",
        Visible(path)
    )]
    Path {
        /// The key.
        path: String,
    },
    /// A line with this value would not read back as the value.
    #[error(
        "value name \"{}\" has no form in this registry file: expected no U+0000, and in UTF-8 no half \
         of a surrogate pair",
        Visible(name)
    )]
    ValueName {
        /// The value.
        name: String,
    },
    /// A comment does not end where it should.
    #[error("comment with a line break")]
    Comment,
    /// A value was written before any key.
    #[error("value before its key")]
    NoKey,
    /// The output failed.
    #[error("write registry file")]
    Io(#[from] io::Error),
}
