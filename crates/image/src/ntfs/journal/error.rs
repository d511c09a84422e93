//! Why a journal could not be read.

use diskmend_base::Corruption;

use super::super::error::VolumeError;

/// The reason why it isn't known what a journal contains.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum JournalError {
    /// $LogFile could not be read.
    #[error(transparent)]
    Volume(#[from] VolumeError),
    /// A structure of $LogFile is not what is known of it. The offset is in bytes from the start of
    /// $LogFile.
    #[error("$LogFile is not understood: {0}")]
    NotUnderstood(#[from] Corruption<u64>),
}

/// Describes what is not understood at an offset of $LogFile.
pub(super) fn odd(
    what: &'static str,
    offset: u64,
    expected: impl Into<std::borrow::Cow<'static, str>>,
    found: impl ToString,
) -> JournalError {
    Corruption::new(what, offset, expected, found.to_string()).into()
}
