//! Undoing the changes of hives: each file by its bytes, or each change separately.

use std::fs::TryLockError;

use diskmend_disk::Access;
use diskmend_hive::{EditError, Editor, KeyState, Outcome};
use serde::Serialize;

use crate::changes::descriptors::DescriptorWords;
use crate::error::{Error, Refusal};
use crate::finding::{ChangedValue, Notice};
use crate::hive_on_disk;
use crate::place::HiveId;
use crate::progress::Watch;
use crate::restored::RestoredFile;
use crate::run::restore::Restoration;
use crate::run::{ChangedDescriptor, HiveEntry, Journal, JournalChange, RunFolder};
use crate::session::{Prepared, prepare};
use crate::site::{Options, Site};
use crate::stop::Stop;
use crate::value_data::ValueData;

/// A change of the run, and the result of reversing it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ReversedChange {
    /// The hive.
    pub hive: String,
    /// The change as the run made it.
    #[serde(flatten)]
    pub change: ChangedValue,
    /// The result.
    pub reversal: Reversal,
    /// What is there now, if that is neither the old nor the new data.
    pub found: Option<ValueData>,
    /// The permissions, if the change is about those of the key; then it names no value.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub permissions: Option<ReversedPermissions>,
}

/// The permissions of a key that a run has changed, as SDDL if that can express them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ReversedPermissions {
    /// Before the run.
    pub old: String,
    /// After the run.
    pub new: String,
    /// What is there now, if that is neither; absent if the key is gone.
    pub found: Option<String>,
}

impl ReversedPermissions {
    /// What is there now, for display.
    #[must_use]
    pub fn now(&self, reversal: Reversal) -> String {
        match (reversal, &self.found) {
            (Reversal::Reversed | Reversal::AlreadyOld, _) => self.old.clone(),
            (Reversal::LeftAlone, Some(found)) => found.clone(),
            (Reversal::LeftAlone, None) => "(no key)".to_owned(),
        }
    }
}

/// The result of reversing a change.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Reversal {
    /// The old state was restored.
    Reversed,
    /// It was already in the old state.
    AlreadyOld,
    /// Somebody has changed it to something else since: left alone.
    LeftAlone,
}

/// Opens and locks the files that a run has written.
pub(crate) fn open_all<'a>(
    site: &Site,
    folder: &RunFolder,
    journal: &'a Journal,
) -> Result<Vec<Restoration<'a>>, Error> {
    let mut restorations = Vec::new();
    for entry in &journal.hives {
        let root = site.root_of(entry.volume.as_deref())?;
        let restoration = Restoration::open(root.dir(), folder, entry)?;
        lock_hive(&restoration, entry)?;
        restorations.push(restoration);
    }
    Ok(restorations)
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

/// The actions that restoring the old bytes performs on each file of a run, or the reason why they
/// are unknown, with the path of the hive.
pub(crate) fn actions(
    site: &Site,
    folder: &RunFolder,
    journal: &Journal,
) -> Vec<(String, Result<Vec<RestoredFile>, Error>)> {
    let actions = journal.hives.iter().map(|entry| {
        let actions = site.root_of(entry.volume.as_deref()).and_then(|root| {
            let restoration = Restoration::open(root.dir(), folder, entry)?;
            restoration.actions()
        });
        (entry.shown_path(), actions)
    });
    actions.collect()
}

/// Notices about the changes that stay if the changes of a run are reversed one by one.
pub(crate) fn stays(journal: &Journal) -> impl Iterator<Item = Notice> + '_ {
    let recovered = journal.hives.iter().filter(|entry| entry.recovered);
    recovered.map(|entry| Notice {
        kind: "recovery-stays",
        text: format!(
            "{}: what the run recovered from the hive's logs stays",
            entry.path
        ),
    })
}

/// The reversal of every change, before it is written.
pub(crate) fn reversed(
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
pub(crate) fn same_volume(site: &Site, journal: &Journal) -> Result<(), Error> {
    let elsewhere = journal.hives.iter().find_map(|entry| entry.volume.clone());
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
pub(crate) fn all_reversible(journal: &Journal) -> Result<(), Error> {
    match journal.hives.iter().find(|entry| !entry.reversible) {
        None => Ok(()),
        Some(entry) => Err(Error::NotReversible {
            run: journal.run.clone(),
            path: entry.path.clone(),
        }),
    }
}

fn open(site: &Site, entry: &HiveEntry) -> Result<hive_on_disk::HiveOnDisk, Error> {
    let (hive, volume) = (HiveId::File(entry.hive.clone()), entry.volume.as_deref());
    let root = site.root_of(volume)?;
    let place = hive_on_disk::find_at(root.dir(), hive, volume, &entry.path)?;
    hive_on_disk::open(place, Access::ReadWrite)
}

/// Reverses the changes from the last to the first.
fn reverse(editor: &mut Editor, entry: &HiveEntry) -> Result<Vec<ReversedChange>, EditError> {
    let (mut reversed, mut restored) = (Vec::new(), Vec::new());
    for change in entry.changes.iter().rev() {
        match change {
            JournalChange::Value(value) => {
                let (reversal, found) = reverse_value(editor, value)?;
                reversed.push(ReversedChange {
                    hive: entry.hive.clone(),
                    change: value.clone(),
                    reversal,
                    found,
                    permissions: None,
                });
            }
            JournalChange::KeyPermissions(changed) => {
                reversed.push(reverse_descriptor(editor, &entry.hive, changed)?);
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
            JournalChange::KeyDeleted(deleted) => {
                // A key that somebody has created since keeps what it has.
                if editor.create_key(&deleted.key)? == Outcome::Changed
                    && let Some(state) = &deleted.state
                {
                    let state = KeyState::from(state.as_ref());
                    editor.restore_key(&deleted.key, &state)?;
                    restored.push((&deleted.key, state.last_written));
                }
            }
        }
    }
    // Restoring the values and subkeys of a key has changed its time.
    for (key, time) in restored {
        editor.set_last_written(key, time)?;
    }
    Ok(reversed)
}

fn reverse_descriptor(
    editor: &mut Editor,
    hive: &str,
    changed: &ChangedDescriptor,
) -> Result<ReversedChange, EditError> {
    let found = match editor.key(&changed.key)? {
        Some(key) => Some(key.security_descriptor()?.to_vec()),
        None => None,
    };
    let reversal = match &found {
        Some(found) if *found == changed.old => Reversal::AlreadyOld,
        Some(found) if *found == changed.new => {
            editor.set_descriptor(&changed.key, &changed.old)?;
            Reversal::Reversed
        }
        Some(_) | None => Reversal::LeftAlone,
    };
    let words = |bytes: &[u8]| DescriptorWords::of_key(bytes).line();
    Ok(ReversedChange {
        hive: hive.to_owned(),
        change: ChangedValue {
            key: changed.key.clone(),
            value: String::new(),
            old: None,
            new: None,
        },
        reversal,
        found: None,
        permissions: Some(ReversedPermissions {
            old: words(&changed.old),
            new: words(&changed.new),
            found: found
                .filter(|_| reversal == Reversal::LeftAlone)
                .map(|found| words(&found)),
        }),
    })
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
