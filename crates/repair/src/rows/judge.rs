//! What rows are about, and how they judge it. There are as many as there are kinds of change, and
//! no more: whatever is found is made right by one of these.

use diskmend_acl::TooLarge;
use diskmend_disk::{Kind, NtPath};
use diskmend_hive::Corruption;

use super::FolderPath;
use crate::error::Error;
use crate::facts::Facts;
use crate::finding::{JudgedElement, JudgedValue, Judgement, OpenStore};
use crate::hive_on_disk::HiveOnDisk;
use crate::place::HiveName;

/// What a row is about.
pub(crate) enum About<'r> {
    /// Values of a hive of Windows.
    Values(HiveName, &'r dyn JudgeValues),
    /// Elements of the boot store that starts Windows.
    Elements(&'r dyn JudgeElements),
    /// Security descriptors of a folder, and of what is in it.
    Descriptors(&'r FolderPath, &'r dyn JudgeDescriptors),
}

impl<'r> About<'r> {
    /// The folder, if it is about security descriptors.
    pub(crate) const fn folder(&self) -> Option<&'r FolderPath> {
        match self {
            Self::Descriptors(path, _) => Some(*path),
            Self::Values(..) | Self::Elements(_) => None,
        }
    }
}

/// A row that is about values of a hive.
pub(crate) trait JudgeValues {
    /// Judges every value that the row is about, in the order in which they are to be shown.
    ///
    /// # Errors
    /// Where the hive is corrupt: nothing in it is changed then.
    fn judge(&self, hive: &HiveOnDisk, facts: &Facts<'_>) -> Result<Vec<JudgedValue>, Corruption>;
}

/// A row that is about elements of a boot store.
pub(crate) trait JudgeElements {
    /// Judges every element that the row is about, in the order in which they are to be shown.
    ///
    /// # Errors
    /// Where the store can't be read, or lacks what the row needs: nothing in it is changed then.
    fn judge(&self, store: &OpenStore<'_>, facts: &Facts<'_>) -> Result<Vec<JudgedElement>, Error>;
}

/// A row that is about security descriptors. There may be a hundred thousand of these, so that it is
/// asked about each one by itself, and about the same descriptor once.
pub(crate) trait JudgeDescriptors {
    /// Whether the row counts on this disk.
    ///
    /// # Errors
    /// Why that is not known, for a person. The row only looks then.
    fn standing(&self, _facts: &Facts<'_>) -> Result<Standing, String> {
        Ok(Standing::Counts)
    }

    /// Whether it is about an object at or below the folder at `start`. Of a recipe's rows for one
    /// folder, the first that is about an object counts.
    fn is_about(&self, path: &NtPath, kind: Kind, start: &NtPath) -> bool;

    /// Whether it wants anything to be set, and does not only look.
    fn sets(&self) -> bool;

    /// Judges the bytes of a descriptor.
    ///
    /// # Errors
    /// Where what it should be is too large to be stored.
    fn judge(&self, descriptor: &[u8], standing: Standing) -> Result<Judgement, TooLarge>;

    /// The recipe that repairs the fault, for a row that does not.
    fn repaired_by(&self) -> Option<&str> {
        None
    }
}

/// Whether a row counts on a disk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Standing {
    /// It does.
    Counts,
    /// What is a fault is told, and nothing is changed.
    OnlyLooks,
    /// It is as if the row was not there.
    DoesNot,
}
