//! Logs from a hostile disk: everything in them is right except for one number.

use crate::commit::HiveFileKind;
use crate::commit::crash_test::disk::Disk;
use crate::commit::crash_test::material::{Base, TIME, new_log, old_log, primary};
use crate::hive::{Hive, Opened, open};
use crate::recover::{LogFault, LogKind, RecoverError, Recovery, marvin32};

const DIRTY: Base = Base {
    minor: 5,
    primary: 21,
    secondary: 20,
    time: TIME,
    pages: 3,
};
const LOGGED: Base = Base {
    primary: 20,
    ..DIRTY
};
/// The offset of the second entry of the log; the first contains one page.
const SECOND: usize = 8192;

fn recover(primary: Vec<u8>, log1: Vec<u8>) -> Result<(Hive, Recovery), RecoverError> {
    let disk = Disk::default()
        .with(HiveFileKind::Primary, primary)
        .with(HiveFileKind::Log(LogKind::Log1), log1);
    match open(Box::new(disk.primary())).expect("a hive") {
        Opened::Dirty(hive) => hive.recover(&disk.logs()),
        Opened::Clean(_) => panic!("the hive is clean"),
    }
}

fn log() -> Vec<u8> {
    new_log(LOGGED, &[(&[1], 2), (&[0, 2], 3)])
}

fn put(log: &mut [u8], at: usize, number: u32) {
    log[at..at + 4].copy_from_slice(&number.to_le_bytes());
}

/// Writes a number into the second entry and corrects its hashes.
fn with(field: usize, number: u32) -> Vec<u8> {
    let mut log = log();
    put(&mut log, SECOND + field, number);
    let body = marvin32(&log[SECOND + 40..]);
    log[SECOND + 24..SECOND + 32].copy_from_slice(&body.to_le_bytes());
    let head = marvin32(&log[SECOND..SECOND + 32]);
    log[SECOND + 32..SECOND + 40].copy_from_slice(&head.to_le_bytes());
    log
}

#[test]
fn a_wrong_number_in_an_entry_ends_the_chain_there() {
    let (_, whole) = recover(primary(DIRTY, 1, 0), log()).expect("recovers");
    assert_eq!(whole.applied[0].entries, 2);
    for (field, number, what) in [
        (4, 0, "log entry size"),
        (4, 39, "log entry size"),
        // Windows accepts any size if the hashes are right.
        (4, 513, "log entry hash 1"),
        (4, u32::MAX - 511, "log entry size"),
        (12, 22, "log entry sequence number"),
        (16, 0, "length of the hive bins in a log entry"),
        (16, 4097, "length of the hive bins in a log entry"),
        (16, 0x7FFF_F000, "length of the hive bins in a log entry"),
        (16, 0xFFFF_F000, "length of the hive bins in a log entry"),
        (20, 0, "number of dirty pages in a log entry"),
        (20, u32::MAX, "number of dirty pages in a log entry"),
        (20, 0x2000_0001, "number of dirty pages in a log entry"),
        (40, 3 * 4096, "dirty page reference"),
        (40, 1, "dirty page reference"),
        (40, u32::MAX - 4095, "dirty page reference"),
        (44, 4095, "dirty page reference"),
        (44, u32::MAX - 4095, "dirty page reference"),
        (44, 0, "dirty page reference"),
        (44, 512, "dirty page reference"),
        (44, 2 * 4096, "dirty page reference"),
        (48, 0, "dirty page reference"),
        (48, 512, "dirty page reference"),
        (48, 4096, "dirty page reference"),
        (48, 3 * 4096, "dirty page reference"),
    ] {
        let (hive, recovery) = recover(primary(DIRTY, 1, 0), with(field, number)).expect(what);
        let log = &recovery.applied[0];
        assert_eq!((log.entries, log.last_sequence), (1, 20), "{what}");
        let end = log.end.as_ref().expect("a reason");
        assert_eq!(end.what, what, "{field} {number:#x}");
        assert!((8192..8192 + 56).contains(&end.offset.0), "{what}");
        assert_eq!(hive.image().bins_len(), 3 * 4096, "{what}");
    }
}

/// A hive of 16 KiB has a log of 24 KiB that asks for 2 GiB.
#[test]
fn a_small_log_does_not_make_a_large_hive() {
    let mut log = new_log(LOGGED, &[(&[1], 2)]);
    put(&mut log, 512 + 16, 0x7FFF_F000);
    let head = marvin32(&log[512..544]);
    log[544..552].copy_from_slice(&head.to_le_bytes());
    match recover(primary(DIRTY, 1, 0), log) {
        Err(RecoverError::NoLog(refused)) => {
            assert!(matches!(refused.log1, LogFault::Corrupt(_)), "{refused}")
        }
        _ => panic!("recovered, or another error"),
    }
    let large = Base {
        pages: 0x7FFF_F000 / 4096,
        ..LOGGED
    };
    let mut log = old_log(LOGGED, &[1], 2);
    log[..512].copy_from_slice(&{
        let mut header = zerocopy::IntoBytes::as_bytes(&*large.block())[..512].to_vec();
        put(&mut header, 28, 1);
        let sum = crate::checksum(header.first_chunk().expect("512 bytes"));
        put(&mut header, 508, sum);
        header
    });
    match recover(primary(DIRTY, 1, 0), log) {
        Err(RecoverError::NoLog(refused)) => {
            assert!(matches!(refused.log1, LogFault::Corrupt(_)), "{refused}")
        }
        _ => panic!("recovered, or another error"),
    }
}

/// The first entry states a shorter length than that of the bins on disk, and the second a longer
/// one.
#[test]
fn the_bins_get_the_length_of_the_last_entry() {
    let shorter = Base { pages: 2, ..LOGGED };
    let (hive, _) = recover(primary(DIRTY, 1, 0), new_log(shorter, &[(&[0, 1], 2)])).expect("ok");
    assert_eq!(hive.image().bins_len(), 2 * 4096);
    let longer = Base { pages: 4, ..LOGGED };
    let (hive, _) = recover(primary(DIRTY, 1, 0), new_log(longer, &[(&[0, 3], 2)])).expect("ok");
    assert_eq!(hive.image().bins_len(), 4 * 4096);
    // The new page is neither in the log nor in the file.
    let result = recover(primary(DIRTY, 1, 0), new_log(longer, &[(&[0], 2)]));
    assert!(matches!(result, Err(RecoverError::MissingPage { .. })));
}

/// Sequence numbers wrap around: the number after the highest is zero.
#[test]
fn numbers_are_compared_on_a_circle() {
    let dirty = Base {
        primary: 0,
        secondary: u32::MAX,
        ..DIRTY
    };
    let logged = Base {
        primary: u32::MAX,
        secondary: u32::MAX,
        ..DIRTY
    };
    let later = Base {
        primary: 1,
        secondary: 1,
        ..DIRTY
    };
    let disk = Disk::default()
        .with(HiveFileKind::Primary, primary(dirty, 1, 0))
        .with(
            HiveFileKind::Log(LogKind::Log1),
            new_log(later, &[(&[0], 4)]),
        )
        .with(
            HiveFileKind::Log(LogKind::Log2),
            new_log(logged, &[(&[1], 2), (&[0, 2], 3)]),
        );
    let Opened::Dirty(hive) = open(Box::new(disk.primary())).expect("a hive") else {
        panic!("the hive is clean");
    };
    let (_, recovery) = hive.recover(&disk.logs()).expect("recovers");
    let order: Vec<_> = recovery.applied.iter().map(|log| log.log).collect();
    assert_eq!(order, [LogKind::Log2, LogKind::Log1]);
    assert_eq!(recovery.sequence, 2);
}

/// An entry between the two logs is missing, so the pages on which the later log builds are lost.
#[test]
fn a_log_that_does_not_follow_the_other_is_left_out() {
    let later = Base {
        primary: 23,
        secondary: 23,
        ..DIRTY
    };
    let disk = Disk::default()
        .with(HiveFileKind::Primary, primary(DIRTY, 1, 0))
        .with(HiveFileKind::Log(LogKind::Log1), log())
        .with(
            HiveFileKind::Log(LogKind::Log2),
            new_log(later, &[(&[0], 4)]),
        );
    let Opened::Dirty(hive) = open(Box::new(disk.primary())).expect("a hive") else {
        panic!("the hive is clean");
    };
    let (_, recovery) = hive.recover(&disk.logs()).expect("recovers");
    assert_eq!((recovery.applied.len(), recovery.sequence), (1, 22));
    let skipped: Vec<_> = recovery.skipped.iter().map(|log| &log.fault).collect();
    let not_next = LogFault::NotNext {
        expected: 22,
        actual: 23,
    };
    assert_eq!(skipped, [&LogFault::Missing, &not_next]);
}

/// Whatever the value of a byte of a log or of a base block, it does not lead to a panic.
#[test]
fn no_single_changed_byte_causes_a_panic() {
    let old = old_log(LOGGED, &[0, 2], 3);
    for log in [log(), old] {
        for at in (0..600).chain(SECOND..(SECOND + 64).min(log.len())) {
            for byte in [0, 0x80, 0xFF] {
                let mut log = log.clone();
                if let Some(place) = log.get_mut(at) {
                    *place = byte;
                }
                let _ = recover(primary(DIRTY, 1, 0), log);
            }
        }
        for len in (0..log.len()).step_by(509) {
            let _ = recover(primary(DIRTY, 1, 0), log[..len].to_vec());
        }
    }
}

/// If the base block of a hive is torn and its first bin is lost, the time of its last write is
/// unknown. A log with the time 0 once counted as the log of that write.
#[test]
fn a_log_of_no_time_is_not_taken_for_that_of_a_hive_that_has_lost_its_time() {
    let timeless = Base { time: 0, ..LOGGED };
    for log in [
        new_log(timeless, &[(&[0, 1, 2], 2)]),
        old_log(timeless, &[0, 1, 2], 2),
    ] {
        let mut torn = primary(DIRTY, 1, 0);
        torn[508] ^= 1;
        torn[4096..4100].fill(0);
        match recover(torn, log) {
            Err(RecoverError::NoLog(refused)) => assert_eq!(refused.log1, LogFault::NoTimestamp),
            _ => panic!("recovered, or another error"),
        }
    }
}
