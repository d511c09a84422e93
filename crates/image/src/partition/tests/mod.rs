//! Partition tables made in tests, byte by byte.

mod gpt;
mod hostile;
mod leftover;
mod mbr;
#[cfg(target_os = "linux")]
mod tools;
mod unreadable;

use crc::{CRC_32_ISO_HDLC, Crc};

use super::*;
use crate::testing::Memory;

/// The type GUID of Microsoft basic data, as on disk.
const BASIC_DATA: [u8; 16] = [
    0xA2, 0xA0, 0xD0, 0xEB, 0xE5, 0xB9, 0x33, 0x44, 0x87, 0xC0, 0x68, 0xB6, 0xB7, 0x26, 0x99, 0xC7,
];
const ENTRIES: usize = 128;
const CRC_32: Crc<u32> = Crc::<u32>::new(&CRC_32_ISO_HDLC);

/// A disk with both copies of a GPT. Each part is the number of an entry, and its first and last
/// sector.
fn with_gpt(sector: usize, sectors: u64, parts: &[(u32, u64, u64)]) -> Vec<u8> {
    let mut disk = vec![0; sector * sectors as usize];
    put_record(&mut disk, 0, 0, 0xEE, 1, (sectors - 1) as u32);
    let mut entries = vec![0; ENTRIES * 128];
    for (number, first, last) in parts {
        let entry = &mut entries[(*number as usize - 1) * 128..][..128];
        entry[..16].copy_from_slice(&BASIC_DATA);
        entry[16] = *number as u8;
        entry[32..40].copy_from_slice(&first.to_le_bytes());
        entry[40..48].copy_from_slice(&last.to_le_bytes());
        for (index, unit) in "Basic data".encode_utf16().enumerate() {
            entry[56 + index * 2..][..2].copy_from_slice(&unit.to_le_bytes());
        }
    }
    let entry_sectors = (entries.len() / sector) as u64;
    for (lba, other, at) in [
        (1, sectors - 1, 2),
        (sectors - 1, 1, sectors - 1 - entry_sectors),
    ] {
        disk[at as usize * sector..][..entries.len()].copy_from_slice(&entries);
        let mut header = [0; 92];
        header[..8].copy_from_slice(b"EFI PART");
        header[10] = 1;
        header[12] = 92;
        header[24..32].copy_from_slice(&u64::to_le_bytes(lba));
        header[32..40].copy_from_slice(&u64::to_le_bytes(other));
        header[40..48].copy_from_slice(&(2 + entry_sectors).to_le_bytes());
        header[48..56].copy_from_slice(&(sectors - 2 - entry_sectors).to_le_bytes());
        header[56..72].fill(7);
        header[72..80].copy_from_slice(&at.to_le_bytes());
        header[80..84].copy_from_slice(&(ENTRIES as u32).to_le_bytes());
        header[84] = 128;
        header[88..92].copy_from_slice(&CRC_32.checksum(&entries).to_le_bytes());
        disk[lba as usize * sector..][..92].copy_from_slice(&header);
        seal(&mut disk, lba as usize * sector);
    }
    disk
}

/// Sets the checksum of the GPT header at `at`.
fn seal(disk: &mut [u8], at: usize) {
    disk[at + 16..at + 20].fill(0);
    let sum = CRC_32.checksum(&disk[at..at + 92]);
    disk[at + 16..at + 20].copy_from_slice(&sum.to_le_bytes());
}

/// Writes a record into the (extended) boot record at `at`.
fn put_record(disk: &mut [u8], at: usize, index: usize, kind: u8, first: u32, sectors: u32) {
    let record = &mut disk[at + 446 + index * 16..][..16];
    record[4] = kind;
    record[8..12].copy_from_slice(&first.to_le_bytes());
    record[12..16].copy_from_slice(&sectors.to_le_bytes());
    disk[at + 510..at + 512].copy_from_slice(&[0x55, 0xAA]);
}

fn read_all(disk: Vec<u8>, sector_size: Option<u32>) -> Result<Table, PartitionError> {
    read(&Memory::new(disk), sector_size)
}

/// The number, start and length of each partition.
fn places(table: &Table) -> Vec<(u32, u64, u64)> {
    let parts = table.partitions.iter();
    parts.map(|one| (one.number, one.start, one.len)).collect()
}
