//! Open files.

use diskmend_base::count::to_usize;
use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use diskmend_base::bytes;

use super::change::PIECE_LEN;
use super::folder::Found;
use super::geometry::Run;
use super::{Inner, State};
use crate::device::range;

/// A file, which is found again by its path after each change of the volume's structure.
#[derive(Debug)]
pub struct File {
    volume: Arc<Inner>,
    path: Vec<String>,
    place: Mutex<Place>,
}

/// The position of the file, valid for one generation of the volume's structure.
#[derive(Debug)]
struct Place {
    generation: u64,
    found: Found,
    runs: Vec<Run>,
}

impl File {
    pub(super) fn open(volume: Arc<Inner>, path: &[String]) -> io::Result<Self> {
        let state = volume.state();
        let place = Place::find(&volume, state.generation, path)?;
        drop(state);
        Ok(Self {
            volume,
            path: path.to_vec(),
            place: Mutex::new(place),
        })
    }

    /// The length in bytes.
    ///
    /// # Errors
    /// [`io::ErrorKind::NotFound`] if the file was removed; [`io::ErrorKind::InvalidData`] with a
    /// [`FatError`](super::FatError) for a corrupt volume.
    #[expect(
        clippy::len_without_is_empty,
        reason = "no caller asks for emptiness alone"
    )]
    pub fn len(&self) -> io::Result<u64> {
        let state = self.volume.state();
        Ok(self.place(&state)?.found.len.into())
    }

    /// Fills `buf` from `offset` on.
    ///
    /// # Errors
    /// [`io::ErrorKind::UnexpectedEof`] if the file ends before; the errors of [`File::len`].
    pub fn read_exact_at(&self, buf: &mut [u8], offset: u64) -> io::Result<()> {
        let state = self.volume.state();
        let place = self.place(&state)?;
        range(offset, buf.len(), place.found.len.into())?;
        each_part(&place.runs, offset, buf.len(), |at, done, len| {
            let part = bytes::slice_mut(buf, done, len).ok_or(io::ErrorKind::UnexpectedEof)?;
            self.volume.device.read_exact_at(part, at)
        })
    }

    /// Writes all of `data` at `offset`, which may be beyond the end: the bytes in between become
    /// zero. Bytes inside the file are overwritten in place, and nothing else changes. The rest is
    /// appended, in steps that are either complete or not made at all after a crash.
    ///
    /// # Errors
    /// [`io::ErrorKind::StorageFull`]; [`io::ErrorKind::FileTooLarge`] from 4 GiB on; the errors of
    /// [`Volume::check_writable`](super::Volume::check_writable) and [`File::len`].
    pub fn write_all_at(&self, data: &[u8], offset: u64) -> io::Result<()> {
        let mut state = self.volume.state();
        self.volume.check_writable(&mut state)?;
        let old_len = u64::from(self.place(&state)?.found.len);
        let wanted = u64::try_from(data.len())
            .ok()
            .and_then(|len| offset.checked_add(len));
        let wanted = wanted.ok_or(io::ErrorKind::FileTooLarge)?;
        if data.is_empty() {
            return Ok(());
        }
        if wanted > old_len {
            self.check_room(&mut state, old_len, wanted)?;
        }
        let inside = to_usize(old_len.saturating_sub(offset));
        let (inside, beyond) = data.split_at(inside.min(data.len()));
        let place = self.place(&state)?;
        each_part(&place.runs, offset, inside.len(), |at, done, len| {
            let part = bytes::slice(inside, done, len).ok_or(io::ErrorKind::UnexpectedEof)?;
            self.volume.device.write_all_at(part, at)
        })?;
        drop(place);
        if !beyond.is_empty() {
            self.fill(&mut state, offset)?;
            for piece in beyond.chunks(PIECE_LEN) {
                self.volume.change(&mut state).append(&self.path, piece)?;
            }
        }
        Ok(())
    }

    /// Sets the length; new bytes are zero.
    ///
    /// # Errors
    /// Those of [`File::write_all_at`].
    pub fn set_len(&self, len: u64) -> io::Result<()> {
        let mut state = self.volume.state();
        self.volume.check_writable(&mut state)?;
        let old_len = u64::from(self.place(&state)?.found.len);
        if len > old_len {
            self.check_room(&mut state, old_len, len)?;
            self.fill(&mut state, len)?;
        } else if len < old_len {
            self.volume.check_changeable(&mut state)?;
            let len = u32::try_from(len).map_err(|_| io::ErrorKind::FileTooLarge)?;
            self.volume.change(&mut state).truncate(&self.path, len)?;
        }
        Ok(())
    }

    /// Checks whether the file can be written, and its length set to `len`. A change of the length
    /// is tried on a copy in memory; nothing is written.
    ///
    /// # Errors
    /// Those of [`File::set_len`].
    pub fn can_set_len(&self, len: u64) -> io::Result<()> {
        let mut state = self.volume.state();
        self.volume.check_writable(&mut state)?;
        let old_len = u64::from(self.place(&state)?.found.len);
        if len > old_len {
            self.check_room(&mut state, old_len, len)?;
            let added = len.saturating_sub(old_len);
            self.volume
                .on_a_copy(|change| change.append_zeros(&self.path, added))?;
        } else if len < old_len {
            self.volume.check_changeable(&mut state)?;
            let len = u32::try_from(len).map_err(|_| io::ErrorKind::FileTooLarge)?;
            self.volume
                .on_a_copy(|change| change.truncate(&self.path, len))?;
        }
        Ok(())
    }

    /// Returns only when everything that was written is durable.
    ///
    /// # Errors
    /// An error of the device.
    pub fn sync(&self) -> io::Result<()> {
        self.volume.device.sync()
    }

    /// Checks whether the file can be lengthened, before anything is written.
    fn check_room(&self, state: &mut State, old_len: u64, wanted: u64) -> io::Result<()> {
        u32::try_from(wanted).map_err(|_| io::ErrorKind::FileTooLarge)?;
        self.volume.check_changeable(state)?;
        let mut reader = self.volume.reader();
        reader.check_chain(&self.place(state)?.found)?;
        let clusters = |len| self.volume.geometry.clusters_of(len);
        let needed = clusters(wanted).saturating_sub(clusters(old_len));
        if reader.table.has_free(needed)? {
            Ok(())
        } else {
            Err(io::ErrorKind::StorageFull.into())
        }
    }

    /// Appends zeros until the file has `len` bytes.
    fn fill(&self, state: &mut State, len: u64) -> io::Result<()> {
        loop {
            let now = u64::from(self.place(state)?.found.len);
            let missing = to_usize(len.saturating_sub(now));
            if missing == 0 {
                return Ok(());
            }
            let zeros = vec![0; missing.min(PIECE_LEN)];
            self.volume.change(state).append(&self.path, &zeros)?;
        }
    }

    /// The current position of the file.
    fn place(&self, state: &State) -> io::Result<MutexGuard<'_, Place>> {
        let mut place = self.place.lock().unwrap_or_else(PoisonError::into_inner);
        if place.generation != state.generation {
            *place = Place::find(&self.volume, state.generation, &self.path)?;
        }
        Ok(place)
    }
}

impl Place {
    fn find(volume: &Inner, generation: u64, path: &[String]) -> io::Result<Self> {
        let mut reader = volume.reader();
        let found = reader.find(path)?;
        if found.is_folder {
            return Err(io::ErrorKind::IsADirectory.into());
        }
        let runs = reader.file_runs(&found)?;
        Ok(Self {
            generation,
            found,
            runs,
        })
    }
}

/// Calls `with` for each part of the range that is in one run: offset in the volume, offset in the
/// range, length.
fn each_part(
    runs: &[Run],
    mut offset: u64,
    len: usize,
    mut with: impl FnMut(u64, usize, usize) -> io::Result<()>,
) -> io::Result<()> {
    let mut done = 0_usize;
    for run in runs {
        if done >= len {
            break;
        }
        let Some(left) = run.len.checked_sub(offset).filter(|&left| left > 0) else {
            offset = offset.saturating_sub(run.len);
            continue;
        };
        let left = to_usize(left);
        let part = left.min(len.saturating_sub(done));
        with(run.start.saturating_add(offset), done, part)?;
        done = done.saturating_add(part);
        offset = 0;
    }
    if done < len {
        return Err(io::ErrorKind::UnexpectedEof.into());
    }
    Ok(())
}
