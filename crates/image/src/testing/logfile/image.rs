//! The bytes of a volume: its FILE records, attributes and clusters.

use super::bytes::{put, u16_at, u32_at, u64_at};
use crate::ntfs::fixup;
use crate::ntfs::runs::{self, Run};

/// $MFT, $LogFile, $Bitmap.
pub(super) const MFT: u64 = 0;
pub(super) const LOG: u64 = 2;

/// Attribute types that the log's operations distinguish.
pub(super) const INDEX_ROOT: u32 = 0x90;
pub(super) const INDEX_ALLOCATION: u32 = 0xA0;
pub(super) const DATA: u32 = 0x80;

/// The bytes of a volume.
#[derive(Clone, Debug)]
pub(super) struct Image {
    pub(super) bytes: Vec<u8>,
    pub(super) cluster: usize,
    pub(super) record: usize,
    mft: Vec<Run>,
}

/// The position of an attribute in its record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct At {
    pub(super) offset: usize,
    pub(super) len: usize,
}

impl Image {
    pub(super) fn new(bytes: Vec<u8>) -> Self {
        let cluster = usize::from(u16_at(&bytes, 0xB)) * usize::from(bytes[0xD]);
        let record = match bytes[0x40].cast_signed() {
            clusters @ 1.. => clusters as usize * cluster,
            power => 1 << power.unsigned_abs(),
        };
        let start = u64_at(&bytes, 0x30) as usize * cluster;
        let mut image = Self {
            bytes,
            cluster,
            record,
            mft: Vec::new(),
        };
        let mut first = image.bytes[start..start + record].to_vec();
        fixup::unprotect(&mut first, *b"FILE", start as u64).expect("a record of $MFT");
        let data = find(&first, DATA, "").expect("data of $MFT");
        image.mft = image.runs(&first, data);
        image
    }

    /// The runs of an attribute in clusters.
    pub(super) fn runs(&self, record: &[u8], at: At) -> Vec<Run> {
        let pairs = at.offset + usize::from(u16_at(record, at.offset + 0x20));
        let clusters = (self.bytes.len() / self.cluster) as u64;
        let lowest = u64_at(record, at.offset + 0x10);
        runs::decode(&record[pairs..at.offset + at.len], lowest, clusters).expect("mapping pairs")
    }

    /// The cluster of the volume with the cluster `vcn` of a value.
    pub(super) fn lcn(runs: &[Run], vcn: u64) -> Option<u64> {
        let run = runs
            .iter()
            .find(|run| (run.vcn..run.end()).contains(&vcn))?;
        Some(run.lcn?.0 + vcn - run.vcn)
    }

    /// The cluster of $MFT with a record, where it is on the volume, and the record's offset there.
    pub(super) fn record_place(&self, number: u64) -> (u64, u64, usize) {
        let offset = number as usize * self.record;
        let vcn = (offset / self.cluster) as u64;
        let lcn = Self::lcn(&self.mft, vcn).expect("a record within $MFT");
        (vcn, lcn, offset % self.cluster)
    }

    fn record_offset(&self, number: u64) -> usize {
        let (_, lcn, offset) = self.record_place(number);
        lcn as usize * self.cluster + offset
    }

    /// A FILE record without update sequence numbers; all zeros if it was never used.
    pub(super) fn read_record(&self, number: u64) -> Vec<u8> {
        self.read_block(self.record_offset(number), self.record, *b"FILE")
    }

    pub(super) fn write_record(&mut self, number: u64, data: &[u8]) {
        self.write_block(self.record_offset(number), data, *b"FILE");
    }

    /// A protected structure; its bytes as they are if it isn't one.
    pub(super) fn read_block(&self, at: usize, len: usize, magic: [u8; 4]) -> Vec<u8> {
        let stored = &self.bytes[at..at + len];
        let mut data = stored.to_vec();
        match fixup::unprotect(&mut data, magic, at as u64) {
            Ok(()) => data,
            Err(_) => stored.to_vec(),
        }
    }

    pub(super) fn write_block(&mut self, at: usize, data: &[u8], magic: [u8; 4]) {
        let mut data = data.to_vec();
        // What has another signature is stored as it is.
        let _ = fixup::protect(&mut data, magic, at as u64);
        put(&mut self.bytes, at, &data);
    }

    /// The bytes of a value in clusters, up to the end of its last cluster.
    pub(super) fn read_value(&self, number: u64, kind: u32, name: &str) -> Vec<u8> {
        let record = self.read_record(number);
        let at = find(&record, kind, name).expect("the attribute");
        let runs = self.runs(&record, at);
        let mut value = Vec::new();
        for run in runs {
            let start = run.lcn.expect("no hole").0 as usize * self.cluster;
            value.extend(&self.bytes[start..start + run.len as usize * self.cluster]);
        }
        value
    }

    /// Replaces the start of a value in clusters.
    pub(super) fn write_value(&mut self, number: u64, kind: u32, name: &str, value: &[u8]) {
        let record = self.read_record(number);
        let at = find(&record, kind, name).expect("the attribute");
        let runs = self.runs(&record, at);
        for (vcn, data) in value.chunks(self.cluster).enumerate() {
            let lcn = Self::lcn(&runs, vcn as u64).expect("a cluster");
            put(&mut self.bytes, lcn as usize * self.cluster, data);
        }
    }
}

/// The bytes of a record that are used.
pub(super) fn used(record: &[u8]) -> usize {
    u32_at(record, 0x18) as usize
}

/// The attributes of a record.
pub(super) fn attributes(record: &[u8]) -> Vec<At> {
    let mut all = Vec::new();
    let mut offset = usize::from(u16_at(record, 0x14));
    while u32_at(record, offset) != u32::MAX {
        let len = u32_at(record, offset + 4) as usize;
        all.push(At { offset, len });
        offset += len;
    }
    all
}

/// The name of an attribute.
pub(super) fn name(record: &[u8], at: At) -> String {
    let start = at.offset + usize::from(u16_at(record, at.offset + 0xA));
    let units = 0..usize::from(record[at.offset + 9]);
    let units: Vec<u16> = units.map(|n| u16_at(record, start + 2 * n)).collect();
    String::from_utf16_lossy(&units)
}

/// The attribute with a type and a name.
pub(super) fn find(record: &[u8], kind: u32, wanted: &str) -> Option<At> {
    let mut all = attributes(record).into_iter();
    all.find(|at| u32_at(record, at.offset) == kind && name(record, *at) == wanted)
}
