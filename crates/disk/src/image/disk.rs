//! A disk that isn't mounted.

use std::collections::HashMap;
use std::fmt;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use diskmend_base::chain;
use diskmend_image::boot_sector::{self, BootSector};
use diskmend_image::container::{Container, ContainerError, Format};
use diskmend_image::content::{self, Content};
use diskmend_image::device::{Device, Medium};
use diskmend_image::ntfs::Writes;
use diskmend_image::ntfs::secure::{SecurityError, SecurityId};
use diskmend_image::partition::{self, Scheme, Table};
use diskmend_image::recorded::{
    ChangedSince, Progress, RecordError, RecordFile, RecordedMedium, Restored, State,
};

use super::fat::FatDir;
use super::host::{self, Host};
use super::ntfs::NtfsDir;
use super::{DiskError, Volume};
use crate::condition::{ConditionKind, Place};
use crate::dir::Dir;
use crate::error::{GuardError, LookupError};
use crate::guard::WINDOWS_FOLDER;
use crate::metadata::Kind;

/// A disk in an image file or on a block device. Clones are the same open disk.
#[derive(Clone)]
pub struct Disk {
    inner: Arc<Inner>,
}

struct Inner {
    path: PathBuf,
    /// A number that no other disk opened by this process has.
    id: u64,
    host: Option<Host>,
    medium: Arc<RecordedMedium>,
    /// Remembers what its file holds, so it is opened again after its file was restored.
    container: Mutex<Arc<Container>>,
    table: Table,
    /// The open volumes, by the numbers of their partitions. Each is open only once, because a
    /// volume keeps its own changes in memory.
    volumes: Mutex<HashMap<u32, Volume>>,
}

fn open_container(medium: &Arc<RecordedMedium>) -> Result<Arc<Container>, ContainerError> {
    Container::open(Arc::clone(medium) as Arc<dyn Medium>).map(Arc::new)
}

impl Inner {
    fn container(&self) -> Arc<Container> {
        let container = self.container.lock();
        Arc::clone(&container.unwrap_or_else(PoisonError::into_inner))
    }

    fn volumes(&self) -> MutexGuard<'_, HashMap<u32, Volume>> {
        self.volumes.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A partition of a disk, and its content.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Partition {
    /// The partition's entry in the table.
    pub entry: partition::Partition,
    /// The partition's content, or the reason why it can't be read.
    pub content: Result<Content, String>,
}

impl fmt::Debug for Disk {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Disk").field(&self.inner.path).finish()
    }
}

impl Disk {
    /// Opens an image file or a block device, for reading.
    ///
    /// # Errors
    /// The reason why the path can't be read as a disk.
    pub fn open(path: &Path) -> Result<Self, DiskError> {
        let host = host::open(path)?;
        Self::of(path, Arc::clone(&host.file) as Arc<dyn Medium>, Some(host))
    }

    /// Opens a disk only to look at it: it is never written, and it can be mounted meanwhile.
    ///
    /// # Errors
    /// The errors of [`open`](Self::open).
    pub fn open_to_look(path: &Path) -> Result<Self, DiskError> {
        let host = host::open_to_look(path)?;
        Self::of(path, Arc::clone(&host.file) as Arc<dyn Medium>, Some(host))
    }

    /// A disk in any medium. `path` is its name.
    ///
    /// # Errors
    /// The errors of [`open`](Self::open).
    pub fn of_medium(path: &Path, medium: Arc<dyn Medium>) -> Result<Self, DiskError> {
        Self::of(path, medium, None)
    }

    fn of(path: &Path, medium: Arc<dyn Medium>, host: Option<Host>) -> Result<Self, DiskError> {
        static NEXT: AtomicU64 = AtomicU64::new(1);
        let medium = Arc::new(RecordedMedium::new(medium));
        let container = open_container(&medium)?;
        let table = partition::read(&*container, container.logical_sector_size())?;
        Ok(Self {
            inner: Arc::new(Inner {
                path: path.to_path_buf(),
                id: NEXT.fetch_add(1, Ordering::Relaxed),
                host,
                medium,
                container: Mutex::new(container),
                table,
                volumes: Mutex::default(),
            }),
        })
    }

    /// The path as given.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.inner.path
    }

    /// The format that holds it.
    #[must_use]
    pub fn format(&self) -> Format {
        self.inner.container().format()
    }

    /// Its length in bytes, as a virtual machine sees it.
    #[must_use]
    pub fn len(&self) -> u64 {
        self.inner.container().len()
    }

    /// True if it has no bytes.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Its partition table.
    #[must_use]
    pub fn table(&self) -> &Table {
        &self.inner.table
    }

    /// Warnings about how it is stored.
    #[must_use]
    pub fn warnings(&self) -> Vec<String> {
        let container = self.inner.container();
        let notices = container.notices().iter();
        let mut warnings: Vec<String> = notices.map(ToString::to_string).collect();
        warnings.extend(self.inner.table.warnings.iter().cloned());
        let volumes = self.inner.volumes();
        warnings.extend(volumes.values().flat_map(Volume::notices));
        warnings
    }

    /// What may be written on a partition's volume.
    ///
    /// # Errors
    /// [`GuardError::Condition`], [`GuardError::Unfit`], or the reason why it can't be read.
    pub fn volume_writes(&self, number: u32) -> Result<Writes, GuardError> {
        let volume = self.volume(number).map_err(|error| GuardError::Unfit {
            reason: chain(&error),
        })?;
        volume.writes(|| Place::on(self, number))
    }

    /// Why only bytes of files may be written on a partition's volume, as an error.
    #[must_use]
    pub fn only_in_place(&self, number: u32) -> GuardError {
        let conditions = self.conditions(number).into_iter();
        let mut reasons = conditions.filter(|condition| {
            matches!(
                condition.kind,
                ConditionKind::LogPending | ConditionKind::Dirty
            )
        });
        match reasons.next() {
            Some(condition) => GuardError::Condition(Box::new(condition)),
            None => GuardError::DiskChanged,
        }
    }

    /// True for a block device, false for a file.
    #[must_use]
    pub fn is_block_device(&self) -> bool {
        let host = self.inner.host.as_ref();
        host.is_some_and(|host| host.file.is_block_device())
    }

    /// Its partitions, with their contents.
    #[must_use]
    pub fn partitions(&self) -> Vec<Partition> {
        let look = |partition: &partition::Partition| Partition {
            entry: partition.clone(),
            content: self.content(partition).map_err(|error| error.to_string()),
        };
        self.inner.table.partitions.iter().map(look).collect()
    }

    fn content(&self, partition: &partition::Partition) -> Result<Content, DiskError> {
        let device = partition.open(self.inner.container())?;
        Ok(content::recognise(&device)?)
    }

    /// Reads bytes of the disk as a virtual machine sees them.
    pub(crate) fn read_at(&self, buf: &mut [u8], offset: u64) -> io::Result<()> {
        self.inner.container().read_exact_at(buf, offset)
    }

    /// The first bytes of a partition.
    pub(crate) fn read_partition_start(&self, number: u32) -> Result<[u8; 512], DiskError> {
        let mut partitions = self.inner.table.partitions.iter();
        let partition = partitions.find(|one| one.number == number);
        let partition = partition.ok_or_else(|| DiskError::NoSuchPartition {
            number,
            known: Vec::new(),
        })?;
        let mut start = [0; 512];
        partition
            .open(self.inner.container())?
            .read_exact_at(&mut start, 0)?;
        Ok(start)
    }

    /// The boot sector of a partition.
    ///
    /// # Errors
    /// The reason why it can't be read.
    pub fn boot_sector(&self, number: u32) -> Result<BootSector, DiskError> {
        let mut partitions = self.inner.table.partitions.iter();
        let partition = partitions.find(|one| one.number == number);
        let partition = partition.ok_or_else(|| DiskError::NoSuchPartition {
            number,
            known: Vec::new(),
        })?;
        let device = partition.open(self.inner.container())?;
        Ok(boot_sector::read(&device)?)
    }

    /// The root folder of a partition's volume.
    ///
    /// # Errors
    /// The reason why it can't be read.
    pub fn root(&self, number: u32) -> Result<Box<dyn Dir>, DiskError> {
        Ok(self.volume(number)?.into_root())
    }

    /// The volume of a partition.
    pub(crate) fn volume(&self, number: u32) -> Result<Volume, DiskError> {
        if let Some(volume) = self.inner.volumes().get(&number) {
            return Ok(volume.clone());
        }
        let volume = self.open_volume(number)?;
        self.inner.volumes().insert(number, volume.clone());
        Ok(volume)
    }

    fn open_volume(&self, number: u32) -> Result<Volume, DiskError> {
        let table = &self.inner.table;
        let partition = table.partitions.iter().find(|one| one.number == number);
        let partition = partition.ok_or_else(|| DiskError::NoSuchPartition {
            number,
            known: table.partitions.iter().map(|one| one.number).collect(),
        })?;
        if partition.kind.is_dynamic() {
            return Err(DiskError::DynamicDisk { number });
        }
        if partition.kind.is_storage_spaces() {
            return Err(DiskError::StorageSpaces { number });
        }
        let content = self.content(partition)?;
        let device = partition.open(self.inner.container())?;
        let device: Arc<dyn Device> = Arc::new(device);
        let id = (self.inner.id << 32) | u64::from(number);
        let failed = |reason: String| DiskError::FileSystem { number, reason };
        match content {
            Content::Ntfs => NtfsDir::open(device, id)
                .map(Volume::Ntfs)
                .map_err(|error| failed(chain(&error))),
            Content::Fat(_) => FatDir::open(device, id)
                .map(Volume::Fat)
                .map_err(|error| failed(chain(&error))),
            content => Err(DiskError::NotReadable { number, content }),
        }
    }

    /// The label of a partition's volume; `None` if it has none.
    ///
    /// # Errors
    /// The reason why its volume can't be read.
    pub fn label(&self, number: u32) -> Result<Option<String>, DiskError> {
        let label = self.volume(number)?.label();
        label.map_err(|error| DiskError::FileSystem {
            number,
            reason: chain(&error),
        })
    }

    /// True if there is a Windows on a partition.
    ///
    /// # Errors
    /// The reason why its volume can't be read.
    pub fn has_windows(&self, number: u32) -> Result<bool, DiskError> {
        let found = self.root(number)?.find(&WINDOWS_FOLDER);
        let found = found.map_err(|error| DiskError::FileSystem {
            number,
            reason: chain(&error),
        })?;
        Ok(found.is_some_and(|place| place.kind() == Kind::Folder))
    }

    /// The numbers of the partitions with a Windows on them. If there is none, the only one on which
    /// a damaged folder is in the way: a write that a power failure has torn must not keep `undo`
    /// from repairing it.
    ///
    /// # Errors
    /// [`DiskError::NoWindows`] if there is none, with a list of what there is. If Windows may be
    /// in a volume that can't be read here, an error that says what to do.
    fn windows(&self) -> Result<Vec<u32>, DiskError> {
        let mut found = Vec::new();
        let mut looked_at = Vec::new();
        let mut hidden = None;
        let mut damaged = Vec::new();
        for partition in &self.inner.table.partitions {
            let number = partition.number;
            match self.has_windows(number) {
                Ok(true) => found.push(number),
                Ok(false) => looked_at.push(format!(
                    "partition {number} has no folder Windows/System32/config"
                )),
                Err(error) => {
                    looked_at.push(chain(&error));
                    if error.may_hide_windows() {
                        hidden.get_or_insert(error);
                    } else if self.has_damaged_folder(number) {
                        damaged.push(number);
                    }
                }
            }
        }
        match (found.is_empty(), hidden, damaged.as_slice()) {
            (false, ..) => Ok(found),
            (true, Some(hidden), _) => Err(hidden),
            (true, None, [_]) => Ok(damaged),
            (true, None, _) => Err(DiskError::NoWindows { looked_at }),
        }
    }

    /// True if a partition has a volume with a folder `Windows` at least, and the way to what makes
    /// it a Windows can't be read.
    fn has_damaged_folder(&self, number: u32) -> bool {
        let Ok(root) = self.root(number) else {
            return false;
        };
        let [windows, ..] = WINDOWS_FOLDER;
        let is_unread = matches!(root.find(&WINDOWS_FOLDER), Err(LookupError::Io { .. }));
        is_unread && root.spellings(windows).is_ok_and(|names| !names.is_empty())
    }

    /// The partition to work on: the chosen one, or the only one with Windows on it.
    ///
    /// # Errors
    /// [`DiskError::SeveralWindows`], [`DiskError::NoWindows`].
    pub(crate) fn choose(&self, chosen: Option<u32>) -> Result<u32, DiskError> {
        if let Some(number) = chosen {
            return Ok(number);
        }
        if let (Scheme::None, [only]) = (
            self.inner.table.scheme,
            self.inner.table.partitions.as_slice(),
        ) {
            return Ok(only.number);
        }
        let numbers = self.windows()?;
        match numbers.as_slice() {
            [only] => Ok(*only),
            _ => Err(DiskError::SeveralWindows { numbers }),
        }
    }

    /// Checks that the disk's container can be written. The tables of a VHD or VHDX are read
    /// completely for that.
    ///
    /// # Errors
    /// [`GuardError::Unfit`], or the reason why they can't be read.
    pub fn fit_for_writing(&self) -> Result<(), GuardError> {
        match self.inner.container().check_writable() {
            Ok(()) => Ok(()),
            Err(ContainerError::Io(error)) => Err(GuardError::io("read the image's tables")(error)),
            Err(error) => Err(GuardError::Unfit {
                reason: chain(&error),
            }),
        }
    }

    /// Checks that no other use of the file or device prevents opening it for writing. Nothing is
    /// locked or opened for writing.
    ///
    /// # Errors
    /// [`GuardError::DiskAttached`], [`GuardError::DiskLocked`], [`GuardError::DiskOpen`],
    /// [`GuardError::DiskInUse`], [`GuardError::DiskWasInUse`], or why the system would not say.
    pub fn not_in_use(&self) -> Result<(), GuardError> {
        let host = self.inner.host.as_ref();
        host.map_or(Ok(()), |host| host::not_in_use(&self.inner.path, host))
    }

    /// Opens the file or device for writing and locks it.
    pub(crate) fn open_for_writing(&self) -> Result<(), GuardError> {
        let Some(host) = &self.inner.host else {
            return Ok(());
        };
        if host.file.is_writable() {
            return Ok(());
        }
        #[cfg(windows)]
        if let Some(disk) = crate::disk_number::DiskNumber::of_path(&self.inner.path) {
            // Windows refuses writes to the volumes of a disk that it has mounted.
            let state = crate::nt::disk_state(disk);
            let state = state.map_err(GuardError::io("ask whether the disk is offline"))?;
            if state.is_some_and(|state| state.read_only) {
                return Err(GuardError::DiskReadOnly { disk });
            }
            if !state.is_some_and(|state| state.offline) {
                return Err(GuardError::DiskOnline { disk });
            }
        }
        host::open_for_writing(&self.inner.path, host)
    }
}

/// Records a run's changes of a disk, and undoes them.
///
/// The disk can only be written after
/// [`begin`](Self::begin) or [`resume`](Self::resume) and before [`end`](Self::end).
#[derive(Clone, Debug)]
pub struct RecordedRun {
    disk: Disk,
}

impl Disk {
    /// For recording changes of the whole disk.
    #[must_use]
    pub fn recorded(&self) -> RecordedRun {
        RecordedRun { disk: self.clone() }
    }
}

impl RecordedRun {
    /// Starts to record changes, in an empty file.
    ///
    /// # Errors
    /// The system's error.
    pub fn begin(&self, record: RecordFile) -> io::Result<()> {
        self.disk.inner.medium.begin(record)
    }

    /// Continues the record of a killed run, if the disk holds its whole last flush or nothing of
    /// it. Otherwise nothing is recorded.
    ///
    /// # Errors
    /// If the record is damaged, or the system's error.
    pub fn resume(&self, record: RecordFile) -> Result<State, RecordError> {
        self.disk.inner.medium.resume(record)
    }

    /// Makes everything durable and ends the recording.
    ///
    /// # Errors
    /// The system's error.
    pub fn end(&self) -> io::Result<()> {
        self.disk.inner.medium.end()
    }

    /// Ends the recording and drops changes that aren't durable yet.
    pub fn abandon(&self) {
        self.disk.inner.medium.abandon();
    }

    /// Says if the disk is as the run left it.
    ///
    /// # Errors
    /// If the record is damaged, or the system's error.
    pub fn state(&self, record: &RecordFile, progress: Progress) -> Result<State, RecordError> {
        self.disk.inner.medium.state_by(record, progress)
    }

    /// The run's changes that somebody else has since overwritten.
    ///
    /// # Errors
    /// If the record is damaged, or the system's error.
    pub fn changed_since(&self, record: &RecordFile) -> Result<ChangedSince, RecordError> {
        self.disk.inner.medium.changed_since(record)
    }

    /// True if restoring would remove a security descriptor that a file of that partition uses: the
    /// run added it to the volume, and the file got it later. The changed bytes of the run don't
    /// show such a file.
    ///
    /// # Errors
    /// If the record is damaged, or if the disk or its restored state can't be read.
    pub fn takes_descriptors(
        &self,
        record: &RecordFile,
        partition: u32,
    ) -> Result<bool, RecordError> {
        let unreadable = |error: DiskError| RecordError::Io(io::Error::other(chain(&error)));
        let preview = self.disk.inner.medium.preview(record)?;
        let restored = Disk::of_medium(self.disk.path(), Arc::new(preview));
        let restored = restored.and_then(|disk| disk.volume(partition));
        let restored = restored.map_err(unreadable)?;
        let now = self.disk.volume(partition).map_err(unreadable)?;
        let (Some(restored), Some(now)) = (restored.secure(), now.secure()) else {
            return Ok(false);
        };
        let ids = restored.ids_in_use();
        let taken = |id: &SecurityId| {
            let gone = restored.descriptor(*id);
            matches!(gone, Err(SecurityError::UnknownId(_))) && now.descriptor(*id).is_ok()
        };
        Ok(ids.iter().any(taken))
    }

    /// True if restoring doesn't change the length of the disk, which no run does. A container may
    /// still have grown.
    ///
    /// # Errors
    /// If the record is damaged, or if the disk or its restored state can't be read.
    pub fn keeps_len(&self, record: &RecordFile) -> Result<bool, RecordError> {
        let unreadable = |error: DiskError| RecordError::Io(io::Error::other(chain(&error)));
        let preview = self.disk.inner.medium.preview(record)?;
        let restored = Disk::of_medium(self.disk.path(), Arc::new(preview)).map_err(unreadable)?;
        Ok(restored.inner.container().len() == self.disk.inner.container().len())
    }

    /// The length of the file or device now and after restoring, if restoring makes it shorter.
    ///
    /// # Errors
    /// If the record is damaged, or the system's error.
    pub fn shortened(&self, record: &RecordFile) -> Result<Option<(u64, u64)>, RecordError> {
        let medium = &self.disk.inner.medium;
        let (now, then) = (medium.len(), medium.preview(record)?.len());
        Ok((then < now).then_some((now, then)))
    }

    /// Shows what restoring would change: the offset in the file or device, its bytes now, and its
    /// bytes afterwards. Nothing is written.
    ///
    /// # Errors
    /// If the record is damaged, or the system's error.
    pub fn differences(
        &self,
        record: &RecordFile,
        show: impl FnMut(u64, &[u8], &[u8]),
    ) -> Result<(), RecordError> {
        let preview = self.disk.inner.medium.preview(record)?;
        Ok(preview.differences(show)?)
    }

    /// Restores every byte that the run has changed. Everything that was read from its volumes
    /// before must be opened again.
    ///
    /// # Errors
    /// If the record is damaged, or the system's error.
    pub fn restore(&self, record: &RecordFile) -> Result<Restored, RecordError> {
        let inner = &self.disk.inner;
        inner.volumes().clear();
        let restored = inner.medium.restore(record)?;
        let container = open_container(&inner.medium);
        let container = container.map_err(|error| io::Error::other(chain(&error)))?;
        *inner
            .container
            .lock()
            .unwrap_or_else(PoisonError::into_inner) = container;
        Ok(restored)
    }
}
