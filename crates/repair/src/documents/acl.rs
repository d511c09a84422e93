//! Security descriptors: what was found, what would change, what was done.

use diskmend_acl::{SddlParts, SecurityDescriptor, ace_text};
use serde::Serialize;

use crate::finding::RowState;

/// Most objects that are listed one by one; all are counted.
const MOST_NOTES: usize = 1000;

/// The security descriptors of a folder and of what is in it, compared with recipes.
#[derive(Clone, Debug, Default, Serialize)]
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

/// A security descriptor for a person.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct DescriptorWords {
    /// The owner's name; absent where there is none.
    pub owner: Option<String>,
    /// The entries of the DACL as icacls prints them; absent where everyone may do everything.
    pub entries: Option<Vec<String>>,
    /// The whole as SDDL; absent where SDDL has no words for it.
    pub sddl: Option<String>,
}

/// Objects that a person should know of.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct ObjectNotes {
    /// How many.
    pub count: u64,
    /// The first thousand of them.
    pub listed: Vec<ObjectNote>,
}

/// An object, and what to know about it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ObjectNote {
    /// Its path below the target's root, with `/`, and with what can't be shown escaped.
    pub path: String,
    /// What there is to know.
    pub reason: String,
}

/// What a run has done with security descriptors.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct AppliedDescriptors {
    /// Objects that have their new descriptor, set and read back.
    pub changed: u64,
    /// Objects that had it already.
    pub already: u64,
    /// Objects that could not be changed.
    pub failed: ObjectNotes,
    /// What was left alone from the beginning.
    pub left_alone: ObjectNotes,
    /// The reports in the run's folder.
    pub reports: Vec<String>,
}

/// What an undo has done with security descriptors.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct UndoneDescriptors {
    /// Objects that have their old descriptor again, set and read back.
    pub restored: u64,
    /// Objects that had it.
    pub already: u64,
    /// Objects that somebody else has changed since, and that were left alone.
    pub changed_since: ObjectNotes,
    /// Objects that could not be restored.
    pub failed: ObjectNotes,
}

impl DescriptorWords {
    /// The words for a descriptor's bytes, as far as they can be read.
    #[must_use]
    pub fn of(bytes: &[u8]) -> Self {
        let corrupt = || Some(vec!["(corrupt)".to_owned()]);
        let Ok(salvaged) = SecurityDescriptor::salvage(bytes) else {
            return Self {
                owner: None,
                entries: corrupt(),
                sddl: None,
            };
        };
        let descriptor = &salvaged.descriptor;
        let sound = salvaged.corruptions.is_empty();
        let aces = descriptor.dacl.list().map(|acl| acl.aces.as_slice());
        let entries: Option<Vec<String>> = aces.map(|aces| aces.iter().map(ace_text).collect());
        let sddl = || descriptor.to_sddl(SddlParts::All).ok();
        Self {
            owner: descriptor
                .owner
                .map(|owner| owner.display_name().into_owned()),
            entries: match sound {
                true => entries,
                false => entries.or_else(corrupt),
            },
            sddl: sound.then(sddl).flatten(),
        }
    }
}

impl ObjectNotes {
    /// Takes note of one more.
    pub fn add(&mut self, path: &impl std::fmt::Display, reason: impl Into<String>) {
        self.count = self.count.saturating_add(1);
        if self.listed.len() < MOST_NOTES {
            self.listed.push(ObjectNote {
                path: path.to_string(),
                reason: reason.into(),
            });
        }
    }

    /// Takes note of all of another list.
    pub fn append(&mut self, other: Self) {
        self.count = self.count.saturating_add(other.count);
        let room = MOST_NOTES.saturating_sub(self.listed.len());
        self.listed.extend(other.listed.into_iter().take(room));
    }
}
