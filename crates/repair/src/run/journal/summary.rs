//! A run in short, for lists of runs.

use super::Journal;
use crate::documents::{RunState, RunSummary};
use crate::run::trust::Trust;

/// Of a run that nobody speaks for: most recipes, hives and characters of a text that are shown.
const SHOWN_RECIPES: usize = 16;
const SHOWN_HIVES: usize = 4;
const SHOWN_TEXT: usize = 256;

impl Journal {
    /// The number of values and keys that the run has changed; of one that did not end, at most.
    fn changes(&self) -> usize {
        match self.state {
            RunState::RolledBack => 0,
            _ => self.hives.iter().map(|hive| hive.change_count).sum(),
        }
    }

    /// The number of objects whose descriptors the run has set; of one that did not end, at most.
    fn objects_set(&self) -> u64 {
        match (&self.descriptors, self.state) {
            (None, _) | (_, RunState::RolledBack) => 0,
            (Some(entry), _) if !entry.begun => 0,
            (Some(entry), _) => entry.records.objects.saturating_sub(entry.failed),
        }
    }

    /// The run in short; `trust` is who speaks for it.
    pub(crate) fn summary(&self, trust: Trust) -> RunSummary {
        let trusted = trust.is_given();
        // Of a run that nobody speaks for only so much is kept as a person looks at: there may be
        // very many of them.
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
