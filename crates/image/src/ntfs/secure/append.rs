//! Adding descriptors: `$SDS` first, then its length, then `$SII`, then `$SDH`, each durable before
//! the next begins. A crash leaves bytes that nothing names, or an id that only `$SII` knows.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::ops::ControlFlow;
use std::sync::Arc;

use zerocopy::byteorder::little_endian::{U16, U32};
use zerocopy::{FromBytes, Immutable, KnownLayout, Unaligned};

use super::SecurityId;
use super::error::SecurityError;
use super::format::SdsHeader;
use super::index::{Blocks, Index};
use super::length::Length;
use super::node::{ByHash, ById, Key};
use super::sds::{self, Append, Tail};
use super::store::{IndexBlocks, Store, View};
use crate::bytes;
use crate::ntfs::format::attribute_type;
use crate::ntfs::mft::Mft;
use crate::ntfs::record::{self, Record};

/// The start of a self-relative descriptor ([MS-DTYP] 2.4.6).
#[derive(FromBytes, KnownLayout, Immutable, Unaligned)]
#[repr(C)]
struct DescriptorHeader {
    revision: u8,
    sbz1: u8,
    control: U16,
    owner: U32,
    group: U32,
    sacl: U32,
    dacl: U32,
}

/// Most entries of `$SII` that are compared with the descriptors whose hash they have.
const MAX_SAME_HASH: usize = 1024;

/// Control bit: offsets are relative to the start.
const SELF_RELATIVE: u16 = 0x8000;

/// The ids of `descriptors`, of which equal ones share one; what the volume lacks is added.
pub(super) fn add(mft: &Mft, descriptors: &[&[u8]]) -> Result<Vec<SecurityId>, SecurityError> {
    let store = Store::open(mft)?;
    let mut ids: HashMap<&[u8], u32> = HashMap::new();
    let mut new: Vec<&[u8]> = Vec::new();
    for descriptor in descriptors {
        check_descriptor(descriptor)?;
        if ids.contains_key(descriptor) {
            continue;
        }
        let id = store.find(descriptor)?.unwrap_or_else(|| {
            new.push(descriptor);
            0
        });
        ids.insert(descriptor, id);
    }
    if !new.is_empty() {
        let entries = append(mft, &store, &new)?;
        ids.extend(new.iter().zip(&entries).map(|(descriptor, entry)| {
            let id = entry.security_id.get();
            (*descriptor, id)
        }));
    }
    let found = descriptors
        .iter()
        .filter_map(|descriptor| ids.get(descriptor));
    Ok(found.map(|id| SecurityId(*id)).collect())
}

/// Refuses what a volume would not hold.
fn check_descriptor(descriptor: &[u8]) -> Result<(), SecurityError> {
    let wrong = |actual: String| SecurityError::NotADescriptor {
        max: SdsHeader::MAX_DESCRIPTOR,
        actual,
    };
    let len = u32::try_from(descriptor.len()).unwrap_or(u32::MAX);
    match bytes::view::<DescriptorHeader>(descriptor, 0) {
        Some(header) if len <= SdsHeader::MAX_DESCRIPTOR => {
            let control = header.control.get();
            match header.revision == 1 && control & SELF_RELATIVE != 0 {
                true => Ok(()),
                false => Err(wrong(format!(
                    "one of revision {}, control {control:#06x}",
                    header.revision
                ))),
            }
        }
        _ => Err(wrong(format!("{} bytes", descriptor.len()))),
    }
}

/// Adds descriptors that `$SDH` does not have. All that can be refused is refused before the first
/// write.
fn append(
    mft: &Mft,
    store: &Store,
    descriptors: &[&[u8]],
) -> Result<Vec<SdsHeader>, SecurityError> {
    let (tail, known) = walk(store, descriptors)?;
    let pairs = descriptors.iter().zip(&known);
    let unknown: Vec<&[u8]> = pairs
        .filter(|(_, known)| known.is_none())
        .map(|(descriptor, _)| *descriptor)
        .collect();
    let plan = Append::new(&store.sds, tail, &unknown)?;
    let mut by_id: Index<ById, _> = store.by_id.index()?;
    let mut by_hash: Index<ByHash, _> = store.by_hash.index()?;
    for entry in &plan.entries {
        by_id.insert(entry)?;
    }
    let mut new = plan.entries.iter();
    let entries: Vec<SdsHeader> = known
        .iter()
        .filter_map(|known| known.as_ref().or_else(|| new.next()).copied())
        .collect();
    for entry in &entries {
        if by_hash.find(ByHash::of(entry))?.is_none() {
            by_hash.insert(entry)?;
        }
    }
    let length = Length::plan(mft, &store.sds, plan.len)?;
    check_room(mft, store, &length, (&by_id, &by_hash))?;

    let disk = mft.disk();
    length.take(mft)?;
    for (at, bytes) in &plan.writes {
        length.layout.write_allocated(disk, bytes, *at)?;
    }
    disk.sync()?;
    if length.layout != store.sds.layout {
        let mut record = mft.read_any(store.sds.record)?;
        length.put(&mut record, store.sds.at)?;
        mft.write(&mut record)?;
        disk.sync()?;
    }
    write_index(mft, &store.by_id, &by_id)?;
    disk.sync()?;
    write_index(mft, &store.by_hash, &by_hash)?;
    disk.sync()?;
    Ok(entries)
}

/// What `$SII` says: where `$SDS` ends, and which of `descriptors` a cut has kept from `$SDH`.
fn walk(
    store: &Store,
    descriptors: &[&[u8]],
) -> Result<(Tail, Vec<Option<SdsHeader>>), SecurityError> {
    let hashes: HashSet<u32> = descriptors.iter().map(|bytes| sds::hash(bytes)).collect();
    let mut same_hash: Vec<SdsHeader> = Vec::new();
    let mut tail = Tail::EMPTY;
    let mut taken = Ok(());
    store.by_id.index()?.walk(ById(0), &mut |place| {
        taken = tail.take(place);
        if hashes.contains(&place.hash.get()) && same_hash.len() < MAX_SAME_HASH {
            same_hash.push(*place);
        }
        match taken {
            Ok(()) => ControlFlow::Continue(()),
            Err(_) => ControlFlow::Break(()),
        }
    })?;
    taken?;
    tail.take_unnamed(&store.sds)?;
    let mut known: Vec<Option<SdsHeader>> = vec![None; descriptors.len()];
    for place in same_hash {
        match sds::read(&store.sds, &place) {
            // A new one is added instead.
            Err(SecurityError::Corrupt { .. }) => {}
            Err(error) => return Err(error),
            Ok(found) => {
                for (known, descriptor) in known.iter_mut().zip(descriptors) {
                    if found == *descriptor {
                        known.get_or_insert(place);
                    }
                }
            }
        }
    }
    Ok((tail, known))
}

/// Whether the records have room for what is to be changed in them.
fn check_room<B: Blocks>(
    mft: &Mft,
    store: &Store,
    length: &Length,
    (by_id, by_hash): (&Index<ById, B>, &Index<ByHash, B>),
) -> Result<(), SecurityError> {
    // Mostly these are one.
    let mut records = BTreeMap::new();
    for number in [store.sds.record, store.by_id.record, store.by_hash.record] {
        records.insert(number, mft.read_any(number)?);
    }
    if let Some(record) = records.get_mut(&store.sds.record) {
        length.put(record, store.sds.at)?;
    }
    if let Some(record) = records.get_mut(&store.by_id.record) {
        put_root(record, by_id)?;
    }
    if let Some(record) = records.get_mut(&store.by_hash.record) {
        put_root(record, by_hash)?;
    }
    Ok(())
}

/// Gives `$INDEX_ROOT` in its record the changed value, in memory.
fn put_root<K: Key, B: Blocks>(
    record: &mut Record,
    index: &Index<K, B>,
) -> Result<(), SecurityError> {
    let Some(root) = index.changed_root() else {
        return Ok(());
    };
    let no_room = || SecurityError::NoRoom { index: K::NAME };
    let attribute = record.find(attribute_type::INDEX_ROOT, K::NAME);
    let at = attribute.map(|attribute| attribute.place());
    let at = at.ok_or_else(no_room)?;
    let resized = record.set_value_len(at, root.len());
    resized.map_err(|record::NoRoom| no_room())?;
    let value = record.value_mut(at).ok_or_else(no_room)?;
    value.copy_from_slice(root);
    Ok(())
}

fn write_index<K: Key>(
    mft: &Mft,
    view: &View,
    index: &Index<K, Arc<IndexBlocks>>,
) -> Result<(), SecurityError> {
    view.write_blocks(index)?;
    if index.changed_root().is_some() {
        let mut record = mft.read_any(view.record)?;
        put_root(&mut record, index)?;
        mft.write(&mut record)?;
    }
    Ok(())
}
