//! Files that are replaced by others because they are damaged: repaired, undone, killed at every
//! operation.

use std::collections::BTreeMap;

use diskmend_disk::Details;
use diskmend_disk::testing::{Fault, FaultyDisk, Loss};
use diskmend_hive::{EditError, Editor, ValueType};

use super::boot_fixture::{hive, written_at};
use super::support::{differing, is_unfinished, one_in, site, undo, with_watch};
use crate::documents::{
    FileChangeKind, Outcome, PlanReport, RepairReport, RowState, RunState, SkippedHint,
};
use crate::error::{Class, Error, Refusal};
use crate::inspect::inspect_site;
use crate::plan::{Goal, plan_site};
use crate::prune::{prunable_site, prune_site};
use crate::recipe::Recipe;
use crate::repair::repair_site;
use crate::run::STATE_FOLDER;
use crate::runs::runs_site;
use crate::show_run::show_site;
use crate::site::Options;

const CONFIG: &str = "Windows/System32/config";
pub(super) const SOFTWARE: &str = "Windows/System32/config/SOFTWARE";
pub(super) const LOG: &str = "Windows/System32/config/SOFTWARE.LOG1";
pub(super) const COPY: &str = "Windows/System32/config/RegBack/SOFTWARE";
/// 2024-01-01, when the hives of the tests were written.
const WRITTEN: u64 = 133_485_408_000_000_000;
const DAY: u64 = 86_400 * 10_000_000;
const LOSSES: [Loss; 3] = [
    Loss::Nothing,
    Loss::Unflushed,
    Loss::Some(0x9e37_79b9_7f4a_7c15),
];

pub(super) const HEAD: &str = "schema = 1\nname = \"own\"\ntitle = \"Title\"\nsummary = \"Summary\"\n\
    sources = [\"https://example.org\"]\n";
pub(super) const HIVE: &str = "\n[[file]]\npath = 'Windows\\System32\\config'\nmatch = \"SOFTWARE\"\n\
    action = \"copy\"\nfrom = 'windows\\system32\\CONFIG\\RegBack\\SOFTWARE'\ncheck = \"hive\"\n\
    fault = \"damaged\"\nwhy = \"Windows needs it\"\n";
pub(super) const VALUE: &str = "\n[[registry]]\nhive = \"SYSTEM\"\nkey = 'ControlSet*\\Control'\n\
    value = \"FilesTest\"\ntype = \"REG_DWORD\"\ndata = 1\nwhy = \"a value, too\"\n";

fn row(folder: &str, name: &str, from: &str, check: &str) -> String {
    format!(
        "\n[[file]]\npath = '{folder}'\nmatch = \"{name}\"\naction = \"copy\"\nfrom = '{from}'\n\
         check = \"{check}\"\nfault = \"damaged\"\nwhy = \"it is needed\"\n"
    )
}

fn number(editor: &mut Editor, key: &str, name: &str, number: u32) -> Result<(), EditError> {
    editor.create_key(key)?;
    editor.set_value(key, name, ValueType::DWORD, &number.to_le_bytes())?;
    Ok(())
}

fn system() -> Vec<u8> {
    hive(|editor| {
        number(editor, "Select", "Current", 1)?;
        number(editor, "Select", "Default", 1)?;
        number(editor, r"ControlSet001\Control", "x", 1)
    })
}

pub(super) fn software() -> Vec<u8> {
    hive(|editor| number(editor, r"Microsoft\Windows NT\CurrentVersion", "copy", 1))
}

/// A hive that was written at another time, with these sequence numbers.
fn stamped(mut hive: Vec<u8>, written: u64, sequences: (u32, u32)) -> Vec<u8> {
    hive[4..8].copy_from_slice(&sequences.0.to_le_bytes());
    hive[8..12].copy_from_slice(&sequences.1.to_le_bytes());
    written_at(hive, written)
}

/// A Windows whose SOFTWARE is damaged, with a sound copy.
pub(super) fn disk() -> FaultyDisk {
    let disk = FaultyDisk::new();
    disk.put(&format!("{CONFIG}/SYSTEM"), system());
    let mut damaged = software();
    damaged[4096..4100].fill(0);
    disk.put(SOFTWARE, damaged);
    disk.put(LOG, b"the log of the damaged hive".to_vec());
    disk.put(COPY, stamped(software(), WRITTEN - 300 * DAY, (7, 7)));
    let folder = folder(&disk);
    folder.set_details("SOFTWARE", &details()).expect("set");
    disk
}

fn details() -> Details {
    Details {
        attributes: Some(0x20),
        descriptor: Some(vec![1, 2, 3]),
        ..Details::default()
    }
}

fn folder(disk: &FaultyDisk) -> Box<dyn diskmend_disk::Dir> {
    let root = disk.root();
    let found = root.find(&["Windows", "System32", "config"]);
    let found = found.expect("found").expect("there");
    found.open_dir().expect("a folder")
}

fn options() -> Options {
    Options {
        check: false,
        ..Options::default()
    }
}

pub(super) fn repair(disk: &FaultyDisk, rows: &str, goal: Goal) -> Result<RepairReport, Error> {
    let recipe = Recipe::parse("own.toml", &format!("{HEAD}{rows}")).expect("valid");
    with_watch(|watch| {
        let plan = plan_site(&site(disk), &[&recipe], goal, &options(), watch)?;
        repair_site(&site(disk), plan, &options(), watch)
    })
}

pub(super) fn inspect(disk: &FaultyDisk, rows: &str) -> crate::documents::InspectReport {
    let recipe = Recipe::parse("own.toml", &format!("{HEAD}{rows}")).expect("valid");
    with_watch(|watch| inspect_site(&site(disk), &[&recipe], &options(), watch)).expect("inspect")
}

pub(super) fn windows(disk: &FaultyDisk) -> BTreeMap<String, Vec<u8>> {
    let mut files = disk.files();
    files.retain(|path, _| path.starts_with("Windows/"));
    files
}

fn is_as(disk: &FaultyDisk, other: &FaultyDisk, what: &str) {
    let differ = differing(&windows(disk), &windows(other));
    assert!(differ.is_empty(), "{what}: {differ:?} differ");
    let kept = folder(disk).details("SOFTWARE").expect("details");
    assert_eq!(kept, details(), "{what}");
}

#[test]
fn a_damaged_hive_is_replaced_and_comes_back() {
    let pristine = disk();
    let disk = pristine.fork();
    let found = inspect(&disk, HIVE);
    let row = found.files.last().expect("a row");
    assert_eq!(row.state, RowState::Fault);
    assert_eq!(row.from.as_deref(), Some(COPY));
    assert!(row.damage.is_some() && row.problem.is_none(), "{row:?}");
    let report = repair(&disk, HIVE, Goal::Faults).expect("repair");
    assert_eq!(report.outcome, Outcome::Done);
    let run = report.run.expect("a run");
    let changed: Vec<_> = report
        .files
        .iter()
        .map(|file| (file.path.as_str(), file.action, file.fault))
        .collect();
    assert_eq!(
        changed,
        [
            (LOG, FileChangeKind::Remove, true),
            (SOFTWARE, FileChangeKind::Copy, true),
        ]
    );
    let (files, before) = (disk.files(), pristine.files());
    assert_eq!(files[SOFTWARE], before[COPY]);
    assert!(!files.contains_key(LOG), "its log would be replayed");
    let kept = |number: u32| &files[&format!("{STATE_FOLDER}/runs/{run}.files/kept-{number}")];
    assert_eq!(*kept(1), before[LOG]);
    assert_eq!(*kept(2), before[SOFTWARE]);
    let new = folder(&disk).details("SOFTWARE").expect("details");
    assert_eq!(new, details());

    let shown = show_site(&site(&disk), &run).expect("a run");
    let last = shown.files.last().expect("a file");
    assert_eq!(last.action, FileChangeKind::Copy);
    assert_eq!(last.from.as_deref(), Some(COPY));
    let again = repair(&disk, HIVE, Goal::Faults).expect("repair");
    assert_eq!(again.outcome, Outcome::NothingToDo);

    let undone = undo(&disk, None).expect("undo").moved.expect("files");
    assert_eq!(undone.put_back.len(), 2, "{undone:?}");
    is_as(&disk, &pristine, "undone");
    let list = prunable_site(&site(&disk), 0).expect("a list");
    assert_eq!(list.runs.len(), 1);
    prune_site(&site(&disk), &list).expect("removed");
    assert!(!disk.files().keys().any(|path| path.contains("kept-")));
    is_as(&disk, &pristine, "pruned");
}

#[test]
fn a_sound_hive_stays_whatever_its_copy_is() {
    let disk = disk();
    disk.put(SOFTWARE, software());
    disk.put(LOG, Vec::new());
    disk.put(COPY, Vec::new());
    let found = inspect(&disk, HIVE);
    assert_eq!(found.files.len(), 1);
    assert_eq!(found.files[0].state, RowState::Ok);
    assert_eq!(found.files[0].problem, None);
    let report = repair(&disk, HIVE, Goal::Desired).expect("repair");
    assert_eq!(report.outcome, Outcome::NothingToDo);
    assert_eq!(disk.operations(), 1);
}

#[test]
fn a_copy_that_windows_left_open_is_closed() {
    let disk = disk();
    disk.put(COPY, stamped(software(), WRITTEN, (8, 7)));
    repair(&disk, HIVE, Goal::Faults).expect("repair");
    let closed = stamped(software(), WRITTEN, (8, 8));
    assert!(disk.files()[SOFTWARE] == closed);
}

/// The refusal of a copy, and that nothing was written.
#[track_caller]
fn refused(content: Option<Vec<u8>>, rows: &str) -> (String, String) {
    let disk = disk();
    let operations = disk.operations();
    match content {
        Some(content) => disk.put(COPY, content),
        None => drop(
            folder(&disk)
                .open_dir("RegBack")
                .expect("there")
                .remove_file("SOFTWARE"),
        ),
    }
    let operations = operations.max(disk.operations());
    let recipe = Recipe::parse("own.toml", &format!("{HEAD}{rows}")).expect("valid");
    let planned = with_watch(|watch| {
        plan_site(&site(&disk), &[&recipe], Goal::Desired, &options(), watch).map(|plan| {
            let report = PlanReport::of(&plan);
            (report.files.len(), report.skipped)
        })
    });
    let (changed, skipped) = planned.expect("a plan");
    assert_eq!((changed, skipped.len()), (0, 1), "{skipped:?}");
    assert_eq!(skipped[0].hint, Some(SkippedHint::Backup));
    let error = repair(&disk, rows, Goal::Desired).expect_err("refused");
    assert_eq!(error.class(), Class::Refused, "{error}");
    assert_eq!(disk.operations(), operations, "something was written");
    match error {
        Error::Refused(refusal) => match refusal {
            Refusal::Replacement {
                path,
                from,
                expected,
                found,
            } => {
                assert_eq!(path, SOFTWARE);
                assert_eq!(from.to_lowercase(), COPY.to_lowercase());
                (expected, found)
            }
            other => panic!("{other}"),
        },
        other => panic!("{other}"),
    }
}

#[test]
fn copies_that_are_not_fit_are_refused_before_anything_is_written() {
    let mut torn = software();
    torn[4096..4100].fill(0);
    let other = hive(|editor| number(editor, r"Other\Key", "copy", 1));
    let old = stamped(software(), WRITTEN - 366 * DAY, (7, 7));
    let open = stamped(software(), WRITTEN, (9, 7));
    let timeless = stamped(software(), 0, (7, 7));
    for (content, says) in [
        (None, "no such file"),
        (Some(Vec::new()), "an empty file"),
        (Some(b"regf".to_vec()), "4 bytes"),
        (Some(torn), "structural errors"),
        (Some(other), "no key Microsoft"),
        (Some(system()), "no key Microsoft"),
        (Some(old), "2022-12-31"),
        (Some(open), "not closed"),
        (Some(timeless), "without it"),
    ] {
        let (expected, found) = refused(content, HIVE);
        assert!(found.contains(says), "{says}: {expected}, {found}");
    }
}

#[test]
fn the_disk_itself_says_how_old_a_copy_is() {
    let disk = disk();
    // The disk was last used in 2020, and kept since.
    let long_ago = WRITTEN - 1400 * DAY;
    disk.put(
        &format!("{CONFIG}/SYSTEM"),
        stamped(system(), long_ago, (7, 7)),
    );
    disk.put(COPY, stamped(software(), long_ago - 364 * DAY, (7, 7)));
    let report = repair(&disk, HIVE, Goal::Faults).expect("repair");
    assert_eq!(report.outcome, Outcome::Done);
}

#[test]
fn files_without_content_and_programs_are_replaced_too() {
    let disk = disk();
    let pe = pe();
    for (path, content) in [
        ("Windows/a.cat", Vec::new()),
        ("Windows/good/a.cat", b"content".to_vec()),
        ("Windows/driver.sys", pe[..pe.len() - 1].to_vec()),
        ("Windows/good/driver.sys", pe.clone()),
        ("Windows/other.sys", pe.clone()),
    ] {
        disk.put(path, content);
    }
    let rows = [
        row("Windows", "a.cat", "Windows\\good\\a.cat", "nonempty"),
        row("Windows", "driver.sys", "Windows\\good\\driver.sys", "pe"),
        row("Windows", "other.sys", "Windows\\good\\a.cat", "pe"),
    ];
    let report = repair(&disk, &rows.concat(), Goal::Faults).expect("repair");
    assert_eq!(report.files.len(), 2);
    let files = disk.files();
    assert_eq!(files["Windows/a.cat"], b"content");
    assert_eq!(files["Windows/driver.sys"], pe);
    // A driver for another machine doesn't replace one whose headers tell its machine.
    disk.put("Windows/driver.sys", pe[..pe.len() - 1].to_vec());
    let mut other = pe;
    other[0x44..0x46].copy_from_slice(&0x14c_u16.to_le_bytes());
    disk.put("Windows/good/driver.sys", other);
    let error = repair(&disk, &rows[1], Goal::Faults).expect_err("another machine");
    assert!(error.to_string().contains("for x86"), "{error}");
}

/// A small PE file for x64 with one section at its end.
pub(in crate::engine_tests) fn pe() -> Vec<u8> {
    let mut pe = vec![0; 0x400];
    let mut put = |at: usize, bytes: &[u8]| pe[at..at + bytes.len()].copy_from_slice(bytes);
    put(0, b"MZ");
    put(0x3c, &0x40_u32.to_le_bytes());
    put(0x40, b"PE\0\0");
    put(0x44, &0x8664_u16.to_le_bytes());
    put(0x46, &1_u16.to_le_bytes());
    put(0x54, &240_u16.to_le_bytes());
    put(0x58, &0x20b_u16.to_le_bytes());
    put(0x58 + 60, &0x200_u32.to_le_bytes());
    put(0x58 + 108, &16_u32.to_le_bytes());
    put(0x58 + 240 + 16, &0x200_u32.to_le_bytes());
    put(0x58 + 240 + 20, &0x200_u32.to_le_bytes());
    pe
}

#[test]
fn a_hive_that_was_used_since_stays_and_the_old_one_is_kept() {
    let disk = disk();
    repair(&disk, HIVE, Goal::Faults).expect("repair");
    let newer = stamped(software(), WRITTEN, (9, 9));
    disk.put(SOFTWARE, newer.clone());
    let undone = undo(&disk, None).expect("undo").moved.expect("files");
    assert_eq!(undone.put_back, [LOG]);
    assert_eq!(undone.left_alone.listed[0].path, SOFTWARE);
    assert!(disk.files()[SOFTWARE] == newer);
    let listed = runs_site(&site(&disk)).expect("a list");
    assert_eq!(listed.runs[0].state, Some(RunState::Undone));
    assert_eq!(prunable_site(&site(&disk), 0).expect("a list").runs, []);
}

#[test]
fn a_new_file_that_was_changed_in_the_run_is_not_put_in_place() {
    let pristine = disk();
    let disk = pristine.fork();
    let counted = pristine.fork();
    repair(&counted, HIVE, Goal::Faults).expect("repair");
    let log = counted.log();
    let moved = log.iter().rposition(|what| what.starts_with("move new-2"));
    // The old file has left its place, and the new one is not there yet.
    disk.fail_at(moved.expect("moved") - 1, Fault::Kill);
    repair(&disk, HIVE, Goal::Faults).expect_err("killed");
    disk.restart(Loss::Nothing);
    let files = disk.files();
    let staged = files.keys().find(|path| path.ends_with("/new-2"));
    disk.put(staged.expect("the new file"), b"an evil hive".to_vec());
    repair(&disk, HIVE, Goal::Faults).expect_err("changed");
    assert!(!disk.files().contains_key(SOFTWARE));
    undo(&disk, None).expect("undo");
    is_as(&disk, &pristine, "undone");
}

/// Every file is where it was or where the run puts it.
fn is_known(disk: &FaultyDisk, pristine: &FaultyDisk, what: &str) {
    let (now, before) = (disk.files(), pristine.files());
    for path in [SOFTWARE, LOG] {
        let mut same = now.iter().filter(|(_, bytes)| **bytes == before[path]);
        let is_place = |at: &str| at == path || at.contains("kept-");
        assert!(same.any(|(at, _)| is_place(at)), "{what}: {path} is lost");
    }
    if let Some(bytes) = now.get(SOFTWARE) {
        let known = *bytes == before[SOFTWARE] || *bytes == before[COPY];
        assert!(known, "{what}: half a hive");
        let unsafe_log = *bytes == before[COPY] && now.contains_key(LOG);
        assert!(!unsafe_log, "{what}: the old log beside the new hive");
    }
}

fn killed(rows: &str, repeat: bool) {
    let pristine = disk();
    let counted = pristine.fork();
    repair(&counted, rows, Goal::Desired).expect("repair");
    let first = pristine.operations();
    for at in (first..counted.operations()).skip(usize::from(repeat)) {
        for loss in LOSSES {
            let what = format!("{:?} ({at}), {loss:?}", counted.log()[at]);
            let disk = pristine.fork();
            disk.fail_at(at, Fault::Kill);
            repair(&disk, rows, Goal::Desired).expect_err(&what);
            disk.restart(loss);
            is_known(&disk, &pristine, &what);
            if repeat {
                let again = repair(&disk, rows, Goal::Desired);
                again.unwrap_or_else(|error| panic!("{what}: {error}"));
                let files = disk.files();
                assert!(files[SOFTWARE] == files[COPY], "{what}: not replaced");
            }
            match undo(&disk, None) {
                Ok(_) | Err(Error::NothingToUndo) => {}
                Err(error) => panic!("{what}: {error}"),
            }
            assert!(!is_unfinished(&disk), "{what}");
            is_as(&disk, &pristine, &what);
        }
    }
}

#[test]
fn a_repair_killed_anywhere_can_be_undone() {
    killed(&format!("{HIVE}{VALUE}"), false);
}

#[test]
fn a_repair_killed_anywhere_can_be_repeated() {
    killed(HIVE, true);
}

#[test]
fn an_undo_killed_anywhere_can_be_repeated() {
    let pristine = disk();
    let repaired = pristine.fork();
    repair(&repaired, HIVE, Goal::Desired).expect("repair");
    let counted = repaired.fork();
    undo(&counted, None).expect("undo");
    for at in repaired.operations()..counted.operations() {
        for loss in LOSSES {
            let what = format!("{:?} ({at}), {loss:?}", counted.log()[at]);
            let disk = repaired.fork();
            disk.fail_at(at, Fault::Kill);
            // A file that can't be moved any more is only reported.
            drop(undo(&disk, None));
            disk.restart(loss);
            is_known(&disk, &pristine, &what);
            match undo(&disk, None) {
                Ok(_) | Err(Error::NothingToUndo) => {}
                Err(error) => panic!("{what}: {error}"),
            }
            is_as(&disk, &pristine, &what);
        }
    }
}

#[test]
fn a_repair_that_fails_anywhere_or_on_a_full_disk_is_rolled_back() {
    let rows = format!("{HIVE}{VALUE}");
    let pristine = disk();
    let counted = pristine.fork();
    repair(&counted, &rows, Goal::Desired).expect("repair");
    for fault in [Fault::Once, Fault::Full] {
        for at in one_in(1, counted.operations()).skip(pristine.operations()) {
            let what = format!("{:?} ({at}), {fault:?}", counted.log()[at]);
            let disk = pristine.fork();
            disk.fail_at(at, fault);
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
}
