//! Permissions that a plan sets.

use super::{AppliedDescriptors, FolderFindings, ObjectNotes};
use crate::run::Draft;

/// The planned changes of security descriptors.
pub(crate) struct DescriptorsChange {
    pub(crate) draft: Draft,
    /// The objects that are already known to fail.
    pub(crate) failed: ObjectNotes,
    /// The objects that aren't changed.
    pub(crate) left_alone: ObjectNotes,
}

impl DescriptorsChange {
    /// The changes that were drafted while folders were searched; `None` if there were none.
    pub(crate) fn plan(draft: Draft, folders: &[FolderFindings]) -> Option<Self> {
        let (mut failed, mut left_alone) = (ObjectNotes::default(), ObjectNotes::default());
        for folder in folders {
            failed.append(folder.failed.clone());
            left_alone.append(folder.left_alone.clone());
        }
        let change = Self {
            draft,
            failed,
            left_alone,
        };
        (!folders.is_empty()).then_some(change)
    }

    /// True if nothing would be set.
    pub(crate) const fn is_nothing(&self) -> bool {
        self.draft.objects() == 0
    }

    /// The result if nothing has to be changed.
    pub(crate) fn nothing_done(self) -> AppliedDescriptors {
        AppliedDescriptors {
            failed: self.failed,
            left_alone: self.left_alone,
            ..AppliedDescriptors::default()
        }
    }
}
