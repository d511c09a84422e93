//! Writing prepared changes as one run.

use diskmend_hive::commit::{CommitError, CommitPlan, HiveFileKind, Options, execute, plan};
use jiff::Timestamp;

use super::back_up::{Backup, JOURNAL_ROOM, back_up};
use super::files::CommitFiles;
use super::proof::{self, Wanted};
use super::{Held, Prepared, VerifiedImage, filetime};
use diskmend_disk::TargetLock;

use crate::changes::descriptors::AppliedDescriptors;
use crate::check_summary::{CheckSummary, RecoverySummary};
use crate::descriptors::{self, Applying, Draft};
use crate::error::{Error, Refusal, chain};
use crate::place::HiveId;
use crate::progress::{Phase, Watch};
use crate::run::restore::Restoration;
use crate::run::{Content, DescriptorsEntry, HiveEntry, Journal, RunFolder, Way};
use crate::run_state::{RunKind, RunState};
use crate::second_reader::SecondReader;
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
    /// Its name; `None` where nothing could be changed and no run is left.
    pub(crate) run: Option<String>,
    pub(crate) hives: Vec<CommittedHive>,
    /// What was done with security descriptors, where there was anything to do.
    pub(crate) descriptors: Option<AppliedDescriptors>,
}

/// A hive that was written.
pub(crate) struct CommittedHive {
    pub(crate) hive: HiveId,
    /// The root of its volume, if that is not the target.
    pub(crate) volume: Option<String>,
    /// Its path below the root of its volume, with `/`.
    pub(crate) path: String,
    /// What was recovered from its logs first; absent for a clean hive.
    pub(crate) recovery: Option<RecoverySummary>,
    /// What the check of the edited hive found; absent if it was skipped.
    pub(crate) check: Option<CheckSummary>,
    pub(crate) second_reader: SecondReader,
    /// Bytes written to the hive and its logs.
    pub(crate) bytes_written: u64,
}

/// Writes prepared changes: undo data and journal first, then the hives, then the security
/// descriptors. Where something fails after that, all get back what they had; a single file whose
/// descriptor can't be set is no such failure.
///
/// # Errors
/// [`Error::RolledBack`] and [`Error::Broken`] once something may have been written; anything else
/// before.
pub(crate) fn commit(
    site: &Site,
    new: NewRun,
    prepared: Vec<Prepared>,
    applying: Option<Applying>,
    watch: &mut Watch<'_>,
) -> Result<Committed, Error> {
    watch.phase(Phase::BackingUp, &site.display)?;
    let now = Timestamp::now();
    let mut images = Vec::new();
    let mut held = Vec::new();
    let mut files = Vec::new();
    for prepared in prepared {
        images.push(prepared.image);
        held.push(prepared.held);
        files.push(prepared.files);
    }
    let mut plans = Vec::new();
    for ((image, held), files) in images.iter().zip(&held).zip(&mut files) {
        plans.push(plan_one(site, image, &held.path, files, now)?);
    }
    let mut backups: Vec<Backup<'_>> = Vec::new();
    let mut need = Need::default();
    for ((plan, held), files) in plans.iter().zip(&held).zip(&files) {
        let first: usize = backups.iter().map(|backup| backup.entry.files.len()).sum();
        let backup = back_up(held, files, plan, first + 1)?;
        need.target = need.target.saturating_add(backup.need.target);
        need.boot = need.boot.saturating_add(backup.need.boot);
        need.state = need.state.saturating_add(backup.need.state);
        backups.push(backup);
    }
    let mut applying = applying;
    if let Some(applying) = &mut applying {
        let records = applying.draft.len()?;
        need.state = need
            .state
            .saturating_add(records)
            .saturating_add(JOURNAL_ROOM);
    }
    let written: Vec<u64> = plans.iter().map(CommitPlan::bytes_to_write).collect();
    let objects = applying
        .as_ref()
        .map_or(0, |applying| applying.draft.objects());
    let grown = need.target.saturating_add(need.boot);
    let changed = written.iter().copied().fold(grown, u64::saturating_add);
    need.state = need
        .state
        .saturating_add(site.record_room(changed, objects));
    let boot = held.iter().find_map(|held| held.volume.as_deref());
    site.room(need, boot)?;

    let state = site.state.create()?;
    let _lock = TargetLock::acquire(state.as_ref())?;
    // Another process may have begun a run since the hives were read.
    site.no_unfinished_run(new.reverses.as_deref())?;
    let run = site.state.new_run(now, &site.judge)?;
    let target = (site.display.as_str(), site.judge.identity.clone());
    let mut journal = Journal::begin(&run.id, new.kind, target, new.recipes);
    journal.reverses = new.reverses;
    journal.hives = backups.iter().map(|backup| backup.entry.clone()).collect();
    let (draft, known) = match applying {
        None => (None, None),
        Some(Applying {
            draft,
            failed,
            left_alone,
        }) => (Some(draft), Some((failed, left_alone))),
    };
    if let Err(error) = begin(&run, &mut journal, &backups, draft, site, watch) {
        site.abandon_record();
        run.discard();
        return Err(error);
    }
    // The old bytes are in the run's folder now.
    drop(backups);

    let result = write(&images, &plans, &held, &mut files, watch);
    // Two images of a large hive need not be in memory at the same time.
    drop(plans);
    drop(images);
    let result = result
        .and_then(|proofs| read_back(&held, &files, proofs, &mut journal, watch))
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
            hives: held
                .into_iter()
                .zip(written)
                .map(|(held, bytes_written)| applied(held, bytes_written))
                .collect(),
        }),
        Err(error) => {
            // Restoring opens the files anew; where locks are mandatory these must be gone.
            drop(files);
            Err(roll_back(site, &run, &mut journal, error, watch))
        }
    }
}

/// Whether a prepared change can be written, as far as that can be told before.
///
/// # Errors
/// Why it can't: no other change has to wait for it.
pub(crate) fn check_writable(site: &Site, prepared: &mut Prepared) -> Result<(), Error> {
    let Prepared { image, held, files } = prepared;
    plan_one(site, image, &held.path, files, Timestamp::now()).map(drop)
}

/// Plans the commit of a hive, and opens its files. On a disk that is not mounted a log that can't be
/// created or written is done without: the record of that disk protects the change as well.
fn plan_one<'a>(
    site: &Site,
    image: &'a VerifiedImage,
    path: &str,
    files: &mut CommitFiles,
    now: Timestamp,
) -> Result<CommitPlan<'a>, Error> {
    let mut planned = |with_log| {
        let options = Options {
            now: filetime(now),
            format: None,
            with_log,
        };
        let plan = plan(&image.hive, &image.logs, &options);
        let plan = plan.map_err(|source: CommitError| Error::Commit {
            path: path.to_owned(),
            source,
        })?;
        files.open_for(&plan)?;
        files.check_room(&plan)?;
        Ok(plan)
    };
    match planned(true) {
        Err(Error::Refused(Refusal::NoLog { .. } | Refusal::NoRoom { .. }))
            if site.disk.is_some() =>
        {
            planned(false)
        }
        planned => planned,
    }
}

/// Makes the undo data and the journal durable; nothing else is written before that.
fn begin(
    run: &RunFolder,
    journal: &mut Journal,
    backups: &[Backup<'_>],
    draft: Option<Draft>,
    site: &Site,
    watch: &mut Watch<'_>,
) -> Result<(), Error> {
    for ((number, backup), entry) in (1..).zip(backups).zip(&mut journal.hives) {
        backup.write(run, number, entry)?;
    }
    if let Some(draft) = draft {
        let records = run.write_records(draft)?;
        journal.descriptors = Some(DescriptorsEntry {
            reports: descriptors::before(run, &records)?,
            records,
            begun: backups.is_empty(),
            failed: 0,
        });
    }
    journal.disk = site.begin_record(run)?;
    // Before the journal gets its name: a run that has one has all that it names.
    run.sync()?;
    // The last moment at which the caller may still interrupt.
    watch.phase(Phase::Committing, &site.display)?;
    run.write_journal(journal)
}

/// What speaks for a hive after its commit.
enum Proof {
    /// All that was written was read back.
    Given(Content),
    /// The file must be read in full.
    Due(Wanted),
}

fn write(
    images: &[VerifiedImage],
    plans: &[CommitPlan<'_>],
    held: &[Held],
    files: &mut [CommitFiles],
    watch: &mut Watch<'_>,
) -> Result<Vec<Proof>, Error> {
    let mut proofs = Vec::new();
    for (((image, plan), held), files) in images.iter().zip(plans).zip(held).zip(files) {
        watch.committed(Phase::Committing, &held.path);
        // The disk is waited for most of the time.
        let (result, wanted) = std::thread::scope(|scope| {
            let wanted = scope.spawn(|| Wanted::of(&image.hive, plan, &image.before));
            (execute(plan, files), wanted.join())
        });
        result.map_err(|source| Error::Commit {
            path: held.path.clone(),
            source,
        })?;
        let wanted = wanted.unwrap_or_else(|_| Wanted::of(&image.hive, plan, &image.before));
        // What a recovery leaves behind the end of the bins is known to the disk only.
        let quick = held.check.is_none() && held.recovery.is_none();
        proofs.push(match files.open(HiveFileKind::Primary) {
            Some(primary) if quick => {
                watch.committed(Phase::ReadingBack, &held.path);
                Proof::Given(proof::of_writes(primary, &held.path, plan, &wanted)?)
            }
            _ => Proof::Due(wanted),
        });
    }
    Ok(proofs)
}

fn read_back(
    held: &[Held],
    files: &[CommitFiles],
    proofs: Vec<Proof>,
    journal: &mut Journal,
    watch: &mut Watch<'_>,
) -> Result<(), Error> {
    let hives = held.iter().zip(files).zip(proofs).zip(&mut journal.hives);
    for (((held, files), proof), entry) in hives {
        let Some(primary) = files.open(HiveFileKind::Primary) else {
            continue;
        };
        let content = match proof {
            Proof::Given(content) => content,
            Proof::Due(wanted) => {
                watch.committed(Phase::ReadingBack, &held.path);
                proof::in_full(primary, &held.path, held.changes.list(), &wanted)?
            }
        };
        for kind in HiveFileKind::ALL {
            let path = files.path(kind);
            let file = entry.files.iter_mut().find(|file| file.path == path);
            let (Some(file), Some(open)) = (file, files.open(kind)) else {
                continue;
            };
            file.new = Some(match kind {
                HiveFileKind::Primary => content,
                HiveFileKind::Log(_) => {
                    Content::of_file(open).map_err(Error::io(&path, "read the log back"))?
                }
            });
        }
    }
    Ok(())
}

/// Sets the security descriptors, once the hives are done and the journal says so: a run that is
/// killed from here on can be completed.
fn set_descriptors(
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
    journal.settle_descriptors(&applied);
    Ok(applied)
}

/// How a run came to a good end.
#[derive(Clone, Copy, PartialEq, Eq)]
enum End {
    Done,
    /// Nothing could be changed, and the journal says that nothing is.
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
    if journal.hives.is_empty() && nothing_set && is_as_before(site, run, journal, watch)? {
        journal.set_state(RunState::RolledBack);
        run.write_journal(journal)?;
        return Ok(End::NothingDone);
    }
    site.end_record(run, journal)?;
    journal.set_state(RunState::Done);
    run.write_journal(journal)?;
    Ok(End::Done)
}

/// Makes sure of a run that could set no descriptor that it has changed nothing else: what was
/// added to a volume for those goes again.
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
    // One that failed may have been set all the same, and could not be read back.
    match roll_back_descriptors(site, run, journal, watch) {
        Ok(()) => Ok(true),
        Err(Error::NotRestored { .. }) => Ok(false),
        Err(error) => Err(error),
    }
}

fn applied(held: Held, bytes_written: u64) -> CommittedHive {
    CommittedHive {
        hive: held.hive,
        volume: held.volume,
        path: held.path,
        recovery: held.recovery,
        check: held.check,
        second_reader: held.second_reader,
        bytes_written,
    }
}

fn roll_back_descriptors(
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

/// Takes back descriptor by descriptor and file by file, where there is no record of sectors.
fn roll_back_parts(
    site: &Site,
    run: &RunFolder,
    journal: &Journal,
    watch: &mut Watch<'_>,
) -> Result<(), Error> {
    roll_back_descriptors(site, run, journal, watch)?;
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

/// Takes back the files that the record of sectors says nothing of.
fn roll_back_elsewhere(site: &Site, run: &RunFolder, journal: &Journal) -> Result<(), Error> {
    journal.hives.iter().rev().try_for_each(|entry| {
        if site.holds(entry)? {
            Ok(())
        } else {
            roll_back_hive(site, run, entry)
        }
    })
}

fn roll_back(
    site: &Site,
    run: &RunFolder,
    journal: &mut Journal,
    error: Error,
    watch: &mut Watch<'_>,
) -> Error {
    watch.committed(Phase::RollingBack, &site.display);
    let id = run.id.to_string();
    journal.note = Some(chain(&error));
    // Should this be killed, the run must not be taken for one that only has to be completed.
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
            // Should this fail, the journal still asks for an undo, which finds nothing to do.
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

/// Notes a state in the journal, as durably as that is possible: on a full disk, or on one that can't
/// be flushed any more, it may not be.
fn note_state(run: &RunFolder, journal: &mut Journal, state: RunState) {
    journal.set_state(state);
    if let Err(error) = run.note_journal(journal) {
        tracing::warn!(run = %run.id, "the journal: {}", chain(&error));
    }
}
