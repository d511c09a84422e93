//! Power failures at every moment of every kind of commit: whatever reaches the disk, the hive
//! opens with exactly the old or exactly the new state.
//!
//! Between two flushes of a file each write may be kept, lost or torn, independently of the
//! others; one sector may even be left half new, half old.

mod aftermath;
mod disk;
mod material;
mod session;

use crate::commit::crash_test::aftermath::left_over_logs_are_refused;
use crate::commit::crash_test::disk::{Disk, Effort};
use crate::commit::crash_test::material::{
    Base, TIME, change, grow, new_log, old_log, page, primary,
};
use crate::commit::crash_test::session::{NOW, Outcome, Session, load, options, state};
use crate::commit::{HiveFileKind, plan};
use crate::hive::Hive;
use crate::offset::PAGE_LEN;
use crate::recover::{LogFormat, LogKind};

const PRIMARY: HiveFileKind = HiveFileKind::Primary;
const LOG: HiveFileKind = HiveFileKind::Log(LogKind::Log);
const LOG1: HiveFileKind = HiveFileKind::Log(LogKind::Log1);
const LOG2: HiveFileKind = HiveFileKind::Log(LogKind::Log2);
const FORMATS: [LogFormat; 2] = [LogFormat::New, LogFormat::Old];
const THOROUGH: Effort = Effort {
    exhaustive: 8,
    drawn: 40,
};
const QUICK: Effort = Effort {
    exhaustive: 3,
    drawn: 6,
};

/// The clean hive that most tests start from.
const CLEAN: Base = Base {
    minor: 5,
    primary: 20,
    secondary: 20,
    time: TIME,
    pages: 6,
};
const SEED: u8 = 1;
/// The numbers of pages that must never appear in the hive.
const EVIL: u8 = 0xEE;

fn small(hive: &mut Hive) {
    change(hive, &[1, 4], 9);
}

fn growing(hive: &mut Hive) {
    change(hive, &[0, 3, 5], 9);
    grow(hive, 2, 9);
}

fn unchanged(_: &mut Hive) {}

fn session<'a>(
    name: impl Into<String>,
    disk: Disk,
    edit: &'a dyn Fn(&mut Hive),
    format: Option<LogFormat>,
    effort: Effort,
) -> Session<'a> {
    Session {
        name: name.into(),
        disk,
        edit,
        format,
        assume_clean: false,
        effort,
    }
}

fn clean() -> Disk {
    Disk::default().with(PRIMARY, primary(CLEAN, SEED, 0))
}

fn total(name: &str, tried: usize) {
    println!("{name}: {tried} states after a power failure");
}

#[test]
fn a_small_edit_survives() {
    let mut tried = 0;
    for format in FORMATS {
        let disk = clean().with(LOG1, vec![0; 40_000]).with(LOG2, Vec::new());
        let outcome = session("small", disk, &small, Some(format), THOROUGH).run();
        left_over_logs_are_refused(&outcome);
        tried += outcome.tried;
    }
    total("small edit", tried);
}

/// With bytes behind the bins, without, and with fewer than needed.
#[test]
fn an_edit_that_grows_the_hive_survives() {
    let mut tried = 0;
    for format in FORMATS {
        for slack in [0, 300, PAGE_LEN, 5 * PAGE_LEN] {
            let disk = clean().with(PRIMARY, primary(CLEAN, SEED, slack));
            let name = format!("growth, {slack} bytes of slack");
            let outcome = session(name, disk, &growing, Some(format), THOROUGH).run();
            left_over_logs_are_refused(&outcome);
            let len = outcome.disk.primary().len();
            assert_eq!(len, (4096 + 6 * PAGE_LEN + slack).max(4096 + 8 * PAGE_LEN));
            tried += outcome.tried;
        }
    }
    total("growth", tried);
}

/// More pages than one log entry takes.
#[test]
fn an_edit_of_many_pages_survives() {
    let base = Base {
        pages: 330,
        ..CLEAN
    };
    let many = |hive: &mut Hive| {
        let pages: Vec<_> = (0..320).filter(|page| page % 50 != 4).collect();
        change(hive, &pages, 9);
        grow(hive, 20, 9);
    };
    let mut tried = 0;
    for format in FORMATS {
        let disk = Disk::default()
            .with(PRIMARY, primary(base, SEED, 0))
            .with(LOG1, Vec::new());
        let effort = Effort {
            exhaustive: 2,
            drawn: 1,
        };
        let start = disk.clone();
        let outcome = session("many pages", disk, &many, Some(format), effort).run();
        left_over_logs_are_refused(&outcome);
        tried += outcome.tried;

        // What is written is in proportion to the change: once to the log, once in place.
        let mut hive = load(&start).expect("loads");
        many(&mut hive);
        let plan = plan(&hive, &start.logs(), &options(Some(format))).expect("a plan");
        let pages = hive.image().dirty().len() as u64 * 4096;
        let overhead = plan.bytes_to_write() - 2 * pages;
        assert!(overhead < 20_000, "{overhead} bytes besides the pages");
        let entries = plan.sequence() - 21;
        assert_eq!(entries, if format == LogFormat::New { 2 } else { 1 });
    }
    total("many pages", tried);
}

/// Everything that can lie in a log file of a clean hive.
fn left_overs(format: LogFormat) -> Vec<(&'static str, Option<Vec<u8>>)> {
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

/// Nothing that lies about in the logs, in any combination, gets into the hive: not while it is
/// written, and not later.
#[test]
fn stale_logs_of_all_kinds_stay_out() {
    let (mut tried, mut sessions) = (0, 0);
    for format in FORMATS {
        let kinds = left_overs(format);
        for (first, log1) in &kinds {
            for (second, log2) in &kinds {
                for (single, log) in [&kinds[0], &kinds[6], &kinds[9]] {
                    if log.is_some() && *second != "missing" {
                        continue;
                    }
                    let mut disk = clean();
                    *disk.file_mut(LOG1) = log1.clone();
                    *disk.file_mut(LOG2) = log2.clone();
                    *disk.file_mut(LOG) = log.clone();
                    let name = format!("{format}, {first}, {second}, {single}");
                    let outcome = session(name, disk, &growing, Some(format), QUICK).run();
                    left_over_logs_are_refused(&outcome);
                    tried += outcome.tried;
                    sessions += 1;
                }
            }
        }
    }
    total(&format!("{sessions} combinations of stale logs"), tried);
}

/// Behind our last entry lies one that would follow it by its number and its place: what a
/// longer, older log, whose number once ran ahead, can hold.
#[test]
fn an_entry_that_lies_where_ours_would_go_on_is_no_continuation() {
    let log1 = vec![0; 200_000];
    let disk = clean().with(LOG1, log1.clone());
    let mut hive = load(&disk).expect("loads");
    small(&mut hive);
    let plan = plan(&hive, &disk.logs(), &options(None)).expect("a plan");
    let next = Base {
        primary: plan.sequence(),
        secondary: plan.sequence(),
        ..CLEAN
    };
    // The log's length without the sector that ends it.
    let end = plan.change(LOG1).expect("written").extents[0].1 as usize - 512;
    let entry = new_log(next, &[(&[0, 1, 2, 3], EVIL)]).split_off(512);
    let mut trap = log1;
    trap[end..end + entry.len()].copy_from_slice(&entry);
    let disk = disk.with(LOG1, trap);
    let outcome = session("trap", disk, &small, None, THOROUGH).run();
    left_over_logs_are_refused(&outcome);
    total("trap", outcome.tried);
}

/// Hives that Windows left dirty, in every way: name, files.
fn dirty_hives() -> Vec<(&'static str, Disk)> {
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
    // Some pages are already in place, one of them is torn.
    let mut partial = file.clone();
    partial[4096 + 3 * PAGE_LEN..][..PAGE_LEN].copy_from_slice(&page(3, 3, 0));
    partial[4096 + 5 * PAGE_LEN..][..1024].copy_from_slice(&page(5, 5, 0)[..1024]);

    // In the old format the base block has the log's time, and the first bin the one before.
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

#[test]
fn a_recovery_survives() {
    let (mut tried, mut again) = (0, 0);
    for (name, disk) in dirty_hives() {
        let outcome = session(name, disk, &unchanged, None, THOROUGH).run();
        left_over_logs_are_refused(&outcome);
        tried += outcome.tried;
        again += crash_again(name, &outcome, &unchanged, 12);
    }
    total("recovery", tried);
    total("recovery after a crashed recovery", again);
}

#[test]
fn a_recovery_with_an_edit_survives() {
    let (mut tried, mut again) = (0, 0);
    for (name, disk) in dirty_hives() {
        for format in [None, Some(LogFormat::New), Some(LogFormat::Old)] {
            for edit in [&small as &dyn Fn(&mut Hive), &growing] {
                let name = format!("{name}, log {format:?}");
                let session = session(name.as_str(), disk.clone(), edit, format, QUICK);
                let outcome = session.run();
                left_over_logs_are_refused(&outcome);
                tried += outcome.tried;
                again += crash_again(&name, &outcome, &small, 6);
            }
        }
    }
    total("recovery with an edit", tried);
    total("edit after a crashed recovery or edit", again);
}

/// A hive that is taken as it is: it stays refused until it is clean, and no log comes back.
#[test]
fn a_hive_that_is_taken_as_it_is_survives() {
    let dirty = Base {
        primary: 21,
        ..CLEAN
    };
    let mut tried = 0;
    for log1 in [Vec::new(), vec![0x5A; 9000], old_log(CLEAN, &[0, 1], EVIL)] {
        for edit in [&unchanged as &dyn Fn(&mut Hive), &small, &growing] {
            for format in FORMATS {
                let mut file = primary(dirty, SEED, 0);
                file[4096 + 20..4096 + 28].copy_from_slice(&3_u64.to_le_bytes());
                file[12..20].copy_from_slice(&2_u64.to_le_bytes());
                let disk = Disk::default().with(PRIMARY, file).with(LOG1, log1.clone());
                let outcome = Session {
                    assume_clean: true,
                    ..session("as it is", disk, edit, Some(format), THOROUGH)
                }
                .run();
                left_over_logs_are_refused(&outcome);
                tried += outcome.tried;
            }
        }
    }
    total("taken as it is", tried);
}

/// Whole commits, crashed once more, from states that a crash has left.
fn crash_again(name: &str, outcome: &Outcome, edit: &dyn Fn(&mut Hive), every: usize) -> usize {
    let mut tried = 0;
    for (at, disk) in outcome.samples.iter().enumerate().step_by(every) {
        let before = state(disk);
        let name = format!("{name}, crash {at}");
        let again = session(name, disk.clone(), edit, None, QUICK).run();
        // Without an edit the state is the one that was there, and settled.
        let mut hive = load(disk).expect("loads");
        edit(&mut hive);
        assert!(again.new == before || !hive.image().dirty().is_empty());
        tried += again.tried;
    }
    tried
}
