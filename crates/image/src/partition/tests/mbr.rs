use super::*;

fn disk(sectors: usize) -> Vec<u8> {
    vec![0; sectors * 512]
}

#[test]
fn primary_partitions_are_read() {
    let mut disk = disk(1000);
    put_record(&mut disk, 0, 0, 0x07, 100, 50);
    put_record(&mut disk, 0, 2, 0x27, 200, 800);
    disk[446] = 0x80;
    let table = read_all(disk, None).expect("a table");
    assert_eq!((table.scheme, table.sector_size), (Scheme::Mbr, 512));
    assert_eq!(places(&table), [(1, 51_200, 25_600), (3, 102_400, 409_600)]);
    let active: Vec<bool> = table.partitions.iter().map(|one| one.active).collect();
    assert_eq!(active, [true, false]);
    assert_eq!(table.partitions[1].kind.to_string(), "Windows recovery");
}

/// A chain of `count` extended boot records, each with a partition of two sectors.
fn chained(count: u32) -> Vec<u8> {
    let mut disk = disk(1000 + 4 * count as usize);
    put_record(&mut disk, 0, 0, 0x07, 100, 50);
    put_record(&mut disk, 0, 1, 0x0F, 1000, 4 * count);
    for n in 0..count {
        let at = (1000 + 4 * n as usize) * 512;
        put_record(&mut disk, at, 0, 0x83, 1, 2);
        if n + 1 < count {
            put_record(&mut disk, at, 1, 0x05, 4 * (n + 1), 4);
        }
    }
    disk
}

#[test]
fn logical_partitions_count_from_five() {
    let table = read_all(chained(3), None).expect("a table");
    let expected = [(1, 100, 50), (5, 1001, 2), (6, 1005, 2), (7, 1009, 2)];
    let expected = expected.map(|(number, start, len)| (number, start * 512, len * 512));
    assert_eq!(places(&table), expected);
    assert!(table.partitions.iter().all(|one| one.fault.is_none()));
}

/// The numbers of the partitions, and the only warning.
fn with_warning(disk: Vec<u8>) -> (Vec<u32>, String) {
    let table = read_all(disk, None).expect("a table");
    let [warning] = &table.warnings[..] else {
        panic!("{:?}", table.warnings);
    };
    let numbers = table.partitions.iter().map(|one| one.number).collect();
    (numbers, warning.clone())
}

#[test]
fn the_chain_of_extended_boot_records_is_bounded() {
    let table = read_all(chained(128), None).expect("a table");
    assert_eq!((table.partitions.len(), table.warnings.len()), (129, 0));
    let (numbers, warning) = with_warning(chained(129));
    assert_eq!(numbers.len(), 129);
    assert!(warning.contains("at most 128"), "{warning}");
}

#[test]
fn partitions_before_the_damage_of_a_chain_are_kept() {
    for (next, expected) in [(0, "a loop"), (4, "a loop"), (12, "sector 12 of 12")] {
        let mut disk = chained(3);
        put_record(&mut disk, 1004 * 512, 1, 0x05, next, 4);
        let (numbers, warning) = with_warning(disk);
        assert_eq!(numbers, [1, 5, 6]);
        assert!(
            warning.starts_with("extended boot record at offset")
                && warning.contains(expected)
                && warning.ends_with("; what it leads to is not listed"),
            "{warning}"
        );
    }
    let mut disk = chained(3);
    disk[1004 * 512 + 510] = 0;
    let (numbers, warning) = with_warning(disk);
    assert_eq!(numbers, [1, 5]);
    assert_eq!(
        warning,
        "extended boot record at offset 514048: expected the signature 0xaa55, found 0xaa00; \
         what it leads to is not listed"
    );
    let mut disk = chained(3);
    put_record(&mut disk, 0, 1, 0x0F, u32::MAX, u32::MAX);
    let (numbers, warning) = with_warning(disk);
    assert_eq!(numbers, [1]);
    assert!(warning.contains("expected it on the disk"), "{warning}");
}

#[test]
fn an_extended_partition_that_was_never_used_is_a_warning() {
    let mut disk = chained(1);
    disk[1000 * 512..1001 * 512].fill(0);
    let (numbers, warning) = with_warning(disk);
    assert_eq!(numbers, [1]);
    assert!(warning.contains("found 0x0000"), "{warning}");
}

#[test]
fn impossible_partitions_are_listed_but_not_opened() {
    let mut bytes = disk(1000);
    put_record(&mut bytes, 0, 0, 0x07, 100, 100);
    put_record(&mut bytes, 0, 1, 0x07, 150, 10);
    put_record(&mut bytes, 0, 2, 0x07, u32::MAX, u32::MAX);
    put_record(&mut bytes, 0, 3, 0x07, 0, 50);
    let table = read_all(bytes, None).expect("a table");
    let faults: Vec<_> = table
        .partitions
        .iter()
        .map(|one| one.fault.clone())
        .collect();
    assert!(matches!(
        faults[0],
        Some(PartitionFault::Overlaps { other: 2, .. })
    ));
    assert!(matches!(
        faults[1],
        Some(PartitionFault::Overlaps { other: 1, .. })
    ));
    assert!(matches!(
        faults[2],
        Some(PartitionFault::OutsideDisk { .. })
    ));
    assert!(matches!(faults[3], Some(PartitionFault::OnTable { .. })));
}

#[test]
fn the_size_of_sectors_follows_from_the_content_of_partitions() {
    for (sector, found) in [(512, 512), (4096, 4096)] {
        let mut disk = vec![0xAA; 200 * 4096];
        disk[..512].fill(0);
        put_record(&mut disk, 0, 0, 0x07, 100, 50);
        disk[100 * sector + 3..][..8].copy_from_slice(b"NTFS    ");
        let table = read_all(disk, None).expect("a table");
        assert_eq!(table.sector_size, found);
    }
}

#[test]
fn a_volume_without_table_is_one_partition() {
    let mut bytes = disk(100);
    // A boot sector of NTFS has these bytes in the place of an MBR's records.
    bytes[446..510].fill(b'A');
    bytes[510..512].copy_from_slice(&[0x55, 0xAA]);
    bytes[3..11].copy_from_slice(b"NTFS    ");
    let table = read_all(bytes.clone(), None).expect("a volume");
    assert_eq!(table.scheme, Scheme::None);
    assert_eq!(places(&table), [(0, 0, 51_200)]);
    bytes[3..11].fill(0);
    let error = read_all(bytes, None).expect_err("no table");
    assert!(
        matches!(
            error,
            PartitionError::NoTable {
                number: 1,
                found: 0x41,
                ..
            }
        ),
        "{error}"
    );
}

#[test]
fn disks_without_anything_known_are_refused() {
    for disk in [
        vec![],
        vec![1],
        vec![0; 512],
        vec![0; 1 << 20],
        vec![9; 1 << 20],
    ] {
        let error = read_all(disk, None).expect_err("nothing known");
        assert!(matches!(error, PartitionError::Unrecognised), "{error}");
    }
    let error = read_all(disk(100), Some(520)).expect_err("no such size");
    assert!(
        matches!(error, PartitionError::SectorSize { found: 520 }),
        "{error}"
    );
}
