//! `undo`: undoing a run by its bytes if nothing else has changed them since, and otherwise value
//! by value.
//!
//! In every state of the run, this is found out before the first write. The chosen way is then
//! noted in the journal, so that an undo that is begun again never preserves less than the first
//! one.

mod force;
mod values;

use diskmend_disk::TargetLock;

use crate::changes::{self, descriptors, files, hive};
use crate::documents::{Method, SCHEMA, UndoReport};
use crate::engine::Engine;
use crate::error::{Error, Refusal};
use crate::guards::undo_guards;
use crate::progress::{Phase, Watch};
use crate::run::restore::Restoration;
use crate::run::{Journal, RunFolder, Way};
use crate::run_names::RunNames;
use crate::run_state::RunState;
use crate::site::{Options, Site};

impl Engine {
    /// Undoes a run: the named one, or the newest that can be undone.
    ///
    /// # Errors
    /// See [`Error`] and its [`class`](Error::class).
    pub fn undo(&mut self, run: Option<&str>, watch: &mut Watch<'_>) -> Result<UndoReport, Error> {
        self.guard(undo_guards, watch)?;
        undo_site(&mut self.site, run, &self.options, watch)
    }
}

pub(crate) fn undo_site(
    site: &mut Site,
    run: Option<&str>,
    options: &Options,
    watch: &mut Watch<'_>,
) -> Result<UndoReport, Error> {
    let (folder, journal) = undoable(site, run)?;
    let lock = locked(site)?;
    watch.phase(Phase::Opening, &site.display)?;
    site.end_attempt(&folder)?;
    let site = &*site;
    let by_sectors = journal.allows(Way::Sectors)
        && site.holds_all(&journal)?
        && site.disk_is_as_recorded(&folder, &journal)? == Some(true);
    if by_sectors {
        return whole_disk(site, &folder, journal, watch);
    }
    if journal.descriptors.is_some() || journal.files.is_some() {
        site.writes_all(None)?;
    } else {
        site.writes(None)?;
    }
    let recorded = journal.clone();
    let mut restorations = hive::open_all(site, &folder, &recorded)?;
    let mut exact = journal.allows(Way::Bytes);
    for restoration in &restorations {
        exact = exact && restoration.is_exact()?;
    }
    if exact {
        return by_bytes(site, &folder, journal, &mut restorations, watch);
    }
    drop(restorations);
    values::undo(site, &folder, journal, lock, options, watch)
}

/// The run to undo. Its state must allow that.
fn undoable(site: &Site, run: Option<&str>) -> Result<(RunFolder, Journal), Error> {
    let (folder, journal) = choose(site, run)?;
    folder.require_private()?;
    if !journal.state.is_undoable() {
        return Err(Error::NotUndoable {
            run: journal.run,
            state: journal.state,
        });
    }
    Ok((folder, journal))
}

fn locked(site: &Site) -> Result<TargetLock, Error> {
    match site.state.open()? {
        Some(state) => Ok(TargetLock::acquire(state.as_ref())?),
        None => Err(Error::NothingToUndo),
    }
}

/// Restores the old bytes of every file, and the old descriptor of every object.
fn by_bytes(
    site: &Site,
    folder: &RunFolder,
    mut journal: Journal,
    restorations: &mut [Restoration<'_>],
    watch: &mut Watch<'_>,
) -> Result<UndoReport, Error> {
    watch.phase(Phase::Restoring, &site.display)?;
    let secured = descriptors::of_run(site, folder, &journal)?;
    changes::check_scope(folder, &journal)?;
    journal.begin_undo(Way::Bytes);
    folder.write_journal(&journal)?;
    let (mut descriptors, mut moved, mut files) = (None, None, Vec::new());
    site.recording(folder, || {
        if let Some(secured) = &secured {
            let undone = descriptors::undo(secured.as_ref(), folder, &journal, watch)?;
            descriptors = Some(undone);
        }
        moved = files::undo(site, folder, &journal, watch);
        for restoration in restorations.iter_mut().rev() {
            files.extend(restoration.restore()?);
        }
        Ok(())
    })
    .map_err(half_way(&journal))?;
    files::settle(&mut journal, moved.as_ref());
    descriptors::settle(&mut journal, descriptors.as_ref(), moved.as_ref());
    folder.write_journal(&journal).map_err(half_way(&journal))?;
    let mut report = report(site, &journal, Method::Bytes);
    report.files = files;
    report.moved = moved;
    report.descriptors = descriptors;
    Ok(report)
}

/// Restores the old bytes of every sector of a disk that isn't mounted.
fn whole_disk(
    site: &Site,
    folder: &RunFolder,
    mut journal: Journal,
    watch: &mut Watch<'_>,
) -> Result<UndoReport, Error> {
    watch.phase(Phase::Restoring, &site.display)?;
    let mut report = report(site, &journal, Method::Bytes);
    tell_outcome(site, folder, &journal, &mut report);
    journal.begin_undo(Way::Sectors);
    folder.write_journal(&journal)?;
    let restored = site
        .restore_disk(folder, &journal)
        .map_err(half_way(&journal))?;
    tracing::debug!(?restored, "the sectors of the disk");
    journal.set_state(RunState::Undone);
    folder.write_journal(&journal).map_err(half_way(&journal))?;
    Ok(report)
}

/// Reports the effect of restoring the sectors on files and objects, as far as these can be read
/// now. A structure of the volume may be half written.
fn tell_outcome(site: &Site, folder: &RunFolder, journal: &Journal, report: &mut UndoReport) {
    for (path, actions) in hive::actions(site, folder, journal) {
        match actions {
            Ok(actions) => report.files.extend(actions),
            Err(error) => report.cannot_tell(&path, &error),
        }
    }
    let mut unknown = Vec::new();
    report.moved = files::to_undo(site, folder, journal, |path, error| {
        unknown.push((path.to_owned(), error));
    });
    for (path, error) in unknown {
        report.cannot_tell(&path, &error);
    }
    let counted = descriptors::of_run(site, folder, journal).and_then(|secured| match secured {
        Some(secured) => descriptors::to_undo(secured.as_ref(), folder, journal).map(Some),
        None => Ok(None),
    });
    match counted {
        Ok(counted) => report.descriptors = counted,
        Err(error) => report.cannot_tell("permissions", &error),
    }
}

fn report(site: &Site, journal: &Journal, method: Method) -> UndoReport {
    UndoReport {
        schema: SCHEMA,
        target: site.display.clone(),
        run: journal.run.clone(),
        method,
        files: Vec::new(),
        changes: Vec::new(),
        moved: None,
        descriptors: None,
        recorded_as: None,
        differences: None,
        notices: Vec::new(),
    }
}

/// The error for a failure after something may have been restored.
fn half_way(journal: &Journal) -> impl FnOnce(Error) -> Error + use<> {
    let run = journal.run.clone();
    move |source| Error::NotUndone {
        run,
        source: Box::new(source),
    }
}

/// The run to undo. A run that reverses another one is only undone if it is named.
pub(crate) fn choose(site: &Site, wanted: Option<&str>) -> Result<(RunFolder, Journal), Error> {
    if let Some(name) = wanted {
        let found = site.state.run(name)?;
        let read = found.read(&site.judge)?.ok_or_else(|| Error::NoRun {
            run: name.to_owned(),
            // It is listed, although it ended before it changed anything.
            known: RunNames::default(),
        })?;
        return match read.journal.partition() {
            Some(partition) if !site.is_target_of(&read.journal) => Err(Refusal::OtherPartition {
                run: read.journal.run,
                partition,
            }
            .into()),
            _ => {
                let (folder, mut journal) = found.admit(read, &site.judge)?;
                if journal.is_old() {
                    // This journal holds the changes itself and is written again with them.
                    folder.read_changes(&mut journal)?;
                }
                Ok((folder, journal))
            }
        };
    }
    for found in site.state.runs()?.rev() {
        let found = found?;
        let Some(read) = found.read(&site.judge)? else {
            continue;
        };
        let summary = read.journal.summary(read.trust.clone());
        if summary.is_undone_unasked() && site.is_target_of(&read.journal) {
            return found.admit(read, &site.judge);
        }
    }
    Err(Error::NothingToUndo)
}
