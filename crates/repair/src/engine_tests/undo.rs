//! Undoing runs in order and out of order, and after other changes to the hive.

use diskmend_disk::Access;
use diskmend_disk::testing::FaultyDisk;

use super::support::{
    FaultyHive, differing, hives, plan, reading, repair, same_hives, site, tally, undo, volume,
    with_watch,
};
use crate::documents::{Method, Outcome, PlanReport, Reversal, RunKind, RunState};
use crate::error::{Class, Error};
use crate::hive_on_disk;
use crate::plan::Goal;
use crate::recipe::HiveName;
use crate::run::run_file;
use crate::runs::runs_site;
use crate::site::Options;
use crate::value_data::ValueData;

fn set(disk: &FaultyDisk, key: &str, name: &str, number: u32) -> String {
    disk.set_all(&[(key, name, number)])
}

const RDP: &str = r"ControlSet001\Control\Terminal Server\WinStations\RDP-Tcp";

#[test]
fn a_second_repair_writes_nothing_and_undo_gives_the_bytes_back() {
    let pristine = volume("system-001-002");
    let disk = pristine.fork();
    let report = repair(&disk).expect("repair");
    assert_eq!(report.outcome, Outcome::Done);
    let repaired = disk.files();
    let operations = disk.operations();
    let again = repair(&disk).expect("repair");
    assert_eq!(again.outcome, Outcome::NothingToDo);
    assert_eq!(again.run, None);
    assert_eq!(disk.operations(), operations, "something was written");
    assert_eq!(differing(&disk.files(), &repaired), [""; 0]);

    let undone = undo(&disk, report.run.as_deref()).expect("undo");
    assert_eq!(undone.method, Method::Bytes);
    same_hives(&disk, &pristine, "undone");
    assert!(matches!(undo(&disk, None), Err(Error::NothingToUndo)));
    let named = undo(&disk, report.run.as_deref());
    assert!(matches!(named, Err(Error::NotUndoable { .. })));
}

#[test]
fn inspect_and_plan_write_nothing_even_if_the_hive_is_dirty() {
    let disk = volume("dirty-hvle-both");
    let before = disk.files();
    let plan = plan(&disk, Goal::Desired).expect("plan");
    assert!(PlanReport::of(&plan).has_changes());
    tally(&disk);
    assert_eq!(disk.operations(), 0);
    assert_eq!(differing(&disk.files(), &before), [""; 0]);
}

#[test]
fn runs_are_undone_from_the_newest_to_the_oldest() {
    let pristine = volume("system-001-002");
    let disk = pristine.fork();
    repair(&disk).expect("repair");
    let between = hives(&disk);
    set(&disk, r"ControlSet001\Mine", "A", 1);
    undo(&disk, None).expect("undo");
    assert_eq!(differing(&hives(&disk), &between), [""; 0]);
    undo(&disk, None).expect("undo");
    same_hives(&disk, &pristine, "undone");
}

#[test]
fn after_a_later_change_each_value_is_reversed_by_itself() {
    let disk = volume("system-001-002");
    let report = repair(&disk).expect("repair");
    let first = report.run.expect("a run");
    let changes: Vec<_> = report
        .changes
        .into_iter()
        .map(|change| change.value)
        .collect();
    let (Some(reversed), Some(kept)) = (changes.first(), changes.last()) else {
        panic!("no changes");
    };
    set(&disk, r"ControlSet001\Mine", "A", 1);
    set(&disk, &kept.key, &kept.value, 7);
    let undone = undo(&disk, Some(&first)).expect("undo");
    assert_eq!(undone.method, Method::Values);
    assert_eq!(reading(&disk, &reversed.key, &reversed.value), reversed.old);
    // A later change by others stays, and is reported.
    let seven = Some(ValueData::dword(7));
    assert_eq!(reading(&disk, &kept.key, &kept.value), seven);
    assert_eq!(
        reading(&disk, r"ControlSet001\Mine", "A"),
        Some(ValueData::dword(1))
    );
    let left: Vec<_> = undone
        .changes
        .iter()
        .filter(|change| change.reversal == Reversal::LeftAlone)
        .collect();
    let [left] = left.as_slice() else {
        panic!("{left:?}");
    };
    assert_eq!(left.change, *kept);
    assert_eq!(left.found, seven);

    let runs = runs_site(&site(&disk)).expect("runs").runs;
    let old = runs.iter().find(|run| run.run == first).expect("listed");
    assert_eq!(old.state, Some(RunState::Undone));
    let reversal = runs.last().expect("a run");
    assert_eq!(reversal.kind, RunKind::Undo);
    assert_eq!(Some(&reversal.run), undone.recorded_as.as_ref());
}

#[test]
fn keys_that_a_run_created_go_again_unless_somebody_uses_them() {
    let disk = volume("system-001-002");
    let run = set(&disk, r"ControlSet001\New\Deep\Er", "A", 1);
    set(&disk, r"ControlSet001\New\Other", "B", 2);
    undo(&disk, Some(&run)).expect("undo");
    assert_eq!(
        reading(&disk, r"ControlSet001\New\Other", "B"),
        Some(ValueData::dword(2))
    );
    let site = site(&disk);
    let place = hive_on_disk::find(site.root.as_ref(), HiveName::System).expect("a hive");
    let opened = hive_on_disk::open(place, Access::Read).expect("open");
    let exists = |key| opened.hive.key(key).expect("sound").is_some();
    assert!(!exists(r"ControlSet001\New\Deep"));
    assert!(exists(r"ControlSet001\New"));
}

#[test]
fn a_deleted_tree_comes_back_value_by_value() {
    let disk = volume("system-001-002");
    let before = reading(&disk, RDP, "SecurityLayer");
    let run = disk.edit(|editor| {
        editor
            .delete_key(r"ControlSet001\Control\Terminal Server")
            .map(|_| ())
    });
    assert_eq!(reading(&disk, RDP, "SecurityLayer"), None);
    set(&disk, r"ControlSet001\Mine", "A", 1);
    let undone = undo(&disk, Some(&run)).expect("undo");
    assert_eq!(undone.method, Method::Values);
    assert!(before.is_some());
    assert_eq!(reading(&disk, RDP, "SecurityLayer"), before);
}

#[test]
fn a_plan_does_not_outlive_a_change_of_the_hive() {
    let disk = volume("system-001-002");
    let plan = plan(&disk, Goal::Desired).expect("plan");
    set(&disk, r"ControlSet001\Mine", "A", 1);
    let site = site(&disk);
    let error = with_watch(|watch| {
        crate::repair::repair_site(&site, plan, &Options::default(), watch).expect_err("stale")
    });
    assert_eq!(error.class(), Class::Refused);
    assert!(error.to_string().contains("changed since"), "{error}");
}

#[test]
fn a_damaged_hive_is_refused_and_nothing_is_written() {
    for fixture in ["broken-list", "broken-parent", "broken-dirty-no-log"] {
        let disk = volume(fixture);
        let before = disk.files();
        let error = repair(&disk).expect_err(fixture);
        assert_eq!(error.class(), Class::Refused, "{fixture}: {error}");
        assert_eq!(differing(&disk.files(), &before), [""; 0], "{fixture}");
    }
}

#[test]
fn damaged_undo_data_are_noticed_before_anything_is_written() {
    let disk = volume("system-001-002");
    let run = repair(&disk).expect("repair").run.expect("a run");
    let path = format!("diskmend/runs/{run}");
    let bytes = disk.files().remove(&path).expect("a run file");
    disk.put(&path, run_file::with_damaged_undo(&bytes));
    let before = hives(&disk);
    let error = undo(&disk, None).expect_err("damaged");
    assert!(matches!(error, Error::DamagedRun { .. }), "{error}");
    assert_eq!(differing(&hives(&disk), &before), [""; 0]);
}

#[test]
fn a_recovery_alone_is_a_change_of_its_own() {
    let pristine = volume("dirty-hvle-both");
    let disk = pristine.fork();
    disk.edit(|_| Ok(()));
    let plan = plan(&disk, Goal::Desired).expect("plan");
    assert!(
        PlanReport::of(&plan)
            .hives
            .iter()
            .all(|hive| hive.dirty.is_none())
    );
    let undone = undo(&disk, None).expect("undo");
    assert_eq!(undone.method, Method::Bytes);
    same_hives(&disk, &pristine, "undone");
}

#[test]
fn a_run_too_large_to_note_is_undone_by_its_bytes_only() {
    let pristine = volume("system-001-002");
    let disk = pristine.fork();
    let data = vec![7; 1 << 20];
    let run = disk.edit(|editor| {
        editor.create_key("Large")?;
        for number in 0..9 {
            let name = number.to_string();
            editor.set_value("Large", &name, diskmend_hive::ValueType::BINARY, &data)?;
        }
        Ok(())
    });
    let file = disk.files().remove(&format!("diskmend/runs/{run}"));
    let journal = run_file::journal_of(&file.expect("a run file"));
    assert!(journal.len() < 100_000);
    let later = set(&disk, r"ControlSet001\Mine", "A", 1);
    let error = undo(&disk, Some(&run)).expect_err("changed since");
    assert!(matches!(error, Error::NotReversible { .. }), "{error}");
    undo(&disk, Some(&later)).expect("undo");
    undo(&disk, Some(&run)).expect("undo");
    same_hives(&disk, &pristine, "undone");
}

#[test]
fn too_little_room_is_a_guard_and_leaves_nothing_behind() {
    let disk = volume("system-001-002");
    let before = disk.files();
    let mut site = site(&disk);
    site.room = Box::new(|need| {
        assert!(need.state > 4096, "{need:?}");
        Err(diskmend_disk::GuardError::NoSpace {
            needed: need.state,
            available: 1,
        })
    });
    let plan = plan(&disk, Goal::Desired).expect("plan");
    let error = with_watch(|watch| {
        crate::repair::repair_site(&site, plan, &Options::default(), watch).expect_err("no room")
    });
    assert_eq!(error.class(), Class::Refused, "{error}");
    assert_eq!(differing(&disk.files(), &before), [""; 0]);
    assert_eq!(disk.operations(), 0);
}
