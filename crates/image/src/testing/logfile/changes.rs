//! Makes changes of a volume in use: computes from its state what reverses each.

use super::bytes::{put_u16, put_u32, put_u64, u16_at, u32_at, u64_at};
use super::client::{Action, Operation};
use super::image::{self, At, INDEX_ALLOCATION, INDEX_ROOT, Image};
use super::session::{Change, Session, Target};

/// An attribute of a file.
#[derive(Clone, Copy, Debug)]
pub struct Attribute<'a> {
    /// The file's record.
    pub number: u64,
    /// The type.
    pub kind: u32,
    /// The name.
    pub name: &'a str,
}

/// The position of an entry of a folder's index.
#[derive(Clone, Debug)]
enum EntryAt {
    /// In the index root: the offset of its attribute, and of the entry in it.
    Root(usize, usize),
    /// In an index block: its cluster in the index, and the offset of the entry.
    Block(u64, usize),
}

impl Session {
    fn attribute(&self, it: Attribute<'_>) -> (Vec<u8>, At) {
        let record = self.now().read_record(it.number);
        let at = image::find(&record, it.kind, it.name).expect("the attribute");
        (record, at)
    }

    /// A FILE record as it is now, without update sequence numbers.
    #[must_use]
    pub fn record(&self, number: u64) -> Vec<u8> {
        self.now().read_record(number)
    }

    /// A resident value as it is now.
    #[must_use]
    pub fn value(&self, it: Attribute<'_>) -> Vec<u8> {
        let (record, at) = self.attribute(it);
        let start = at.offset + usize::from(u16_at(&record, at.offset + 0x14));
        record[start..start + u32_at(&record, at.offset + 0x10) as usize].to_vec()
    }

    /// Replaces bytes of a resident value.
    #[must_use]
    pub fn update_resident(&self, it: Attribute<'_>, at: usize, data: &[u8]) -> Change {
        let old = self.value(it)[at..at + data.len()].to_vec();
        self.resident(it, at, data, old)
    }

    /// Replaces the end of a resident value from `at` on by bytes of another length.
    #[must_use]
    pub fn resize_resident(&self, it: Attribute<'_>, at: usize, data: &[u8]) -> Change {
        let old = self.value(it)[at..].to_vec();
        self.resident(it, at, data, old)
    }

    fn resident(&self, it: Attribute<'_>, at: usize, data: &[u8], old: Vec<u8>) -> Change {
        let (record, place) = self.attribute(it);
        let value = usize::from(u16_at(&record, place.offset + 0x14));
        Change {
            target: Target::Record { number: it.number },
            record_offset: place.offset,
            attribute_offset: value + at,
            redo: Action::new(Operation::UpdateResidentValue, data.to_vec()),
            undo: Action::new(Operation::UpdateResidentValue, old),
        }
    }

    /// Inserts an attribute, in the order of types and names.
    #[must_use]
    pub fn create_attribute(&self, number: u64, bytes: &[u8]) -> Change {
        let record = self.record(number);
        let key = |data: &[u8], at: At| (u32_at(data, at.offset), image::name(data, at));
        let new = key(
            bytes,
            At {
                offset: 0,
                len: bytes.len(),
            },
        );
        let after = image::attributes(&record)
            .into_iter()
            .find(|at| key(&record, *at) > new);
        let end = image::used(&record) - 8;
        Change {
            target: Target::Record { number },
            record_offset: after.map_or(end, |at| at.offset),
            attribute_offset: 0,
            redo: Action::new(Operation::CreateAttribute, bytes.to_vec()),
            undo: Action::bare(Operation::DeleteAttribute),
        }
    }

    /// Removes an attribute.
    #[must_use]
    pub fn delete_attribute(&self, it: Attribute<'_>) -> Change {
        let (record, at) = self.attribute(it);
        let bytes = record[at.offset..at.offset + at.len].to_vec();
        Change {
            target: Target::Record { number: it.number },
            record_offset: at.offset,
            attribute_offset: 0,
            redo: Action::bare(Operation::DeleteAttribute),
            undo: Action::new(Operation::CreateAttribute, bytes),
        }
    }

    /// Sets the sizes of an attribute in clusters: bytes allocated, initialized, and of the value.
    #[must_use]
    pub fn set_sizes(&self, it: Attribute<'_>, sizes: [u64; 3]) -> Change {
        let (record, at) = self.attribute(it);
        let old = [0x28, 0x38, 0x30].map(|field| u64_at(&record, at.offset + field));
        let bytes = |sizes: [u64; 3]| sizes.iter().flat_map(|it| it.to_le_bytes()).collect();
        Change {
            target: Target::Record { number: it.number },
            record_offset: at.offset,
            attribute_offset: 0,
            redo: Action::new(Operation::SetNewAttributeSizes, bytes(sizes)),
            undo: Action::new(Operation::SetNewAttributeSizes, bytes(old)),
        }
    }

    /// Replaces all mapping pairs of an attribute; `pairs` end with a zero.
    #[must_use]
    pub fn update_mapping_pairs(&self, it: Attribute<'_>, pairs: &[u8]) -> Change {
        let (record, at) = self.attribute(it);
        let start = usize::from(u16_at(&record, at.offset + 0x20));
        let old = record[at.offset + start..at.offset + at.len].to_vec();
        Change {
            target: Target::Record { number: it.number },
            record_offset: at.offset,
            attribute_offset: start,
            redo: Action::new(Operation::UpdateMappingPairs, pairs.to_vec()),
            undo: Action::new(Operation::UpdateMappingPairs, old),
        }
    }

    /// Writes a FILE record that was not used; `bytes` end where its used part ends.
    #[must_use]
    pub fn initialize_record(&self, number: u64, bytes: &[u8]) -> Change {
        Change {
            target: Target::Record { number },
            record_offset: 0,
            attribute_offset: 0,
            redo: Action::new(Operation::InitializeFileRecordSegment, bytes.to_vec()),
            undo: Action::bare(Operation::DeallocateFileRecordSegment),
        }
    }

    /// Marks a FILE record as unused.
    #[must_use]
    pub fn deallocate_record(&self, number: u64) -> Change {
        let record = self.record(number);
        let bytes = record[..image::used(&record)].to_vec();
        Change {
            target: Target::Record { number },
            record_offset: 0,
            attribute_offset: 0,
            redo: Action::bare(Operation::DeallocateFileRecordSegment),
            undo: Action::new(Operation::InitializeFileRecordSegment, bytes),
        }
    }

    /// Replaces bytes of a value in clusters, within one cluster.
    #[must_use]
    pub fn update_nonresident(&self, it: Attribute<'_>, at: u64, data: &[u8]) -> Change {
        let cluster = self.now().cluster as u64;
        let vcn = at / cluster;
        let (record, place) = self.attribute(it);
        let lcn = Image::lcn(&self.now().runs(&record, place), vcn).expect("a cluster");
        let start = (lcn * cluster + at % cluster) as usize;
        let old = self.now().bytes[start..start + data.len()].to_vec();
        Change {
            target: Target::Page {
                number: it.number,
                kind: it.kind,
                name: it.name.to_owned(),
                vcn,
            },
            record_offset: (at % cluster) as usize,
            attribute_offset: 0,
            redo: Action::new(Operation::UpdateNonresidentValue, data.to_vec()),
            undo: Action::new(Operation::UpdateNonresidentValue, old),
        }
    }

    /// Sets or clears bits of a bitmap in clusters, within one cluster of it.
    #[must_use]
    pub fn change_bits(&self, it: Attribute<'_>, first: u64, count: u32, set: bool) -> Change {
        let bits = self.now().cluster as u64 * 8;
        let (on, off) = (
            Operation::SetBitsInNonresidentBitMap,
            Operation::ClearBitsInNonresidentBitMap,
        );
        let (redo, undo) = if set { (on, off) } else { (off, on) };
        let mut data = vec![0; 8];
        put_u32(&mut data, 0, (first % bits) as u32);
        put_u32(&mut data, 4, count);
        Change {
            target: Target::Page {
                number: it.number,
                kind: it.kind,
                name: it.name.to_owned(),
                vcn: first / bits,
            },
            record_offset: 0,
            attribute_offset: 0,
            redo: Action::new(redo, data.clone()),
            undo: Action::new(undo, data),
        }
    }

    /// True if a bit of a bitmap in clusters is set.
    #[must_use]
    pub fn bit(&self, it: Attribute<'_>, bit: u64) -> bool {
        let value = self.now().read_value(it.number, it.kind, it.name);
        value[(bit / 8) as usize] >> (bit % 8) & 1 == 1
    }

    /// The records that are open as far as it matters for entries: the place of the entry of `name`
    /// in the folder, or where it belongs.
    fn find_entry(&self, folder: u64, name: &str) -> (EntryAt, Option<Vec<u8>>) {
        let root = Attribute {
            number: folder,
            kind: INDEX_ROOT,
            name: "$I30",
        };
        let (record, at) = self.attribute(root);
        let value = usize::from(u16_at(&record, at.offset + 0x14));
        let mut node: Vec<u8> = record[at.offset..at.offset + at.len].to_vec();
        let mut offset = value + 0x20;
        let mut block = None;
        loop {
            let flags = u16_at(&node, offset + 12);
            let is_last = flags & 2 != 0;
            let found = if is_last {
                None
            } else {
                Some(entry_name(&node[offset..]))
            };
            let order = found.as_deref().map(|found| collate(name, found));
            match order {
                Some(std::cmp::Ordering::Greater) => {
                    offset += usize::from(u16_at(&node, offset + 8));
                    continue;
                }
                Some(std::cmp::Ordering::Equal) => {
                    let len = usize::from(u16_at(&node, offset + 8));
                    let bytes = node[offset..offset + len].to_vec();
                    return (place_of(block, at.offset, offset), Some(bytes));
                }
                _ => {}
            }
            if flags & 1 == 0 {
                return (place_of(block, at.offset, offset), None);
            }
            let len = usize::from(u16_at(&node, offset + 8));
            let vcn = u64_at(&node, offset + len - 8);
            node = self.block(folder, vcn);
            offset = 0x18 + u32_at(&node, 0x18) as usize;
            block = Some(vcn);
        }
    }

    fn block(&self, folder: u64, vcn: u64) -> Vec<u8> {
        let allocation = Attribute {
            number: folder,
            kind: INDEX_ALLOCATION,
            name: "$I30",
        };
        let (record, at) = self.attribute(allocation);
        let lcn = Image::lcn(&self.now().runs(&record, at), vcn).expect("a cluster");
        let start = lcn as usize * self.now().cluster;
        self.now().read_block(start, 4096, *b"INDX")
    }

    /// The entry of `name` in a folder's index.
    #[must_use]
    pub fn entry(&self, folder: u64, name: &str) -> Option<Vec<u8>> {
        self.find_entry(folder, name).1
    }

    fn entry_change(
        folder: u64,
        at: &EntryAt,
        root: (Action, Action),
        block: (Action, Action),
    ) -> Change {
        match *at {
            EntryAt::Root(attribute, entry) => Change {
                target: Target::Record { number: folder },
                record_offset: attribute,
                attribute_offset: entry,
                redo: root.0,
                undo: root.1,
            },
            EntryAt::Block(vcn, entry) => Change {
                target: Target::Block {
                    number: folder,
                    name: "$I30".to_owned(),
                    vcn,
                },
                record_offset: 0,
                attribute_offset: entry,
                redo: block.0,
                undo: block.1,
            },
        }
    }

    /// Inserts an entry into a folder's index; `None` if it is there or there is no room.
    #[must_use]
    pub fn add_entry(&self, folder: u64, entry: &[u8]) -> Option<Change> {
        let (at, found) = self.find_entry(folder, &entry_name(entry));
        let fits = match at {
            EntryAt::Root(..) => {
                let record = self.record(folder);
                image::used(&record) + entry.len() <= record.len() - 8
            }
            EntryAt::Block(vcn, _) => {
                let block = self.block(folder, vcn);
                u32_at(&block, 0x1C) as usize + entry.len() <= u32_at(&block, 0x20) as usize
            }
        };
        let entry = entry.to_vec();
        (found.is_none() && fits).then(|| {
            Self::entry_change(
                folder,
                &at,
                (
                    Action::new(Operation::AddIndexEntryRoot, entry.clone()),
                    Action::bare(Operation::DeleteIndexEntryRoot),
                ),
                (
                    Action::new(Operation::AddIndexEntryAllocation, entry),
                    Action::bare(Operation::DeleteIndexEntryAllocation),
                ),
            )
        })
    }

    /// Removes the entry of `name` from a folder's index; `None` if there is none, or if it has a
    /// child.
    #[must_use]
    pub fn delete_entry(&self, folder: u64, name: &str) -> Option<Change> {
        let (at, entry) = self.find_entry(folder, name);
        let entry = entry.filter(|entry| u16_at(entry, 12) & 1 == 0)?;
        Some(Self::entry_change(
            folder,
            &at,
            (
                Action::bare(Operation::DeleteIndexEntryRoot),
                Action::new(Operation::AddIndexEntryRoot, entry.clone()),
            ),
            (
                Action::bare(Operation::DeleteIndexEntryAllocation),
                Action::new(Operation::AddIndexEntryAllocation, entry),
            ),
        ))
    }

    /// Replaces the times and sizes in the entry of `name`: the 56 bytes after the reference of the
    /// folder.
    #[must_use]
    pub fn update_entry(&self, folder: u64, name: &str, info: &[u8; 56]) -> Option<Change> {
        let (at, entry) = self.find_entry(folder, name);
        let old = entry?[0x18..0x18 + 56].to_vec();
        let both = |operation| {
            (
                Action::new(operation, info.to_vec()),
                Action::new(operation, old.clone()),
            )
        };
        Some(Self::entry_change(
            folder,
            &at,
            both(Operation::UpdateFileNameRoot),
            both(Operation::UpdateFileNameAllocation),
        ))
    }
}

fn place_of(block: Option<u64>, root: usize, offset: usize) -> EntryAt {
    match block {
        None => EntryAt::Root(root, offset),
        Some(vcn) => EntryAt::Block(vcn, offset),
    }
}

/// The name in an index entry.
fn entry_name(entry: &[u8]) -> String {
    let units = 0..usize::from(entry[0x50]);
    let units: Vec<u16> = units.map(|n| u16_at(entry, 0x52 + 2 * n)).collect();
    String::from_utf16_lossy(&units)
}

/// The order of names in an index: that of their upper-case units.
fn collate(one: &str, other: &str) -> std::cmp::Ordering {
    let upper = |name: &str| -> Vec<u16> { name.to_uppercase().encode_utf16().collect() };
    upper(one).cmp(&upper(other))
}

/// An index entry for a value of $FILE_NAME.
#[must_use]
pub fn index_entry(reference: u64, file_name: &[u8]) -> Vec<u8> {
    let len = (0x10 + file_name.len()).next_multiple_of(8);
    let mut entry = vec![0; len];
    put_u64(&mut entry, 0, reference);
    put_u16(&mut entry, 8, len as u16);
    put_u16(&mut entry, 10, file_name.len() as u16);
    entry[0x10..0x10 + file_name.len()].copy_from_slice(file_name);
    entry
}
