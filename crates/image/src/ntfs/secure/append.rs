//! Adds descriptors. Everything is first done and tried in memory, before it is written.

use diskmend_base::count::to_usize;
use std::collections::{HashMap, HashSet};
use std::ops::ControlFlow;

use diskmend_base::bytes;
use zerocopy::byteorder::little_endian::{U16, U32};
use zerocopy::{FromBytes, Immutable, KnownLayout, Unaligned};

use super::SecurityId;
use super::error::SecurityError;
use super::format::SdsHeader;
use super::key::{ByHash, ById, Key};
use super::plan::{ByHashIndex, ByIdIndex, Plan};
use super::sds::{self, Append, Tail};
use super::store::Store;
use crate::ntfs::edit::Edit;
use crate::ntfs::mft::Mft;

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

/// The maximum number of entries of `$SII` that are compared with the descriptors that have their
/// hash.
const MAX_SAME_HASH: usize = 1024;

/// Control bit: offsets are relative to the start.
const SELF_RELATIVE: u16 = 0x8000;

/// The ids of `descriptors`; equal ones share an id; missing ones are added.
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

/// Refuses a descriptor that a volume would not store.
fn check_descriptor(descriptor: &[u8]) -> Result<(), SecurityError> {
    let wrong = |actual: String| SecurityError::NotADescriptor {
        max: SdsHeader::MAX_DESCRIPTOR,
        actual,
    };
    let fits = descriptor.len() <= to_usize(SdsHeader::MAX_DESCRIPTOR);
    match bytes::view::<DescriptorHeader>(descriptor, 0) {
        Some(header) if fits => {
            let control = header.control.get();
            if header.revision != 1 || control & SELF_RELATIVE == 0 {
                return Err(wrong(format!(
                    "one of revision {}, control {control:#06x}",
                    header.revision
                )));
            }
            Ok(())
        }
        _ => Err(wrong(format!("{} bytes", descriptor.len()))),
    }
}

/// Adds descriptors that `$SDH` does not have. Everything that can be refused is refused before the
/// first write.
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
    let append = Append::new(&store.sds, tail, &unknown)?;
    let mut by_id: ByIdIndex = store.by_id.index()?;
    let mut by_hash: ByHashIndex = store.by_hash.index()?;
    by_id.set_root_room(root_room(mft, store.by_id.record, by_id.root())?);
    by_hash.set_root_room(root_room(mft, store.by_hash.record, by_hash.root())?);
    for entry in &append.entries {
        by_id.insert(entry)?;
    }
    let mut new = append.entries.iter();
    let entries: Vec<SdsHeader> = known
        .iter()
        .filter_map(|known| known.as_ref().or_else(|| new.next()).copied())
        .collect();
    for entry in &entries {
        if by_hash.find(ByHash::of(entry))?.is_none() {
            by_hash.insert(entry)?;
        }
    }
    loop {
        let plan = Plan::new(mft, store, &append, (&by_id, &by_hash))?;
        match plan.carry_out(&mut Edit::trial(mft)) {
            Ok(()) => {
                plan.carry_out(&mut Edit::new(mft))?;
                return Ok(entries);
            }
            Err(error @ SecurityError::NoRoom { .. }) => {
                if !shorten_a_root(&mut by_id, &mut by_hash)? {
                    return Err(error);
                }
            }
            Err(error) => return Err(error),
        }
    }
}

/// The maximum length of the root for which its record has room.
fn root_room(mft: &Mft, record: u64, root: &[u8]) -> Result<usize, SecurityError> {
    let free = mft.read_any(record)?.free_len();
    Ok(root.len().saturating_add(free))
}

/// Moves the entries of a root to a block, of the longer root if possible. `false` if both have
/// none left.
fn shorten_a_root(by_id: &mut ByIdIndex, by_hash: &mut ByHashIndex) -> Result<bool, SecurityError> {
    if by_id.root().len() > by_hash.root().len() && by_id.push_down()? {
        return Ok(true);
    }
    Ok(by_hash.push_down()? || by_id.push_down()?)
}

/// The content of `$SII`: the end of `$SDS`, and which of `descriptors` a crash has kept out of
/// `$SDH`.
fn walk(
    store: &Store,
    descriptors: &[&[u8]],
) -> Result<(Tail, Vec<Option<SdsHeader>>), SecurityError> {
    let hashes: HashSet<u32> = descriptors.iter().map(|bytes| sds::hash(bytes)).collect();
    let mut same_hash: Vec<SdsHeader> = Vec::new();
    let mut tail = Tail::EMPTY;
    let mut taken = Ok(());
    store.by_id.index::<ById>()?.walk(None, &mut |place| {
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
