//! Security descriptors: what was found, what would change, what was done.

use serde::Serialize;

pub use crate::changes::descriptors::{
    AppliedDescriptors, DescriptorWords, ObjectNote, ObjectNotes, UndoneDescriptors,
};
use crate::changes::descriptors::{FolderFindings, Group};
use crate::finding::RowState;

/// The security descriptors of a folder and of what is in it, compared with recipes.
#[derive(Clone, Debug, Serialize)]
pub struct AclReport {
    /// The folder's path below the target's root, with `/`.
    pub path: String,
    /// Files and folders that were looked at.
    pub objects: u64,
    /// Those that are as the recipes want them, or that no recipe is about.
    pub ok: u64,
    /// Those that differ, which is no evidence of a fault.
    pub differ: u64,
    /// Those that are evidence of a fault.
    pub faults: u64,
    /// Those whose descriptor would be changed.
    pub to_change: u64,
    /// The objects that are not as wanted: those with the same descriptor, which would be changed
    /// in the same way, together.
    pub groups: Vec<AclGroup>,
    /// Objects that are not as wanted and in none of the groups, of which there are too many.
    pub in_no_group: u64,
    /// What is there instead of files and folders of this volume: links, mounts, devices. They are
    /// neither followed nor changed.
    pub left_alone: ObjectNotes,
    /// Objects that could not be looked at.
    pub failed: ObjectNotes,
}

/// The result of comparing permissions with those of a save file, and the plan of an edit by hand.
#[derive(Clone, Debug, Serialize)]
pub struct AclPlanReport {
    /// Version of this document.
    pub schema: u32,
    /// The target as named by the user.
    pub target: String,
    /// What was found and would be changed.
    #[serde(flatten)]
    pub acl: AclReport,
}

/// Objects with the same descriptor.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct AclGroup {
    /// The recipe that is about them; empty for a change by hand.
    pub recipe: String,
    /// How they compare with it.
    pub state: RowState,
    /// How many there are.
    pub objects: u64,
    /// The paths of the first of them.
    pub examples: Vec<String>,
    /// One sentence for a person.
    pub why: String,
    /// What makes it a fault: who lacks which rights, and because of what.
    pub reasons: Vec<String>,
    /// What would be changed in it; empty where nothing would.
    pub edits: Vec<String>,
    /// The descriptor as it is.
    pub before: DescriptorWords,
    /// The descriptor as it would be; absent where nothing would be changed.
    pub after: Option<DescriptorWords>,
    /// The recipe that repairs the fault, where this one does not.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub repaired_by: Option<String>,
}

impl From<&FolderFindings> for AclReport {
    fn from(folder: &FolderFindings) -> Self {
        Self {
            path: folder.path.clone(),
            objects: folder.objects,
            ok: folder.ok,
            differ: folder.differ,
            faults: folder.faults,
            to_change: folder.to_change,
            groups: folder.groups.iter().map(AclGroup::from).collect(),
            in_no_group: folder.in_no_group,
            left_alone: folder.left_alone.clone(),
            failed: folder.failed.clone(),
        }
    }
}

impl From<&Group> for AclGroup {
    fn from(group: &Group) -> Self {
        Self {
            recipe: group.recipe.clone(),
            state: group.state,
            objects: group.objects,
            examples: group.examples.clone(),
            why: group.why.clone(),
            reasons: group.reasons.clone(),
            edits: group.edits.clone(),
            before: DescriptorWords::of(&group.before),
            after: group.after.as_deref().map(DescriptorWords::of),
            repaired_by: group.repaired_by.clone(),
        }
    }
}
