//! Single failures, and a full disk, at every operation of a repair.

use diskmend_disk::testing::{Fault, Loss};

use super::support::{begun, repair_unchecked, same_hives, tally, undo, volume};
use crate::documents::{Method, RunState};
use crate::error::Class;
use crate::runs::runs_site;

#[test]
fn a_repair_that_fails_anywhere_leaves_the_old_bytes_and_can_be_repeated() {
    for fixture in ["system-001-002", "dirty-hvle-both", "dirty-dirt"] {
        let pristine = volume(fixture);
        let counted = pristine.fork();
        repair_unchecked(&counted).expect("repair");
        for fault in [Fault::Once, Fault::Full] {
            let mut rolled_back = 0;
            for at in 0..counted.operations() {
                let what = format!("{fixture}, {fault:?}, {:?} ({at})", counted.log()[at]);
                let disk = pristine.fork();
                disk.fail_at(at, fault);
                match repair_unchecked(&disk) {
                    // A full disk prevents only operations that need space.
                    Ok(_) => assert_eq!(fault, Fault::Full, "{what}"),
                    Err(error) => {
                        let class = error.class();
                        match class {
                            Class::Failed | Class::RolledBack => {}
                            _ => {
                                assert!(error.to_string().contains("lock file"), "{what}: {error}")
                            }
                        }
                        rolled_back += usize::from(class == Class::RolledBack);
                        same_hives(&disk, &pristine, &format!("{what}: {error}"));
                    }
                }
                disk.restart(Loss::Nothing);
                if super::support::is_unfinished(&disk) {
                    undo(&disk, None).unwrap_or_else(|error| panic!("{what}: {error}"));
                    same_hives(&disk, &pristine, &what);
                }
                repair_unchecked(&disk).unwrap_or_else(|error| panic!("{what}: {error}"));
                assert_eq!(tally(&disk).1, 0, "{what}");
            }
            assert!(rolled_back > 0, "{fixture}, {fault:?}: no commit failed");
        }
    }
}

#[test]
fn a_rolled_back_run_is_remembered_with_its_reason() {
    let pristine = volume("system-001-002");
    let counted = pristine.fork();
    repair_unchecked(&counted).expect("repair");
    let commit = begun(&counted.log()) + 1;
    let disk = pristine.fork();
    disk.fail_at(commit, Fault::Once);
    let error = repair_unchecked(&disk).expect_err("fails");
    assert_eq!(error.class(), Class::RolledBack);
    let site = super::support::site(&disk);
    let runs = runs_site(&site).expect("runs").runs;
    let [run] = runs.as_slice() else {
        panic!("{} runs", runs.len());
    };
    assert_eq!(run.state, Some(RunState::RolledBack));
    let note = run.note.as_deref().unwrap_or_default();
    assert!(note.contains("failed once"), "{note}");
}

/// If no flush succeeded from the last one on, the journal once stayed `done`, and the files were
/// then undone value by value.
#[test]
fn a_disk_that_can_no_longer_be_flushed_is_restored_to_the_byte() {
    const LOSSES: [Loss; 4] = [
        Loss::Nothing,
        Loss::Unflushed,
        Loss::Some(0x9e37_79b9_7f4a_7c15),
        Loss::Some(0xbf58_476d_1ce4_e5b9),
    ];
    let mut broken = 0;
    for fixture in ["system-001-002", "dirty-hvle-both"] {
        let pristine = volume(fixture);
        let counted = pristine.fork();
        repair_unchecked(&counted).expect("repair");
        for at in 0..counted.operations() {
            for loss in LOSSES {
                let what = format!("{fixture}, {:?} ({at}), {loss:?}", counted.log()[at]);
                let disk = pristine.fork();
                disk.fail_at(at, Fault::Flushes);
                let error = repair_unchecked(&disk).expect_err(&what);
                if error.class() == Class::Broken {
                    let runs = runs_site(&super::support::site(&disk)).expect("runs").runs;
                    let states: Vec<_> = runs.iter().map(|run| run.state).collect();
                    assert_eq!(states, [Some(RunState::Broken)], "{what}: {error}");
                    broken += 1;
                }
                disk.restart(loss);
                if super::support::is_unfinished(&disk) {
                    let report =
                        undo(&disk, None).unwrap_or_else(|error| panic!("{what}: {error}"));
                    assert_eq!(report.method, Method::Bytes, "{what}");
                }
                same_hives(&disk, &pristine, &what);
                repair_unchecked(&disk).unwrap_or_else(|error| panic!("{what}: {error}"));
                assert_eq!(tally(&disk).1, 0, "{what}");
            }
        }
    }
    assert!(broken > 0);
}
