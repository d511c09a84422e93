//! Putting objects with the same descriptor together.

use std::collections::HashMap;
use std::rc::Rc;

use diskmend_disk::NtPath;

use super::ObjectNotes;
use crate::finding::{Judgement, RowState};

/// Most groups that are told apart.
const MAX_GROUPS: usize = 200;
/// Most bytes of descriptors about which is remembered what was decided.
const MAX_KNOWN: usize = 4 << 20;
/// Examples of a group.
const EXAMPLES: usize = 3;

/// What a group has in common, beside the descriptor.
pub(crate) struct Common<'a> {
    pub(crate) recipe: &'a str,
    pub(crate) why: &'a str,
    pub(crate) repaired_by: Option<&'a str>,
}

impl Common<'static> {
    /// What is changed by hand belongs to no recipe.
    pub(crate) const BY_HAND: Self = Self {
        recipe: "",
        why: "",
        repaired_by: None,
    };
}

/// The security descriptors of a folder and of what is in it, compared with recipes.
#[derive(Clone, Debug, Default)]
pub(crate) struct FolderFindings {
    /// The folder's path below the target's root, with `/`.
    pub(crate) path: String,
    /// Files and folders that were looked at.
    pub(crate) objects: u64,
    /// Those that are as the recipes want them, or that no recipe is about.
    pub(crate) ok: u64,
    /// Those that differ, which is no evidence of a fault.
    pub(crate) differ: u64,
    /// Those that are evidence of a fault.
    pub(crate) faults: u64,
    /// Those whose descriptor would be changed.
    pub(crate) to_change: u64,
    /// The objects that are not as wanted: those with the same descriptor, which would be changed
    /// in the same way, together.
    pub(crate) groups: Vec<Group>,
    /// Objects that are not as wanted and in none of the groups, of which there are too many.
    pub(crate) in_no_group: u64,
    /// What is there instead of files and folders of this volume: links, mounts, devices. They are
    /// neither followed nor changed.
    pub(crate) left_alone: ObjectNotes,
    /// Objects that could not be looked at.
    pub(crate) failed: ObjectNotes,
}

/// Objects with the same descriptor.
#[derive(Clone, Debug)]
pub(crate) struct Group {
    /// The recipe that is about them; empty for a change by hand.
    pub(crate) recipe: String,
    /// How they compare with it.
    pub(crate) state: RowState,
    /// How many there are.
    pub(crate) objects: u64,
    /// The paths of the first of them.
    pub(crate) examples: Vec<String>,
    /// One sentence for a person.
    pub(crate) why: String,
    /// What makes it a fault: who lacks which rights, and because of what.
    pub(crate) reasons: Vec<String>,
    /// What would be changed in it; empty where nothing would.
    pub(crate) edits: Vec<String>,
    /// The descriptor as it is.
    pub(crate) before: Vec<u8>,
    /// The descriptor as it would be; absent where nothing would be changed.
    pub(crate) after: Option<Vec<u8>>,
    /// The recipe that repairs the fault, where this one does not.
    pub(crate) repaired_by: Option<String>,
}

/// The number of a row, a descriptor as it is, and as it will be where it changes.
type GroupKey = (usize, Vec<u8>, Option<Vec<u8>>);

/// Findings that are being put together. What a hostile disk can make it hold is bounded.
#[derive(Default)]
pub(crate) struct Gathering {
    pub(crate) folder: FolderFindings,
    /// What is decided about a descriptor by the row of a number.
    known: HashMap<(usize, Vec<u8>), Rc<Judgement>>,
    /// Bytes of the descriptors about which that is remembered.
    bytes: usize,
    /// The places of the groups among the findings.
    groups: HashMap<GroupKey, usize>,
}

impl Gathering {
    pub(crate) fn new(path: &NtPath) -> Self {
        let mut gathering = Self::default();
        gathering.folder.path = path.to_string();
        gathering
    }

    /// What is decided about a descriptor by the row of this number, worked out once.
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

    /// Counts an object, and shows it where it is not as wanted.
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
            RowState::Differs | RowState::Missing => self.folder.differ += 1,
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
        reasons: judgement.reasons.clone(),
        edits: judgement.edits.clone(),
        before: before.to_vec(),
        after: judgement.after.clone(),
        repaired_by: common.repaired_by.map(str::to_owned),
    }
}
