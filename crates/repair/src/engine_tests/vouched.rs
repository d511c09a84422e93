//! What a person vouches for is no more than what was shown.

use super::support::{FaultyHive, hives, reading, site, volume, with_watch};
use crate::documents::UndoReport;
use crate::error::Error;
use crate::preview::{WouldChange, preview_site};
use crate::run::{Journal, Step, Way};
use crate::site::Options;
use crate::store::faulty::FaultyDisk;
use crate::undo::{choose, undo_site};

const KEY: &str = r"ControlSet001\Mine";

/// A disk with a run that somebody has rewritten, who has no key.
fn forged(change: impl FnOnce(&mut Journal)) -> (FaultyDisk, String) {
    let disk = volume("system-001-002");
    let run = disk.set_all(&[(KEY, "A", 1)]);
    forge(&disk, &run, change);
    (disk, run)
}

fn forge(disk: &FaultyDisk, run: &str, change: impl FnOnce(&mut Journal)) {
    let site = site(disk);
    let (folder, mut journal) = choose(&site, Some(run)).expect("the run");
    folder.read_changes(&mut journal).expect("its changes");
    change(&mut journal);
    let bytes = journal.encode().expect("valid");
    disk.put(&format!("diskmend/runs/{run}/journal.json"), bytes);
}

fn undo(disk: &FaultyDisk, run: &str) -> Result<UndoReport, Error> {
    let mut site = site(disk);
    site.judge.vouched = true;
    with_watch(|watch| undo_site(&mut site, Some(run), &Options::default(), watch))
}

/// What the preview says, a line each.
fn preview(disk: &FaultyDisk, run: &str) -> Result<Vec<String>, Error> {
    let mut site = site(disk);
    site.judge.vouched = true;
    let mut lines = Vec::new();
    preview_site(&site, run, &mut |change: &WouldChange<'_>| {
        lines.push(format!("{change:?}"));
    })?;
    Ok(lines)
}

#[track_caller]
fn is_damaged<T>(result: Result<T, Error>) {
    let error = result.err().expect("refused");
    assert!(matches!(error, Error::DamagedRun { .. }), "{error}");
}

/// Which of its files is the hive.
fn hive_of(journal: &Journal) -> usize {
    let entry = &journal.hives[0];
    let hive = entry.files.iter().position(|file| file.path == entry.path);
    hive.expect("the hive")
}

/// The preview said that the hive gets its old bytes, and the hive was removed.
#[test]
fn a_step_that_removes_a_file_that_was_there_is_refused() {
    let (disk, run) = forged(|journal| {
        let file = hive_of(journal);
        journal.hives[0].steps.push(Step::Create { file });
    });
    let before = hives(&disk);
    is_damaged(undo(&disk, &run));
    assert_eq!(hives(&disk).len(), before.len());
    assert!(hives(&disk) == before, "written");
}

#[test]
fn a_step_that_cuts_off_what_no_record_gives_back_is_refused() {
    let (disk, run) = forged(|journal| {
        let step = Step::Length {
            file: hive_of(journal),
            before: 0,
        };
        journal.hives[0].steps.insert(0, step);
    });
    let before = hives(&disk);
    is_damaged(undo(&disk, &run));
    assert!(hives(&disk) == before, "written");
}

#[test]
fn what_is_reversed_is_shown_whatever_files_are_named() {
    let (disk, run) = forged(|journal| {
        journal.way = Some(Way::Values);
        journal.hives[0].files.clear();
        journal.hives[0].steps.clear();
    });
    assert!(reading(&disk, KEY, "A").is_some());
    let shown = preview(&disk, &run).expect("shown");
    let value = shown.iter().find(|line| line.starts_with("Value"));
    assert!(value.is_some_and(|line| line.contains("Mine")), "{shown:?}");
}
