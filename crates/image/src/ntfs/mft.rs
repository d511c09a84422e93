//! $MFT: the position of each FILE record, and reading and writing one or many records.

use diskmend_base::count::to_usize;
use std::ops::Range;
use std::sync::OnceLock;

use diskmend_base::bytes;

use super::attribute::AttributeAt;
use super::claims::known::Claims;
use super::disk::Disk;
use super::error::{Corruption, VolumeError};
use super::format::{attribute_type, system};
use super::layout::{Builder, Layout};
use super::list;
use super::place::FileId;
use super::promise::Promises;
use super::record::Record;

/// The number of bytes of one bulk read.
const CHUNK: u64 = 64 << 10;
/// The maximum number of bytes between two wanted records that one bulk read includes.
const GAP: u64 = 16 << 10;

/// The table of all FILE records.
#[derive(Debug)]
pub(crate) struct Mft {
    disk: Disk,
    layout: Layout,
    mirror: OnceLock<Layout>,
    promises: Promises,
    claims: Claims,
    /// The number of records that the base record describes; `None` if it describes all.
    first_part: Option<u64>,
}

impl Mft {
    /// Finds $MFT, and all its parts if it has an attribute list.
    pub(crate) fn open(disk: Disk) -> Result<Self, VolumeError> {
        let geometry = disk.geometry;
        // Not an overflow: the boot sector's cluster is within the volume.
        let offset = geometry.place(geometry.mft);
        let mut data = vec![0; record_len(&disk)];
        disk.read(&mut data, offset)?;
        let base = Record::parse(system::MFT, offset, data)?;
        let at = base
            .attributes()
            .find(|a| a.kind() == attribute_type::DATA && !a.has_name())
            .map(|attribute| attribute.place())
            .ok_or_else(|| Corruption::new("$MFT", offset, "a data attribute", "none"))?;
        let mut builder = Builder::new(&geometry);
        builder.add(&base, at)?;
        let first_part = builder.so_far().map(Layout::clusters);
        let mut is_spread = false;
        // The earlier parts of $MFT describe the positions of the records that hold its later
        // parts.
        for entry in list::entries(&disk, &base)?.into_iter().flatten() {
            if entry.kind != attribute_type::DATA || !entry.name.is_empty() || entry.lowest_vcn == 0
            {
                continue;
            }
            let number = entry.record.record;
            let so_far = builder.so_far().ok_or_else(|| missing(number))?;
            let extension = read_record(&disk, so_far, number);
            let extension = extension.map_err(|error| entry.lost(&base, error))?;
            let at = entry.find(&extension, base.id())?;
            builder.add(&extension, at)?;
            is_spread = true;
        }
        let layout = builder.finish(&base, at)?;
        check_own(&disk, &base, at, &layout)?;
        let cluster_len = u64::from(geometry.cluster_len);
        let in_first = |clusters: u64| {
            let bytes = clusters.saturating_mul(cluster_len);
            bytes / geometry.record_len
        };
        let first_part = first_part.filter(|_| is_spread).map(in_first);
        let mft = Self {
            disk,
            layout,
            mirror: OnceLock::new(),
            promises: Promises::default(),
            claims: Claims::default(),
            first_part,
        };
        if mft.layout.position(0) != Some(offset) {
            let expected = "the place that the boot sector tells";
            let actual = place(mft.layout.position(0));
            return Err(Corruption::new("first cluster of $MFT", offset, expected, actual).into());
        }
        Ok(mft)
    }

    /// The volume's device.
    pub(crate) fn disk(&self) -> &Disk {
        &self.disk
    }

    /// Free clusters that are reserved for files.
    pub(crate) fn promises(&self) -> &Promises {
        &self.promises
    }

    /// What is known about the owners of clusters.
    pub(crate) fn claims(&self) -> &Claims {
        &self.claims
    }

    /// The number of records that the base record of $MFT describes, if other records describe the
    /// rest.
    pub(crate) fn first_part(&self) -> Option<u64> {
        self.first_part
    }

    /// The position of its records.
    pub(crate) fn layout(&self) -> &Layout {
        &self.layout
    }

    /// The number of its records, used or not.
    pub(crate) fn count(&self) -> u64 {
        count(&self.disk, &self.layout)
    }

    /// Offset of record `number` in $MFT, if there is such a record.
    fn start(&self, number: u64) -> Option<u64> {
        start(&self.disk, &self.layout, number)
    }

    /// Reads the base record of a file that exists.
    pub(crate) fn read(&self, id: FileId) -> Result<Record, VolumeError> {
        let record = self.read_any(id.record)?;
        check_base(&record, id)?;
        Ok(record)
    }

    /// Reads a system record of the volume, whatever its sequence number is.
    pub(crate) fn read_system(&self, number: u64) -> Result<Record, VolumeError> {
        let record = self.read_any(number)?;
        check_base(&record, record.id())?;
        Ok(record)
    }

    /// Reads a record, used or not, base record or not.
    pub(crate) fn read_any(&self, number: u64) -> Result<Record, VolumeError> {
        read_record(&self.disk, &self.layout, number)
    }

    /// Reads the records of `numbers` in few large pieces and shows each, with its index in
    /// `numbers`. This is fastest if the numbers are in order.
    pub(crate) fn visit(
        &self,
        numbers: &[u64],
        mut show: impl FnMut(usize, Result<&Record, VolumeError>),
    ) {
        self.visit_mut(numbers, |index, found| {
            show(index, found.map(|(record, _)| &*record));
        });
    }

    fn visit_mut(
        &self,
        numbers: &[u64],
        mut show: impl FnMut(usize, Result<(&mut Record, &[u8]), VolumeError>),
    ) {
        let mut record = Record::default();
        let mut chunk = Vec::new();
        for group in self.groups(numbers) {
            let read = group.place.filter(|place| {
                let read = self.read_chunk(place, &mut chunk);
                read.is_ok()
            });
            for (index, number) in group.members {
                let own;
                let found = match &read {
                    Some(place) => self.slice(&chunk, place.start, number),
                    // One by one, so that an unreadable sector does not affect other records.
                    None => match self.read_protected(number) {
                        Ok(read) => {
                            own = read;
                            Ok(own.as_slice())
                        }
                        Err(error) => Err(error),
                    },
                };
                let found = match found {
                    Ok(bytes) => self
                        .pick(bytes, number, &mut record)
                        .map(|()| (&mut record, bytes)),
                    Err(error) => Err(error),
                };
                show(index, found);
            }
        }
    }

    /// A record as it is on the disk.
    fn read_protected(&self, number: u64) -> Result<Vec<u8>, VolumeError> {
        let start = self.start(number).ok_or_else(|| missing(number))?;
        let mut bytes = vec![0; record_len(&self.disk)];
        self.layout.read(&self.disk, &mut bytes, start)?;
        Ok(bytes)
    }

    /// Shows the records of `numbers` like [`Self::visit`], lets each be changed, and writes those
    /// for which `change` returns `true`, adjacent ones together, after all were shown. A record is
    /// shown as it is on the disk, however often it is among `numbers`.
    ///
    /// # Errors
    /// The reason why a record can't be written; others may then be written.
    pub(crate) fn update(
        &self,
        numbers: &[u64],
        mut change: impl FnMut(usize, Result<&mut Record, VolumeError>) -> bool,
    ) -> Result<(), VolumeError> {
        // Adjacent records in $MFT, by the offset of the first.
        let mut pieces: Vec<(u64, Vec<u8>)> = Vec::new();
        let mut fault = None;
        self.visit_mut(numbers, |index, found| match found {
            Err(error) => {
                change(index, Err(error));
            }
            Ok((record, before)) => {
                if change(index, Ok(record))
                    && let Err(error) = self.gather(record, before, &mut pieces)
                {
                    fault = Some(error);
                }
            }
        });
        if let Some(fault) = fault {
            return Err(fault);
        }
        for (start, data) in pieces {
            let first = start / self.disk.geometry.record_len;
            for (number, protected) in (first..).zip(data.chunks(record_len(&self.disk))) {
                self.write_mirror(number, protected)?;
            }
            self.layout.write(&self.disk, &data, start)?;
        }
        Ok(())
    }

    /// Adds the bytes of a record to the piece that ends before it, or to a new piece.
    fn gather(
        &self,
        record: &Record,
        before: &[u8],
        pieces: &mut Vec<(u64, Vec<u8>)>,
    ) -> Result<(), VolumeError> {
        let number = record.number();
        let at = self.start(number).ok_or_else(|| missing(number))?;
        let is_next = |(start, data): &(u64, Vec<u8>)| end(*start, data.len()) == Some(at);
        if !pieces.last().is_some_and(is_next) {
            pieces.push((at, Vec::new()));
        }
        if let Some((_, data)) = pieces.last_mut() {
            record.protect_into(data, before)?;
        }
        Ok(())
    }

    /// Writes a record back, and its copy in $MFTMirr if there is one.
    pub(crate) fn write(&self, record: &mut Record) -> Result<(), VolumeError> {
        let number = record.number();
        let start = self.start(number).ok_or_else(|| missing(number))?;
        let protected = record.protected(&self.read_protected(number)?)?;
        self.write_mirror(number, &protected)?;
        self.layout.write(&self.disk, &protected, start)?;
        record.written(&protected);
        Ok(())
    }

    fn write_mirror(&self, number: u64, protected: &[u8]) -> Result<(), VolumeError> {
        let geometry = &self.disk.geometry;
        let in_cluster = geometry.cluster_len.get() / geometry.record_len;
        if number >= in_cluster.max(4) {
            return Ok(());
        }
        let mirror = self.mirror()?;
        let record_len = u64::from(geometry.record_len);
        let at = number.saturating_mul(record_len);
        if at.saturating_add(record_len) <= mirror.initialized {
            mirror.write(&self.disk, protected, at)?;
        }
        Ok(())
    }

    /// The position of $MFTMirr.
    pub(crate) fn mirror(&self) -> Result<&Layout, VolumeError> {
        if let Some(mirror) = self.mirror.get() {
            return Ok(mirror);
        }
        let record = self.read_system(system::MFT_MIRROR)?;
        let at = record
            .find(attribute_type::DATA, "")
            .map(|attribute| attribute.place())
            .ok_or_else(|| {
                Corruption::new("$MFTMirr", record.offset(), "a data attribute", "none")
            })?;
        let mut builder = Builder::new(&self.disk.geometry);
        builder.add(&record, at)?;
        let layout = builder.finish(&record, at)?;
        let expected = self.disk.geometry.offset(self.disk.geometry.mft_mirror);
        if layout.position(0) != expected {
            let actual = place(layout.position(0));
            let expected = format!("{} as in the boot sector", place(expected));
            return Err(record.corruption("$MFTMirr", at, expected, actual).into());
        }
        Ok(self.mirror.get_or_init(|| layout))
    }

    fn groups(&self, numbers: &[u64]) -> Vec<Group> {
        let record_len = u64::from(self.disk.geometry.record_len);
        let mut order: Vec<(usize, u64)> = numbers.iter().copied().enumerate().collect();
        order.sort_by_key(|(_, number)| *number);
        let mut groups: Vec<Group> = Vec::new();
        for (index, number) in order {
            // Records without a position form their own group, which then fails.
            let place = self.start(number).and_then(|start| {
                let end = start.checked_add(record_len)?;
                Some(start..end)
            });
            let last = groups.last_mut();
            if let Some(Range { start, end }) = place
                && let Some((group, taken)) =
                    last.and_then(|group| Some((&mut group.members, group.place.as_mut()?)))
                && start <= taken.end.saturating_add(GAP)
                && end.saturating_sub(taken.start) <= CHUNK
            {
                taken.end = end;
                group.push((index, number));
                continue;
            }
            groups.push(Group {
                place,
                members: vec![(index, number)],
            });
        }
        groups
    }

    fn read_chunk(&self, place: &Range<u64>, chunk: &mut Vec<u8>) -> Result<(), VolumeError> {
        let len = to_usize(place.end.saturating_sub(place.start));
        chunk.resize(len, 0);
        self.layout.read(&self.disk, chunk, place.start)
    }

    /// Parses a record from its bytes.
    fn pick(&self, data: &[u8], number: u64, record: &mut Record) -> Result<(), VolumeError> {
        let start = self.start(number).ok_or_else(|| missing(number))?;
        let offset = self.layout.position(start).unwrap_or(start);
        Ok(record.refill(number, offset, data)?)
    }

    /// The bytes of a record in a chunk.
    fn slice<'a>(
        &self,
        chunk: &'a [u8],
        chunk_start: u64,
        number: u64,
    ) -> Result<&'a [u8], VolumeError> {
        let start = self.start(number).ok_or_else(|| missing(number))?;
        let within = start.checked_sub(chunk_start);
        within
            .and_then(|within| usize::try_from(within).ok())
            .and_then(|within| bytes::slice(chunk, within, record_len(&self.disk)))
            .ok_or_else(|| missing(number))
    }
}

/// Refuses an $MFT that has fewer clusters than it describes: walking it would never end.
fn check_own(
    disk: &Disk,
    base: &Record,
    at: AttributeAt,
    layout: &Layout,
) -> Result<(), Corruption> {
    let attribute = base.attribute(at);
    let flags = attribute
        .ok_or_else(|| base.corruption("data of $MFT", at, "an attribute", "none"))?
        .flags();
    let has_hole = layout.runs().iter().any(|run| run.lcn.is_none());
    if flags != 0 || has_hole {
        let expected = "neither compressed, encrypted nor sparse";
        let actual = format!("flags {flags:#06x}, holes: {has_hole}");
        return Err(base.corruption("data of $MFT", at, expected, actual));
    }
    let clusters = layout.clusters();
    if clusters > disk.geometry.clusters {
        let expected = format!("at most the volume's {}", disk.geometry.clusters);
        return Err(base.corruption("clusters of $MFT", at, expected, clusters.to_string()));
    }
    Ok(())
}

/// Records that are read together.
struct Group {
    /// Bytes of $MFT; `None` if it has no such record.
    place: Option<Range<u64>>,
    /// Index in the request, and number.
    members: Vec<(usize, u64)>,
}

/// Checks that `record` is the base record that `id` names.
pub(crate) fn check_base(record: &Record, id: FileId) -> Result<(), VolumeError> {
    let same = record.is_in_use() && record.base().is_none() && record.id() == id;
    same.then_some(()).ok_or(VolumeError::Stale(id))
}

/// The number of records in $MFT.
fn count(disk: &Disk, layout: &Layout) -> u64 {
    layout.initialized / disk.geometry.record_len
}

/// Offset of record `number` in $MFT, if there is such a record.
fn start(disk: &Disk, layout: &Layout, number: u64) -> Option<u64> {
    if number >= count(disk, layout) {
        return None;
    }
    number.checked_mul(disk.geometry.record_len.get())
}

fn read_record(disk: &Disk, layout: &Layout, number: u64) -> Result<Record, VolumeError> {
    let start = start(disk, layout, number).ok_or_else(|| missing(number))?;
    let mut data = vec![0; record_len(disk)];
    layout.read(disk, &mut data, start)?;
    let offset = layout.position(start).unwrap_or(start);
    Ok(Record::parse(number, offset, data)?)
}

fn missing(number: u64) -> VolumeError {
    VolumeError::Stale(FileId {
        record: number,
        sequence: 0,
    })
}

/// An offset in the volume, for a message.
fn place(offset: Option<u64>) -> String {
    match offset {
        Some(offset) => format!("offset {offset}"),
        None => "no place".to_owned(),
    }
}

fn record_len(disk: &Disk) -> usize {
    to_usize(disk.geometry.record_len)
}

fn end(start: u64, len: usize) -> Option<u64> {
    start.checked_add(u64::try_from(len).ok()?)
}
