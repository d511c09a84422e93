//! Undoing the repair of an unmounted disk after other changes, so that the disk can't be restored
//! as a whole.

use std::io;

use diskmend_disk::testing::{Fault, FaultyDisk, Loss};
use diskmend_disk::{Change, Changed, ObjectError};

use super::image::{
    content, is_old_or_new, is_readable, is_unfinished, repair, same_image, sampled, site, undo,
    with_image,
};
use super::image_crash::LOSSES;
use super::image_fixture::{Boot, Container, KEYS, bytes, image};
use crate::documents::Method;
use crate::error::{Class, Error};

const LATER: &str = "O:BAG:SYD:P(A;;FA;;;BA)";

/// A disk that was repaired; `None` if it can't be made on this machine.
fn repaired() -> Option<FaultyDisk> {
    let image = image("dirty-hvle-both", Boot::Ntfs, Container::Raw)?;
    let disk = with_image(image);
    repair(&disk).expect("repair");
    Some(disk.fork())
}

/// Sets a descriptor that the volume does not have yet for a key, with a record that undoes the
/// last run.
fn change_key(disk: &FaultyDisk, key: &str) -> Result<Changed, Error> {
    let site = site(disk)?;
    let secured = crate::changes::descriptors::of_site(&site)?;
    let components: Vec<&str> = KEYS.split('/').chain([key]).collect();
    let (path, kind) = secured.find(&components)?.expect("a key");
    let change = Change {
        before: secured.object(&path).descriptor.expect("readable"),
        path,
        kind,
        after: bytes(LATER),
    };
    let newest = site.state.runs()?.next_back().expect("the repair")?;
    let read = newest.read(&site.judge)?.expect("a journal");
    let (newest, _) = newest.admit(read, &site.judge)?;
    let failed = |error: ObjectError| Error::io(key, "set")(io::Error::other(error));
    site.recording(&newest, || {
        secured.change(&[change]).remove(0).map_err(failed)
    })
}

/// A change like that of a person who has mounted the disk since.
fn change_later(disk: &FaultyDisk) {
    assert_eq!(change_key(disk, "0").expect("set"), Changed::Set);
}

/// An attempt that was killed can leave structures longer than a sector half written. They are
/// restored before the run is undone.
#[test]
fn the_changes_of_an_attempt_are_restored_first() {
    let Some(repaired) = repaired() else { return };
    let undone = repaired.fork();
    undo(&undone).expect("undo");
    let old = content(&repaired, "repaired");
    let counted = repaired.fork();
    change_later(&counted);
    let new = content(&counted, "changed");
    let log = counted.log();
    let removed = log.iter().position(|what| what.starts_with("remove"));
    let mut torn = 0;
    for number in 0..removed.expect("the record") * LOSSES.len() {
        let at = number / LOSSES.len();
        let loss = LOSSES[number % LOSSES.len()];
        let what = format!("{:?} ({at}), {loss:?}", log[at]);
        let killed = repaired.fork();
        killed.fail_at(at, Fault::Kill);
        change_key(&killed, "0").expect_err(&what);
        killed.restart(loss);
        torn += usize::from(!is_readable(&killed, &old, &new, &what));
        undo(&killed).unwrap_or_else(|error| panic!("{what}: {error}"));
        same_image(&killed, &undone, &what);
    }
    println!("{torn} left something torn");
    assert!(torn > 0, "nothing was torn");
}

#[test]
fn an_undo_beside_later_changes_killed_anywhere_can_be_repeated() {
    let Some(disk) = repaired() else { return };
    change_later(&disk);
    let repaired = disk.fork();
    let old = content(&repaired, "repaired");
    let counted = repaired.fork();
    let report = undo(&counted).expect("undo");
    assert_eq!(report.method, Method::Bytes);
    let left = report.descriptors.expect("keys").changed_since;
    assert_eq!(left.count, 1, "the whole disk was given back");
    let new = content(&counted, "undone");
    let (mut states, mut torn) = (0, 0);
    for number in sampled(counted.operations() * LOSSES.len()) {
        let at = number / LOSSES.len();
        let loss = LOSSES[number % LOSSES.len()];
        let what = format!("{:?} ({at}), {loss:?}", counted.log()[at]);
        let killed = repaired.fork();
        killed.fail_at(at, Fault::Kill);
        undo(&killed).expect_err(&what);
        killed.restart(loss);
        torn += usize::from(!is_old_or_new(&killed, &old, &new, &what));
        match undo(&killed) {
            Ok(_) => {}
            // Only the last flush was missing.
            Err(Error::NothingToUndo) => {}
            Err(error) => panic!("{what}: {error}"),
        }
        same_image(&killed, &counted, &what);
        assert!(!is_unfinished(&killed), "{what}");
        let left = killed.files().into_keys();
        let left: Vec<_> = left.filter(|path| path.contains("undo-sectors")).collect();
        assert_eq!(left, [""; 0], "{what}");
        states += 1;
    }
    println!("{states} crashes of undos tried; {torn} left something torn");
}

#[test]
fn an_undo_that_fails_says_why_and_can_be_repeated() {
    let Some(disk) = repaired() else { return };
    change_later(&disk);
    let repaired = disk.fork();
    let counted = repaired.fork();
    undo(&counted).expect("undo");
    for number in sampled(counted.operations()) {
        let what = format!("{:?} ({number})", counted.log()[number]);
        let failed = repaired.fork();
        failed.fail_at(number, Fault::Once);
        if let Err(error) = undo(&failed) {
            let cause = match &error {
                Error::NotUndone { source, .. } => {
                    assert_eq!(error.class(), Class::Broken);
                    source
                }
                before => {
                    assert_eq!(error.class(), Class::Failed, "{what}: {error}");
                    same_image(&failed, &repaired, &what);
                    before
                }
            };
            let damaged = matches!(cause, Error::DamagedRun { .. });
            assert!(!damaged, "{what}: {error}");
        }
        failed.restart(Loss::Nothing);
        while undo(&failed).is_ok() {}
        assert!(!is_unfinished(&failed), "{what}");
        same_image(&failed, &counted, &what);
    }
}

#[test]
fn a_record_that_can_not_be_made_is_an_error() {
    let Some(repaired) = repaired() else { return };
    undo(&repaired).expect("undo");
    let counted = repaired.fork();
    repair(&counted).expect("repair");
    let log = counted.log();
    let create = log.iter().position(|what| what == "create sectors.bin");
    let failed = repaired.fork();
    failed.fail_at(create.expect("a record"), Fault::Once);
    let error = repair(&failed).expect_err("fails").to_string();
    let words = "sectors.bin: cannot write the undo data";
    assert!(error.contains(words), "{error}");
}

/// A disk that can't be written must not be reported as damaged undo data.
#[test]
fn a_disk_that_fails_is_named_and_not_its_record() {
    let Some(repaired) = repaired() else { return };
    let counted = repaired.fork();
    undo(&counted).expect("undo");
    let log = counted.log();
    let write = log.iter().position(|what| what.contains("to the image"));
    let failed = repaired.fork();
    failed.fail_at(write.expect("a write"), Fault::Once);
    let error = undo(&failed).expect_err("fails");
    let Error::NotUndone { source, .. } = &error else {
        panic!("{error}");
    };
    assert!(
        matches!(&**source, Error::Io { path, .. } if path == "disk.img"),
        "{source}"
    );
}
