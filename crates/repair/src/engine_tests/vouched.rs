//! If a person vouches for a run, nothing is done that was not shown.

use diskmend_disk::testing::FaultyDisk;

use super::support::{FaultyHive, hives, reading, site, volume, with_watch};
use crate::documents::{ChangedValue, UndoReport};
use crate::error::Error;
use crate::preview::{WouldChange, preview_site};
use crate::run::{Journal, JournalChange, Step, Way, run_file};
use crate::site::Options;
#[cfg(target_os = "linux")]
use crate::site::Site;
use crate::undo::{choose, undo_site};
use crate::value_data::ValueData;

const KEY: &str = r"ControlSet001\Mine";

/// A disk with a run that somebody without a key has rewritten.
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
    put(disk, &format!("diskmend/runs/{run}"), &journal);
}

/// Replaces the journals of a run file by one without a seal.
fn put(disk: &FaultyDisk, path: &str, journal: &Journal) {
    let bytes = journal.encode().expect("valid");
    disk.put(path, run_file::with_journal(&disk.files()[path], &bytes));
}

fn undo(disk: &FaultyDisk, run: &str) -> Result<UndoReport, Error> {
    let mut site = site(disk);
    site.judge.vouched = true;
    with_watch(|watch| undo_site(&mut site, Some(run), &Options::default(), watch))
}

/// The lines of the preview.
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

/// The index of the hive among the files of the run.
fn hive_of(journal: &Journal) -> usize {
    let entry = &journal.hives[0];
    let hive = entry.files.iter().position(|file| file.path == entry.path);
    hive.expect("the hive")
}

/// Once the preview said that the hive gets its old bytes, but the hive was removed.
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

/// Once the report said that the file was removed, but nothing happened to it.
#[test]
fn a_file_that_no_step_has_created_is_not_called_removed() {
    let (disk, run) = forged(|journal| {
        let file = hive_of(journal);
        journal.hives[0].files[file].old = None;
        journal.hives[0]
            .steps
            .retain(|step| !matches!(step, Step::Create { .. } | Step::Length { .. }));
    });
    let before = hives(&disk);
    is_damaged(undo(&disk, &run));
    assert!(hives(&disk) == before, "written");
}

#[test]
fn a_step_that_cuts_off_bytes_without_a_record_is_refused() {
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
fn reversed_changes_are_shown_whatever_files_are_named() {
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

/// An image with a run without a seal, and the name of the run.
#[cfg(target_os = "linux")]
fn forged_image() -> Option<(FaultyDisk, String)> {
    use super::image_fixture::{Boot, Container, image};

    let disk = super::image::with_image(image("system-001-002", Boot::Ntfs, Container::Raw)?);
    let report = super::image::repair(&disk).expect("repair");
    let run = report.run.expect("a run");
    let site = super::image::site(&disk).expect("an image");
    let (_, mut journal) = choose(&site, Some(&run)).expect("the run");
    journal.disk.as_mut().expect("a record").content = None;
    put(&disk, &format!("disk.img.diskmend/runs/{run}"), &journal);
    Some((disk, run))
}

#[cfg(target_os = "linux")]
fn on_image<T>(disk: &FaultyDisk, f: impl FnOnce(&mut Site) -> T) -> T {
    let mut site = super::image::site(disk).expect("an image");
    site.judge.vouched = true;
    f(&mut site)
}

/// A record without changes that says that the medium grew.
#[cfg(target_os = "linux")]
fn empty_record(before: u64, after: u64) -> Vec<u8> {
    let digest = |bytes: &[u8]| xxhash_rust::xxh3::xxh3_64(bytes).to_le_bytes();
    // The digest of a header is that of its bytes with another value in place of the digest.
    let sealed = |bytes: Vec<u8>, instead: u64| {
        let whole = [&bytes[..], &instead.to_le_bytes()].concat();
        [&bytes[..], &digest(&whole)].concat()
    };
    let header = [&b"DMSECTS1"[..], &before.to_le_bytes()].concat();
    let mut frame = [&b"FLSH"[..], &[0; 4]].concat();
    frame.extend(before.to_le_bytes());
    frame.extend(after.to_le_bytes());
    frame.extend(digest(&[]));
    [sealed(header, 0), sealed(frame, 24)].concat()
}

/// Restoring a record without changes, of a disk that was empty, once cut the image to nothing.
#[cfg(target_os = "linux")]
#[test]
fn a_record_that_cuts_the_disk_off_is_refused() {
    let Some((disk, run)) = forged_image() else {
        return;
    };
    let record = format!("disk.img.diskmend/runs/{run}.files/sectors.bin");
    let image = disk.files()["disk.img"].clone();
    let shorter = image.len() as u64 - (1 << 20);
    disk.put(&record, empty_record(shorter, image.len() as u64));
    let preview = on_image(&disk, |site| preview_site(site, &run, &mut |_| {}));
    is_damaged(preview);
    let options = Options::default();
    let undone = on_image(&disk, |site| {
        with_watch(|watch| undo_site(site, Some(&run), &options, watch))
    });
    is_damaged(undone);
    assert!(disk.files()["disk.img"] == image, "written");
}

/// The changes of the attempt are restored first, and were not shown.
#[cfg(target_os = "linux")]
#[test]
fn the_unsealed_changes_of_an_attempt_are_refused() {
    let Some((disk, run)) = forged_image() else {
        return;
    };
    let folder = format!("disk.img.diskmend/runs/{run}.files");
    let record = disk.files()[&format!("{folder}/sectors.bin")].clone();
    disk.put(&format!("{folder}/undo-sectors.bin"), record);
    let image = disk.files()["disk.img"].clone();
    let options = Options::default();
    let undone = on_image(&disk, |site| {
        with_watch(|watch| undo_site(site, Some(&run), &options, watch))
    });
    is_damaged(undone);
    assert!(disk.files()["disk.img"] == image, "written");
    // After it is moved away, the run can be undone.
    on_image(&disk, |site| {
        let (run, _) = choose(site, Some(&run)).expect("the run");
        site.forget_attempt(&run).expect("removed");
    });
    let undone = on_image(&disk, |site| {
        with_watch(|watch| undo_site(site, Some(&run), &options, watch))
    });
    undone.expect("undone");
}

/// Once the preview showed only the first of two changes of a value, but both were made.
#[test]
fn every_change_of_a_value_is_shown() {
    let number = |number| Some(ValueData::dword(number));
    let (disk, run) = forged(|journal| {
        journal.schema = 1;
        let entry = &mut journal.hives[0];
        let change = |old, new| {
            JournalChange::Value(ChangedValue {
                key: KEY.to_owned(),
                value: "A".to_owned(),
                old: number(old),
                new: number(new),
            })
        };
        entry.changes_file = None;
        entry.changes = vec![change(9, 0), change(0, 1)];
    });
    let shown = preview(&disk, &run).expect("shown");
    for then in [0, 9] {
        let then = format!("then: {:?} }}", number(then));
        let told = shown.iter().any(|line| line.ends_with(&then));
        assert!(told, "{then}: {shown:?}");
    }
}

#[test]
fn a_hive_that_is_named_twice_is_refused() {
    let disk = volume("system-001-002");
    let run = disk.set_all(&[(KEY, "A", 1)]);
    let (_, mut journal) = choose(&site(&disk), Some(&run)).expect("the run");
    let mut second = journal.hives[0].clone();
    second.path = second.path.to_lowercase();
    second.changes_file = None;
    second.files.clear();
    second.steps.clear();
    journal.hives.push(second);
    let error = journal.encode().expect_err("refused").to_string();
    assert!(error.contains("named twice"), "{error}");
}
