//! `undo`: taking a run back, by its bytes where nothing else has changed them since, and else
//! value by value.

use std::fs::TryLockError;

use diskmend_disk::{Access, Target};
use diskmend_hive::EditError;

use crate::descriptors;
use crate::documents::{
    ChangedValue, Method, Notice, Reversal, ReversedChange, RunKind, RunState, SCHEMA, UndoReport,
    UndoneDescriptors,
};
use crate::error::{Error, Refusal};
use crate::hive_on_disk::{self, HivePlace};
use crate::progress::{Phase, Watch};
use crate::recorder::Recorder;
use crate::run::restore::Restoration;
use crate::run::{HiveEntry, Journal, JournalChange, RunFolder};
use crate::session::{NewRun, commit, prepare};
use crate::site::{Options, Site, guards};
use crate::stop::Stop;

/// Undoes a run: the named one, or the newest that can be undone.
///
/// # Errors
/// See [`Error`] and its [`class`](Error::class).
pub fn undo(
    target: &Target,
    run: Option<&str>,
    options: &Options,
    watch: &mut Watch<'_>,
) -> Result<UndoReport, Error> {
    let mut site = Site::of(target, options)?;
    watch.phase(Phase::Guards, &site.display)?;
    guards(target, false)?;
    if let Some(volume) = &site.boot.volume {
        volume.guards(true)?;
    }
    undo_site(&mut site, run, options, watch)
}

pub(crate) fn undo_site(
    site: &mut Site,
    run: Option<&str>,
    options: &Options,
    watch: &mut Watch<'_>,
) -> Result<UndoReport, Error> {
    let (folder, mut journal) = choose(site, run)?;
    if !journal.state.is_undoable() {
        return Err(Error::NotUndoable {
            run: journal.run,
            state: journal.state,
        });
    }
    let Some(state) = site.state.open()? else {
        return Err(Error::NothingToUndo);
    };
    let lock = state.lock_target()?;
    watch.phase(Phase::Opening, &site.display)?;
    site.end_attempt(&folder)?;
    let site = &*site;
    if site.disk_is_as_recorded(&folder, &journal)? == Some(true) && site.holds_all(&journal)? {
        return whole_disk(site, &folder, journal, watch);
    }
    let hives = journal.hives.clone();
    let mut restorations = Vec::new();
    let mut exact = true;
    for entry in &hives {
        let root = site.root_of(entry.volume.as_deref())?;
        let restoration = Restoration::open(root.dir(), &folder, entry)?;
        lock_hive(&restoration, entry)?;
        exact = exact && restoration.is_exact(journal.state)?;
        restorations.push(restoration);
    }
    if !exact {
        same_volume(site, &hives)?;
        all_reversible(&journal)?;
    }
    watch.phase(Phase::Restoring, &site.display)?;
    // Before anything is noted: another driver may have mounted the volume, and the records may be
    // damaged.
    let secured = match &journal.descriptors {
        None => None,
        Some(entry) => {
            folder.open_records(&entry.records)?;
            Some(site.secured()?)
        }
    };
    journal.set_state(RunState::Undoing);
    let (mut descriptors, mut files) = (None, Vec::new());
    if exact || secured.is_some() {
        folder.write_journal(&journal)?;
        site.recording(&folder, || {
            if let Some(secured) = &secured {
                let undone = descriptors::undo(secured.as_ref(), &folder, &journal, watch)?;
                descriptors = Some(undone);
            }
            for restoration in restorations.iter_mut().rev().filter(|_| exact) {
                files.extend(restoration.restore()?);
            }
            Ok(())
        })
        .map_err(half_way(&journal))?;
    }
    if !exact {
        drop(restorations);
        drop(lock);
        let begun = descriptors.is_some();
        let half_way = half_way(&journal);
        let undone = by_values(site, &folder, journal, descriptors, options, watch);
        return undone.map_err(|error| match begun {
            true => half_way(error),
            false => error,
        });
    }
    settle(&mut journal, descriptors.as_ref());
    folder.write_journal(&journal).map_err(half_way(&journal))?;
    Ok(UndoReport {
        schema: SCHEMA,
        target: site.display.clone(),
        run: journal.run,
        method: Method::Bytes,
        files,
        changes: Vec::new(),
        descriptors,
        recorded_as: None,
        notices: Vec::new(),
    })
}

/// Gives every sector of a disk that is not mounted back what it held before the run.
fn whole_disk(
    site: &Site,
    folder: &RunFolder,
    mut journal: Journal,
    watch: &mut Watch<'_>,
) -> Result<UndoReport, Error> {
    watch.phase(Phase::Restoring, &site.display)?;
    journal.set_state(RunState::Undoing);
    folder.write_journal(&journal)?;
    let restored = site
        .restore_disk(folder, &journal)
        .map_err(half_way(&journal))?;
    tracing::debug!(?restored, "the sectors of the disk");
    journal.set_state(RunState::Undone);
    folder.write_journal(&journal).map_err(half_way(&journal))?;
    let files = journal.hives.iter().flat_map(HiveEntry::restored);
    let objects = journal.descriptors.as_ref();
    Ok(UndoReport {
        schema: SCHEMA,
        target: site.display.clone(),
        run: journal.run.clone(),
        method: Method::Bytes,
        files: files.collect(),
        changes: Vec::new(),
        descriptors: objects.map(|entry| UndoneDescriptors {
            restored: entry.records.objects,
            ..UndoneDescriptors::default()
        }),
        recorded_as: None,
        notices: Vec::new(),
    })
}

/// What failed once something may have been given back.
fn half_way(journal: &Journal) -> impl FnOnce(Error) -> Error + use<> {
    let run = journal.run.clone();
    move |source| Error::NotUndone {
        run,
        source: Box::new(source),
    }
}

/// The run is undone, unless some permissions could not be restored: then it can be undone again.
fn settle(journal: &mut Journal, descriptors: Option<&UndoneDescriptors>) {
    match descriptors.map_or(0, |undone| undone.failed.count) {
        0 => journal.set_state(RunState::Undone),
        failed => {
            journal.note = Some(format!(
                "the permissions of {failed} objects could not be restored"
            ));
        }
    }
}

/// A volume that was named is known by the bytes of the store on it. Where these are others,
/// another volume may have taken its place, and only the caller knows. One that lies on the target's
/// disk is the same by its name.
fn same_volume(site: &Site, hives: &[HiveEntry]) -> Result<(), Error> {
    let elsewhere = hives.iter().find_map(|entry| entry.volume.clone());
    match (elsewhere, &site.boot.volume) {
        (Some(path), None) if !site.boot.is_sibling(&path)? => Err(Refusal::BootVolume {
            path,
            reason: "a store that is not as the run left it is there now, or none".to_owned(),
        }
        .into()),
        _ => Ok(()),
    }
}

/// Whether the journal tells enough to reverse every change by itself.
fn all_reversible(journal: &Journal) -> Result<(), Error> {
    match journal.hives.iter().find(|entry| !entry.reversible) {
        None => Ok(()),
        Some(entry) => Err(Error::NotReversible {
            run: journal.run.clone(),
            path: entry.path.clone(),
        }),
    }
}

/// The run to undo. Reversals of runs are only undone when they are asked for by name.
fn choose(site: &Site, wanted: Option<&str>) -> Result<(RunFolder, Journal), Error> {
    if let Some(name) = wanted {
        let folder = site.state.run(name)?;
        let journal = folder.journal()?.ok_or_else(|| Error::NoRun {
            run: name.to_owned(),
        })?;
        return match journal.partition() {
            Some(partition) if !site.is_target_of(&journal) => Err(Refusal::OtherPartition {
                run: journal.run,
                partition,
            }
            .into()),
            _ => Ok((folder, journal)),
        };
    }
    for folder in site.state.runs()?.into_iter().rev() {
        let Some(journal) = folder.journal()? else {
            continue;
        };
        if journal.summary().is_undone_unasked() && site.is_target_of(&journal) {
            return Ok((folder, journal));
        }
    }
    Err(Error::NothingToUndo)
}

fn lock_hive(restoration: &Restoration<'_>, entry: &HiveEntry) -> Result<(), Error> {
    let Some(hive) = restoration.hive() else {
        return Ok(());
    };
    match hive.try_lock() {
        Ok(()) => Ok(()),
        Err(TryLockError::WouldBlock) => Err(Refusal::HiveBusy {
            path: entry.path.clone(),
        }
        .into()),
        Err(TryLockError::Error(error)) => Err(Error::io(&entry.path, "lock the hive")(error)),
    }
}

/// Reverses the changes of a run one by one, as a run of its own.
fn by_values(
    site: &Site,
    folder: &RunFolder,
    mut journal: Journal,
    descriptors: Option<UndoneDescriptors>,
    options: &Options,
    watch: &mut Watch<'_>,
) -> Result<UndoReport, Error> {
    let mut report = UndoReport {
        schema: SCHEMA,
        target: site.display.clone(),
        run: journal.run.clone(),
        method: Method::Values,
        files: Vec::new(),
        changes: Vec::new(),
        descriptors,
        recorded_as: None,
        notices: vec![Notice {
            kind: "changed-since",
            text: "something else has changed the hive since this run: each of its changes was \
                   reversed by itself, and what came later was kept"
                .to_owned(),
        }],
    };
    let mut prepared = Vec::new();
    for entry in &journal.hives {
        if entry.recovered {
            report.notices.push(Notice {
                kind: "recovery-stays",
                text: format!(
                    "{}: what the run recovered from the hive's logs stays",
                    entry.path
                ),
            });
        }
        let opened = open(site, entry)?;
        let mut reversed = Vec::new();
        let edit = |recorder: &mut Recorder| -> Result<(), Stop<Error>> {
            reversed = reverse(recorder, entry)?;
            Ok(())
        };
        prepared.extend(prepare(opened, options, watch, edit)?);
        report.changes.append(&mut reversed);
    }
    if report
        .changes
        .iter()
        .any(|change| change.reversal == Reversal::LeftAlone)
    {
        report.notices.push(Notice {
            kind: "left-alone",
            text: "some values were changed to something else since and were left alone".to_owned(),
        });
    }
    // A half-written run must not stand in the way of its own reversal.
    settle(&mut journal, report.descriptors.as_ref());
    if !prepared.is_empty() {
        let new = NewRun {
            kind: RunKind::Undo,
            recipes: journal.recipes.clone(),
            reverses: Some(journal.run.clone()),
        };
        let committed = commit(site, new, prepared, None, watch)?;
        journal.reversed_by = Some(committed.run.clone());
        report.recorded_as = Some(committed.run);
    }
    folder.write_journal(&journal)?;
    Ok(report)
}

fn open(site: &Site, entry: &HiveEntry) -> Result<hive_on_disk::HiveOnDisk, Error> {
    let components: Vec<&str> = entry.path.split('/').collect();
    let root = site.root_of(entry.volume.as_deref())?;
    let place = root.dir().find(&components)?.ok_or_else(|| Error::NoHive {
        path: entry.shown_path(),
    })?;
    let hive = HivePlace {
        hive: entry.hive.clone(),
        volume: entry.volume.clone(),
        place,
    };
    hive_on_disk::open(hive, Access::ReadWrite)
}

/// Reverses the changes from the last to the first.
fn reverse(recorder: &mut Recorder, entry: &HiveEntry) -> Result<Vec<ReversedChange>, EditError> {
    let mut reversed = Vec::new();
    for change in entry.changes.iter().rev() {
        match change {
            JournalChange::Value(value) => {
                let (reversal, found) = reverse_value(recorder, value)?;
                reversed.push(ReversedChange {
                    hive: entry.hive.clone(),
                    change: value.clone(),
                    reversal,
                    found,
                });
            }
            JournalChange::KeyCreated(key) => {
                let empty = match recorder.key(&key.key)? {
                    Some(found) => {
                        found.subkeys()?.next().is_none() && found.values()?.next().is_none()
                    }
                    None => false,
                };
                if empty {
                    recorder.delete_key(&key.key)?;
                }
            }
            JournalChange::KeyDeleted(key) => {
                recorder.create_key(&key.key)?;
            }
        }
    }
    Ok(reversed)
}

type ValueOutcome = (Reversal, Option<crate::ValueData>);

fn reverse_value(
    recorder: &mut Recorder,
    change: &ChangedValue,
) -> Result<ValueOutcome, EditError> {
    let found = recorder.value(&change.key, &change.value)?;
    if found == change.old {
        return Ok((Reversal::AlreadyOld, None));
    }
    if found != change.new {
        return Ok((Reversal::LeftAlone, found));
    }
    match &change.old {
        Some(old) => {
            recorder.create_key(&change.key)?;
            recorder.set_value(&change.key, &change.value, old.value_type, &old.bytes)?;
        }
        None => {
            recorder.delete_value(&change.key, &change.value)?;
        }
    }
    Ok((Reversal::Reversed, None))
}
