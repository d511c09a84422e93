//! A hive's files, open for a commit.

use std::io;

use diskmend_disk::{Access, File, Found};
use diskmend_hive::commit::{CommitPlan, HiveFileKind, HiveFiles};
use diskmend_hive::{LogKind, Storage};

use crate::error::{Error, Refusal};
use crate::hive_on_disk::{Distinct, LogOnDisk, sibling};
use crate::run::Content;

/// The files of one hive.
pub(crate) struct CommitFiles {
    place: Found,
    /// The hive file; `None` until the commit creates it.
    primary: Option<Box<dyn File>>,
    logs: Vec<LogOnDisk>,
    open_logs: [Option<Box<dyn File>>; 3],
}

impl CommitFiles {
    pub(crate) fn new(place: Found, primary: Option<Box<dyn File>>, logs: Vec<LogOnDisk>) -> Self {
        Self {
            place,
            primary,
            logs,
            open_logs: [None, None, None],
        }
    }

    /// Opens the logs that a plan writes, before anything is written.
    ///
    /// # Errors
    /// [`Refusal::NoLog`] if one can't be written, and the refusals of [`Distinct`].
    pub(crate) fn open_for(&mut self, plan: &CommitPlan<'_>) -> Result<(), Error> {
        let mut distinct = Distinct::default();
        if let Some(primary) = &self.primary {
            distinct.add_hive(primary.as_ref(), &self.place.path)?;
        }
        for (slot, kind) in self.open_logs.iter_mut().zip(LogKind::ALL) {
            // A plan that was only tried may have opened it. While a file is open for writing,
            // Windows does not let any process open it for writing again, not even this one.
            *slot = None;
            let written = plan.change(HiveFileKind::Log(kind)).is_some();
            let Some(log) = self.logs.iter().find(|log| log.kind == kind && written) else {
                continue;
            };
            let open = self.place.dir.open(&log.name, Access::ReadWrite);
            let open = open.map_err(|source| Refusal::NoLog {
                path: self.place.path.clone(),
                source: Box::new(source),
            })?;
            distinct.add_log(open.as_ref(), &log.fingerprint.path)?;
            *slot = Some(open);
        }
        Ok(())
    }

    /// Checks before anything is written that every file has room for the plan's writes, and that
    /// every missing log can be created.
    ///
    /// # Errors
    /// [`Refusal::NoRoom`] if a file has no room.
    pub(crate) fn check_room(&self, plan: &CommitPlan<'_>) -> Result<(), Error> {
        for kind in HiveFileKind::ALL {
            let Some(change) = plan.change(kind) else {
                continue;
            };
            let room = match (self.open(kind), kind) {
                (Some(file), _) => {
                    // What is cut off isn't written.
                    let extents = change.extents.iter().filter_map(|(offset, len)| {
                        let left = change.len_after.checked_sub(*offset)?;
                        (left > 0).then_some((*offset, left.min(*len)))
                    });
                    file.check_room(change.len_after, &extents.collect::<Vec<_>>())
                }
                (None, HiveFileKind::Log(log)) => {
                    let name = self.log_name(log);
                    self.place.dir.can_create(&name, change.len_after)
                }
                (None, HiveFileKind::Primary) => self
                    .place
                    .dir
                    .can_create(&self.place.name, change.len_after),
            };
            room.map_err(|source| Refusal::NoRoom {
                path: self.path(kind),
                source: Box::new(source),
            })?;
        }
        Ok(())
    }

    /// The path of a file below the target's root.
    pub(crate) fn path(&self, kind: HiveFileKind) -> String {
        match kind {
            HiveFileKind::Primary => self.place.path.clone(),
            HiveFileKind::Log(kind) => sibling(&self.place.path, &self.log_name(kind)),
        }
    }

    /// A file's content when it was opened; `None` if it didn't exist.
    pub(crate) fn log_before(&self, kind: LogKind) -> Option<Content> {
        let log = self.logs.iter().find(|log| log.kind == kind)?;
        Some(log.fingerprint.content)
    }

    /// The hive file.
    ///
    /// # Errors
    /// If the commit was to create it and didn't.
    pub(crate) fn primary(&self) -> Result<&dyn File, Error> {
        let missing = || Error::NoHive {
            path: self.place.path.clone(),
        };
        self.primary.as_deref().ok_or_else(missing)
    }

    /// A file that exists.
    pub(crate) fn open(&self, kind: HiveFileKind) -> Option<&dyn File> {
        match kind {
            HiveFileKind::Primary => self.primary.as_deref(),
            HiveFileKind::Log(kind) => self
                .open_logs
                .iter()
                .zip(LogKind::ALL)
                .find(|(_, log)| *log == kind)
                .and_then(|(file, _)| file.as_deref()),
        }
    }

    /// The name of a log on disk, or the name that it will get.
    fn log_name(&self, kind: LogKind) -> String {
        self.logs.iter().find(|log| log.kind == kind).map_or_else(
            || format!("{}{}", self.place.name, kind.suffix()),
            |log| log.name.clone(),
        )
    }

    fn slot(&mut self, kind: LogKind) -> Option<&mut Option<Box<dyn File>>> {
        self.open_logs
            .iter_mut()
            .zip(LogKind::ALL)
            .find(|(_, log)| *log == kind)
            .map(|(slot, _)| slot)
    }
}

impl HiveFiles for CommitFiles {
    fn file(&mut self, kind: HiveFileKind) -> Option<&mut dyn Storage> {
        match kind {
            HiveFileKind::Primary => match &mut self.primary {
                Some(file) => Some(file.as_mut()),
                None => None,
            },
            HiveFileKind::Log(kind) => match self.slot(kind)? {
                Some(file) => Some(file.as_mut()),
                None => None,
            },
        }
    }

    fn create(&mut self, kind: HiveFileKind) -> io::Result<()> {
        let HiveFileKind::Log(kind) = kind else {
            if self.primary.is_some() {
                return Err(io::ErrorKind::AlreadyExists.into());
            }
            self.primary = Some(self.place.dir.create(&self.place.name)?);
            return Ok(());
        };
        let name = self.log_name(kind);
        let file = self.place.dir.create(&name)?;
        if let Some(slot) = self.slot(kind) {
            *slot = Some(file);
        }
        Ok(())
    }

    fn sync_folder(&mut self) -> io::Result<()> {
        self.place.dir.sync()
    }
}
