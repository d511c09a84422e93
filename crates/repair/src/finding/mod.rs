//! The findings of judging a disk, and the goals of a repair.

mod descriptor;
mod element;
mod file;
mod key_descriptor;
mod value;

use serde::Serialize;

pub use descriptor::Grants;
pub(crate) use descriptor::{Found, Judgement, edited};
pub use element::ElementWords;
pub(crate) use element::{JudgedElement, OpenStore, WantedElement};
pub use file::FileChangeKind;
pub(crate) use file::{BadSource, JudgedFile, SeenFile, Source};
pub(crate) use key_descriptor::KeyEdits;
pub(crate) use value::JudgedValue;
pub use value::{ChangedKey, ChangedValue, Deletion, KeyCopy, KeyPermissions, Subtree, Wanted};

/// The goal of a repair.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Goal {
    /// To make every value as the recipes want.
    Desired,
    /// To repair only evidence of a fault (`--auto`).
    Faults,
}

/// The result of comparing a value with what it should be.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum RowState {
    /// It is as wanted, or it is missing and may be missing.
    Ok,
    /// It exists and differs. That isn't evidence of a fault.
    Differs,
    /// It doesn't exist. That isn't evidence of a fault.
    Missing,
    /// It is evidence of a fault.
    Fault,
    /// It is worth a report and no fault. The row changes nothing.
    Reported,
}

impl RowState {
    /// True if a repair with this goal changes it.
    pub(crate) fn is_changed_for(self, goal: Goal) -> bool {
        match self {
            Self::Ok | Self::Reported => false,
            Self::Fault => true,
            Self::Differs | Self::Missing => goal == Goal::Desired,
        }
    }
}

/// A recipe row's finding.
#[derive(Clone, Debug)]
pub(crate) struct Finding<T> {
    /// The recipe.
    pub(crate) recipe: String,
    /// One sentence for a person.
    pub(crate) why: String,
    /// A note for a person, in one sentence.
    pub(crate) note: Option<String>,
    /// True if it is only reported: it isn't known if the row counts on this Windows.
    pub(crate) only_looks: bool,
    /// The thing that was found, with the result of comparing it.
    pub(crate) judged: T,
}

/// Something that was judged, and that may be a fault.
pub(crate) trait MayBeFault {
    /// True if it is evidence of a fault.
    fn is_fault(&self) -> bool;

    /// Makes it no evidence of a fault: it then merely differs or is missing.
    fn is_no_fault(&mut self);
}

/// Something that the user should know, in one sentence.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Notice {
    /// A stable word for the kind of notice, such as `select-names-missing-set`.
    pub kind: &'static str,
    /// The sentence.
    pub text: String,
}
