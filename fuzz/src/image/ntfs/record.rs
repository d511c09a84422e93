//! FILE records and index nodes, attribute by attribute (Linux-NTFS).

use crate::image::bytes::{put, put16, put32, put64, utf16};

pub(super) const RECORD_LEN: usize = 1024;
pub(super) const INDEX_LEN: usize = 4096;
/// The offset of the attributes in a record.
const ATTRIBUTES: usize = 56;
const BLOCK_NODE: usize = 24;
/// The offset of the entries in a block, after its update sequence array.
const BLOCK_ENTRIES: usize = 64;

pub(super) const STANDARD_INFORMATION: u32 = 0x10;
pub(super) const FILE_NAME: u32 = 0x30;
pub(super) const VOLUME_INFORMATION: u32 = 0x70;
pub(super) const DATA: u32 = 0x80;
pub(super) const INDEX_ROOT: u32 = 0x90;
pub(super) const INDEX_ALLOCATION: u32 = 0xA0;
pub(super) const BITMAP: u32 = 0xB0;

/// The first cluster, or `None` for a hole, and the number of clusters.
pub(super) type Run = (Option<usize>, usize);

/// The value of an attribute in clusters.
pub(super) struct Stream {
    pub(super) runs: Vec<Run>,
    /// The allocated length in bytes.
    pub(super) allocated: usize,
    pub(super) len: usize,
    pub(super) initialized: usize,
}

/// A record that is being made.
pub(super) struct Record {
    bytes: Vec<u8>,
    end: usize,
    instance: u16,
}

impl Record {
    pub(super) fn new(number: usize, flags: u16) -> Self {
        let mut bytes = vec![0; RECORD_LEN];
        put(&mut bytes, 0, b"FILE\x30\0\x03\0");
        put16(&mut bytes, 16, 1);
        put16(&mut bytes, 18, 1);
        put16(&mut bytes, 20, ATTRIBUTES as u16);
        put16(&mut bytes, 22, flags);
        put32(&mut bytes, 28, RECORD_LEN as u32);
        put32(&mut bytes, 44, number as u32);
        Self {
            bytes,
            end: ATTRIBUTES,
            instance: 0,
        }
    }

    fn add(&mut self, mut attribute: Vec<u8>) {
        let len = attribute.len().next_multiple_of(8);
        attribute.resize(len, 0);
        put32(&mut attribute, 4, len as u32);
        put16(&mut attribute, 14, self.instance);
        self.instance += 1;
        put(&mut self.bytes, self.end, &attribute);
        self.end += len;
        assert!(self.end + 8 <= RECORD_LEN, "the record is full");
    }

    /// Adds an attribute with a value in the record.
    pub(super) fn resident(mut self, kind: u32, name: &str, value: &[u8]) -> Self {
        let mut attribute = header(kind, name, false, 24);
        let start = attribute.len();
        put32(&mut attribute, 16, value.len() as u32);
        put16(&mut attribute, 20, start as u16);
        attribute.extend(value);
        self.add(attribute);
        self
    }

    /// Adds an attribute with a value in clusters.
    pub(super) fn stream(self, kind: u32, name: &str, stream: &Stream) -> Self {
        self.stream_in_units(kind, name, stream, 0)
    }

    /// Adds an attribute with a value that is compressed in units of 2 to the power of `unit`
    /// clusters.
    pub(super) fn compressed(self, kind: u32, name: &str, stream: &Stream, unit: u8) -> Self {
        self.stream_in_units(kind, name, stream, unit)
    }

    fn stream_in_units(mut self, kind: u32, name: &str, stream: &Stream, unit: u8) -> Self {
        let clusters: usize = stream.runs.iter().map(|(_, len)| len).sum();
        let mut attribute = header(kind, name, true, 64);
        let start = attribute.len();
        put16(&mut attribute, 12, u16::from(unit > 0));
        put(&mut attribute, 34, &[unit]);
        put64(&mut attribute, 24, (clusters as u64).wrapping_sub(1));
        put16(&mut attribute, 32, start as u16);
        put64(&mut attribute, 40, stream.allocated as u64);
        put64(&mut attribute, 48, stream.len as u64);
        put64(&mut attribute, 56, stream.initialized as u64);
        let mut before = 0;
        for (start, len) in &stream.runs {
            let len = (*len as u16).to_le_bytes();
            match start {
                None => attribute.extend([0x02, len[0], len[1]]),
                Some(start) => {
                    let [a, b, c, _] = (*start as i32 - before).to_le_bytes();
                    attribute.extend([0x32, len[0], len[1], a, b, c]);
                    before = *start as i32;
                }
            }
        }
        attribute.push(0);
        self.add(attribute);
        self
    }

    /// The record as it is on disk.
    pub(super) fn finish(mut self) -> Vec<u8> {
        put32(&mut self.bytes, self.end, u32::MAX);
        put32(&mut self.bytes, 24, self.end as u32 + 8);
        put16(&mut self.bytes, 40, self.instance);
        protect(&mut self.bytes, 48);
        self.bytes
    }
}

fn header(kind: u32, name: &str, non_resident: bool, name_at: usize) -> Vec<u8> {
    let mut bytes = vec![0; name_at];
    put32(&mut bytes, 0, kind);
    put(&mut bytes, 8, &[non_resident.into(), name.len() as u8]);
    put16(&mut bytes, 10, name_at as u16);
    bytes.extend(utf16(name));
    bytes.resize(bytes.len().next_multiple_of(8), 0);
    bytes
}

/// Writes update sequence number 1 at the end of every 512 bytes.
fn protect(bytes: &mut [u8], array: usize) {
    put16(bytes, array, 1);
    for (index, end) in (510..bytes.len()).step_by(512).enumerate() {
        let displaced = bytes.get(end..end + 2).unwrap_or_default().to_vec();
        put(bytes, array + 2 + 2 * index, &displaced);
        put16(bytes, end, 1);
    }
}

/// An entry of an index: the bytes before the key, the key, and the child.
pub(super) fn entry(head: [u8; 8], key: &[u8], tail: &[u8], child: Option<usize>) -> Vec<u8> {
    let mut bytes = vec![0; 16];
    put(&mut bytes, 0, &head);
    put16(&mut bytes, 10, key.len() as u16);
    bytes.extend(key);
    bytes.extend(tail);
    close(bytes, 0, child)
}

/// The entry that ends a node.
pub(super) fn last(child: Option<usize>) -> Vec<u8> {
    close(vec![0; 16], 2, child)
}

fn close(mut bytes: Vec<u8>, flags: u16, child: Option<usize>) -> Vec<u8> {
    bytes.resize(bytes.len().next_multiple_of(8), 0);
    if let Some(child) = child {
        bytes.extend((child as u64).to_le_bytes());
    }
    let len = bytes.len() as u16;
    put16(&mut bytes, 8, len);
    put16(&mut bytes, 12, flags | u16::from(child.is_some()));
    bytes
}

/// The value of `$INDEX_ROOT`.
pub(super) fn root(
    kind: u32,
    rule: u32,
    cluster: usize,
    entries: &[u8],
    children: bool,
) -> Vec<u8> {
    let mut bytes = vec![0; 32];
    put32(&mut bytes, 0, kind);
    put32(&mut bytes, 4, rule);
    put32(&mut bytes, 8, INDEX_LEN as u32);
    put(&mut bytes, 12, &[(INDEX_LEN / cluster) as u8]);
    let len = 16 + entries.len() as u32;
    put32(&mut bytes, 16, 16);
    put32(&mut bytes, 20, len);
    put32(&mut bytes, 24, len);
    put(&mut bytes, 28, &[children.into()]);
    bytes.extend(entries);
    bytes
}

/// An index block without children, as it is on disk.
pub(super) fn block(vcn: usize, entries: &[u8]) -> Vec<u8> {
    let mut bytes = vec![0; INDEX_LEN];
    put(&mut bytes, 0, b"INDX\x28\0\x09\0");
    put64(&mut bytes, 16, vcn as u64);
    let first = BLOCK_ENTRIES - BLOCK_NODE;
    put32(&mut bytes, BLOCK_NODE, first as u32);
    put32(&mut bytes, BLOCK_NODE + 4, (first + entries.len()) as u32);
    put32(&mut bytes, BLOCK_NODE + 8, (INDEX_LEN - BLOCK_NODE) as u32);
    put(&mut bytes, BLOCK_ENTRIES, entries);
    protect(&mut bytes, 40);
    bytes
}
