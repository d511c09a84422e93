//! Changes of elements of a boot store, which is a hive.

mod edit;

use diskmend_hive::Editor;

pub use edit::{StoreEdit, store_in};
pub(crate) use edit::{observed, refuse_errors};

use super::hive::HiveFile;
use crate::error::Error;
use crate::finding::{Finding, Goal, JudgedElement};
use crate::progress::Watch;
use crate::session::Prepared;
use crate::site::{Options, Site};

/// The planned changes of a boot store.
pub(crate) struct BootStoreChange {
    pub(crate) file: HiveFile,
    /// The elements that get their desired values.
    pub(crate) elements: Vec<Finding<JudgedElement>>,
}

impl BootStoreChange {
    /// Takes the findings that a repair changes. If several recipes set an element, it is changed
    /// once.
    pub(super) fn plan(findings: &[Finding<JudgedElement>], file: HiveFile, goal: Goal) -> Self {
        let mut elements: Vec<Finding<JudgedElement>> = Vec::new();
        for finding in findings {
            let judged = &finding.judged;
            let is_same =
                |known: &Finding<JudgedElement>| known.judged.value.key == judged.value.key;
            if judged.state.is_changed_for(goal) && !elements.iter().any(is_same) {
                elements.push(finding.clone());
            }
        }
        Self { file, elements }
    }

    /// Makes the change in memory and checks that it can be written.
    pub(super) fn prepare(
        &self,
        site: &Site,
        options: &Options,
        watch: &mut Watch<'_>,
    ) -> Result<Option<Prepared>, Error> {
        let edits = self.elements.iter().flat_map(|found| &found.judged.edits);
        let make = |editor: &mut Editor| edit::make(editor, &self.file.path, edits);
        self.file.prepare(site, options, watch, make)
    }
}
