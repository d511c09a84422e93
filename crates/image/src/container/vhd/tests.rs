//! Fixed and dynamic VHDs: reading, refusals, and the states after a crash.

mod hostile;

use std::sync::Arc;

use super::samples::{
    self, Block, HEADER_AT, TABLE_AT, dynamic, edit_footer, edit_footers, edit_header,
};
use crate::container::{Container, ContainerError, Format, Notice};
use crate::device::Device;
use crate::testing::Memory;
use crate::testing::recorder::{Operation, Recorder};

const BLOCK: usize = 4096;
/// The end of the disk is inside the fourth block.
const SIZE: usize = 3 * BLOCK + 1024;
/// Sectors 0, 2, 4 and 6 of the second block were written.
const BLOCKS: &[Block] = &[(1, 0b1010_1010, 0x55), (3, 0xff, 0x66)];

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
    for sector in [0, 2, 4, 6] {
        all[BLOCK + sector * 512..][..512].fill(0x55);
    }
    all[3 * BLOCK..].fill(0x66);
    all
}

#[test]
fn a_fixed_disk_is_all_but_the_footer() {
    let disk = open(samples::fixed(&[7; 2048])).expect("opens");
    assert_eq!(disk.format(), Format::VhdFixed);
    assert_eq!(disk.logical_sector_size(), Some(512));
    assert_eq!(content(&disk), [7; 2048]);
    disk.write_all_at(&[8; 48], 2000).expect("inside");
    disk.write_all_at(&[8; 49], 2000)
        .expect_err("into the footer");
    disk.read_exact_at(&mut [0; 49], 2000)
        .expect_err("into the footer");
}

#[test]
fn a_fixed_disk_that_starts_like_another_format_is_still_one() {
    let mut data = vec![0; 2048];
    data[..4].copy_from_slice(b"QFI\xfb");
    let disk = open(samples::fixed(&data)).expect("opens");
    assert_eq!(disk.format(), Format::VhdFixed);
}

#[test]
fn a_footer_of_511_bytes_is_refused_by_name() {
    let mut image = samples::fixed(&[7; 2048]);
    image.pop();
    let refusal = refusal(image);
    assert!(
        refusal.contains("Virtual PC wrote it before 2004")
            && refusal.ends_with("`qemu-img convert -f vpc -O raw IN OUT`"),
        "{refusal}"
    );
}

#[test]
fn sectors_that_were_never_written_are_zero() {
    let disk = open(dynamic(SIZE, BLOCK, BLOCKS)).expect("opens");
    assert_eq!(disk.format(), Format::VhdDynamic);
    assert!(disk.notices().is_empty());
    let expected = expected();
    assert_eq!(content(&disk), expected);
    for (offset, len) in [
        (BLOCK - 1, 2),
        (BLOCK + 511, 2),
        (BLOCK + 3, 5000),
        (SIZE - 1, 1),
    ] {
        let mut found = vec![0xee; len];
        disk.read_exact_at(&mut found, offset as u64)
            .expect("reads");
        assert_eq!(found, expected[offset..offset + len], "{offset} {len}");
    }
    disk.read_exact_at(&mut [0], SIZE as u64)
        .expect_err("outside");
}

#[test]
fn every_kind_of_write_is_read_back() {
    let cases: &[(usize, usize)] = &[
        (0, 1),
        (511, 2),
        (BLOCK - 1, 2),
        (BLOCK + 500, 600),
        (BLOCK + 512, 512),
        (BLOCK + 100, 3000),
        (0, SIZE),
        (2 * BLOCK + 5, 10),
        (SIZE - 3, 3),
    ];
    for (offset, len) in cases {
        for byte in [0, 9] {
            let memory = Arc::new(Memory::new(dynamic(SIZE, BLOCK, BLOCKS)));
            let disk = Container::open(memory.clone()).expect("opens");
            disk.write_all_at(&vec![byte; *len], *offset as u64)
                .expect("writes");
            let mut expected = expected();
            expected[*offset..offset + len].fill(byte);
            assert_eq!(content(&disk), expected, "{offset} {len} {byte}");
            let again = Container::open(memory.clone()).expect("opens");
            assert!(again.notices().is_empty());
            assert_eq!(
                content(&again),
                expected,
                "{offset} {len} {byte} after closing"
            );
        }
    }
}

#[test]
fn zeros_need_no_block() {
    let image = dynamic(SIZE, BLOCK, BLOCKS);
    let memory = Arc::new(Memory::new(image.clone()));
    let disk = Container::open(memory.clone()).expect("opens");
    disk.write_all_at(&[0; BLOCK], 0).expect("writes");
    disk.write_all_at(&[0; 512], (BLOCK + 512) as u64)
        .expect("writes");
    assert!(memory.bytes() == image);
}

#[test]
fn a_new_block_is_durable_before_the_table_names_it() {
    let image = dynamic(SIZE, BLOCK, BLOCKS);
    let footer = image.len() - 512;
    let recorder = Arc::new(Recorder::new(image));
    let disk = Container::open(recorder.clone()).expect("opens");
    disk.write_all_at(&[1; 3], 700).expect("writes");
    let expected = [
        format!("length {}", footer + 512 + BLOCK + 512),
        format!("write 512 at {}", footer + 512 + BLOCK),
        "sync".to_owned(),
        format!("write 512 at {footer}"),
        format!("write 3 at {}", footer + 512 + 700),
        "sync".to_owned(),
        format!("write 4 at {TABLE_AT}"),
    ];
    assert_eq!(recorder.steps(), expected);
}

#[test]
fn a_crash_at_any_moment_leaves_the_old_or_the_new_bytes() {
    let new: Vec<u8> = (0..SIZE).map(|at| (at % 251) as u8 + 1).collect();
    for (offset, len) in [
        (0, BLOCK),
        (700, 200),
        (0, SIZE),
        (BLOCK + 700, 2000),
        (2 * BLOCK, 512),
    ] {
        let recorder = Arc::new(Recorder::new(dynamic(SIZE, BLOCK, BLOCKS)));
        let disk = Container::open(recorder.clone()).expect("opens");
        let data = &new[offset..offset + len];
        disk.write_all_at(data, offset as u64).expect("writes");
        disk.sync().expect("syncs");
        let old = expected();
        let mut after = old.clone();
        after[offset..offset + len].copy_from_slice(data);
        assert_eq!(content(&disk), after);
        let syncs = recorder
            .operations()
            .iter()
            .filter(|o| matches!(o, Operation::Sync))
            .count();
        recorder.crashes(|image, synced| {
            let disk = open(image).expect("opens after a crash");
            let found = content(&disk);
            let sectors = found
                .chunks(512)
                .zip(old.chunks(512))
                .zip(after.chunks(512));
            for (at, ((found, old), new)) in sectors.enumerate() {
                assert!(
                    found == old || found == new,
                    "sector {at} after {synced} syncs"
                );
            }
            assert!(synced < syncs || found == after, "synced, but not there");
            disk.write_all_at(&new, 0).expect("writes after a crash");
            assert!(content(&disk) == new, "written after a crash");
        });
    }
}

#[test]
fn a_write_that_fails_can_be_repeated() {
    let new: Vec<u8> = (0..SIZE).map(|at| (at % 251) as u8 + 1).collect();
    let mut number = 0;
    loop {
        let recorder = Recorder::failing_at(dynamic(SIZE, BLOCK, BLOCKS), number);
        let recorder = Arc::new(recorder);
        let disk = Container::open(recorder.clone()).expect("opens");
        let first = disk.write_all_at(&new, 0);
        let failed = first.is_err();
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
    assert!(number > 5);
}

#[test]
fn a_damaged_footer_is_replaced_by_its_copy_and_written_before_the_first_change() {
    let image = dynamic(SIZE, BLOCK, BLOCKS);
    let last = image.len() - 512;
    for at in [last, 0] {
        for byte in [0, 70, 511] {
            let mut image = image.clone();
            image[at + byte] ^= 0xff;
            let memory = Arc::new(Memory::new(image.clone()));
            let disk = Container::open(memory.clone()).expect("opens");
            match disk.notices() {
                [Notice::FooterDamaged(_)] => assert_eq!(at, last),
                [Notice::FooterCopyDamaged(_)] => assert_eq!(at, 0),
                other => panic!("{other:?}"),
            }
            assert_eq!(content(&disk), expected());
            assert!(memory.bytes() == image, "opening wrote");
            disk.write_all_at(&[1], 0).expect("writes");
            let again = Container::open(memory).expect("opens");
            assert!(again.notices().is_empty());
            let mut expected = expected();
            expected[0] = 1;
            assert_eq!(content(&again), expected);
        }
    }
    let mut image = image.clone();
    image[last] ^= 1;
    image[0] ^= 1;
    assert!(refusal(image.clone()).contains("expected a footer there or its copy"));
    image[last] ^= 1;
    image[last + 9] ^= 1;
    image[0] ^= 1;
    image[9] ^= 1;
    assert!(refusal(image).contains("checksum"));
}

#[test]
fn a_file_whose_end_was_cut_is_read_but_not_written() {
    let mut image = dynamic(SIZE, BLOCK, BLOCKS);
    image.truncate(image.len() - 1024);
    let disk = open(image).expect("opens");
    let mut part = [0; BLOCK];
    disk.read_exact_at(&mut part, BLOCK as u64).expect("reads");
    disk.read_exact_at(&mut part[..1], SIZE as u64 - 1)
        .expect_err("cut");
    let error = disk.write_all_at(&[1], 0).expect_err("refused");
    assert!(
        error
            .to_string()
            .contains("an entry of the VHD block allocation table at offset 1548")
    );
}

#[test]
fn a_file_of_an_odd_length_is_read_but_not_written() {
    let mut image = dynamic(SIZE, BLOCK, BLOCKS);
    let footer = image.split_off(image.len() - 512);
    image.push(0);
    image.extend(footer);
    let disk = open(image).expect("opens");
    assert_eq!(content(&disk), expected());
    let told = disk.check_writable().expect_err("told before").to_string();
    let error = disk.write_all_at(&[1], 0).expect_err("refused").to_string();
    for error in [told, error] {
        assert!(
            error.ends_with("`qemu-img convert -f vpc -O raw IN OUT`"),
            "{error}"
        );
    }
}

#[test]
fn a_disk_with_a_saved_state_is_not_written() {
    let mut grown = dynamic(SIZE, BLOCK, BLOCKS);
    edit_footers(&mut grown, |footer| footer.saved_state = 1);
    let mut fixed = samples::fixed(&expected());
    edit_footer(&mut fixed, SIZE, |footer| footer.saved_state = 1);
    for image in [grown, fixed] {
        let memory = Arc::new(Memory::new(image.clone()));
        let disk = Container::open(memory.clone()).expect("opens");
        assert_eq!(content(&disk), expected());
        let told = disk.check_writable().expect_err("told before").to_string();
        let error = disk.write_all_at(&[1], 0).expect_err("refused");
        for error in [told, error.to_string()] {
            assert!(error.contains("suspended virtual machine"), "{error}");
        }
        assert!(memory.bytes() == image);
    }
}
