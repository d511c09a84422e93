//! Files that are missing and made from a copy: repaired, undone, killed at every operation.

use diskmend_disk::testing::{Fault, FaultyDisk, Loss};

use super::files_replaced::{inspect, pe, repair, windows};
use super::support::{differing, is_unfinished, site, undo};
use crate::documents::{FileChangeKind, Outcome, RowState};
use crate::error::{Class, Error};
use crate::plan::Goal;
use crate::prune::{prunable_site, prune_site};
use crate::show_run::show_site;

const LOADER: &str = "Windows/System32/winload.exe";
const COPY: &str = "Windows/System32/Boot/winload.exe";
const ROW: &str = "\n[[file]]\npath = 'windows\\SYSTEM32'\nmatch = \"winload.exe\"\n\
    action = \"copy\"\nfrom = 'Windows\\System32\\Boot\\winload.exe'\ncheck = \"pe\"\n\
    if_missing = \"create\"\nfault = \"damaged\"\nwhy = \"it loads Windows\"\n";
const LOSSES: [Loss; 3] = [
    Loss::Nothing,
    Loss::Unflushed,
    Loss::Some(0x9e37_79b9_7f4a_7c15),
];

fn disk() -> FaultyDisk {
    let disk = super::support::volume("system-001-002");
    disk.put(COPY, pe());
    disk
}

#[track_caller]
fn is_as(disk: &FaultyDisk, other: &FaultyDisk, what: &str) {
    let differ = differing(&windows(disk), &windows(other));
    assert!(differ.is_empty(), "{what}: {differ:?} differ");
}

/// The details of the copy, which the new file gets.
fn details(disk: &FaultyDisk, path: &str) -> diskmend_disk::Details {
    let names: Vec<&str> = path.split('/').collect();
    let found = disk.root().find(&names).expect("found").expect("there");
    found.dir.details(&found.name).expect("details")
}

#[test]
fn a_missing_file_is_made_and_undo_removes_it() {
    let pristine = disk();
    let names = ["Windows", "System32", "Boot", "winload.exe"];
    let copy = pristine.root().find(&names).expect("found").expect("there");
    let with = diskmend_disk::Details {
        descriptor: Some(vec![4, 5, 6]),
        ..diskmend_disk::Details::default()
    };
    copy.dir.set_details(&copy.name, &with).expect("set");
    drop(copy);
    let disk = pristine.fork();
    let row = &inspect(&disk, ROW).files[0];
    assert_eq!((row.path.as_str(), row.state), (LOADER, RowState::Fault));
    assert_eq!(row.action, FileChangeKind::Create);
    assert_eq!(row.damage.as_deref(), Some("there is no such file"));
    let report = repair(&disk, ROW, Goal::Faults).expect("repair");
    assert_eq!(report.outcome, Outcome::Done, "{report:?}");
    let file = &report.files[0];
    assert_eq!(file.action, FileChangeKind::Create);
    assert_eq!(file.from.as_deref(), Some(COPY));
    assert_eq!(disk.files()[LOADER], pe());
    assert_eq!(disk.files()[COPY], pe());
    assert_eq!(details(&disk, LOADER), with);
    let run = report.run.expect("a run");
    let shown = show_site(&site(&disk), &run).expect("a run");
    assert_eq!(shown.files[0].action, FileChangeKind::Create);
    assert_eq!(shown.files[0].length, pe().len() as u64);
    let again = repair(&disk, ROW, Goal::Faults).expect("again");
    assert_eq!(again.outcome, Outcome::NothingToDo);

    let undone = undo(&disk, None).expect("undo").moved.expect("files");
    assert_eq!(undone.removed, [LOADER]);
    assert_eq!((undone.put_back.len(), undone.kept), (0, 0));
    is_as(&disk, &pristine, "undone");
    let site = site(&disk);
    prune_site(&site, &prunable_site(&site, 0).expect("a list")).expect("removed");
    is_as(&disk, &pristine, "pruned");
}

#[test]
fn a_file_that_is_there_is_replaced_only_if_it_is_damaged() {
    let disk = disk();
    disk.put(LOADER, pe());
    let report = repair(&disk, ROW, Goal::Desired).expect("repair");
    assert_eq!(report.outcome, Outcome::NothingToDo);
    disk.put(LOADER, Vec::new());
    let report = repair(&disk, ROW, Goal::Faults).expect("repair");
    assert_eq!(report.files[0].action, FileChangeKind::Copy);
    assert_eq!(disk.files()[LOADER], pe());
}

#[test]
fn nothing_is_made_without_a_sound_copy() {
    let disk = disk();
    disk.put(COPY, b"MZ".to_vec());
    let error = repair(&disk, ROW, Goal::Faults).expect_err("damaged");
    assert_eq!(error.class(), Class::Refused, "{error}");
    assert!(error.to_string().contains(COPY), "{error}");
    // Without a copy it isn't known if this Windows ever had such a file.
    let without = super::support::volume("system-001-002");
    for goal in [Goal::Faults, Goal::Desired] {
        let report = repair(&without, ROW, goal).expect("a plan");
        assert_eq!(report.outcome, Outcome::NothingToDo, "{report:?}");
    }
    let row = &inspect(&without, ROW).files[0];
    assert_eq!(row.state, RowState::Reported);
    let problem = row.problem.as_deref().expect("a problem");
    assert!(problem.contains("doesn't exist either"), "{problem}");
    assert_eq!(disk.operations() + without.operations(), 0);
}

#[test]
fn undo_leaves_alone_what_is_there_since() {
    let disk = disk();
    repair(&disk, ROW, Goal::Faults).expect("repair");
    let mut newer = pe();
    newer.push(1);
    disk.put(LOADER, newer.clone());
    let undone = undo(&disk, None).expect("undo").moved.expect("files");
    assert_eq!(undone.left_alone.listed[0].path, LOADER);
    assert_eq!((undone.removed.len(), undone.kept), (0, 0));
    assert!(disk.files()[LOADER] == newer);
}

/// The file doesn't exist, or is whole.
fn is_known(disk: &FaultyDisk, what: &str) {
    let found = windows(disk).remove(LOADER);
    assert!(found.is_none_or(|bytes| bytes == pe()), "{what}");
}

fn undo_what_is_there(disk: &FaultyDisk, what: &str) {
    match undo(disk, None) {
        Ok(_) | Err(Error::NothingToUndo) => {}
        Err(error) => panic!("{what}: {error}"),
    }
}

#[test]
fn a_repair_and_an_undo_killed_anywhere_can_be_repeated() {
    let pristine = disk();
    let repaired = pristine.fork();
    repair(&repaired, ROW, Goal::Faults).expect("repair");
    let half = repaired.operations();
    let counted = repaired.fork();
    undo(&counted, None).expect("undo");
    for at in 0..counted.operations() {
        for loss in LOSSES {
            let what = format!("{:?} ({at}), {loss:?}", counted.log()[at]);
            let disk = if at < half { &pristine } else { &repaired }.fork();
            disk.fail_at(at, Fault::Kill);
            if at < half {
                repair(&disk, ROW, Goal::Faults).expect_err(&what);
            } else {
                drop(undo(&disk, None));
            }
            disk.restart(loss);
            is_known(&disk, &what);
            if at < half {
                let other = disk.fork();
                match repair(&other, ROW, Goal::Faults) {
                    Ok(_) => assert_eq!(windows(&other)[LOADER], pe(), "{what}"),
                    Err(error) => assert_eq!(error.class(), Class::Refused, "{what}: {error}"),
                }
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
fn a_repair_that_fails_anywhere_or_on_a_full_disk_is_rolled_back() {
    let pristine = disk();
    let counted = pristine.fork();
    repair(&counted, ROW, Goal::Faults).expect("repair");
    for fault in [Fault::Once, Fault::Full] {
        for at in 0..counted.operations() {
            let what = format!("{:?} ({at}), {fault:?}", counted.log()[at]);
            let disk = pristine.fork();
            disk.fail_at(at, fault);
            match repair(&disk, ROW, Goal::Faults) {
                // Something that isn't needed failed.
                Ok(_) => {}
                Err(error) => {
                    assert_ne!(error.class(), Class::Broken, "{what}: {error}");
                    is_as(&disk, &pristine, &what);
                }
            }
        }
    }
}
