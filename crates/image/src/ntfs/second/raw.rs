//! The position of a file's data, derived only from the raw records.
//!
//! This module is intentionally separate from the rest and shares no code with it: it finds the
//! boot sector's numbers, `$MFT` with its attribute list, the record of the file and the runs of
//! its data itself, in another way. If two separate derivations agree, the result is not the error
//! of one of them.

use crate::device::Device;
use diskmend_base::count::to_u64;

/// The longest attribute list that Windows creates, in bytes.
const LONGEST_LIST: u64 = 0x4_0000;
/// The maximum number of runs of a file.
const MOST_RUNS: usize = 1 << 20;
/// Type of `$ATTRIBUTE_LIST`.
const LIST: u64 = 0x20;
/// Type of `$DATA`.
const DATA: u64 = 0x80;
/// The number of bytes to which one number of the update sequence array belongs.
const STRIDE: usize = 512;

/// The problem, in a few words.
type Raw<T> = Result<T, &'static str>;

/// Consecutive clusters: the first one, if they exist, and their number.
pub(super) type RawRun = (Option<u64>, u64);

/// The unnamed data of a file.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum RawData {
    /// In the record.
    Inside(Vec<u8>),
    /// In clusters.
    Outside {
        /// Length in bytes.
        len: u64,
        /// The number of bytes that were written.
        written: u64,
        runs: Vec<RawRun>,
    },
}

/// A volume, for finding records on it.
pub(super) struct RawVolume<'a> {
    device: &'a dyn Device,
    cluster: u64,
    clusters: u64,
    record: u64,
    /// The position of `$MFT`.
    table: Vec<RawRun>,
}

/// An attribute of the requested type.
struct Found {
    /// Its bytes.
    body: Vec<u8>,
    id: u64,
}

impl<'a> RawVolume<'a> {
    /// Finds `$MFT`.
    pub(super) fn open(device: &'a dyn Device) -> Raw<Self> {
        let mut boot = vec![0; STRIDE];
        device
            .read_exact_at(&mut boot, 0)
            .map_err(|_| "the boot sector cannot be read")?;
        let sector = uint(&boot, 0x0B, 2)?;
        let per_cluster = match uint(&boot, 0x0D, 1)? {
            count @ 0..=0x80 => count,
            power => power_of_two(256 - power)?,
        };
        let cluster = sector.saturating_mul(per_cluster);
        let record = match uint(&boot, 0x40, 1)? {
            count @ 0..=0x7F => count.saturating_mul(cluster),
            power => power_of_two(256 - power)?,
        };
        let is_sound = cluster.is_power_of_two()
            && (0x100..=0x20_0000).contains(&cluster)
            && record.is_power_of_two()
            && (0x200..=0x1_0000).contains(&record);
        if !is_sound {
            return Err("the boot sector has other lengths");
        }
        let mut volume = Self {
            device,
            cluster,
            clusters: device.len() / cluster,
            record,
            table: Vec::new(),
        };
        let first = uint(&boot, 0x30, 8)?;
        let needed = record.div_ceil(cluster);
        volume.table.push((Some(first), needed));
        let base = volume.load(0)?;
        volume.table.clear();
        volume.gather(&base, 0, |volume, part| {
            let (_, runs) = volume.pairs(part)?;
            volume.table.extend(runs);
            Ok(())
        })?;
        match volume.table.first() {
            Some((Some(place), _)) if *place == first => Ok(volume),
            _ => Err("$MFT begins at another place than the boot sector tells"),
        }
    }

    /// The unnamed data of the file with this record and sequence number.
    pub(super) fn data(&mut self, number: u64, sequence: u16) -> Raw<RawData> {
        let base = self.load(number)?;
        if uint(&base, 0x10, 2)? != u64::from(sequence) {
            return Err("the file is another one");
        }
        let mut parts = Vec::new();
        self.gather(&base, number, |_, part| {
            parts.push(part.to_vec());
            Ok(())
        })?;
        let first = parts.first().ok_or("the file has no data")?;
        if uint(first, 8, 1)? == 0 {
            return match parts.len() {
                1 => Ok(RawData::Inside(inside(first)?.to_vec())),
                _ => Err("the data lies in a record, and in more than one"),
            };
        }
        let (len, written) = (uint(first, 0x30, 8)?, uint(first, 0x38, 8)?);
        let (mut runs, mut next) = (Vec::new(), 0);
        for part in &parts {
            let (lowest, more) = self.pairs(part)?;
            if lowest != next {
                return Err("a part of the data is missing");
            }
            for (_, count) in &more {
                next = count.checked_add(next).ok_or("the data is too long")?;
            }
            runs.extend(more);
            if runs.len() > MOST_RUNS {
                return Err("the data has too many runs");
            }
        }
        Ok(RawData::Outside { len, written, runs })
    }

    /// Shows the parts of the unnamed data of a file, in the order of their clusters.
    fn gather(
        &mut self,
        base: &[u8],
        number: u64,
        mut show: impl FnMut(&mut Self, &[u8]) -> Raw<()>,
    ) -> Raw<()> {
        let Some(list) = attributes(base, LIST)?.into_iter().next() else {
            for found in attributes(base, DATA)? {
                show(self, &found.body)?;
            }
            return Ok(());
        };
        let list = match uint(&list.body, 8, 1)? {
            0 => inside(&list.body)?.to_vec(),
            _ => self.outside(&list.body)?,
        };
        // For each part: its first cluster, the record with its sequence number, and the number
        // that distinguishes it there.
        let mut parts = Vec::new();
        let mut at = 0;
        while at < list.len() {
            let step = index(uint(&list, at + 4, 2)?)?;
            if step < 0x1A {
                return Err("an entry of an attribute list is too short");
            }
            if uint(&list, at, 4)? == DATA && uint(&list, at + 6, 1)? == 0 {
                let holder = uint(&list, at + 0x10, 6)?;
                let sequence = uint(&list, at + 0x16, 2)?;
                parts.push((
                    uint(&list, at + 8, 8)?,
                    holder,
                    sequence,
                    uint(&list, at + 0x18, 2)?,
                ));
            }
            at += step;
        }
        parts.sort_unstable();
        let own = number | uint(base, 0x10, 2)? << 48;
        for (lowest, holder, sequence, id) in parts {
            let loaded;
            let record = if holder == number {
                base
            } else {
                loaded = self.load(holder)?;
                if uint(&loaded, 0x20, 8)? != own {
                    return Err("a part of the data lies in the record of another file");
                }
                &loaded
            };
            if uint(record, 0x10, 2)? != sequence {
                return Err("a part of the data lies in another record");
            }
            let found = attributes(record, DATA)?;
            let found = found.into_iter().find(|found| found.id == id);
            let found = found.ok_or("a part of the data is not in its record")?;
            if uint(&found.body, 8, 1)? != 0 && uint(&found.body, 0x10, 8)? != lowest {
                return Err("a part of the data begins elsewhere than its list tells");
            }
            show(self, &found.body)?;
        }
        Ok(())
    }

    /// A record that is in use, with the bytes restored that the update sequence replaced.
    fn load(&self, number: u64) -> Raw<Vec<u8>> {
        let mut record = vec![0; index(self.record)?];
        let start = number.checked_mul(self.record).ok_or("no such record")?;
        for (step, piece) in record.chunks_mut(STRIDE).enumerate() {
            let at = to_u64(step * STRIDE);
            let place = self
                .place(start.saturating_add(at))
                .ok_or("no such record")?;
            self.device
                .read_exact_at(piece, place)
                .map_err(|_| "a record cannot be read")?;
        }
        if record.get(..4) != Some(b"FILE") || uint(&record, 0x16, 2)? & 1 == 0 {
            return Err("a record is not in use");
        }
        let array = index(uint(&record, 4, 2)?)?;
        if index(uint(&record, 6, 2)?)? != record.len() / STRIDE + 1 {
            return Err("a record has another update sequence");
        }
        let mark = uint(&record, array, 2)?;
        for sector in 1..=record.len() / STRIDE {
            let end = sector * STRIDE - 2;
            if uint(&record, end, 2)? != mark {
                return Err("a record is torn");
            }
            let (low, high) = (
                uint(&record, array + sector * 2, 1)?,
                uint(&record, array + sector * 2 + 1, 1)?,
            );
            for (place, byte) in record.iter_mut().skip(end).zip([low, high]) {
                *place = u8::try_from(byte).map_err(|_| "a byte is none")?;
            }
        }
        Ok(record)
    }

    /// The position of the byte at `at` of `$MFT`.
    fn place(&self, at: u64) -> Option<u64> {
        let mut before = 0_u64;
        for (start, count) in &self.table {
            let len = count.checked_mul(self.cluster)?;
            if at - before < len {
                return (*start)?
                    .checked_mul(self.cluster)?
                    .checked_add(at - before);
            }
            before = before.checked_add(len)?;
        }
        None
    }

    /// The value of an attribute list that is in clusters.
    fn outside(&self, body: &[u8]) -> Raw<Vec<u8>> {
        let len = uint(body, 0x30, 8)?;
        if len > LONGEST_LIST {
            return Err("an attribute list is too long");
        }
        let mut value = Vec::new();
        let (_, runs) = self.pairs(body)?;
        for (start, count) in runs {
            let start = start.ok_or("an attribute list has a hole")?;
            for cluster in start..start.saturating_add(count) {
                if to_u64(value.len()) >= len {
                    break;
                }
                let mut piece = vec![0; index(self.cluster)?];
                self.device
                    .read_exact_at(&mut piece, cluster.saturating_mul(self.cluster))
                    .map_err(|_| "an attribute list cannot be read")?;
                value.extend(piece);
            }
        }
        value.truncate(index(len)?);
        match u64::try_from(value.len()) {
            Ok(read) if read == len => Ok(value),
            _ => Err("an attribute list ends early"),
        }
    }

    /// The first cluster that an attribute in clusters describes, and its runs.
    fn pairs(&self, body: &[u8]) -> Raw<(u64, Vec<RawRun>)> {
        if uint(body, 8, 1)? != 1 {
            return Err("data lies in a record and should lie in clusters");
        }
        let (lowest, highest) = (uint(body, 0x10, 8)?, uint(body, 0x18, 8)?);
        let mut at = index(uint(body, 0x20, 2)?)?;
        let mut runs: Vec<RawRun> = Vec::new();
        let (mut place, mut total) = (0_i128, 0_u64);
        loop {
            let widths = uint(body, at, 1)?;
            at += 1;
            if widths == 0 {
                break;
            }
            let (count_width, place_width) = (index(widths % 16)?, index(widths / 16)?);
            let count = signed(body, at, count_width)?;
            let count = u64::try_from(count).map_err(|_| "a run has no length")?;
            at += count_width;
            let start = match place_width {
                0 => None,
                width => {
                    place += signed(body, at, width)?;
                    Some(u64::try_from(place).map_err(|_| "a run lies before the volume")?)
                }
            };
            at += place_width;
            total = total.checked_add(count).ok_or("the runs are too long")?;
            let end = start.map(|start| start.checked_add(count));
            if count == 0 || end.is_some_and(|end| end.is_none_or(|end| end > self.clusters)) {
                return Err("a run has no length, or ends behind the volume");
            }
            runs.push((start, count));
        }
        // An empty value has -1 here, and some writers leave 0.
        let told = highest.wrapping_sub(lowest).wrapping_add(1);
        if told == total || runs.is_empty() && highest == 0 {
            Ok((lowest, runs))
        } else {
            Err("the runs do not end where they should")
        }
    }
}

/// The unnamed attributes of a type in a record, in order.
fn attributes(record: &[u8], kind: u64) -> Raw<Vec<Found>> {
    let mut all = Vec::new();
    let mut at = index(uint(record, 0x14, 2)?)?;
    loop {
        let found = uint(record, at, 4)?;
        if found == 0xFFFF_FFFF {
            return Ok(all);
        }
        let len = index(uint(record, at + 4, 4)?)?;
        if len < 0x18 {
            return Err("an attribute is too short");
        }
        let body = record.iter().skip(at).take(len);
        let body: Vec<u8> = body.copied().collect();
        if body.len() < len {
            return Err("an attribute ends behind its record");
        }
        if found == kind && uint(&body, 9, 1)? == 0 {
            let id = uint(&body, 0xE, 2)?;
            all.push(Found { body, id });
        }
        at += len;
    }
}

/// The value of an attribute that is in its record.
fn inside(body: &[u8]) -> Raw<&[u8]> {
    let (len, start) = (index(uint(body, 0x10, 4)?)?, index(uint(body, 0x14, 2)?)?);
    let value = body.get(start..).and_then(|rest| rest.get(..len));
    value.ok_or("a value ends behind its attribute")
}

/// The little-endian number of `width` bytes at `at`.
fn uint(bytes: &[u8], at: usize, width: usize) -> Raw<u64> {
    let mut number = 0;
    for step in (0..width).rev() {
        let byte = bytes
            .get(at.saturating_add(step))
            .ok_or("a structure is cut off")?;
        number = number << 8 | u64::from(*byte);
    }
    Ok(number)
}

/// The signed little-endian number of up to 8 bytes.
fn signed(bytes: &[u8], at: usize, width: usize) -> Raw<i128> {
    if width == 0 || width > 8 {
        return Err("a number of a run has another width");
    }
    let number = i128::from(uint(bytes, at, width)?);
    let half = 1_i128 << (width * 8 - 1);
    Ok(if number < half {
        number
    } else {
        number - 2 * half
    })
}

/// 2 to the power of `exponent`.
fn power_of_two(exponent: u64) -> Raw<u64> {
    let exponent = u32::try_from(exponent).ok();
    exponent
        .and_then(|exponent| 1_u64.checked_shl(exponent))
        .ok_or("the boot sector has other lengths")
}

fn index(number: u64) -> Raw<usize> {
    usize::try_from(number).map_err(|_| "a number is too large")
}
