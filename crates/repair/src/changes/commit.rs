//! Writing prepared changes as one run.

use diskmend_disk::TargetLock;
use diskmend_hive::commit::CommitPlan;
use jiff::Timestamp;

use super::Ready;
use super::descriptors::{self, AppliedDescriptors, DescriptorsChange};
use super::files::{self, FilesChange};
use super::roll_back::{roll_back, roll_back_descriptors};
use crate::error::Error;
use crate::identity::WindowsNames;
use crate::progress::{Phase, Watch};
use crate::run::{DescriptorsEntry, Draft, FilesEntry, Journal, RunFolder, Way};
use crate::run_state::{RunKind, RunState};
use crate::session::{
    Backup, CommittedHive, JOURNAL_ROOM, Target, back_up_all, part, plan_all, read_back, write,
};
use crate::site::{Need, Site};

/// What a new run is about.
pub(crate) struct NewRun {
    pub(crate) kind: RunKind,
    pub(crate) recipes: Vec<String>,
    /// The run that it reverses, if it reverses one.
    pub(crate) reverses: Option<String>,
    /// The Windows on the target, as far as it is known.
    pub(crate) windows: WindowsNames,
}

/// A run that has succeeded.
pub(crate) struct Committed {
    /// Its name; `None` if nothing could be changed and no run is left.
    pub(crate) run: Option<String>,
    pub(crate) hives: Vec<CommittedHive>,
    /// The result for the security descriptors, if any were to be set.
    pub(crate) descriptors: Option<AppliedDescriptors>,
}

impl Ready {
    /// Makes the changes as one run: undo data and journal first, then the hives, then the security
    /// descriptors. If something fails after that, everything is restored. If the descriptor of a
    /// single file can't be set, that does not count as such a failure.
    ///
    /// # Errors
    /// [`Error::RolledBack`] and [`Error::Broken`] once something may have been written; any other
    /// error before that.
    pub(crate) fn commit(
        self,
        site: &Site,
        new: NewRun,
        watch: &mut Watch<'_>,
    ) -> Result<Committed, Error> {
        let Self {
            hives,
            files,
            descriptors,
        } = self;
        let mut descriptors = descriptors;
        watch.phase(Phase::BackingUp, &site.display)?;
        let now = Timestamp::now();
        let (images, mut targets) = part(hives);
        let plans = plan_all(site, &images, &mut targets, now)?;
        let backups = back_up_all(&plans, &targets)?;
        let written: Vec<u64> = plans.iter().map(CommitPlan::bytes_to_write).collect();
        let need = need(
            site,
            &backups,
            &written,
            (files.as_ref(), descriptors.as_mut()),
        )?;
        site.room(need, targets.iter().find_map(Target::volume))?;

        let state = site.state.create()?;
        let _lock = TargetLock::acquire(state.as_ref())?;
        // Another process may have begun a run since the hives were read.
        site.no_unfinished_run(new.reverses.as_deref())?;
        let run = site.state.new_run(now, &site.judge)?;
        let target = (site.display.as_str(), site.judge.identity.clone());
        let mut journal = Journal::begin(&run.id, new.kind, target, new.recipes);
        journal.windows = new.windows;
        journal.reverses = new.reverses;
        journal.hives = backups.iter().map(|backup| backup.entry.clone()).collect();
        let (draft, known) = match descriptors {
            None => (None, None),
            Some(DescriptorsChange {
                draft,
                failed,
                left_alone,
            }) => (Some(draft), Some((failed, left_alone))),
        };
        if let Err(error) = begin(&run, &mut journal, &backups, (files, draft), site, watch) {
            site.abandon_record();
            run.discard();
            return Err(error);
        }
        // The old bytes are in the run's folder now.
        drop(backups);

        for (entry, bytes) in journal.hives.iter().zip(&written) {
            tracing::info!("write {}: {bytes} bytes", entry.shown_path());
        }
        let result = write(&images, &plans, &mut targets, watch);
        // Two images of a large hive need not be in memory at the same time.
        drop(plans);
        drop(images);
        let result = result
            .and_then(|wanted| read_back(&targets, &wanted, &mut journal, watch))
            .and_then(|()| move_files(site, &run, &mut journal, watch))
            .and_then(|()| set_descriptors(site, &run, &mut journal, watch))
            .and_then(|set| finish(site, &run, &mut journal, &set, watch).map(|end| (set, end)));
        match result {
            Ok((set, end)) => Ok(Committed {
                run: match end {
                    End::Done => Some(run.id.to_string()),
                    End::NothingDone => {
                        run.discard();
                        None
                    }
                },
                descriptors: known.map(|(failed, left_alone)| {
                    let mut set = set;
                    if end == End::NothingDone {
                        set.reports.clear();
                    }
                    set.failed.append(failed);
                    set.left_alone = left_alone;
                    set
                }),
                hives: targets
                    .into_iter()
                    .zip(written)
                    .map(|(target, bytes_written)| target.committed(bytes_written))
                    .collect(),
            }),
            Err(error) => {
                // Restoring opens the files again. If locks are mandatory, these must be closed.
                drop(targets);
                Err(roll_back(site, &run, &mut journal, error, watch))
            }
        }
    }
}

/// The space that the run needs. `written` are the numbers of bytes that are written to each hive
/// and its logs.
fn need(
    site: &Site,
    backups: &[Backup<'_>],
    written: &[u64],
    (files, descriptors): (Option<&FilesChange>, Option<&mut DescriptorsChange>),
) -> Result<Need, Error> {
    let mut need = Need {
        state: files.map_or(0, FilesChange::new_bytes),
        ..Need::default()
    };
    for backup in backups {
        need.target = need.target.saturating_add(backup.need.target);
        need.boot = need.boot.saturating_add(backup.need.boot);
        need.state = need.state.saturating_add(backup.need.state);
    }
    let mut objects = 0;
    if let Some(DescriptorsChange { draft, .. }) = descriptors {
        objects = draft.objects();
        let records = draft.len()?.saturating_add(JOURNAL_ROOM);
        need.state = need.state.saturating_add(records);
    }
    let grown = need.target.saturating_add(need.boot);
    let mut changed = written.iter().copied().fold(grown, u64::saturating_add);
    if let (Some(files), Some(_)) = (files, &site.disk) {
        // There, a copy of each is kept, and the record has their clusters.
        let old = files.old_bytes();
        need.state = need.state.saturating_add(old);
        changed = changed
            .saturating_add(old)
            .saturating_add(files.new_bytes());
    }
    let record = site.record_room(changed, objects);
    need.state = need.state.saturating_add(record);
    Ok(need)
}

/// Makes the undo data and the journal durable; nothing else is written before that.
fn begin(
    run: &RunFolder,
    journal: &mut Journal,
    backups: &[Backup<'_>],
    (files, draft): (Option<FilesChange>, Option<Draft>),
    site: &Site,
    watch: &mut Watch<'_>,
) -> Result<(), Error> {
    for ((number, backup), entry) in (1..).zip(backups).zip(&mut journal.hives) {
        backup.write(run, number, entry)?;
    }
    if let Some(change) = files {
        journal.files = Some(FilesEntry {
            begun: backups.is_empty(),
            ..files::record(site, run, &change)?
        });
    }
    if let Some(draft) = draft {
        let records = run.write_records(draft)?;
        journal.descriptors = Some(DescriptorsEntry {
            reports: descriptors::before(run, &records)?,
            records,
            begun: backups.is_empty() && journal.files.is_none(),
            failed: 0,
        });
    }
    journal.disk = site.begin_record(run)?;
    // This comes before the journal, so that all files of a run with a journal exist.
    run.sync()?;
    // After this the caller can no longer interrupt.
    watch.phase(Phase::Committing, &site.display)?;
    run.write_journal(journal)
}

/// Moves files after the hives are done and the journal says so. From then on, a run that is killed
/// can be completed.
pub(super) fn move_files(
    site: &Site,
    run: &RunFolder,
    journal: &mut Journal,
    watch: &mut Watch<'_>,
) -> Result<(), Error> {
    let Some(entry) = &mut journal.files else {
        return Ok(());
    };
    if !entry.begun {
        entry.begun = true;
        run.write_journal(journal)?;
    }
    files::apply(site, run, journal, watch)
}

/// Sets the security descriptors after everything else is done and the journal says so. From then on, a
/// run that is killed can be completed.
pub(super) fn set_descriptors(
    site: &Site,
    run: &RunFolder,
    journal: &mut Journal,
    watch: &mut Watch<'_>,
) -> Result<AppliedDescriptors, Error> {
    let Some(entry) = &mut journal.descriptors else {
        return Ok(AppliedDescriptors::default());
    };
    if !entry.begun {
        entry.begun = true;
        run.write_journal(journal)?;
    }
    let secured = descriptors::of_site(site)?;
    let applied = descriptors::apply(secured.as_ref(), run, journal, watch)?;
    descriptors::settle_applied(journal, &applied);
    Ok(applied)
}

/// The ways in which a run succeeds.
#[derive(Clone, Copy, PartialEq, Eq)]
enum End {
    Done,
    /// Nothing could be changed, and the journal says so.
    NothingDone,
}

fn finish(
    site: &Site,
    run: &RunFolder,
    journal: &mut Journal,
    set: &AppliedDescriptors,
    watch: &mut Watch<'_>,
) -> Result<End, Error> {
    let nothing_set = set.changed == 0 && set.already == 0;
    let only_set = journal.hives.is_empty() && journal.files.is_none();
    if only_set && nothing_set && is_as_before(site, run, journal, watch)? {
        journal.set_state(RunState::RolledBack);
        run.write_journal(journal)?;
        return Ok(End::NothingDone);
    }
    site.end_record(run, journal)?;
    journal.set_state(RunState::Done);
    run.write_journal(journal)?;
    Ok(End::Done)
}

/// For a run that could set no descriptor: makes sure that it has changed nothing else, and removes
/// what was added to a volume for the descriptors.
fn is_as_before(
    site: &Site,
    run: &RunFolder,
    journal: &mut Journal,
    watch: &mut Watch<'_>,
) -> Result<bool, Error> {
    if journal.disk.is_some() {
        journal.begin_undo(Way::Sectors);
        run.write_journal(journal)?;
        return site.restore_disk(run, journal).map(|_| true);
    }
    // A descriptor that failed may have been set without being read back.
    match roll_back_descriptors(site, run, journal, watch) {
        Ok(()) => Ok(true),
        Err(Error::NotRestored { .. }) => Ok(false),
        Err(error) => Err(error),
    }
}
