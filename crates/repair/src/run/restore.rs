//! Taking a run back by restoring bytes: its steps backwards, each undone by what was there
//! before it. At every moment the files are in a state that the run itself went through, so that
//! being killed here is no worse than having been killed there, and restoring can begin again.

use diskmend_disk::{Access, Kind};
use diskmend_hive::Buffer;

use crate::digest::Digest;
use crate::documents::{FileAction, RestoredFile, RunState};
use crate::error::Error;
use crate::run::undo_data::UndoData;
use crate::run::{FileEntry, HiveEntry, RunFolder, Step, on_volume};
use crate::store::{Dir, OpenFile, Place};

/// Longest file that is restored, in bytes.
const MAX_LEN: u64 = (2 << 30) + (1 << 20);

/// The files of one hive of a run, ready to be restored.
pub(crate) struct Restoration<'a> {
    entry: &'a HiveEntry,
    files: Vec<Restorable<'a>>,
}

struct Restorable<'a> {
    entry: &'a FileEntry,
    undo: UndoData,
    /// The file, where it exists.
    place: Option<Place>,
    open: Option<Box<dyn OpenFile>>,
}

impl HiveEntry {
    /// What taking the run back does to each file.
    pub(crate) fn restored(&self) -> Vec<RestoredFile> {
        let restored = |file: &FileEntry| RestoredFile {
            path: on_volume(self.volume.as_deref(), &file.path),
            action: match file.old {
                Some(_) => FileAction::Restored,
                None => FileAction::Removed,
            },
        };
        self.files.iter().map(restored).collect()
    }
}

impl<'a> Restoration<'a> {
    /// Finds and opens the files and their undo data.
    pub(crate) fn open(
        root: &dyn Dir,
        run: &RunFolder,
        entry: &'a HiveEntry,
    ) -> Result<Self, Error> {
        let mut files = Vec::new();
        for file in &entry.files {
            let undo = run.read_undo(&file.undo)?;
            let components: Vec<&str> = file.path.split('/').collect();
            let place = root.find(&components)?;
            let open = match &place {
                Some(place) if place.kind == Kind::File => Some(
                    place
                        .dir
                        .open(&place.name, Access::ReadWrite)
                        .map_err(Error::io(&file.path, "open the file"))?,
                ),
                Some(place) => {
                    let error = std::io::Error::other(place.kind.to_string());
                    return Err(Error::io(&file.path, "open the file")(error));
                }
                None => None,
            };
            files.push(Restorable {
                entry: file,
                undo,
                place,
                open,
            });
        }
        let restoration = Self { entry, files };
        restoration.check_steps(run)?;
        Ok(restoration)
    }

    /// The steps must fit the undo data, before any of them is undone.
    fn check_steps(&self, run: &RunFolder) -> Result<(), Error> {
        let mut records = vec![0usize; self.files.len()];
        for step in &self.entry.steps {
            let (file, more) = match step {
                Step::Create { file } | Step::Length { file, .. } => (*file, 0),
                Step::Write { file, records } => (*file, *records),
                Step::Flush => continue,
            };
            match records.get_mut(file) {
                Some(sum) => *sum = sum.saturating_add(more),
                None => return Err(run.damaged("journal.json", "a step names no file")),
            }
        }
        for (file, sum) in self.files.iter().zip(records) {
            if file.undo.end() > MAX_LEN {
                return Err(run.damaged(&file.entry.undo, "a record lies past any file's end"));
            }
            if file.undo.len() != sum {
                return Err(run.damaged(&file.entry.undo, "its records do not fit the steps"));
            }
        }
        Ok(())
    }

    /// The hive's handle, to take its lock.
    pub(crate) fn hive(&self) -> Option<&dyn OpenFile> {
        self.files
            .iter()
            .find(|file| file.entry.path == self.entry.path)
            .and_then(|file| file.open.as_deref())
    }

    /// Whether restoring gives back the exact bytes of before, and destroys nothing that came
    /// later.
    pub(crate) fn is_exact(&self, state: RunState) -> Result<bool, Error> {
        for file in &self.files {
            let io = || Error::io(&file.entry.path, "read the file");
            if state == RunState::Done {
                let Some(new) = &file.entry.new else {
                    return Ok(false);
                };
                let Some(open) = &file.open else {
                    return Ok(false);
                };
                let unchanged = open.len().map_err(io())? == new.length
                    && Digest::of_file(open.as_ref()).map_err(io())? == new.xxh3;
                if !unchanged {
                    return Ok(false);
                }
            }
            let Some(old) = &file.entry.old else {
                continue;
            };
            let Some(open) = &file.open else {
                return Ok(false);
            };
            let mut image = open.map(0, MAX_LEN).map_err(io())?;
            // What is longer than the file and its undo data together cannot be restored.
            let most = file.undo.bytes().saturating_add(image.bytes().len() as u64);
            if old.length > most {
                return Ok(false);
            }
            let len = usize::try_from(old.length).unwrap_or(usize::MAX);
            overlay(image.as_mut(), &file.undo, len).map_err(io())?;
            let restored = image.bytes().get(..len).map(Digest::of);
            if restored != Some(old.xxh3) {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Restores the files.
    ///
    /// # Errors
    /// What the system reported; the run is then as if it had been killed.
    pub(crate) fn restore(&mut self) -> Result<Vec<RestoredFile>, Error> {
        for file in &self.files {
            if file.entry.old.is_some() && file.open.is_none() {
                let missing = std::io::Error::from(std::io::ErrorKind::NotFound);
                return Err(Error::io(&file.entry.path, "restore the file")(missing));
            }
        }
        let mut left: Vec<usize> = self.files.iter().map(|file| file.undo.len()).collect();
        let mut unflushed = vec![false; self.files.len()];
        for step in self.entry.steps.iter().rev() {
            match step {
                Step::Flush => self.flush(&mut unflushed)?,
                Step::Write { file, records } => {
                    let Some(at) = left.get_mut(*file) else {
                        continue;
                    };
                    for _ in 0..*records {
                        *at = at.saturating_sub(1);
                        self.write(*file, *at)?;
                    }
                    mark(&mut unflushed, *file);
                }
                Step::Length { file, before } => {
                    self.set_len(*file, *before)?;
                    mark(&mut unflushed, *file);
                }
                Step::Create { file } => {
                    self.remove(*file)?;
                    if let Some(flag) = unflushed.get_mut(*file) {
                        *flag = false;
                    }
                }
            }
        }
        self.flush(&mut unflushed)?;
        self.verify()?;
        Ok(self.entry.restored())
    }

    fn write(&mut self, file: usize, record: usize) -> Result<(), Error> {
        let Some(Restorable {
            entry, undo, open, ..
        }) = self.files.get_mut(file)
        else {
            return Ok(());
        };
        // A file that the run created is only removed.
        let (Some(open), Some(old)) = (open, &entry.old) else {
            return Ok(());
        };
        let io = || Error::io(&entry.path, "restore the file");
        let image = undo
            .get(record)
            .map_err(Error::io(&entry.undo, "read the undo data"))?;
        let Some(image) = image else {
            return Ok(());
        };
        // Where the run never got to lengthening the file there is nothing to take back, and a
        // full disk would not let it grow.
        let end = open.len().map_err(io())?.max(old.length);
        let fits = usize::try_from(end.saturating_sub(image.offset)).unwrap_or(usize::MAX);
        let bytes = image.bytes.get(..fits).unwrap_or(&image.bytes);
        if bytes.is_empty() {
            return Ok(());
        }
        open.write_all_at(bytes, image.offset).map_err(io())
    }

    fn set_len(&mut self, file: usize, len: u64) -> Result<(), Error> {
        let Some(Restorable { entry, open, .. }) = self.files.get_mut(file) else {
            return Ok(());
        };
        let (Some(open), Some(_)) = (open, &entry.old) else {
            return Ok(());
        };
        let io = || Error::io(&entry.path, "restore the length of the file");
        // What was cut off comes back with its records; growing first would only take space.
        if open.len().map_err(io())? > len {
            open.set_len(len).map_err(io())?;
        }
        Ok(())
    }

    fn remove(&mut self, file: usize) -> Result<(), Error> {
        let Some(file) = self.files.get_mut(file) else {
            return Ok(());
        };
        file.open = None;
        let Some(place) = &file.place else {
            return Ok(());
        };
        let io = || Error::io(&file.entry.path, "remove the file");
        place.dir.remove_file(&place.name).map_err(io())?;
        place.dir.sync().map_err(io())?;
        file.place = None;
        Ok(())
    }

    fn flush(&mut self, unflushed: &mut [bool]) -> Result<(), Error> {
        for (file, flag) in self.files.iter_mut().zip(unflushed) {
            if std::mem::take(flag)
                && let Some(open) = &mut file.open
            {
                open.sync()
                    .map_err(Error::io(&file.entry.path, "flush the file"))?;
            }
        }
        Ok(())
    }

    /// Reads every file back: it must be what it was.
    fn verify(&self) -> Result<(), Error> {
        for file in &self.files {
            let (Some(old), Some(open)) = (&file.entry.old, &file.open) else {
                continue;
            };
            let io = || Error::io(&file.entry.path, "read the file back");
            let len = open.len().map_err(io())?;
            let digest = Digest::of_file(open.as_ref()).map_err(io())?;
            if len != old.length || digest != old.xxh3 {
                return Err(Error::ReadBack {
                    path: file.entry.path.clone(),
                    found: format!("{len} bytes with digest {digest}"),
                });
            }
        }
        Ok(())
    }
}

fn mark(flags: &mut [bool], file: usize) {
    if let Some(flag) = flags.get_mut(file) {
        *flag = true;
    }
}

/// Puts the bytes of before over an image in memory, as far as the old file reached.
fn overlay(image: &mut dyn Buffer, undo: &UndoData, old_len: usize) -> std::io::Result<()> {
    if image.bytes().len() < old_len {
        image.grow(old_len)?;
    }
    for index in (0..undo.len()).rev() {
        let Some(record) = undo.get(index)? else {
            continue;
        };
        let start = usize::try_from(record.offset).unwrap_or(usize::MAX);
        let end = start.saturating_add(record.bytes.len()).min(old_len);
        let target = image.bytes_mut().get_mut(start..end);
        let source = record.bytes.get(..end.saturating_sub(start));
        if let (Some(target), Some(source)) = (target, source) {
            target.copy_from_slice(source);
        }
    }
    Ok(())
}
