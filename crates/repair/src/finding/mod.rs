//! What judging a disk finds, and what a repair goes for.

mod descriptor;
mod element;
mod value;

use serde::Serialize;

pub use descriptor::Grants;
pub(crate) use descriptor::{Found, Judgement, edited};
pub use element::ElementWords;
pub(crate) use element::{JudgedElement, OpenStore, WantedElement};
pub(crate) use value::JudgedValue;
pub use value::{ChangedKey, ChangedValue};

/// What a repair goes for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Goal {
    /// Every value as the recipes want it.
    Desired,
    /// Only what is evidence of a fault (`--auto`).
    Faults,
}

/// How a value compares with what it should be.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum RowState {
    /// As desired, or missing where that is as good.
    Ok,
    /// It exists and differs, which is no evidence of a fault.
    Differs,
    /// It does not exist, which is no evidence of a fault.
    Missing,
    /// What is found is evidence of a fault.
    Fault,
}

impl RowState {
    /// Whether a repair that goes for this changes it.
    pub(crate) fn is_changed_for(self, goal: Goal) -> bool {
        match self {
            Self::Ok => false,
            Self::Fault => true,
            Self::Differs | Self::Missing => goal == Goal::Desired,
        }
    }
}

/// What a row of a recipe says of something.
#[derive(Clone, Debug)]
pub(crate) struct Finding<T> {
    /// The recipe.
    pub(crate) recipe: String,
    /// One sentence for a person.
    pub(crate) why: String,
    /// What was found, and how it compares with what it should be.
    pub(crate) judged: T,
}

/// Something that a person should know, in one sentence.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Notice {
    /// Stable word for what kind of notice it is, such as `select-names-missing-set`.
    pub kind: &'static str,
    /// The sentence.
    pub text: String,
}
