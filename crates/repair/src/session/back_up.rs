//! Writing undo data and journal before a commit.

use diskmend_hive::Storage;
use diskmend_hive::commit::{CommitPlan, HiveFileKind};

use super::Held;
use super::files::CommitFiles;
use super::pre_images::{CommitUndo, undo_of};
use crate::error::Error;
use crate::run::undo_data::{self, Images};
use crate::run::{FileEntry, HiveEntry, JournalChange, RunFolder, changes_file};
use crate::site::Need;

/// The space for the journal and the folders of a run, in bytes.
pub(crate) const JOURNAL_ROOM: u64 = 256 << 10;

/// The undo data of one hive before they are written.
pub(crate) struct Backup<'a> {
    pub(crate) entry: HiveEntry,
    /// The name and content of each file of undo data.
    data: Vec<(String, Images<'a>)>,
    /// The changes in the registry's terms, if these are enough to reverse them.
    changes: Vec<JournalChange>,
    /// The space that the commit and the undo data need.
    pub(crate) need: Need,
}

/// Computes the undo data of a commit. `first` is the number of the first file within the run.
pub(crate) fn back_up<'a>(
    held: &Held,
    files: &CommitFiles,
    plan: &'a CommitPlan<'_>,
    first: usize,
) -> Result<Backup<'a>, Error> {
    let open = |kind| files.open(kind).map(|file| file as &dyn Storage);
    let undo = undo_of(plan.steps(), open).map_err(Error::io(&held.path, "read the old bytes"))?;
    let CommitUndo { files: data, steps } = undo;
    let mut backup = Backup {
        entry: HiveEntry {
            hive: held.hive.to_string(),
            volume: held.volume.clone(),
            path: held.path.clone(),
            recovered: held.recovery.is_some(),
            reversible: !held.is_new && held.changes.are_reversible(),
            changes: Vec::new(),
            changes_file: None,
            change_count: held.changes.len(),
            files: Vec::new(),
            steps,
        },
        data: Vec::new(),
        changes: Vec::new(),
        need: Need {
            state: JOURNAL_ROOM,
            ..Need::default()
        },
    };
    for (index, (kind, data)) in data.into_iter().enumerate() {
        let name = undo_data::name(first + index);
        let change = plan.change(kind);
        let old = match kind {
            HiveFileKind::Primary => held.fingerprints.first().map(|file| file.content),
            HiveFileKind::Log(log) => files.log_before(log),
        };
        if let Some(change) = &change {
            let growth = change.len_after.saturating_sub(change.len_before);
            let grows = match held.volume {
                None => &mut backup.need.target,
                Some(_) => &mut backup.need.boot,
            };
            *grows = grows.saturating_add(growth);
        }
        backup.entry.files.push(FileEntry {
            path: files.path(kind),
            undo: name.clone(),
            mac: None,
            old: old.filter(|_| !data.created),
            new: None,
        });
        backup.need.state = backup.need.state.saturating_add(data.images.len());
        backup.data.push((name, data.images));
    }
    // For a moment, both the old and the new journal exist.
    let journal = serde_json::to_vec(&backup.entry)
        .map_err(|error| Error::io(&held.path, "note the change of")(error.into()))?;
    let journal = (journal.len() as u64).saturating_mul(4);
    backup.need.state = backup.need.state.saturating_add(journal);
    if backup.entry.reversible {
        let changes: Vec<_> = held
            .changes
            .list()
            .iter()
            .map(JournalChange::from)
            .collect();
        match changes_file::encode(&changes) {
            Ok(bytes) => {
                backup.need.state = backup.need.state.saturating_add(bytes.len() as u64);
                backup.changes = changes;
            }
            // The names are too long for the record, so the hive can only be undone by its bytes.
            Err(_) => backup.entry.reversible = false,
        }
    }
    Ok(backup)
}

impl Backup<'_> {
    /// Writes the undo data to the run file, and describes them in the journal; `number` is the
    /// number of the hive in the run, from 1.
    pub(crate) fn write(
        &self,
        run: &RunFolder,
        number: usize,
        entry: &mut HiveEntry,
    ) -> Result<(), Error> {
        for ((name, images), file) in self.data.iter().zip(&mut entry.files) {
            file.mac = run.write_undo(name, images)?;
        }
        entry.changes_file = run.write_changes(number, &self.changes)?;
        Ok(())
    }
}
