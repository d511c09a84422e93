//! The attributes of `$Secure` on its volume.

use std::ops::ControlFlow;
use std::sync::Arc;

use super::error::SecurityError;
use super::format::SdsHeader;
use super::index::{Blocks, Index};
use super::key::{ByHash, ById, Key};
use super::sds::{self, Source};
use crate::ntfs::disk::Disk;
use crate::ntfs::format::{attribute_type, system};
use crate::ntfs::growth::Value;
use crate::ntfs::index;
use crate::ntfs::layout::Layout;
use crate::ntfs::mft::Mft;
use crate::ntfs::records::Records;
use crate::ntfs::stream::{Part, Stream};

/// The maximum length of an index's `$BITMAP`, in bytes: one bit for every block that a walk reads.
const MAX_BITMAP: u64 = 1 << 13;
/// The maximum length of `$INDEX_ROOT`, which is in a record, in bytes.
const MAX_ROOT: u64 = 1 << 16;
/// The maximum number of entries with one hash that are compared with a descriptor.
const MAX_EQUAL_HASHES: usize = 64;

/// `$Secure`, in the state in which it was opened.
#[derive(Clone, Debug)]
pub(super) struct Store {
    pub(super) sds: SdsStream,
    pub(super) by_id: View,
    pub(super) by_hash: View,
}

/// `$SDS`.
#[derive(Clone, Debug)]
pub(super) struct SdsStream {
    disk: Disk,
    pub(super) record: u64,
    pub(super) layout: Layout,
    last: Option<Part>,
}

/// One of the indexes.
#[derive(Clone, Debug)]
pub(super) struct View {
    /// The record with `$INDEX_ROOT`.
    pub(super) record: u64,
    /// True if the attributes are spread over several records.
    pub(super) is_spread: bool,
    root: Vec<u8>,
    pub(super) blocks: Arc<IndexBlocks>,
}

/// `$INDEX_ALLOCATION` and `$BITMAP` of an index.
#[derive(Debug)]
pub(super) struct IndexBlocks {
    disk: Disk,
    allocation: Option<Stream>,
    pub(super) bitmap: Option<Stream>,
    /// The value of `$BITMAP`.
    pub(super) bits: Vec<u8>,
    index: &'static str,
}

impl Store {
    pub(super) fn open(mft: &Mft) -> Result<Self, SecurityError> {
        let records = Records::read_system(mft, system::SECURE)?;
        let disk = mft.disk();
        let sds = Stream::of(disk, &records, attribute_type::DATA, "$SDS")?;
        let sds = sds.ok_or_else(|| records.lacks("$SDS"))?;
        sds.check_whole()?;
        let layout = sds
            .layout()
            .ok_or_else(|| records.lacks("$SDS that is not resident"))?;
        Ok(Self {
            sds: SdsStream {
                disk: disk.clone(),
                record: sds.record(),
                layout: layout.clone(),
                last: last_part(&sds),
            },
            by_id: View::open::<ById>(disk, &records)?,
            by_hash: View::open::<ByHash>(disk, &records)?,
        })
    }

    /// The place of the descriptor with this id.
    pub(super) fn place(&self, id: u32) -> Result<Option<SdsHeader>, SecurityError> {
        self.by_id.index()?.find(ById(id))
    }

    /// The id of an equal descriptor that both indexes contain.
    pub(super) fn find(&self, descriptor: &[u8]) -> Result<Option<u32>, SecurityError> {
        let hash = sds::hash(descriptor);
        let mut places = Vec::new();
        let from = ByHash { hash, id: 0 };
        self.by_hash.index()?.walk(Some(from), &mut |place| {
            if place.hash.get() != hash || places.len() >= MAX_EQUAL_HASHES {
                return ControlFlow::Break(());
            }
            places.push(*place);
            ControlFlow::Continue(())
        })?;
        for place in places {
            match sds::read(&self.sds, &place) {
                // If one is damaged, there can be a sound one with another id.
                Err(SecurityError::Corrupt { .. }) => {}
                Err(error) => return Err(error),
                Ok(found) => {
                    let id = place.security_id.get();
                    if found == descriptor && self.place(id)? == Some(place) {
                        return Ok(Some(id));
                    }
                }
            }
        }
        Ok(None)
    }
}

impl SdsStream {
    /// The place of its description.
    pub(super) fn value(&self) -> Value {
        Value {
            record: self.record,
            kind: attribute_type::DATA,
            name: "$SDS",
            layout: Some(self.layout.clone()),
            last: self.last,
        }
    }
}

impl Source for SdsStream {
    fn written(&self) -> u64 {
        self.layout.initialized
    }

    fn read(&self, at: u64, len: usize) -> Result<Vec<u8>, SecurityError> {
        let mut bytes = vec![0; len];
        self.layout.read(&self.disk, &mut bytes, at)?;
        Ok(bytes)
    }
}

impl View {
    fn open<K: Key>(disk: &Disk, records: &Records) -> Result<Self, SecurityError> {
        let stream = |kind| Stream::of(disk, records, kind, K::NAME);
        let root = stream(attribute_type::INDEX_ROOT)?;
        let root = root.ok_or_else(|| records.lacks(K::NAME))?;
        let bitmap = stream(attribute_type::BITMAP)?;
        let bits = match &bitmap {
            None => Vec::new(),
            Some(bitmap) => {
                bitmap.check_whole()?;
                bitmap.read_all(disk, MAX_BITMAP)?
            }
        };
        let allocation = stream(attribute_type::INDEX_ALLOCATION)?;
        if let Some(allocation) = &allocation {
            allocation.check_whole()?;
        }
        Ok(Self {
            record: root.record(),
            is_spread: records.is_spread(),
            root: root.read_all(disk, MAX_ROOT)?,
            blocks: Arc::new(IndexBlocks {
                disk: disk.clone(),
                allocation,
                bitmap,
                bits,
                index: K::NAME,
            }),
        })
    }

    pub(super) fn index<K: Key>(&self) -> Result<Index<K, Arc<IndexBlocks>>, SecurityError> {
        let cluster_len = self.blocks.disk.geometry.cluster_len;
        Index::open(self.root.clone(), cluster_len, self.blocks.clone())
    }

    /// The place of the description of `$INDEX_ALLOCATION`, now or in future.
    pub(super) fn allocation<K: Key>(&self) -> Value {
        let stream = self.blocks.allocation.as_ref();
        self.value::<K>(attribute_type::INDEX_ALLOCATION, stream)
    }

    /// The place of the description of `$BITMAP`, if that is not resident.
    pub(super) fn bitmap_in_clusters<K: Key>(&self) -> Option<Value> {
        let stream = self.blocks.bitmap.as_ref()?;
        stream.layout()?;
        Some(self.value::<K>(attribute_type::BITMAP, Some(stream)))
    }

    fn value<K: Key>(&self, kind: u32, stream: Option<&Stream>) -> Value {
        Value {
            record: stream.map_or(self.record, Stream::record),
            kind,
            name: K::NAME,
            layout: stream.and_then(Stream::layout).cloned(),
            last: stream.and_then(last_part),
        }
    }
}

/// The attribute that describes the end of a value, if several describe it.
fn last_part(stream: &Stream) -> Option<Part> {
    match stream.parts() {
        [_, .., last] => Some(*last),
        _ => None,
    }
}

impl IndexBlocks {
    /// The blocks, if `len` bytes at `at` exist.
    fn allocation_with(&self, at: u64, len: usize) -> Result<&Stream, SecurityError> {
        let allocation = self.allocation.as_ref();
        let written = allocation.and_then(Stream::layout).map(|it| it.initialized);
        let end = u64::try_from(len).ok().and_then(|len| at.checked_add(len));
        allocation
            .filter(|_| end.is_some() && end <= written)
            .ok_or_else(|| SecurityError::Corrupt {
                index: self.index,
                part: "$INDEX_ALLOCATION",
                offset: at,
                expected: format!("{len} bytes"),
                actual: written.map_or("none".into(), |end| format!("an end at {end}")),
            })
    }
}

impl Blocks for Arc<IndexBlocks> {
    fn block(&self, at: u64, len: usize) -> Result<Vec<u8>, SecurityError> {
        let allocation = self.allocation_with(at, len)?;
        let mut bytes = vec![0; len];
        index::read_block(&self.disk, allocation, &mut bytes, at)?;
        Ok(bytes)
    }

    fn in_use(&self, number: u64) -> Result<bool, SecurityError> {
        Ok(index::has_bit(&self.bits, number))
    }
}

#[cfg(all(test, target_os = "linux"))]
impl Store {
    /// The positions of the blocks of both indexes on the volume.
    pub(super) fn block_offsets(&self) -> Vec<u64> {
        let views = [&self.by_id, &self.by_hash].into_iter();
        let layouts = views.filter_map(|view| view.blocks.allocation.as_ref()?.layout());
        layouts
            .flat_map(|layout| {
                let blocks = (0..layout.initialized).step_by(4096);
                blocks.filter_map(|at| layout.position(at))
            })
            .collect()
    }
}
