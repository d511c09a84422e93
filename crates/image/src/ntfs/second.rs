//! Second readers that confirm the position of a file's data: one of the raw records, and the
//! `ntfs` crate.
//!
//! Before the first write to a file, all readers must agree on every run, so that an error in one
//! of them can't direct a write to a wrong place. If several records describe the data, the crate
//! is asked about each part alone. It reads only the part of `$MFT` that the base record describes.
//! For files with records in the rest, the reader of the raw records decides; it shares no code
//! with the reader that it confirms. Other limits of the crate (sectors of 256 bytes) become
//! refusals.
//!
//! The crate slices by some unchecked lengths, and follows lists without a bound. Therefore it is
//! asked only about records that this crate has checked before, through a reader that stops after a
//! number of steps, and a panic counts as a refusal.

use diskmend_base::count::{to_u64, to_usize};
use std::io::{self, Read, Seek, SeekFrom};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use ntfs::attribute_value::NtfsAttributeValue;
use ntfs::{Ntfs, NtfsAttributeType, NtfsError, NtfsReadSeek};

use super::disk::Disk;
use super::error::VolumeError;
use super::layout::Layout;
use super::mft::Mft;
use super::place::FileId;
use super::runs::Run;
use super::stream::{Content, Stream};
use crate::device::Device;

mod raw;

use raw::{RawData, RawRun, RawVolume};

/// The number of bytes that are read at once. More make a reader slower that seeks often.
const CACHE: u64 = 4096;
/// The number of reads of the device after which a comparison is given up.
const MAX_READS: u32 = 1 << 20;

/// Compares `stream`, the unnamed data of a file, with the results of the other readers.
///
/// # Errors
/// [`VolumeError::ReadersDisagree`], also if another reader fails.
pub(crate) fn agree(mft: &Mft, id: FileId, stream: &Stream) -> Result<(), VolumeError> {
    let disk = mft.disk();
    compare_raw(disk, id, stream).map_err(|why| VolumeError::ReadersDisagree {
        id,
        why: why.to_owned(),
    })?;
    if let Some(reach) = mft.first_part() {
        let mut records = stream.parts().iter().map(|part| part.record);
        if id.record >= reach || records.any(|record| record >= reach) {
            return Ok(());
        }
    }
    let compared = catch_unwind(AssertUnwindSafe(|| compare(disk, id, stream)));
    let why = match compared {
        Ok(Ok(None)) => return Ok(()),
        Ok(Ok(Some(difference))) => difference.to_owned(),
        Ok(Err(error)) => format!("the second reader fails: {error}"),
        Err(_) => "the second reader has given up".to_owned(),
    };
    Err(VolumeError::ReadersDisagree { id, why })
}

/// Compares with the result of the raw records.
fn compare_raw(disk: &Disk, id: FileId, stream: &Stream) -> Result<(), &'static str> {
    let mut volume = RawVolume::open(&**disk.device())?;
    let theirs = volume.data(id.record, id.sequence)?;
    let ours = match stream.content() {
        Content::Resident(value) => RawData::Inside(value.clone()),
        Content::Clusters(layout) => {
            let run = |run: &Run| -> RawRun { (run.lcn.map(|lcn| lcn.0), run.len) };
            RawData::Outside {
                len: layout.len,
                written: layout.initialized,
                runs: layout.runs().iter().map(run).collect(),
            }
        }
    };
    if ours == theirs {
        Ok(())
    } else {
        Err("the raw records tell of other data")
    }
}

/// The difference; `None` if there is none.
fn compare(disk: &Disk, id: FileId, stream: &Stream) -> Result<Option<&'static str>, NtfsError> {
    let mut reader = Cached::new(Arc::clone(disk.device()));
    let volume = Ntfs::new(&mut reader)?;
    if u64::from(volume.cluster_size()) != disk.geometry.cluster_len.get() {
        return Ok(Some("the length of a cluster"));
    }
    if volume.file(&mut reader, id.record)?.sequence_number() != id.sequence {
        return Ok(Some("the file itself"));
    }
    // A value in the record has no runs.
    let ours = stream.layout().map_or(&[][..], Layout::runs);
    let mut rest = ours.iter();
    for (index, part) in stream.parts().iter().enumerate() {
        let file = volume.file(&mut reader, part.record)?;
        let mut found = None;
        for attribute in file.attributes_raw() {
            let attribute = attribute?;
            if attribute.ty()? == NtfsAttributeType::Data
                && attribute.name_length() == 0
                && attribute.instance() == part.instance
            {
                found = Some(attribute);
                break;
            }
        }
        let Some(attribute) = found else {
            return Ok(Some("whether the file has data"));
        };
        if index == 0 && attribute.value_length() != stream.len() {
            return Ok(Some("the length of the data"));
        }
        match (stream.content(), attribute.value(&mut reader)?) {
            (Content::Resident(ours), NtfsAttributeValue::Resident(theirs)) => {
                if theirs.data() != ours {
                    return Ok(Some("the data in the record"));
                }
            }
            (Content::Clusters(_), NtfsAttributeValue::NonResident(theirs)) => {
                for theirs in theirs.data_runs() {
                    let theirs = theirs?;
                    let Some(ours) = rest.next() else {
                        return Ok(Some("the number of runs"));
                    };
                    if Some(theirs.allocated_size()) != bytes(disk, ours.len)
                        || theirs.data_position().value().map(u64::from) != position(disk, ours)
                    {
                        return Ok(Some("the place of a run"));
                    }
                }
            }
            _ => return Ok(Some("whether the data is in the record")),
        }
    }
    if rest.next().is_some() {
        return Ok(Some("the number of runs"));
    }
    match stream.parts() {
        [part] if part.record == id.record => compare_reading(disk, id, stream, ours, &mut reader),
        // If the first part is in the base record, the crate takes it for the whole.
        _ => Ok(None),
    }
}

/// Compares the positions from which data are read, which the crate determines in another way than
/// runs.
fn compare_reading(
    disk: &Disk,
    id: FileId,
    stream: &Stream,
    runs: &[Run],
    reader: &mut Cached,
) -> Result<Option<&'static str>, NtfsError> {
    let volume = Ntfs::new(reader)?;
    let file = volume.file(reader, id.record)?;
    let Some(item) = file.data(reader, "") else {
        return Ok(Some("whether the file has data"));
    };
    let item = item?;
    let mut value = item.to_attribute()?.value(reader)?;
    if value.len() != stream.len() {
        return Ok(Some("the length of the data"));
    }
    for run in runs {
        let Some(start) = bytes(disk, run.vcn).filter(|start| *start < stream.len()) else {
            break;
        };
        value.seek(reader, SeekFrom::Start(start))?;
        if value.data_position().value().map(u64::from) != position(disk, run) {
            return Ok(Some("the place of data"));
        }
    }
    Ok(None)
}

fn bytes(disk: &Disk, clusters: u64) -> Option<u64> {
    clusters.checked_mul(disk.geometry.cluster_len.get())
}

fn position(disk: &Disk, run: &Run) -> Option<u64> {
    disk.geometry.offset(run.lcn?)
}

/// A device as a stream with a small cache and a bounded number of reads.
struct Cached {
    device: Arc<dyn Device>,
    at: u64,
    cache: Vec<u8>,
    cached_at: u64,
    reads: u32,
}

impl Cached {
    fn new(device: Arc<dyn Device>) -> Self {
        Self {
            device,
            at: 0,
            cache: Vec::new(),
            cached_at: 0,
            reads: 0,
        }
    }

    /// The cached bytes from the current position on.
    fn available(&self) -> &[u8] {
        let within = self.at.checked_sub(self.cached_at).map(to_usize);
        match within.and_then(|within| self.cache.get(within..)) {
            Some(available) => available,
            None => &[],
        }
    }
}

impl Read for Cached {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        if self.available().is_empty() {
            self.reads = self.reads.saturating_add(1);
            if self.reads > MAX_READS {
                return Err(io::Error::other("too many reads"));
            }
            let start = self.at / CACHE * CACHE;
            let len = self.device.len().saturating_sub(start).min(CACHE);
            self.cache.resize(to_usize(len), 0);
            self.cached_at = start;
            if let Err(error) = self.device.read_exact_at(&mut self.cache, start) {
                self.cache.clear();
                return Err(error);
            }
        }
        let available = self.available();
        let len = available.len().min(buf.len());
        if let (Some(to), Some(from)) = (buf.get_mut(..len), available.get(..len)) {
            to.copy_from_slice(from);
        }
        self.at = self.at.saturating_add(to_u64(len));
        Ok(len)
    }
}

impl Seek for Cached {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        let at = match to {
            SeekFrom::Start(at) => Some(at),
            SeekFrom::Current(by) => self.at.checked_add_signed(by),
            SeekFrom::End(by) => self.device.len().checked_add_signed(by),
        };
        self.at = at.ok_or(io::ErrorKind::InvalidInput)?;
        Ok(self.at)
    }
}
