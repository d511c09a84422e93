//! Security descriptors together with a hive: repaired, killed at every operation, completed,
//! undone, and with errors of single files.

use diskmend_acl::{Domains, SddlParts, SecurityDescriptor};
use diskmend_disk::testing::{Fault, FaultyDisk, Loss};

use super::support::{
    ended, hives, is_unfinished, same_hives, site, tally, undo, volume, with_watch,
};
use crate::documents::{Outcome, RepairReport, RowState};
use crate::error::{Class, Error};
use crate::inspect::inspect_site;
use crate::plan::{Goal, plan_site};
use crate::recipe::{Catalogue, Recipe};
use crate::repair::repair_site;
use crate::site::Options;

const KEYS: &str = "ProgramData/Microsoft/Crypto/RSA/MachineKeys";
const FOLDER: &str = "O:SYG:SYD:PAI(A;;0x12019f;;;WD)(A;;FA;;;BA)";
/// The descriptor that a failed hardening leaves.
const BROKEN: &str = "O:S-1-5-21-1-2-3-500G:SYD:P(D;;FA;;;SY)(D;;FR;;;NS)(A;;FA;;;SY)";
pub(super) const SOUND: &str = "O:SYG:SYD:(A;;FA;;;SY)(A;;FR;;;NS)(A;;FR;;;BA)";
pub(super) const REPAIRED: &str = "O:BAG:SYD:P(A;;FA;;;SY)(A;;FR;;;NS)(A;;FA;;;BA)";
const FILES: usize = 3;

pub(super) fn bytes(sddl: &str) -> Vec<u8> {
    let descriptor = SecurityDescriptor::from_sddl(sddl, &Domains::default()).expect(sddl);
    descriptor.to_bytes().expect("small")
}

pub(super) fn sddl(disk: &FaultyDisk, path: &str) -> String {
    let bytes = &disk.descriptors()[path];
    let descriptor = SecurityDescriptor::from_bytes(bytes).expect("sound");
    descriptor.to_sddl(SddlParts::All).expect("plain")
}

pub(super) fn key(number: usize) -> String {
    format!("{KEYS}/{number}")
}

/// A volume with a hive, and with keys that SYSTEM can't read.
pub(super) fn disk() -> FaultyDisk {
    let disk = volume("system-001-002");
    for number in 0..FILES {
        disk.put(&key(number), b"key".to_vec());
        disk.secure(&key(number), bytes(BROKEN));
    }
    disk.secure(KEYS, bytes(FOLDER));
    disk
}

pub(super) fn repair_with(
    disk: &FaultyDisk,
    names: &[&str],
    goal: Goal,
) -> Result<RepairReport, Error> {
    let catalogue = Catalogue::built_in().expect("valid");
    let recipes: Vec<&Recipe> = catalogue.select(names).expect("known");
    let options = Options {
        check: false,
        ..Options::default()
    };
    with_watch(|watch| {
        let plan = plan_site(&site(disk), &recipes, goal, &options, watch)?;
        repair_site(&site(disk), plan, &options, watch)
    })
}

pub(super) fn repair(disk: &FaultyDisk) -> Result<RepairReport, Error> {
    repair_with(disk, &["tls", "machine-keys"], Goal::Desired)
}

fn is_repaired(disk: &FaultyDisk, what: &str) {
    for number in 0..FILES {
        assert_eq!(sddl(disk, &key(number)), REPAIRED, "{what}");
    }
}

fn same(a: &FaultyDisk, b: &FaultyDisk, what: &str) {
    same_hives(a, b, what);
    assert!(
        a.descriptors() == b.descriptors(),
        "{what}: descriptors differ"
    );
}

#[test]
fn keys_are_repaired_with_the_hive_and_undone_to_the_byte() {
    let pristine = disk();
    let disk = pristine.fork();
    let report = repair(&disk).expect("repair");
    assert_eq!(report.outcome, Outcome::Done);
    let applied = report.descriptors.expect("descriptors");
    assert_eq!((applied.changed, applied.failed.count), (4, 0));
    is_repaired(&disk, "after the repair");
    let run = report.run.expect("a run");
    for name in &applied.reports {
        let path = format!("diskmend/runs/{run}.files/{name}");
        assert!(!disk.files()[&path].is_empty(), "{path}");
    }
    let text = &disk.files()[&format!("diskmend/runs/{run}.files/permissions-before.txt")];
    let text = String::from_utf8(text.clone()).expect("UTF-8");
    assert!(
        text.contains(r"MachineKeys\0 NT AUTHORITY\SYSTEM:(N)"),
        "{text}"
    );

    let operations = disk.fork();
    let report = repair(&operations).expect("again");
    assert_eq!(report.outcome, Outcome::NothingToDo);
    assert_eq!(operations.operations(), 0, "a second run writes nothing");

    let undone = undo(&disk, None).expect("undo");
    assert_eq!(undone.descriptors.expect("descriptors").restored, 4);
    same(&disk, &pristine, "undone");
}

#[test]
fn only_faults_are_repaired_with_auto() {
    let disk = disk();
    disk.secure(&key(1), bytes(SOUND));
    let report = repair_with(&disk, &["machine-keys"], Goal::Faults).expect("repair");
    assert_eq!(report.descriptors.expect("descriptors").changed, 2);
    assert_eq!(sddl(&disk, KEYS), FOLDER);
    assert_eq!(sddl(&disk, &key(0)), REPAIRED);
    assert_eq!(sddl(&disk, &key(1)), SOUND);
    let healthy = disk.fork();
    let report = repair_with(&healthy, &["machine-keys"], Goal::Faults).expect("repair");
    assert_eq!(report.outcome, Outcome::NothingToDo);
    assert_eq!(healthy.operations(), 0);
}

#[test]
fn the_lesser_repair_reports_if_the_greater_one_is_needed() {
    let disk = disk();
    let catalogue = Catalogue::built_in().expect("valid");
    let recipes = catalogue.select(&["machine-keys-default"]).expect("known");
    let options = Options::default();
    let report = with_watch(|watch| inspect_site(&site(&disk), &recipes, &options, watch));
    let report = report.expect("inspect");
    assert!(report.has_findings());
    let [acl] = report.acls.as_slice() else {
        panic!("{:?}", report.acls);
    };
    assert_eq!(
        (acl.objects, acl.ok, acl.faults, acl.to_change),
        (4, 1, 3, 0)
    );
    let [group] = acl.groups.as_slice() else {
        panic!("{:?}", acl.groups);
    };
    assert_eq!((group.state, group.objects), (RowState::Fault, 3));
    assert_eq!(group.repaired_by.as_deref(), Some("machine-keys"));
}

#[test]
fn a_file_that_fails_does_not_keep_the_others_from_being_repaired() {
    let pristine = disk();
    let counted = pristine.fork();
    counted.fail_at(usize::MAX, Fault::Once);
    repair(&counted).expect("repair");
    let log = counted.log();
    let at = log
        .iter()
        .position(|operation| operation.ends_with(&key(1)));
    let disk = pristine.fork();
    disk.fail_at(at.expect("it is set"), Fault::Once);
    let report = repair(&disk).expect("the others");
    assert_eq!(report.outcome, Outcome::PartlyDone);
    let applied = report.descriptors.expect("descriptors");
    assert_eq!((applied.changed, applied.failed.count), (3, 1));
    assert_eq!(applied.failed.listed[0].path, key(1));
    assert_eq!(sddl(&disk, &key(1)), sddl(&pristine, &key(1)));
    assert!(!is_unfinished(&disk));
    let report = repair(&disk).expect("again");
    assert_eq!(report.outcome, Outcome::Done);
    is_repaired(&disk, "the second time");
    for _ in 0..2 {
        undo(&disk, None).expect("undo");
    }
    same(&disk, &pristine, "undone");
}

#[test]
fn an_unreadable_file_is_reported_and_the_others_go_on() {
    let disk = disk();
    disk.put(&key(9), b"key".to_vec());
    let report = repair(&disk).expect("the others");
    assert_eq!(report.outcome, Outcome::PartlyDone);
    let applied = report.descriptors.expect("descriptors");
    assert_eq!((applied.changed, applied.failed.count), (4, 1));
    is_repaired(&disk, "the others");
}

#[test]
fn a_repair_killed_anywhere_can_be_completed_or_undone() {
    let pristine = disk();
    let counted = pristine.fork();
    repair(&counted).expect("repair");
    let mut states = (0, 0);
    for at in 0..counted.operations() {
        for loss in [
            Loss::Nothing,
            Loss::Unflushed,
            Loss::Some(0x9e37_79b9_7f4a_7c15),
        ] {
            let killed = pristine.fork();
            killed.fail_at(at, Fault::Kill);
            let Err(error) = repair(&killed) else {
                // Only a report that nothing depends on was not written.
                continue;
            };
            let what = format!("{:?} ({at}), {loss:?}: {error}", killed.log()[at]);
            killed.restart(loss);

            let completed = killed.fork();
            match repair(&completed) {
                Ok(_) => states.0 += 1,
                Err(error) => {
                    assert_eq!(error.class(), Class::Refused, "{what}: {error}");
                    undo(&completed, None).unwrap_or_else(|error| panic!("{what}: {error}"));
                    same(&completed, &pristine, &what);
                    repair(&completed).unwrap_or_else(|error| panic!("{what}: {error}"));
                    states.1 += 1;
                }
            }
            is_repaired(&completed, &what);
            assert!(!is_unfinished(&completed), "{what}");
            loop {
                match undo(&completed, None) {
                    Ok(_) => {}
                    Err(Error::NothingToUndo) => break,
                    Err(error) => panic!("{what}: {error}"),
                }
            }
            same(&completed, &pristine, &what);

            match undo(&killed, None) {
                Ok(_) | Err(Error::NothingToUndo) => {}
                Err(error) => panic!("{what}: {error}"),
            }
            same(&killed, &pristine, &what);
        }
    }
    let (completed, taken_back) = states;
    println!("{completed} killed runs completed, {taken_back} taken back first");
    assert!(completed > 0 && taken_back > 0);
}

#[test]
fn a_completion_that_fails_does_not_say_that_nothing_was_changed() {
    let killed = disk();
    let counted = killed.fork();
    repair(&counted).expect("repair");
    let log = counted.log();
    let at = log.iter().position(|what| what.ends_with(&key(0)));
    killed.fail_at(at.expect("it is set"), Fault::Kill);
    repair(&killed).expect_err("killed");
    killed.restart(Loss::Nothing);
    let counted = killed.fork();
    repair(&counted).expect("completed");
    let mut half = 0;
    for at in 0..counted.operations() {
        let failed = killed.fork();
        failed.fail_at(at, Fault::Once);
        let Err(error) = repair(&failed) else {
            continue;
        };
        let what = format!("{:?}: {error}", counted.log()[at]);
        if failed.descriptors() != killed.descriptors() {
            assert_eq!(error.class(), Class::Broken, "{what}");
            half += 1;
        }
        failed.restart(Loss::Nothing);
        repair(&failed).unwrap_or_else(|error| panic!("{what}: {error}"));
        is_repaired(&failed, &what);
        assert!(!is_unfinished(&failed), "{what}");
    }
    assert!(half > 0);
}

#[test]
fn an_undo_killed_anywhere_can_be_repeated() {
    let pristine = disk();
    let repaired = pristine.fork();
    repair(&repaired).expect("repair");
    let counted = repaired.fork();
    undo(&counted, None).expect("undo");
    for at in 0..counted.operations() {
        for loss in [
            Loss::Nothing,
            Loss::Unflushed,
            Loss::Some(0xbf58_476d_1ce4_e5b9),
        ] {
            let disk = repaired.fork();
            disk.fail_at(at, Fault::Kill);
            let killed = undo(&disk, None);
            let what = format!("{:?} ({at}), {loss:?}", disk.log()[at]);
            assert!(
                killed.is_err() || killed.is_ok_and(|report| report.is_partial()),
                "{what}"
            );
            disk.restart(loss);
            match undo(&disk, None) {
                Ok(report) => assert!(!report.is_partial(), "{what}"),
                Err(Error::NothingToUndo) => {}
                Err(error) => panic!("{what}: {error}"),
            }
            same(&disk, &pristine, &what);
        }
    }
}

#[test]
fn a_full_disk_is_noticed_before_anything_changes_or_only_a_report_is_missing() {
    let pristine = disk();
    let counted = pristine.fork();
    repair(&counted).expect("repair");
    for at in 0..counted.operations() {
        let disk = pristine.fork();
        disk.fail_at(at, Fault::Full);
        let what = format!("{:?} ({at})", counted.log()[at]);
        match repair(&disk) {
            Ok(report) => {
                assert_eq!(report.outcome, Outcome::Done, "{what}");
                is_repaired(&disk, &what);
            }
            Err(error) => {
                assert!(!matches!(error, Error::Broken { .. }), "{what}: {error}");
                disk.restart(Loss::Nothing);
                same(&disk, &pristine, &what);
            }
        }
    }
}

#[test]
fn damaged_records_are_refused_before_anything_is_restored() {
    let disk = disk();
    let run = repair(&disk).expect("repair").run.expect("a run");
    let path = format!("diskmend/runs/{run}.files/descriptors.bin");
    let mut bytes = disk.files()[&path].clone();
    bytes.pop();
    disk.put(&path, bytes);
    let repaired = disk.fork();
    let error = undo(&disk, None).expect_err("damaged");
    assert!(matches!(error, Error::DamagedRun { .. }), "{error}");
    assert!(!is_unfinished(&disk));
    same(&disk, &repaired, "nothing was restored");
}

#[test]
fn later_changes_by_others_are_left_alone() {
    let pristine = disk();
    let disk = pristine.fork();
    repair(&disk).expect("repair");
    disk.secure(&key(0), bytes(SOUND));
    let report = undo(&disk, None).expect("undo");
    let undone = report.descriptors.expect("descriptors");
    assert_eq!(
        (
            undone.restored,
            undone.changed_since.count,
            undone.failed.count
        ),
        (3, 1, 0)
    );
    assert_eq!(undone.changed_since.listed[0].path, key(0));
    assert_eq!(sddl(&disk, &key(0)), SOUND);
    assert_eq!(hives(&disk), hives(&pristine));
}

/// A run that was killed during its rollback once looked like a run that only lacked descriptors,
/// and was completed with half of a hive.
#[test]
fn a_rollback_killed_anywhere_is_never_completed_as_a_repair() {
    let pristine = disk();
    let counted = pristine.fork();
    repair(&counted).expect("repair");
    let right = tally(&counted);
    let fails = ended(&counted.log());
    let rolled_back = pristine.fork();
    rolled_back.fail_at(fails, Fault::Once);
    let error = repair(&rolled_back).expect_err("fails");
    assert_eq!(error.class(), Class::RolledBack, "{error}");
    for at in fails + 1..rolled_back.operations() {
        for loss in [
            Loss::Nothing,
            Loss::Unflushed,
            Loss::Some(0x9e37_79b9_7f4a_7c15),
        ] {
            let what = format!("{:?} ({at}), {loss:?}", rolled_back.log()[at]);
            let killed = pristine.fork();
            killed.fail_at(fails, Fault::Once);
            killed.also_fail_at(at, Fault::Kill);
            repair(&killed).expect_err(&what);
            killed.restart(loss);
            let again = killed.fork();
            if let Err(error) = repair(&again) {
                assert_eq!(error.class(), Class::Refused, "{what}: {error}");
                undo(&again, None).unwrap_or_else(|error| panic!("{what}: {error}"));
                same(&again, &pristine, &what);
                repair(&again).unwrap_or_else(|error| panic!("{what}: {error}"));
            }
            is_repaired(&again, &what);
            assert_eq!(tally(&again), right, "{what}");
            while undo(&again, None).is_ok() {}
            same(&again, &pristine, &what);
        }
    }
}
