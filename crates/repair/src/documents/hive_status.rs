//! The state in which a hive was found.

use serde::Serialize;

pub use crate::check_summary::{CheckSummary, ProblemEntry, RecoverySummary};
use crate::examined::Examined;
use crate::facts::ControlSets;
use crate::place::on_volume;

/// A hive on the target.
#[derive(Clone, Debug, Serialize)]
pub struct HiveStatus {
    /// Its name, such as `SYSTEM`.
    pub hive: String,
    /// The root of its volume, if that isn't the target.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub volume: Option<String>,
    /// Its path below the root of its volume, with `/`.
    pub path: String,
    /// Length of the file in bytes.
    pub length: u64,
    /// Version of its format, such as `1.5`.
    pub version: String,
    /// The reason why it counts as not closed cleanly; absent for a clean hive.
    pub dirty: Option<String>,
    /// The changes that its transaction logs hold and the file lacks; absent for a clean hive.
    pub recovery: Option<RecoverySummary>,
    /// The result of checking its structure; absent if no check was requested.
    pub check: Option<CheckSummary>,
    /// Its control sets; absent for other hives than `SYSTEM`.
    pub control_sets: Option<ControlSets>,
}

impl HiveStatus {
    /// Its path for display: the whole path if its volume isn't the target.
    #[must_use]
    pub fn shown_path(&self) -> String {
        on_volume(self.volume.as_deref(), &self.path)
    }
}

impl From<&Examined> for HiveStatus {
    fn from(examined: &Examined) -> Self {
        Self {
            hive: examined.hive.to_string(),
            volume: examined.volume.clone(),
            path: examined.path.clone(),
            length: examined.length,
            version: format!("1.{}", examined.minor_version),
            dirty: examined.dirty.clone(),
            recovery: examined.recovery.clone(),
            check: examined.check.clone(),
            control_sets: examined.control_sets.clone(),
        }
    }
}
