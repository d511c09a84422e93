//! What is known about the target's volume itself: its space, whether it was closed cleanly, and
//! whether it is encrypted. Nothing is written.

use std::io;

use diskmend_base::chain;
use diskmend_image::content::Content;
use diskmend_image::ntfs::{self, Log};

use crate::condition::{self, Condition, Place};
use crate::error::GuardError;
use crate::guard;
use crate::image::{Disk, Volume};
use crate::system::SystemDir;
use crate::target::{Target, TargetVolume};

/// What is known about a volume. Whatever can't be known is absent.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct VolumeState {
    /// The number of bytes in its clusters.
    pub len: Option<u64>,
    /// The number of bytes in clusters that are not in use.
    pub free: Option<u64>,
    /// True if it is marked as dirty: Windows checks it when it starts.
    pub dirty: Option<bool>,
    /// The state of the journal of its file system.
    pub journal: Option<Journal>,
    /// True if a hibernated Windows is on it. A fast start counts as that too.
    pub hibernated: Option<bool>,
    /// What a person should know about it before it is changed.
    pub conditions: Vec<Condition>,
    /// Whether it is encrypted with BitLocker.
    pub encryption: Option<Encryption>,
    /// The other partitions of its disk that are encrypted with BitLocker, as far as they are known.
    pub locked: Vec<String>,
    /// What couldn't be read, with the reason.
    pub unread: Vec<String>,
}

/// The state of a journal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Journal {
    /// Whether it contains changes that are not in the volume yet.
    pub content: JournalContent,
    /// Its version, the parts before and after the dot.
    pub version: Option<(u16, u16)>,
    /// The number of records from the oldest one on that is needed to replay it.
    pub records: Option<u64>,
    /// The number of records after the last checkpoint.
    pub since_checkpoint: Option<u64>,
    /// The number (LSN) of the oldest record that is needed.
    pub oldest_lsn: Option<u64>,
    /// Why it counts as not closed, for display.
    pub problem: Option<String>,
}

/// What a journal contains.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum JournalContent {
    /// All its changes are in the volume.
    Clean,
    /// It was never used, or another system has emptied it.
    Empty,
    /// It has changes that are not in the volume yet.
    Pending,
    /// That isn't known.
    NotUnderstood,
}

impl JournalContent {
    /// A name for programs.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Clean => "clean",
            Self::Empty => "empty",
            Self::Pending => "pending",
            Self::NotUnderstood => "not-understood",
        }
    }
}

impl Journal {
    /// True if all its changes are certainly in the volume.
    #[must_use]
    pub const fn is_closed(&self) -> bool {
        matches!(self.content, JournalContent::Clean | JournalContent::Empty)
    }
}

impl Journal {
    /// The journal of a volume, according to its restart pages, and if it is to be replayed
    /// according to its records.
    fn of(log: &Log, volume: &ntfs::Volume) -> Self {
        let empty = Self {
            content: JournalContent::Clean,
            version: None,
            records: None,
            since_checkpoint: None,
            oldest_lsn: None,
            problem: None,
        };
        match log {
            Log::Clean => empty,
            Log::Empty => Self {
                content: JournalContent::Empty,
                ..empty
            },
            Log::Pending { version } => {
                let version = Some(*version);
                match volume.pending() {
                    Ok(Some(journal)) => Self {
                        content: JournalContent::Pending,
                        version,
                        records: Some(journal.records),
                        since_checkpoint: Some(journal.since_checkpoint),
                        oldest_lsn: Some(journal.oldest_lsn),
                        problem: Some("the volume was not dismounted".to_owned()),
                    },
                    Ok(None) => empty,
                    Err(error) => Self {
                        content: JournalContent::NotUnderstood,
                        version,
                        problem: Some(chain(&error)),
                        ..empty
                    },
                }
            }
            Log::NotUnderstood(why) => Self {
                content: JournalContent::NotUnderstood,
                problem: Some((*why).to_owned()),
                ..empty
            },
        }
    }
}

/// Whether a volume that can be read is encrypted with BitLocker.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Encryption {
    /// It is not.
    Off,
    /// It is, and it was unlocked on this machine.
    Unlocked,
}

impl Encryption {
    /// Whether the volume of a target is encrypted; `None` if that isn't known.
    #[must_use]
    pub fn of(target: &Target) -> Option<Self> {
        match target.volume() {
            // A volume whose content can be seen on the disk is not encrypted.
            TargetVolume::OnDisk { .. } => Some(Self::Off),
            #[cfg(target_os = "linux")]
            TargetVolume::Mounted(_) if is_volume(target) => {
                crate::volumes::mounted_encryption(target)
            }
            TargetVolume::Mounted(_) => None,
        }
    }
}

impl VolumeState {
    /// What is known about the volume of a target.
    #[must_use]
    pub fn of(target: &Target) -> Self {
        let mut state = match target.volume() {
            TargetVolume::Mounted(root) => Self::of_mount(target, root),
            TargetVolume::OnDisk {
                disk,
                partition,
                volume,
            } => Self::on_disk(disk, *partition, volume),
        };
        state.encryption = Encryption::of(target);
        state
    }

    fn on_disk(disk: &Disk, partition: u32, volume: &Volume) -> Self {
        let mut state = Self::default();
        for other in disk.partitions() {
            if other.entry.number != partition && other.content == Ok(Content::BitLocker) {
                state
                    .locked
                    .push(format!("partition {}", other.entry.number));
            }
        }
        state.free = state.known("the free space", volume.free_bytes());
        let Volume::Ntfs(root) = volume else {
            return state;
        };
        state.len = Some(root.volume().len());
        match root.volume().state() {
            Ok(found) => {
                state.dirty = Some(found.dirty);
                state.hibernated = Some(found.hibernated);
                state.journal = Some(Journal::of(&found.log, root.volume()));
                let conditions = condition::of(root.volume(), &Place::on(disk, partition));
                let conditions = conditions.map_err(io::Error::from);
                let conditions = state.known("the condition of the volume", conditions);
                state.conditions.extend(conditions.into_iter().flatten());
            }
            Err(error) => state
                .unread
                .push(format!("the state of the volume: {}", chain(&error))),
        }
        state
    }

    fn of_mount(target: &Target, root: &SystemDir) -> Self {
        let mut state = Self::default();
        state.hibernated = match guard::not_hibernated(target) {
            Ok(()) => Some(false),
            Err(GuardError::Hibernated) => Some(true),
            Err(error) => {
                state.unread.push(chain(&error));
                None
            }
        };
        // Elsewhere the space is that of the volume which holds the folder.
        if !is_volume(target) {
            return state;
        }
        if let Some((len, free)) = state.known("the free space", space(root)) {
            state.len = Some(len);
            state.free = Some(free);
        }
        #[cfg(windows)]
        {
            let dirty = crate::volumes::is_dirty(root);
            state.dirty = state.known("the state of the volume", dirty).flatten();
            let locked = locked_siblings(target);
            let locked = state.known("the other volumes of the disk", locked);
            state.locked.extend(locked.into_iter().flatten());
        }
        state
    }

    fn known<T>(&mut self, what: &str, read: io::Result<T>) -> Option<T> {
        match read {
            Ok(read) => Some(read),
            Err(error) => {
                self.unread.push(format!("{what}: {}", chain(&error)));
                None
            }
        }
    }
}

/// The other volumes of the target's disk that are locked.
#[cfg(windows)]
fn locked_siblings(target: &Target) -> io::Result<Vec<String>> {
    let siblings = crate::volumes::siblings(target)?.into_iter();
    let is_locked = |sibling: &crate::volumes::SiblingVolume| {
        matches!(
            sibling.open(),
            Err(crate::error::OpenError::BitLocker { .. })
        )
    };
    let locked = siblings.filter(is_locked);
    Ok(locked
        .map(|sibling| sibling.path().display().to_string())
        .collect())
}

/// True if the target is the root of a mounted volume, and not some folder.
fn is_volume(target: &Target) -> bool {
    #[cfg(any(target_os = "linux", windows))]
    return crate::volumes::is_volume(target);
    #[cfg(not(any(target_os = "linux", windows)))]
    {
        let _ = target;
        false
    }
}

/// The length of the volume and its free space.
#[cfg(unix)]
fn space(root: &SystemDir) -> io::Result<(u64, u64)> {
    let volume = rustix::fs::fstatvfs(root.raw())?;
    let bytes = |blocks: u64| blocks.saturating_mul(volume.f_frsize);
    Ok((bytes(volume.f_blocks), bytes(volume.f_bavail)))
}

/// The length of the volume and its free space.
#[cfg(windows)]
fn space(root: &SystemDir) -> io::Result<(u64, u64)> {
    crate::nt::space(root.raw())
}
