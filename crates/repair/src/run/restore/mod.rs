//! Undoing a run by restoring bytes. Its steps are undone in reverse order, each by the bytes that
//! were there before it. So the files are always in a state that the run itself passed through: if
//! the process is killed here, that is no worse than if the run had been killed, and restoring can
//! start again.

mod checks;
mod file;
mod write;

use std::cell::OnceCell;

use diskmend_disk::{Access, Dir, File, Kind};

use crate::differences::Difference;
use crate::error::Error;
use crate::hive_on_disk::Distinct;
use crate::restored::RestoredFile;
use crate::run::{HiveEntry, RunFolder, Step, on_volume};
use file::Restorable;

/// The files of one hive of a run, ready to be restored.
pub(crate) struct Restoration<'a> {
    entry: &'a HiveEntry,
    files: Vec<Restorable<'a>>,
    /// True if old bytes are restored whatever is in their places now.
    forced: bool,
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
                left: 0,
                unflushed: false,
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
        for file in &mut self.files {
            file.begin();
        }
        for step in self.entry.steps.iter().rev() {
            let (Step::Create { file } | Step::Length { file, .. } | Step::Write { file, .. }) =
                step
            else {
                self.flush()?;
                continue;
            };
            let Some(file) = self.files.get_mut(*file) else {
                let odd = std::io::Error::other("a step names no file");
                return Err(Error::io(&self.entry.path, "restore the files of")(odd));
            };
            match step {
                Step::Write { records, .. } => file.write_back(*records)?,
                Step::Length { before, .. } => file.cut(*before, self.forced)?,
                Step::Create { .. } => file.remove()?,
                Step::Flush => {}
            }
        }
        self.flush()?;
        self.verify()?;
        Ok(actions)
    }

    fn flush(&mut self) -> Result<(), Error> {
        self.files.iter_mut().try_for_each(Restorable::flush)
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
