//! Files on an unmounted disk that are removed, renamed and replaced: repaired, undone, killed at
//! every operation.

use std::collections::BTreeMap;

use diskmend_disk::testing::{Fault, FaultyDisk, Loss};

use super::files_replaced::{COPY, HEAD, HIVE, LOG, SOFTWARE, VALUE, disk};
use super::image::{is_unfinished, options, same_image, site, undo, with_image};
use super::image_crash::LOSSES;
use super::image_fixture::{Container, image_of, read_with_tools};
use super::support::{ended, one_in, with_watch};
use crate::documents::{Method, Outcome, RepairReport};
use crate::error::{Class, Error};
use crate::plan::{Goal, plan_site};
use crate::planned::Planned;
use crate::prune::{prunable_site, prune_site};
use crate::recipe::Recipe;
use crate::repair::repair_site;
use crate::run_state::RunState;
use crate::runs::runs_site;

const IMAGE: &str = "disk.img";
const DRIVER: &str = "Windows/System32/drivers/Vendor/bad-1.sys";
const SMALL: &str = "Windows/System32/drivers/Vendor/bad-2.sys";
const LOGS: [&str; 2] = ["Windows/Logs/a.blf", "Windows/Logs/b.blf"];
const FILES: &str = "\n[[file]]\npath = 'Windows\\System32\\drivers\\Vendor'\n\
    match = \"bad-*.sys\"\naction = \"remove\"\nfault = \"exists\"\nwhy = \"it stops Windows\"\n\
    \n[[file]]\npath = 'windows\\LOGS'\nmatch = \"*.blf\"\naction = \"rename\"\n\
    why = \"Windows writes new ones\"\n\
    \n[[file]]\npath = 'Windows\\System32'\nmatch = \"grouppolicy\"\nwhat = \"folder\"\n\
    action = \"rename\"\nwhy = \"a policy\"\n";
/// A folder that is renamed, and the files in it.
const POLICY: &str = "Windows/System32/GroupPolicy";
const POLICIES: [&str; 3] = ["gpt.ini", "Machine/Registry.pol", "User/Scripts/a.cmd"];
/// The content of the driver, which no other file has.
const MARK: &[u8] = b"the clusters of a bad driver";

fn content(mark: &[u8], len: usize) -> Vec<u8> {
    mark.iter().copied().cycle().take(len).collect()
}

/// The files of the disk, without descriptors, which the images of other tests have.
fn files() -> BTreeMap<String, Vec<u8>> {
    let mut files = disk().files();
    files.insert(DRIVER.to_owned(), content(MARK, 9000));
    files.insert(SMALL.to_owned(), b"a small one".to_vec());
    let good = "Windows/System32/drivers/Vendor/good-1.sys".to_owned();
    files.insert(good, vec![1; 2000]);
    for log in LOGS {
        files.insert(log.to_owned(), content(log.as_bytes(), 3000));
    }
    for file in POLICIES {
        files.insert(format!("{POLICY}/{file}"), content(file.as_bytes(), 1500));
    }
    files
}

/// A disk with this image on it; `None` if it can't be made on this machine.
fn pristine(container: Container) -> Option<FaultyDisk> {
    image_of(&files(), None, container).map(with_image)
}

fn all_rows() -> String {
    format!("{FILES}{HIVE}{VALUE}")
}

fn with_plan<T>(
    disk: &FaultyDisk,
    rows: &str,
    f: impl FnOnce(Planned) -> Result<T, Error>,
) -> Result<T, Error> {
    let recipe = Recipe::parse("own.toml", &format!("{HEAD}{rows}")).expect("valid");
    let site = site(disk)?;
    f(with_watch(|watch| {
        plan_site(&site, &[&recipe], Goal::Desired, &options(), watch)
    })?)
}

fn repair(disk: &FaultyDisk, rows: &str) -> Result<RepairReport, Error> {
    with_plan(disk, rows, |plan| {
        let site = site(disk)?;
        with_watch(|watch| repair_site(&site, plan, &options(), watch))
    })
}

/// The files below the folder `Windows` that the run has left.
fn expected(run: &str) -> BTreeMap<String, Vec<u8>> {
    let mut files = files();
    for gone in [DRIVER, SMALL, LOG] {
        files.remove(gone);
    }
    for log in LOGS {
        let bytes = files.remove(log).expect("a log");
        files.insert(format!("{log}.diskmend-{run}"), bytes);
    }
    for file in POLICIES {
        let bytes = files.remove(&format!("{POLICY}/{file}")).expect("a file");
        files.insert(format!("{POLICY}.diskmend-{run}/{file}"), bytes);
    }
    files.retain(|path, _| path.starts_with("Windows/") && !path.ends_with("/SYSTEM"));
    files
}

#[track_caller]
fn take_all_back(disk: &FaultyDisk, pristine: &FaultyDisk, what: &str) {
    loop {
        match undo(disk) {
            Ok(report) => assert!(!report.is_partial(), "{what}"),
            Err(Error::NothingToUndo) => break,
            Err(error) => panic!("{what}: {}", crate::error::chain(&error)),
        }
    }
    same_image(disk, pristine, what);
    assert!(!is_unfinished(disk), "{what}");
}

#[test]
fn files_of_an_image_go_and_come_back_to_the_byte() {
    for container in [Container::Raw, Container::Dynamic, Container::Vhdx] {
        let Some(pristine) = pristine(container) else {
            return;
        };
        let disk = pristine.fork();
        let report = repair(&disk, &all_rows()).expect("repair");
        assert_eq!(report.outcome, Outcome::Done, "{report:?}");
        assert_eq!(report.files.len(), 7, "{report:?}");
        let run = report.run.expect("a run");
        let kept = |number: usize| format!("{IMAGE}.diskmend/runs/{run}.files/kept-{number}");
        assert_eq!(disk.files()[&kept(1)], content(MARK, 9000));
        assert_eq!(disk.files()[&kept(2)], b"a small one");
        if container == Container::Raw {
            let Some(mut left) = read_with_tools(&disk.files()[IMAGE]) else {
                return;
            };
            assert_ne!(left.remove(SOFTWARE), files().remove(SOFTWARE));
            let copy = left.get(COPY).cloned();
            left.retain(|path, _| !path.ends_with("/SYSTEM"));
            let mut expected = expected(&run);
            expected.remove(SOFTWARE);
            assert_eq!(copy.as_ref(), expected.get(COPY));
            let names =
                |files: &BTreeMap<String, Vec<u8>>| files.keys().cloned().collect::<Vec<_>>();
            assert_eq!(names(&left), names(&expected));
            assert!(left == expected, "other content");
        }
        let again = repair(&disk, &all_rows()).expect("again");
        assert_eq!(again.outcome, Outcome::NothingToDo, "{again:?}");
        assert_eq!(
            prunable_site(&site(&disk).expect("a site"), 0)
                .expect("a list")
                .runs,
            []
        );

        let undone = undo(&disk).expect("undo");
        assert!(!undone.is_partial(), "{undone:?}");
        assert_eq!(undone.moved.expect("files").put_back.len(), 7);
        same_image(&disk, &pristine, "undone");
        let site = site(&disk).expect("a site");
        let list = prunable_site(&site, 0).expect("a list");
        prune_site(&site, &list).expect("removed");
        assert!(!disk.files().contains_key(&kept(1)));
        same_image(&disk, &pristine, "pruned");
    }
}

#[test]
fn a_repair_of_files_of_an_image_killed_anywhere_can_be_undone() {
    let mut states = BTreeMap::<&str, usize>::new();
    for container in [Container::Raw, Container::Vhdx] {
        let Some(pristine) = pristine(container) else {
            return;
        };
        let rows = all_rows();
        let counted = pristine.fork();
        repair(&counted, &rows).expect("repair");
        let operations = counted.log();
        for number in one_in(111, operations.len() * LOSSES.len()) {
            let at = number / LOSSES.len();
            let loss = LOSSES[number % LOSSES.len()];
            let killed = pristine.fork();
            killed.fail_at(at, Fault::Kill);
            let error = repair(&killed, &rows).expect_err("killed");
            let what = format!(
                "{container:?}, {:?} ({at}), {loss:?}: {error}",
                operations[at]
            );
            killed.restart(loss);
            let again = killed.fork();
            match repair(&again, &rows) {
                Ok(_) => *states.entry("done").or_default() += 1,
                Err(error) => {
                    assert_eq!(error.class(), Class::Refused, "{what}: {error}");
                    *states.entry("refused").or_default() += 1;
                }
            }
            take_all_back(&again, &pristine, &what);
            take_all_back(&killed, &pristine, &what);
        }
    }
    println!("{states:?}");
    assert_eq!(states.len(), 2, "{states:?}");
}

#[test]
fn a_repair_of_files_of_an_image_that_fails_anywhere_leaves_it_as_it_was() {
    let Some(pristine) = pristine(Container::Dynamic) else {
        return;
    };
    let rows = all_rows();
    let counted = pristine.fork();
    repair(&counted, &rows).expect("repair");
    let mut rolled_back = 0;
    for number in one_in(37, counted.operations() * 2) {
        let at = number / 2;
        let fault = [Fault::Once, Fault::Full][number % 2];
        let what = format!("{:?} ({at}), {fault:?}", counted.log()[at]);
        let disk = pristine.fork();
        disk.fail_at(at, fault);
        if let Err(error) = repair(&disk, &rows) {
            let class = error.class();
            // Without its lock, a run is refused.
            let is_lock = class == Class::Refused && error.to_string().contains("lock file");
            let known = is_lock || matches!(class, Class::Failed | Class::RolledBack);
            assert!(known, "{what}: {error}");
            rolled_back += usize::from(class == Class::RolledBack);
            same_image(&disk, &pristine, &what);
        }
        disk.restart(Loss::Nothing);
        take_all_back(&disk, &pristine, &what);
    }
    assert!(rolled_back > 0);
}

#[test]
fn an_undo_of_files_of_an_image_killed_anywhere_can_be_repeated() {
    let Some(pristine) = pristine(Container::Raw) else {
        return;
    };
    let disk = pristine.fork();
    repair(&disk, &all_rows()).expect("repair");
    let repaired = disk.fork();
    let counted = repaired.fork();
    undo(&counted).expect("undo");
    for number in one_in(29, counted.operations() * LOSSES.len()) {
        let at = number / LOSSES.len();
        let loss = LOSSES[number % LOSSES.len()];
        let what = format!("{:?} ({at}), {loss:?}", counted.log()[at]);
        let killed = repaired.fork();
        killed.fail_at(at, Fault::Kill);
        undo(&killed).expect_err(&what);
        killed.restart(loss);
        take_all_back(&killed, &pristine, &what);
    }
}

/// Once, a torn write to the record of System32 left a disk without a Windows, on which undo found
/// nothing to repair.
#[test]
fn a_torn_folder_above_windows_does_not_keep_undo_from_repairing_it() {
    let Some(pristine) = pristine(Container::Raw) else {
        return;
    };
    let counted = pristine.fork();
    repair(&counted, FILES).expect("repair");
    let mut torn = 0;
    for (at, what) in counted.log().iter().enumerate() {
        if !what.starts_with("write 1024 to the image") {
            continue;
        }
        let killed = pristine.fork();
        killed.fail_at(at, Fault::Kill);
        repair(&killed, FILES).expect_err("killed");
        killed.restart(Loss::Nothing);
        let site = site(&killed).expect("a site");
        let disk = site.disk.as_ref().expect("a disk");
        torn += usize::from(disk.has_windows(2).is_err());
        take_all_back(&killed, &pristine, what);
    }
    assert!(torn > 0, "no record on the way to Windows was torn");
}

/// The clusters of a removed file are free. Once, undo did not notice that something had written to
/// them since, and gave the file back with these bytes.
#[test]
fn undo_notices_that_the_clusters_of_a_removed_file_were_used_since() {
    let Some(pristine) = pristine(Container::Raw) else {
        return;
    };
    let disk = pristine.fork();
    repair(&disk, &all_rows()).expect("repair");
    let mut image = disk.files()[IMAGE].clone();
    let at = image.windows(MARK.len()).position(|bytes| bytes == MARK);
    image[at.expect("the driver's clusters") + 3] ^= 0xff;
    disk.put(IMAGE, image);
    let undone = undo(&disk).expect("undo");
    let moved = undone.moved.as_ref().expect("files");
    // What is only renamed or replaced comes back; a file can't be made.
    assert_eq!(moved.put_back.len(), 4, "{moved:?}");
    assert_eq!(moved.left_alone.count, 3, "{moved:?}");
    assert_eq!((moved.failed.count, moved.kept), (0, 3));
    assert_ne!(undone.method, Method::Values);
    let mut left = read_with_tools(&disk.files()[IMAGE]).expect("installed");
    let mut files = files();
    for gone in [DRIVER, SMALL, LOG] {
        assert!(!left.contains_key(gone));
        files.remove(gone);
    }
    files.retain(|path, _| path.starts_with("Windows/") && !path.ends_with("/SYSTEM"));
    left.retain(|path, _| !path.ends_with("/SYSTEM"));
    assert!(left == files);
    // The run has the only copies.
    let site = site(&disk).expect("a site");
    assert_eq!(prunable_site(&site, 0).expect("a list").runs, []);
    let runs = runs_site(&site).expect("a list");
    assert_eq!(runs.runs[0].state, Some(RunState::Undone));
}

#[test]
fn a_file_that_can_not_come_back_is_refused_before_anything_is_written() {
    let link = Some([DRIVER, "Windows/other-name.sys"]);
    let Some(image) = image_of(&files(), link, Container::Raw) else {
        return;
    };
    let disk = with_image(image);
    let refused = with_plan(&disk, FILES, |plan| {
        let report = crate::documents::PlanReport::of(&plan);
        assert_eq!(report.files.len(), 4, "{:?}", report.files);
        Ok(report.skipped)
    });
    let refused = refused.expect("a plan");
    assert_eq!(refused.len(), 1, "{refused:?}");
    let text = format!("{refused:?}");
    assert!(text.contains("hard link"), "{text}");
    assert_eq!(disk.operations(), 0);
}

#[test]
fn a_rollback_of_files_of_an_image_killed_anywhere_can_be_undone() {
    let Some(pristine) = pristine(Container::Raw) else {
        return;
    };
    let rows = all_rows();
    let counted = pristine.fork();
    repair(&counted, &rows).expect("repair");
    let fails = ended(&counted.log());
    let rolled_back = pristine.fork();
    rolled_back.fail_at(fails, Fault::Once);
    let error = repair(&rolled_back, &rows).expect_err("fails");
    assert_eq!(error.class(), Class::RolledBack, "{error}");
    let operations = rolled_back.log();
    for number in one_in(23, (operations.len() - fails - 1) * LOSSES.len()) {
        let at = fails + 1 + number / LOSSES.len();
        let loss = LOSSES[number % LOSSES.len()];
        let what = format!("{:?} ({at}), {loss:?}", operations[at]);
        let killed = pristine.fork();
        killed.fail_at(fails, Fault::Once);
        killed.also_fail_at(at, Fault::Kill);
        repair(&killed, &rows).expect_err(&what);
        killed.restart(loss);
        take_all_back(&killed, &pristine, &what);
    }
}
