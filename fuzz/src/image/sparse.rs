//! A medium in memory: bytes that inputs share, and the sectors that one input changes.

use std::collections::BTreeMap;
use std::fmt;
use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use diskmend_image::device::{Device, Medium, range};

const SECTOR: usize = 512;
/// The maximum number of sectors that differ from the shared bytes: 32 MiB.
const MAX_SECTORS: usize = 1 << 16;
/// The maximum length of a medium; sectors that were never written take no memory.
const MAX_LEN: u64 = 1 << 46;

/// A medium that needs memory only for what is written to it.
pub(super) struct Sparse {
    base: Arc<[u8]>,
    state: Mutex<State>,
}

#[derive(Clone)]
struct State {
    len: u64,
    /// The length of the visible part of the shared bytes; zeros follow.
    base_len: usize,
    sectors: BTreeMap<u64, Box<[u8; SECTOR]>>,
}

impl Sparse {
    /// A medium of `len` bytes that starts with `base`.
    pub(super) fn new(base: &Arc<[u8]>, len: u64) -> Self {
        Self {
            base: Arc::clone(base),
            state: Mutex::new(State {
                len,
                base_len: base.len().min(usize::try_from(len).unwrap_or(usize::MAX)),
                sectors: BTreeMap::new(),
            }),
        }
    }

    /// An independent medium with the same content.
    pub(super) fn fork(&self) -> Self {
        Self {
            base: Arc::clone(&self.base),
            state: Mutex::new(self.state().clone()),
        }
    }

    /// Overwrites bytes; those beyond the end are dropped.
    pub(super) fn patch(&self, offset: u64, bytes: &[u8]) {
        let room = Device::len(self).saturating_sub(offset);
        let fits = bytes.len().min(usize::try_from(room).unwrap_or(usize::MAX));
        let fits = bytes.get(..fits).unwrap_or_default();
        std::hint::black_box(self.write_all_at(fits, offset).is_ok());
    }

    /// Some bytes; beyond the end, zeros.
    pub(super) fn bytes(&self, offset: u64, len: usize) -> Vec<u8> {
        let mut bytes = vec![0; len];
        self.state().read(&self.base, &mut bytes, offset);
        bytes
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn read(&self, base: &[u8], buf: &mut [u8], offset: u64) {
        let start = usize::try_from(offset).unwrap_or(usize::MAX);
        let end = start.saturating_add(buf.len()).min(self.base_len);
        let shared = base.get(start..end).unwrap_or_default();
        let (head, tail) = buf.split_at_mut(shared.len());
        head.copy_from_slice(shared);
        tail.fill(0);
        let end = offset.saturating_add(buf.len() as u64);
        let sectors = offset / SECTOR as u64..end.div_ceil(SECTOR as u64);
        for (number, sector) in self.sectors.range(sectors) {
            let at = number * SECTOR as u64;
            let skip = offset.saturating_sub(at) as usize;
            let start = at.saturating_sub(offset) as usize;
            let to = buf.get_mut(start..).unwrap_or_default().iter_mut();
            let from = sector.get(skip..).unwrap_or_default();
            to.zip(from).for_each(|(to, from)| *to = *from);
        }
    }

    fn write(&mut self, base: &[u8], data: &[u8], offset: u64) -> io::Result<()> {
        let (mut rest, mut at) = (data, offset);
        while !rest.is_empty() {
            let number = at / SECTOR as u64;
            let within = (at % SECTOR as u64) as usize;
            let (part, after) = rest.split_at(rest.len().min(SECTOR - within));
            if !self.sectors.contains_key(&number) {
                if self.sectors.len() >= MAX_SECTORS {
                    return Err(io::ErrorKind::StorageFull.into());
                }
                let mut sector = Box::new([0; SECTOR]);
                self.read(base, &mut sector[..], number * SECTOR as u64);
                self.sectors.insert(number, sector);
            }
            let sector = self.sectors.get_mut(&number);
            let place = sector.and_then(|sector| sector.get_mut(within..within + part.len()));
            if let Some(place) = place {
                place.copy_from_slice(part);
            }
            at += part.len() as u64;
            rest = after;
        }
        Ok(())
    }
}

impl fmt::Debug for Sparse {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sparse").finish_non_exhaustive()
    }
}

impl Device for Sparse {
    fn len(&self) -> u64 {
        self.state().len
    }

    fn read_exact_at(&self, buf: &mut [u8], offset: u64) -> io::Result<()> {
        let state = self.state();
        range(offset, buf.len(), state.len)?;
        state.read(&self.base, buf, offset);
        Ok(())
    }

    fn write_all_at(&self, data: &[u8], offset: u64) -> io::Result<()> {
        let mut state = self.state();
        range(offset, data.len(), state.len)?;
        state.write(&self.base, data, offset)
    }

    fn sync(&self) -> io::Result<()> {
        Ok(())
    }
}

impl Medium for Sparse {
    fn set_len(&self, len: u64) -> io::Result<()> {
        let mut state = self.state();
        if len > MAX_LEN {
            return Err(io::ErrorKind::StorageFull.into());
        }
        if len < state.len {
            // If the medium grows again, these bytes must be zero.
            let tail = len.next_multiple_of(SECTOR as u64).min(state.len) - len;
            let zeros = [0; SECTOR];
            let zeros = zeros.get(..tail as usize).unwrap_or_default();
            state.write(&self.base, zeros, len)?;
            state.sectors.split_off(&len.div_ceil(SECTOR as u64));
            let cut = usize::try_from(len).unwrap_or(usize::MAX);
            state.base_len = state.base_len.min(cut);
        }
        state.len = len;
        Ok(())
    }
}
