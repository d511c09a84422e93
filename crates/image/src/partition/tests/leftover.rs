//! Partition tables on disks with an old boot sector of a volume in sector 0.

use super::*;

/// Writes the start of an NTFS boot sector at `at`.
fn put_boot_sector(disk: &mut [u8], at: usize) {
    disk[at..][..11].copy_from_slice(b"\xEB\x52\x90NTFS    ");
    disk[at + 510..][..2].copy_from_slice(&[0x55, 0xAA]);
}

/// A disk with an NTFS partition, and an NTFS boot sector in sector 0.
fn with_mbr() -> Vec<u8> {
    let mut disk = vec![0; 1000 * 512];
    put_record(&mut disk, 0, 0, 0x07, 100, 50);
    put_record(&mut disk, 0, 1, 0x07, 200, 50);
    disk[446] = 0x80;
    put_boot_sector(&mut disk, 0);
    put_boot_sector(&mut disk, 200 * 512);
    disk
}

fn scheme(disk: Vec<u8>) -> Scheme {
    let table = read_all(disk, None).expect("a table or a volume");
    assert_eq!(
        table
            .warnings
            .iter()
            .any(|one| one.contains("begins like a volume (NTFS)")),
        table.scheme != Scheme::None,
        "{:?}",
        table.warnings
    );
    table.scheme
}

#[test]
fn a_table_that_leads_to_volumes_counts() {
    let table = read_all(with_mbr(), None).expect("a table");
    assert_eq!(places(&table), [(1, 51_200, 25_600), (2, 102_400, 25_600)]);
    assert_eq!(scheme(with_mbr()), Scheme::Mbr);
}

#[test]
fn records_that_lead_nowhere_do_not_count() {
    let mut nothing_known = with_mbr();
    nothing_known[200 * 512..201 * 512].fill(9);
    let mut text = with_mbr();
    text[446 + 3 * 16] = b'A';
    let mut unused = with_mbr();
    unused[446..510].fill(0);
    let mut outside = with_mbr();
    put_record(&mut outside, 0, 1, 0x07, 200, 801);
    let mut itself = with_mbr();
    put_record(&mut itself, 0, 0, 0x07, 0, 1000);
    put_record(&mut itself, 0, 1, 0, 0, 0);
    for disk in [nothing_known, text, unused, outside, itself] {
        assert_eq!(scheme(disk), Scheme::None);
    }
}

#[test]
fn a_gpt_counts_and_is_not_passed_over_where_it_is_damaged() {
    let mut disk = with_gpt(512, 300, &[(1, 40, 99)]);
    put_boot_sector(&mut disk, 0);
    assert_eq!(scheme(disk.clone()), Scheme::Gpt);
    disk[512] ^= 1;
    disk[299 * 512] ^= 1;
    let error = read_all(disk, None).expect_err("damaged");
    assert!(
        matches!(error, PartitionError::GptDamaged { .. }),
        "{error}"
    );
}

/// The boot sector of a FAT12 volume of 16 MiB with sectors of this length and clusters of this
/// many sectors.
fn fat(sector_len: u16, per_cluster: u8) -> Vec<u8> {
    let mut disk = vec![0; 16 << 20];
    disk[..3].copy_from_slice(b"\xEB\x3C\x90");
    disk[11..13].copy_from_slice(&sector_len.to_le_bytes());
    disk[13] = per_cluster;
    disk[14] = 1;
    disk[16] = 2;
    disk[17..19].copy_from_slice(&512_u16.to_le_bytes());
    disk[21] = 0xF8;
    disk[22] = 1;
    let sectors = (16_u32 << 20) / u32::from(sector_len);
    disk[32..36].copy_from_slice(&sectors.to_le_bytes());
    disk[510..512].copy_from_slice(&[0x55, 0xAA]);
    disk
}

/// A volume with clusters of 512 KiB once counted as an MBR without partitions, without a warning.
#[test]
fn volumes_of_unusual_geometry_are_volumes() {
    for (sector_len, per_cluster, words) in [
        (4096, 128, "FAT12"),
        (4096, 64, "FAT12"),
        (2048, 128, "FAT12"),
        // diskmend reads neither of them, and neither is a partition table.
        (256, 128, "unknown"),
        (512, 4, "unknown"),
    ] {
        let disk = fat(sector_len, per_cluster);
        let content = crate::content::recognise(&Memory::new(disk.clone())).expect("read");
        assert_eq!(content.to_string(), words, "{sector_len} {per_cluster}");
        let table = read_all(disk, None).expect("a volume");
        assert_eq!(table.scheme, Scheme::None, "{sector_len} {per_cluster}");
        assert_eq!(table.partitions.len(), 1);
    }
    // Its records lead to a volume, so a table was written over the remains of the volume.
    let mut disk = fat(256, 128);
    put_record(&mut disk, 0, 0, 0x07, 200, 50);
    put_boot_sector(&mut disk, 200 * 512);
    assert_eq!(read_all(disk, None).expect("a table").scheme, Scheme::Mbr);
}

#[test]
fn an_mbr_that_names_no_partition_says_so() {
    let mut disk = vec![0; 1 << 20];
    disk[..2].copy_from_slice(b"\xEB\x63");
    disk[510..512].copy_from_slice(&[0x55, 0xAA]);
    let table = read_all(disk, None).expect("a table");
    assert_eq!(table.scheme, Scheme::Mbr);
    assert!(
        table
            .warnings
            .iter()
            .any(|one| one.contains("names no partition"))
    );
}
