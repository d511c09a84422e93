//! A volume on which changes are tried in memory: what is written stays here until it is checked,
//! and is then written to the device in an order that is safe in a crash.

use diskmend_base::count::{to_u64, to_usize};
use std::collections::BTreeMap;
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use diskmend_base::bytes;

use super::geometry::Geometry;
use crate::device::{Device, range};

/// The maximum number of sectors that one change may write: 8 MiB of the shortest sectors.
const MAX_CHANGED: usize = 16 << 10;

/// The device with changes that are only in memory.
#[derive(Debug)]
pub(super) struct Overlay<'a> {
    below: &'a dyn Device,
    sector_len: u64,
    /// The length of the volume.
    len: u64,
    held: Mutex<Held>,
    /// The number of remaining reads and writes: this stops endless loops.
    steps: AtomicU64,
}

#[derive(Debug, Default)]
struct Held {
    /// Changed sectors by number.
    changed: BTreeMap<u64, Vec<u8>>,
    /// The last unchanged sector that was read.
    last: Option<(u64, Vec<u8>)>,
}

impl<'a> Overlay<'a> {
    pub(super) fn new(below: &'a dyn Device, geometry: &Geometry) -> Self {
        // A full folder and the FAT may be read a few times, entry by entry and field by field.
        let entries = u64::from(geometry.clusters);
        Self {
            below,
            sector_len: geometry.sector_len,
            len: geometry.len,
            held: Mutex::default(),
            steps: AtomicU64::new(entries.saturating_mul(16).saturating_add(1 << 23)),
        }
    }

    /// The changed sectors, without those that are equal on the device: offset in the volume, new
    /// bytes.
    pub(super) fn differences(&self) -> io::Result<Vec<(u64, Vec<u8>)>> {
        let mut found = Vec::new();
        for (&sector, new) in &self.held().changed {
            let offset = sector.saturating_mul(self.sector_len);
            let mut old = vec![0; new.len()];
            self.below.read_exact_at(&mut old, offset)?;
            if old != *new {
                found.push((offset, new.clone()));
            }
        }
        Ok(found)
    }

    fn held(&self) -> MutexGuard<'_, Held> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn step(&self) -> io::Result<()> {
        let left = self.steps.load(Ordering::Relaxed);
        let left = left
            .checked_sub(1)
            .ok_or_else(|| io::Error::other("the FAT volume's structures never end"))?;
        self.steps.store(left, Ordering::Relaxed);
        Ok(())
    }

    /// Calls `with` for each part of a sector in the range: sector, range within it, and within the
    /// whole.
    /// whole.
    fn each(
        &self,
        offset: u64,
        len: usize,
        mut with: impl FnMut(u64, usize, usize, usize) -> io::Result<()>,
    ) -> io::Result<()> {
        range(offset, len, self.len)?;
        self.step()?;
        let sector_len = to_usize(self.sector_len);
        let mut done = 0_usize;
        while done < len {
            let at = offset.saturating_add(to_u64(done));
            let within = to_usize(at % self.sector_len);
            let part = sector_len
                .saturating_sub(within)
                .min(len.saturating_sub(done));
            with(at / self.sector_len, within, done, part)?;
            done = done.saturating_add(part);
        }
        Ok(())
    }

    fn load(&self, sector: u64) -> io::Result<Vec<u8>> {
        let mut data = vec![0; to_usize(self.sector_len)];
        let offset = sector.saturating_mul(self.sector_len);
        self.below.read_exact_at(&mut data, offset)?;
        Ok(data)
    }
}

fn outside() -> io::Error {
    io::ErrorKind::UnexpectedEof.into()
}

impl Device for Overlay<'_> {
    fn len(&self) -> u64 {
        self.len
    }

    fn read_exact_at(&self, buf: &mut [u8], offset: u64) -> io::Result<()> {
        let mut held = self.held();
        self.each(offset, buf.len(), |sector, within, done, part| {
            let to = bytes::slice_mut(buf, done, part).ok_or_else(outside)?;
            if !held.changed.contains_key(&sector)
                && held.last.as_ref().is_none_or(|(last, _)| *last != sector)
            {
                held.last = Some((sector, self.load(sector)?));
            }
            let changed = held.changed.get(&sector);
            let data = changed.or(held.last.as_ref().map(|(_, data)| data));
            let from = data
                .and_then(|data| bytes::slice(data, within, part))
                .ok_or_else(outside)?;
            to.copy_from_slice(from);
            Ok(())
        })
    }

    fn write_all_at(&self, data: &[u8], offset: u64) -> io::Result<()> {
        let mut held = self.held();
        self.each(offset, data.len(), |sector, within, done, part| {
            if !held.changed.contains_key(&sector) {
                if held.changed.len() >= MAX_CHANGED {
                    return Err(io::Error::other(
                        "the change to the FAT volume is too large",
                    ));
                }
                held.changed.insert(sector, self.load(sector)?);
            }
            let from = bytes::slice(data, done, part).ok_or_else(outside)?;
            let to = held
                .changed
                .get_mut(&sector)
                .and_then(|sector| bytes::slice_mut(sector, within, part))
                .ok_or_else(outside)?;
            to.copy_from_slice(from);
            Ok(())
        })
    }

    fn sync(&self) -> io::Result<()> {
        Ok(())
    }
}

/// An overlay as a stream, for the `fatfs` crate.
pub(super) struct Stream<'a> {
    overlay: &'a Overlay<'a>,
    position: u64,
}

impl<'a> Stream<'a> {
    pub(super) fn new(overlay: &'a Overlay<'a>) -> Self {
        Self {
            overlay,
            position: 0,
        }
    }

    /// The number of the `wanted` bytes that are within the volume.
    fn within(&self, wanted: usize) -> usize {
        let left = self.overlay.len.saturating_sub(self.position);
        wanted.min(to_usize(left))
    }

    fn advance(&mut self, len: usize) {
        let len = to_u64(len);
        self.position = self.position.saturating_add(len);
    }
}

impl Read for Stream<'_> {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        let len = self.within(buf.len());
        let (buf, _) = buf.split_at_mut(len);
        self.overlay.read_exact_at(buf, self.position)?;
        self.advance(len);
        Ok(len)
    }
}

impl Write for Stream<'_> {
    fn write(&mut self, buf: &[u8]) -> io::Result<usize> {
        let len = self.within(buf.len());
        let (buf, _) = buf.split_at(len);
        self.overlay.write_all_at(buf, self.position)?;
        self.advance(len);
        Ok(len)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Seek for Stream<'_> {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        let position = match to {
            SeekFrom::Start(offset) => Some(offset),
            SeekFrom::Current(by) => self.position.checked_add_signed(by),
            SeekFrom::End(by) => self.overlay.len.checked_add_signed(by),
        };
        self.position = position.ok_or(io::ErrorKind::InvalidInput)?;
        Ok(self.position)
    }
}
