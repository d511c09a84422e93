//! Rolling back a run that failed.

use super::{descriptors, files};
use crate::error::{Error, chain};
use crate::progress::{Phase, Watch};
use crate::run::restore::Restoration;
use crate::run::{HiveEntry, Journal, RunFolder, Way};
use crate::run_state::RunState;
use crate::site::Site;

pub(super) fn roll_back_descriptors(
    site: &Site,
    run: &RunFolder,
    journal: &Journal,
    watch: &mut Watch<'_>,
) -> Result<(), Error> {
    if !journal
        .descriptors
        .as_ref()
        .is_some_and(|entry| entry.begun)
    {
        return Ok(());
    }
    let secured = descriptors::of_site(site)?;
    let undone = descriptors::undo(secured.as_ref(), run, journal, watch)?;
    match undone.failed.listed.first() {
        None => Ok(()),
        Some(first) => Err(Error::NotRestored {
            objects: undone.failed.count,
            path: first.path.clone(),
            reason: first.reason.clone(),
        }),
    }
}

/// Restores descriptors and files one by one, for a disk without a record of sectors.
fn roll_back_parts(
    site: &Site,
    run: &RunFolder,
    journal: &Journal,
    watch: &mut Watch<'_>,
) -> Result<(), Error> {
    roll_back_descriptors(site, run, journal, watch)?;
    files::all_back(files::undo(site, run, journal, watch).as_ref())?;
    journal
        .hives
        .iter()
        .rev()
        .try_for_each(|entry| roll_back_hive(site, run, entry))
}

fn roll_back_hive(site: &Site, run: &RunFolder, entry: &HiveEntry) -> Result<(), Error> {
    let root = site.root_of(entry.volume.as_deref())?;
    let mut restoration = Restoration::open(root.dir(), run, entry)?;
    restoration.restore().map(|_| ())
}

/// Restores the files that are not covered by the record of sectors.
fn roll_back_elsewhere(site: &Site, run: &RunFolder, journal: &Journal) -> Result<(), Error> {
    journal.hives.iter().rev().try_for_each(|entry| {
        if site.holds(entry)? {
            Ok(())
        } else {
            roll_back_hive(site, run, entry)
        }
    })
}

pub(super) fn roll_back(
    site: &Site,
    run: &RunFolder,
    journal: &mut Journal,
    error: Error,
    watch: &mut Watch<'_>,
) -> Error {
    watch.committed(Phase::RollingBack, &site.display);
    let id = run.id.to_string();
    journal.note = Some(chain(&error));
    // If the rollback is killed, the run must not count as one that can be completed.
    journal.way = Some(match journal.disk {
        Some(_) => Way::Sectors,
        None => Way::Bytes,
    });
    note_state(run, journal, RunState::Undoing);
    let restored = match site.restore_disk(run, journal) {
        Ok(None) => roll_back_parts(site, run, journal, watch),
        Ok(Some(_)) => roll_back_elsewhere(site, run, journal),
        Err(error) => Err(error),
    };
    let source = Box::new(error);
    match restored {
        Ok(()) => {
            // If this fails, the journal still asks for an undo, which then finds nothing to do.
            note_state(run, journal, RunState::RolledBack);
            Error::RolledBack { run: id, source }
        }
        Err(rollback) => {
            note_state(run, journal, RunState::Broken);
            Error::Broken {
                run: id,
                source,
                rollback: Box::new(rollback),
            }
        }
    }
}

/// Notes a state in the journal, as durably as possible. On a full disk, or on one that can no
/// longer be flushed, the note may not become durable.
fn note_state(run: &RunFolder, journal: &mut Journal, state: RunState) {
    journal.set_state(state);
    if let Err(error) = run.note_journal(journal) {
        tracing::warn!(run = %run.id, "the journal: {}", chain(&error));
    }
}
