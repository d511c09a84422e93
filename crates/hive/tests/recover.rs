//! Recovery of real hives from their real logs, compared with what Windows made of them, and of
//! hives made here with logs that are damaged in one place.

#![cfg(test)]

mod support;

use std::path::Path;

use diskmend_hive::{
    DirtyState, LogFault, LogFormat, LogKind, Logs, OpenError, Opened, RecoverError, Recovery,
    RefusedLogs, open,
};
use support::{corpus, count, open_dirty};

fn read(folder: &Path, name: &str) -> Vec<u8> {
    let path = folder.join(name);
    std::fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// The logs beside a hive of the corpus.
fn logs(folder: &Path, name: &str) -> Logs {
    let file = |suffix| {
        let path = folder.join(format!("{name}{suffix}"));
        path.exists().then(|| std::fs::read(&path).expect("reads"))
    };
    let (log, log1, log2) = (file(".LOG"), file(".LOG1"), file(".LOG2"));
    logs_of(log.as_ref(), log1.as_ref(), log2.as_ref())
}

fn logs_of(log: Option<&Vec<u8>>, log1: Option<&Vec<u8>>, log2: Option<&Vec<u8>>) -> Logs {
    Logs::read(
        u64::MAX,
        log.map(|file| file as _),
        log1.map(|file| file as _),
        log2.map(|file| file as _),
    )
    .expect("logs can be read")
}

fn recover(folder: &Path, name: &str) -> Result<(diskmend_hive::Hive, Recovery), RecoverError> {
    open_dirty(read(folder, name)).recover(&logs(folder, name))
}

/// The reason why no log applied.
fn refused(result: Result<(diskmend_hive::Hive, Recovery), RecoverError>) -> RefusedLogs {
    match result {
        Err(RecoverError::NoLog(refused)) => *refused,
        Err(other) => panic!("{other}"),
        Ok((_, recovery)) => panic!("recovered: {recovery:?}"),
    }
}

fn sequences(file: &[u8]) -> (u32, u32) {
    let number = |at: usize| u32::from_le_bytes(file[at..at + 4].try_into().expect("four bytes"));
    (number(4), number(8))
}

/// Windows 10 recovered this hive from two logs with one and three entries.
#[test]
fn new_logs_give_what_windows_10_made() {
    let Some(corpus) = corpus("new_logs_give_what_windows_10_made") else {
        return;
    };
    let folder = corpus.join("hives/yarp/NewDirtyHive1");
    let (hive, recovery) = recover(&folder, "NewDirtyHive").expect("recovers");
    let expected = read(&folder, "RecoveredHive_Windows10");
    let file = hive.image().file();
    assert_eq!(file.len(), expected.len());
    assert_eq!(sequences(file), (6, 6));
    assert!(file[4096..] == expected[4096..]);
    // Except for the file's name and the GUIDs, which Windows changed on loading, the base blocks
    // agree.
    assert!(file[..48] == expected[..48]);
    let [first, second] = recovery.applied.as_slice() else {
        panic!("{recovery:?}");
    };
    assert_eq!(
        (first.log, first.format, first.entries),
        (LogKind::Log1, LogFormat::New, 1)
    );
    assert_eq!(
        (second.log, second.entries, second.last_sequence),
        (LogKind::Log2, 3, 5)
    );
    assert_eq!((recovery.pages, recovery.sequence), (5, 6));
    assert!(!recovery.base_block_restored);
}

/// Windows 7 recovered this hive. It then changed the last written timestamp in the base block and
/// in the first bin (0x1014 to 0x101b), and the work field of the root's key node (0x6bdc8).
#[test]
fn an_old_log_gives_what_windows_7_made() {
    let Some(corpus) = corpus("an_old_log_gives_what_windows_7_made") else {
        return;
    };
    let folder = corpus.join("hives/yarp/OldDirtyHive");
    let (hive, recovery) = recover(&folder, "OldDirtyHive").expect("recovers");
    let expected = read(&folder, "RecoveredHive_Windows7");
    let file = hive.image().file();
    assert_eq!(file.len(), expected.len());
    let different: Vec<_> = (4096..file.len())
        .filter(|&at| file[at] != expected[at])
        .collect();
    assert_eq!(different, [0x1014, 0x1015, 0x1016, 0x1017, 0x1018, 0x6bdc8]);
    assert_eq!(sequences(file), (6, 6));
    let [log] = recovery.applied.as_slice() else {
        panic!("{recovery:?}");
    };
    assert_eq!((log.log, log.format), (LogKind::Log1, LogFormat::Old));
    assert_eq!(recovery.pages, 8);
    assert_eq!(
        recovery
            .skipped
            .iter()
            .map(|log| &log.fault)
            .collect::<Vec<_>>(),
        [&LogFault::Missing, &LogFault::Empty]
    );
}

#[test]
fn a_system_hive_gains_the_keys_that_only_its_logs_hold() {
    let Some(corpus) = corpus("a_system_hive_gains_the_keys_that_only_its_logs_hold") else {
        return;
    };
    let folder = corpus.join("hives/regipy");
    let alone = open_dirty(read(&folder, "SYSTEM_B"))
        .assume_clean()
        .expect("holds by itself");
    let (hive, recovery) = recover(&folder, "SYSTEM_B").expect("recovers");
    let (keys, values) = count(&hive);
    let (keys_alone, values_alone) = count(&alone);
    assert_eq!(
        (keys - keys_alone, values - values_alone),
        (2472, 3944),
        "{recovery:?}"
    );
    let entries: Vec<_> = recovery
        .applied
        .iter()
        .map(|log| (log.log, log.first_sequence, log.last_sequence))
        .collect();
    assert_eq!(
        entries,
        [(LogKind::Log1, 2107, 2110), (LogKind::Log2, 2111, 2130)]
    );
    assert_eq!(sequences(hive.image().file()), (2131, 2131));
    assert_eq!(hive.image().bins_len(), 0xc0_2000);
}

#[test]
fn a_user_hive_is_recovered_from_both_logs() {
    let Some(corpus) = corpus("a_user_hive_is_recovered_from_both_logs") else {
        return;
    };
    let folder = corpus.join("hives/regipy");
    let (hive, recovery) = recover(&folder, "UsrClass.dat").expect("recovers");
    assert_eq!(recovery.sequence, 301);
    assert_eq!(recovery.applied.len(), 2);
    let (keys, values) = count(&hive);
    assert!(keys > 1000 && values > 1000, "{keys} keys, {values} values");
}

/// Both logs of one hive and the only log of another have wrong checksums in their base blocks:
/// Windows applies neither.
#[test]
fn logs_with_a_wrong_checksum_are_refused_with_their_numbers() {
    let Some(corpus) = corpus("logs_with_a_wrong_checksum_are_refused_with_their_numbers") else {
        return;
    };
    for name in ["BadLogHive1", "BadLogHive3"] {
        let folder = corpus.join("hives/yarp").join(name);
        let refused = refused(recover(&folder, "BadLogHive"));
        assert_eq!(refused.log, LogFault::Missing);
        for fault in [refused.log1, refused.log2] {
            match fault {
                LogFault::Corrupt(fault) => {
                    assert_eq!(fault.what, "log base block checksum");
                    assert_eq!(fault.offset.0, 508);
                    assert_ne!(fault.expected, fault.found);
                }
                fault => assert_eq!((name, fault), ("BadLogHive1", LogFault::Empty)),
            }
        }
    }
}

/// The base block is torn, and the first bin is older than the log. By the rules of Windows, the
/// log then belongs to another write.
#[test]
fn a_torn_base_block_and_a_log_of_another_time_do_not_go_together() {
    let Some(corpus) = corpus("a_torn_base_block_and_a_log_of_another_time") else {
        return;
    };
    let folder = corpus.join("hives/yarp/BadBaseBlockHive");
    let dirty = open_dirty(read(&folder, "BadBaseBlockHive"));
    assert!(matches!(dirty.state(), DirtyState::Checksum { .. }));
    let log1 = refused(dirty.recover(&logs(&folder, "BadBaseBlockHive"))).log1;
    let LogFault::Timestamp { expected, actual } = log1 else {
        panic!("{log1}");
    };
    assert_eq!(
        (expected.0, actual.0),
        (0x1d2_94f6_ccf6_f3f0, 0x1d2_9627_f1c8_a860)
    );
}

/// The hive of the test above, if the crash had come after the first bin was written.
#[test]
fn a_torn_base_block_is_restored_from_an_old_log() {
    let Some(corpus) = corpus("a_torn_base_block_is_restored_from_an_old_log") else {
        return;
    };
    let folder = corpus.join("hives/yarp/BadBaseBlockHive");
    let mut file = read(&folder, "BadBaseBlockHive");
    file[0x1014..0x101c].copy_from_slice(&0x1d2_9627_f1c8_a860_u64.to_le_bytes());
    // The base block can lose its signature too.
    file[..512].fill(0);
    let (hive, recovery) = open_dirty(file)
        .recover(&logs(&folder, "BadBaseBlockHive"))
        .expect("recovers");
    assert!(recovery.base_block_restored);
    let whole = corpus.join("hives/yarp/OldDirtyHive");
    let (expected, _) = recover(&whole, "OldDirtyHive").expect("recovers");
    assert!(hive.image().file() == expected.image().file());
}

/// If the base block is torn, only the later log counts.
#[test]
fn a_torn_base_block_is_restored_from_the_later_new_log() {
    let Some(corpus) = corpus("a_torn_base_block_is_restored_from_the_later_new_log") else {
        return;
    };
    let folder = corpus.join("hives/yarp/NewDirtyHive1");
    let mut file = read(&folder, "NewDirtyHive");
    file[4] ^= 1;
    let (hive, recovery) = open_dirty(file)
        .recover(&logs(&folder, "NewDirtyHive"))
        .expect("recovers");
    assert!(recovery.base_block_restored);
    let [log] = recovery.applied.as_slice() else {
        panic!("{recovery:?}");
    };
    assert_eq!(log.log, LogKind::Log2);
    assert_eq!(sequences(hive.image().file()), (6, 6));
    // The second entry of that log contains all five pages.
    let expected = read(&folder, "RecoveredHive_Windows10");
    assert!(hive.image().file()[4096..] == expected[4096..]);
}

#[test]
fn a_truncated_hive_without_logs_is_refused() {
    let Some(corpus) = corpus("a_truncated_hive_without_logs_is_refused") else {
        return;
    };
    let folder = corpus.join("hives/yarp");
    let dirty = open_dirty(read(&folder, "TruncatedDirtyHive"));
    assert_eq!(
        dirty.state(),
        DirtyState::Sequences {
            primary: 5,
            secondary: 4
        }
    );
    let log1 = refused(dirty.recover(&Logs::default())).log1;
    assert_eq!(log1, LogFault::Missing);
}

/// A file that is too short is completed from the log, but never with pages that no log contains.
#[test]
fn a_truncated_hive_is_not_filled_with_zeros() {
    let Some(corpus) = corpus("a_truncated_hive_is_not_filled_with_zeros") else {
        return;
    };
    let folder = corpus.join("hives/yarp/OldDirtyHive");
    let truncated = |len| {
        let mut file = read(&folder, "OldDirtyHive");
        file.truncate(len);
        open_dirty(file).recover(&logs(&folder, "OldDirtyHive"))
    };
    let (whole, _) = recover(&folder, "OldDirtyHive").expect("recovers");
    // The log contains the last three pages, which the file lacks.
    let (hive, _) = truncated(0x7_5000).expect("recovers");
    assert!(hive.image().bins() == whole.image().bins());
    let Err(RecoverError::MissingPage { offset }) = truncated(0x7_4000) else {
        panic!("recovered");
    };
    assert_eq!(offset.0, 0x7_4000);
}

/// A clean hive beside logs with later entries: Windows ignores the logs, and diskmend does too.
#[test]
fn a_clean_hive_does_not_look_at_its_logs() {
    let Some(corpus) = corpus("a_clean_hive_does_not_look_at_its_logs") else {
        return;
    };
    let folder = corpus.join("hives/yarp/NewDirtyHive1");
    let file = read(&folder, "RecoveredHive_Windows10");
    assert!(matches!(open(Box::new(file)), Ok(Opened::Clean(_))));
}

/// A change of any one byte of an entry ends the chain before that entry.
#[test]
fn a_damaged_entry_ends_the_chain() {
    let Some(corpus) = corpus("a_damaged_entry_ends_the_chain") else {
        return;
    };
    let folder = corpus.join("hives/yarp/NewDirtyHive1");
    let primary = read(&folder, "NewDirtyHive");
    let log1 = read(&folder, "NewDirtyHive.LOG1");
    let log2 = read(&folder, "NewDirtyHive.LOG2");
    // The third entry is at 0x2000 to 0x8000; its hash covers the reserved bytes at its end too.
    for at in (0x2000..0x2040).chain((0x2040..0x8000).step_by(509)) {
        let mut damaged = log2.clone();
        damaged[at] ^= 0x10;
        let logs = logs_of(None, Some(&log1), Some(&damaged));
        let (hive, recovery) = open_dirty(primary.clone())
            .recover(&logs)
            .expect("recovers");
        let [_, second] = recovery.applied.as_slice() else {
            panic!("{recovery:?}");
        };
        assert_eq!((second.entries, second.last_sequence), (1, 3), "{at:#x}");
        assert_eq!(sequences(hive.image().file()), (4, 4), "{at:#x}");
    }
    // Without the first entry of the first log, nothing after it can be trusted.
    let mut damaged = log1.clone();
    damaged[0x300] ^= 1;
    let logs = logs_of(None, Some(&damaged), Some(&log2));
    let refused = refused(open_dirty(primary).recover(&logs));
    let LogFault::Corrupt(fault) = refused.log1 else {
        panic!("{refused}");
    };
    assert_eq!((fault.what, fault.offset.0), ("log entry hash 1", 0x218));
}

/// Logs from before the last complete write do not apply to a later one.
#[test]
fn logs_that_are_older_than_the_hive_are_stale() {
    let Some(corpus) = corpus("logs_that_are_older_than_the_hive_are_stale") else {
        return;
    };
    let folder = corpus.join("hives/yarp/NewDirtyHive1");
    let mut file = read(&folder, "RecoveredHive_Windows10");
    set_sequences(&mut file, 7, 6);
    let refused = refused(open_dirty(file).recover(&logs(&folder, "NewDirtyHive")));
    assert_eq!(
        refused.log1,
        LogFault::Stale {
            expected: 6,
            actual: 2
        }
    );
    assert_eq!(
        refused.log2,
        LogFault::Stale {
            expected: 6,
            actual: 3
        }
    );
}

fn set_sequences(file: &mut [u8], primary: u32, secondary: u32) {
    file[4..8].copy_from_slice(&primary.to_le_bytes());
    file[8..12].copy_from_slice(&secondary.to_le_bytes());
    let sum = diskmend_hive::checksum(file.first_chunk().expect("long enough"));
    file[508..512].copy_from_slice(&sum.to_le_bytes());
}

#[test]
fn a_file_that_is_no_hive_stays_an_error() {
    for (file, is_short) in [(vec![0; 512], true), (vec![0x5A; 8192], false)] {
        match (open(Box::new(file)), is_short) {
            (Err(OpenError::TooShort { .. }), true) | (Err(OpenError::Corrupt(_)), false) => {}
            _ => panic!("no error, or another one"),
        }
    }
}
