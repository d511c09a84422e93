//! VHDs for tests.

use zerocopy::{FromBytes, FromZeros, IntoBytes};

use super::format::{DynamicHeader, Footer, checksum};

/// The offset of the dynamic disk header in [`dynamic`].
pub(crate) const HEADER_AT: usize = 512;
/// The offset of the table in [`dynamic`].
pub(crate) const TABLE_AT: usize = 1536;

/// A sound footer.
pub(crate) fn footer(disk_type: u32, size: u64, data_offset: u64) -> Footer {
    let mut footer = Footer::new_zeroed();
    footer.cookie = *b"conectix";
    footer.features = 2.into();
    footer.file_format_version = 0x1_0000.into();
    footer.data_offset = data_offset.into();
    footer.creator_application = *b"test";
    footer.original_size = size.into();
    footer.current_size = size.into();
    footer.disk_type = disk_type.into();
    footer.unique_id = [7; 16];
    sign(&mut footer);
    footer
}

fn sign(footer: &mut Footer) {
    footer.checksum = checksum(footer.as_bytes(), Footer::CHECKSUM_AT).into();
}

/// A fixed disk.
pub(crate) fn fixed(data: &[u8]) -> Vec<u8> {
    let footer = footer(Footer::TYPE_FIXED, data.len() as u64, u64::MAX);
    [data, footer.as_bytes()].concat()
}

/// A block in the file: its number, the byte that fills its bitmap, and the byte that fills its
/// data.
pub(crate) type Block = (usize, u8, u8);

/// A dynamic disk with these blocks.
pub(crate) fn dynamic(size: usize, block_size: usize, blocks: &[Block]) -> Vec<u8> {
    let entries = size.div_ceil(block_size);
    let footer = footer(Footer::TYPE_DYNAMIC, size as u64, HEADER_AT as u64);
    let mut image = footer.as_bytes().to_vec();
    let mut header = DynamicHeader::new_zeroed();
    header.cookie = DynamicHeader::COOKIE;
    header.data_offset = u64::MAX.into();
    header.table_offset = (TABLE_AT as u64).into();
    header.header_version = 0x1_0000.into();
    header.max_table_entries = (entries as u32).into();
    header.block_size = (block_size as u32).into();
    image.extend_from_slice(header.as_bytes());
    image.resize(TABLE_AT + (entries * 4).next_multiple_of(512), 0xff);
    for (block, bits, byte) in blocks {
        let sector = (image.len() / 512) as u32;
        let entry = TABLE_AT + block * 4;
        image[entry..entry + 4].copy_from_slice(&sector.to_be_bytes());
        let bitmap = (block_size / 4096).next_multiple_of(512);
        image.resize(image.len() + bitmap, *bits);
        image.resize(image.len() + block_size, *byte);
    }
    image.extend_from_slice(footer.as_bytes());
    edit_header(&mut image, |_| {});
    image
}

/// Changes the footer at `at` and updates its checksum.
pub(crate) fn edit_footer(image: &mut [u8], at: usize, change: impl FnOnce(&mut Footer)) {
    let footer = Footer::mut_from_bytes(&mut image[at..at + 512]).expect("inside");
    change(footer);
    sign(footer);
}

/// Changes both footers.
pub(crate) fn edit_footers(image: &mut [u8], change: impl Fn(&mut Footer)) {
    edit_footer(image, 0, &change);
    edit_footer(image, image.len() - 512, &change);
}

/// Changes the dynamic disk header and updates its checksum.
pub(crate) fn edit_header(image: &mut [u8], change: impl FnOnce(&mut DynamicHeader)) {
    let raw = &mut image[HEADER_AT..HEADER_AT + 1024];
    let header = DynamicHeader::mut_from_bytes(raw).expect("inside");
    change(header);
    header.checksum = checksum(header.as_bytes(), DynamicHeader::CHECKSUM_AT).into();
}
