//! A hive as it was found.

use crate::check_summary::{CheckSummary, RecoverySummary};
use crate::error::Refusal;
use crate::facts::ControlSets;
use crate::hive_on_disk::HiveOnDisk;
use crate::place::HiveId;

/// A hive on the target.
#[derive(Clone, Debug)]
pub(crate) struct Examined {
    pub(crate) hive: HiveId,
    /// The root of its volume, if that is not the target.
    pub(crate) volume: Option<String>,
    /// Its path below the root of its volume, with `/`.
    pub(crate) path: String,
    /// Length of the file in bytes.
    pub(crate) length: u64,
    /// The minor version of its format.
    pub(crate) minor_version: u32,
    /// The reason why it counts as not closed cleanly; absent for a clean hive.
    pub(crate) dirty: Option<String>,
    /// The changes that its transaction logs hold and the file lacks; absent for a clean hive.
    pub(crate) recovery: Option<RecoverySummary>,
    /// The result of checking its structure; absent if no check was requested.
    pub(crate) check: Option<CheckSummary>,
    /// Its control sets; absent for other hives than `SYSTEM`.
    pub(crate) control_sets: Option<ControlSets>,
    /// True if it is a boot store that can't be read or doesn't exist, and that is built anew.
    pub(crate) is_new: bool,
}

impl Examined {
    /// The reason why the hive may not be edited, if there is one.
    pub(crate) fn refusal(&self) -> Option<Refusal> {
        let check = self.check.as_ref()?;
        (check.errors > 0).then(|| Refusal::HiveErrors {
            path: self.path.clone(),
            check: Box::new(check.clone()),
        })
    }
}

impl From<&HiveOnDisk> for Examined {
    /// The hive without a check.
    fn from(opened: &HiveOnDisk) -> Self {
        Self {
            hive: opened.hive_place.hive.clone(),
            volume: opened.hive_place.volume.clone(),
            path: opened.path().to_owned(),
            length: opened.fingerprint.content.length,
            minor_version: opened.hive.minor_version(),
            dirty: opened.dirty.map(|state| state.to_string()),
            recovery: opened.recovery.as_ref().map(RecoverySummary::from),
            check: None,
            control_sets: None,
            is_new: false,
        }
    }
}
