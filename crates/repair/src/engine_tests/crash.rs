//! The process and the machine are killed at every single operation of repair and undo.

use diskmend_disk::LOCK_FILE_NAME;
use diskmend_disk::testing::{Fault, FaultyDisk, Loss};

use super::support::{
    FaultyHive, is_unfinished, reading, repair_unchecked, same_hives, tally, undo, volume,
};
use crate::documents::Method;
use crate::error::{Class, Error};
use crate::value_data::ValueData;

const FIXTURES: [&str; 4] = [
    "system-001-002",
    "dirty-hvle-both",
    "dirty-torn-header",
    "dirty-dirt",
];
const LOSSES: [Loss; 4] = [
    Loss::Nothing,
    Loss::Unflushed,
    Loss::Some(0x9e37_79b9_7f4a_7c15),
    Loss::Some(0xbf58_476d_1ce4_e5b9),
];

/// Checks that the engine, and Windows, find either the old or the new state.
fn is_old_or_new(disk: &FaultyDisk, old: (usize, usize), what: &str) {
    let (right, wrong) = tally(disk);
    let all = old.0 + old.1;
    assert!(
        (right, wrong) == old || (right, wrong) == (all, 0),
        "{what}: {right} values right, {wrong} wrong"
    );
}

#[test]
fn a_repair_killed_anywhere_is_found_and_can_be_undone_or_repeated() {
    let mut states = 0;
    for fixture in FIXTURES {
        let pristine = volume(fixture);
        let old = tally(&pristine);
        assert!(old.1 > 0, "{fixture}: nothing to repair");
        let counted = pristine.fork();
        repair_unchecked(&counted).expect("repair");
        let operations = counted.operations();
        for at in 0..operations {
            for loss in LOSSES {
                let what = format!("{fixture}, {:?} ({at}), {loss:?}", counted.log()[at]);
                let disk = pristine.fork();
                disk.fail_at(at, Fault::Kill);
                let error = repair_unchecked(&disk).expect_err(&what);
                let is_lock = counted.log()[at].contains(LOCK_FILE_NAME);
                assert_eq!(error.class() == Class::Refused, is_lock, "{what}: {error}");
                disk.restart(loss);

                if is_unfinished(&disk) {
                    is_old_or_new(&disk, old, &what);
                    let refused = repair_unchecked(&disk).expect_err(&what);
                    assert_eq!(refused.class(), Class::Refused, "{what}");
                    undo(&disk, None).unwrap_or_else(|error| panic!("{what}: {error}"));
                    same_hives(&disk, &pristine, &what);
                } else if tally(&disk) == old {
                    same_hives(&disk, &pristine, &what);
                }
                // If no run waits to be settled, the repair has not begun or is complete.
                repair_unchecked(&disk).unwrap_or_else(|error| panic!("{what}: {error}"));
                assert_eq!(tally(&disk).1, 0, "{what}");
                undo(&disk, None).unwrap_or_else(|error| panic!("{what}: {error}"));
                same_hives(&disk, &pristine, &what);
                states += 1;
            }
        }
    }
    println!("{states} crashes of repairs tried");
}

#[test]
fn an_undo_killed_anywhere_can_be_repeated() {
    let mut states = 0;
    for fixture in FIXTURES {
        let pristine = volume(fixture);
        let old = tally(&pristine);
        let repaired = pristine.fork();
        repair_unchecked(&repaired).expect("repair");
        let counted = repaired.fork();
        undo(&counted, None).expect("undo");
        for at in 0..counted.operations() {
            for loss in LOSSES {
                let what = format!("{fixture}, {:?} ({at}), {loss:?}", counted.log()[at]);
                let disk = repaired.fork();
                disk.fail_at(at, Fault::Kill);
                undo(&disk, None).expect_err(&what);
                disk.restart(loss);
                is_old_or_new(&disk, old, &what);
                match undo(&disk, None) {
                    Ok(_) | Err(Error::NothingToUndo) => {}
                    Err(error) => panic!("{what}: {error}"),
                }
                same_hives(&disk, &pristine, &what);
                states += 1;
            }
        }
    }
    println!("{states} crashes of undos tried");
}

#[test]
fn a_reversal_by_values_killed_anywhere_can_be_repeated() {
    const MINE: (&str, &str, u32) = (r"ControlSet001\Mine", "A", 1);
    let repaired = volume("system-001-002");
    let old = tally(&repaired);
    let first = repair_unchecked(&repaired).expect("repair").run;
    repaired.set_all(&[MINE]);
    let counted = repaired.fork();
    let method = undo(&counted, first.as_deref()).expect("undo").method;
    assert_eq!(method, Method::Values);
    for at in 0..counted.operations() {
        for loss in LOSSES {
            let what = format!("{:?} ({at}), {loss:?}", counted.log()[at]);
            let disk = repaired.fork();
            disk.fail_at(at, Fault::Kill);
            if undo(&disk, first.as_deref()).is_ok() {
                // Runs within one second need one more operation to find a free name.
                assert!(at + 4 > counted.operations(), "{what}");
                continue;
            }
            disk.restart(loss);
            is_old_or_new(&disk, old, &what);
            if is_unfinished(&disk) {
                // The reversal itself was killed.
                let taken_back =
                    undo(&disk, None).unwrap_or_else(|error| panic!("{what}: {error}"));
                assert_ne!(Some(taken_back.run), first, "{what}");
            }
            match undo(&disk, first.as_deref()) {
                Ok(_) => {}
                // The killed operation was the one after the last that matters.
                Err(Error::NotUndoable { .. }) => {}
                Err(error) => panic!("{what}: {error}"),
            }
            assert_eq!(tally(&disk), old, "{what}");
            let kept = reading(&disk, MINE.0, MINE.1);
            assert_eq!(kept, Some(ValueData::dword(MINE.2)), "{what}");
        }
    }
}
