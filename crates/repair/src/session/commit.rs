//! Writing prepared hives. Each is locked and was verified in memory, and the caller has written
//! the undo data and the journal.

use diskmend_hive::commit::{
    CommitError, CommitPlan, HiveFileKind, Options, execute, plan, replace,
};
use jiff::Timestamp;

use super::back_up::{Backup, back_up};
use super::files::CommitFiles;
use super::proof::{self, Wanted};
use super::{Prepared, Target, VerifiedImage, WriteWay, filetime};
use crate::check_summary::{CheckSummary, RecoverySummary};
use crate::error::{Error, Refusal};
use crate::place::HiveId;
use crate::progress::{Phase, Watch};
use crate::run::{Content, Journal};
use crate::second_reader::SecondReader;
use crate::site::Site;

/// A hive that was written.
pub(crate) struct CommittedHive {
    pub(crate) hive: HiveId,
    /// The root of its volume, if that is not the target.
    pub(crate) volume: Option<String>,
    /// Its path below the root of its volume, with `/`.
    pub(crate) path: String,
    /// The recovery from its logs before the edit; absent for a clean hive.
    pub(crate) recovery: Option<RecoverySummary>,
    /// The result of checking the edited hive; absent if the check was skipped.
    pub(crate) check: Option<CheckSummary>,
    pub(crate) second_reader: SecondReader,
    /// The number of bytes written to the hive and its logs.
    pub(crate) bytes_written: u64,
}

/// Separates the hives as they will be from the hives on the disk.
pub(crate) fn part(prepared: Vec<Prepared>) -> (Vec<VerifiedImage>, Vec<Target>) {
    let parts = prepared.into_iter();
    parts
        .map(|Prepared { image, target }| (image, target))
        .unzip()
}

impl Target {
    /// The root of its volume, if that is not the target's.
    pub(crate) fn volume(&self) -> Option<&str> {
        self.held.volume.as_deref()
    }

    /// The report of the commit.
    pub(crate) fn committed(self, bytes_written: u64) -> CommittedHive {
        let held = self.held;
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
}

/// Plans the commits, and opens the files.
pub(crate) fn plan_all<'a>(
    site: &Site,
    images: &'a [VerifiedImage],
    targets: &mut [Target],
    now: Timestamp,
) -> Result<Vec<CommitPlan<'a>>, Error> {
    let pairs = images.iter().zip(targets);
    let plans =
        pairs.map(|(image, Target { held, files })| plan_one(site, image, &held.path, files, now));
    plans.collect()
}

/// Computes the undo data of all commits. Their files are numbered from 1.
pub(crate) fn back_up_all<'a>(
    plans: &'a [CommitPlan<'_>],
    targets: &[Target],
) -> Result<Vec<Backup<'a>>, Error> {
    let mut backups: Vec<Backup<'_>> = Vec::new();
    let mut next = 1;
    for (plan, Target { held, files }) in plans.iter().zip(targets) {
        let backup = back_up(held, files, plan, next)?;
        next += backup.entry.files.len();
        backups.push(backup);
    }
    Ok(backups)
}

/// Checks if a prepared change can be written, as far as that is known before.
///
/// # Errors
/// The reason why it can't be written; other changes still can be.
pub(crate) fn check_writable(site: &Site, prepared: &mut Prepared) -> Result<(), Error> {
    let Prepared { image, target } = prepared;
    let Target { held, files } = target;
    plan_one(site, image, &held.path, files, Timestamp::now()).map(drop)
}

/// Plans the commit of a hive and opens its files. If a log can't be created or written on an
/// unmounted disk, the commit does without it, because the record of that disk also protects the
/// change.
fn plan_one<'a>(
    site: &Site,
    image: &'a VerifiedImage,
    path: &str,
    files: &mut CommitFiles,
    now: Timestamp,
) -> Result<CommitPlan<'a>, Error> {
    let cannot_commit = |source: CommitError| Error::Commit {
        path: path.to_owned(),
        source,
    };
    if let WriteWay::Whole { old_len } = image.way {
        let plan = replace(&image.hive, &image.logs, old_len, filetime(now));
        let plan = plan.map_err(cannot_commit)?;
        files.open_for(&plan)?;
        files.check_room(&plan)?;
        return Ok(plan);
    }
    let mut planned = |with_log| {
        let options = Options {
            now: filetime(now),
            format: None,
            with_log,
        };
        let plan = plan(&image.hive, &image.logs, &options);
        let plan = plan.map_err(cannot_commit)?;
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

/// Writes the hives.
pub(crate) fn write(
    images: &[VerifiedImage],
    plans: &[CommitPlan<'_>],
    targets: &mut [Target],
    watch: &mut Watch<'_>,
) -> Result<Vec<Wanted>, Error> {
    let mut all = Vec::new();
    for ((image, plan), Target { held, files }) in images.iter().zip(plans).zip(targets) {
        watch.committed(Phase::Committing, &held.path);
        // Most of the time is spent waiting for the disk.
        let (result, wanted) = std::thread::scope(|scope| {
            let wanted = scope.spawn(|| Wanted::of(&image.hive, plan, &image.before));
            (execute(plan, files), wanted.join())
        });
        result.map_err(|source| Error::Commit {
            path: held.path.clone(),
            source,
        })?;
        all.push(wanted.unwrap_or_else(|_| Wanted::of(&image.hive, plan, &image.before)));
    }
    Ok(all)
}

/// Reads the hives back, and notes the content of their files in the journal.
pub(crate) fn read_back(
    targets: &[Target],
    wanted: &[Wanted],
    journal: &mut Journal,
    watch: &mut Watch<'_>,
) -> Result<(), Error> {
    let hives = targets.iter().zip(wanted).zip(&mut journal.hives);
    for ((Target { held, files }, wanted), entry) in hives {
        watch.committed(Phase::ReadingBack, &held.path);
        let content = match held.recovery {
            None => proof::of_chunks(files.primary()?, &held.path, wanted)?,
            Some(_) => proof::of_hive(files.primary()?, &held.path, held.changes.list(), wanted)?,
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
