//! VHDs: fixed and dynamic ones (Virtual Hard Disk Image Format Specification 1.0).

use std::sync::OnceLock;

use diskmend_image::device::Device;

use super::bytes::put;
use super::input::Base;
use super::sparse::Sparse;

const SECTOR: usize = 512;
/// The offset of the dynamic disk header.
const HEADER_AT: usize = SECTOR;
const HEADER_LEN: usize = 1024;
const TABLE_AT: usize = HEADER_AT + HEADER_LEN;
const BLOCK_LEN: usize = 64 << 10;
/// The offset of the checksum in the footer.
const FOOTER_SUM: usize = 64;
const HEADER_SUM: usize = 36;

pub(super) fn bases() -> &'static [Base] {
    static BASES: OnceLock<Vec<Base>> = OnceLock::new();
    BASES.get_or_init(|| vec![dynamic(), fixed()])
}

fn footer(kind: u32, size: u64, data_offset: u64) -> Vec<u8> {
    let mut footer = vec![0; SECTOR];
    put(&mut footer, 0, b"conectix");
    put(&mut footer, 8, &2_u32.to_be_bytes());
    put(&mut footer, 12, &0x1_0000_u32.to_be_bytes());
    put(&mut footer, 16, &data_offset.to_be_bytes());
    put(&mut footer, 28, b"test");
    put(&mut footer, 40, &size.to_be_bytes());
    put(&mut footer, 48, &size.to_be_bytes());
    put(&mut footer, 60, &kind.to_be_bytes());
    put(&mut footer, 68, &[7; 16]);
    sum(&mut footer, FOOTER_SUM);
    footer
}

/// Writes the checksum of a structure into it.
fn sum(bytes: &mut [u8], at: usize) {
    put(bytes, at, &[0; 4]);
    let sum = bytes
        .iter()
        .fold(0, |sum: u32, byte| sum.wrapping_add(u32::from(*byte)));
    put(bytes, at, &(!sum).to_be_bytes());
}

fn fixed() -> Base {
    let mut bytes: Vec<u8> = (0..64 * SECTOR).map(|at| (at % 251) as u8).collect();
    bytes.extend(footer(2, bytes.len() as u64, u64::MAX));
    let footer_at = bytes.len() - SECTOR;
    let regions = vec![0..8, footer_at..footer_at + 96];
    Base::new(bytes, regions)
}

/// Eight blocks; three of them are in the file, out of order.
fn dynamic() -> Base {
    let size = 8 * BLOCK_LEN;
    let footer = footer(3, size as u64, HEADER_AT as u64);
    let mut header = vec![0; HEADER_LEN];
    put(&mut header, 0, b"cxsparse");
    put(&mut header, 8, &u64::MAX.to_be_bytes());
    put(&mut header, 16, &(TABLE_AT as u64).to_be_bytes());
    put(&mut header, 24, &0x1_0000_u32.to_be_bytes());
    put(&mut header, 28, &8_u32.to_be_bytes());
    put(&mut header, 32, &(BLOCK_LEN as u32).to_be_bytes());
    sum(&mut header, HEADER_SUM);
    let mut bytes = [footer.clone(), header, vec![0xFF; SECTOR]].concat();
    for block in [5, 0, 2] {
        let sector = (bytes.len() / SECTOR) as u32;
        put(&mut bytes, TABLE_AT + 4 * block, &sector.to_be_bytes());
        bytes.resize(bytes.len() + SECTOR, 0xFF);
        bytes.extend((0..BLOCK_LEN).map(|at| (at / SECTOR + block) as u8));
    }
    let end = bytes.len();
    bytes.extend(footer);
    let regions = vec![
        0..96,
        HEADER_AT..HEADER_AT + 64,
        TABLE_AT..TABLE_AT + 40,
        end..end + 96,
    ];
    Base::new(bytes, regions)
}

/// Corrects the checksums.
pub(super) fn seal(file: &Sparse) {
    let end = file.len().saturating_sub(SECTOR as u64);
    for (at, magic, len, place) in [
        (0, b"conectix", SECTOR, FOOTER_SUM),
        (end, b"conectix", SECTOR, FOOTER_SUM),
        (HEADER_AT as u64, b"cxsparse", HEADER_LEN, HEADER_SUM),
    ] {
        let mut bytes = file.bytes(at, len);
        if bytes.starts_with(magic) {
            sum(&mut bytes, place);
            file.patch(at, &bytes);
        }
    }
}
