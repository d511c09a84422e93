//! What rows are about, and how they judge it. There is one kind of judge for each kind of change,
//! and no more.

use diskmend_acl::TooLarge;
use diskmend_disk::{Kind, NtPath};
use diskmend_hive::Corruption;

use super::{CopyFrom, FolderPath, NamePattern};
use crate::error::Error;
use crate::facts::Facts;
use crate::finding::{
    FileChangeKind, JudgedElement, JudgedValue, Judgement, OpenStore, RowState, SeenFile,
};
use crate::hive_on_disk::HiveOnDisk;
use crate::place::HiveName;

/// The things that a row is about.
pub(crate) enum About<'r> {
    /// Values of a hive of Windows.
    Values(HiveName, &'r dyn JudgeValues),
    /// Values of two hives of Windows, each with its judge.
    ValuesOfTwo([(HiveName, &'r dyn JudgeValues); 2]),
    /// Elements of the boot store that starts Windows.
    Elements(&'r dyn JudgeElements),
    /// A boot store that is missing or can't be read.
    NewStore,
    /// Files that Windows must not find.
    Files(&'r dyn JudgeFiles),
    /// The security descriptors of a folder and its content.
    Descriptors(&'r FolderPath, &'r dyn JudgeDescriptors),
}

impl<'r> About<'r> {
    /// The judge of values, if the row is about values of this hive.
    pub(crate) fn values(self, wanted: HiveName) -> Option<&'r dyn JudgeValues> {
        match self {
            Self::Values(hive, judge) if hive == wanted => Some(judge),
            Self::ValuesOfTwo(two) => {
                let own = two.into_iter().find(|(hive, _)| *hive == wanted);
                own.map(|(_, judge)| judge)
            }
            _ => None,
        }
    }

    /// The judge of elements, if the row is about elements.
    pub(crate) fn elements(self) -> Option<&'r dyn JudgeElements> {
        match self {
            Self::Elements(judge) => Some(judge),
            _ => None,
        }
    }

    /// Something if the row is about a boot store that is missing or can't be read.
    pub(crate) fn new_store(self) -> Option<()> {
        matches!(self, Self::NewStore).then_some(())
    }

    /// The judge of files, if the row is about files.
    pub(crate) fn files(self) -> Option<&'r dyn JudgeFiles> {
        match self {
            Self::Files(judge) => Some(judge),
            _ => None,
        }
    }

    /// The folder, if the row is about descriptors.
    pub(crate) fn folder(self) -> Option<&'r FolderPath> {
        self.descriptors().map(|(folder, _)| folder)
    }

    /// The folder and the judge of its descriptors, if the row is about descriptors.
    pub(crate) fn descriptors(self) -> Option<(&'r FolderPath, &'r dyn JudgeDescriptors)> {
        match self {
            Self::Descriptors(path, judge) => Some((path, judge)),
            _ => None,
        }
    }
}

/// A row about values of a hive.
pub(crate) trait JudgeValues {
    /// Judges every value that the row is about. The results are in the order for display.
    ///
    /// # Errors
    /// If the hive is corrupt. Then nothing in it is changed.
    fn judge(&self, hive: &HiveOnDisk, facts: &Facts<'_>) -> Result<Vec<JudgedValue>, Corruption>;
}

/// A row about elements of a boot store.
pub(crate) trait JudgeElements {
    /// Judges every element that the row is about. The results are in the order for display.
    ///
    /// # Errors
    /// If the store can't be read or lacks what the row needs. Then nothing in it is changed.
    fn judge(&self, store: &OpenStore<'_>, facts: &Facts<'_>) -> Result<Vec<JudgedElement>, Error>;
}

/// A row about files of one folder.
pub(crate) trait JudgeFiles {
    /// The folder.
    fn folder(&self) -> &FolderPath;

    /// The names of the files.
    fn name(&self) -> &NamePattern;

    /// What the row does with them.
    fn change(&self) -> FileChangeKind;

    /// The file whose content takes the place of theirs, if the row is about one file that is
    /// replaced if it is damaged.
    fn copy(&self) -> Option<&CopyFrom> {
        None
    }

    /// True if the row is about a folder, with everything in it.
    fn is_folder(&self) -> bool {
        false
    }

    /// Judges a file with such a name; `None` if the row isn't about it.
    fn judge(&self, seen: &SeenFile) -> Option<RowState>;
}

/// A row about security descriptors. There may be a hundred thousand of them, so the row judges
/// each one by itself, and equal ones only once.
pub(crate) trait JudgeDescriptors {
    /// True if the row is about an object at or below the folder at `start`. If a recipe has
    /// several rows for one folder, the first that is about an object counts.
    fn is_about(&self, path: &NtPath, kind: Kind, start: &NtPath) -> bool;

    /// True if the row sets anything; false if it only reports.
    fn sets(&self) -> bool;

    /// Judges the bytes of a descriptor.
    ///
    /// # Errors
    /// If the wanted descriptor is too large to be stored.
    fn judge(&self, descriptor: &[u8], standing: Standing) -> Result<Judgement, TooLarge>;

    /// The recipe that repairs the fault, if this row doesn't.
    fn repaired_by(&self) -> Option<&str> {
        None
    }
}

/// Says if a row counts on a disk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Standing {
    /// The row counts.
    Counts,
    /// The row reports faults but changes nothing.
    OnlyLooks,
    /// The row is ignored.
    DoesNot,
}
