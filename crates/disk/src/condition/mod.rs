//! The conditions of a volume that a person should know about before it is changed: what each means,
//! and what can be done about it on this machine.

mod here;
mod remedies;

use std::fmt;

use diskmend_base::chain;
use diskmend_image::ntfs::{self, Log, State, VolumeError};

use crate::image::{Disk, Volume};
use here::Here;
pub(crate) use remedies::Place;

/// A condition of a volume.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Condition {
    /// Which one it is.
    pub kind: ConditionKind,
    /// What it means, in one or two sentences.
    pub meaning: String,
    /// What can be done about it on this machine. The best comes first; a warning comes last.
    pub remedies: Vec<String>,
}

/// The kinds of conditions.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub enum ConditionKind {
    /// Windows is hibernated, or was shut down for a fast startup.
    Hibernated,
    /// The journal contains changes that are not in the volume yet.
    LogPending,
    /// It isn't known what the journal contains.
    LogNotUnderstood,
    /// The volume is marked dirty: Windows checks it at its next start.
    Dirty,
    /// Windows has other work under way on the volume.
    WorkUnderWay,
    /// The boot sector is damaged, and the volume is read by its copy.
    BackupBootSector,
}

impl ConditionKind {
    /// A name for programs.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Hibernated => "hibernated",
            Self::LogPending => "log-pending",
            Self::LogNotUnderstood => "log-not-understood",
            Self::Dirty => "dirty",
            Self::WorkUnderWay => "work-under-way",
            Self::BackupBootSector => "backup-boot-sector",
        }
    }
}

impl fmt::Display for ConditionKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl Disk {
    /// The conditions of a partition's volume, the most important first; empty for a volume that is
    /// in order, that is not NTFS, or that can't be read.
    #[must_use]
    pub fn conditions(&self, number: u32) -> Vec<Condition> {
        let Ok(Volume::Ntfs(root)) = self.volume(number) else {
            return Vec::new();
        };
        of(root.volume(), &Place::on(self, number)).unwrap_or_default()
    }
}

/// The conditions of an NTFS volume at this place.
///
/// # Errors
/// If the volume's state can't be read.
pub(crate) fn of(volume: &ntfs::Volume, place: &Place) -> Result<Vec<Condition>, VolumeError> {
    let state = volume.state()?;
    let work = match state.log {
        Log::Pending { .. } => Some(Work::of(volume)),
        _ => None,
    };
    Ok(of_state(&state, work.as_ref(), place, Here::look()))
}

/// What there is to do in a journal.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Work {
    Known {
        records: u64,
        since_checkpoint: u64,
        oldest_lsn: u64,
    },
    Unknown(String),
}

impl Work {
    fn of(volume: &ntfs::Volume) -> Self {
        match volume.pending() {
            Ok(Some(journal)) => Self::Known {
                records: journal.records,
                since_checkpoint: journal.since_checkpoint,
                oldest_lsn: journal.oldest_lsn,
            },
            Ok(None) => Self::Unknown("it has changed".to_owned()),
            Err(VolumeError::UnknownLog { why }) => Self::Unknown(why),
            Err(error) => Self::Unknown(chain(&error)),
        }
    }
}

fn of_state(state: &State, work: Option<&Work>, place: &Place, here: Here) -> Vec<Condition> {
    let mut conditions = Vec::new();
    let mut add = |kind, meaning, remedies| {
        conditions.push(Condition {
            kind,
            meaning,
            remedies,
        });
    };
    if state.hibernated {
        let meaning = "Windows is hibernated on the volume, or was shut down with fast startup: it \
                       will continue from its saved session and overwrite what changed since";
        let remedies = remedies::of_hibernation(place, here);
        add(ConditionKind::Hibernated, meaning.to_owned(), remedies);
    }
    // Whoever resumes that Windows also takes care of the journal.
    let replay = if state.hibernated {
        Vec::new()
    } else {
        remedies::of_log(place, state.dirty, here)
    };
    match &state.log {
        Log::Clean | Log::Empty => {}
        Log::Pending {
            version: (major, minor),
        } => {
            let log = format!("its journal ($LogFile, version {major}.{minor})");
            match work {
                Some(Work::Known {
                    records,
                    since_checkpoint,
                    oldest_lsn,
                }) => {
                    let meaning = format!(
                        "the volume was not dismounted: {log} has changes that may not be in the \
                         volume yet: {records} records from LSN {oldest_lsn:#x} on, \
                         {since_checkpoint} of them after the last checkpoint. Windows makes these \
                         changes when it mounts the volume"
                    );
                    add(ConditionKind::LogPending, meaning, replay);
                }
                Some(Work::Unknown(_)) | None => {
                    let why = match work {
                        Some(Work::Unknown(why)) => format!(" ({why})"),
                        _ => String::new(),
                    };
                    let meaning = format!(
                        "the volume was not dismounted, and diskmend can't tell what {log} \
                         contains{why}. Windows may have to make changes from it when it mounts the \
                         volume"
                    );
                    add(ConditionKind::LogNotUnderstood, meaning, replay);
                }
            }
        }
        Log::NotUnderstood(why) => {
            let meaning = format!(
                "diskmend can't tell what the volume's journal ($LogFile) contains: {why}. Windows \
                 may have to make changes from it when it mounts the volume"
            );
            add(ConditionKind::LogNotUnderstood, meaning, replay);
        }
    }
    if state.dirty {
        let meaning = "the volume is marked dirty: Windows checks it with chkdsk when it starts";
        let remedies = remedies::of_dirt();
        add(ConditionKind::Dirty, meaning.to_owned(), remedies);
    }
    if state.has_work_under_way() {
        let meaning = format!(
            "Windows has work under way on the volume (flags {:#06x} of $Volume)",
            state.flags
        );
        let remedies = vec![remedies::ATTACH.to_owned()];
        add(ConditionKind::WorkUnderWay, meaning, remedies);
    }
    if state.from_backup {
        let meaning = "the boot sector is damaged, and the volume is read by its copy";
        let remedies = remedies::of_dirt();
        add(
            ConditionKind::BackupBootSector,
            meaning.to_owned(),
            remedies,
        );
    }
    conditions
}

#[cfg(test)]
mod tests;
