//! A summary of a run, for lists of runs.

use diskmend_base::count::to_u64;
use serde::Serialize;

use crate::identity::{TargetIdentity, WindowsNames};
use crate::run::Journal;
use crate::run_state::{RunKind, RunState, same_partition};
use crate::trust::{Doubt, Trust};

/// The greatest numbers of recipes, hives and characters that are shown of a run that no known key
/// has sealed.
const SHOWN_RECIPES: usize = 16;
const SHOWN_HIVES: usize = 4;
const SHOWN_TEXT: usize = 256;

impl Journal {
    /// The number of values and keys that the run has changed. For a run that didn't end it is the
    /// greatest possible number.
    fn changes(&self) -> usize {
        match self.state {
            RunState::RolledBack => 0,
            _ => self.hives.iter().map(|hive| hive.change_count).sum(),
        }
    }

    /// The number of objects with descriptors that the run has set. For a run that didn't end it is
    /// the greatest possible number.
    fn objects_set(&self) -> u64 {
        match (&self.descriptors, self.state) {
            (None, _) | (_, RunState::RolledBack) => 0,
            (Some(entry), _) if !entry.begun => 0,
            (Some(entry), _) => entry.records.objects.saturating_sub(entry.failed),
        }
    }

    /// The number of files that the run has moved. For a run that didn't end it is the greatest
    /// possible number.
    fn files_moved(&self) -> u64 {
        match (&self.files, self.state) {
            (None, _) | (_, RunState::RolledBack) => 0,
            (Some(entry), _) => entry.moves.len() as u64,
        }
    }

    /// A summary of the run. `trust` says who has sealed it.
    pub(crate) fn summary(&self, trust: Trust) -> RunSummary {
        let trusted = trust.is_given();
        // Of a run that no known key has sealed, only as much is kept as a person reads, because
        // there may be very many of them.
        let (recipes, hives, longest) = if trusted {
            (usize::MAX, usize::MAX, usize::MAX)
        } else {
            (SHOWN_RECIPES, SHOWN_HIVES, SHOWN_TEXT)
        };
        let shown = |text: &str| text.chars().take(longest).collect::<String>();
        RunSummary {
            run: self.run.clone(),
            kind: self.kind,
            state: Some(self.state),
            started: self.started.clone(),
            updated: self.updated.clone(),
            partition: self.partition(),
            recipes: self.recipes.iter().take(recipes).cloned().collect(),
            hives: self
                .hives
                .iter()
                .take(hives)
                .map(|hive| shown(&hive.shown_path()))
                .collect(),
            changes: self.changes(),
            files: self.files_moved(),
            descriptors: self.objects_set(),
            undoable: self.state.is_undoable(),
            unfinished: self.state.is_unfinished(),
            can_be_completed: trusted && self.can_be_completed(&self.recipes),
            identity: self.identity.clone(),
            windows: self.windows.map(shown),
            trust,
            note: self.note.as_deref().map(shown),
        }
    }
}

/// A run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct RunSummary {
    /// Its name: the UTC time at which it began, such as `20261123T124100Z`.
    pub run: String,
    /// What it did.
    pub kind: RunKind,
    /// Its state; absent if its journal is missing or can't be read.
    pub state: Option<RunState>,
    /// When it began (RFC 3339, UTC).
    pub started: String,
    /// When its state last changed.
    pub updated: String,
    /// The partition with its target, on a disk that was not mounted.
    pub partition: Option<u32>,
    /// The recipes, with bundles replaced by their parts; empty for an edit of a hive file.
    pub recipes: Vec<String>,
    /// Paths of the hives below the target's root.
    pub hives: Vec<String>,
    /// The number of values and keys that it changed; for a run that did not end, the maximum.
    pub changes: usize,
    /// The number of files that it moved; for a run that did not end, the maximum.
    pub files: u64,
    /// The number of files and folders with permissions that it changed; for a run that did not
    /// end, the maximum.
    pub descriptors: u64,
    /// True if `undo` would do anything.
    pub undoable: bool,
    /// True if it was killed half way and must be completed or undone before anything else is
    /// changed.
    pub unfinished: bool,
    /// True if repeating the repair would complete it.
    pub can_be_completed: bool,
    /// The identity of its disk, as far as it was known.
    pub identity: TargetIdentity,
    /// The Windows that it changed, as far as it is known.
    pub windows: WindowsNames,
    /// The key that sealed it.
    #[serde(flatten)]
    pub trust: Trust,
    /// A note about it, if there is one.
    pub note: Option<String>,
}

impl RunSummary {
    /// A run without a journal that can be read.
    pub(crate) fn unreadable(run: String, note: String) -> Self {
        Self {
            run,
            kind: RunKind::Repair,
            state: None,
            started: String::new(),
            updated: String::new(),
            partition: None,
            recipes: Vec::new(),
            hives: Vec::new(),
            changes: 0,
            files: 0,
            descriptors: 0,
            undoable: false,
            unfinished: false,
            can_be_completed: false,
            identity: TargetIdentity::default(),
            windows: WindowsNames::default(),
            trust: Trust::Unauthenticated {
                reason: Doubt::Unreadable,
            },
            note: Some(note),
        }
    }

    /// The number of values, keys, files and objects that it changed.
    #[must_use]
    pub fn all_changes(&self) -> u64 {
        let changes = to_u64(self.changes).saturating_add(self.files);
        changes.saturating_add(self.descriptors)
    }

    /// True if the run belongs to this partition, if the target is on an unmounted disk.
    #[must_use]
    pub fn is_of(&self, partition: Option<u32>) -> bool {
        same_partition(self.partition, partition)
    }

    /// True if `undo` without a run name would undo this run, if it is the newest such run.
    /// Finished reversals and runs without a valid seal do not count.
    #[must_use]
    pub fn is_undone_unasked(&self) -> bool {
        self.trust.is_given() && self.undoable && (self.kind != RunKind::Undo || self.unfinished)
    }
}
