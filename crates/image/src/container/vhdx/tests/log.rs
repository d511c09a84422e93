//! VHDX with a log to replay.

use std::sync::Arc;

use diskmend_base::Guid;

use super::{BLOCKS, SIZE, assert_old_or_new, content, expected, open, pattern, refusal};
use crate::container::tests::replayed;
use crate::container::vhdx::format::{BatEntry, LogEntryHeader, MIB};
use crate::container::vhdx::samples::{
    BAT_AT, Change, LOG_AT, UNIT, edit_entry, log_entry, put_entry, sign_entry, vhdx,
};
use crate::container::{Container, Notice};
use crate::device::Device;
use crate::testing::Memory;
use crate::testing::recorder::{Operation, Recorder};

const BAT: u64 = BAT_AT as u64;

/// A table sector that makes the block at 5 MiB, the last of the sample, the first of the disk.
fn moved() -> Vec<u8> {
    let mut sector = vec![0; 4096];
    sector[..8].copy_from_slice(&BatEntry::present(5 << 20).0.to_le_bytes());
    sector[8..16].copy_from_slice(&BatEntry::present(4 << 20).0.to_le_bytes());
    sector
}

fn moved_content() -> Vec<u8> {
    let mut all = vec![0; SIZE];
    all[..UNIT].fill(0x66);
    all[UNIT..2 * UNIT].fill(0x55);
    all
}

/// A sound file of 6 MiB with a log of `entries`, which start at `at`.
fn with_log(at: usize, entries: &[Vec<u8>]) -> Vec<u8> {
    let mut image = vhdx(SIZE, BLOCKS);
    let mut at = at;
    for entry in entries {
        put_entry(&mut image, at, entry);
        at += entry.len();
    }
    image
}

fn data(number: u64, tail: usize) -> Vec<u8> {
    log_entry(number, tail, 6 * UNIT, &[Change::Data(BAT, moved())])
}

#[test]
fn the_log_is_replayed_in_memory_and_written_before_the_first_change() {
    let image = with_log(0, &[data(1, 0)]);
    let memory = Arc::new(Memory::new(image.clone()));
    let disk = Container::open(memory.clone()).expect("opens");
    let replay = replayed(&disk).expect("replayed");
    assert_eq!(
        (replay.entries, replay.sequence_number, replay.bytes),
        (1, 1, 4096)
    );
    assert!(matches!(disk.notices(), [Notice::LogReplayed(_)]));
    assert!(content(&disk) == moved_content());
    assert!(memory.bytes() == image, "opening wrote");
    disk.write_all_at(&[1], 0).expect("writes");
    let mut expected = moved_content();
    expected[0] = 1;
    assert!(content(&disk) == expected);
    let again = Container::open(memory.clone()).expect("opens");
    assert_eq!(replayed(&again), None);
    assert!(content(&again) == expected);
    for at in [64 << 10, 128 << 10] {
        assert_eq!(
            memory.bytes()[at + 48..at + 64],
            [0; 16],
            "the log is still in force"
        );
    }
}

#[test]
fn entries_are_replayed_from_the_tail_to_the_head_in_order() {
    // The first entry was applied long ago and must not be replayed.
    let old = log_entry(7, 0, 6 * UNIT, &[Change::Data(BAT + 4096, vec![9; 4096])]);
    let second = log_entry(8, old.len(), 6 * UNIT, &[Change::Data(BAT, moved())]);
    let third = log_entry(
        9,
        old.len(),
        6 * UNIT,
        &[Change::Zero(BAT, 8192), Change::Data(BAT, moved())],
    );
    let disk = open(with_log(0, &[old, second, third])).expect("opens");
    let replay = replayed(&disk).expect("replayed");
    assert_eq!(
        (replay.entries, replay.sequence_number, replay.bytes),
        (2, 9, 4096 + 8192)
    );
    assert!(content(&disk) == moved_content());
}

#[test]
fn a_sequence_may_wrap_around_the_end_of_the_log() {
    for at in [UNIT - 4096, UNIT - 8192, UNIT - 2 * 8192, 4096 * 7] {
        let zero = log_entry(5, at, 6 * UNIT, &[Change::Zero(BAT, 4096)]);
        let image = with_log(at, &[zero, data(6, at), log_entry(7, at, 6 * UNIT, &[])]);
        let disk = open(image).expect("opens");
        assert_eq!(replayed(&disk).expect("replayed").entries, 3, "{at}");
        assert!(content(&disk) == moved_content());
    }
}

#[test]
fn an_entry_that_was_not_written_in_full_is_not_replayed() {
    let zero = log_entry(2, 0, 6 * UNIT, &[Change::Zero(BAT, 4096)]);
    let cases: &[fn(&mut Vec<u8>)] = &[
        |entry| entry[4000] ^= 1,
        |entry| entry.truncate(80),
        |entry| edit_entry(entry, |header| header.log_guid = Guid([9; 16])),
        |entry| edit_entry(entry, |header| header.sequence_number = 3.into()),
        |entry| edit_entry(entry, |header| header.sequence_number = 1.into()),
        |entry| edit_entry(entry, |header| header.signature = *b"logf"),
        |entry| edit_entry(entry, |header| header.descriptor_count = 2.into()),
        |entry| edit_entry(entry, |header| header.descriptor_count = u32::MAX.into()),
        |entry| edit_entry(entry, |header| header.tail = 5.into()),
        |entry| edit_entry(entry, |header| header.tail = (1 << 20).into()),
        |entry| edit_entry(entry, |header| header.entry_length = 0.into()),
        |entry| edit_entry(entry, |header| header.entry_length = 4095.into()),
        |entry| edit_entry(entry, |header| header.entry_length = 0xffff_f000.into()),
        |entry| {
            entry[64] = b'x';
            sign_entry(entry);
        },
        |entry| {
            entry[64 + 8] = 1; // length of the zeros
            sign_entry(entry);
        },
        |entry| {
            entry[64 + 16] = 1; // offset
            sign_entry(entry);
        },
        |entry| {
            entry[64 + 24] = 9; // sequence number
            sign_entry(entry);
        },
    ];
    for (index, damage) in cases.iter().enumerate() {
        let mut second = zero.clone();
        damage(&mut second);
        let disk = open(with_log(0, &[data(1, 0), second])).expect("opens");
        assert_eq!(replayed(&disk).expect("replayed").entries, 1, "{index}");
        assert!(content(&disk) == moved_content(), "{index}");
    }
}

#[test]
fn a_damaged_data_sector_makes_its_entry_invalid() {
    for at in [4096, 4096 + 4, 8188] {
        let mut entry = data(1, 0);
        entry[at] ^= 1;
        sign_entry(&mut entry);
        let refusal = refusal(with_log(0, &[entry]));
        assert!(
            refusal.contains("no complete sequence of entries"),
            "{refusal}"
        );
    }
}

#[test]
fn a_log_that_cannot_be_replayed_is_refused() {
    let damaged = |damage: fn(&mut LogEntryHeader)| {
        let mut entry = data(1, 0);
        edit_entry(&mut entry, damage);
        refusal(with_log(0, &[entry]))
    };
    let cases = [
        (
            damaged(|header| header.sequence_number = 0.into()),
            "no complete sequence",
        ),
        (
            damaged(|header| header.tail = 8192.into()),
            "no complete sequence",
        ),
        (
            damaged(|header| header.flushed_file_offset = (7 * MIB).into()),
            "the file was cut: it has 6291456 bytes, and had at least 7340032",
        ),
        (
            damaged(|header| header.last_file_offset = u64::MAX.into()),
            "it would lengthen the file to 18446744073709551615 bytes",
        ),
    ];
    for (index, (refusal, message)) in cases.iter().enumerate() {
        assert!(refusal.contains(message), "{index}: {refusal}");
    }
    let targets = [
        (0, "where the headers or the log itself are"),
        (64 << 10, "where the headers or the log itself are"),
        (128 << 10, "where the headers or the log itself are"),
        (
            LOG_AT as u64 + 4096,
            "where the headers or the log itself are",
        ),
        (!4095, "out of all reason"),
        (1 << 60, "out of all reason"),
    ];
    for (at, message) in targets {
        let data = log_entry(1, 0, 6 * UNIT, &[Change::Data(at, vec![0; 4096])]);
        let zero = log_entry(1, 0, 6 * UNIT, &[Change::Zero(at, 4096)]);
        for entry in [data, zero] {
            let refusal = refusal(with_log(0, &[entry]));
            assert!(refusal.contains(message), "{at}: {refusal}");
        }
    }
    let zero = log_entry(1, 0, 6 * UNIT, &[Change::Zero(2 * MIB, 2 << 30)]);
    assert!(refusal(with_log(0, &[zero])).contains("it would change 2147483648 bytes"));
    let zero = log_entry(1, 0, 6 * UNIT, &[Change::Zero(192 << 10, MIB)]);
    assert!(refusal(with_log(0, &[zero])).contains("where the headers or the log itself are"));
}

/// A log once lengthened an image of 6 MiB to a sparse file of 64 TiB: by a byte that it writes, by
/// zeros, or by its header.
#[test]
fn a_log_lengthens_the_file_by_no_more_than_the_disk_needs() {
    // Five regions, structures up to 3 MiB, the blocks, and one more block.
    let most = |len: u64| {
        let mut entry = log_entry(1, 0, 6 * UNIT, &[Change::Data(BAT, moved())]);
        edit_entry(&mut entry, |header| header.last_file_offset = len.into());
        open(with_log(0, &[entry])).map(drop)
    };
    let needed = (6..64).take_while(|mib| most(mib * MIB).is_ok()).last();
    let needed = needed.expect("its own length") * MIB;
    let blocks = (SIZE as u64).div_ceil(MIB) + 1;
    assert!((7 * MIB..=(6 + blocks) * MIB).contains(&needed), "{needed}");
    for far in [needed + MIB, 1 << 30, 1 << 40, 64 << 40, 127 << 40] {
        let written = log_entry(1, 0, 6 * UNIT, &[Change::Data(far, vec![0; 4096])]);
        let zero = log_entry(1, 0, 6 * UNIT, &[Change::Zero(far, 4096)]);
        let mut said = log_entry(1, 0, 6 * UNIT, &[Change::Data(BAT, moved())]);
        edit_entry(&mut said, |header| header.last_file_offset = far.into());
        for entry in [written, zero, said] {
            let refusal = refusal(with_log(0, &[entry]));
            let words = format!("it would lengthen the file to {far}");
            let len = refusal.contains(&words) || refusal.contains(&format!("to {}", far + 4096));
            assert!(len && refusal.contains("at most"), "{far}: {refusal}");
        }
    }
}

#[test]
fn a_log_may_lengthen_the_file() {
    let mut sector = moved();
    sector[..8].copy_from_slice(&BatEntry::present(7 << 20).0.to_le_bytes());
    let changes = [
        Change::Data(BAT, sector),
        Change::Data(7 * MIB, vec![8; 4096]),
    ];
    let mut entry = log_entry(1, 0, 6 * UNIT, &changes);
    edit_entry(&mut entry, |header| {
        header.last_file_offset = (8 * MIB).into()
    });
    let memory = Arc::new(Memory::new(with_log(0, &[entry])));
    let disk = Container::open(memory.clone()).expect("opens");
    let mut expected = vec![0; SIZE];
    expected[..4096].fill(8);
    expected[UNIT..2 * UNIT].fill(0x55);
    assert!(content(&disk) == expected);
    disk.write_all_at(&[1], 2 * MIB).expect("writes");
    expected[2 * UNIT] = 1;
    assert!(content(&Container::open(memory.clone()).expect("opens")) == expected);
    assert_eq!(memory.bytes().len(), 9 * UNIT);
}

#[test]
fn region_tables_and_metadata_may_come_from_the_log() {
    let sound = with_log(0, &[data(1, 0)]);
    let changes: Vec<Change> = [192 << 10, 256 << 10, 3 << 20]
        .into_iter()
        .map(|at| Change::Data(at as u64, sound[at..at + 4096].to_vec()))
        .collect();
    let mut image = with_log(0, &[log_entry(1, 0, 6 * UNIT, &changes)]);
    for at in [192 << 10, 256 << 10, 3 << 20] {
        image[at..at + 4096].fill(0xdd);
    }
    let disk = open(image).expect("opens");
    assert!(content(&disk) == expected());
}

#[test]
fn a_crash_while_the_log_is_written_to_its_places_leaves_it_in_force_or_done() {
    let changes = [Change::Data(BAT, moved()), Change::Zero(BAT + 4096, 8192)];
    let mut entry = log_entry(1, 0, 6 * UNIT, &changes);
    edit_entry(&mut entry, |header| {
        header.last_file_offset = (7 * MIB).into()
    });
    let recorder = Arc::new(Recorder::new(with_log(UNIT - 4096, &[entry.clone()])));
    Container::open(recorder).expect_err("the tail is elsewhere");
    edit_entry(&mut entry, |header| {
        header.tail = (UNIT as u32 - 4096).into()
    });
    let recorder = Arc::new(Recorder::new(with_log(UNIT - 4096, &[entry])));
    let disk = Container::open(recorder.clone()).expect("opens");
    let new = pattern(3000);
    let offset = 2 * UNIT - 1000;
    disk.write_all_at(&new, offset as u64).expect("writes");
    disk.sync().expect("syncs");
    let old = moved_content();
    let mut after = old.clone();
    after[offset..offset + new.len()].copy_from_slice(&new);
    let syncs = recorder
        .operations()
        .iter()
        .filter(|o| matches!(o, Operation::Sync))
        .count();
    assert_eq!(syncs, 2 + 1 + 2 + 1 + 1);
    recorder.crashes(|image, synced| {
        let disk = open(image).expect("opens after a crash");
        let found = content(&disk);
        assert_old_or_new(&found, &old, &after, synced);
        assert!(synced < syncs || found == after, "synced, but not there");
        disk.write_all_at(&new, offset as u64)
            .expect("writes after a crash");
        assert!(content(&disk) == after, "written after a crash");
    });
}

#[test]
fn a_write_that_fails_while_the_log_is_written_can_be_repeated() {
    let mut number = 0;
    loop {
        let image = with_log(0, &[data(1, 0)]);
        let recorder = Arc::new(Recorder::failing_at(image, number));
        let disk = Container::open(recorder.clone()).expect("opens");
        let failed = disk.write_all_at(&[7; 9], 2 * MIB - 5).is_err();
        assert!(content(&disk)[..UNIT] == moved_content()[..UNIT]);
        if failed {
            disk.write_all_at(&[7; 9], 2 * MIB - 5).expect("writes");
        }
        let mut expected = moved_content();
        expected[2 * UNIT - 5..][..9].fill(7);
        assert!(
            content(&disk) == expected,
            "after operation {number} failed"
        );
        let again = open(recorder.bytes()).expect("opens");
        assert_eq!(replayed(&again), None);
        assert!(content(&again) == expected);
        if !failed {
            break;
        }
        number += 1;
    }
    assert!(number > 10);
}

#[test]
fn a_log_full_of_overlapping_entries_is_given_up() {
    // Each entry is as long as the log, and none has the right checksum.
    let mut image = with_log(0, &[data(1, 0)]);
    let mut entry = data(1, 0);
    edit_entry(&mut entry, |header| {
        header.entry_length = (UNIT as u32).into()
    });
    for at in (0..UNIT).step_by(4096) {
        put_entry(&mut image, at, &entry[..4096]);
    }
    assert!(refusal(image).contains("its entries overlap too often"));
}
