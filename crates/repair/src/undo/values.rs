//! Undoing a run value by value, because something else has changed its files since.

use diskmend_disk::{Access, TargetLock};
use diskmend_hive::{EditError, Editor};

use super::{half_way, report, secured, settle};
use crate::descriptors;
use crate::documents::{Method, Reversal, ReversedChange, UndoReport};
use crate::error::{Error, Refusal};
use crate::finding::{ChangedValue, Notice};
use crate::hive_on_disk::{self, HivePlace};
use crate::place::HiveId;
use crate::progress::{Phase, Watch};
use crate::run::{HiveEntry, Journal, JournalChange, RunFolder, Way};
use crate::run_state::RunKind;
use crate::session::{NewRun, Prepared, commit, prepare};
use crate::site::{Options, Site};
use crate::stop::Stop;
use crate::value_data::ValueData;

/// Reverses a run's changes one by one, as a run of its own, and gives every object its old
/// descriptor back. `lock` is the lock of the target.
pub(super) fn undo(
    site: &Site,
    folder: &RunFolder,
    mut journal: Journal,
    lock: TargetLock,
    options: &Options,
    watch: &mut Watch<'_>,
) -> Result<UndoReport, Error> {
    same_volume(site, &journal.hives)?;
    all_reversible(&journal)?;
    folder.read_changes(&mut journal)?;
    // That may be an earlier reversal that was killed.
    site.no_unfinished_run(Some(&journal.run))?;
    watch.phase(Phase::Restoring, &site.display)?;
    let secured = secured(site, folder, &journal)?;
    let mut report = report(site, &journal, Method::Values);
    let Some(secured) = secured else {
        drop(lock);
        return hives(site, folder, journal, report, options, watch);
    };
    // Everything that is refused is refused before the first write. Setting descriptors changes the
    // volume with the hives, so the hives are opened again after it.
    reversed(site, &journal, options, watch).map(drop)?;
    journal.begin_undo(Way::Values);
    folder.write_journal(&journal)?;
    let half_way_of_all = half_way(&journal);
    let undone = site.recording(folder, || {
        descriptors::undo(secured.as_ref(), folder, &journal, watch)
    });
    report.descriptors = Some(undone.map_err(half_way(&journal))?);
    drop(secured);
    drop(lock);
    hives(site, folder, journal, report, options, watch).map_err(half_way_of_all)
}

/// Reverses the changes of the hives. Nothing is noted in the journal before, because the reversal
/// is a run with its own journal.
fn hives(
    site: &Site,
    folder: &RunFolder,
    mut journal: Journal,
    mut report: UndoReport,
    options: &Options,
    watch: &mut Watch<'_>,
) -> Result<UndoReport, Error> {
    report.notices.push(Notice {
        kind: "changed-since",
        text: "something else has changed the hive since this run, so each change of the run was \
               reversed separately, and later changes were kept"
            .to_owned(),
    });
    let (prepared, changes) = reversed(site, &journal, options, watch)?;
    report.changes = changes;
    for entry in journal.hives.iter().filter(|entry| entry.recovered) {
        report.notices.push(Notice {
            kind: "recovery-stays",
            text: format!(
                "{}: what the run recovered from the hive's logs stays",
                entry.path
            ),
        });
    }
    if report
        .changes
        .iter()
        .any(|change| change.reversal == Reversal::LeftAlone)
    {
        report.notices.push(Notice {
            kind: "left-alone",
            text: "some values have been changed again since; these were not restored".to_owned(),
        });
    }
    // A half-written run must not prevent its own reversal.
    journal.way = Some(Way::Values);
    settle(&mut journal, report.descriptors.as_ref());
    if !prepared.is_empty() {
        let new = NewRun {
            kind: RunKind::Undo,
            recipes: journal.recipes.clone(),
            reverses: Some(journal.run.clone()),
        };
        let committed = commit(site, new, prepared, None, watch)?;
        journal.reversed_by.clone_from(&committed.run);
        report.recorded_as = committed.run;
    }
    folder.write_journal(&journal)?;
    Ok(report)
}

/// The reversal of every change, before it is written.
fn reversed(
    site: &Site,
    journal: &Journal,
    options: &Options,
    watch: &mut Watch<'_>,
) -> Result<(Vec<Prepared>, Vec<ReversedChange>), Error> {
    let (mut prepared, mut changes) = (Vec::new(), Vec::new());
    for entry in &journal.hives {
        let opened = open(site, entry)?;
        let edit = |editor: &mut Editor| -> Result<_, Stop<Error>> { Ok(reverse(editor, entry)?) };
        let (hive, reversed) = prepare(opened, options, watch, edit)?;
        prepared.extend(hive);
        changes.extend(reversed);
    }
    Ok((prepared, changes))
}

/// Checks that a volume that was named is still the same one, by the bytes of its boot store. If
/// these differ, another volume may have taken its place, and only the caller knows. A volume on
/// the target's disk is known by its name.
fn same_volume(site: &Site, hives: &[HiveEntry]) -> Result<(), Error> {
    let elsewhere = hives.iter().find_map(|entry| entry.volume.clone());
    match (elsewhere, &site.boot.volume) {
        (Some(path), None) if !site.boot.is_sibling(&path)? => Err(Refusal::BootVolume {
            path,
            reason: "its store is missing now or isn't as the run left it".to_owned(),
        }
        .into()),
        _ => Ok(()),
    }
}

/// Checks that the journal has enough to reverse every change separately.
fn all_reversible(journal: &Journal) -> Result<(), Error> {
    match journal.hives.iter().find(|entry| !entry.reversible) {
        None => Ok(()),
        Some(entry) => Err(Error::NotReversible {
            run: journal.run.clone(),
            path: entry.path.clone(),
        }),
    }
}

fn open(site: &Site, entry: &HiveEntry) -> Result<hive_on_disk::HiveOnDisk, Error> {
    let components: Vec<&str> = entry.path.split('/').collect();
    let root = site.root_of(entry.volume.as_deref())?;
    let place = root.dir().find(&components)?.ok_or_else(|| Error::NoHive {
        path: entry.shown_path(),
    })?;
    let hive = HivePlace {
        hive: HiveId::File(entry.hive.clone()),
        volume: entry.volume.clone(),
        place,
    };
    hive_on_disk::open(hive, Access::ReadWrite)
}

/// Reverses the changes from the last to the first.
fn reverse(editor: &mut Editor, entry: &HiveEntry) -> Result<Vec<ReversedChange>, EditError> {
    let mut reversed = Vec::new();
    for change in entry.changes.iter().rev() {
        match change {
            JournalChange::Value(value) => {
                let (reversal, found) = reverse_value(editor, value)?;
                reversed.push(ReversedChange {
                    hive: entry.hive.clone(),
                    change: value.clone(),
                    reversal,
                    found,
                });
            }
            JournalChange::KeyCreated(key) => {
                let empty = match editor.key(&key.key)? {
                    Some(found) => {
                        found.subkeys()?.next().is_none() && found.values()?.next().is_none()
                    }
                    None => false,
                };
                if empty {
                    editor.delete_key(&key.key)?;
                }
            }
            JournalChange::KeyDeleted(key) => {
                editor.create_key(&key.key)?;
            }
        }
    }
    Ok(reversed)
}

type ValueOutcome = (Reversal, Option<ValueData>);

fn reverse_value(editor: &mut Editor, change: &ChangedValue) -> Result<ValueOutcome, EditError> {
    let found = editor
        .value(&change.key, &change.value)?
        .map(ValueData::from);
    if found == change.old {
        return Ok((Reversal::AlreadyOld, None));
    }
    if found != change.new {
        return Ok((Reversal::LeftAlone, found));
    }
    match &change.old {
        Some(old) => {
            editor.create_key(&change.key)?;
            editor.set_value(&change.key, &change.value, old.value_type, &old.bytes)?;
        }
        None => {
            editor.delete_value(&change.key, &change.value)?;
        }
    }
    Ok((Reversal::Reversed, None))
}
