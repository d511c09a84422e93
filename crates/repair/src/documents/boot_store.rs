//! Boot stores, and their elements under `bcdedit`'s names.

use serde::Serialize;

pub use crate::facts::{LoaderStatus, StoreStatus};
pub use crate::finding::ElementWords;
use crate::finding::{Finding, JudgedElement, RowState};

/// An element that a recipe names.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ElementRow {
    /// The recipe.
    pub recipe: String,
    /// The element, with `new` as it should be.
    #[serde(flatten)]
    pub element: ElementWords,
    /// The result of comparing the two.
    pub state: RowState,
    /// One sentence for a person.
    pub why: String,
    /// A note for a person, in one sentence.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
}

impl From<&Finding<JudgedElement>> for ElementRow {
    fn from(finding: &Finding<JudgedElement>) -> Self {
        Self {
            recipe: finding.recipe.clone(),
            element: finding.judged.element.clone(),
            state: finding.judged.state,
            why: finding.why.clone(),
            note: finding.note.clone(),
        }
    }
}
