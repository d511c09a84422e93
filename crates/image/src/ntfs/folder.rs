//! The index of a folder: its names, and the files they name (Linux-NTFS, Directory).
//!
//! The tree is walked with own code: the `ntfs` crate follows the nodes of a damaged or hostile
//! index without end (a node that is its own child) and slices by lengths it has not checked.

use std::cmp::Ordering;
use std::collections::HashSet;

use super::disk::Disk;
use super::error::{Corruption, VolumeError};
use super::fixup;
use super::format::{FileName, IndexBlock, IndexRoot, attribute_type};
use super::mft::Mft;
use super::node::{self, NodeEntry};
use super::place::FileId;
use super::records::Records;
use super::stream::Stream;
use super::upcase::UpCase;
use crate::bytes;

/// Name of the index and of the attributes that hold it.
const INDEX: &str = "$I30";
/// `index_root.collation_rule` of an index of file names.
const COLLATION_FILE_NAME: u32 = 1;
/// Most names that are read of one folder.
const MAX_NAMES: usize = 1 << 22;

/// Most names that are found for one.
const MAX_SAME: usize = 1 << 10;

/// Which rules a name follows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Namespace {
    /// Case-sensitive, any character but NUL and slash.
    Posix,
    /// A long name, which may have a short one beside it.
    Win32,
    /// A short name beside a long one; listings leave it out.
    Dos,
    /// A name that is long and short at once.
    Both,
}

/// A name in a folder.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// The name in UTF-16 units, as spelled on disk; it need not be valid UTF-16.
    pub name: Vec<u16>,
    /// The file it names.
    pub id: FileId,
    /// Which rules it follows.
    pub namespace: Namespace,
}

/// A folder's index.
pub(crate) struct Folder<'a> {
    disk: &'a Disk,
    records: Records,
    allocation: Option<Stream>,
    block_len: usize,
    /// Bytes that one step of a node's number stands for.
    unit: u64,
}

/// A place in a node whose entries come in order.
enum Step {
    Child(u64),
    Name(Entry),
}

impl<'a> Folder<'a> {
    /// Opens the index of a folder.
    pub(crate) fn open(mft: &'a Mft, id: FileId) -> Result<Self, VolumeError> {
        let disk = mft.disk();
        let records = Records::read(mft, id)?;
        if !records.base().is_folder() {
            return Err(VolumeError::NotAFolder(id));
        }
        let (block_len, rule) = {
            let root = Self::root_of(&records)?;
            let header = bytes::view::<IndexRoot>(root, 0)
                .ok_or_else(|| records.lacks("header of an index"))?;
            (header.index_block_size.get(), header.collation_rule.get())
        };
        let wrong = |what, expected: &'static str, actual: u32| {
            Corruption::new(what, records.base().offset(), expected, actual.to_string())
        };
        if rule != COLLATION_FILE_NAME {
            return Err(wrong("collation rule of a folder", "1", rule).into());
        }
        if !(512..=64 << 10).contains(&block_len) || !block_len.is_power_of_two() {
            let expected = "a power of two from 512 to 65536";
            return Err(wrong("length of an index block", expected, block_len).into());
        }
        let cluster_len = disk.geometry.cluster_len;
        let allocation = Stream::of(disk, &records, attribute_type::INDEX_ALLOCATION, INDEX)?;
        Ok(Self {
            disk,
            allocation,
            block_len: usize::try_from(block_len).unwrap_or(0),
            unit: u64::from(if cluster_len <= block_len {
                cluster_len
            } else {
                512
            }),
            records,
        })
    }

    fn root_of(records: &Records) -> Result<&[u8], VolumeError> {
        let (_, attribute) = records
            .all(attribute_type::INDEX_ROOT, INDEX)
            .next()
            .ok_or_else(|| records.lacks("index of a folder"))?;
        Ok(attribute
            .resident()
            .ok_or_else(|| records.lacks("resident root of an index"))?)
    }

    /// The root node, from its header on, and its place.
    fn root(&self) -> Result<(Vec<u8>, u64), VolumeError> {
        let root = Self::root_of(&self.records)?;
        let node = root.get(IndexRoot::NODE..).unwrap_or_default();
        Ok((node.to_vec(), self.records.base().offset()))
    }

    /// The node `vcn`, from its header on, and its place.
    fn node(&self, vcn: u64) -> Result<(Vec<u8>, u64), VolumeError> {
        let (mut block, offset) = self.block(vcn)?;
        Ok((block.split_off(IndexBlock::NODE), offset))
    }

    /// The index block `vcn` and its place.
    fn block(&self, vcn: u64) -> Result<(Vec<u8>, u64), VolumeError> {
        let allocation = self
            .allocation
            .as_ref()
            .ok_or_else(|| self.records.lacks("index allocation"))?;
        let at = vcn.saturating_mul(self.unit);
        let mut block = vec![0; self.block_len];
        allocation.read(self.disk, &mut block, at)?;
        let layout = allocation.layout();
        let offset = layout.and_then(|layout| layout.position(at)).unwrap_or(at);
        fixup::unprotect(&mut block, IndexBlock::MAGIC, offset)?;
        let found = bytes::view::<IndexBlock>(&block, 0).map(|block| block.vcn.get());
        if found != Some(vcn) {
            let actual = format!("{found:?}");
            return Err(Corruption::new(
                "number of an index block",
                offset,
                vcn.to_string(),
                actual,
            )
            .into());
        }
        Ok((block, offset))
    }

    /// All names in their order, but short ones that stand beside a long one, and the name of the
    /// root folder in itself.
    pub(crate) fn list(&self) -> Result<Vec<Entry>, VolumeError> {
        let folder = self.records.base().number();
        let mut names = Vec::new();
        let mut seen = Seen::default();
        let (root, offset) = self.root()?;
        let mut path = vec![steps(&root, offset)?.into_iter()];
        while let Some(node) = path.last_mut() {
            match node.next() {
                None => {
                    path.pop();
                }
                Some(Step::Name(entry)) => {
                    if names.len() >= MAX_NAMES {
                        let expected = format!("at most {MAX_NAMES}");
                        return Err(
                            Corruption::new("names of a folder", offset, expected, "more").into(),
                        );
                    }
                    if entry.namespace != Namespace::Dos && entry.id.record != folder {
                        names.push(entry);
                    }
                }
                Some(Step::Child(vcn)) => {
                    seen.visit(vcn, offset)?;
                    let (node, offset) = self.node(vcn)?;
                    path.push(steps(&node, offset)?.into_iter());
                }
            }
        }
        Ok(names)
    }

    /// The entry of a name: as spelled, or else one that differs in case only.
    ///
    /// Names that differ in case only are neighbours in the index, ordered by their units. So the
    /// way to where `name` is or would be passes one of them, if there is any.
    pub(crate) fn find(
        &self,
        upcase: &UpCase,
        name: &[u16],
    ) -> Result<Option<Located>, VolumeError> {
        let mut seen = Seen::default();
        let mut similar = None;
        let mut number = None;
        let (mut node, mut offset) = self.root()?;
        loop {
            let mut child = None;
            for found in node::entries(&node, offset)? {
                child = found.child;
                if found.is_last {
                    break;
                }
                let entry = name_of(&found, offset)?;
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
                return Ok(similar);
            };
            seen.visit(vcn, offset)?;
            (node, offset) = self.node(vcn)?;
            number = Some(vcn);
        }
    }

    /// All names that equal `name` but for case, in the order of the index.
    pub(crate) fn find_all(
        &self,
        upcase: &UpCase,
        name: &[u16],
    ) -> Result<Vec<Entry>, VolumeError> {
        let mut found = Vec::new();
        let mut seen = Seen::default();
        let (root, offset) = self.root()?;
        let mut path = vec![steps_towards(&root, offset, upcase, name)?.into_iter()];
        while let Some(node) = path.last_mut() {
            match node.next() {
                None => {
                    path.pop();
                }
                Some(Step::Name(entry)) => {
                    if found.len() >= MAX_SAME {
                        let expected = format!("at most {MAX_SAME}");
                        let what = "names that differ in case only";
                        return Err(Corruption::new(what, offset, expected, "more").into());
                    }
                    found.push(entry);
                }
                Some(Step::Child(vcn)) => {
                    seen.visit(vcn, offset)?;
                    let (node, offset) = self.node(vcn)?;
                    path.push(steps_towards(&node, offset, upcase, name)?.into_iter());
                }
            }
        }
        Ok(found)
    }

    /// Writes the sizes of the file into the copy that its entry has. The entry was found in this
    /// index, which has not changed since.
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
                let (mut block, at) = self.block(vcn)?;
                block
                    .get_mut(IndexBlock::NODE..)
                    .and_then(set)
                    .ok_or_else(lost)?;
                let layout = self
                    .allocation
                    .as_ref()
                    .and_then(Stream::layout)
                    .ok_or_else(lost)?;
                let start = vcn.saturating_mul(self.unit);
                let mut before = vec![0; block.len()];
                layout.read(self.disk, &mut before, start)?;
                fixup::protect_over(&mut block, &before, IndexBlock::MAGIC, at)?;
                layout.write(self.disk, &block, start)
            }
        }
    }
}

/// An entry and where it lies.
pub(crate) struct Located {
    pub(crate) entry: Entry,
    /// Number of its node; `None` for the root.
    node: Option<u64>,
    /// Offset of its key in the node.
    key_at: usize,
}

/// The nodes that were visited: one that comes again would lead around for ever.
#[derive(Default)]
struct Seen(HashSet<u64>);

impl Seen {
    fn visit(&mut self, vcn: u64, offset: u64) -> Result<(), Corruption> {
        if self.0.insert(vcn) {
            return Ok(());
        }
        let actual = format!("node {vcn} again");
        Err(Corruption::new(
            "child of an index node",
            offset,
            "another node",
            actual,
        ))
    }
}

fn steps(node: &[u8], offset: u64) -> Result<Vec<Step>, VolumeError> {
    let mut steps = Vec::new();
    for found in node::entries(node, offset)? {
        steps.extend(found.child.map(Step::Child));
        if !found.is_last {
            steps.push(Step::Name(name_of(&found, offset)?));
        }
    }
    Ok(steps)
}

/// The names of a node that equal `name` but for case, and the children in which others may be.
fn steps_towards(
    node: &[u8],
    offset: u64,
    upcase: &UpCase,
    name: &[u16],
) -> Result<Vec<Step>, VolumeError> {
    let mut steps = Vec::new();
    for found in node::entries(node, offset)? {
        if found.is_last {
            steps.extend(found.child.map(Step::Child));
            break;
        }
        let entry = name_of(&found, offset)?;
        let order = upcase.compare(name, &entry.name);
        if order != Ordering::Greater {
            steps.extend(found.child.map(Step::Child));
        }
        match order {
            Ordering::Less => break,
            Ordering::Equal => steps.push(Step::Name(entry)),
            Ordering::Greater => {}
        }
    }
    Ok(steps)
}

fn name_of(found: &NodeEntry<'_>, offset: u64) -> Result<Entry, Corruption> {
    parse_name(found).ok_or_else(|| {
        let at = offset.saturating_add(u64::try_from(found.key_at).unwrap_or(u64::MAX));
        let actual = format!("{} bytes", found.key.len());
        Corruption::new("file name in an index", at, "a whole name", actual)
    })
}

fn parse_name(found: &NodeEntry<'_>) -> Option<Entry> {
    let header = bytes::view::<FileName>(found.key, 0)?;
    let (_, name) = parse_key(found.key)?;
    Some(Entry {
        name,
        id: FileId::from_reference(found.file),
        namespace: match header.namespace {
            FileName::NAMESPACE_POSIX => Namespace::Posix,
            FileName::NAMESPACE_WIN32 => Namespace::Win32,
            FileName::NAMESPACE_DOS => Namespace::Dos,
            FileName::NAMESPACE_BOTH => Namespace::Both,
            _ => return None,
        },
    })
}

/// The folder and the name that a $FILE_NAME tells.
pub(crate) fn parse_key(key: &[u8]) -> Option<(FileId, Vec<u16>)> {
    let header = bytes::view::<FileName>(key, 0)?;
    let len = usize::from(header.name_length).checked_mul(size_of::<u16>())?;
    let name = bytes::slice(key, size_of::<FileName>(), len)?;
    let units = name.as_chunks::<2>().0.iter().copied();
    let name = units.map(u16::from_le_bytes).collect();
    Some((FileId::from_reference(header.parent.get()), name))
}
