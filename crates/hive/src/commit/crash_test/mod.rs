//! Power failures at every moment of every kind of commit. Whatever reaches the disk, the hive
//! opens with exactly the old or exactly the new state.
//!
//! Between two flushes of a file, each write may be kept, lost or torn, independently of the
//! others. One sector may even be half new and half old.

mod aftermath;
pub(crate) mod disk;
mod failures;
pub(crate) mod material;
mod scenarios;
mod session;

use crate::commit::crash_test::aftermath::left_over_logs_are_refused;
use crate::commit::crash_test::disk::{Disk, Effort};
use crate::commit::crash_test::material::{
    Base, change, grow, lengthen, new_log, old_log, primary,
};
use crate::commit::crash_test::scenarios::{CLEAN, EVIL, SEED, dirty_hives, left_overs};
use crate::commit::crash_test::session::{Outcome, Session, load, options, state};
use crate::commit::{HiveFileKind, plan};
use crate::hive::Hive;
use crate::offset::PAGE_LEN;
use crate::recover::{LogFormat, LogKind};
use crate::verify::Committable;

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

/// The file has bytes behind the bins, has none, or has fewer than the edit needs.
#[test]
fn an_edit_that_grows_the_hive_survives() {
    let mut tried = 0;
    for format in FORMATS {
        for slack in [0, 300, PAGE_LEN, 5 * PAGE_LEN] {
            let disk = clean().with(PRIMARY, primary(CLEAN, SEED, slack));
            // The editor may also leave the new pages unwritten.
            for edit in [&growing as &dyn Fn(&mut Hive), &|hive| lengthen(hive, 2)] {
                let name = format!("growth, {slack} bytes of slack");
                let outcome = session(name, disk.clone(), edit, Some(format), THOROUGH).run();
                left_over_logs_are_refused(&outcome);
                let len = outcome.disk.primary().len();
                assert_eq!(len, (4096 + 6 * PAGE_LEN + slack).max(4096 + 8 * PAGE_LEN));
                tried += outcome.tried;
            }
        }
    }
    total("growth", tried);
}

/// The edit has more pages than fit into one log entry.
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

        // The number of written bytes is in proportion to the change: once for the log, and once in
        // place.
        let mut hive = load(&start).expect("loads");
        many(&mut hive);
        let hive = Committable::from(hive);
        let plan = plan(&hive, &start.logs(), &options(Some(format))).expect("a plan");
        let pages = hive.image().dirty().iter().count() as u64 * 4096;
        let overhead = plan.bytes_to_write() - 2 * pages;
        assert!(overhead < 20_000, "{overhead} bytes besides the pages");
        let entries = plan.sequence() - 21;
        assert_eq!(entries, if format == LogFormat::New { 2 } else { 1 });
    }
    total("many pages", tried);
}

/// Old content of the logs, in any combination, never gets into the hive: not during the commit,
/// and not later.
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

/// The numbers of a commit come after those of all logs, which stay unchanged. A log is emptied if
/// its numbers leave no room above them.
#[test]
fn the_numbers_of_a_commit_follow_those_of_all_logs() {
    for (sequence, expected, is_emptied) in [
        (10, 22, false),
        (35, 39, false),
        (0x9000_0000, 0x9000_0004, false),
        (u32::MAX - 3, 22, true),
    ] {
        let base = Base {
            primary: sequence,
            secondary: sequence,
            ..CLEAN
        };
        let log2 = new_log(base, &[(&[0], EVIL), (&[1], EVIL), (&[2], EVIL)]);
        // The other log has room, so it is written.
        let disk = clean().with(LOG1, vec![0; 90_000]).with(LOG2, log2);
        let mut hive = load(&disk).expect("loads");
        small(&mut hive);
        let hive = Committable::from(hive);
        let plan = plan(&hive, &disk.logs(), &options(None)).expect("a plan");
        assert_eq!(plan.sequence(), expected);
        let change = plan.change(LOG2);
        assert_eq!(change.map(|log| log.len_after), is_emptied.then_some(0));
    }
}

/// Behind our last entry is one that would follow it by its number and its place. A longer, older
/// log can contain one, if its number once ran ahead.
#[test]
fn an_entry_that_lies_where_ours_would_go_on_is_no_continuation() {
    let disk = clean().with(LOG1, vec![0; 200_000]);
    let outcome = session("no trap", disk, &small, None, QUICK).run();
    let sequence = u32::from_le_bytes(outcome.disk.primary()[4..8].try_into().expect("four"));
    let next = Base {
        primary: sequence,
        secondary: sequence,
        ..CLEAN
    };
    let log = outcome.disk.file(LOG1).expect("there");
    let end = 512 + u32::from_le_bytes(log[516..520].try_into().expect("four")) as usize;
    let entry = new_log(next, &[(&[0, 1, 2, 3], EVIL)]).split_off(512);
    let mut trap = vec![0; 200_000];
    trap[end..end + entry.len()].copy_from_slice(&entry);
    let disk = clean().with(LOG1, trap);
    let outcome = session("trap", disk, &small, None, THOROUGH).run();
    left_over_logs_are_refused(&outcome);
    total("trap", outcome.tried);
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

/// A hive that is opened as it is, without its logs. It stays dirty until it is clean, and no log
/// applies again.
#[test]
fn a_hive_that_is_opened_without_its_logs_survives() {
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

/// Interrupts whole commits once more, from states that a crash has left.
fn crash_again(name: &str, outcome: &Outcome, edit: &dyn Fn(&mut Hive), every: usize) -> usize {
    let mut tried = 0;
    for (at, disk) in outcome.samples.iter().enumerate().step_by(every) {
        let before = state(disk);
        let name = format!("{name}, crash {at}");
        let again = session(name, disk.clone(), edit, None, QUICK).run();
        // Without an edit, the expected state is the same as before, and settled.
        let mut hive = load(disk).expect("loads");
        edit(&mut hive);
        assert!(again.new == before || !hive.image().dirty().is_empty());
        tried += again.tried;
    }
    tried
}
