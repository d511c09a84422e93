use super::*;

const PARTS: &[(u32, u64, u64)] = &[(1, 40, 99), (3, 100, 100)];

#[test]
fn partitions_are_read_whatever_the_size_of_sectors() {
    for sector in [512, 4096] {
        for given in [None, Some(sector)] {
            let bytes = u64::from(sector);
            let table = read_all(with_gpt(sector as usize, 300, PARTS), given).expect("a table");
            assert_eq!((table.scheme, table.sector_size), (Scheme::Gpt, sector));
            assert_eq!(
                places(&table),
                [(1, 40 * bytes, 60 * bytes), (3, 100 * bytes, bytes)]
            );
            assert_eq!(table.warnings, [""; 0]);
            let [first, ..] = &table.partitions[..] else {
                panic!("no partition");
            };
            assert_eq!(first.kind.to_string(), "Microsoft basic data");
            assert_eq!(first.name, "Basic data");
            assert_eq!(first.fault, None);
        }
    }
}

#[test]
fn the_backup_is_read_if_the_first_table_is_damaged() {
    for sector in [512, 4096] {
        // In the header, in its checksum, in the entries.
        for at in [sector, sector + 60, 2 * sector + 32] {
            let mut disk = with_gpt(sector, 300, PARTS);
            disk[at] ^= 1;
            let table = read_all(disk, None).expect("a table");
            assert_eq!(table.sector_size as usize, sector);
            assert_eq!(places(&table).len(), 2);
            assert!(
                table.warnings[0].contains("backup was read"),
                "byte {at}: {:?}",
                table.warnings
            );
        }
    }
}

#[test]
fn the_backup_of_an_enlarged_disk_is_found() {
    let mut disk = with_gpt(512, 300, PARTS);
    disk.resize(400 * 512, 0);
    let table = read_all(disk.clone(), None).expect("a table");
    assert_eq!(table.warnings, [""; 0]);
    disk[2 * 512 + 32] ^= 1;
    let table = read_all(disk, None).expect("a table");
    assert!(table.warnings[0].contains("backup was read"));
}

/// A disk of 400 sectors with a table for 300; the last sector has the backup of an older table.
fn copied_over_another() -> Vec<u8> {
    let mut disk = with_gpt(512, 400, &[(1, 200, 299), (2, 300, 320)]);
    for header in [512, 399 * 512] {
        disk[header + 56..][..16].fill(8);
        seal(&mut disk, header);
    }
    let own = with_gpt(512, 300, PARTS);
    disk[..own.len()].copy_from_slice(&own);
    disk
}

#[test]
fn the_backup_that_another_table_left_at_the_end_is_not_taken() {
    let mut disk = copied_over_another();
    let sound = read_all(disk.clone(), None).expect("a table");
    assert_eq!(sound.warnings, [""; 0]);
    disk[2 * 512 + 32] ^= 1;
    let table = read_all(disk.clone(), None).expect("a table");
    assert_eq!(places(&table), places(&sound));
    assert!(table.warnings[0].contains("its backup was read"));
    disk[299 * 512] ^= 1;
    let error = read_all(disk, None).expect_err("no own copy");
    assert!(error.to_string().contains("offset 153088"), "{error}");
}

#[test]
fn a_backup_of_another_disk_beside_a_sound_table_is_a_warning() {
    let mut disk = copied_over_another();
    disk[512 + 32..512 + 40].copy_from_slice(&399_u64.to_le_bytes());
    seal(&mut disk, 512);
    let table = read_all(disk.clone(), None).expect("a table");
    assert_eq!(places(&table).len(), 2);
    let warning = "the backup of the GUID partition table can't be used: the header in sector 399 \
                   is of the disk 08080808-0808-0808-0808-080808080808, expected \
                   07070707-0707-0707-0707-070707070707 as in the first header";
    assert_eq!(table.warnings, [warning]);
    disk[2 * 512 + 32] ^= 1;
    let error = read_all(disk, None).expect_err("no own copy");
    assert!(error.to_string().contains("is of the disk 08"), "{error}");
}

#[test]
fn a_damaged_backup_is_a_warning() {
    let mut disk = with_gpt(512, 300, PARTS);
    disk[299 * 512 + 60] ^= 1;
    let table = read_all(disk, None).expect("a table");
    assert!(
        table.warnings[0].contains("can't be used: header at offset 153088"),
        "{:?}",
        table.warnings
    );
}

#[test]
fn a_protective_mbr_without_a_sound_gpt_is_never_read_as_mbr() {
    let mut disk = with_gpt(512, 300, PARTS);
    put_record(&mut disk, 0, 1, 0x07, 40, 60);
    disk[512] ^= 1;
    disk[299 * 512] ^= 1;
    let error = read_all(disk, None).expect_err("damaged");
    assert!(
        matches!(error, PartitionError::GptDamaged { .. }),
        "{error}"
    );
    let message = error.to_string();
    assert!(
        message.contains("offset 512") && message.contains("offset 153088"),
        "{message}"
    );
}

#[test]
fn a_hybrid_mbr_is_reported_and_the_gpt_is_read() {
    let mut disk = with_gpt(512, 300, PARTS);
    put_record(&mut disk, 0, 1, 0x07, 40, 10);
    let table = read_all(disk, None).expect("a table");
    assert_eq!(places(&table).len(), 2);
    assert!(
        table.warnings[0].contains("hybrid MBR"),
        "{:?}",
        table.warnings
    );
}

#[test]
fn a_gpt_without_protective_mbr_is_read_with_a_warning() {
    let mut disk = with_gpt(512, 300, PARTS);
    disk[..512].fill(0);
    let table = read_all(disk, None).expect("a table");
    assert_eq!(table.scheme, Scheme::Gpt);
    assert!(
        table.warnings[0].contains("protective"),
        "{:?}",
        table.warnings
    );
}

#[test]
fn an_empty_mbr_does_not_hide_the_gpt() {
    let mut disk = with_gpt(512, 300, PARTS);
    disk[446..510].fill(0);
    let table = read_all(disk.clone(), None).expect("a table");
    assert_eq!((table.scheme, places(&table).len()), (Scheme::Gpt, 2));
    assert!(table.warnings[0].contains("protective"));
    disk[512] ^= 1;
    disk[299 * 512 + 60] ^= 1;
    let error = read_all(disk.clone(), None).expect_err("damaged");
    assert!(
        matches!(error, PartitionError::GptDamaged { .. }),
        "{error}"
    );
    disk[299 * 512] ^= 1;
    let table = read_all(disk, None).expect("an empty table");
    assert_eq!((table.scheme, places(&table).len()), (Scheme::Mbr, 0));
}

#[test]
fn impossible_partitions_are_listed_but_not_opened() {
    let parts = &[
        (1, 40, 99),
        (2, 99, 120),
        (3, 200, 400),
        (4, 150, 149),
        (5, 33, 35),
        (6, u64::MAX, u64::MAX),
        (7, 130, 140),
    ];
    let disk: Arc<dyn Device> = Arc::new(Memory::new(with_gpt(512, 300, parts)));
    let table = read(&*disk, None).expect("a table");
    let fault = |number: usize| {
        let partition = &table.partitions[number - 1];
        let opened = partition.open(disk.clone());
        assert_eq!(opened.as_ref().err(), partition.fault.as_ref());
        opened
            .err()
            .map(|fault| fault.to_string())
            .unwrap_or_default()
    };
    assert_eq!(
        fault(1),
        "partition 1, bytes 20480 to 51200, overlaps partition 2, bytes 50688 to 61952"
    );
    assert!(fault(2).contains("overlaps partition 1"));
    assert_eq!(
        fault(3),
        "partition 3 reaches from byte 102400 to 205312, but the disk ends at 153600; the image is \
         cut short or the table is wrong"
    );
    assert!(fault(4).contains("before its start"));
    assert!(fault(5).contains("within the partition table"));
    assert!(fault(6).contains("disk ends at 153600"));
    assert_eq!(fault(7), "");
}

#[test]
fn a_partition_of_all_numbers_is_not_said_to_end_before_its_start() {
    let table = read_all(with_gpt(512, 300, &[(1, 0, u64::MAX)]), None).expect("a table");
    assert!(matches!(
        table.partitions[0].fault,
        Some(PartitionFault::OutsideDisk { end: u64::MAX, .. })
    ));
}

#[test]
fn counts_and_lengths_of_entries_are_bounded() {
    for (at, value, expected) in [
        (
            80,
            u32::MAX,
            "offset 592 has 4294967295 entries of 128 bytes",
        ),
        (80, 1 << 20, "offset 592 has 1048576 entries of 128 bytes"),
        (84, u32::MAX, "offset 596 has entries of 4294967295 bytes"),
        (84, 0, "offset 596 has entries of 0 bytes"),
        (84, 129, "offset 596 has entries of 129 bytes"),
        (
            72,
            u32::MAX,
            "offset 584 has 16384 bytes of entries from sector 4294967295",
        ),
    ] {
        let mut disk = with_gpt(512, 300, PARTS);
        for start in [512, 299 * 512] {
            disk[start + at..start + at + 4].copy_from_slice(&value.to_le_bytes());
            seal(&mut disk, start);
        }
        let error = read_all(disk, None).expect_err("out of bounds");
        assert!(error.to_string().contains(expected), "{error}");
    }
    let mut disk = with_gpt(512, 300, PARTS);
    disk[512..520].copy_from_slice(b"EFI TRAP");
    let table = read_all(disk, None).expect("the backup");
    let expected = "offset 512 has the signature \"EFI TRAP\", expected \"EFI PART\"";
    assert!(table.warnings[0].contains(expected), "{:?}", table.warnings);
}

#[test]
fn dynamic_disks_and_storage_spaces_are_reported() {
    let told = |guid: [u8; 16]| {
        let kind = PartitionType::Gpt(Guid(guid));
        (
            kind.is_dynamic(),
            kind.is_storage_spaces(),
            kind.to_string(),
        )
    };
    let metadata = [
        0xAA, 0xC8, 0x08, 0x58, 0x8F, 0x7E, 0xE0, 0x42, 0x85, 0xD2, 0xE1, 0xE9, 0x04, 0x34, 0xCF,
        0xB3,
    ];
    let spaces = [
        0x8F, 0xAF, 0x5C, 0xE7, 0x80, 0xF6, 0xEE, 0x4C, 0xAF, 0xA3, 0xB0, 0x01, 0xE5, 0x6E, 0xFC,
        0x2D,
    ];
    assert_eq!(
        told(metadata),
        (true, false, "dynamic disk (LDM) metadata".to_owned())
    );
    assert_eq!(told(spaces), (false, true, "Storage Spaces".to_owned()));
    assert_eq!(
        told(*b"0123456789abcdef").2,
        "type 33323130-3534-3736-3839-616263646566"
    );
    assert!(PartitionType::Mbr(0x42).is_dynamic());
}
