//! Changes to a volume's structure: files are created, lengthened, shortened, removed.
//!
//! The `fatfs` crate makes a change on an [`Overlay`]. The result is then read back and compared
//! with the former state, and only then written, in stages with a `sync` in between:
//!
//! - if clusters are allocated: their data, the FATs, the folders, the count of free clusters;
//! - if clusters are freed: the folders, the FATs, the count.
//!
//! After a crash between two stages, some clusters may be allocated to no file, or a chain may be
//! longer than its file. After a crash within a stage, the copies of the FAT may differ, or only a
//! part of a name's entries may exist. Nothing else of the volume changes, not even the marks that
//! it is in use, which `fatfs` sets in the boot sector: other users see the volume before or after
//! a run, never during one.

use diskmend_base::count::{to_u64, to_usize};
use std::io::{self, Read, Seek, SeekFrom, Write};

use diskmend_base::bytes;
use fatfs::{Dir, FileSystem, FsOptions};

use super::clock::CLOCK;
use super::error::FatError;
use super::folder::{Found, Reader};
use super::format::{DirEntry, FsInfo};
use super::geometry::{Geometry, Run};
use super::overlay::{Overlay, Stream};
use super::table::{Next, Table};
use crate::device::Device;

/// The number of bytes appended by one change, which is held in memory.
pub(super) const PIECE_LEN: usize = 1 << 20;

/// The parts of a change, in the order in which they are written if clusters are allocated.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stage {
    Data,
    Fat,
    Folder,
    Info,
}

const TAKING: &[Stage] = &[Stage::Data, Stage::Fat, Stage::Folder, Stage::Info];
const GIVING: &[Stage] = &[Stage::Data, Stage::Folder, Stage::Fat, Stage::Info];

/// A change to a volume.
pub(super) struct Change<'a> {
    pub(super) device: &'a dyn Device,
    pub(super) geometry: &'a Geometry,
}

impl Change<'_> {
    /// Creates an empty file. No file of that name may exist.
    pub(super) fn create(&self, path: &[String]) -> io::Result<()> {
        let (name, folder) = path.split_last().ok_or(io::ErrorKind::IsADirectory)?;
        let mut reader = Reader::new(self.device, self.geometry);
        let place = reader.folder(folder)?;
        let before = reader.entries(place)?;
        let old = reader.folder_runs(place)?;
        self.check_space(1)?;
        let overlay = Overlay::new(self.device, self.geometry);
        let spelled = self.spelled(folder)?;
        self.run(&overlay, |root| {
            let file = root.create_file(&joined(&spelled, name))?;
            drop(file);
            Ok(())
        })?;
        let mut reader = Reader::new(&overlay, self.geometry);
        let new = reader.folder_runs(place)?;
        let made = reader.find(path)?;
        if new.clusters > old.clusters {
            clear_rest(&overlay, &new.runs, made.at)?;
        }
        let mut after = Reader::new(&overlay, self.geometry).entries(place)?;
        after.retain(|one| one.at != made.at);
        if after != before || made.is_folder || made.len != 0 || made.first != 0 {
            return Err(unexpected("other entries in the folder"));
        }
        self.write(&overlay, TAKING, &[])
    }

    /// Removes a file.
    pub(super) fn remove(&self, path: &[String]) -> io::Result<()> {
        let mut reader = Reader::new(self.device, self.geometry);
        let found = reader.find(path)?;
        reader.check_chain(&found)?;
        let (_, folder) = path.split_last().ok_or(io::ErrorKind::IsADirectory)?;
        let place = reader.folder(folder)?;
        let mut before = reader.entries(place)?;
        let overlay = Overlay::new(self.device, self.geometry);
        let spelled = self.spelled(folder)?;
        self.run(&overlay, |root| root.remove(&joined(&spelled, &found.name)))?;
        before.retain(|one| one.at != found.at);
        let mut reader = Reader::new(&overlay, self.geometry);
        if reader.entries(place)? != before {
            return Err(unexpected("other entries in the folder"));
        }
        self.write(&overlay, GIVING, &[])
    }

    /// Appends to a file; `data` is at most a few MiB.
    pub(super) fn append(&self, path: &[String], data: &[u8]) -> io::Result<()> {
        let mut reader = Reader::new(self.device, self.geometry);
        let found = reader.find(path)?;
        reader.check_chain(&found)?;
        let own = reader.file_runs(&found)?;
        let added = to_u64(data.len());
        let len = u64::from(found.len).saturating_add(added);
        let expected = u32::try_from(len).map_err(|_| io::ErrorKind::FileTooLarge)?;
        let clusters = self.geometry.clusters_of(len);
        self.check_space(clusters.saturating_sub(self.geometry.clusters_of(found.len.into())))?;
        self.resize(path, &found, expected, TAKING, &own, |file| {
            file.seek(SeekFrom::End(0))?;
            file.write_all(data)
        })
    }

    /// Appends zeros, at most one step of a larger change.
    pub(super) fn append_zeros(&self, path: &[String], len: u64) -> io::Result<()> {
        match to_usize(len).min(PIECE_LEN) {
            0 => Ok(()),
            len => self.append(path, &vec![0; len]),
        }
    }

    /// Shortens a file to `len` bytes.
    pub(super) fn truncate(&self, path: &[String], len: u32) -> io::Result<()> {
        let mut reader = Reader::new(self.device, self.geometry);
        let found = reader.find(path)?;
        reader.check_chain(&found)?;
        self.resize(path, &found, len, GIVING, &[], |file| {
            file.seek(SeekFrom::Start(len.into()))?;
            file.truncate()
        })
    }

    /// Applies `how` to a file, which then has `expected` bytes. `own` are the file's clusters.
    fn resize(
        &self,
        path: &[String],
        found: &Found,
        expected: u32,
        order: &[Stage],
        own: &[Run],
        how: impl FnOnce(&mut fatfs::File<'_, Stream<'_>>) -> io::Result<()>,
    ) -> io::Result<()> {
        let (_, folder) = path.split_last().ok_or(io::ErrorKind::IsADirectory)?;
        let mut reader = Reader::new(self.device, self.geometry);
        let place = reader.folder(folder)?;
        let mut before = reader.entries(place)?;
        let overlay = Overlay::new(self.device, self.geometry);
        let spelled = self.spelled(folder)?;
        self.run(&overlay, |root| {
            let mut file = root.open_file(&joined(&spelled, &found.name))?;
            how(&mut file)?;
            file.flush()
        })?;
        let mut reader = Reader::new(&overlay, self.geometry);
        let mut after = reader.entries(place)?;
        let changed = after.iter().find(|one| one.at == found.at);
        let changed = changed.filter(|one| one.len == expected).cloned();
        let changed = changed.ok_or_else(|| unexpected("the file with another length"))?;
        reader.check_chain(&changed)?;
        before.retain(|one| one.at != found.at);
        after.retain(|one| one.at != found.at);
        if after != before {
            return Err(unexpected("other entries in the folder"));
        }
        self.write(&overlay, order, own)
    }

    /// Mounts the overlay with `fatfs` and applies `how` to its root.
    fn run(
        &self,
        overlay: &Overlay<'_>,
        how: impl FnOnce(&Dir<'_, Stream<'_>>) -> io::Result<()>,
    ) -> io::Result<()> {
        let options = FsOptions::new().time_provider(&CLOCK);
        let mounted = FileSystem::new(Stream::new(overlay), options)?;
        how(&mounted.root_dir())?;
        mounted.unmount()
    }

    /// A path to a folder in the spelling of its entries, by which `fatfs` finds them.
    fn spelled(&self, folder: &[String]) -> io::Result<Vec<String>> {
        let mut reader = Reader::new(self.device, self.geometry);
        let upto = (1..=folder.len()).filter_map(|len| folder.get(..len));
        upto.map(|path| Ok(reader.find(path)?.name)).collect()
    }

    fn check_space(&self, wanted: u64) -> io::Result<()> {
        let mut table = Table::new(self.device, self.geometry);
        if table.has_free(wanted)? {
            Ok(())
        } else {
            Err(io::ErrorKind::StorageFull.into())
        }
    }

    /// Writes the changes of the overlay, stage by stage. `own` are the clusters of the file that
    /// is lengthened: its last cluster is already allocated, but the bytes after its end are data.
    fn write(&self, overlay: &Overlay<'_>, order: &[Stage], own: &[Run]) -> io::Result<()> {
        let mut staged = Vec::new();
        for (offset, data) in overlay.differences()? {
            match self.stage(offset, own)? {
                Some(Stage::Info) if !self.can_be_count(&data) => {}
                Some(stage) => staged.push((stage, offset, data)),
                None => {}
            }
        }
        let mut is_first = true;
        for stage in order {
            let mut parts = staged.iter().filter(|(of, ..)| of == stage).peekable();
            if parts.peek().is_some() && !std::mem::take(&mut is_first) {
                self.device.sync()?;
            }
            // Adjacent sectors are written at once.
            while let Some((_, offset, data)) = parts.next() {
                let mut data = data.clone();
                let end = |data: &Vec<u8>| offset.saturating_add(to_u64(data.len()));
                while let Some((_, _, more)) = parts.next_if(|(_, at, _)| *at == end(&data)) {
                    data.extend_from_slice(more);
                }
                self.device.write_all_at(&data, *offset)?;
            }
        }
        Ok(())
    }

    /// True if the number of free clusters in FSInfo is plausible: `fatfs` counts from the stored
    /// number, and below 0 if that was too small.
    fn can_be_count(&self, info: &[u8]) -> bool {
        bytes::u32_at(info, FsInfo::FREE_COUNT_AT)
            .is_some_and(|count| count == FsInfo::UNKNOWN || count <= self.geometry.clusters)
    }

    /// The kind of the sector at `offset`; `None` for the boot sector, which is not changed.
    fn stage(&self, offset: u64, own: &[Run]) -> Result<Option<Stage>, FatError> {
        let is_in = |run: Run| (run.start..run.end()).contains(&offset);
        let geometry = self.geometry;
        if is_in(geometry.fat) || geometry.copy.is_some_and(is_in) {
            return Ok(Some(Stage::Fat));
        }
        if geometry.fs_info.is_some_and(is_in) {
            return Ok(Some(Stage::Info));
        }
        if offset < geometry.fat.start {
            return Ok(None);
        }
        if own.iter().copied().any(is_in) {
            return Ok(Some(Stage::Data));
        }
        let Some(cluster) = geometry.cluster_at(offset) else {
            return Ok(Some(Stage::Folder));
        };
        let mut table = Table::new(self.device, geometry);
        Ok(Some(match table.next(cluster)? {
            Next::Free => Stage::Data,
            Next::Bad | Next::End | Next::To(_) => Stage::Folder,
        }))
    }
}

/// Zeroes the bytes after the entry at `at`, the last of its folder, in the cluster that the folder
/// got for it: `fatfs` does not clear new clusters of a FAT32 root folder.
fn clear_rest(overlay: &Overlay<'_>, runs: &[Run], at: u64) -> io::Result<()> {
    let start = at.saturating_add(DirEntry::LEN as u64);
    let Some(run) = runs
        .last()
        .filter(|run| (run.start..run.end()).contains(&at))
    else {
        return Ok(());
    };
    let len = run.end().saturating_sub(start);
    let mut zeros = io::repeat(0).take(len);
    let mut data = Vec::new();
    zeros.read_to_end(&mut data)?;
    overlay.write_all_at(&data, start)
}

fn joined(folder: &[String], name: &str) -> String {
    let names = folder.iter().map(String::as_str).chain([name]);
    names.collect::<Vec<_>>().join("/")
}

fn unexpected(what: &'static str) -> io::Error {
    FatError::Unexpected { what }.into()
}
