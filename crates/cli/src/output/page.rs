//! The page of the running command, which is written when the command has ended.

use std::path::PathBuf;

use maud::Markup;

/// What a page will contain.
pub(crate) struct Page {
    pub(crate) path: PathBuf,
    /// What the command is about, as the user named it.
    pub(crate) subject: String,
    /// What the Windows is.
    pub(crate) windows: Option<Markup>,
    pub(crate) content: Option<Markup>,
}
