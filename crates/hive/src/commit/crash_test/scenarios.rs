//! The hives and logs that a commit may find on the disk.

use crate::commit::crash_test::disk::Disk;
use crate::commit::crash_test::material::{Base, TIME, new_log, old_log, page, primary};
use crate::commit::crash_test::session::NOW;
use crate::commit::crash_test::{LOG, LOG1, LOG2, PRIMARY};
use crate::offset::PAGE_LEN;
use crate::recover::LogFormat;

/// The clean hive from which most tests start.
pub(super) const CLEAN: Base = Base {
    minor: 5,
    primary: 20,
    secondary: 20,
    time: TIME,
    pages: 6,
};
pub(super) const SEED: u8 = 1;
/// The seed of pages that must never appear in the hive.
pub(super) const EVIL: u8 = 0xEE;

/// Everything that a log file of a clean hive can contain.
pub(super) fn left_overs(format: LogFormat) -> Vec<(&'static str, Option<Vec<u8>>)> {
    let at = |sequence| Base {
        primary: sequence,
        secondary: sequence,
        ..CLEAN
    };
    let evil: &[(&[usize], u8)] = &[(&[0, 1, 2], EVIL), (&[1, 4], EVIL), (&[5], EVIL)];
    let stamped = |time| Base { time, ..at(20) };
    let all: &[usize] = &[0, 1, 2, 3, 4, 5];
    let mut logs = vec![
        ("missing", None),
        ("empty", Some(Vec::new())),
        ("short garbage", Some(vec![0x5A; 100])),
        ("long garbage", Some(vec![0x5A; 50_000])),
        ("old entries", Some(new_log(at(10), evil))),
        ("entries that were ignored", Some(new_log(at(20), evil))),
        ("entries from the future", Some(new_log(at(35), evil))),
        ("entries at the end", Some(new_log(at(u32::MAX - 3), evil))),
        (
            "entries half way round",
            Some(new_log(at(0x9000_0000), evil)),
        ),
        (
            "vector of the hive's time",
            Some(old_log(stamped(TIME), all, EVIL)),
        ),
        (
            "vector of the present",
            Some(old_log(stamped(NOW), all, EVIL)),
        ),
        (
            "vector of the next time",
            Some(old_log(stamped(NOW + 1), all, EVIL)),
        ),
        (
            "vector of another time",
            Some(old_log(stamped(77), all, EVIL)),
        ),
    ];
    if format == LogFormat::Old {
        logs.push(("vector, soon", Some(old_log(stamped(NOW + 2), all, EVIL))));
    }
    logs
}

/// Hives that Windows left dirty in various ways: names and files.
pub(super) fn dirty_hives() -> Vec<(&'static str, Disk)> {
    let dirty = Base {
        primary: 21,
        ..CLEAN
    };
    let at = |sequence, pages| Base {
        primary: sequence,
        secondary: sequence,
        pages,
        ..CLEAN
    };
    let log1 = new_log(at(20, 6), &[(&[0, 1], 2), (&[0, 1, 3], 3)]);
    let log2 = new_log(at(22, 6), &[(&[0, 5], 4), (&[0, 2, 5], 5)]);
    let growing = new_log(at(22, 8), &[(&[0, 5, 6, 7], 4), (&[0, 7], 5)]);
    let file = primary(dirty, SEED, 0);
    let torn = |mut file: Vec<u8>| {
        file[5] ^= 0x40;
        file
    };
    // Some pages are already in place, and one of them is torn.
    let mut partial = file.clone();
    partial[4096 + 3 * PAGE_LEN..][..PAGE_LEN].copy_from_slice(&page(3, 3, 0));
    partial[4096 + 5 * PAGE_LEN..][..1024].copy_from_slice(&page(5, 5, 0)[..1024]);

    // In the old format, the base block has the log's time, and the first bin the time before it.
    let later = Base {
        time: TIME + 7,
        ..dirty
    };
    let mut old_file = primary(later, SEED, 0);
    old_file[4096 + 20..4096 + 28].copy_from_slice(&TIME.to_le_bytes());
    let vector = |pages| Base {
        time: TIME + 7,
        ..at(21, pages)
    };
    let old = old_log(vector(6), &[0, 2, 5], 6);
    let old_growing = old_log(vector(9), &[0, 2, 6, 7, 8], 6);
    let torn_old = torn(primary(later, SEED, 0));

    let new = |file: &Vec<u8>| Disk::default().with(PRIMARY, file.clone());
    vec![
        (
            "new",
            new(&file).with(LOG1, log1.clone()).with(LOG2, log2.clone()),
        ),
        (
            "new, swapped",
            new(&file).with(LOG1, log2.clone()).with(LOG2, log1.clone()),
        ),
        (
            "new, partial",
            new(&partial)
                .with(LOG1, log1.clone())
                .with(LOG2, log2.clone()),
        ),
        (
            "new, growing",
            new(&file)
                .with(LOG1, log1.clone())
                .with(LOG2, growing.clone()),
        ),
        ("new, only one", new(&file).with(LOG1, log1.clone())),
        ("new, single", new(&file).with(LOG, log1.clone())),
        (
            "new, the other is stale",
            new(&file)
                .with(LOG1, new_log(at(7, 6), &[(&[0, 4], EVIL)]))
                .with(LOG2, log1.clone()),
        ),
        (
            "new, the other does not follow",
            new(&file)
                .with(LOG1, log1.clone())
                .with(LOG2, new_log(at(40, 6), &[(&[0, 4], EVIL)])),
        ),
        (
            "new, torn",
            new(&torn(file.clone()))
                .with(LOG1, log1)
                .with(LOG2, log2.clone()),
        ),
        ("new, torn, only one", new(&torn(file)).with(LOG2, growing)),
        (
            "old",
            new(&old_file)
                .with(LOG1, old.clone())
                .with(LOG2, Vec::new()),
        ),
        ("old, single", new(&old_file).with(LOG, old.clone())),
        (
            "old, growing",
            new(&old_file).with(LOG1, old_growing.clone()),
        ),
        (
            "old, second",
            new(&old_file)
                .with(LOG1, old_log(at(9, 6), &[0, 4], EVIL))
                .with(LOG2, old.clone()),
        ),
        ("old, torn", new(&torn_old).with(LOG1, old)),
        ("old, torn, growing", new(&torn_old).with(LOG1, old_growing)),
        (
            "old, new one is stale",
            new(&old_file)
                .with(LOG1, old_log(vector(6), &[0, 2, 5], 6))
                .with(LOG2, new_log(at(7, 6), &[(&[0, 4], EVIL)])),
        ),
        ("new, growing over slack", {
            let file = primary(dirty, SEED, 3 * PAGE_LEN);
            new(&file)
                .with(LOG1, new_log(at(20, 8), &[(&[0, 5, 6, 7], 4)]))
                .with(LOG2, log2)
        }),
    ]
}
