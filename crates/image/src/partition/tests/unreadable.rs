//! Disks with sectors that can't be read.

use super::*;
use crate::testing::unreadable::Unreadable;

const PARTS: &[(u32, u64, u64)] = &[(1, 40, 99), (3, 100, 100)];

fn read_with(disk: Vec<u8>, bad: &[u64]) -> Result<Table, PartitionError> {
    read(&Unreadable::new(disk, bad), None)
}

#[test]
fn the_backup_is_read_if_the_first_table_cannot_be() {
    for sector in [512, 4096] {
        // The header, the entries, and both.
        for (bad, place) in [
            (vec![sector], "the header at offset"),
            (vec![2 * sector], "the entries at offset"),
            (vec![sector, 2 * sector], "the header at offset"),
        ] {
            let disk = with_gpt(sector as usize, 300, PARTS);
            let table = read_with(disk, &bad).expect("a table");
            assert_eq!(
                (table.scheme, u64::from(table.sector_size)),
                (Scheme::Gpt, sector)
            );
            assert_eq!(places(&table).len(), 2);
            let warning = &table.warnings[0];
            assert!(
                warning.contains(place)
                    && warning.contains("a bad sector")
                    && warning.contains("its backup was read"),
                "{warning}"
            );
        }
    }
}

#[test]
fn a_gpt_behind_an_unreadable_sector_is_read_with_a_warning() {
    let disk = with_gpt(512, 300, PARTS);
    let table = read_with(disk.clone(), &[0]).expect("a table");
    assert_eq!(places(&table).len(), 2);
    assert!(table.warnings[0].starts_with("sector 0 can't be read (a bad sector)"));
    let mut damaged = disk;
    damaged[512] ^= 1;
    damaged[299 * 512] ^= 1;
    let error = read_with(damaged, &[0]).expect_err("no table");
    assert!(matches!(error, PartitionError::Io(_)), "{error}");
}

#[test]
fn an_unreadable_backup_is_a_warning() {
    let table = read_with(with_gpt(512, 300, PARTS), &[299 * 512]).expect("a table");
    assert!(
        table.warnings[0].contains("a bad sector"),
        "{:?}",
        table.warnings
    );
}

#[test]
fn two_unreadable_copies_are_reported() {
    let error = read_with(with_gpt(512, 300, PARTS), &[512, 299 * 512]);
    let message = error.expect_err("no table").to_string();
    assert!(
        message.contains("offset 512 can't be read") && message.contains("offset 153088 can't be"),
        "{message}"
    );
}

#[test]
fn a_partition_that_cannot_be_read_hides_no_other() {
    let mut disk = vec![0; 300 << 10];
    put_record(&mut disk, 0, 0, 0x07, 100, 50);
    put_record(&mut disk, 0, 1, 0x07, 200, 300);
    disk[200 * 512 + 3..][..8].copy_from_slice(b"NTFS    ");
    for bad in [512, 100 * 512, 201 * 512] {
        let table = read_with(disk.clone(), &[bad]).expect("a table");
        assert_eq!((table.sector_size, places(&table).len()), (512, 2));
    }
}

#[test]
fn a_volume_without_table_is_recognized_by_its_first_sector() {
    let mut disk = vec![0; 100 << 10];
    disk[3..11].copy_from_slice(b"NTFS    ");
    let table = read_with(disk, &[600]).expect("a volume");
    assert_eq!(table.scheme, Scheme::None);
}

#[test]
fn unreadable_content_is_not_called_unknown() {
    let error = read_with(vec![0; 100 << 10], &[9000]).expect_err("nothing known");
    assert!(matches!(error, PartitionError::Io(_)), "{error}");
}

#[test]
fn an_unreadable_extended_boot_record_keeps_the_primary_partitions() {
    let mut disk = vec![0; 300 << 10];
    put_record(&mut disk, 0, 0, 0x07, 100, 50);
    put_record(&mut disk, 0, 1, 0x05, 200, 300);
    put_record(&mut disk, 200 * 512, 0, 0x07, 1, 5);
    let bad = 200 * 512;
    let table = read_with(disk, &[bad]).expect("a table");
    assert_eq!(places(&table), [(1, 51_200, 25_600)]);
    assert!(
        table.warnings[0].contains("a bad sector"),
        "{:?}",
        table.warnings
    );
}
