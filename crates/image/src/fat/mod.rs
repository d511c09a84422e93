//! The FAT volume: folders and files of an EFI system partition, or of a System Reserved partition
//! that is FAT.
//!
//! This module reads and overwrites files itself, because reading must not change a device, and
//! overwriting a file's bytes must change only these. Changes to the volume's structure go through
//! the `fatfs` crate, on a copy in memory that is checked before any of it is written. What `fatfs`
//! relies on (the boot sector's numbers, chains that end) is checked before `fatfs` sees it.
//!
//! Paths are names beneath the root, looked up without regard to case.

mod change;
mod claims;
mod clock;
mod error;
mod file;
mod folder;
mod format;
mod geometry;
mod overlay;
mod table;
#[cfg(test)]
mod tests;

use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

pub use error::FatError;
pub use file::File;
pub use geometry::FatKind;

use crate::device::Device;
use change::Change;
use folder::{Found, Reader};
use geometry::Geometry;
use overlay::Overlay;
use table::Table;

/// The kind of the FAT volume that begins with `data`, if it is one.
pub(crate) fn kind_of(data: &[u8]) -> Option<FatKind> {
    Geometry::parse(data).ok().map(|geometry| geometry.kind)
}

/// True if `data` begin like a FAT volume, of whatever geometry.
pub(crate) fn is_suggested_by(data: &[u8]) -> bool {
    Geometry::is_suggested_by(data)
}

/// The kind of a folder entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EntryKind {
    /// A file.
    File,
    /// A folder.
    Folder,
}

/// A file or folder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// The name as spelled on disk; empty for the root.
    pub name: String,
    /// The kind.
    pub kind: EntryKind,
    /// Length in bytes; 0 for a folder.
    pub len: u64,
}

impl From<Found> for Entry {
    fn from(found: Found) -> Self {
        Self {
            name: found.name,
            kind: if found.is_folder {
                EntryKind::Folder
            } else {
                EntryKind::File
            },
            len: found.len.into(),
        }
    }
}

/// A FAT12, FAT16 or FAT32 volume.
#[derive(Debug, Clone)]
pub struct Volume {
    inner: Arc<Inner>,
}

/// The volume, shared with its open files.
#[derive(Debug)]
struct Inner {
    device: Arc<dyn Device>,
    geometry: Geometry,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    /// Counts changes of the structure: an open file's position is valid for one generation.
    generation: u64,
    /// The volume may be written.
    writable: bool,
    /// The copies of the FAT are equal.
    copies_equal: bool,
}

impl Volume {
    /// Opens the volume that fills `device`. Only its boot sector is read.
    ///
    /// # Errors
    /// [`FatError::Corrupt`] if that is not a boot sector of FAT; [`FatError::Outside`] if the
    /// volume is longer than the device.
    pub fn open(device: Arc<dyn Device>) -> Result<Self, FatError> {
        let geometry = Geometry::read(&*device)?;
        Ok(Self {
            inner: Arc::new(Inner {
                device,
                geometry,
                state: Mutex::default(),
            }),
        })
    }

    /// The length of the entries of its FAT.
    #[must_use]
    pub fn kind(&self) -> FatKind {
        self.inner.geometry.kind
    }

    /// The volume's label, which is in its root folder; `None` if it has none.
    ///
    /// # Errors
    /// If the root folder can't be read; see [`Volume::list`].
    pub fn label(&self) -> io::Result<Option<String>> {
        let _state = self.inner.state();
        Ok(self.inner.reader().label()?)
    }

    /// Checks whether the volume may be written. Every write checks this too; the first time, all
    /// folders and chains are read.
    ///
    /// # Errors
    /// [`FatError::Marked`] if it was not closed or errors were found on it; [`FatError::Damaged`]
    /// if chains are broken or files share clusters; [`FatError::Unsupported`] if its FATs are not
    /// copies of each other.
    pub fn check_writable(&self) -> Result<(), FatError> {
        self.inner.check_writable(&mut self.inner.state())
    }

    /// The number of bytes in free clusters.
    ///
    /// # Errors
    /// An error of the device.
    pub fn free_bytes(&self) -> Result<u64, FatError> {
        let geometry = &self.inner.geometry;
        let clusters = Table::new(&*self.inner.device, geometry).free()?;
        Ok(clusters.saturating_mul(geometry.cluster_len))
    }

    /// Returns when everything that was written is durable.
    ///
    /// # Errors
    /// An error of the device.
    pub fn sync(&self) -> io::Result<()> {
        self.inner.device.sync()
    }

    /// The files and folders in a folder, in the order on disk.
    ///
    /// # Errors
    /// [`io::ErrorKind::NotFound`]; [`io::ErrorKind::NotADirectory`];
    /// [`io::ErrorKind::InvalidData`] with a [`FatError`] for a corrupt volume.
    pub fn list(&self, folder: &[String]) -> io::Result<Vec<Entry>> {
        let _state = self.inner.state();
        let mut reader = self.inner.reader();
        let place = reader.folder(folder)?;
        let entries = reader.entries(place)?;
        Ok(entries.into_iter().map(Entry::from).collect())
    }

    /// The file or folder at `path`.
    ///
    /// # Errors
    /// Those of [`Volume::list`].
    pub fn metadata(&self, path: &[String]) -> io::Result<Entry> {
        if path.is_empty() {
            return Ok(Entry {
                name: String::new(),
                kind: EntryKind::Folder,
                len: 0,
            });
        }
        let _state = self.inner.state();
        Ok(self.inner.reader().find(path)?.into())
    }

    /// Opens a file.
    ///
    /// # Errors
    /// [`io::ErrorKind::IsADirectory`]; those of [`Volume::list`].
    pub fn open_file(&self, path: &[String]) -> io::Result<File> {
        File::open(self.inner.clone(), path)
    }

    /// Creates an empty file and opens it. Its entry is durable after the file was synced.
    ///
    /// # Errors
    /// [`io::ErrorKind::AlreadyExists`]; [`io::ErrorKind::InvalidFilename`];
    /// [`io::ErrorKind::StorageFull`]; those of [`Volume::check_writable`] and [`Volume::list`].
    pub fn create_file(&self, path: &[String]) -> io::Result<File> {
        let mut state = self.inner.state();
        self.inner.check_new(&mut state, path)?;
        self.inner.change(&mut state).create(path)?;
        drop(state);
        self.open_file(path)
    }

    /// Checks whether a file can be created at `path` and lengthened to `len` bytes. This is tried
    /// on a copy in memory, and nothing is written: `fatfs` accepts fewer volumes than Windows
    /// does.
    ///
    /// # Errors
    /// Those of [`Volume::create_file`] and [`File::set_len`].
    pub fn can_create(&self, path: &[String], len: u64) -> io::Result<()> {
        let mut state = self.inner.state();
        self.inner.check_new(&mut state, path)?;
        u32::try_from(len).map_err(|_| io::ErrorKind::FileTooLarge)?;
        let clusters = self.inner.geometry.clusters_of(len);
        if !self.inner.reader().table.has_free(clusters)? {
            return Err(io::ErrorKind::StorageFull.into());
        }
        self.inner.on_a_copy(|change| {
            change.create(path)?;
            change.append_zeros(path, len)
        })
    }

    /// Removes a file, whether or not it is marked as read-only. Open handles no longer find the
    /// file.
    ///
    /// # Errors
    /// [`io::ErrorKind::IsADirectory`]; those of [`Volume::check_writable`] and [`Volume::list`].
    pub fn remove_file(&self, path: &[String]) -> io::Result<()> {
        let mut state = self.inner.state();
        self.inner.check_changeable(&mut state)?;
        if self.inner.reader().find(path)?.is_folder {
            return Err(io::ErrorKind::IsADirectory.into());
        }
        self.inner.change(&mut state).remove(path)
    }
}

impl Inner {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn reader(&self) -> Reader<'_> {
        Reader::new(&*self.device, &self.geometry)
    }

    fn check_writable(&self, state: &mut State) -> Result<(), FatError> {
        if !state.writable {
            if !self.geometry.mirrored {
                let what = "a FAT volume with allocation tables that are not copies of each other";
                return Err(FatError::Unsupported { what });
            }
            if let Some(mark) = Table::new(&*self.device, &self.geometry).mark()? {
                return Err(FatError::Marked { mark });
            }
            claims::check(&*self.device, &self.geometry).map_err(|error| match error {
                FatError::Io(error) => FatError::Io(error),
                error => FatError::Damaged {
                    source: Box::new(error),
                },
            })?;
            state.writable = true;
        }
        Ok(())
    }

    /// Checks whether the structure may be changed.
    fn check_changeable(&self, state: &mut State) -> Result<(), FatError> {
        // `fatfs` counts its bits in 32.
        if self.geometry.fat.len.saturating_mul(8) > u32::MAX.into() {
            let what = "a FAT volume with an allocation table of 512 MiB or more";
            return Err(FatError::Unsupported { what });
        }
        self.check_writable(state)?;
        if !state.copies_equal {
            Table::new(&*self.device, &self.geometry).compare_copies()?;
            state.copies_equal = true;
        }
        Ok(())
    }

    /// Checks whether a file with this path can be created, as far as possible without trying.
    fn check_new(&self, state: &mut State, path: &[String]) -> io::Result<()> {
        self.check_changeable(state)?;
        if !path.last().is_some_and(|name| is_valid_name(name)) {
            return Err(io::ErrorKind::InvalidFilename.into());
        }
        match self.reader().find(path) {
            Ok(_) => Err(io::ErrorKind::AlreadyExists.into()),
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
            // The change will find out that a folder in the path is missing.
            Err(_) => Ok(()),
        }
    }

    /// Makes changes on a copy of the volume in memory, which is then discarded.
    fn on_a_copy(&self, changes: impl FnOnce(&Change<'_>) -> io::Result<()>) -> io::Result<()> {
        let copy = Overlay::new(&*self.device, &self.geometry);
        changes(&Change {
            device: &copy,
            geometry: &self.geometry,
        })
    }

    /// A change; afterwards, open files look up their position again.
    fn change(&self, state: &mut State) -> Change<'_> {
        state.generation = state.generation.wrapping_add(1);
        Change {
            device: &*self.device,
            geometry: &self.geometry,
        }
    }
}

/// True if a file can have this name (FAT spec, Long Directory Entries), and `fatfs` accepts it as
/// one name.
fn is_valid_name(name: &str) -> bool {
    let len = name.encode_utf16().count();
    (1..=255).contains(&len)
        && !name.ends_with(['.', ' '])
        && !name.starts_with(' ')
        && !name
            .chars()
            .any(|c| c < ' ' || "\"*/:<>?\\|\u{7f}".contains(c))
}
