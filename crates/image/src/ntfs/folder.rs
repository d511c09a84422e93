//! The index of a folder: its names, and their files (Linux-NTFS, Directory).
//!
//! This crate walks the tree itself: the `ntfs` crate follows the nodes of a damaged or hostile
//! index endlessly (a node that is its own child), and slices by unchecked lengths.

use diskmend_base::count::{to_u64, to_usize};
use std::cmp::Ordering;

use super::claims;
use super::disk::Disk;
use super::error::{Corruption, VolumeError};
use super::fixup;
use super::format::{FileName, IndexBlock, IndexRoot, attribute_type, system};
use super::index::{self, IndexEntry, Mismatch, Shape};
use super::member::{Member, SELF};
use super::mft::Mft;
use super::names::parse_key;
use super::place::FileId;
use super::records::Records;
use super::stream::Stream;
use super::upcase::UpCase;

mod node;
mod tree;
mod walk;

use diskmend_base::bytes;
use node::Node;
pub(crate) use tree::{Tree, Written};
use walk::Seen;

/// The name of the index and of its attributes.
const INDEX: &str = "$I30";
/// `index_root.collation_rule` of an index of file names.
const COLLATION_FILE_NAME: u32 = 1;
/// The first character of the names of system files.
const DOLLAR: u16 = 0x24;
/// The maximum number of names of a folder, and of their UTF-16 units together.
const MAX_NAMES: usize = 1 << 22;
const MAX_UNITS: usize = 1 << 26;
/// The maximum number of names that are found for one name.
const MAX_SAME: usize = 1 << 10;

/// The rules of a name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Namespace {
    /// Case-sensitive, any character except NUL and slash.
    Posix,
    /// A long name, which may have a short one in addition.
    Win32,
    /// A short name in addition to a long one; listings leave it out.
    Dos,
    /// A name that is both long and short.
    Both,
}

/// A name in a folder.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// The name in UTF-16 units, as spelled on disk; it need not be valid UTF-16.
    pub name: Vec<u16>,
    /// The file with this name.
    pub id: FileId,
    /// The rules of the name.
    pub namespace: Namespace,
}

impl Entry {
    /// The file according to this entry of `folder`.
    #[must_use]
    pub fn member(&self, folder: FileId) -> Member<'_> {
        Member {
            folder,
            name: &self.name,
            file: self.id,
        }
    }

    /// True if this is the name by which the root folder lists a system file of the volume, or
    /// itself.
    fn is_own_of_root(&self, folder: u64) -> bool {
        let starts = self.name.first().copied();
        folder == system::ROOT
            && self.id.record < system::FIRST_USER
            && (starts == Some(DOLLAR) || self.name == SELF)
    }
}

/// A folder's index.
pub(crate) struct Folder<'a> {
    disk: &'a Disk,
    records: Records,
    allocation: Option<Stream>,
    shape: Shape,
}

impl<'a> Folder<'a> {
    /// Opens the index of a folder.
    pub(crate) fn open(mft: &'a Mft, id: FileId) -> Result<Self, VolumeError> {
        let disk = mft.disk();
        let records = Records::read(mft, id)?;
        if !records.base().is_folder() {
            return Err(VolumeError::NotAFolder(id));
        }
        let (root, _) = Self::root_of(&records)?;
        let shape = Shape::of(root, COLLATION_FILE_NAME, disk.geometry.cluster_len);
        let shape = shape.map_err(|mismatch| {
            let Mismatch { expected, actual } = mismatch;
            Corruption::new(
                "index of a folder",
                records.base().offset(),
                expected,
                actual,
            )
        })?;
        let allocation = Stream::of(disk, &records, attribute_type::INDEX_ALLOCATION, INDEX)?;
        Ok(Self {
            disk,
            allocation,
            shape,
            records,
        })
    }

    /// The value of the root, and its position.
    fn root_of(records: &Records) -> Result<(&[u8], u64), VolumeError> {
        let (record, attribute) = records
            .all(attribute_type::INDEX_ROOT, INDEX)
            .next()
            .ok_or_else(|| records.lacks("index of a folder"))?;
        let lost = || records.lacks("resident root of an index");
        let value = attribute.resident().ok_or_else(lost)?;
        let (start, _) = attribute.resident_range().ok_or_else(lost)?;
        let start = attribute.place().0.saturating_add(start);
        Ok((value, place(record.offset(), start)))
    }

    /// The number of bytes that the entries in the root may have, if nothing else of its record
    /// gets longer.
    pub(crate) fn root_room(&self) -> Result<usize, VolumeError> {
        let root = self.records.all(attribute_type::INDEX_ROOT, INDEX).next();
        let lost = || self.records.lacks("index of a folder");
        let (record, attribute) = root.ok_or_else(lost)?;
        let len = attribute.resident().map_or(0, <[u8]>::len);
        let room = len.saturating_add(record.free_len());
        Ok(room.saturating_sub(size_of::<IndexRoot>()))
    }

    fn root(&self) -> Result<Node, VolumeError> {
        let (root, at) = Self::root_of(&self.records)?;
        let at = place(at, IndexRoot::NODE);
        Ok(Node::new(root.to_vec(), IndexRoot::NODE, at)?)
    }

    /// The node `vcn`, to which the node at `parent` refers, in the memory of `spare`.
    fn node(&self, vcn: u64, parent: u64, spare: Vec<u8>) -> Result<Node, VolumeError> {
        self.check_block(vcn, parent)?;
        let (block, at) = self.block(vcn, spare)?;
        let at = place(at, IndexBlock::NODE);
        Ok(Node::new(block, IndexBlock::NODE, at)?)
    }

    /// Refuses the number of a block that does not exist; the node at `parent` has it.
    fn check_block(&self, vcn: u64, parent: u64) -> Result<(), Corruption> {
        let len = self.allocation.as_ref().map_or(0, Stream::len);
        let end = self
            .shape
            .position(vcn)
            .and_then(|at| at.checked_add(self.shape.block_len.get()));
        if end.is_none_or(|end| end > len) {
            let expected = format!("a node within {len} bytes");
            let actual = format!("node {vcn}");
            let what = "child of an index node";
            return Err(Corruption::new(what, parent, expected, actual));
        }
        Ok(())
    }

    /// The index block `vcn`, in the memory of `block`, and its position.
    fn block(&self, vcn: u64, mut block: Vec<u8>) -> Result<(Vec<u8>, u64), VolumeError> {
        let lost = || self.records.lacks("index allocation");
        let allocation = self.allocation.as_ref().ok_or_else(lost)?;
        let at = self.shape.position(vcn).ok_or_else(lost)?;
        block.resize(to_usize(self.shape.block_len), 0);
        let offset = index::read_block(self.disk, allocation, &mut block, at)?;
        let found = index::number_of(&block);
        if found != Some(vcn) {
            let what = "number of an index block";
            let actual = found.map_or_else(|| "none".to_owned(), |found| found.to_string());
            return Err(Corruption::new(what, offset, vcn.to_string(), actual).into());
        }
        Ok((block, offset))
    }

    /// All names in order, except short names that belong to a long one, and the name of the root
    /// folder in itself.
    pub(crate) fn list(&self) -> Result<Vec<Entry>, VolumeError> {
        let folder = self.records.base().number();
        let mut names: Vec<Entry> = Vec::new();
        let mut units: usize = 0;
        self.walk(
            |_| Ordering::Equal,
            |entry, at| {
                if entry.namespace == Namespace::Dos || entry.is_own_of_root(folder) {
                    return Ok(());
                }
                units = units.saturating_add(entry.name.len());
                if names.len() >= MAX_NAMES || units > MAX_UNITS {
                    let expected = format!("at most {MAX_NAMES}, of {MAX_UNITS} units");
                    return Err(Corruption::new("names of a folder", at, expected, "more"));
                }
                names.push(entry);
                Ok(())
            },
        )?;
        Ok(names)
    }

    /// The entry of a name: the exact spelling, or otherwise one that differs only in case.
    ///
    /// Names that differ only in case are adjacent in the index, ordered by their units. Therefore
    /// the path to the place of `name` passes one of them, if there is any.
    pub(crate) fn find(
        &self,
        upcase: &UpCase,
        name: &[u16],
    ) -> Result<Option<Located>, VolumeError> {
        let mut seen = Seen::default();
        let mut similar = None;
        let mut number = None;
        let mut node = self.root()?;
        for depth in 1.. {
            let at = node.place();
            let mut child = None;
            while let Some(found) = node.next()? {
                child = found.child;
                if found.is_last {
                    break;
                }
                let entry = name_of(&found, at)?;
                let order = upcase.compare(name, &entry.name);
                let exact = order.then_with(|| name.cmp(&entry.name));
                let located = Located {
                    entry,
                    node: number,
                    key_at: found.key_at,
                };
                if exact == Ordering::Equal {
                    return Ok(Some(located));
                }
                if order == Ordering::Equal && similar.is_none() {
                    similar = Some(located);
                }
                if exact == Ordering::Less {
                    break;
                }
            }
            let Some(vcn) = child else {
                break;
            };
            seen.visit(vcn, depth, at)?;
            node = self.node(vcn, at, node.into_data())?;
            number = Some(vcn);
        }
        Ok(similar)
    }

    /// All names that equal `name` except for case, in the order of the index.
    pub(crate) fn find_all(
        &self,
        upcase: &UpCase,
        name: &[u16],
    ) -> Result<Vec<Entry>, VolumeError> {
        let mut all = Vec::new();
        self.walk(
            |other| upcase.compare(name, other),
            |entry, at| {
                if all.len() >= MAX_SAME {
                    let expected = format!("at most {MAX_SAME}");
                    let what = "names that differ in case only";
                    return Err(Corruption::new(what, at, expected, "more"));
                }
                all.push(entry);
                Ok(())
            },
        )?;
        Ok(all)
    }

    /// Checks that the file of an entry of this index is really in this folder: otherwise the index
    /// is damaged, and the file is not missing.
    pub(crate) fn check(&self, mft: &Mft, entry: &Entry) -> Result<(), VolumeError> {
        let folder = self.records.base();
        let member = entry.member(folder.id());
        match member.read(mft) {
            Ok(_) => Ok(()),
            Err(VolumeError::Stale(_)) => Err(member.lost(folder.offset())),
            Err(error) => Err(error),
        }
    }

    /// Writes the sizes of the file to the copy in its entry. The entry was found in this index,
    /// which has not changed since.
    pub(crate) fn write_sizes(
        &self,
        mft: &Mft,
        located: &Located,
        allocated: u64,
        len: u64,
    ) -> Result<(), VolumeError> {
        let set = |node: &mut [u8]| {
            let name = bytes::view_mut::<FileName>(node, located.key_at)?;
            name.allocated_size = allocated.into();
            name.data_size = len.into();
            Some(())
        };
        let lost = || self.records.lacks("entry of a file");
        match located.node {
            None => {
                let (record, root) = self
                    .records
                    .all(attribute_type::INDEX_ROOT, INDEX)
                    .next()
                    .ok_or_else(lost)?;
                let mut record = record.clone();
                record
                    .value_mut(root.place())
                    .and_then(|root| root.get_mut(IndexRoot::NODE..))
                    .and_then(set)
                    .ok_or_else(lost)?;
                mft.write(&mut record)
            }
            Some(vcn) => {
                let (mut block, at) = self.block(vcn, Vec::new())?;
                block
                    .get_mut(IndexBlock::NODE..)
                    .and_then(set)
                    .ok_or_else(lost)?;
                let stream = self.allocation.as_ref().ok_or_else(lost)?;
                let layout = stream.layout().ok_or_else(lost)?;
                let extents: Vec<_> = layout.extents().collect();
                let folder = self.records.base().number();
                claims::check(mft, folder, &extents, |record, attribute| {
                    stream.is_told_by(record, attribute)
                })?;
                let start = self.shape.position(vcn).ok_or_else(lost)?;
                let mut before = vec![0; block.len()];
                layout.read(self.disk, &mut before, start)?;
                fixup::protect_over(&mut block, &before, IndexBlock::MAGIC, at)?;
                layout.write(self.disk, &block, start)
            }
        }
    }
}

/// An entry and its position.
pub(crate) struct Located {
    pub(crate) entry: Entry,
    /// The number of its node; `None` for the root.
    node: Option<u64>,
    /// Offset of its key in the node.
    key_at: usize,
}

fn place(start: u64, within: usize) -> u64 {
    start.saturating_add(to_u64(within))
}

fn name_of(found: &IndexEntry<'_>, node: u64) -> Result<Entry, Corruption> {
    parse_name(found).ok_or_else(|| {
        let at = place(node, found.key_at);
        let actual = format!("{} bytes", found.key.len());
        Corruption::new("file name in an index", at, "a whole name", actual)
    })
}

fn parse_name(found: &IndexEntry<'_>) -> Option<Entry> {
    let header = bytes::view::<FileName>(found.key, 0)?;
    let (_, name) = parse_key(found.key)?;
    Some(Entry {
        name,
        id: FileId::from_reference(found.reference),
        namespace: match header.namespace {
            FileName::NAMESPACE_POSIX => Namespace::Posix,
            FileName::NAMESPACE_WIN32 => Namespace::Win32,
            FileName::NAMESPACE_DOS => Namespace::Dos,
            FileName::NAMESPACE_BOTH => Namespace::Both,
            _ => return None,
        },
    })
}
