//! Grouping objects with the same descriptor.

use std::collections::HashMap;
use std::rc::Rc;

use diskmend_disk::NtPath;

use super::ObjectNotes;
use crate::finding::{Judgement, RowState};

/// The greatest number of groups.
const MAX_GROUPS: usize = 200;
/// The greatest number of bytes of descriptors with a remembered judgement.
const MAX_KNOWN: usize = 4 << 20;
/// The number of examples in a group.
const EXAMPLES: usize = 3;

/// What all objects of a group share, besides the descriptor.
pub(crate) struct Common<'a> {
    pub(crate) recipe: &'a str,
    pub(crate) why: &'a str,
    pub(crate) note: Option<&'a str>,
    pub(crate) repaired_by: Option<&'a str>,
}

impl Common<'static> {
    /// A change by hand belongs to no recipe.
    pub(crate) const BY_HAND: Self = Self {
        recipe: "",
        why: "",
        note: None,
        repaired_by: None,
    };
}

/// The security descriptors of a folder and its content, compared with recipes.
#[derive(Clone, Debug, Default)]
pub(crate) struct FolderFindings {
    /// The folder's path below the target's root, with `/`.
    pub(crate) path: String,
    /// The number of files and folders that were read.
    pub(crate) objects: u64,
    /// The number that is as the recipes want, or that no recipe is about.
    pub(crate) ok: u64,
    /// The number that differs without evidence of a fault.
    pub(crate) differ: u64,
    /// The number that is evidence of a fault.
    pub(crate) faults: u64,
    /// The number with a descriptor that would be changed.
    pub(crate) to_change: u64,
    /// The objects that aren't as wanted. Objects with the same descriptor that would be changed in
    /// the same way are one group.
    pub(crate) groups: Vec<Group>,
    /// The number of objects that aren't as wanted but are in no group, because there are too many
    /// groups.
    pub(crate) in_no_group: u64,
    /// Objects other than files and folders of this volume: links, mounts, devices. They are
    /// neither followed nor changed.
    pub(crate) left_alone: ObjectNotes,
    /// Objects that couldn't be read.
    pub(crate) failed: ObjectNotes,
}

/// Objects with the same descriptor.
#[derive(Clone, Debug)]
pub(crate) struct Group {
    /// The recipe that is about them; empty for a change by hand.
    pub(crate) recipe: String,
    /// The result of comparing them with it.
    pub(crate) state: RowState,
    /// The number of objects.
    pub(crate) objects: u64,
    /// The paths of the first objects.
    pub(crate) examples: Vec<String>,
    /// One sentence for a person.
    pub(crate) why: String,
    /// A note for a person, in one sentence.
    pub(crate) note: Option<String>,
    /// The evidence of the fault: who lacks which rights, and why.
    pub(crate) reasons: Vec<String>,
    /// The edits of the descriptor; empty if nothing would be changed.
    pub(crate) edits: Vec<String>,
    /// The descriptor before.
    pub(crate) before: Vec<u8>,
    /// The descriptor after; absent if nothing would be changed.
    pub(crate) after: Option<Vec<u8>>,
    /// The recipe that repairs the fault, if this one doesn't.
    pub(crate) repaired_by: Option<String>,
}

/// The number of a row, the descriptor before, and the descriptor after if it changes.
type GroupKey = (usize, Vec<u8>, Option<Vec<u8>>);

/// Findings that are being grouped. There are limits to what a hostile disk can make it hold.
#[derive(Default)]
pub(crate) struct Gathering {
    pub(crate) folder: FolderFindings,
    /// The judgement of a descriptor by the row with a number.
    known: HashMap<(usize, Vec<u8>), Rc<Judgement>>,
    /// The number of bytes of the descriptors with a remembered judgement.
    bytes: usize,
    /// The index of each group in the findings.
    groups: HashMap<GroupKey, usize>,
}

impl Gathering {
    pub(crate) fn new(path: &NtPath) -> Self {
        let mut gathering = Self::default();
        gathering.folder.path = path.to_string();
        gathering
    }

    /// The judgement of a descriptor by the row with this number. It is computed once.
    pub(crate) fn judgement<E>(
        &mut self,
        row: usize,
        before: &[u8],
        judge: impl FnOnce() -> Result<Judgement, E>,
    ) -> Result<Rc<Judgement>, E> {
        let key = (row, before.to_vec());
        if let Some(known) = self.known.get(&key) {
            return Ok(Rc::clone(known));
        }
        let judgement = Rc::new(judge()?);
        self.bytes = self.bytes.saturating_add(before.len());
        if self.bytes <= MAX_KNOWN {
            self.known.insert(key, Rc::clone(&judgement));
        }
        Ok(judgement)
    }

    /// Counts an object, and adds it to a group if it isn't as wanted.
    pub(crate) fn add(
        &mut self,
        path: &NtPath,
        row: usize,
        before: &[u8],
        judgement: &Judgement,
        common: &Common<'_>,
    ) {
        match judgement.state {
            RowState::Ok => {
                self.folder.ok += 1;
                return;
            }
            RowState::Fault => self.folder.faults += 1,
            RowState::Differs | RowState::Missing | RowState::Reported => self.folder.differ += 1,
        }
        let key = (row, before.to_vec(), judgement.after.clone());
        let known = self.groups.get(&key).copied();
        if known.is_none() && self.groups.len() >= MAX_GROUPS {
            self.folder.in_no_group += 1;
            return;
        }
        let index = known.unwrap_or_else(|| {
            self.groups.insert(key, self.folder.groups.len());
            self.folder.groups.push(group(before, judgement, common));
            self.folder.groups.len() - 1
        });
        if let Some(group) = self.folder.groups.get_mut(index) {
            group.objects += 1;
            if group.examples.len() < EXAMPLES {
                group.examples.push(path.to_string());
            }
        }
    }
}

fn group(before: &[u8], judgement: &Judgement, common: &Common<'_>) -> Group {
    Group {
        recipe: common.recipe.to_owned(),
        state: judgement.state,
        objects: 0,
        examples: Vec::new(),
        why: common.why.to_owned(),
        note: common.note.map(str::to_owned),
        reasons: judgement.reasons.clone(),
        edits: judgement.edits.clone(),
        before: before.to_vec(),
        after: judgement.after.clone(),
        repaired_by: common.repaired_by.map(str::to_owned),
    }
}
