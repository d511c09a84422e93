//! VHDX without a log to replay: reading, writing, damage, and the states after a crash.

mod hostile;
mod log;

use std::sync::Arc;

use diskmend_base::Guid;

use super::format::{BatEntry, FileParameters, MIB, MetadataTableEntry, RegionTableEntry};
use super::samples::{
    BAT_AT, Block, ITEMS_AT, LOG_AT, METADATA_AT, UNIT, add_item, edit_header, edit_headers,
    edit_item, edit_region_tables, edit_regions, set_entry, vhdx,
};
use crate::container::{Container, ContainerError, Format, Notice};
use crate::device::Device;
use crate::testing::Memory;
use crate::testing::recorder::{Operation, Recorder};

/// The end of the disk is inside the fourth block.
const SIZE: usize = 3 * UNIT + 1024;
const BLOCKS: &[Block] = &[
    (1, BatEntry::FULLY_PRESENT, 0x55),
    (3, BatEntry::FULLY_PRESENT, 0x66),
];

fn open(image: Vec<u8>) -> Result<Container, ContainerError> {
    Container::open(Arc::new(Memory::new(image)))
}

fn refusal(image: Vec<u8>) -> String {
    open(image).expect_err("refused").to_string()
}

fn content(disk: &Container) -> Vec<u8> {
    let mut all = vec![0xee; disk.len() as usize];
    disk.read_exact_at(&mut all, 0).expect("reads");
    all
}

/// The content of [`BLOCKS`].
fn expected() -> Vec<u8> {
    let mut all = vec![0; SIZE];
    all[UNIT..2 * UNIT].fill(0x55);
    all[3 * UNIT..].fill(0x66);
    all
}

/// Data in which no two sectors are equal.
fn pattern(len: usize) -> Vec<u8> {
    (0..len).map(|at| (at % 251) as u8 + 1).collect()
}

/// Checks that each sector has its old or its new bytes.
fn assert_old_or_new(found: &[u8], old: &[u8], new: &[u8], synced: usize) {
    if found == old || found == new {
        return;
    }
    let sectors = found.chunks(512).zip(old.chunks(512)).zip(new.chunks(512));
    for (at, ((found, old), new)) in sectors.enumerate() {
        assert!(
            found == old || found == new,
            "sector {at} after {synced} syncs"
        );
    }
}

#[test]
fn blocks_are_read_where_the_table_says() {
    let image = vhdx(SIZE, BLOCKS);
    let memory = Arc::new(Memory::new(image.clone()));
    let disk = Container::open(memory.clone()).expect("opens");
    assert_eq!(disk.format(), Format::Vhdx);
    assert_eq!(disk.format().to_string(), "VHDX");
    assert_eq!(disk.logical_sector_size(), Some(512));
    assert!(disk.notices().is_empty());
    assert!(content(&disk) == expected());
    let mut found = [9; 2];
    disk.read_exact_at(&mut found, MIB - 1).expect("reads");
    assert_eq!(found, [0, 0x55]);
    disk.read_exact_at(&mut found, SIZE as u64 - 1)
        .expect_err("outside");
    assert!(memory.bytes() == image, "reading wrote");
}

#[test]
fn blocks_in_other_states_are_zero() {
    for state in [0, 1, 2, 3] {
        // In such an entry, the offset has no meaning.
        for offset in [0, 5 << 20, 1 << 60] {
            let mut image = vhdx(SIZE, BLOCKS);
            set_entry(&mut image, 0, BatEntry(state | offset));
            let disk = open(image).expect("opens");
            assert!(content(&disk) == expected());
            disk.write_all_at(&[1], 7).expect("writes");
            let mut expected = expected();
            expected[7] = 1;
            assert!(content(&disk) == expected);
        }
    }
}

#[test]
fn entries_of_sector_bitmaps_are_skipped() {
    // The chunk ratio is 4096 blocks of 1 MiB; the entry of the sector bitmap follows them.
    let size = 4098 * UNIT;
    let mut image = vhdx(size, &[(4097, BatEntry::FULLY_PRESENT, 0x77)]);
    set_entry(&mut image, 4096, BatEntry::present(4 << 20));
    let memory = Arc::new(Memory::new(image));
    let disk = Container::open(memory.clone()).expect("opens");
    let mut found = [9; 1];
    disk.read_exact_at(&mut found, 4096 * MIB).expect("reads");
    assert_eq!(found, [0x77]);
    disk.read_exact_at(&mut found, 4095 * MIB).expect("reads");
    assert_eq!(found, [0]);
    disk.write_all_at(&[1], 4097 * MIB).expect("writes");
    let image = memory.bytes();
    let entry = &image[BAT_AT + 4098 * 8..][..8];
    assert_eq!(entry, (5_u64 << 20 | 6).to_le_bytes());
}

#[test]
fn every_kind_of_write_is_read_back() {
    for (offset, len) in [
        (0, 1),
        (UNIT - 1, 2),
        (UNIT + 5, 1000),
        (2 * UNIT, UNIT),
        (0, SIZE),
        (SIZE - 3, 3),
    ] {
        for byte in [0, 9] {
            let memory = Arc::new(Memory::new(vhdx(SIZE, BLOCKS)));
            let disk = Container::open(memory.clone()).expect("opens");
            disk.write_all_at(&vec![byte; len], offset as u64)
                .expect("writes");
            let mut expected = expected();
            expected[offset..offset + len].fill(byte);
            assert!(content(&disk) == expected, "{offset} {len} {byte}");
            let again = Container::open(memory.clone()).expect("opens");
            assert!(again.notices().is_empty());
            assert!(
                content(&again) == expected,
                "{offset} {len} {byte} after closing"
            );
            assert_eq!(memory.bytes().len() % UNIT, 0);
        }
    }
}

#[test]
fn the_first_write_changes_both_headers_and_no_later_one_does() {
    let image = vhdx(SIZE, BLOCKS);
    let memory = Arc::new(Memory::new(image.clone()));
    let disk = Container::open(memory.clone()).expect("opens");
    let headers = |image: &[u8]| image[64 << 10..192 << 10].to_vec();
    disk.write_all_at(&[1], MIB).expect("writes");
    let first = memory.bytes();
    disk.write_all_at(&[2], 0).expect("writes");
    assert!(headers(&first) == headers(&memory.bytes()));
    let numbers: Vec<u64> = [64 << 10, 128 << 10]
        .iter()
        .map(|at| u64::from_le_bytes(first[at + 8..at + 16].try_into().expect("eight")))
        .collect();
    assert_eq!(numbers, [7, 8]);
    for at in [64 << 10, 128 << 10] {
        for (guid, old) in [(16, 3), (32, 4)] {
            let guid = &first[at + guid..][..16];
            assert_ne!(guid, [old; 16]);
            assert_ne!(guid, [0; 16]);
        }
        assert_eq!(first[at + 48..at + 64], [0; 16]);
    }
    assert_eq!(first[80 << 10..128 << 10], image[80 << 10..128 << 10]);
}

#[test]
fn zeros_need_no_block_only_where_the_table_says_zero() {
    for (state, blocks) in [(2, 6), (0, 7), (1, 7), (3, 7)] {
        let mut image = vhdx(SIZE, BLOCKS);
        set_entry(&mut image, 0, BatEntry(state));
        let memory = Arc::new(Memory::new(image));
        let disk = Container::open(memory.clone()).expect("opens");
        disk.write_all_at(&vec![0; UNIT], 0).expect("writes");
        assert_eq!(memory.bytes().len(), blocks * UNIT, "state {state}");
        assert!(content(&disk) == expected());
    }
}

#[test]
fn a_new_block_is_durable_before_the_table_names_it() {
    let recorder = Arc::new(Recorder::new(vhdx(SIZE, BLOCKS)));
    let disk = Container::open(recorder.clone()).expect("opens");
    disk.write_all_at(&[1; 3], 2 * MIB + 700).expect("writes");
    disk.write_all_at(&[1; 3], MIB).expect("writes");
    let expected = [
        "write 4096 at 65536".to_owned(),
        "sync".to_owned(),
        "write 4096 at 131072".to_owned(),
        "sync".to_owned(),
        format!("length {}", 7 * UNIT),
        format!("write 3 at {}", 6 * UNIT + 700),
        "sync".to_owned(),
        format!("write 8 at {}", BAT_AT + 16),
        format!("write 3 at {}", 4 * UNIT),
    ];
    assert_eq!(recorder.steps(), expected);
}

#[test]
fn a_crash_at_any_moment_leaves_the_old_or_the_new_bytes() {
    let new = pattern(SIZE);
    let old = expected();
    for (offset, len) in [
        (100, 2000),
        (UNIT - 1000, 3000),
        (2 * UNIT, SIZE - 2 * UNIT),
    ] {
        let recorder = Arc::new(Recorder::new(vhdx(SIZE, BLOCKS)));
        let disk = Container::open(recorder.clone()).expect("opens");
        let data = &new[offset..offset + len];
        disk.write_all_at(data, offset as u64).expect("writes");
        disk.sync().expect("syncs");
        let mut after = old.clone();
        after[offset..offset + len].copy_from_slice(data);
        let syncs = recorder
            .operations()
            .iter()
            .filter(|o| matches!(o, Operation::Sync))
            .count();
        recorder.crashes(|image, synced| {
            let disk = open(image).expect("opens after a crash");
            let found = content(&disk);
            assert_old_or_new(&found, &old, &after, synced);
            assert!(synced < syncs || found == after, "synced, but not there");
            disk.write_all_at(&new[..5], 2 * MIB + 5)
                .expect("writes after a crash");
            let mut expected = found;
            expected[2 * UNIT + 5..][..5].copy_from_slice(&new[..5]);
            assert!(content(&disk) == expected, "written after a crash");
        });
    }
}

#[test]
fn a_write_that_fails_can_be_repeated() {
    let new = pattern(SIZE);
    let mut number = 0;
    loop {
        let recorder = Arc::new(Recorder::failing_at(vhdx(SIZE, BLOCKS), number));
        let disk = Container::open(recorder.clone()).expect("opens");
        let failed = disk.write_all_at(&new, 0).is_err();
        if failed {
            disk.write_all_at(&new, 0).expect("writes");
        }
        assert!(content(&disk) == new, "after operation {number} failed");
        let again = open(recorder.bytes()).expect("opens");
        assert!(
            again.notices().is_empty(),
            "after operation {number} failed"
        );
        assert!(content(&again) == new);
        if !failed {
            break;
        }
        number += 1;
    }
    assert!(number > 8);
}

#[test]
fn one_damaged_header_is_survived() {
    for slot in 0..2 {
        let mut image = vhdx(SIZE, BLOCKS);
        image[(slot + 1) * (64 << 10) + 100] ^= 1;
        let memory = Arc::new(Memory::new(image));
        let disk = Container::open(memory.clone()).expect("opens");
        assert!(matches!(disk.notices(), [Notice::HeaderDamaged(_)]));
        assert!(content(&disk) == expected());
        disk.write_all_at(&[1], 0).expect("writes");
        assert!(Container::open(memory).expect("opens").notices().is_empty());
    }
    let mut image = vhdx(SIZE, BLOCKS);
    image[64 << 10] ^= 1;
    image[128 << 10] ^= 1;
    assert!(refusal(image).contains("the VHDX header at offset 65536 is damaged"));
}

#[test]
fn the_header_with_the_greater_sequence_number_counts() {
    for slot in 0..2 {
        let mut image = vhdx(SIZE, BLOCKS);
        edit_header(&mut image, slot, |header| {
            header.sequence_number = 99.into()
        });
        edit_header(&mut image, 1 - slot, |header| header.version = 9.into());
        open(image).expect("the other header does not count");
    }
    let mut image = vhdx(SIZE, BLOCKS);
    edit_headers(&mut image, |header| header.sequence_number = 5.into());
    open(image.clone()).expect("equal headers");
    edit_header(&mut image, 0, |header| {
        header.data_write_guid = Guid([8; 16])
    });
    assert!(refusal(image).contains("the sequence number of the second VHDX header"));
    let mut image = vhdx(SIZE, BLOCKS);
    edit_header(&mut image, 0, |header| {
        header.sequence_number = u64::MAX.into()
    });
    let memory = Arc::new(Memory::new(image.clone()));
    let disk = Container::open(memory.clone()).expect("opens");
    disk.write_all_at(&[1], 0)
        .expect_err("the number cannot be raised");
    assert!(memory.bytes() == image);
}

#[test]
fn one_damaged_region_table_is_survived() {
    let mut image = vhdx(SIZE, BLOCKS);
    image[(192 << 10) + 60_000] ^= 1;
    let disk = open(image.clone()).expect("opens");
    assert!(matches!(disk.notices(), [Notice::RegionTableDamaged(_)]));
    assert!(content(&disk) == expected());
    image[256 << 10] ^= 1;
    assert!(refusal(image).contains("the checksum of the VHDX region table at offset 196612"));
}

#[test]
fn a_region_that_is_not_required_is_left_alone() {
    let mut image = vhdx(SIZE, BLOCKS);
    edit_regions(&mut image, 2, |entry| {
        entry.guid = Guid([5; 16]);
        entry.required = 0.into();
        entry.file_offset = (6 * MIB).into();
    });
    image.resize(7 * UNIT, 0x99);
    let memory = Arc::new(Memory::new(image.clone()));
    let disk = Container::open(memory.clone()).expect("opens");
    disk.write_all_at(&[1; 5], 0).expect("writes");
    assert!(memory.bytes()[6 * UNIT..7 * UNIT] == image[6 * UNIT..]);
    set_entry(&mut image, 0, BatEntry::present(6 << 20));
    let disk = open(image).expect("opens");
    disk.write_all_at(&[1], 0)
        .expect_err("the block lies on the region");
}

#[test]
fn a_sector_size_of_4096_is_reported() {
    let mut image = vhdx(3 * UNIT, BLOCKS);
    add_item(
        &mut image,
        3,
        MetadataTableEntry::LOGICAL_SECTOR_SIZE,
        &[0, 16, 0, 0],
    );
    assert_eq!(
        open(image.clone()).expect("opens").logical_sector_size(),
        Some(4096)
    );
    add_item(
        &mut image,
        1,
        MetadataTableEntry::VIRTUAL_DISK_SIZE,
        &(SIZE as u64).to_le_bytes(),
    );
    assert!(refusal(image).contains("a multiple of 4096"));
}

#[test]
fn a_file_that_was_cut_is_refused_or_read_as_far_as_it_goes() {
    let image = vhdx(SIZE, BLOCKS);
    for len in [512, 1024, 65536, 200_000, UNIT, 2 * UNIT, 4 * UNIT - 1] {
        open(image[..len].to_vec()).expect_err("cut");
    }
    let disk = open(image[..5 * UNIT].to_vec()).expect("opens");
    disk.read_exact_at(&mut [0], MIB).expect("reads");
    disk.read_exact_at(&mut [0], 3 * MIB).expect_err("cut");
    disk.write_all_at(&[1], 0).expect_err("cut");
    // The missing part belongs to no sector of the disk.
    let disk = open(image[..5 * UNIT + 1024].to_vec()).expect("opens");
    assert!(content(&disk) == expected());
    disk.write_all_at(&[1], 0).expect("writes");
    let mut expected = expected();
    expected[0] = 1;
    assert!(content(&disk) == expected);
}
