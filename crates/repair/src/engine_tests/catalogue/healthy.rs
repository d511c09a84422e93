//! `--auto` writes nothing to a healthy disk, with the whole catalogue.

use std::path::{Path, PathBuf};

use diskmend_base::utf16;
use diskmend_disk::testing::FaultyDisk;

use super::{catalogue, groups, plan, repair, same_content, site};
use crate::documents::Outcome;
use crate::engine_tests::boot_fixture::{BIOS, EFI};
use crate::engine_tests::diagnosis::disk::{Break, CONFIG, disk};
use crate::engine_tests::diagnosis::healthy::usual;
use crate::plan::Goal;

/// Real files may have this length, at most; others are no hives of a Windows.
const MOST: u64 = 128 << 20;

/// Checks that no recipe repairs anything without being told what.
#[track_caller]
fn is_left_alone(disk: &FaultyDisk, what: &str) {
    for group in groups() {
        let planned = plan(&site(disk), group, Goal::Faults);
        let planned = planned.unwrap_or_else(|error| panic!("{what}: {error}"));
        let changes = planned.changes.iter();
        let changes: Vec<_> = changes
            .map(|change| (&change.recipe, &change.value.key, &change.value.value))
            .collect();
        assert!(changes.is_empty(), "{what}: {changes:#?}");
        assert_eq!(planned.files, [], "{what}");
        assert_eq!(planned.objects_to_change(), 0, "{what}");
    }
}

#[test]
fn healthy_disks_are_left_alone() {
    is_left_alone(&disk(&[]), "the healthy server");
    for (what, breaks) in usual() {
        is_left_alone(&disk(&breaks), what);
    }
}

/// The plan of `--auto` without names is carried out, too: not even undo data are written.
#[test]
fn a_repair_of_faults_writes_nothing_to_a_healthy_disk() {
    for (what, breaks) in usual() {
        let pristine = disk(&breaks);
        let disk = pristine.fork();
        let report = repair(&site(&disk), &catalogue().by_default(), Goal::Faults).expect(what);
        assert_eq!(report.outcome, Outcome::NothingToDo, "{what}: {report:?}");
        assert_eq!(disk.operations(), 0, "{what}");
        same_content(&disk, &pristine, what);
    }
}

/// The files below a folder.
pub(super) fn files_below(folder: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for entry in std::fs::read_dir(folder).expect("a readable folder") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            files.extend(files_below(&path));
        } else if path.metadata().is_ok_and(|file| file.len() <= MOST) {
            files.push(path);
        }
    }
    files.sort();
    files
}

/// Real hives: those of machines, and those that other tools are tested with. In any place, `--auto`
/// finds nothing in them, or says why it can't read them.
#[test]
fn real_hives_are_left_alone() {
    let Some(corpus) = std::env::var_os("DISKMEND_CORPUS").map(PathBuf::from) else {
        println!("SKIPPED: DISKMEND_CORPUS names no folder of real hives");
        return;
    };
    let mut tried = 0;
    for folder in ["hives", "bcd"] {
        let files = files_below(&corpus.join(folder));
        let is_log = |path: &Path| {
            path.extension()
                .is_some_and(|end| end.to_string_lossy().starts_with("LOG"))
        };
        for path in files.iter().filter(|path| !is_log(path)) {
            tried += usize::from(is_hive_left_alone(path, folder == "bcd"));
        }
    }
    assert!(tried > 30, "{tried} hives");
}

/// Puts a real hive with its logs on a disk; false if it can't be read.
fn is_hive_left_alone(path: &Path, is_store: bool) -> bool {
    let what = path.display().to_string();
    let mut disks = Vec::new();
    let places = if is_store {
        let efi = utf16::encode_terminated("winload.efi");
        let bytes = std::fs::read(path).expect("readable");
        let is_efi = bytes.windows(efi.len()).any(|part| part == efi);
        vec![if is_efi { EFI } else { BIOS }.to_owned()]
    } else {
        vec![format!("{CONFIG}/SYSTEM"), format!("{CONFIG}/SOFTWARE")]
    };
    for place in places {
        // Of the healthy server, so that something can be read in any case.
        let disk = disk(&[Break::NoFile(BIOS.to_owned())]);
        for end in ["", ".LOG", ".LOG1", ".LOG2"] {
            let mut from = path.as_os_str().to_owned();
            from.push(end);
            if let Ok(bytes) = std::fs::read(from) {
                disk.put(&format!("{place}{end}"), bytes);
            }
        }
        disks.push(disk);
    }
    let mut was_read = false;
    for disk in disks {
        // The stores are of another disk, which isn't known.
        let site = crate::engine_tests::support::site(&disk);
        let planned = plan(&site, &catalogue().by_default(), Goal::Faults);
        let planned = planned.unwrap_or_else(|error| panic!("{what}: {error}"));
        let changes = planned.changes.iter();
        let changes: Vec<_> = changes
            .map(|change| (&change.recipe, &change.value.key, &change.value.value))
            .collect();
        assert!(changes.is_empty(), "{what}: {changes:#?}");
        was_read |= planned.skipped.is_empty();
    }
    was_read
}
