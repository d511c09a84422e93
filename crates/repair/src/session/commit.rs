//! Writing prepared changes as one run.

use diskmend_hive::LogKind;
use diskmend_hive::commit::{CommitError, CommitPlan, HiveFileKind, Options, execute, plan};
use jiff::Timestamp;

use super::back_up::{Backup, back_up};
use super::files::CommitFiles;
use super::{Held, Prepared, filetime, verify};
use crate::documents::{AppliedHive, RunKind, RunState};
use crate::error::{Error, Refusal, chain};
use crate::hive_on_disk::reopen_clean;
use crate::progress::{Phase, Watch};
use crate::recorder::expected;
use crate::run::restore::Restoration;
use crate::run::{Content, Journal, RunFolder};
use crate::site::{Need, Site};

/// What a new run is about.
pub(crate) struct NewRun {
    pub(crate) kind: RunKind,
    pub(crate) recipes: Vec<String>,
    /// The run that it reverses.
    pub(crate) reverses: Option<String>,
}

/// A run that came to a good end.
pub(crate) struct Committed {
    pub(crate) run: String,
    pub(crate) hives: Vec<AppliedHive>,
}

/// Writes prepared changes: undo data and journal first, then the hives. Where something fails
/// after that, all hives get their old bytes back.
///
/// # Errors
/// [`Error::RolledBack`] and [`Error::Broken`] once something may have been written; anything else
/// before.
pub(crate) fn commit(
    site: &Site,
    new: NewRun,
    prepared: Vec<Prepared>,
    watch: &mut Watch<'_>,
) -> Result<Committed, Error> {
    watch.phase(Phase::BackingUp, &site.display)?;
    let state = site.state.create()?;
    let _lock = state.lock_target()?;
    // Another process may have begun a run since the hives were read.
    site.no_unfinished_run(new.reverses.as_deref())?;

    let now = Timestamp::now();
    let (held, mut files): (Vec<Held>, Vec<CommitFiles>) = prepared
        .into_iter()
        .map(|prepared| (prepared.held, prepared.files))
        .unzip();
    let mut plans = Vec::new();
    let mut backups: Vec<Backup> = Vec::new();
    let mut need = Need::default();
    for (held, files) in held.iter().zip(&mut files) {
        let plan = plan_one(held, now)?;
        files.open_for(&plan)?;
        let first: usize = backups.iter().map(|backup| backup.entry.files.len()).sum();
        let backup = back_up(held, files, &plan, first + 1)?;
        need.target = need.target.saturating_add(backup.need.target);
        need.state = need.state.saturating_add(backup.need.state);
        backups.push(backup);
        plans.push(plan);
    }
    (site.room)(need)?;

    let run = site.state.new_run(now)?;
    let mut journal = Journal::begin(&run.id, new.kind, &site.display, new.recipes);
    journal.reverses = new.reverses;
    journal.hives = backups.iter().map(|backup| backup.entry.clone()).collect();
    if let Err(error) = begin(&run, &journal, &backups, site, watch) {
        run.discard(&site.state);
        return Err(error);
    }

    match apply(&held, &mut files, &plans, &mut journal, watch)
        .and_then(|()| finish(&run, &mut journal))
    {
        Ok(()) => {
            let written: Vec<u64> = plans.iter().map(CommitPlan::bytes_to_write).collect();
            drop(plans);
            Ok(Committed {
                run: run.id.to_string(),
                hives: held
                    .into_iter()
                    .zip(written)
                    .map(|(held, bytes_written)| applied(held, bytes_written))
                    .collect(),
            })
        }
        Err(error) => {
            // Restoring opens the files anew; where locks are mandatory these must be gone.
            drop(files);
            Err(roll_back(site, &run, &mut journal, error, watch))
        }
    }
}

fn plan_one(held: &Held, now: Timestamp) -> Result<CommitPlan<'_>, Error> {
    let options = Options {
        now: filetime(now),
        format: None,
    };
    plan(&held.hive, &held.logs, &options).map_err(|source: CommitError| {
        Refusal::NoLog {
            path: held.path.clone(),
            source: Box::new(source),
        }
        .into()
    })
}

/// Makes the undo data and the journal durable; nothing else is written before that.
fn begin(
    run: &RunFolder,
    journal: &Journal,
    backups: &[Backup],
    site: &Site,
    watch: &mut Watch<'_>,
) -> Result<(), Error> {
    for backup in backups {
        backup.write(run)?;
    }
    // The last moment at which the caller may still interrupt.
    watch.phase(Phase::Committing, &site.display)?;
    run.write_journal(journal)
}

fn apply(
    held: &[Held],
    files: &mut [CommitFiles],
    plans: &[CommitPlan<'_>],
    journal: &mut Journal,
    watch: &mut Watch<'_>,
) -> Result<(), Error> {
    let hives = held.iter().zip(files).zip(plans).zip(&mut journal.hives);
    for (((held, files), plan), entry) in hives {
        watch.committed(Phase::Committing, &held.path);
        execute(plan, files).map_err(|source| Error::Commit {
            path: held.path.clone(),
            source,
        })?;
        watch.committed(Phase::ReadingBack, &held.path);
        let Some(primary) = files.open(HiveFileKind::Primary) else {
            continue;
        };
        let hive = reopen_clean(primary, &held.path)?;
        verify::look(&hive, &held.path, &expected(&held.changes))?;
        let kinds = LogKind::ALL.map(HiveFileKind::Log);
        for kind in [HiveFileKind::Primary].into_iter().chain(kinds) {
            let path = files.path(kind);
            let file = entry.files.iter_mut().find(|file| file.path == path);
            let (Some(file), Some(open)) = (file, files.open(kind)) else {
                continue;
            };
            file.new = Some(match kind {
                HiveFileKind::Primary => Content::of(hive.image().file()),
                HiveFileKind::Log(_) => {
                    Content::of_file(open).map_err(Error::io(&path, "read the log back"))?
                }
            });
        }
    }
    Ok(())
}

fn finish(run: &RunFolder, journal: &mut Journal) -> Result<(), Error> {
    journal.set_state(RunState::Done);
    run.write_journal(journal)
}

fn applied(held: Held, bytes_written: u64) -> AppliedHive {
    AppliedHive {
        hive: held.name,
        path: held.path,
        recovery: held.recovery,
        check: held.check,
        second_reader: held.second_reader,
        bytes_written,
    }
}

fn roll_back(
    site: &Site,
    run: &RunFolder,
    journal: &mut Journal,
    error: Error,
    watch: &mut Watch<'_>,
) -> Error {
    watch.committed(Phase::RollingBack, &site.display);
    let restored = journal.hives.iter().rev().try_for_each(|entry| {
        let mut restoration = Restoration::open(site.root.as_ref(), run, entry)?;
        restoration.restore().map(|_| ())
    });
    let id = run.id.to_string();
    journal.note = Some(chain(&error));
    let source = Box::new(error);
    match restored {
        Ok(()) => {
            journal.set_state(RunState::RolledBack);
            // Should this fail, the journal still asks for an undo, which finds nothing to do.
            if let Err(error) = run.write_journal(journal) {
                tracing::warn!(run = id, "the journal: {}", chain(&error));
            }
            Error::RolledBack { run: id, source }
        }
        Err(rollback) => {
            journal.set_state(RunState::Broken);
            if let Err(error) = run.write_journal(journal) {
                tracing::warn!(run = id, "the journal: {}", chain(&error));
            }
            Error::Broken {
                run: id,
                source,
                rollback: Box::new(rollback),
            }
        }
    }
}
