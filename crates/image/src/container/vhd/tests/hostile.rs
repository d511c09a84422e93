//! VHDs that violate the format, or that need their parent.

use super::*;
use crate::container::vhd::format::{DynamicHeader, Footer};

#[test]
fn a_fixed_disk_of_another_size_than_its_footer_says_is_refused() {
    for size in [0, 1536, 2560, u64::MAX - 511] {
        let mut image = samples::fixed(&[7; 2048]);
        edit_footer(&mut image, 2048, |footer| footer.current_size = size.into());
        let refusal = refusal(image);
        let expected = format!(
            "the current size of the VHD footer at offset 2096 is damaged: expected 2048, as the \
             file has 2560 bytes with the footer, found {size}"
        );
        assert_eq!(refusal, expected);
    }
}

#[test]
fn a_damaged_or_unknown_footer_of_a_fixed_disk_is_refused() {
    let mut image = samples::fixed(&[7; 2048]);
    image[2048 + 100] ^= 1;
    assert!(refusal(image).contains("the checksum of the VHD footer at offset 2112 is damaged"));
    let mut image = samples::fixed(&[7; 2048]);
    edit_footer(&mut image, 2048, |footer| {
        footer.file_format_version = 0x2_0000.into()
    });
    assert!(refusal(image).contains("the version of the VHD footer at offset 2060"));
    for disk_type in [0, 1, 5, 6, u32::MAX] {
        let mut image = samples::fixed(&[7; 2048]);
        edit_footer(&mut image, 2048, |footer| {
            footer.disk_type = disk_type.into()
        });
        let refusal = refusal(image);
        assert!(
            refusal.contains("the disk type of the VHD footer at offset 2108"),
            "{refusal}"
        );
    }
    let mut image = samples::fixed(&[7; 2048]);
    edit_footer(&mut image, 2048, |footer| footer.current_size = 2047.into());
    assert!(refusal(image).contains("a multiple of 512, found 2047"));
}

#[test]
fn footers_that_disagree_are_refused() {
    let at = dynamic(SIZE, BLOCK, BLOCKS).len() - 512;
    let changes: &[fn(&mut Footer)] = &[
        |footer| footer.current_size = 512.into(),
        |footer| footer.disk_type = 4.into(),
        |footer| footer.data_offset = 1024.into(),
        |footer| footer.unique_id = [8; 16],
    ];
    for change in changes {
        let mut image = dynamic(SIZE, BLOCK, BLOCKS);
        edit_footer(&mut image, at, change);
        assert!(refusal(image).contains("the copy of the VHD footer"));
    }
    let mut image = dynamic(SIZE, BLOCK, BLOCKS);
    edit_footer(&mut image, at, |footer| footer.time_stamp = 9.into());
    open(image).expect("only the dates differ");
}

#[test]
fn a_differencing_disk_is_refused_by_the_name_of_its_parent() {
    let mut image = dynamic(SIZE, BLOCK, BLOCKS);
    edit_footers(&mut image, |footer| footer.disk_type = 4.into());
    edit_header(&mut image, |header| {
        for (unit, c) in header
            .parent_unicode_name
            .iter_mut()
            .zip("böse\u{7}.vhd".encode_utf16())
        {
            *unit = c.into();
        }
    });
    let refusal = refusal(image);
    assert!(
        refusal.starts_with("this is a differencing VHD of the parent \"böse<U+0007>.vhd\""),
        "{refusal}"
    );
}

#[test]
fn a_hostile_data_offset_is_refused() {
    for offset in [0, 511, 513, 1 << 40, u64::MAX, u64::MAX - 511] {
        let mut image = dynamic(SIZE, BLOCK, BLOCKS);
        edit_footers(&mut image, |footer| footer.data_offset = offset.into());
        assert!(refusal(image).contains("the data offset of the VHD footer at offset 16"));
    }
}

#[test]
fn hostile_dynamic_headers_are_refused() {
    type Edit = fn(&mut DynamicHeader);
    let cases: &[(Edit, &str)] = &[
        (
            |header| header.cookie[0] = 0,
            "the VHD dynamic disk header at offset 512",
        ),
        (
            |header| header.header_version = 0x2_0000.into(),
            "the version of the VHD dynamic disk header",
        ),
        (|header| header.block_size = 0.into(), "the block size"),
        (|header| header.block_size = 512.into(), "the block size"),
        (|header| header.block_size = 5000.into(), "the block size"),
        (
            |header| header.block_size = 0x8000_0000.into(),
            "the block size",
        ),
        (
            |header| header.block_size = u32::MAX.into(),
            "the block size",
        ),
        (
            |header| header.max_table_entries = 3.into(),
            "the number of table entries",
        ),
        (
            |header| header.max_table_entries = 0.into(),
            "the number of table entries",
        ),
        (
            |header| header.max_table_entries = u32::MAX.into(),
            "the table offset",
        ),
        (|header| header.table_offset = 0.into(), "the table offset"),
        (
            |header| header.table_offset = 1024.into(),
            "the table offset",
        ),
        (
            |header| header.table_offset = 1537.into(),
            "the table offset",
        ),
        (
            |header| header.table_offset = u64::MAX.into(),
            "the table offset",
        ),
        (
            |header| header.table_offset = (u64::MAX - 511).into(),
            "the table offset",
        ),
    ];
    for (index, (change, message)) in cases.iter().enumerate() {
        let mut image = dynamic(SIZE, BLOCK, BLOCKS);
        edit_header(&mut image, change);
        let refusal = refusal(image);
        assert!(refusal.contains(message), "{index}: {refusal}");
    }
    let mut image = dynamic(SIZE, BLOCK, BLOCKS);
    image[HEADER_AT + 100] ^= 1;
    assert!(refusal(image).contains("the checksum of the VHD dynamic disk header at offset 548"));
    let mut image = dynamic(SIZE, BLOCK, BLOCKS);
    edit_footers(&mut image, |footer| {
        footer.current_size = (u64::MAX - 511).into()
    });
    assert!(refusal(image).contains("the number of table entries"));
}

#[test]
fn blocks_on_other_structures_or_on_each_other_are_not_written() {
    let sound = dynamic(SIZE, BLOCK, BLOCKS);
    let second = u32::from_be_bytes(sound[TABLE_AT + 4..][..4].try_into().expect("four"));
    for entry in [0, 1, 3, 0x7fff_ffff, u32::MAX - 1, second + 20] {
        let mut image = sound.clone();
        image[TABLE_AT + 8..][..4].copy_from_slice(&u32::to_be_bytes(entry));
        let memory = Arc::new(Memory::new(image.clone()));
        let disk = Container::open(memory.clone()).expect("opens");
        disk.read_exact_at(&mut [0], 2 * BLOCK as u64)
            .expect_err("no such block");
        disk.check_writable().expect_err("told before");
        disk.write_all_at(&[1], 0).expect_err("refused");
        assert!(memory.bytes() == image, "{entry}");
    }
    for entry in [second, second + 1, second - 1, second + 8] {
        let mut image = sound.clone();
        image[TABLE_AT + 8..][..4].copy_from_slice(&u32::to_be_bytes(entry));
        let memory = Arc::new(Memory::new(image.clone()));
        let disk = Container::open(memory.clone()).expect("opens");
        let told = disk.check_writable().expect_err("told before");
        let error = disk.write_all_at(&[1], 0).expect_err("refused");
        for error in [told.to_string(), error.to_string()] {
            assert!(error.contains("VHD block allocation table"), "{error}");
        }
        assert!(memory.bytes() == image, "{entry}");
    }
}

#[test]
fn any_changed_byte_of_the_headers_causes_no_panic() {
    let sound = dynamic(SIZE, BLOCK, BLOCKS);
    let last = sound.len() - 512;
    for at in (0..TABLE_AT + 16).chain(last..sound.len()) {
        let mut image = sound.clone();
        image[at] ^= 0xff;
        if let Ok(disk) = open(image) {
            let mut all = vec![0; disk.len() as usize];
            let _ = disk.read_exact_at(&mut all, 0);
            let _ = disk.write_all_at(&[1; BLOCK], 100);
        }
    }
}
