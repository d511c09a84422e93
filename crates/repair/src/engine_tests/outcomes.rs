//! Reports say what was done, and not what was planned.

use diskmend_disk::testing::{Fault, FaultyDisk, Loss};

use super::descriptors::{REPAIRED, disk, key, repair, repair_with, sddl};
use super::support::{begun, ended, hives, is_unfinished, site, undo};
use crate::documents::{Outcome, RunState, RunSummary};
use crate::plan::Goal;
use crate::runs::runs_site;

/// Makes the setting of these descriptors fail.
fn unsettable(disk: &FaultyDisk, names: &[&str]) {
    let counted = disk.fork();
    repair_with(&counted, names, Goal::Desired).expect("repair");
    let log = counted.log();
    let sets = log.iter().enumerate();
    let sets = sets.filter(|(_, what)| what.starts_with("set descriptor"));
    let sets: Vec<_> = sets.map(|(at, _)| at).collect();
    assert_eq!(sets.len(), 4, "{log:?}");
    disk.fail_at(sets[0], Fault::Once);
    for at in &sets[1..] {
        disk.also_fail_at(*at, Fault::Once);
    }
}

fn runs(disk: &FaultyDisk) -> Vec<RunSummary> {
    runs_site(&site(disk)).expect("runs").runs
}

/// Once every repeated repair left one more run.
#[test]
fn a_repair_in_which_nothing_could_be_set_leaves_no_run() {
    let disk = disk();
    let before = (hives(&disk), disk.descriptors());
    for _ in 0..2 {
        unsettable(&disk, &["machine-keys"]);
        let report = repair_with(&disk, &["machine-keys"], Goal::Desired).expect("looked at");
        assert_eq!(report.outcome, Outcome::PartlyDone);
        assert_eq!(report.run, None);
        let applied = report.descriptors.expect("descriptors");
        assert_eq!((applied.changed, applied.failed.count), (0, 4));
        assert_eq!(applied.reports, [""; 0], "in a folder that is gone");
        assert_eq!(runs(&disk), []);
        disk.restart(Loss::Nothing);
        assert_eq!((hives(&disk), disk.descriptors()), before);
    }
}

#[test]
fn a_run_reports_the_permissions_that_it_has_set() {
    let disk = disk();
    unsettable(&disk, &["tls", "machine-keys"]);
    let report = repair(&disk).expect("the hive");
    assert_eq!(report.outcome, Outcome::PartlyDone);
    let [run] = &runs(&disk)[..] else {
        panic!("no run");
    };
    assert!(run.changes >= report.changes.len(), "values and keys");
    assert_eq!(run.descriptors, 0);
    disk.restart(Loss::Nothing);
    let undone = undo(&disk, None).expect("undo").descriptors;
    let undone = undone.expect("descriptors");
    assert_eq!((undone.restored, undone.already), (0, 4));
}

#[test]
fn a_run_that_was_rolled_back_has_changed_nothing() {
    let pristine = disk();
    let counted = pristine.fork();
    repair(&counted).expect("repair");
    let [run] = &runs(&counted)[..] else {
        panic!("no run");
    };
    assert_eq!(run.descriptors, 4);
    assert!(run.changes > 0);
    let failed = pristine.fork();
    failed.fail_at(ended(&counted.log()), Fault::Once);
    repair(&failed).expect_err("fails");
    let [run] = &runs(&failed)[..] else {
        panic!("no run");
    };
    assert_eq!(run.state, Some(RunState::RolledBack));
    assert_eq!((run.changes, run.descriptors), (0, 0));
}

/// A run that was killed while it wrote the hives has not set any permissions yet.
#[test]
fn a_run_that_was_killed_early_has_set_no_permissions() {
    let disk = disk();
    let counted = disk.fork();
    repair(&counted).expect("repair");
    disk.fail_at(begun(&counted.log()) + 1, Fault::Kill);
    repair(&disk).expect_err("killed");
    disk.restart(Loss::Nothing);
    let [run] = &runs(&disk)[..] else {
        panic!("no run");
    };
    assert_eq!(run.state, Some(RunState::Applying));
    assert!(run.changes > 0, "at most");
    assert_eq!(run.descriptors, 0);
}

/// At any operation of a repair that can't set anything, a kill leaves a run that can be undone, or
/// nothing was changed.
#[test]
fn a_repair_that_sets_nothing_can_be_killed_anywhere() {
    let pristine = disk();
    let before = (hives(&pristine), pristine.descriptors());
    let counted = pristine.fork();
    unsettable(&counted, &["machine-keys"]);
    repair_with(&counted, &["machine-keys"], Goal::Desired).expect("looked at");
    for at in 0..counted.operations() {
        for loss in [Loss::Nothing, Loss::Unflushed] {
            let what = format!("{:?} ({at}), {loss:?}", counted.log()[at]);
            let killed = pristine.fork();
            unsettable(&killed, &["machine-keys"]);
            killed.also_fail_at(at, Fault::Kill);
            let _ = repair_with(&killed, &["machine-keys"], Goal::Desired);
            killed.restart(loss);
            while undo(&killed, None).is_ok() {}
            assert!(!is_unfinished(&killed), "{what}");
            let after = (hives(&killed), killed.descriptors());
            assert!(after == before, "{what}");
            repair(&killed).unwrap_or_else(|error| panic!("{what}: {error}"));
            assert_eq!(sddl(&killed, &key(0)), REPAIRED, "{what}");
        }
    }
}
