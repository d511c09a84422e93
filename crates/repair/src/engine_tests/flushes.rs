//! The number of flushes of each command; each takes milliseconds.

use diskmend_disk::testing::{Fault, FaultyDisk};

use super::support::{FaultyHive, undo, volume};

const KEY: &str = r"ControlSet001\Mine";

fn flushes(disk: &FaultyDisk) -> usize {
    let log = disk.log();
    log.iter().filter(|what| what.starts_with("flush")).count()
}

/// Starts to count.
fn count(disk: &FaultyDisk) {
    disk.fail_at(usize::MAX, Fault::Once);
}

/// There were once 14: undo data, changes and journal each had a file, and each name was flushed,
/// that of the journal twice.
#[test]
fn one_value_takes_eight_flushes() {
    let disk = volume("system-001-002");
    disk.set_all(&[(KEY, "A", 1)]);
    let made = flushes(&disk);
    count(&disk);
    disk.set_all(&[(KEY, "A", 2)]);
    let log = disk.log();
    assert_eq!(flushes(&disk), 8, "{log:#?}");
    // The first run creates two folders, and here also the log.
    assert_eq!(made, 8 + 2 + 1);
}

/// There were once 9: each state of the run needed two.
#[test]
fn an_undo_flushes_its_two_states_once_each() {
    let disk = volume("system-001-002");
    disk.set_all(&[(KEY, "A", 1)]);
    disk.set_all(&[(KEY, "A", 2)]);
    count(&disk);
    undo(&disk, None).expect("undo");
    let log = disk.log();
    let hive = log.iter().filter(|what| *what == "flush").count() - 2;
    assert_eq!(hive, 5, "{log:#?}");
    assert_eq!(flushes(&disk), 7, "{log:#?}");
}
