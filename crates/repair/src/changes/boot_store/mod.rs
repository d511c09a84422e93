//! Changes of elements of a boot store, which is a hive.

mod edit;

use diskmend_hive::Editor;

pub use edit::{StoreEdit, store_in};
pub(crate) use edit::{observed, refuse_errors};

use super::hive::{HiveChange, Judged};
use crate::error::Error;
use crate::finding::{ChangedValue, ElementWords, Finding, JudgedElement, RowState};
use crate::stop::Stop;

/// The planned changes of a boot store.
pub(crate) type BootStoreChange = HiveChange<JudgedElement>;

impl Judged for JudgedElement {
    fn state(&self) -> RowState {
        self.state
    }

    fn is_same(&self, other: &Self) -> bool {
        self.value.key == other.value.key
    }

    fn change(&self) -> ChangedValue {
        self.value.clone()
    }

    fn words(&self) -> Option<ElementWords> {
        Some(self.element.clone())
    }

    fn make(
        findings: &[Finding<Self>],
        editor: &mut Editor,
        path: &str,
    ) -> Result<(), Stop<Error>> {
        let edits = findings.iter().flat_map(|found| &found.judged.edits);
        edit::make(editor, path, edits)
    }
}
