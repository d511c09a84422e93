//! What a recipe can say: a file for each kind of row.
//!
//! A new kind of row is a file in this folder, with a type that is a [`Kind`], and a line in [`kinds!`]
//! below. docs/adding-a-row.md shows how.

mod acl;
mod bcd;
mod claim;
#[cfg(test)]
pub(crate) mod example_service;
mod fault;
mod folder_path;
mod judge;
mod key_pattern;
#[macro_use]
mod kinds;
mod registry;
mod written;
mod wrong;

use serde::Serialize;
use serde::de::DeserializeOwned;

pub use crate::finding::Grants;
pub use acl::{AclFault, AclRow, AppliesTo, DesiredAcl};
pub use bcd::{BcdFault, BcdObject, BcdRow};
pub(crate) use claim::Claim;
pub use fault::{Companion, Fault};
pub use folder_path::FolderPath;
pub(crate) use judge::{About, JudgeDescriptors, JudgeElements, JudgeValues, Standing};
pub use key_pattern::KeyPattern;
pub use registry::{IfMissing, RegistryRow};
pub(crate) use wrong::{Wrong, sentence, wrong, wrong_at};

/// A kind of row: how it is written in a recipe, what it is about, and how it is shown.
///
/// How it judges what is found is in the trait that [`about`](Self::about) hands out: one of
/// [`JudgeValues`], [`JudgeElements`] and [`JudgeDescriptors`].
pub(crate) trait Kind: Sized {
    /// Its fields as a recipe's file has them. A field that is not known must be an error
    /// (`#[serde(deny_unknown_fields)]`).
    type Written: DeserializeOwned;

    /// The row in the JSON of `diskmend recipes`.
    type Entry<'a>: Serialize
    where
        Self: 'a;

    /// Makes sure of what the fields say.
    ///
    /// # Errors
    /// What is wrong, and where in the file.
    fn read(written: Self::Written) -> Result<Self, Wrong>;

    /// What the row is about.
    fn about(&self) -> About<'_>;

    /// What the row would set, so that two recipes which want different things of it are refused;
    /// `None` for a row that only looks.
    fn claim(&self) -> Option<Claim<'_>>;

    /// One sentence for a person.
    fn why(&self) -> &str;

    /// The row as JSON.
    fn entry(&self) -> Self::Entry<'_>;

    /// The row for a person.
    fn shown(&self) -> Shown;
}

/// A row for a person.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Shown {
    /// What it is about, such as a key: rows that follow each other and are about the same are shown
    /// together.
    pub place: String,
    /// What it says of that; the first line stands for the row.
    pub lines: Vec<String>,
}

kinds! {
    /// A registry value as it should be.
    Registry(RegistryRow) in registry,
    /// An element of the boot store as it should be.
    Bcd(BcdRow) in bcd,
    /// The permissions of a folder or of what is in it, as they should be.
    Acl(AclRow) in acl,
}
