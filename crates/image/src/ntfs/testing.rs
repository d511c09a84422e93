//! Records made in tests.

use super::fixup;

/// Makes a FILE record of 1024 bytes attribute by attribute.
#[derive(Clone)]
pub(crate) struct RecordBuilder {
    data: Vec<u8>,
    end: usize,
    instance: u16,
}

impl RecordBuilder {
    pub(crate) fn new(number: u32) -> Self {
        let mut data = vec![0; 1024];
        data[..8].copy_from_slice(b"FILE\x30\x00\x03\x00");
        data[16] = 1;
        data[20] = 56;
        data[22] = 1;
        data[28..32].copy_from_slice(&1024_u32.to_le_bytes());
        data[44..48].copy_from_slice(&number.to_le_bytes());
        let mut record = Self {
            data,
            end: 56,
            instance: 0,
        };
        record.finish();
        record
    }

    /// Adds an attribute.
    pub(crate) fn attribute(mut self, mut bytes: Vec<u8>) -> Self {
        bytes[14..16].copy_from_slice(&self.instance.to_le_bytes());
        self.instance += 1;
        self.data[self.end..][..bytes.len()].copy_from_slice(&bytes);
        self.end += bytes.len();
        self.finish();
        self
    }

    fn finish(&mut self) {
        self.data[self.end..][..8].copy_from_slice(&[0xFF, 0xFF, 0xFF, 0xFF, 0, 0, 0, 0]);
        let used = u32::try_from(self.end + 8).expect("small");
        self.data[24..28].copy_from_slice(&used.to_le_bytes());
        self.data[40..42].copy_from_slice(&self.instance.to_le_bytes());
    }

    /// The bytes, without update sequence numbers.
    pub(crate) fn bytes_mut(&mut self) -> &mut [u8] {
        &mut self.data
    }

    /// The bytes as they are on disk; unprotected if they can't be protected.
    pub(crate) fn protected(&self) -> Vec<u8> {
        let mut data = self.data.clone();
        let _ = fixup::protect(&mut data, *b"FILE", 0);
        data
    }
}

fn header(kind: u32, name: &str, non_resident: bool, name_offset: u8) -> Vec<u8> {
    let mut bytes = vec![0; 16];
    bytes[..4].copy_from_slice(&kind.to_le_bytes());
    bytes[8] = non_resident.into();
    bytes[9] = u8::try_from(name.len()).expect("short");
    bytes[10] = name_offset;
    bytes.resize(usize::from(name_offset), 0);
    bytes.extend(name.encode_utf16().flat_map(u16::to_le_bytes));
    bytes.resize(bytes.len().next_multiple_of(8), 0);
    bytes
}

fn closed(mut bytes: Vec<u8>) -> Vec<u8> {
    bytes.resize(bytes.len().next_multiple_of(8), 0);
    let len = u32::try_from(bytes.len()).expect("small");
    bytes[4..8].copy_from_slice(&len.to_le_bytes());
    bytes
}

/// A resident attribute.
pub(crate) fn resident(kind: u32, name: &str, value: &[u8]) -> Vec<u8> {
    let mut bytes = header(kind, name, false, 24);
    let start = u8::try_from(bytes.len()).expect("small");
    bytes[16..20].copy_from_slice(&u32::try_from(value.len()).expect("small").to_le_bytes());
    bytes[20] = start;
    bytes.extend(value);
    closed(bytes)
}

/// An attribute with a value that fills `clusters` clusters of 4096 bytes.
pub(crate) fn non_resident(kind: u32, name: &str, clusters: u64, pairs: &[u8]) -> Vec<u8> {
    let mut bytes = header(kind, name, true, 64);
    bytes[24..32].copy_from_slice(&clusters.wrapping_sub(1).to_le_bytes());
    bytes[32] = u8::try_from(bytes.len()).expect("small");
    for at in [40, 48, 56] {
        bytes[at..at + 8].copy_from_slice(&(clusters * 4096).to_le_bytes());
    }
    bytes.extend(pairs);
    closed(bytes)
}
