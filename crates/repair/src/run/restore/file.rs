//! A file of a run as it is now, compared with what the run found and with what it wrote.

use std::cell::OnceCell;

use diskmend_base::count::to_usize;
use diskmend_disk::{File, Found, MappedFile};
use diskmend_hive::Buffer;

use crate::differences::Difference;
use crate::digest::Digest;
use crate::error::Error;
use crate::restored::FileAction;
use crate::run::undo_data::UndoData;
use crate::run::{Content, FileEntry};

/// The greatest length of a file to restore, in bytes.
pub(super) const MAX_LEN: u64 = (2 << 30) + (1 << 20);

/// A file that may be restored, and what it holds now.
pub(super) struct Restorable<'a> {
    pub(super) entry: &'a FileEntry,
    pub(super) undo: UndoData,
    /// The file, if it exists.
    pub(super) place: Option<Found>,
    pub(super) open: Option<Box<dyn File>>,
    /// The file's content before anything is restored, if its length is one that the run can have
    /// made.
    pub(super) found: OnceCell<Option<Content>>,
    /// The number of records of old bytes that are not restored yet.
    pub(super) left: usize,
    /// True if something was restored that isn't durable.
    pub(super) unflushed: bool,
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
    pub(super) fn holds_nothing_foreign(&self) -> Result<bool, Error> {
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
        let old_len = self.entry.old_len();
        let compared = self.undo.foreign(open, old_len, &mut |_| {
            foreign = true;
            false
        });
        compared.map_err(Error::io(&self.entry.path, "read the file"))?;
        Ok(!foreign)
    }

    /// True if the file with the old bytes written over it is the old file.
    pub(super) fn gives_old_bytes(&self) -> Result<bool, Error> {
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
    pub(super) fn difference(&self, path: String) -> Result<Difference, Error> {
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
        let old_len = self.entry.old_len();
        let compared = self.undo.foreign(open, old_len, &mut |range| {
            difference.add(&range);
            true
        });
        compared.map_err(io())?;
        Ok(difference)
    }

    /// Reads back only what was restored.
    pub(super) fn verify_records(&self, open: &dyn File) -> Result<(), Error> {
        let io = || Error::io(&self.entry.path, "read the file back");
        // What comes after the old file's end isn't restored and may have any length.
        let old_len = self.entry.old_len();
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
    pub(super) fn action(&self) -> Result<FileAction, Error> {
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

/// The greatest length that the run gave a file.
pub(super) fn greatest_len(entry: &FileEntry, undo: &UndoData) -> u64 {
    let known = [entry.old, entry.new];
    let known = known.iter().flatten().map(|content| content.length);
    let noted = undo.lengths().map_or(undo.end(), |lengths| *lengths.end());
    known.fold(noted, u64::max)
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
