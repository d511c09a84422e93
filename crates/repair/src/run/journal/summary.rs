//! A summary of a run, for lists of runs.

use super::Journal;
use crate::documents::{RunState, RunSummary};
use crate::run::trust::Trust;

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

    /// A summary of the run. `trust` says who has sealed it.
    pub(crate) fn summary(&self, trust: Trust) -> RunSummary {
        let trusted = trust.is_given();
        // Of a run that no known key has sealed, only as much is kept as a person reads, because
        // there may be very many of them.
        let (recipes, hives, longest) = match trusted {
            true => (usize::MAX, usize::MAX, usize::MAX),
            false => (SHOWN_RECIPES, SHOWN_HIVES, SHOWN_TEXT),
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
            descriptors: self.objects_set(),
            undoable: self.state.is_undoable(),
            unfinished: self.state.is_unfinished(),
            can_be_completed: trusted && self.can_be_completed(&self.recipes),
            identity: self.identity.clone(),
            trust,
            note: self.note.as_deref().map(shown),
        }
    }
}
