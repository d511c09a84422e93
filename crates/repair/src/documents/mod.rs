//! The results of the engine, ready to be serialized. Every document holds `schema`. If a field is
//! renamed or its meaning changes, that number is raised.

mod acl;
mod applied;
mod boot_store;
mod differences;
mod hive_status;
mod identity;
mod inspection;
mod planned;
mod pruned;
mod recipes;
mod runs;
mod undone;

pub use crate::finding::RowState;
pub use crate::run::trust::{Doubt, KeyId, Trust};
pub use acl::{
    AclGroup, AclPlanReport, AclReport, AppliedDescriptors, DescriptorWords, ObjectNote,
    ObjectNotes, UndoneDescriptors,
};
pub use applied::{AppliedHive, Outcome, RepairReport, SecondReader};
pub use boot_store::{ElementRow, ElementWords, LoaderStatus, StoreStatus};
pub use differences::{ByteRange, Difference, Differences};
pub use hive_status::{CheckSummary, HiveStatus, ProblemEntry, RecoverySummary};
pub use identity::TargetIdentity;
pub use inspection::{InspectReport, Notice, Row, SkippedHint, SkippedHive};
pub use planned::{Change, ChangedKey, ChangedValue, PlanReport};
pub use pruned::{NotPruned, PrunableRun, PruneList, PruneReason, PruneReport};
pub use recipes::RecipeEntry;
pub(crate) use runs::same_partition;
pub use runs::{RunKind, RunList, RunState, RunSummary};
pub use undone::{FileAction, Method, RestoredFile, Reversal, ReversedChange, UndoReport};

/// The version of all result documents.
pub const SCHEMA: u32 = 1;
