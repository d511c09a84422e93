//! Putting objects with the same descriptor together.

use std::collections::HashMap;
use std::rc::Rc;

use diskmend_disk::NtPath;

use super::judge::Judgement;
use super::words::words;
use crate::documents::{AclGroup, AclReport, RowState};

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

/// A report that is being put together. What a hostile disk can make it hold is bounded.
#[derive(Default)]
pub(crate) struct Gathering {
    pub(crate) report: AclReport,
    known: HashMap<(usize, Vec<u8>), Known>,
    bytes: usize,
}

#[derive(Clone)]
struct Known {
    judgement: Rc<Judgement>,
    group: Option<usize>,
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
            return Ok(Rc::clone(&known.judgement));
        }
        let judgement = Rc::new(judge()?);
        self.bytes = self.bytes.saturating_add(before.len());
        if self.bytes <= MAX_KNOWN {
            let judgement = Rc::clone(&judgement);
            let group = None;
            self.known.insert(key, Known { judgement, group });
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
        let count = match judgement.state {
            RowState::Ok => {
                self.report.ok += 1;
                return;
            }
            RowState::Fault => &mut self.report.faults,
            RowState::Differs | RowState::Missing => &mut self.report.differ,
        };
        *count += 1;
        let Some(index) = self.group(row, before, judgement, common) else {
            self.report.in_no_group += 1;
            return;
        };
        if let Some(group) = self.report.groups.get_mut(index) {
            group.objects += 1;
            if group.examples.len() < EXAMPLES {
                group.examples.push(path.to_string());
            }
        }
    }

    fn group(
        &mut self,
        row: usize,
        before: &[u8],
        judgement: &Judgement,
        common: &Common<'_>,
    ) -> Option<usize> {
        let known = self.known.get_mut(&(row, before.to_vec()))?;
        if known.group.is_none() && self.report.groups.len() < MAX_GROUPS {
            known.group = Some(self.report.groups.len());
            self.report.groups.push(AclGroup {
                recipe: common.recipe.to_owned(),
                state: judgement.state,
                objects: 0,
                examples: Vec::new(),
                why: common.why.to_owned(),
                reasons: judgement.reasons.clone(),
                edits: judgement.edits.clone(),
                before: words(before),
                after: judgement.after.as_deref().map(words),
                repaired_by: common.repaired_by.map(str::to_owned),
            });
        }
        known.group
    }
}
