//! Permissions that a plan sets.

use super::{Applying, FolderFindings, ObjectNotes};
use crate::run::Draft;

/// The planned changes of security descriptors.
pub(crate) struct DescriptorsChange {
    draft: Draft,
    failed: ObjectNotes,
    left_alone: ObjectNotes,
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
}

impl From<DescriptorsChange> for Applying {
    fn from(change: DescriptorsChange) -> Self {
        Self {
            draft: change.draft,
            failed: change.failed,
            left_alone: change.left_alone,
        }
    }
}
