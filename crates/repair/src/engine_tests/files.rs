//! Files that are moved out of the way: repaired, undone, killed at every operation.

use diskmend_disk::testing::{Fault, FaultyDisk, Loss};

use super::support::{differing, is_unfinished, site, undo, volume, with_watch};
use crate::documents::{FileChangeKind, Outcome, RepairReport, RowState, RunState, UndoReport};
use crate::error::{Class, Error};
use crate::inspect::inspect_site;
use crate::plan::{Goal, plan_site};
use crate::prune::{prunable_site, prune_site};
use crate::recipe::Recipe;
use crate::repair::repair_site;
use crate::run::STATE_FOLDER;
use crate::runs::runs_site;
use crate::show_run::show_site;
use crate::site::Options;

const DRIVER: &str = "Windows/System32/drivers/Vendor/bad-1.sys";
const LOGS: [&str; 2] = ["Windows/Logs/a.blf", "Windows/Logs/b.blf"];
const LOSSES: [Loss; 4] = [
    Loss::Nothing,
    Loss::Unflushed,
    Loss::Some(0x9e37_79b9_7f4a_7c15),
    Loss::Some(0xbf58_476d_1ce4_e5b9),
];

const HEAD: &str = "schema = 1\nname = \"own\"\ntitle = \"Title\"\nsummary = \"Summary\"\n\
    sources = [\"https://example.org\"]\n";
const FILES: &str = "\n[[file]]\npath = 'Windows\\System32\\drivers\\Vendor'\n\
    match = \"bad-*.sys\"\naction = \"remove\"\nfault = \"exists\"\nwhy = \"it stops Windows\"\n\
    \n[[file]]\npath = 'windows\\LOGS'\nmatch = \"*.blf\"\naction = \"rename\"\n\
    why = \"Windows writes new ones\"\n";
const VALUE: &str = "\n[[registry]]\nhive = \"SYSTEM\"\nkey = 'ControlSet*\\Control'\n\
    value = \"FilesTest\"\ntype = \"REG_DWORD\"\ndata = 1\nwhy = \"a value, too\"\n";

fn recipe(rows: &str) -> Recipe {
    Recipe::parse("own.toml", &format!("{HEAD}{rows}")).expect("valid")
}

fn disk() -> FaultyDisk {
    let disk = volume("system-001-002");
    disk.put(DRIVER, b"a bad driver".to_vec());
    disk.put("Windows/System32/drivers/Vendor/good-1.sys", vec![1; 9]);
    for log in LOGS {
        disk.put(log, log.as_bytes().to_vec());
    }
    disk
}

fn options() -> Options {
    Options {
        check: false,
        ..Options::default()
    }
}

fn repair(disk: &FaultyDisk, rows: &str, goal: Goal) -> Result<RepairReport, Error> {
    let recipe = recipe(rows);
    with_watch(|watch| {
        let plan = plan_site(&site(disk), &[&recipe], goal, &options(), watch)?;
        repair_site(&site(disk), plan, &options(), watch)
    })
}

/// The files of Windows.
fn windows(disk: &FaultyDisk) -> std::collections::BTreeMap<String, Vec<u8>> {
    let mut files = disk.files();
    files.retain(|path, _| path.starts_with("Windows/"));
    files
}

fn is_as(disk: &FaultyDisk, other: &FaultyDisk, what: &str) {
    let differ = differing(&windows(disk), &windows(other));
    assert!(differ.is_empty(), "{what}: {differ:?} differ");
}

/// Checks that each file is where it was or where the run puts it, with its content. A power failure
/// may leave both names.
fn is_old_or_moved(disk: &FaultyDisk, pristine: &FaultyDisk, what: &str) {
    let (now, before) = (disk.files(), pristine.files());
    for path in [DRIVER].into_iter().chain(LOGS) {
        let content = before.get(path).expect(path);
        let same: Vec<&String> = now
            .iter()
            .filter(|(_, bytes)| *bytes == content)
            .map(|(path, _)| path)
            .collect();
        let is_known =
            |at: &&String| at.as_str() == path || at.contains("kept-") || at.contains(".diskmend-");
        assert!(
            !same.is_empty() && same.iter().all(is_known),
            "{what}: {path} is at {same:?}"
        );
    }
}

#[test]
fn files_are_moved_away_and_come_back() {
    let pristine = disk();
    let disk = pristine.fork();
    let report = repair(&disk, FILES, Goal::Desired).expect("repair");
    assert_eq!(report.outcome, Outcome::Done);
    let run = report.run.expect("a run");
    let moved: Vec<_> = report
        .files
        .iter()
        .map(|file| (file.path.as_str(), file.action, file.fault))
        .collect();
    assert_eq!(
        moved,
        [
            (DRIVER, FileChangeKind::Remove, true),
            (LOGS[0], FileChangeKind::Rename, false),
            (LOGS[1], FileChangeKind::Rename, false),
        ]
    );
    let files = disk.files();
    assert!(!files.contains_key(DRIVER) && !files.contains_key(LOGS[0]));
    let kept = format!("{STATE_FOLDER}/runs/{run}.files/kept-1");
    assert_eq!(
        files.get(&kept).map(Vec::as_slice),
        Some(&b"a bad driver"[..])
    );
    assert!(files.contains_key(&format!("{}.diskmend-{run}", LOGS[1])));
    is_old_or_moved(&disk, &pristine, "repaired");

    let details = show_site(&site(&disk), &run).expect("a run");
    let shown: Vec<_> = details
        .files
        .iter()
        .map(|file| file.name.as_str())
        .collect();
    assert_eq!(details.run.files, 3);
    assert_eq!(shown[0], "kept-1");
    let operations = disk.operations();
    let again = repair(&disk, FILES, Goal::Desired).expect("repair");
    assert_eq!(again.outcome, Outcome::NothingToDo);
    assert_eq!(disk.operations(), operations, "something was written");
    // The run is needed until it is undone.
    assert_eq!(prunable_site(&site(&disk), 0).expect("a list").runs, []);

    let undone = undo(&disk, None).expect("undo");
    let moved = undone.moved.expect("files");
    assert_eq!(moved.put_back.len(), 3);
    assert_eq!((moved.left_alone.count, moved.failed.count), (0, 0));
    is_as(&disk, &pristine, "undone");
    let list = prunable_site(&site(&disk), 0).expect("a list");
    assert_eq!(list.runs.len(), 1);
    prune_site(&site(&disk), &list).expect("removed");
    is_as(&disk, &pristine, "pruned");
}

#[test]
fn auto_moves_faults_only_and_inspect_says_what_is_there() {
    let disk = disk();
    let recipe = recipe(FILES);
    let found = with_watch(|watch| inspect_site(&site(&disk), &[&recipe], &options(), watch));
    let states: Vec<_> = found
        .expect("inspect")
        .files
        .iter()
        .map(|row| (row.path.clone(), row.state))
        .collect();
    assert_eq!(
        states,
        [
            (DRIVER.to_owned(), RowState::Fault),
            (LOGS[0].to_owned(), RowState::Differs),
            (LOGS[1].to_owned(), RowState::Differs),
        ]
    );
    assert_eq!(disk.operations(), 0);
    let report = repair(&disk, FILES, Goal::Faults).expect("repair");
    assert_eq!(report.files.len(), 1);
    assert!(disk.files().contains_key(LOGS[0]));
}

#[test]
fn undo_replaces_nothing_that_came_later_and_prune_keeps_what_is_left() {
    let disk = disk();
    let run = repair(&disk, FILES, Goal::Desired).expect("repair").run;
    let run = run.expect("a run");
    disk.put(DRIVER, b"a new driver".to_vec());
    let changed = format!("{}.diskmend-{run}", LOGS[0]);
    disk.put(&changed, b"Windows/Logs/A.blf".to_vec());
    let undone = undo(&disk, None).expect("undo").moved.expect("files");
    assert_eq!(undone.put_back, [LOGS[1]]);
    assert_eq!(undone.left_alone.count, 2, "{undone:?}");
    let files = disk.files();
    assert_eq!(files.get(DRIVER).expect("there"), b"a new driver");
    assert!(!files.contains_key(LOGS[0]) && files.contains_key(&changed));
    let kept = format!("{STATE_FOLDER}/runs/{run}.files/kept-1");
    assert!(files.contains_key(&kept));
    let listed = runs_site(&site(&disk)).expect("a list");
    assert_eq!(listed.runs[0].state, Some(RunState::Undone));
    assert_eq!(prunable_site(&site(&disk), 0).expect("a list").runs, []);
    // Somebody has taken the file.
    let folder = site(&disk).root;
    let folder = folder.find(&[STATE_FOLDER, "runs", &format!("{run}.files")]);
    let folder = folder
        .expect("found")
        .expect("there")
        .open_dir()
        .expect("a folder");
    folder.remove_file("kept-1").expect("removed");
    assert_eq!(
        prunable_site(&site(&disk), 0).expect("a list").runs.len(),
        1
    );
}

#[test]
fn a_kept_file_that_was_changed_does_not_come_back() {
    let disk = disk();
    let run = repair(&disk, FILES, Goal::Desired).expect("repair").run;
    let kept = format!("{STATE_FOLDER}/runs/{}.files/kept-1", run.expect("a run"));
    disk.put(&kept, b"an evil file".to_vec());
    let undone = undo(&disk, None).expect("undo").moved.expect("files");
    assert_eq!(undone.put_back.len(), 2);
    assert_eq!(undone.left_alone.listed[0].path, DRIVER);
    assert!(!disk.files().contains_key(DRIVER));
}

#[test]
fn hives_and_their_logs_are_never_moved() {
    let disk = disk();
    let rows = "\n[[file]]\npath = 'Windows\\System32\\config'\nmatch = \"SYSTEM*\"\n\
        action = \"remove\"\nwhy = \"no\"\n";
    let error = repair(&disk, rows, Goal::Desired).expect_err("a hive");
    assert_eq!(error.class(), Class::Refused, "{error}");
    assert!(error.to_string().contains("registry hive"), "{error}");
    assert_eq!(disk.operations(), 0);
}

fn killed(rows: &str, finish: fn(&FaultyDisk, &str) -> Result<(), Error>, planned: bool) -> usize {
    let pristine = disk();
    let counted = pristine.fork();
    repair(&counted, rows, Goal::Desired).expect("repair");
    let mut states = 0;
    for at in 0..counted.operations() {
        for loss in LOSSES {
            let what = format!("{:?} ({at}), {loss:?}", counted.log()[at]);
            let disk = pristine.fork();
            disk.fail_at(at, Fault::Kill);
            repair(&disk, rows, Goal::Desired).expect_err(&what);
            disk.restart(loss);
            is_old_or_moved(&disk, &pristine, &what);
            finish(&disk, rows).unwrap_or_else(|error| panic!("{what}: {error}"));
            assert!(!is_unfinished(&disk), "{what}");
            if planned {
                assert!(!disk.files().contains_key(DRIVER), "{what}");
                undo(&disk, None).unwrap_or_else(|error| panic!("{what}: {error}"));
            }
            is_as(&disk, &pristine, &what);
            states += 1;
        }
    }
    states
}

fn undo_what_is_there(disk: &FaultyDisk, _: &str) -> Result<(), Error> {
    match undo(disk, None) {
        Ok(_) | Err(Error::NothingToUndo) => Ok(()),
        Err(error) => Err(error),
    }
}

#[test]
fn a_repair_killed_anywhere_can_be_undone() {
    let rows = format!("{FILES}{VALUE}");
    let states = killed(&rows, undo_what_is_there, false);
    println!("{states} crashes tried");
}

#[test]
fn a_repair_of_files_killed_anywhere_can_be_repeated() {
    let states = killed(
        FILES,
        |disk, rows| repair(disk, rows, Goal::Desired).map(drop),
        true,
    );
    println!("{states} crashes tried");
}

#[test]
fn an_undo_killed_anywhere_can_be_repeated() {
    let rows = format!("{FILES}{VALUE}");
    let pristine = disk();
    let repaired = pristine.fork();
    repair(&repaired, &rows, Goal::Desired).expect("repair");
    let counted = repaired.fork();
    undo(&counted, None).expect("undo");
    for at in 0..counted.operations() {
        for loss in LOSSES {
            let what = format!("{:?} ({at}), {loss:?}", counted.log()[at]);
            let disk = repaired.fork();
            disk.fail_at(at, Fault::Kill);
            // A file that can't be moved any more is only reported.
            let _: Result<UndoReport, Error> = undo(&disk, None);
            disk.restart(loss);
            is_old_or_moved(&disk, &pristine, &what);
            undo_what_is_there(&disk, "").unwrap_or_else(|error| panic!("{what}: {error}"));
            assert!(!is_unfinished(&disk), "{what}");
            is_as(&disk, &pristine, &what);
        }
    }
}

#[test]
fn a_repair_that_fails_anywhere_is_rolled_back() {
    let rows = format!("{FILES}{VALUE}");
    let pristine = disk();
    let counted = pristine.fork();
    repair(&counted, &rows, Goal::Desired).expect("repair");
    for at in 0..counted.operations() {
        let what = format!("{:?} ({at})", counted.log()[at]);
        let disk = pristine.fork();
        disk.fail_at(at, Fault::Once);
        match repair(&disk, &rows, Goal::Desired) {
            // Something that isn't needed failed.
            Ok(_) => {}
            Err(error) => {
                assert_ne!(error.class(), Class::Broken, "{what}: {error}");
                is_as(&disk, &pristine, &what);
            }
        }
    }
}
