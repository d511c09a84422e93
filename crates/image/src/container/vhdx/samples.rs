//! VHDXs for tests: the log at 1 MiB, the table at 2 MiB, the metadata at 3 MiB, then blocks.

use diskmend_base::Guid;
use zerocopy::{FromBytes, FromZeros, Immutable, IntoBytes, KnownLayout};

use super::format::{
    BatEntry, Descriptor, Header, LogEntryHeader, MIB, MetadataTableEntry, MetadataTableHeader,
    RegionTableEntry, RegionTableHeader, checksum,
};

/// The bytes in a MiB.
pub(crate) const UNIT: usize = MIB as usize;
/// The offset of the log.
pub(crate) const LOG_AT: usize = UNIT;
/// The offset of the block allocation table.
pub(crate) const BAT_AT: usize = 2 * UNIT;
/// The offset of the metadata region.
pub(crate) const METADATA_AT: usize = 3 * UNIT;
/// The offset of the metadata items.
pub(crate) const ITEMS_AT: usize = METADATA_AT + (64 << 10);
/// Identifier of the log in tests.
pub(crate) const LOG_GUID: Guid = Guid([0x1c; 16]);

/// The number of a block, its state, and the byte that fills its data if the state is present.
pub(crate) type Block = (usize, u64, u8);

/// A disk of `size` bytes with blocks of 1 MiB.
pub(crate) fn vhdx(size: usize, blocks: &[Block]) -> Vec<u8> {
    let mut image = vec![0; 4 * UNIT];
    image[..8].copy_from_slice(b"vhdxfile");
    for slot in 0..2 {
        edit_header(&mut image, slot, |header| {
            header.signature = Header::SIGNATURE;
            header.sequence_number = (5 + slot as u64).into();
            header.file_write_guid = Guid([3; 16]);
            header.data_write_guid = Guid([4; 16]);
            header.version = 1.into();
            header.log_length = (UNIT as u32).into();
            header.log_offset = (LOG_AT as u64).into();
        });
        edit_region_table(&mut image, slot, |table| {
            table.signature = RegionTableHeader::SIGNATURE;
            table.entry_count = 2.into();
        });
        edit_region(&mut image, slot, 0, |entry| {
            entry.guid = RegionTableEntry::BAT;
            entry.file_offset = (BAT_AT as u64).into();
        });
        edit_region(&mut image, slot, 1, |entry| {
            entry.guid = RegionTableEntry::METADATA;
            entry.file_offset = (METADATA_AT as u64).into();
        });
    }
    let items: [(Guid, &[u8]); 5] = [
        (
            MetadataTableEntry::FILE_PARAMETERS,
            &[0, 0, 16, 0, 0, 0, 0, 0],
        ),
        (
            MetadataTableEntry::VIRTUAL_DISK_SIZE,
            &(size as u64).to_le_bytes(),
        ),
        (MetadataTableEntry::VIRTUAL_DISK_ID, &[9; 16]),
        (MetadataTableEntry::LOGICAL_SECTOR_SIZE, &[0, 2, 0, 0]),
        (MetadataTableEntry::PHYSICAL_SECTOR_SIZE, &[0, 16, 0, 0]),
    ];
    for (index, (id, item)) in items.into_iter().enumerate() {
        add_item(&mut image, index, id, item);
    }
    for (block, state, byte) in blocks {
        let mut entry = BatEntry(*state);
        if *state == BatEntry::FULLY_PRESENT {
            entry = BatEntry::present(image.len() as u64);
            image.resize(image.len() + UNIT, *byte);
        }
        set_entry(&mut image, *block, entry);
    }
    image
}

/// Writes an entry of the table, by its index.
pub(crate) fn set_entry(image: &mut [u8], index: usize, entry: BatEntry) {
    image[BAT_AT + index * 8..][..8].copy_from_slice(&entry.0.to_le_bytes());
}

fn edit<T: FromBytes + IntoBytes + KnownLayout + Immutable>(
    image: &mut [u8],
    at: usize,
    change: impl FnOnce(&mut T),
) {
    let raw = &mut image[at..at + size_of::<T>()];
    let mut value = T::read_from_bytes(raw).expect("its size");
    change(&mut value);
    raw.copy_from_slice(value.as_bytes());
}

fn sign(image: &mut [u8], at: usize, len: usize) {
    let sum = checksum(&image[at..at + len]);
    image[at + 4..at + 8].copy_from_slice(&sum.to_le_bytes());
}

/// Changes one of the headers and updates its checksum.
pub(crate) fn edit_header(image: &mut [u8], slot: usize, change: impl FnOnce(&mut Header)) {
    let at = Header::OFFSETS[slot] as usize;
    edit(image, at, change);
    sign(image, at, 4096);
}

/// Changes both headers.
pub(crate) fn edit_headers(image: &mut [u8], change: impl Fn(&mut Header)) {
    edit_header(image, 0, &change);
    edit_header(image, 1, &change);
}

fn edit_region_table(image: &mut [u8], slot: usize, change: impl FnOnce(&mut RegionTableHeader)) {
    let at = RegionTableHeader::OFFSETS[slot] as usize;
    edit(image, at, change);
    sign(image, at, 64 << 10);
}

fn edit_region(
    image: &mut [u8],
    slot: usize,
    index: usize,
    change: impl FnOnce(&mut RegionTableEntry),
) {
    let at = RegionTableHeader::OFFSETS[slot] as usize;
    edit(
        image,
        at + 16 + index * 32,
        |entry: &mut RegionTableEntry| {
            if entry.guid == Guid::NIL {
                entry.length = (UNIT as u32).into();
                entry.required = 1.into();
            }
            change(entry);
        },
    );
    sign(image, at, 64 << 10);
}

/// Changes an entry in both region tables; a new entry is counted.
pub(crate) fn edit_regions(image: &mut [u8], index: usize, change: impl Fn(&mut RegionTableEntry)) {
    for slot in 0..2 {
        edit_region_table(image, slot, |table| {
            let count = table.entry_count.get().max(index as u32 + 1);
            table.entry_count = count.into();
        });
        edit_region(image, slot, index, &change);
    }
}

/// Changes both region tables.
pub(crate) fn edit_region_tables(image: &mut [u8], change: impl Fn(&mut RegionTableHeader)) {
    for slot in 0..2 {
        edit_region_table(image, slot, &change);
    }
}

/// Sets a metadata item; a new item is counted.
pub(crate) fn add_item(image: &mut [u8], index: usize, id: Guid, item: &[u8]) {
    let at = ITEMS_AT + index * 4096;
    image[at..at + item.len()].copy_from_slice(item);
    edit(image, METADATA_AT, |table: &mut MetadataTableHeader| {
        table.signature = MetadataTableHeader::SIGNATURE;
        let count = table.entry_count.get().max(index as u16 + 1);
        table.entry_count = count.into();
    });
    edit_item(image, index, |entry| {
        entry.item_id = id;
        entry.offset = ((at - METADATA_AT) as u32).into();
        entry.length = (item.len() as u32).into();
        entry.flags = MetadataTableEntry::IS_REQUIRED.into();
    });
}

/// Changes an entry of the metadata table.
pub(crate) fn edit_item(
    image: &mut [u8],
    index: usize,
    change: impl FnOnce(&mut MetadataTableEntry),
) {
    edit(image, METADATA_AT + 32 + index * 32, change);
}

/// A change in a log entry.
pub(crate) enum Change {
    /// A sector of data.
    Data(u64, Vec<u8>),
    /// Offset and length of zeros.
    Zero(u64, u64),
}

/// A log entry; the file lengths in it are the present length of the file.
pub(crate) fn log_entry(number: u64, tail: usize, file_len: usize, changes: &[Change]) -> Vec<u8> {
    let mut header = LogEntryHeader::new_zeroed();
    header.signature = LogEntryHeader::SIGNATURE;
    header.tail = (tail as u32).into();
    header.sequence_number = number.into();
    header.descriptor_count = (changes.len() as u32).into();
    header.log_guid = LOG_GUID;
    header.flushed_file_offset = (file_len as u64).into();
    header.last_file_offset = (file_len as u64).into();
    let mut descriptors = Vec::new();
    let mut sectors = Vec::new();
    for change in changes {
        let mut descriptor = Descriptor::new_zeroed();
        descriptor.sequence_number = number.into();
        match change {
            Change::Data(at, data) => {
                descriptor.signature = Descriptor::DATA;
                descriptor.file_offset = (*at).into();
                descriptor.leading_bytes.copy_from_slice(&data[..8]);
                descriptor.trailing_bytes.copy_from_slice(&data[4092..]);
                sectors.extend_from_slice(b"data");
                sectors.extend_from_slice(&((number >> 32) as u32).to_le_bytes());
                sectors.extend_from_slice(&data[8..4092]);
                sectors.extend_from_slice(&(number as u32).to_le_bytes());
            }
            Change::Zero(at, len) => {
                descriptor.signature = Descriptor::ZERO;
                descriptor.file_offset = (*at).into();
                descriptor.leading_bytes = len.to_le_bytes();
            }
        }
        descriptors.extend_from_slice(descriptor.as_bytes());
    }
    let described = (64 + descriptors.len()).next_multiple_of(4096);
    header.entry_length = ((described + sectors.len()) as u32).into();
    let mut entry = [header.as_bytes(), &descriptors].concat();
    entry.resize(described, 0);
    entry.extend_from_slice(&sectors);
    sign_entry(&mut entry);
    entry
}

/// Updates the checksum of a log entry.
pub(crate) fn sign_entry(entry: &mut [u8]) {
    let len = entry.len();
    sign(entry, 0, len);
}

/// Changes the header of a log entry and updates its checksum.
pub(crate) fn edit_entry(entry: &mut [u8], change: impl FnOnce(&mut LogEntryHeader)) {
    edit(entry, 0, change);
    sign_entry(entry);
}

/// Writes an entry to the log, possibly across its end, and makes the log valid.
pub(crate) fn put_entry(image: &mut [u8], at: usize, entry: &[u8]) {
    for (index, byte) in entry.iter().enumerate() {
        image[LOG_AT + (at + index) % UNIT] = *byte;
    }
    edit_headers(image, |header| header.log_guid = LOG_GUID);
}
