//! Undoing a run by restoring bytes. Its steps are undone in reverse order, each by the bytes that
//! were there before it. So the files are always in a state that the run itself passed through: if
//! the process is killed here, that is no worse than if the run had been killed, and restoring can
//! start again.

use diskmend_base::count::to_usize;
use std::cell::OnceCell;

use diskmend_disk::{Access, Dir, File, Found, Kind, MappedFile};
use diskmend_hive::Buffer;

use crate::differences::Difference;
use crate::digest::Digest;
use crate::error::Error;
use crate::hive_on_disk::Distinct;
use crate::restored::{FileAction, RestoredFile};
use crate::run::undo_data::UndoData;
use crate::run::{Content, FileEntry, HiveEntry, RunFolder, Step, on_volume};

/// The greatest length of a file to restore, in bytes.
const MAX_LEN: u64 = (2 << 30) + (1 << 20);

/// The files of one hive of a run, ready to be restored.
pub(crate) struct Restoration<'a> {
    entry: &'a HiveEntry,
    files: Vec<Restorable<'a>>,
    /// True if old bytes are restored whatever is in their places now.
    forced: bool,
}

struct Restorable<'a> {
    entry: &'a FileEntry,
    undo: UndoData,
    /// The file, if it exists.
    place: Option<Found>,
    open: Option<Box<dyn File>>,
    /// The file's content before anything is restored, if its length is one that the run can have
    /// made.
    found: OnceCell<Option<Content>>,
}

impl Restorable<'_> {
    /// The file's content; `None` if it has a length that the run never gave it. Then it isn't
    /// read.
    fn found(&self, open: &dyn File) -> Result<Option<Content>, Error> {
        if let Some(found) = self.found.get() {
            return Ok(*found);
        }
        let io = || Error::io(&self.entry.path, "read the file");
        let content = if self.knows_length(open.len().map_err(io())?) {
            Some(Content::of_file(open).map_err(io())?)
        } else {
            None
        };
        Ok(*self.found.get_or_init(|| content))
    }

    fn knows_length(&self, len: u64) -> bool {
        let ends = [self.entry.old, self.entry.new];
        let on_the_way = self.undo.lengths();
        len <= MAX_LEN
            && (ends.iter().flatten().any(|known| known.length == len)
                || on_the_way.is_some_and(|lengths| lengths.contains(&len)))
    }

    /// True if every byte is one that the run found or wrote.
    fn holds_nothing_foreign(&self) -> Result<bool, Error> {
        let Some(open) = self.open.as_deref() else {
            return Ok(self.entry.old.is_none());
        };
        let found = self.found(open)?;
        if found.is_none() {
            return Ok(false);
        }
        if found == self.entry.old || found == self.entry.new {
            return Ok(true);
        }
        // The undo data of version 1 know only these two states.
        let Some(lengths) = self.undo.lengths() else {
            return Ok(false);
        };
        if !found.is_some_and(|found| lengths.contains(&found.length)) {
            return Ok(false);
        }
        let mut foreign = false;
        let old_len = self.entry.old.map_or(0, |old| old.length);
        let compared = self.undo.foreign(open, old_len, &mut |_| {
            foreign = true;
            false
        });
        compared.map_err(Error::io(&self.entry.path, "read the file"))?;
        Ok(!foreign)
    }

    /// True if the file with the old bytes written over it is the old file.
    fn gives_old_bytes(&self) -> Result<bool, Error> {
        let Some(old) = &self.entry.old else {
            return Ok(true);
        };
        let Some(open) = &self.open else {
            return Ok(false);
        };
        let io = || Error::io(&self.entry.path, "read the file");
        let mut image = MappedFile::open(open.as_ref(), 0, MAX_LEN).map_err(io())?;
        // A file that is longer than this and its undo data together can't be restored.
        let most = self.undo.bytes().saturating_add(image.bytes().len() as u64);
        if old.length > most {
            return Ok(false);
        }
        let len = to_usize(old.length);
        overlay(&mut image, &self.undo, len).map_err(io())?;
        let restored = image.bytes().get(..len).map(Digest::of);
        Ok(restored == Some(old.xxh3))
    }

    /// The differences from what the run found and from what it left.
    fn difference(&self, path: String) -> Result<Difference, Error> {
        let mut difference = Difference::of(path, false);
        let Some(open) = self.open.as_deref() else {
            difference.other_length = self.entry.old.map(|_| 0);
            return Ok(difference);
        };
        if self.holds_nothing_foreign()? {
            return Ok(difference);
        }
        let io = || Error::io(&self.entry.path, "read the file");
        let found = open.len().map_err(io())?;
        let lengths = [self.entry.old, self.entry.new];
        let is_known = match self.undo.lengths() {
            Some(lengths) => lengths.contains(&found),
            None => lengths.iter().flatten().any(|known| known.length == found),
        };
        difference.other_length = (!is_known).then_some(found);
        let old_len = self.entry.old.map_or(0, |old| old.length);
        let compared = self.undo.foreign(open, old_len, &mut |range| {
            difference.add(&range);
            true
        });
        compared.map_err(io())?;
        Ok(difference)
    }

    /// Reads back only what was restored.
    fn verify_records(&self, open: &dyn File) -> Result<(), Error> {
        let io = || Error::io(&self.entry.path, "read the file back");
        // What comes after the old file's end isn't restored and may have any length.
        let old_len = self.entry.old.map_or(0, |old| old.length);
        let len = open.len().map_err(io())?.min(old_len).min(MAX_LEN);
        let len = usize::try_from(len).map_err(|_| io()(std::io::ErrorKind::OutOfMemory.into()))?;
        let mut image: Vec<u8> = Vec::new();
        image.grow(len).map_err(io())?;
        open.read_exact_at(&mut image, 0).map_err(io())?;
        let found = Digest::of(&image);
        overlay(&mut image, &self.undo, len).map_err(io())?;
        if Digest::of(&image) == found {
            return Ok(());
        }
        Err(Error::ReadBack {
            path: self.entry.path.clone(),
            found: "other bytes than those that were restored".to_owned(),
        })
    }

    /// What restoring does with the file.
    fn action(&self) -> Result<FileAction, Error> {
        let is_old = match self.open.as_deref() {
            Some(open) => {
                let found = self.found(open)?;
                found.is_some() && found == self.entry.old
            }
            None => self.entry.old.is_none(),
        };
        Ok(match self.entry.old {
            _ if is_old => FileAction::Unchanged,
            Some(_) => FileAction::Restored,
            None => FileAction::Removed,
        })
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
        let mut distinct = Distinct::default();
        for file in &entry.files {
            let undo = run.read_undo(file)?;
            let components: Vec<&str> = file.path.split('/').collect();
            let place = root.find(&components)?;
            let open = match &place {
                Some(place) if place.kind() == Kind::File => Some(
                    place
                        .dir
                        .open(&place.name, Access::ReadWrite)
                        .map_err(Error::io(&file.path, "open the file"))?,
                ),
                Some(place) => {
                    let error = std::io::Error::other(place.kind().to_string());
                    return Err(Error::io(&file.path, "open the file")(error));
                }
                None => None,
            };
            if let Some(open) = &open {
                distinct.add_hive(open.as_ref(), &file.path)?;
            }
            files.push(Restorable {
                entry: file,
                undo,
                place,
                open,
                found: OnceCell::new(),
            });
        }
        let restoration = Self {
            entry,
            files,
            forced: false,
        };
        restoration.check_steps(run)?;
        Ok(restoration)
    }

    /// Checks that the steps fit the undo data, before any step is undone.
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
                None => return Err(run.damaged_journal("a step names no file")),
            }
        }
        for (file, sum) in self.files.iter().zip(records) {
            let greatest = file.undo.lengths().map_or(0, |lengths| *lengths.end());
            if file.undo.end().max(greatest) > MAX_LEN {
                return Err(run.damaged(&file.entry.undo, "a record lies past any file's end"));
            }
            if file.undo.len() != sum {
                return Err(run.damaged(&file.entry.undo, "its records do not fit the steps"));
            }
        }
        self.check_effects(run)
    }

    /// Checks that undoing the steps results in the old files: no old file is removed, and nothing
    /// is cut off that no record restores.
    fn check_effects(&self, run: &RunFolder) -> Result<(), Error> {
        let odd = |what: &str| Err(run.damaged_journal(what));
        let mut done = vec![0usize; self.files.len()];
        let mut created = vec![false; self.files.len()];
        for step in &self.entry.steps {
            let (Step::Create { file } | Step::Length { file, .. } | Step::Write { file, .. }) =
                step
            else {
                continue;
            };
            let (Some(of), Some(done)) = (self.files.get(*file), done.get_mut(*file)) else {
                return odd("a step names no file");
            };
            match step {
                Step::Create { .. } if of.entry.old.is_some() => {
                    return odd("a file was created that was there before");
                }
                Step::Create { .. } => {
                    if let Some(created) = created.get_mut(*file) {
                        *created = true;
                    }
                }
                Step::Length { before, .. } => {
                    let old_len = of.entry.old.map_or(0, |old| old.length);
                    if !of.undo.cover(*done, *before..old_len) {
                        return odd("a file was shorter than its old bytes reach");
                    }
                }
                Step::Write { records, .. } => *done = done.saturating_add(*records),
                Step::Flush => {}
            }
        }
        let files = self.files.iter().zip(created);
        match files
            .filter(|(file, created)| file.entry.old.is_none() && !created)
            .count()
        {
            0 => Ok(()),
            _ => odd("a file was not there before, and was never created"),
        }
    }

    /// The hive's handle, to take its lock.
    pub(crate) fn hive(&self) -> Option<&dyn File> {
        self.files
            .iter()
            .find(|file| file.entry.path == self.entry.path)
            .and_then(|file| file.open.as_deref())
    }

    /// True if restoring gives exactly the old bytes and destroys nothing newer: every byte is one
    /// that the run found or wrote, in any state of the run.
    pub(crate) fn is_exact(&self) -> Result<bool, Error> {
        for file in &self.files {
            if !file.holds_nothing_foreign()? || !file.gives_old_bytes()? {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// The differences of each file from what the run found and from what it left.
    pub(crate) fn differences(&self) -> Result<Vec<Difference>, Error> {
        self.files
            .iter()
            .map(|file| file.difference(self.shown_path(file)))
            .collect()
    }

    /// Restores old bytes, whatever is in their places now.
    ///
    /// # Errors
    /// If a file is missing.
    pub(crate) fn force(&mut self) -> Result<(), Error> {
        self.forced = true;
        self.none_missing()
    }

    fn shown_path(&self, file: &Restorable<'_>) -> String {
        on_volume(self.entry.volume.as_deref(), &file.entry.path)
    }

    fn none_missing(&self) -> Result<(), Error> {
        for file in &self.files {
            if file.entry.old.is_some() && file.open.is_none() {
                let missing = std::io::Error::from(std::io::ErrorKind::NotFound);
                return Err(Error::io(&file.entry.path, "restore the file")(missing));
            }
        }
        Ok(())
    }

    /// What restoring does with each file.
    pub(crate) fn actions(&self) -> Result<Vec<RestoredFile>, Error> {
        let action = |file: &Restorable<'_>| {
            Ok(RestoredFile {
                path: self.shown_path(file),
                action: file.action()?,
            })
        };
        self.files.iter().map(action).collect()
    }

    /// Restores the files.
    ///
    /// # Errors
    /// The system's error. The run is then in the state of a killed one.
    pub(crate) fn restore(&mut self) -> Result<Vec<RestoredFile>, Error> {
        let actions = self.actions()?;
        self.none_missing()?;
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
        Ok(actions)
    }

    fn write(&mut self, file: usize, record: usize) -> Result<(), Error> {
        let Some(Restorable {
            entry, undo, open, ..
        }) = self.files.get_mut(file)
        else {
            return Ok(());
        };
        // A file that the run created is removed.
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
        // If the run never made the file longer, there is nothing to undo, and a full disk would
        // not let it grow.
        let end = open.len().map_err(io())?.max(old.length);
        let fits = to_usize(end.saturating_sub(image.offset));
        let bytes = image.bytes.get(..fits).unwrap_or(&image.bytes);
        if bytes.is_empty() {
            return Ok(());
        }
        open.write_all_at(bytes, image.offset).map_err(io())
    }

    fn set_len(&mut self, file: usize, len: u64) -> Result<(), Error> {
        let forced = self.forced;
        let Some(Restorable {
            entry, undo, open, ..
        }) = self.files.get_mut(file)
        else {
            return Ok(());
        };
        let (Some(open), Some(_)) = (open, &entry.old) else {
            return Ok(());
        };
        let io = || Error::io(&entry.path, "restore the length of the file");
        // Bytes after the end that the run gave the file aren't the run's.
        if forced && open.len().map_err(io())? > greatest_len(entry, undo) {
            return Ok(());
        }
        // The cut-off part comes back with its records. Growing the file first would only take
        // space.
        if open.len().map_err(io())? > len {
            open.set_len(len).map_err(io())?;
        }
        Ok(())
    }

    fn remove(&mut self, file: usize) -> Result<(), Error> {
        let Some(file) = self.files.get_mut(file) else {
            return Ok(());
        };
        if file.entry.old.is_some() {
            return Ok(());
        }
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

    /// Reads every file back. It must be the old file.
    fn verify(&self) -> Result<(), Error> {
        for file in &self.files {
            let (Some(old), Some(open)) = (&file.entry.old, &file.open) else {
                continue;
            };
            let io = || Error::io(&file.entry.path, "read the file back");
            if self.forced {
                file.verify_records(open.as_ref())?;
                continue;
            }
            if !old.is_of(open.as_ref()).map_err(io())? {
                return Err(Error::ReadBack {
                    path: file.entry.path.clone(),
                    found: "other bytes than those that were restored".to_owned(),
                });
            }
        }
        Ok(())
    }
}

/// The greatest length that the run gave a file.
fn greatest_len(entry: &FileEntry, undo: &UndoData) -> u64 {
    let known = [entry.old, entry.new];
    let known = known.iter().flatten().map(|content| content.length).max();
    let noted = undo.lengths().map_or(undo.end(), |lengths| *lengths.end());
    noted.max(known.unwrap_or_default())
}

fn mark(flags: &mut [bool], file: usize) {
    if let Some(flag) = flags.get_mut(file) {
        *flag = true;
    }
}

/// Writes the old bytes over a copy in memory, up to the old file's end.
fn overlay(image: &mut dyn Buffer, undo: &UndoData, old_len: usize) -> std::io::Result<()> {
    if image.bytes().len() < old_len {
        image.grow(old_len)?;
    }
    for index in (0..undo.len()).rev() {
        let Some(record) = undo.get(index)? else {
            continue;
        };
        let start = to_usize(record.offset);
        let end = start.saturating_add(record.bytes.len()).min(old_len);
        let target = image.bytes_mut().get_mut(start..end);
        let source = record.bytes.get(..end.saturating_sub(start));
        if let (Some(target), Some(source)) = (target, source) {
            target.copy_from_slice(source);
        }
    }
    Ok(())
}
