//! The result of an undo.

use serde::Serialize;

pub use crate::restored::{FileAction, RestoredFile};

pub use crate::changes::hive::{Reversal, ReversedChange, ReversedPermissions};

use crate::documents::{Differences, Notice, UndoneDescriptors, UndoneFiles};
use crate::error::{Error, chain};

/// The result of `undo`.
#[derive(Clone, Debug, Serialize)]
pub struct UndoReport {
    /// Version of this document.
    pub schema: u32,
    /// The target as named by the user.
    pub target: String,
    /// The run that was undone.
    pub run: String,
    /// The method.
    pub method: Method,
    /// The files that were restored; empty if values were reversed.
    pub files: Vec<RestoredFile>,
    /// The changes that were reversed one by one; empty if bytes were restored.
    pub changes: Vec<ReversedChange>,
    /// The files that the run had moved; absent if it had moved none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub moved: Option<UndoneFiles>,
    /// The changes of security descriptors; absent if the run had set none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub descriptors: Option<UndoneDescriptors>,
    /// The run with the undo data of the reversal itself, if there was one.
    pub recorded_as: Option<String>,
    /// What the old bytes were restored over; absent unless that was forced.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub differences: Option<Differences>,
    /// Notices for the user.
    pub notices: Vec<Notice>,
}

impl UndoReport {
    /// True if something could not be restored; the run can then be undone again.
    #[must_use]
    pub fn is_partial(&self) -> bool {
        let failed = |undone: &UndoneDescriptors| undone.failed.count > 0;
        self.descriptors.as_ref().is_some_and(failed)
            || self
                .moved
                .as_ref()
                .is_some_and(|undone| undone.failed.count > 0)
    }

    /// Adds a notice that it is unknown what the undo does to something.
    pub(crate) fn cannot_tell(&mut self, what: &str, error: &Error) {
        self.notices.push(Notice {
            kind: "not-counted",
            text: format!(
                "{what}: what was restored of it cannot be told: {}",
                chain(error)
            ),
        });
    }
}

/// How a run was undone.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Method {
    /// Every file has exactly the bytes from before the run.
    Bytes,
    /// Something else has changed the hive since: each value was reversed separately.
    Values,
}
