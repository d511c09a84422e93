//! The results of the engine, ready to be serialized. Every document holds `schema`. If a field is
//! renamed or its meaning changes, that number is raised.

mod acl;
mod applied;
mod boot_store;
mod diagnosis;
mod events;
mod files;
mod hive_status;
mod inspection;
mod planned;
mod pruned;
mod recipes;
mod runs;
mod undone;

pub use crate::changes::files::UndoneFiles;
pub use crate::differences::{ByteRange, Difference, Differences};
pub use crate::finding::{
    Deletion, FileChangeKind, KeyCopy, KeyPermissions, RowState, Subtree, Wanted,
};
pub use crate::identity::{TargetIdentity, WindowsNames};
pub use crate::run_state::{RunKind, RunState};
pub use crate::run_summary::RunSummary;
pub use crate::trust::{Doubt, KeyId, Trust};
pub use acl::{
    AclGroup, AclPlanReport, AclReport, AppliedDescriptors, DescriptorWords, KeyPermissionsReport,
    ObjectNote, ObjectNotes, UndoneDescriptors,
};
pub use applied::{AppliedHive, Outcome, RepairReport, SecondReader};
pub use boot_store::{ElementRow, ElementWords, LoaderStatus, StoreStatus};
pub use diagnosis::{CauseReport, DiagnoseReport, EvidenceReport, RuleEntry, Verdict};
pub use events::EventReport;
pub use files::{FileChange, FileRow};
pub use hive_status::{CheckSummary, HiveStatus, ProblemEntry, RecoverySummary};
pub use inspection::{InspectReport, InspectSummary, Notice, Row, SkippedHint, SkippedHive};
pub use planned::{Change, ChangedKey, ChangedValue, PlanReport};
pub use pruned::{NotPruned, PrunableRun, PruneList, PruneReason, PruneReport};
pub use recipes::RecipeEntry;
pub use runs::{
    RunChange, RunDetails, RunFile, RunHive, RunKeyPermissions, RunList, RunPermission,
    RunsElsewhere,
};
pub use undone::{
    FileAction, Method, RestoredFile, Reversal, ReversedChange, ReversedPermissions, UndoReport,
};

pub use crate::json::SCHEMA;
