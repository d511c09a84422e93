//! Folders that are renamed with everything in them: repaired, undone, killed at every operation.

use std::collections::BTreeMap;

use diskmend_disk::testing::{Fault, FaultyDisk, Loss};

use super::support::{differing, is_unfinished, site, undo, volume, with_watch};
use crate::documents::{FileChangeKind, Outcome, RepairReport};
use crate::error::{Class, Error};
use crate::plan::{Goal, plan_site};
use crate::recipe::Recipe;
use crate::repair::repair_site;
use crate::show_run::show_site;
use crate::site::Options;

const POLICY: &str = "Windows/System32/GroupPolicy";
const FILES: [&str; 3] = ["gpt.ini", "Machine/Registry.pol", "Machine/Scripts/a.cmd"];
const LOSSES: [Loss; 3] = [
    Loss::Nothing,
    Loss::Unflushed,
    Loss::Some(0x9e37_79b9_7f4a_7c15),
];
const ROWS: &str = "schema = 1\nname = \"own\"\ntitle = \"Title\"\nsummary = \"Summary\"\n\
    sources = [\"https://example.org\"]\n\
    \n[[file]]\npath = 'Windows\\System32'\nmatch = \"grouppolicy\"\nwhat = \"folder\"\n\
    action = \"rename\"\nwhy = \"a policy\"\n";

fn disk() -> FaultyDisk {
    let disk = volume("system-001-002");
    for file in FILES {
        disk.put(&format!("{POLICY}/{file}"), file.as_bytes().to_vec());
    }
    disk
}

fn repair(disk: &FaultyDisk) -> Result<RepairReport, Error> {
    repair_with(disk, ROWS)
}

fn repair_with(disk: &FaultyDisk, text: &str) -> Result<RepairReport, Error> {
    let recipe = Recipe::parse("own.toml", text).expect("valid");
    let options = Options {
        check: false,
        ..Options::default()
    };
    with_watch(|watch| {
        let plan = plan_site(&site(disk), &[&recipe], Goal::Desired, &options, watch)?;
        repair_site(&site(disk), plan, &options, watch)
    })
}

fn windows(disk: &FaultyDisk) -> BTreeMap<String, Vec<u8>> {
    let mut files = disk.files();
    files.retain(|path, _| path.starts_with("Windows/"));
    files
}

#[track_caller]
fn is_as(disk: &FaultyDisk, other: &FaultyDisk, what: &str) {
    let differ = differing(&windows(disk), &windows(other));
    assert!(differ.is_empty(), "{what}: {differ:?} differ");
}

/// Every file of the folder is in the old one, or every file is in the renamed one.
fn is_whole(disk: &FaultyDisk, what: &str) {
    let files = windows(disk);
    let mut folders = files.keys().filter_map(|path| {
        let folder = path.strip_suffix("/gpt.ini")?;
        folder.starts_with(POLICY).then_some(folder)
    });
    let folder = folders.next().unwrap_or_else(|| panic!("{what}: lost"));
    assert_eq!(folders.next(), None, "{what}");
    for file in FILES {
        assert_eq!(
            files[&format!("{folder}/{file}")],
            file.as_bytes(),
            "{what}"
        );
    }
}

fn undo_what_is_there(disk: &FaultyDisk, what: &str) {
    match undo(disk, None) {
        Ok(_) | Err(Error::NothingToUndo) => {}
        Err(error) => panic!("{what}: {error}"),
    }
}

#[test]
fn a_folder_is_renamed_and_comes_back() {
    let pristine = disk();
    let disk = pristine.fork();
    let report = repair(&disk).expect("repair");
    assert_eq!(report.outcome, Outcome::Done);
    let run = report.run.expect("a run");
    assert_eq!(report.files.len(), 1);
    assert_eq!(report.files[0].path, POLICY);
    assert_eq!(report.files[0].action, FileChangeKind::Rename);
    let bytes: usize = FILES.iter().map(|file| file.len()).sum();
    assert_eq!(report.files[0].length, bytes as u64);
    let files = disk.files();
    for file in FILES {
        let moved = format!("{POLICY}.diskmend-{run}/{file}");
        assert_eq!(files[&moved], file.as_bytes());
        assert!(!files.contains_key(&format!("{POLICY}/{file}")));
    }
    let shown = show_site(&site(&disk), &run).expect("a run");
    assert_eq!(shown.files[0].length, bytes as u64);
    let again = repair(&disk).expect("repair");
    assert_eq!(again.outcome, Outcome::NothingToDo);
    let undone = undo(&disk, None).expect("undo").moved.expect("files");
    assert_eq!(undone.put_back, [POLICY]);
    is_as(&disk, &pristine, "undone");
}

#[test]
fn a_folder_that_windows_made_anew_stays_beside_the_old_one() {
    let disk = disk();
    let run = repair(&disk).expect("repair").run.expect("a run");
    disk.put(&format!("{POLICY}/gpt.ini"), b"new".to_vec());
    let undone = undo(&disk, None).expect("undo").moved.expect("files");
    assert_eq!(undone.left_alone.listed[0].path, POLICY);
    let files = disk.files();
    assert_eq!(files[&format!("{POLICY}/gpt.ini")], b"new");
    assert!(files.contains_key(&format!("{POLICY}.diskmend-{run}/gpt.ini")));
}

#[test]
fn a_renamed_folder_that_was_changed_does_not_come_back() {
    let disk = disk();
    let run = repair(&disk).expect("repair").run.expect("a run");
    let evil = format!("{POLICY}.diskmend-{run}/Machine/Scripts/b.cmd");
    disk.put(&evil, b"an evil script".to_vec());
    let undone = undo(&disk, None).expect("undo").moved.expect("files");
    assert_eq!(undone.left_alone.listed[0].path, POLICY);
    assert!(disk.files().contains_key(&evil));
}

#[test]
fn folders_that_windows_needs_and_large_ones_stay() {
    let disk = disk();
    for number in 0..1025 {
        disk.put(&format!("Windows/Large/{number}"), Vec::new());
    }
    for (path, name, says) in [
        ("Windows", "System32", "can't start"),
        ("Windows\\System32", "config", "can't start"),
        ("Windows", "Large", "more than"),
        ("Windows\\System32\\GroupPolicy", "gpt.ini", "a file"),
    ] {
        let text = ROWS
            .replace("'Windows\\System32'", &format!("'{path}'"))
            .replace("\"grouppolicy\"", &format!("\"{name}\""));
        let error = repair_with(&disk, &text).expect_err(name);
        assert_eq!(error.class(), Class::Refused, "{error}");
        assert!(error.to_string().contains(says), "{error}");
    }
    assert_eq!(disk.operations(), 0, "something was written");
}

/// Once, such a repair was refused only after it had begun: the folder was not as planned any more,
/// or the file had no folder.
#[test]
fn a_file_in_a_folder_that_is_renamed_does_not_change_in_the_same_run() {
    let file = format!(
        "\n[[file]]\npath = '{}\\machine'\nmatch = \"registry.pol\"\naction = \"remove\"\n\
         why = \"a file\"\n",
        POLICY.replace('/', "\\")
    );
    let (head, folder) = ROWS.split_at(ROWS.find("\n[[file]]").expect("a row"));
    for (rows, made, stays) in [
        (format!("{head}{folder}{file}"), POLICY, "Registry.pol"),
        (format!("{head}{file}{folder}"), "Registry.pol", POLICY),
    ] {
        let pristine = disk();
        let disk = pristine.fork();
        let report = repair_with(&disk, &rows).expect("repair");
        assert_eq!(report.outcome, Outcome::PartlyDone, "{report:?}");
        assert_eq!(report.files.len(), 1, "{:?}", report.files);
        assert!(report.files[0].path.ends_with(made), "{:?}", report.files);
        let skipped = format!("{:?}", report.skipped);
        assert!(skipped.contains(stays), "{skipped}");
        assert!(skipped.contains("the same run"), "{skipped}");
        undo(&disk, None).expect("undo");
        is_as(&disk, &pristine, "undone");
    }
}

#[test]
fn a_repair_and_an_undo_killed_anywhere_can_be_repeated() {
    let pristine = disk();
    let repaired = pristine.fork();
    repair(&repaired).expect("repair");
    let half = repaired.operations();
    let counted = repaired.fork();
    undo(&counted, None).expect("undo");
    for at in 0..counted.operations() {
        for loss in LOSSES {
            let what = format!("{:?} ({at}), {loss:?}", counted.log()[at]);
            let disk = if at < half { &pristine } else { &repaired }.fork();
            disk.fail_at(at, Fault::Kill);
            if at < half {
                repair(&disk).expect_err(&what);
            } else {
                drop(undo(&disk, None));
            }
            disk.restart(loss);
            is_whole(&disk, &what);
            if at < half {
                let other = disk.fork();
                repair(&other).unwrap_or_else(|error| panic!("{what}: {error}"));
                is_whole(&other, &what);
                assert!(
                    !other.files().contains_key(&format!("{POLICY}/gpt.ini")),
                    "{what}"
                );
                undo_what_is_there(&other, &what);
                is_as(&other, &pristine, &what);
            }
            undo_what_is_there(&disk, &what);
            assert!(!is_unfinished(&disk), "{what}");
            is_as(&disk, &pristine, &what);
        }
    }
}

#[test]
fn a_repair_that_fails_anywhere_is_rolled_back() {
    let pristine = disk();
    let counted = pristine.fork();
    repair(&counted).expect("repair");
    for at in 0..counted.operations() {
        let what = format!("{:?} ({at})", counted.log()[at]);
        let disk = pristine.fork();
        disk.fail_at(at, Fault::Once);
        match repair(&disk) {
            // Something that isn't needed failed.
            Ok(_) => {}
            Err(error) => {
                assert_ne!(error.class(), Class::Broken, "{what}: {error}");
                is_as(&disk, &pristine, &what);
            }
        }
    }
}
