//! VHDX files that violate the format, or that need their parent.

use super::*;
use crate::container::vhdx::format::Header;

#[test]
fn entries_that_the_format_does_not_have_are_refused() {
    let beyond = 7 << 20;
    let cases = [
        4,
        5,
        7,
        6,
        6 | (1 << 20),
        6 | (2 << 20),
        6 | (3 << 20),
        6 | beyond,
        6 | (u64::MAX << 20),
    ];
    for entry in cases {
        let mut image = vhdx(SIZE, BLOCKS);
        set_entry(&mut image, 0, BatEntry(entry));
        let memory = Arc::new(Memory::new(image.clone()));
        let disk = Container::open(memory.clone()).expect("opens");
        let error = disk.read_exact_at(&mut [0], 0).expect_err("refused");
        assert!(
            error
                .to_string()
                .contains("VHDX block allocation table at offset 2097152"),
            "{error}"
        );
        disk.check_writable().expect_err("told before");
        disk.write_all_at(&[1], MIB).expect_err("refused");
        assert!(memory.bytes() == image);
    }
}

#[test]
fn a_block_that_two_entries_have_is_not_written() {
    let mut image = vhdx(SIZE, BLOCKS);
    set_entry(&mut image, 0, BatEntry::present(5 << 20));
    let memory = Arc::new(Memory::new(image.clone()));
    let disk = Container::open(memory.clone()).expect("opens");
    let words = "found one at 5242880 that another entry has";
    let error = disk.check_writable().expect_err("told before");
    assert!(error.to_string().contains(words), "{error}");
    let error = disk.write_all_at(&[1], MIB).expect_err("refused");
    assert!(error.to_string().contains(words), "{error}");
    assert!(memory.bytes() == image);
}

#[test]
fn hostile_headers_are_refused() {
    type Edit = fn(&mut Header);
    let cases: &[(Edit, &str)] = &[
        (
            |header| header.version = 0.into(),
            "the version of the VHDX header",
        ),
        (
            |header| header.version = 2.into(),
            "the version of the VHDX header",
        ),
        (|header| header.log_offset = 0.into(), "the log offset"),
        (
            |header| header.log_offset = (MIB + 1).into(),
            "the log offset",
        ),
        (
            |header| header.log_offset = (99 * MIB).into(),
            "the log offset",
        ),
        (
            |header| header.log_offset = (!(MIB - 1)).into(),
            "the log offset",
        ),
        (
            |header| header.log_offset = (2 * MIB).into(),
            "regions that do not overlap",
        ),
        (|header| header.log_length = 5.into(), "the log length"),
        (
            |header| header.log_length = u32::MAX.into(),
            "the log offset",
        ),
        (
            |header| header.log_length = 0x20_0000.into(),
            "regions that do not overlap",
        ),
        (
            |header| {
                header.log_version = 1.into();
                header.log_guid = Guid([1; 16]);
            },
            "the version of the log",
        ),
        (
            |header| header.log_guid = Guid([1; 16]),
            "no complete sequence of entries",
        ),
        (
            |header| {
                header.log_length = 0.into();
                header.log_guid = Guid([1; 16]);
            },
            "the log length",
        ),
    ];
    for (index, (change, message)) in cases.iter().enumerate() {
        let mut image = vhdx(SIZE, BLOCKS);
        edit_headers(&mut image, change);
        let refusal = refusal(image);
        assert!(refusal.contains(message), "{index}: {refusal}");
    }
    let mut image = vhdx(SIZE, BLOCKS);
    edit_headers(&mut image, |header| {
        header.log_version = 1.into();
        header.log_length = 0.into();
    });
    open(image).expect("a log that is empty does not matter");
}

#[test]
fn hostile_region_tables_are_refused() {
    type Edit = fn(&mut RegionTableEntry);
    let cases: &[(usize, Edit, &str)] = &[
        (
            0,
            |entry| entry.guid = Guid([5; 16]),
            "a required region of the VHDX at offset 196624",
        ),
        (
            0,
            |entry| entry.guid = RegionTableEntry::METADATA,
            "a GUID that is there once",
        ),
        (
            0,
            |entry| entry.file_offset = 0.into(),
            "regions that do not overlap",
        ),
        (
            0,
            |entry| entry.file_offset = (MIB / 2).into(),
            "in whole MiB",
        ),
        (
            0,
            |entry| entry.file_offset = (3 * MIB).into(),
            "regions that do not overlap",
        ),
        (
            0,
            |entry| entry.file_offset = (MIB).into(),
            "regions that do not overlap",
        ),
        (
            0,
            |entry| entry.file_offset = (!(MIB - 1)).into(),
            "in whole MiB",
        ),
        (0, |entry| entry.length = 0.into(), "in whole MiB"),
        (0, |entry| entry.length = 4096.into(), "in whole MiB"),
        (0, |entry| entry.length = 0xfff0_0000.into(), "in whole MiB"),
        (1, |entry| entry.length = 0x40_0000.into(), "in whole MiB"),
        (
            1,
            |entry| {
                entry.guid = Guid([5; 16]);
                entry.required = 0.into();
            },
            "an entry {8b7ca206-4790-4b9a-b8fe-575f050f886e}, found none",
        ),
        (
            2,
            |entry| {
                entry.guid = Guid([5; 16]);
                entry.file_offset = (4 * MIB).into();
            },
            "a required region of the VHDX at offset 196688 is not supported: \
             {05050505-0505-0505-0505-050505050505}",
        ),
    ];
    for (index, (entry, change, message)) in cases.iter().enumerate() {
        let mut image = vhdx(SIZE, BLOCKS);
        edit_regions(&mut image, *entry, change);
        let refusal = refusal(image);
        assert!(refusal.contains(message), "{index}: {refusal}");
    }
    for count in [2048, u32::MAX] {
        let mut image = vhdx(SIZE, BLOCKS);
        edit_region_tables(&mut image, |table| table.entry_count = count.into());
        assert!(refusal(image).contains("the entry count of the VHDX region table"));
    }
}

#[test]
fn hostile_metadata_is_refused() {
    type Edit = fn(&mut Vec<u8>);
    let cases: &[(Edit, &str)] = &[
        (|image| image[METADATA_AT] = 0, "the signature \"metadata\""),
        (
            |image| image[METADATA_AT + 10..][..2].fill(0xff),
            "the entry count of the VHDX metadata table",
        ),
        (
            |image| image[METADATA_AT + 10] = 4,
            "the physical sector size of the VHDX",
        ),
        (
            |image| image[METADATA_AT + 10] = 0,
            "the file parameters of the VHDX",
        ),
        (
            |image| {
                edit_item(image, 1, |entry| {
                    entry.item_id = MetadataTableEntry::FILE_PARAMETERS
                })
            },
            "found several",
        ),
        (
            |image| edit_item(image, 1, |entry| entry.item_id = Guid([5; 16])),
            "a required metadata item of the VHDX at offset 3145792",
        ),
        (
            |image| edit_item(image, 1, |entry| entry.flags = 5.into()),
            "a required metadata item",
        ),
        (
            |image| edit_item(image, 1, |entry| entry.flags = 1.into()),
            "the virtual disk size of the VHDX",
        ),
        (
            |image| edit_item(image, 1, |entry| entry.offset = 65535.into()),
            "an entry of the VHDX metadata table",
        ),
        (
            |image| edit_item(image, 1, |entry| entry.offset = u32::MAX.into()),
            "an entry of the VHDX metadata table",
        ),
        (
            |image| edit_item(image, 1, |entry| entry.length = 0.into()),
            "an entry of the VHDX metadata table",
        ),
        (
            |image| edit_item(image, 1, |entry| entry.length = 0x10_0001.into()),
            "an entry of the VHDX metadata table",
        ),
        (
            |image| edit_item(image, 1, |entry| entry.length = 7.into()),
            "expected 8 bytes, found 7 bytes",
        ),
        (
            |image| {
                edit_item(image, 1, |entry| {
                    entry.offset = 0.into();
                    entry.length = 0.into();
                })
            },
            "expected 8 bytes, found 0 bytes",
        ),
        (
            |image| image[ITEMS_AT..][..4].fill(0),
            "the block size of the VHDX",
        ),
        (
            |image| image[ITEMS_AT..][..4].fill(0xff),
            "the block size of the VHDX",
        ),
        (
            |image| image[ITEMS_AT + 2] = 8,
            "the block size of the VHDX",
        ),
        (
            |image| image[ITEMS_AT + 2] = 24,
            "the block size of the VHDX",
        ),
        (
            |image| image[ITEMS_AT + 3] = 32,
            "the block size of the VHDX",
        ),
        (
            |image| image[ITEMS_AT + 4096] = 1,
            "the virtual disk size of the VHDX",
        ),
        (
            |image| image[ITEMS_AT + 4096 + 6] = 1,
            "the virtual disk size of the VHDX",
        ),
        (
            |image| image[ITEMS_AT + 4096 + 4] = 99,
            "the VHDX block allocation table",
        ),
        (
            |image| image[ITEMS_AT + 3 * 4096 + 1] = 4,
            "the logical sector size of the VHDX",
        ),
        (
            |image| image[ITEMS_AT + 4 * 4096 + 1] = 0,
            "the physical sector size of the VHDX",
        ),
    ];
    for (index, (change, message)) in cases.iter().enumerate() {
        let mut image = vhdx(SIZE, BLOCKS);
        change(&mut image);
        let refusal = refusal(image);
        assert!(refusal.contains(message), "{index}: {refusal}");
    }
    let mut image = vhdx(SIZE, BLOCKS);
    add_item(&mut image, 5, Guid([5; 16]), &[1]);
    edit_item(&mut image, 5, |entry| entry.flags = 1.into());
    open(image).expect("an unknown item that is not required");
}

#[test]
fn a_differencing_disk_is_refused_by_the_path_of_its_parent() {
    let mut image = vhdx(SIZE, BLOCKS);
    image[ITEMS_AT + 4] = FileParameters::HAS_PARENT as u8;
    assert!(refusal(image.clone()).contains("of the parent that it does not name"));
    let utf16 =
        |text: &str| -> Vec<u8> { text.encode_utf16().flat_map(u16::to_le_bytes).collect() };
    let strings = [
        "parent_linkage",
        "{83ed0ec3}",
        "relative_path",
        "..\\base.vhdx",
    ]
    .map(utf16);
    let mut item = vec![0; 20 + 2 * 12];
    item[18] = 2;
    for pair in 0..2 {
        let (key, value) = (&strings[pair * 2], &strings[pair * 2 + 1]);
        let at = item.len();
        let entry = &mut item[20 + pair * 12..][..12];
        entry[..4].copy_from_slice(&(at as u32).to_le_bytes());
        entry[4..8].copy_from_slice(&((at + key.len()) as u32).to_le_bytes());
        entry[8..10].copy_from_slice(&(key.len() as u16).to_le_bytes());
        entry[10..].copy_from_slice(&(value.len() as u16).to_le_bytes());
        item.extend_from_slice(key);
        item.extend_from_slice(value);
    }
    add_item(&mut image, 5, MetadataTableEntry::PARENT_LOCATOR, &item);
    assert!(
        refusal(image.clone())
            .starts_with("this is a differencing VHDX of the parent \"..\\base.vhdx\"")
    );
    for at in 0..44 {
        let mut image = image.clone();
        image[ITEMS_AT + 5 * 4096 + at] = 0xff;
        assert!(refusal(image).starts_with("this is a differencing VHDX"));
    }
}

#[test]
fn any_changed_byte_of_the_structures_causes_no_panic() {
    let sound = vhdx(SIZE, BLOCKS);
    let places = (0..16)
        .chain((64 << 10)..(64 << 10) + 90)
        .chain((METADATA_AT..METADATA_AT + 200).step_by(3))
        .chain(ITEMS_AT..ITEMS_AT + 8)
        .chain(BAT_AT..BAT_AT + 32);
    let mut image = sound.clone();
    for at in places {
        image[at] ^= 0xff;
        if let Ok(disk) = open(image.clone()) {
            let _ = disk.read_exact_at(&mut vec![0; 2 * UNIT], 0);
            let _ = disk.write_all_at(&[1; 3], MIB - 1);
        }
        image[at] = sound[at];
    }
    assert_eq!(LOG_AT, UNIT);
}
