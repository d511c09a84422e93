//! Partition tables, and the content of partitions (UEFI specification 2.10, chapter 5).

use std::sync::{Arc, OnceLock};

use crc::{CRC_32_ISO_HDLC, Crc};
use diskmend_image::content;
use diskmend_image::device::Device;
use diskmend_image::partition as tables;

use super::bytes::{number, put, put16, put32, put64, utf16};
use super::input::{Base, Input};
use super::sparse::Sparse;

const CRC_32: Crc<u32> = Crc::<u32>::new(&CRC_32_ISO_HDLC);
/// The length of the disks with a table.
const DISK_LEN: u64 = 8 << 20;
/// The offset of the first partition record of an MBR.
const RECORDS: usize = 446;
const RECORD_LEN: usize = 16;
/// The number of entries of a GPT.
const ENTRIES: usize = 8;
const ENTRY_LEN: usize = 128;
/// EBD0A0A2-B9E5-4433-87C0-68B6B72699C7, a partition of Windows, as it is on disk.
const BASIC_DATA: [u8; 16] = [
    0xA2, 0xA0, 0xD0, 0xEB, 0xE5, 0xB9, 0x33, 0x44, 0x87, 0xC0, 0x68, 0xB6, 0xB7, 0x26, 0x99, 0xC7,
];

/// Reads the table of a disk, and recognizes the content of its partitions.
///
/// # Panics
/// If a partition that can be opened is not inside the disk, or two overlap.
pub fn partition(data: &[u8]) {
    let Some(mut input) = Input::parse(data, bases()) else {
        return;
    };
    let medium = input.medium(seal);
    let device: Arc<dyn Device> = medium;
    let sector = match input.script.byte() % 4 {
        0 => Some(512),
        1 => Some(4096),
        _ => None,
    };
    let table = match tables::read(&*device, sector) {
        Ok(table) => table,
        Err(error) => {
            std::hint::black_box(error.to_string());
            return;
        }
    };
    let mut opened = Vec::new();
    for partition in &table.partitions {
        let part = match partition.open(Arc::clone(&device)) {
            Ok(part) => part,
            Err(fault) => {
                std::hint::black_box(fault.to_string());
                continue;
            }
        };
        let end = partition.start.checked_add(partition.len);
        assert!(end.is_some_and(|end| end <= device.len()), "{partition:?}");
        assert_eq!(part.len(), partition.len);
        opened.push((partition.start, partition.len));
        let content = content::recognise(&part);
        std::hint::black_box(content.map(|content| content.to_string()).is_ok());
    }
    opened.sort_unstable();
    for pair in opened.windows(2) {
        if let [(start, len), (next, _)] = pair {
            assert!(start + len <= *next, "{:?}", table.partitions);
        }
    }
    std::hint::black_box(format!("{table:?}"));
}

pub(super) fn bases() -> &'static [Base] {
    static BASES: OnceLock<Vec<Base>> = OnceLock::new();
    BASES.get_or_init(|| vec![gpt(512), gpt(4096), mbr(), whole()])
}

/// The start of an NTFS volume.
fn boot_sector() -> Vec<u8> {
    let mut sector = vec![0; 512];
    put(&mut sector, 3, b"NTFS    ");
    put16(&mut sector, 11, 512);
    sector.splice(510.., [0x55, 0xAA]);
    sector
}

fn add_record(bytes: &mut [u8], sector: usize, index: usize, kind: u8, start: u32, len: u32) {
    let at = 512 * sector + RECORDS + RECORD_LEN * index;
    put(bytes, at + 4, &[kind]);
    put32(bytes, at + 8, start);
    put32(bytes, at + 12, len);
    put(bytes, 512 * sector + 510, &[0x55, 0xAA]);
}

/// Two primary partitions, and two logical ones.
fn mbr() -> Base {
    let mut bytes = vec![0; 7000 * 512];
    put32(&mut bytes, 440, 0x1234_5678);
    add_record(&mut bytes, 0, 0, 7, 63, 900);
    put(&mut bytes, RECORDS, &[0x80]);
    add_record(&mut bytes, 0, 1, 0x27, 1000, 1000);
    add_record(&mut bytes, 0, 2, 5, 3000, 6000);
    add_record(&mut bytes, 3000, 0, 7, 63, 1900);
    add_record(&mut bytes, 3000, 1, 5, 2000, 3000);
    add_record(&mut bytes, 5000, 0, 0xB, 63, 2000);
    for start in [63, 1000, 3063, 5063] {
        put(&mut bytes, 512 * start, &boot_sector());
    }
    let records = |sector: usize| 512 * sector + 440..512 * (sector + 1);
    let regions = vec![records(0), records(3000), records(5000)];
    Base {
        len: DISK_LEN,
        ..Base::new(bytes, regions)
    }
}

/// Three partitions, and a backup table at the end.
fn gpt(sector: usize) -> Base {
    let sectors = DISK_LEN as usize / sector;
    let mut bytes = vec![0; DISK_LEN as usize];
    add_record(&mut bytes, 0, 0, 0xEE, 1, sectors as u32 - 1);
    let entries_len = (ENTRIES * ENTRY_LEN).div_ceil(sector);
    let places = [
        (1, 2, sectors - 1),
        (sectors - 1, sectors - 1 - entries_len, 1),
    ];
    for (own, entries, other) in places {
        let at = own * sector;
        put(&mut bytes, at, b"EFI PART");
        put32(&mut bytes, at + 8, 0x1_0000);
        put32(&mut bytes, at + 12, 92);
        put64(&mut bytes, at + 24, own as u64);
        put64(&mut bytes, at + 32, other as u64);
        put64(&mut bytes, at + 40, (2 + entries_len) as u64);
        put64(&mut bytes, at + 48, (sectors - 2 - entries_len) as u64);
        put(&mut bytes, at + 56, &[0x11; 16]);
        put64(&mut bytes, at + 72, entries as u64);
        put32(&mut bytes, at + 80, ENTRIES as u32);
        put32(&mut bytes, at + 84, ENTRY_LEN as u32);
        for (index, start) in [100, 300, 900].into_iter().enumerate() {
            let entry = entries * sector + index * ENTRY_LEN;
            put(&mut bytes, entry, &BASIC_DATA);
            put(&mut bytes, entry + 16, &[0x20 + index as u8; 16]);
            put64(&mut bytes, entry + 32, start);
            put64(&mut bytes, entry + 40, start + 150);
            put(&mut bytes, entry + 56, &utf16("Basic data"));
            put(&mut bytes, start as usize * sector, &boot_sector());
        }
    }
    let mut regions = vec![440..RECORDS, RECORDS..512];
    for (own, entries, _) in places {
        regions.push(own * sector..own * sector + 92);
        regions.push(entries * sector..entries * sector + 3 * ENTRY_LEN);
    }
    let base = Base::new(bytes, regions);
    let sealed = Sparse::new(&base.bytes, base.len);
    seal(&sealed);
    let bytes = sealed.bytes(0, base.bytes.len());
    Base::new(bytes, base.regions)
}

/// A volume without a table, longer than the bytes that are examined.
fn whole() -> Base {
    let mut bytes = boot_sector();
    bytes.resize(2048, 0);
    Base {
        len: 1 << 40,
        ..Base::new(bytes, vec![0..64, 400..512])
    }
}

/// Corrects the checksums of both tables.
fn seal(disk: &Sparse) {
    for sector in [512, 4096] {
        for at in [sector, disk.len().saturating_sub(sector)] {
            let mut header = disk.bytes(at, 512);
            if !header.starts_with(b"EFI PART") {
                continue;
            }
            let entries = number(&header, 72, 8).saturating_mul(sector);
            let len = number(&header, 80, 4).saturating_mul(number(&header, 84, 4));
            // The reader refuses longer ones.
            if len <= 1 << 16 {
                let entries = disk.bytes(entries, len as usize);
                put32(&mut header, 88, CRC_32.checksum(&entries));
            }
            put32(&mut header, 16, 0);
            let summed = (number(&header, 12, 4) as usize).min(header.len());
            let sum = CRC_32.checksum(header.get(..summed).unwrap_or_default());
            put32(&mut header, 16, sum);
            disk.patch(at, &header);
        }
    }
}
