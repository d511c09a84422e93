//! What each operation does to a FILE record, an index block or a page.

use super::bytes::{put, put_u16, put_u32, put_u64, u16_at, u32_at, u64_at};
use super::client::{Action, Operation, Place};
use super::image::used;
use crate::ntfs::runs;

/// Makes room for `new` bytes instead of `old` at `at` in the used part of `data`, which ends at
/// `end`.
fn splice(data: &mut [u8], end: usize, at: usize, old: usize, new: usize) {
    data.copy_within(at + old..end, at + new);
    if new < old {
        let rest = end + new - old..end;
        data[rest].fill(0);
    }
}

/// Changes the length of the attribute at `offset` by inserting or removing bytes at `at`.
fn resize(record: &mut [u8], offset: usize, at: usize, old: usize, new: usize) {
    let end = used(record);
    splice(record, end, at, old, new);
    let len = u32_at(record, offset + 4) as usize + new - old;
    put_u32(record, offset + 4, len as u32);
    put_u32(record, 0x18, (end + new - old) as u32);
}

/// Does `action` to a FILE record; `other_len` is the number of bytes of the action that reverses it.
pub(super) fn to_record(record: &mut [u8], place: &Place, action: &Action, other_len: usize) {
    let data = &action.data;
    let offset = usize::from(place.record_offset);
    let at = offset + usize::from(place.attribute_offset);
    match action.operation {
        Operation::InitializeFileRecordSegment => put(record, 0, data),
        Operation::DeallocateFileRecordSegment => {
            let flags = u16_at(record, 0x16);
            put_u16(record, 0x16, flags & !1);
            let sequence = u16_at(record, 0x10);
            put_u16(record, 0x10, sequence.wrapping_add(1).max(1));
        }
        Operation::WriteEndOfFileRecordSegment => {
            put(record, offset, data);
            put_u32(record, 0x18, (offset + data.len()) as u32);
        }
        Operation::CreateAttribute => {
            let end = used(record);
            splice(record, end, offset, 0, data.len());
            put(record, offset, data);
            put_u32(record, 0x18, (end + data.len()) as u32);
            let next = u16_at(data, 0xE) + 1;
            if u16_at(record, 0x28) < next {
                put_u16(record, 0x28, next);
            }
        }
        Operation::DeleteAttribute => {
            let end = used(record);
            let len = u32_at(record, offset + 4) as usize;
            splice(record, end, offset, len, 0);
            put_u32(record, 0x18, (end - len) as u32);
        }
        Operation::UpdateResidentValue => {
            // Two lengths replace the end of the value.
            if data.len() != other_len {
                let old = offset + u32_at(record, offset + 4) as usize;
                let new = (at + data.len()).next_multiple_of(8);
                resize(record, offset, at, old - at, new - at);
                record[at..new].fill(0);
                let value_at = usize::from(u16_at(record, offset + 0x14));
                let len = usize::from(place.attribute_offset) - value_at + data.len();
                put_u32(record, offset + 0x10, len as u32);
            }
            put(record, at, data);
        }
        Operation::UpdateMappingPairs => {
            let old = offset + u32_at(record, offset + 4) as usize;
            let new = (at + data.len()).next_multiple_of(8);
            resize(record, offset, at, old - at, new - at);
            record[at..new].fill(0);
            put(record, at, data);
            let pairs = offset + usize::from(u16_at(record, offset + 0x20));
            let lowest = u64_at(record, offset + 0x10);
            let found = runs::decode(&record[pairs..new], lowest, u64::MAX >> 1);
            let end = found.expect("pairs").last().map_or(lowest, runs::Run::end);
            put_u64(record, offset + 0x18, end.wrapping_sub(1));
        }
        Operation::SetNewAttributeSizes => {
            let [allocated, initialized, len] = [0, 8, 16].map(|at| u64_at(data, at));
            put_u64(record, offset + 0x28, allocated);
            put_u64(record, offset + 0x30, len);
            put_u64(record, offset + 0x38, initialized);
        }
        Operation::AddIndexEntryRoot => {
            resize(record, offset, at, 0, data.len());
            put(record, at, data);
            resize_root(record, offset, data.len() as u32, 0);
        }
        Operation::DeleteIndexEntryRoot => {
            let len = usize::from(u16_at(record, at + 8));
            resize(record, offset, at, len, 0);
            resize_root(record, offset, 0, len as u32);
        }
        Operation::UpdateFileNameRoot => put(record, at + 0x18, data),
        Operation::SetIndexEntryVcnRoot => {
            let len = usize::from(u16_at(record, at + 8));
            put(record, at + len - 8, data);
        }
        Operation::UpdateRecordDataRoot => {
            put(record, at + usize::from(u16_at(record, at)), data);
        }
        _ => {}
    }
}

/// Changes the sizes of an index root's value.
fn resize_root(record: &mut [u8], offset: usize, added: u32, removed: u32) {
    let value = u32_at(record, offset + 0x10);
    put_u32(record, offset + 0x10, value + added - removed);
    let node = offset + usize::from(u16_at(record, offset + 0x14)) + 0x10;
    for at in [node + 4, node + 8] {
        let len = u32_at(record, at);
        put_u32(record, at, len + added - removed);
    }
}

/// Does `action` to an index block.
pub(super) fn to_block(block: &mut [u8], place: &Place, action: &Action) {
    const NODE: usize = 0x18;
    let data = &action.data;
    let at = usize::from(place.attribute_offset);
    let end = NODE + u32_at(block, NODE + 4) as usize;
    match action.operation {
        Operation::AddIndexEntryAllocation => {
            splice(block, end, at, 0, data.len());
            put(block, at, data);
            put_u32(block, NODE + 4, (end - NODE + data.len()) as u32);
        }
        Operation::DeleteIndexEntryAllocation => {
            let len = usize::from(u16_at(block, at + 8));
            splice(block, end, at, len, 0);
            put_u32(block, NODE + 4, (end - NODE - len) as u32);
        }
        Operation::WriteEndOfIndexBuffer => {
            put(block, at, data);
            put_u32(block, NODE + 4, (at - NODE + data.len()) as u32);
        }
        Operation::UpdateFileNameAllocation => put(block, at + 0x18, data),
        Operation::SetIndexEntryVcnAllocation => {
            let len = usize::from(u16_at(block, at + 8));
            put(block, at + len - 8, data);
        }
        Operation::UpdateRecordDataAllocation => {
            put(block, at + usize::from(u16_at(block, at)), data);
        }
        _ => {}
    }
}

/// Does `action` to a page of a value in clusters.
pub(super) fn to_page(page: &mut [u8], place: &Place, action: &Action) {
    let data = &action.data;
    match action.operation {
        Operation::UpdateNonresidentValue => put(page, place.record_offset.into(), data),
        Operation::SetBitsInNonresidentBitMap | Operation::ClearBitsInNonresidentBitMap => {
            let first = u32_at(data, 0) as usize;
            let count = u32_at(data, 4) as usize;
            for bit in first..first + count {
                let mask = 1 << (bit % 8);
                if action.operation == Operation::SetBitsInNonresidentBitMap {
                    page[bit / 8] |= mask;
                } else {
                    page[bit / 8] &= !mask;
                }
            }
        }
        _ => {}
    }
}
