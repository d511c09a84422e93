//! Checks of a run's steps, before any of them is undone.

use super::Restoration;
use super::file::MAX_LEN;
use crate::error::Error;
use crate::run::{RunFolder, Step};

impl Restoration<'_> {
    /// Checks that the steps fit the undo data, before any step is undone.
    pub(super) fn check_steps(&self, run: &RunFolder) -> Result<(), Error> {
        let mut records = vec![0usize; self.files.len()];
        for step in &self.entry.steps {
            let (file, more) = match step {
                Step::Create { file } | Step::Length { file, .. } => (*file, 0),
                Step::Write { file, records } => (*file, *records),
                Step::Flush => continue,
            };
            match records.get_mut(file) {
                Some(sum) => *sum = sum.saturating_add(more),
                None => return Err(run.damaged_journal("a step names no file")),
            }
        }
        for (file, sum) in self.files.iter().zip(records) {
            let greatest = file.undo.lengths().map_or(0, |lengths| *lengths.end());
            if file.undo.end().max(greatest) > MAX_LEN {
                return Err(run.damaged(&file.entry.undo, "a record lies past any file's end"));
            }
            if file.undo.len() != sum {
                return Err(run.damaged(&file.entry.undo, "its records do not fit the steps"));
            }
        }
        self.check_effects(run)
    }

    /// Checks that undoing the steps results in the old files: no old file is removed, and nothing
    /// is cut off that no record restores.
    fn check_effects(&self, run: &RunFolder) -> Result<(), Error> {
        let odd = |what: &str| Err(run.damaged_journal(what));
        let mut done = vec![0usize; self.files.len()];
        let mut created = vec![false; self.files.len()];
        for step in &self.entry.steps {
            let (Step::Create { file } | Step::Length { file, .. } | Step::Write { file, .. }) =
                step
            else {
                continue;
            };
            let (Some(of), Some(done)) = (self.files.get(*file), done.get_mut(*file)) else {
                return odd("a step names no file");
            };
            match step {
                Step::Create { .. } if of.entry.old.is_some() => {
                    return odd("a file was created that was there before");
                }
                Step::Create { .. } => {
                    if let Some(created) = created.get_mut(*file) {
                        *created = true;
                    }
                }
                Step::Length { before, .. } => {
                    let old_len = of.entry.old_len();
                    if !of.undo.cover(*done, *before..old_len) {
                        return odd("a file was shorter than its old bytes reach");
                    }
                }
                Step::Write { records, .. } => *done = done.saturating_add(*records),
                Step::Flush => {}
            }
        }
        let files = self.files.iter().zip(created);
        match files
            .filter(|(file, created)| file.entry.old.is_none() && !created)
            .count()
        {
            0 => Ok(()),
            _ => odd("a file was not there before, and was never created"),
        }
    }
}
