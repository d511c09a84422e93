//! Putting objects with the same descriptor together.

use std::collections::HashMap;
use std::rc::Rc;

use diskmend_disk::NtPath;

use super::judge::Judgement;
use crate::documents::{AclGroup, AclReport, DescriptorWords};
use crate::finding::RowState;

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

/// The number of a row, a descriptor as it is, and as it will be where it changes.
type GroupKey = (usize, Vec<u8>, Option<Vec<u8>>);

/// A report that is being put together. What a hostile disk can make it hold is bounded.
#[derive(Default)]
pub(crate) struct Gathering {
    pub(crate) report: AclReport,
    /// What is decided about a descriptor by the row of a number.
    known: HashMap<(usize, Vec<u8>), Rc<Judgement>>,
    /// Bytes of the descriptors about which that is remembered.
    bytes: usize,
    /// The places of the groups in the report.
    groups: HashMap<GroupKey, usize>,
}

impl Gathering {
    pub(crate) fn new(path: &NtPath) -> Self {
        let mut gathering = Self::default();
        gathering.report.path = path.to_string();
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
                self.report.ok += 1;
                return;
            }
            RowState::Fault => self.report.faults += 1,
            RowState::Differs | RowState::Missing => self.report.differ += 1,
        }
        let key = (row, before.to_vec(), judgement.after.clone());
        let known = self.groups.get(&key).copied();
        if known.is_none() && self.groups.len() >= MAX_GROUPS {
            self.report.in_no_group += 1;
            return;
        }
        let index = known.unwrap_or_else(|| {
            self.groups.insert(key, self.report.groups.len());
            self.report.groups.push(group(before, judgement, common));
            self.report.groups.len() - 1
        });
        if let Some(group) = self.report.groups.get_mut(index) {
            group.objects += 1;
            if group.examples.len() < EXAMPLES {
                group.examples.push(path.to_string());
            }
        }
    }
}

fn group(before: &[u8], judgement: &Judgement, common: &Common<'_>) -> AclGroup {
    AclGroup {
        recipe: common.recipe.to_owned(),
        state: judgement.state,
        objects: 0,
        examples: Vec::new(),
        why: common.why.to_owned(),
        reasons: judgement.reasons.clone(),
        edits: judgement.edits.clone(),
        before: DescriptorWords::of(before),
        after: judgement.after.as_deref().map(DescriptorWords::of),
        repaired_by: common.repaired_by.map(str::to_owned),
    }
}
