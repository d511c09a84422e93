//! What the state of the volume of Windows tells.

use diskmend_disk::testing::FaultyDisk;
use diskmend_disk::{Encryption, Journal, JournalContent, VolumeState};

use super::diagnosis::diagnose_at;
use super::diagnosis::disk::disk;
use super::support::site;
use crate::documents::DiagnoseReport;
use crate::facts::{BitLocker, BitLockerState};
use crate::site::Site;
use crate::testing::evtx::{Closed, LogWriter, Record};

const GIB: u64 = 1 << 30;
const BITLOCKER: &str = "Microsoft-Windows-BitLocker/BitLocker Management";

/// A disk whose volume is in this state.
fn on(disk: &FaultyDisk, state: VolumeState) -> Site {
    let mut site = site(disk);
    site.volume_state = Box::new(move || state.clone());
    site
}

fn diagnose(disk: &FaultyDisk, state: VolumeState) -> DiagnoseReport {
    diagnose_at(&on(disk, state))
}

/// A disk for each rule about volumes.
pub(super) fn cases() -> Vec<(&'static str, Site)> {
    let checked = disk(&[]);
    put(&checked, "Application", &check_of_disk());
    let (resumed, unsealed) = (disk(&[]), disk(&[]));
    let resume = Record::new("Microsoft-Windows-Kernel-Boot", 16, "2026-05-01T12:00:00Z");
    let resume = resume.field("FailureStatus", "3221225524");
    put(&resumed, "System", &resume);
    put(&unsealed, BITLOCKER, &protector(776));
    vec![
        ("volume-full", on(&disk(&[]), with_free(120 << 20))),
        ("volume-checked-at-every-start", on(&checked, dirty())),
        ("resume-fails", on(&resumed, dirty())),
        ("bitlocker-keys-changed", on(&unsealed, unlocked())),
    ]
}

fn check_of_disk() -> Record {
    Record::new("Microsoft-Windows-Wininit", 1001, "2026-05-01T12:00:00Z")
}

fn protector(id: u16) -> Record {
    let record = Record::new(
        "Microsoft-Windows-BitLocker-API",
        id,
        "2026-05-01T12:00:00Z",
    );
    record.field("VolumeMountPoint", "C:")
}

/// A volume that was encrypted.
fn unlocked() -> VolumeState {
    VolumeState {
        encryption: Some(Encryption::Unlocked),
        ..with_free(GIB)
    }
}

fn pending() -> Journal {
    Journal {
        content: JournalContent::Pending,
        version: Some((2, 0)),
        records: Some(12),
        since_checkpoint: Some(3),
        oldest_lsn: Some(0x1000),
        problem: Some("the volume was not dismounted".to_owned()),
    }
}

/// The volume of a machine that was switched off.
fn dirty() -> VolumeState {
    VolumeState {
        dirty: Some(true),
        journal: Some(pending()),
        hibernated: Some(true),
        ..with_free(GIB)
    }
}

fn causes(found: &DiagnoseReport) -> Vec<&str> {
    found
        .causes
        .iter()
        .map(|cause| cause.name.as_str())
        .collect()
}

/// A log with one event.
fn put(disk: &FaultyDisk, channel: &str, record: &Record) {
    let mut log = LogWriter::new(channel);
    log.add(record);
    let name = channel.replace('/', "%4");
    let path = format!("Windows/System32/winevt/Logs/{name}.evtx");
    disk.put(&path, log.finish(Closed::Dirty(1)));
}

fn with_free(free: u64) -> VolumeState {
    VolumeState {
        len: Some(127 * GIB),
        free: Some(free),
        ..VolumeState::default()
    }
}

#[test]
fn a_full_volume_is_worth_a_look_and_more_with_an_event() {
    let target = disk(&[]);
    assert_eq!(causes(&diagnose(&target, with_free(GIB))), [""; 0]);
    let found = diagnose(&target, with_free(120 << 20));
    assert_eq!(causes(&found), ["volume-full"]);
    assert_eq!(found.causes[0].score, 30);
    assert_eq!(
        found.causes[0].evidence[0].seen[0].found,
        "120 MiB of 130048 MiB are free"
    );
    put(
        &target,
        "System",
        &Record::new("volmgr", 161, "2026-05-01T12:00:00Z"),
    );
    let found = diagnose(&target, with_free(120 << 20));
    assert_eq!(
        (causes(&found), found.causes[0].score),
        (vec!["volume-full"], 55)
    );
    // With room on the volume, the event tells that there is no dump, and nothing about the volume.
    let found = diagnose(&target, with_free(GIB));
    assert_eq!(causes(&found), ["crash-dump-not-written"]);
}

/// Every machine that was switched off has such a volume.
#[test]
fn a_dirty_volume_counts_only_with_checks_of_the_disk() {
    let target = disk(&[]);
    assert_eq!(causes(&diagnose(&target, dirty())), [""; 0]);
    put(&target, "Application", &check_of_disk());
    let found = diagnose(&target, dirty());
    assert_eq!(causes(&found), ["volume-checked-at-every-start"]);
    let clean = VolumeState {
        dirty: Some(false),
        ..with_free(GIB)
    };
    assert_eq!(causes(&diagnose(&target, clean)), [""; 0]);
    // A mount doesn't tell.
    let found = diagnose(&target, with_free(GIB));
    assert_eq!(causes(&found), [""; 0]);
    let unread = found.unread.join("\n");
    assert!(
        unread.contains("does not tell whether it is marked as dirty"),
        "{unread}"
    );
}

#[test]
fn the_identity_names_the_volume_and_its_encryption() {
    let state = VolumeState {
        dirty: Some(true),
        journal: Some(pending()),
        encryption: Some(Encryption::Unlocked),
        locked: vec!["partition 4".to_owned()],
        ..with_free(GIB)
    };
    let found = diagnose(&disk(&[]), state);
    let volume = found.identity.volume.expect("known");
    assert_eq!((volume.bytes, volume.free), (Some(127 * GIB), Some(GIB)));
    assert_eq!(volume.dirty, Some(true));
    assert_eq!(volume.journal_closed, Some(false));
    let wanted = BitLocker {
        volume: Some(BitLockerState::Unlocked),
        locked: vec!["partition 4".to_owned()],
    };
    assert_eq!(found.identity.bitlocker, Some(wanted));
    let found = diagnose(&disk(&[]), VolumeState::default());
    assert_eq!(
        (found.identity.volume, found.identity.bitlocker),
        (None, None)
    );
}

/// What can't be read is said, and no fault.
#[test]
fn a_bitmap_that_can_not_be_read_says_nothing() {
    let state = VolumeState {
        len: Some(GIB),
        unread: vec!["the free space: $Bitmap is damaged".to_owned()],
        ..VolumeState::default()
    };
    let found = diagnose(&disk(&[]), state);
    assert_eq!(causes(&found), [""; 0]);
    assert!(
        found
            .unread
            .iter()
            .any(|why| why.contains("$Bitmap is damaged"))
    );
}

/// A volume that is not hibernated, or not encrypted, makes nothing of these events; nor does a key
/// that was replaced.
#[test]
fn a_failed_resume_and_a_removed_key_count_only_with_what_is_still_so() {
    let target = disk(&[]);
    put(
        &target,
        "System",
        &Record::new("Microsoft-Windows-Kernel-Boot", 16, "2026-05-01T12:00:00Z"),
    );
    let awake = VolumeState {
        hibernated: Some(false),
        ..with_free(GIB)
    };
    assert_eq!(causes(&diagnose(&target, awake)), [""; 0]);
    assert_eq!(causes(&diagnose(&target, dirty())), ["resume-fails"]);
    let target = disk(&[]);
    put(&target, BITLOCKER, &protector(776));
    assert_eq!(causes(&diagnose(&target, with_free(GIB))), [""; 0]);
    let found = diagnose(&target, unlocked());
    assert_eq!(causes(&found), ["bitlocker-keys-changed"]);
    let mut log = LogWriter::new(BITLOCKER);
    log.add(&protector(776));
    log.add(&protector(775));
    target.put(
        "Windows/System32/winevt/Logs/Microsoft-Windows-BitLocker%4BitLocker Management.evtx",
        log.finish(Closed::Dirty(1)),
    );
    assert_eq!(causes(&diagnose(&target, unlocked())), [""; 0]);
}
