//! Turning an open hive into a committed change: editing in memory, verifying, backing up,
//! committing, reading back, and rolling back if that fails.

mod back_up;
mod commit;
mod files;
mod pre_images;
mod proof;
mod verify;

use diskmend_acl::SecurityDescriptor;
use diskmend_hive::{Change, Changes, Committable, EditError, Editor, Filetime, Logs};
use jiff::Timestamp;

use crate::check_summary::{CheckSummary, RecoverySummary};
use crate::digest::Chunks;
use crate::error::Error;
use crate::hive_on_disk::{Fingerprint, HiveOnDisk, ReplacedHive};
use crate::place::HiveId;
use crate::progress::{Phase, Watch};
use crate::second_reader::SecondReader;
use crate::site::Options;
use crate::stop::{NotEdited, Stop};

pub(crate) use back_up::{Backup, JOURNAL_ROOM};
pub(crate) use commit::{
    CommittedHive, back_up_all, check_writable, part, plan_all, read_back, write,
};
use files::CommitFiles;

/// A change of one hive that only has to be written.
pub(crate) struct Prepared {
    image: VerifiedImage,
    target: Target,
}

/// A hive on the disk with its files, which are open for a commit.
pub(crate) struct Target {
    held: Held,
    files: CommitFiles,
}

/// The hive as it will be, and the logs as they are.
pub(crate) struct VerifiedImage {
    hive: Committable,
    logs: Logs,
    /// The chunks of the hive file when it was opened.
    before: Chunks,
    way: WriteWay,
}

/// How a hive gets to the disk.
#[derive(Clone, Copy)]
enum WriteWay {
    /// Its changes are written in place.
    InPlace,
    /// The whole hive is written, to a file of this length, or to a new file.
    Whole { old_len: Option<u64> },
}

/// What is known about a prepared change.
struct Held {
    hive: HiveId,
    volume: Option<String>,
    path: String,
    fingerprints: Vec<Fingerprint>,
    recovery: Option<RecoverySummary>,
    check: Option<CheckSummary>,
    second_reader: SecondReader,
    changes: Changes,
    /// True if it is a new hive in place of what was there.
    is_new: bool,
}

impl Prepared {
    /// The changes in the registry's terms.
    pub(crate) fn changes(&self) -> &[Change] {
        self.target.held.changes.list()
    }
}

/// The security descriptor that Windows gives to a new key; `None` if the parent's makes no sense.
fn below(parent: &[u8]) -> Option<Vec<u8>> {
    let parent = SecurityDescriptor::from_bytes(parent).ok()?;
    parent.of_new_key().to_bytes().ok()
}

/// Edits a hive in memory and verifies the result. Returns it, or `None` if there is nothing to
/// write, with the result of `edit`.
///
/// If `edit` fails, nothing is left that could be committed, not even the recovery.
pub(crate) fn prepare<T, R>(
    opened: HiveOnDisk,
    options: &Options,
    watch: &mut Watch<'_>,
    edit: impl FnOnce(&mut Editor) -> Result<T, Stop<R>>,
) -> Result<(Option<Prepared>, T), NotEdited<R>> {
    let path = opened.path().to_owned();
    watch.phase(Phase::Editing, &path)?;
    let fingerprints = opened.fingerprints();
    let recovery = opened.recovery.as_ref().map(RecoverySummary::from);
    let cannot_edit = |source| Error::Edit {
        path: path.clone(),
        source,
    };
    let editor = Editor::new(opened.hive, filetime(Timestamp::now()));
    let mut editor = editor.with_new_descriptors(below);
    let given = match edit(&mut editor) {
        Ok(given) => given,
        Err(Stop::Refused(refusal)) => return Err(NotEdited::Refused(refusal)),
        Err(Stop::Edit(error @ EditError::Corrupt(_))) => {
            drop(editor);
            verify::refuse_damaged(&path, &opened.logs, opened.primary.as_ref())?;
            return Err(cannot_edit(error).into());
        }
        Err(Stop::Edit(error)) => return Err(cannot_edit(error).into()),
    };
    let edited = editor.finish().map_err(cannot_edit)?;
    if edited.changes().is_empty() && opened.dirty.is_none() {
        return Ok((None, given));
    }
    watch.phase(Phase::Verifying, &path)?;
    let verified = if options.check {
        verify::in_full(edited, &path, &opened.logs, opened.primary.as_ref())?
    } else {
        verify::in_part(edited, &path)?
    };
    let prepared = Prepared {
        image: VerifiedImage {
            hive: verified.hive,
            logs: opened.logs,
            before: opened.chunks,
            way: WriteWay::InPlace,
        },
        target: Target {
            held: Held {
                hive: opened.hive_place.hive.clone(),
                volume: opened.hive_place.volume.clone(),
                path,
                fingerprints,
                recovery,
                check: verified.check,
                second_reader: verified.second_reader,
                changes: verified.changes,
                is_new: false,
            },
            files: CommitFiles::new(
                opened.hive_place.place,
                Some(opened.primary),
                opened.log_files,
            ),
        },
    };
    Ok((Some(prepared), given))
}

/// Edits a new hive in memory and verifies the result. It is written as a whole, so that the run
/// can only be undone by its bytes: undoing single changes would leave an empty hive.
pub(crate) fn prepare_new<R>(
    replaced: ReplacedHive,
    mut editor: Editor,
    options: &Options,
    watch: &mut Watch<'_>,
    edit: impl FnOnce(&mut Editor) -> Result<(), Stop<R>>,
) -> Result<Prepared, NotEdited<R>> {
    let ReplacedHive {
        place,
        primary,
        log_files,
        logs,
    } = replaced;
    let path = place.place.path.clone();
    watch.phase(Phase::Editing, &path)?;
    let cannot_edit = |source| Error::Edit {
        path: path.clone(),
        source,
    };
    match edit(&mut editor) {
        Ok(()) => {}
        Err(Stop::Refused(refusal)) => return Err(NotEdited::Refused(refusal)),
        Err(Stop::Edit(error)) => return Err(cannot_edit(error).into()),
    }
    let edited = editor.finish().map_err(cannot_edit)?;
    watch.phase(Phase::Verifying, &path)?;
    let verified = if options.check {
        verify::new_hive(edited, &path)?
    } else {
        verify::in_part(edited, &path)?
    };
    let (primary, fingerprint) = match primary {
        Some((primary, fingerprint)) => (Some(primary), Some(fingerprint)),
        None => (None, None),
    };
    let old_len = fingerprint.as_ref().map(|file| file.content.length);
    Ok(Prepared {
        image: VerifiedImage {
            hive: verified.hive,
            logs,
            before: Chunks::default(),
            way: WriteWay::Whole { old_len },
        },
        target: Target {
            held: Held {
                hive: place.hive,
                volume: place.volume,
                path,
                fingerprints: fingerprint.into_iter().collect(),
                recovery: None,
                check: verified.check,
                second_reader: verified.second_reader,
                changes: Changes::default(),
                is_new: true,
            },
            files: CommitFiles::new(place.place, primary, log_files),
        },
    })
}

/// A point in time as Windows stores it.
#[expect(
    clippy::expect_used,
    reason = "no clock shows a time before 1601: that of Windows begins there, and others in 1970"
)]
pub(crate) fn filetime(now: Timestamp) -> Filetime {
    /// Seconds from 1601 to 1970.
    const EPOCH: i128 = 11_644_473_600;
    let ticks = now.as_nanosecond() / 100 + EPOCH * 10_000_000;
    Filetime(u64::try_from(ticks).expect("a time after 1601"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn filetimes_count_from_1601() {
        let time: Timestamp = "2026-01-01T00:00:00Z".parse().expect("valid");
        assert_eq!(filetime(time), Filetime(134_116_992_000_000_000));
    }
}
