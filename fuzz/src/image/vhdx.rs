//! VHDXs (MS-VHDX): the log at 1 MiB, the table at 2 MiB, the metadata at 3 MiB, then blocks.

use std::sync::OnceLock;

use crc::{CRC_32_ISCSI, Crc};

use super::bytes::{number, put, put16, put32, put64};
use super::input::Base;
use super::sparse::Sparse;

const MIB: usize = 1 << 20;
const LOG_AT: usize = MIB;
const TABLE_AT: usize = 2 * MIB;
const METADATA_AT: usize = 3 * MIB;
const HEADERS: [usize; 2] = [64 << 10, 128 << 10];
const HEADER_LEN: usize = 4096;
const REGIONS: [usize; 2] = [192 << 10, 256 << 10];
const REGIONS_LEN: usize = 64 << 10;
const LOG_SECTOR: usize = 4096;
const LOG_GUID: [u8; 16] = [0x1C; 16];
const BLOCKS: usize = 6;
/// The state of a block that is in the file.
const PRESENT: u64 = 6;

const TABLE: u128 = 0x2DC27766_F623_4200_9D64_115E9BFD4A08;
const METADATA: u128 = 0x8B7CA206_4790_4B9A_B8FE_575F050F886E;
const FILE_PARAMETERS: u128 = 0xCAA16737_FA36_4D43_B3B6_33F0AA44E76B;
const DISK_SIZE: u128 = 0x2FA54224_CD1B_4876_B211_5DBED83BF4B8;
const DISK_ID: u128 = 0xBECA12AB_B2E6_4523_93EF_C309E000C746;
const LOGICAL_SECTOR: u128 = 0x8141BF1D_A96F_4709_BA47_F233A8FAAB5F;
const PHYSICAL_SECTOR: u128 = 0xCDA348C7_445D_4471_9CC9_E9885251C556;

pub(super) fn bases() -> &'static [Base] {
    static BASES: OnceLock<Vec<Base>> = OnceLock::new();
    BASES.get_or_init(|| vec![made(512, false), made(512, true), made(4096, false)])
}

/// A GUID as it is on disk: its first three numbers are little-endian.
fn guid(number: u128) -> [u8; 16] {
    let [a, b, c, d, e, f, g, h, rest @ ..] = number.to_be_bytes();
    let mut bytes = [0; 16];
    put(&mut bytes, 0, &[d, c, b, a, f, e, h, g]);
    put(&mut bytes, 8, &rest);
    bytes
}

fn made(sector: u32, logged: bool) -> Base {
    let mut file = vec![0; 4 * MIB];
    put(&mut file, 0, b"vhdxfile");
    for (slot, at) in HEADERS.into_iter().enumerate() {
        put(&mut file, at, b"head");
        put64(&mut file, at + 8, 5 + slot as u64);
        put(&mut file, at + 16, &[3; 16]);
        put(&mut file, at + 32, &[4; 16]);
        if logged {
            put(&mut file, at + 48, &LOG_GUID);
        }
        put16(&mut file, at + 66, 1);
        put32(&mut file, at + 68, MIB as u32);
        put64(&mut file, at + 72, LOG_AT as u64);
    }
    for at in REGIONS {
        put(&mut file, at, b"regi");
        put32(&mut file, at + 8, 2);
        for (index, (id, start)) in [(TABLE, TABLE_AT), (METADATA, METADATA_AT)]
            .into_iter()
            .enumerate()
        {
            let entry = at + 16 + 32 * index;
            put(&mut file, entry, &guid(id));
            put64(&mut file, entry + 16, start as u64);
            put32(&mut file, entry + 24, MIB as u32);
            put32(&mut file, entry + 28, 1);
        }
    }
    add_metadata(&mut file, sector);
    for (block, state) in [(0, PRESENT), (1, 0), (2, 2), (3, 3), (4, PRESENT), (5, 1)] {
        let mut entry = state;
        if state == PRESENT {
            entry |= (file.len() / MIB) as u64 * MIB as u64;
            file.resize(file.len() + MIB, block as u8 + 1);
        }
        put64(&mut file, TABLE_AT + 8 * block, entry);
    }
    if logged {
        add_log(&mut file);
    }
    let mut sealed = file;
    sum_all(&mut sealed);
    let mut regions = vec![
        LOG_AT..LOG_AT + 64 + 64,
        TABLE_AT..TABLE_AT + 8 * BLOCKS,
        METADATA_AT..METADATA_AT + 32 * 6,
        METADATA_AT + (64 << 10)..METADATA_AT + (64 << 10) + 64,
    ];
    regions.extend(HEADERS.map(|at| at..at + 80));
    regions.extend(REGIONS.map(|at| at..at + 80));
    Base::new(sealed, regions)
}

fn add_metadata(file: &mut [u8], sector: u32) {
    let items: [(u128, Vec<u8>); 5] = [
        (FILE_PARAMETERS, vec![0, 0, 16, 0, 0, 0, 0, 0]),
        (DISK_SIZE, ((BLOCKS * MIB) as u64).to_le_bytes().to_vec()),
        (DISK_ID, vec![9; 16]),
        (LOGICAL_SECTOR, sector.to_le_bytes().to_vec()),
        (PHYSICAL_SECTOR, 4096_u32.to_le_bytes().to_vec()),
    ];
    put(file, METADATA_AT, b"metadata");
    put16(file, METADATA_AT + 10, items.len() as u16);
    for (index, (id, item)) in items.iter().enumerate() {
        let at = (64 << 10) + 16 * index;
        let entry = METADATA_AT + 32 + 32 * index;
        put(file, METADATA_AT + at, item);
        put(file, entry, &guid(*id));
        put32(file, entry + 16, at as u32);
        put32(file, entry + 20, item.len() as u32);
        put32(file, entry + 24, 4);
    }
}

/// A log entry that changes the table: it makes block 2 present and zeros the rest.
fn add_log(file: &mut Vec<u8>) {
    let mut sector = file
        .get(TABLE_AT..TABLE_AT + LOG_SECTOR)
        .unwrap_or_default()
        .to_vec();
    put64(&mut sector, 16, PRESENT | file.len() as u64);
    file.resize(file.len() + MIB, 0x77);
    let len = file.len() as u64;
    let mut entry = vec![0; 2 * LOG_SECTOR];
    put(&mut entry, 0, b"loge");
    put32(&mut entry, 8, 2 * LOG_SECTOR as u32);
    put64(&mut entry, 16, 7);
    put32(&mut entry, 24, 2);
    put(&mut entry, 32, &LOG_GUID);
    put64(&mut entry, 48, len);
    put64(&mut entry, 56, len);
    let (head, tail) = sector.split_at(LOG_SECTOR - 4);
    put(&mut entry, 64, b"desc");
    put(&mut entry, 68, tail);
    put(&mut entry, 72, head.get(..8).unwrap_or_default());
    put64(&mut entry, 80, TABLE_AT as u64);
    put64(&mut entry, 88, 7);
    put(&mut entry, 96, b"zero");
    put64(&mut entry, 104, LOG_SECTOR as u64);
    put64(&mut entry, 112, (TABLE_AT + LOG_SECTOR) as u64);
    put64(&mut entry, 120, 7);
    put(&mut entry, LOG_SECTOR, b"data");
    put(
        &mut entry,
        LOG_SECTOR + 8,
        head.get(8..).unwrap_or_default(),
    );
    put32(&mut entry, 2 * LOG_SECTOR - 4, 7);
    put(file, LOG_AT, &entry);
}

/// Recalculates the checksum of a structure.
fn sum(bytes: &mut [u8]) {
    const CRC: Crc<u32> = Crc::<u32>::new(&CRC_32_ISCSI);
    put32(bytes, 4, 0);
    let sum = CRC.checksum(bytes);
    put32(bytes, 4, sum);
}

fn sum_all(file: &mut [u8]) {
    for (at, magic, len) in summed() {
        if let Some(part) = file.get_mut(at..at + len)
            && part.starts_with(magic)
        {
            let len = summed_len(part);
            sum(part.get_mut(..len).unwrap_or_default());
        }
    }
}

/// The structures with a checksum: their offsets, their signatures, and their maximum lengths.
fn summed() -> impl Iterator<Item = (usize, &'static [u8], usize)> {
    let headers = HEADERS.map(|at| (at, b"head".as_slice(), HEADER_LEN));
    let regions = REGIONS.map(|at| (at, b"regi".as_slice(), REGIONS_LEN));
    let log = [(LOG_AT, b"loge".as_slice(), 16 * LOG_SECTOR)];
    headers.into_iter().chain(regions).chain(log)
}

/// Log entries state their length.
fn summed_len(part: &[u8]) -> usize {
    if part.starts_with(b"loge") {
        (number(part, 8, 4) as usize).min(part.len())
    } else {
        part.len()
    }
}

/// Corrects the checksums.
pub(super) fn seal(file: &Sparse) {
    for (at, magic, len) in summed() {
        let mut part = file.bytes(at as u64, len);
        if part.starts_with(magic) {
            let len = summed_len(&part);
            part.truncate(len);
            sum(&mut part);
            file.patch(at as u64, &part);
        }
    }
}
