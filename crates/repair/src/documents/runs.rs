//! The runs on a target.

use serde::Serialize;

use super::{Notice, RunSummary};

/// The result of `runs`.
#[derive(Clone, Debug, Serialize)]
pub struct RunList {
    /// Version of this document.
    pub schema: u32,
    /// The target as named by the user.
    pub target: String,
    /// The runs, oldest first.
    pub runs: Vec<RunSummary>,
    /// Notices for the user.
    pub notices: Vec<Notice>,
}
