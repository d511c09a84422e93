//! The process and the machine are killed at every single operation of the repair of an unmounted
//! disk, and of its undo.
//!
//! The image and the undo data beside it are on one faulty disk. If `DISKMEND_ALL_CRASHES` is set,
//! every operation is tried, otherwise a sample.

use diskmend_disk::testing::{Fault, FaultyDisk, Loss};

use super::image::{
    Content, content, is_old_or_new, is_unfinished, options, repair, same_image, sampled, site,
    undo, with_image,
};
use super::image_fixture::{Boot, Container, image};
use super::support::{ended, one_in, with_watch};
use crate::documents::Outcome;
use crate::error::{Class, Error};
use crate::hive_file::edit_site;
use crate::hive_on_disk;
use crate::recipe::HiveName;
use crate::stop::Stop;
use diskmend_hive::{Editor, ValueType};

pub(super) const LOSSES: [Loss; 4] = [
    Loss::Nothing,
    Loss::Unflushed,
    Loss::Some(0x9e37_79b9_7f4a_7c15),
    Loss::Some(0xbf58_476d_1ce4_e5b9),
];

/// A disk before and after its repair.
struct Case {
    name: String,
    pristine: FaultyDisk,
    old: Content,
    repaired: FaultyDisk,
    new: Content,
    operations: Vec<String>,
}

impl Case {
    /// `None` if the image can't be made on this machine.
    fn new(hive: &str, boot: Boot, container: Container) -> Option<Self> {
        let name = format!("{hive}, {boot:?}, {container:?}");
        let pristine = with_image(image(hive, boot, container)?);
        let old = content(&pristine, &name);
        let repaired = pristine.fork();
        let report = repair(&repaired).unwrap_or_else(|error| panic!("{name}: {error}"));
        assert_eq!(
            report.outcome,
            Outcome::Done,
            "{name}: {:?}",
            report.notices
        );
        let operations = repaired.log();
        let repaired = repaired.fork();
        let new = content(&repaired, &name);
        for (hive, tally) in &new.hives {
            assert_eq!(tally.1, 0, "{name}, {hive}");
            assert_ne!(tally, &old.hives[hive], "{name}: {hive} was right");
        }
        assert!(old.descriptors != new.descriptors, "{name}");
        Some(Self {
            name,
            pristine,
            old,
            repaired,
            new,
            operations,
        })
    }
}

fn cases() -> impl Iterator<Item = Case> {
    let kinds = [
        (Boot::Ntfs, Container::Raw),
        (Boot::Fat, Container::Dynamic),
        (Boot::Ntfs, Container::Vhdx),
    ];
    kinds
        .into_iter()
        .filter_map(|(boot, container)| Case::new("dirty-hvle-both", boot, container))
}

#[test]
fn a_repair_of_an_image_killed_anywhere_can_be_undone_or_repeated() {
    let mut states = (0, 0);
    let mut torn = 0;
    for case in cases() {
        for number in sampled(case.operations.len() * LOSSES.len()) {
            let at = number / LOSSES.len();
            let loss = LOSSES[number % LOSSES.len()];
            let killed = case.pristine.fork();
            killed.fail_at(at, Fault::Kill);
            let error = repair(&killed).expect_err(&case.name);
            let operation = &case.operations[at];
            let what = format!("{}, {operation:?} ({at}), {loss:?}: {error}", case.name);
            killed.restart(loss);

            torn += usize::from(!is_old_or_new(&killed, &case.old, &case.new, &what));
            // If no run waits to be settled, the repair has not begun or is complete.
            if !is_unfinished(&killed) && content(&killed, &what) != case.new {
                same_image(&killed, &case.pristine, &what);
            }

            let again = killed.fork();
            match repair(&again) {
                Ok(_) => states.0 += 1,
                Err(error) => {
                    assert_eq!(error.class(), Class::Refused, "{what}: {error}");
                    undo(&again).unwrap_or_else(|error| panic!("{what}: {error}"));
                    same_image(&again, &case.pristine, &what);
                    repair(&again).unwrap_or_else(|error| panic!("{what}: {error}"));
                    states.1 += 1;
                }
            }
            content(&again, &what).is(&case.new, &what);
            assert!(!is_unfinished(&again), "{what}");
            take_all_back(&again, &case, &what);
            take_all_back(&killed, &case, &what);
        }
    }
    println!(
        "{} killed runs done again, {} taken back first; {torn} left something torn",
        states.0, states.1
    );
}

#[track_caller]
fn take_all_back(disk: &FaultyDisk, case: &Case, what: &str) {
    loop {
        match undo(disk) {
            Ok(report) => assert!(!report.is_partial(), "{what}"),
            Err(Error::NothingToUndo) => break,
            Err(error) => panic!("{what}: {error}"),
        }
    }
    same_image(disk, &case.pristine, what);
    assert!(!is_unfinished(disk), "{what}");
}

#[test]
fn a_repair_of_an_image_that_fails_anywhere_leaves_it_as_it_was() {
    let mut rolled_back = 0;
    for case in cases() {
        for number in sampled(case.operations.len() * 2) {
            let at = number / 2;
            let fault = [Fault::Once, Fault::Full][number % 2];
            let operation = &case.operations[at];
            let mut what = format!("{}, {operation:?} ({at}), {fault:?}", case.name);
            let disk = case.pristine.fork();
            disk.fail_at(at, fault);
            match repair(&disk) {
                // Only a report that nothing depends on was left out, or no space was needed.
                Ok(report) => {
                    assert_eq!(report.outcome, Outcome::Done, "{what}");
                    assert!(content(&disk, &what) == case.new, "{what}");
                }
                Err(error) => {
                    what = format!("{what}: {error}");
                    let class = error.class();
                    let known = matches!(class, Class::Failed | Class::RolledBack);
                    assert!(known, "{what}");
                    rolled_back += usize::from(class == Class::RolledBack);
                    same_image(&disk, &case.pristine, &what);
                }
            }
            disk.restart(Loss::Nothing);
            if is_unfinished(&disk) {
                take_all_back(&disk, &case, &what);
            }
            repair(&disk).unwrap_or_else(|error| panic!("{what}: {error}"));
            assert!(content(&disk, &what) == case.new, "{what}");
            take_all_back(&disk, &case, &what);
        }
        assert!(rolled_back > 0, "no commit failed");
    }
    println!("{rolled_back} runs rolled back");
}

#[test]
fn an_undo_of_an_image_killed_anywhere_can_be_repeated() {
    let mut states = 0;
    let mut torn = 0;
    for case in cases() {
        let counted = case.repaired.fork();
        undo(&counted).expect("undo");
        same_image(&counted, &case.pristine, &case.name);
        for number in sampled(counted.operations() * LOSSES.len()) {
            let at = number / LOSSES.len();
            let loss = LOSSES[number % LOSSES.len()];
            let what = format!("{}, {:?} ({at}), {loss:?}", case.name, counted.log()[at]);
            let disk = case.repaired.fork();
            disk.fail_at(at, Fault::Kill);
            undo(&disk).expect_err(&what);
            disk.restart(loss);
            torn += usize::from(!is_old_or_new(&disk, &case.old, &case.new, &what));
            take_all_back(&disk, &case, &what);
            states += 1;
        }
    }
    println!("{states} crashes of undos tried; {torn} left something torn");
}

#[test]
fn a_rollback_of_an_image_killed_anywhere_can_be_undone() {
    let mut states = 0;
    for case in cases() {
        let fails = ended(&case.operations);
        let rolled_back = case.pristine.fork();
        rolled_back.fail_at(fails, Fault::Once);
        let error = repair(&rolled_back).expect_err("fails");
        assert_eq!(error.class(), Class::RolledBack, "{error}");
        same_image(&rolled_back, &case.pristine, &case.name);
        let operations = rolled_back.log();
        for number in sampled((operations.len() - fails - 1) * LOSSES.len()) {
            let at = fails + 1 + number / LOSSES.len();
            let loss = LOSSES[number % LOSSES.len()];
            let what = format!("{}, {:?} ({at}), {loss:?}", case.name, operations[at]);
            let killed = case.pristine.fork();
            killed.fail_at(fails, Fault::Once);
            killed.also_fail_at(at, Fault::Kill);
            repair(&killed).expect_err(&what);
            killed.restart(loss);
            is_old_or_new(&killed, &case.old, &case.new, &what);
            let again = killed.fork();
            if let Err(error) = repair(&again) {
                assert_eq!(error.class(), Class::Refused, "{what}: {error}");
            } else {
                content(&again, &what).is(&case.new, &what);
            }
            take_all_back(&again, &case, &what);
            take_all_back(&killed, &case, &what);
            states += 1;
        }
    }
    println!("{states} crashes of rollbacks tried");
}

/// Adds a key with a value to SYSTEM on the image, as `hive set IMAGE:PATH` does. The key makes the
/// hive change in several pages.
fn edit(disk: &FaultyDisk) -> Result<(), Error> {
    let site = site(disk)?;
    let place = hive_on_disk::find(site.root.as_ref(), HiveName::System)?;
    let change = |editor: &mut Editor| -> Result<(), Stop<Error>> {
        editor.create_key(r"ControlSet001\Services\New")?;
        let data = 5u32.to_le_bytes();
        editor.set_value(
            r"ControlSet001\Services\New",
            "Start",
            ValueType::DWORD,
            &data,
        )?;
        Ok(())
    };
    let edited = with_watch(|watch| edit_site(&site, place, &options(), watch, change));
    edited.map(drop).map_err(Error::from)
}

/// An edit of a hive on an image is settled like a repair: undone to the identical image, or made
/// again, wherever it was killed.
#[test]
fn an_edit_of_a_hive_on_an_image_killed_anywhere_can_be_undone_or_repeated() {
    let mut states = (0, 0);
    for container in [Container::Raw, Container::Dynamic, Container::Vhdx] {
        let Some(bytes) = image("dirty-hvle-both", Boot::Ntfs, container) else {
            return;
        };
        let pristine = with_image(bytes);
        let edited = pristine.fork();
        edit(&edited).expect("edit");
        let operations = edited.log();
        // Odd, so that every kind of loss is tried.
        for number in one_in(111, operations.len() * LOSSES.len()) {
            let at = number / LOSSES.len();
            let loss = LOSSES[number % LOSSES.len()];
            let killed = pristine.fork();
            killed.fail_at(at, Fault::Kill);
            let error = edit(&killed).expect_err("killed");
            let what = format!(
                "{container:?}, {:?} ({at}), {loss:?}: {error}",
                operations[at]
            );
            killed.restart(loss);
            let again = killed.fork();
            match edit(&again) {
                Ok(()) => states.0 += 1,
                Err(error) => {
                    assert_eq!(error.class(), Class::Refused, "{what}: {error}");
                    undo(&again).unwrap_or_else(|error| panic!("{what}: {error}"));
                    same_image(&again, &pristine, &what);
                    edit(&again).unwrap_or_else(|error| panic!("{what}: {error}"));
                    states.1 += 1;
                }
            }
            for disk in [&again, &killed] {
                loop {
                    match undo(disk) {
                        Ok(_) => {}
                        Err(Error::NothingToUndo) => break,
                        Err(error) => panic!("{what}: {error}"),
                    }
                }
                same_image(disk, &pristine, &what);
                assert!(!is_unfinished(disk), "{what}");
            }
        }
    }
    assert!(states.0 > 0 && states.1 > 0, "{states:?}");
}
