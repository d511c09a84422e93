//! Documents about security descriptors: what was found, what would change, what was done.

use serde::Serialize;

pub use crate::changes::descriptors::{
    AppliedDescriptors, DescriptorWords, ObjectNote, ObjectNotes, UndoneDescriptors,
};
use crate::changes::descriptors::{FolderFindings, Group};
use crate::finding::{KeyPermissions, RowState};

/// The security descriptors of a folder and its content, compared with recipes.
#[derive(Clone, Debug, Serialize)]
pub struct AclReport {
    /// The folder's path below the target's root, with `/`.
    pub path: String,
    /// The number of files and folders that were read.
    pub objects: u64,
    /// The number that is as the recipes want, or that no recipe is about.
    pub ok: u64,
    /// The number that differs without evidence of a fault.
    pub differ: u64,
    /// The number that is evidence of a fault.
    pub faults: u64,
    /// The number with a descriptor that would be changed.
    pub to_change: u64,
    /// The objects that aren't as wanted. Objects with the same descriptor that would be changed in
    /// the same way are one group.
    pub groups: Vec<AclGroup>,
    /// The number of objects that aren't as wanted but are in no group, because there are too many
    /// groups.
    pub in_no_group: u64,
    /// Objects other than files and folders of this volume: links, mounts, devices. They are
    /// neither followed nor changed.
    pub left_alone: ObjectNotes,
    /// Objects that couldn't be read.
    pub failed: ObjectNotes,
}

/// The plan of an edit by hand, or the result of comparing permissions with a save file.
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
    /// The result of comparing them with it.
    pub state: RowState,
    /// The number of objects.
    pub objects: u64,
    /// The paths of the first objects.
    pub examples: Vec<String>,
    /// One sentence for a person.
    pub why: String,
    /// A note for a person, in one sentence.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
    /// The evidence of the fault: who lacks which rights, and why.
    pub reasons: Vec<String>,
    /// The edits of the descriptor; empty if nothing would be changed.
    pub edits: Vec<String>,
    /// The descriptor before.
    pub before: DescriptorWords,
    /// The descriptor after; absent if nothing would be changed.
    pub after: Option<DescriptorWords>,
    /// The recipe that repairs the fault, if this one doesn't.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub repaired_by: Option<String>,
}

/// The permissions of a registry key, compared with a recipe.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct KeyPermissionsReport {
    /// The evidence of the fault: who lacks which rights, and why.
    pub reasons: Vec<String>,
    /// The edits of the descriptor; empty if nothing would be changed.
    pub edits: Vec<String>,
    /// The descriptor before.
    pub before: DescriptorWords,
    /// The descriptor after; absent if nothing would be changed.
    pub after: Option<DescriptorWords>,
}

impl From<&KeyPermissions> for KeyPermissionsReport {
    fn from(found: &KeyPermissions) -> Self {
        Self {
            reasons: found.reasons.clone(),
            edits: found.edits.clone(),
            before: DescriptorWords::of_key(&found.before),
            after: found.after.as_deref().map(DescriptorWords::of_key),
        }
    }
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
            note: group.note.clone(),
            reasons: group.reasons.clone(),
            edits: group.edits.clone(),
            before: DescriptorWords::of(&group.before),
            after: group.after.as_deref().map(DescriptorWords::of),
            repaired_by: group.repaired_by.clone(),
        }
    }
}
