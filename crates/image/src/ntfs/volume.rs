//! A volume: its state, its folders and the content of its records.

use std::sync::{Arc, Weak};

use diskmend_base::{bytes, chain};

use super::bitmap::Bitmap;
use super::claims;
use super::disk::Disk;
use super::error::VolumeError;
use super::file::File;
use super::folder::{Entry, Folder, Namespace};
use super::format::{FileName, VolumeInformation, attribute_type, system};
use super::journal::{Journal, JournalError};
use super::layout::Layout;
use super::log::{self, Log};
use super::member::Member;
use super::metadata::{Kind, Metadata};
use super::mft::Mft;
use super::names;
use super::open::Shared;
use super::place::FileId;
use super::records::Records;
use super::shared::Inner;
use super::writes::Writes;
use crate::device::Device;

/// The greatest length of a label, in UTF-16 units.
const MAX_LABEL: usize = 32;

/// The data that decide whether a volume may be written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct State {
    /// Windows checks the volume at its next start.
    pub dirty: bool,
    /// All flags of $VOLUME_INFORMATION, including [`Self::dirty`].
    pub flags: u16,
    /// The state of the journal.
    pub log: Log,
    /// Version of NTFS, the part before the dot.
    pub major: u8,
    /// The part after the dot.
    pub minor: u8,
    /// Windows is hibernated on the volume.
    pub hibernated: bool,
    /// Only the copy of the boot sector at the end could be read.
    pub from_backup: bool,
}

impl State {
    /// True if Windows has more work under way on the volume than a check: an upgrade, a resize of
    /// the journal, or chkdsk itself.
    #[must_use]
    pub const fn has_work_under_way(&self) -> bool {
        self.flags & VolumeInformation::MASK_PENDING != 0
    }
}

/// An NTFS volume that fills a device.
///
/// Reading never writes. Clones are the same volume.
#[derive(Clone, Debug)]
pub struct Volume {
    pub(crate) inner: Arc<Inner>,
}

impl Volume {
    /// Finds the records of the volume on `device`.
    ///
    /// # Errors
    /// If it is not an NTFS volume, or its $MFT or root folder can't be read.
    pub fn open(device: Arc<dyn Device>) -> Result<Self, VolumeError> {
        let mft = Mft::open(Disk::new(device)?)?;
        let root = mft.read_system(system::ROOT)?.id();
        Ok(Self {
            inner: Arc::new(Inner::new(mft, root)),
        })
    }

    /// The data that decide whether the volume may be written.
    ///
    /// # Errors
    /// If $Volume, $LogFile or the root folder can't be read.
    pub fn state(&self) -> Result<State, VolumeError> {
        let records = Records::read_system(&self.inner.mft, system::VOLUME)?;
        let information = records
            .base()
            .resident(attribute_type::VOLUME_INFORMATION, "")
            .and_then(|value| bytes::view::<VolumeInformation>(value, 0))
            .ok_or_else(|| records.lacks("volume information"))?;
        let flags = information.flags.get();
        Ok(State {
            dirty: flags & VolumeInformation::FLAG_DIRTY != 0,
            flags,
            log: log::state(&self.inner.mft)?,
            major: information.major_version,
            minor: information.minor_version,
            hibernated: self.is_hibernated()?,
            from_backup: self.inner.mft.disk().geometry.from_backup,
        })
    }

    /// What Windows will do when it mounts the volume next, if it was not dismounted; `None` if
    /// everything is in the volume.
    ///
    /// # Errors
    /// If $LogFile can't be read, or isn't understood as a whole.
    pub fn journal(&self) -> Result<Option<Journal>, JournalError> {
        log::journal(&self.inner.mft)
    }

    /// [`journal`](Self::journal), which is read only once.
    ///
    /// # Errors
    /// [`VolumeError::UnknownLog`].
    pub fn pending(&self) -> Result<Option<Arc<Journal>>, VolumeError> {
        let read = || match self.journal() {
            Ok(journal) => Ok(journal.map(Arc::new)),
            Err(error) => Err(chain(&error)),
        };
        let known = self.inner.journal.get_or_init(read);
        let known = known.clone();
        known.map_err(|why| VolumeError::UnknownLog { why })
    }

    /// The volume's label; `None` if it has none.
    ///
    /// # Errors
    /// If $Volume can't be read.
    pub fn label(&self) -> Result<Option<String>, VolumeError> {
        let records = Records::read_system(&self.inner.mft, system::VOLUME)?;
        let name = records.base().resident(attribute_type::VOLUME_NAME, "");
        let label = name.map(|name| {
            let (units, _) = name.as_chunks::<2>();
            let units = units.iter().take(MAX_LABEL).copied();
            let units: Vec<u16> = units.map(u16::from_le_bytes).collect();
            String::from_utf16_lossy(&units)
        });
        Ok(label.filter(|label| !label.is_empty()))
    }

    /// True if the file to which Windows saves its memory contains saved memory.
    fn is_hibernated(&self) -> Result<bool, VolumeError> {
        let name: Vec<u16> = "hiberfil.sys".encode_utf16().collect();
        let Some(entry) = self.find(self.root(), &name)? else {
            return Ok(false);
        };
        let metadata = self.metadata(entry.id)?;
        let mut start = [0; 4];
        if metadata.kind != Kind::File || metadata.len < 4 {
            return Ok(false);
        }
        self.file(entry.id)?.read(&mut start, 0)?;
        Ok(matches!(&start, b"hibr" | b"HIBR"))
    }

    /// What may be written on the volume.
    ///
    /// # Errors
    /// The first reason against writing anything.
    pub fn writes(&self) -> Result<Writes, VolumeError> {
        let writes = self.decide()?;
        if writes == Writes::InPlace {
            return Ok(writes);
        }
        let mft = &self.inner.mft;
        let bitmap = Bitmap::open(mft)?;
        let bitmap = bitmap.stream().layout();
        let bitmap: Vec<_> = bitmap.into_iter().flat_map(Layout::extents).collect();
        claims::check_written_by_all(mft, &bitmap)?;
        Ok(writes)
    }

    /// Refuses a volume on which not everything may be written.
    ///
    /// # Errors
    /// The first reason against it.
    pub fn fit_for_writing(&self) -> Result<(), VolumeError> {
        match self.writes()? {
            Writes::All => Ok(()),
            Writes::InPlace => Err(match self.pending()? {
                Some(journal) => VolumeError::PendingLog {
                    version: journal.version,
                },
                None => VolumeError::Dirty,
            }),
        }
    }

    /// Decides what may be written, by the volume's state.
    pub(crate) fn decide(&self) -> Result<Writes, VolumeError> {
        let state = self.state()?;
        if state.from_backup {
            return Err(VolumeError::BackupBootSector);
        }
        let (major, minor) = (state.major, state.minor);
        if major != 3 || minor > 1 {
            return Err(VolumeError::Version { major, minor });
        }
        if state.hibernated {
            return Err(VolumeError::Hibernated);
        }
        if state.has_work_under_way() {
            let flags = state.flags;
            return Err(VolumeError::Pending { flags });
        }
        let journal = match state.log {
            Log::Clean | Log::Empty => None,
            Log::Pending { .. } => self.pending()?,
            Log::NotUnderstood(why) => {
                let why = why.to_owned();
                return Err(VolumeError::UnknownLog { why });
            }
        };
        let writes = if state.dirty || journal.is_some() {
            Writes::InPlace
        } else {
            Writes::All
        };
        self.inner.mft.disk().permits().set(writes, journal);
        Ok(writes)
    }

    /// True if other records than the first describe a part of $MFT: then the second reader does
    /// not find all files, and the third alone decides about the others.
    #[must_use]
    pub fn has_spread_mft(&self) -> bool {
        self.inner.mft.first_part().is_some()
    }

    /// The root folder.
    #[must_use]
    pub fn root(&self) -> FileId {
        self.inner.root
    }

    /// All names in a folder, in the order of its index. A short name that belongs to a long one is
    /// left out, and so are the name `.` of the root folder and the volume's system files, which
    /// have names that begin with `$`. Only a file's record says whether it is really there:
    /// [`Self::metadata_of_all`].
    ///
    /// # Errors
    /// If it is not a folder, or its index is damaged.
    pub fn list(&self, folder: FileId) -> Result<Vec<Entry>, VolumeError> {
        Folder::open(&self.inner.mft, folder)?.list()
    }

    /// The file with a name in a folder, if its own record confirms that, without regard to case;
    /// if several names differ only in case, the one with the exact spelling, or otherwise any of
    /// them. Short names are found too.
    ///
    /// # Errors
    /// If it is not a folder, or its index is damaged; if the file of a name does not exist or is
    /// elsewhere; [`VolumeError::OwnFile`].
    pub fn find(&self, folder: FileId, name: &[u16]) -> Result<Option<Entry>, VolumeError> {
        let mft = &self.inner.mft;
        let index = Folder::open(mft, folder)?;
        let found = index.find(self.inner.upcase()?, name)?;
        let found = found.map(|located| located.entry);
        found.iter().try_for_each(|entry| index.check(mft, entry))?;
        Ok(found)
    }

    /// All files with a name in a folder, without regard to case, each as spelled on disk. If a
    /// file is requested by its short name, its long name is returned.
    ///
    /// # Errors
    /// If it is not a folder, or its index is damaged; if the file of a name does not exist or is
    /// elsewhere, or there are more than a thousand such names; [`VolumeError::OwnFile`].
    pub fn find_all(&self, folder: FileId, name: &[u16]) -> Result<Vec<Entry>, VolumeError> {
        let mft = &self.inner.mft;
        let mut all = Vec::new();
        let index = Folder::open(mft, folder)?;
        for found in index.find_all(self.inner.upcase()?, name)? {
            index.check(mft, &found)?;
            let entry = match found.namespace {
                Namespace::Dos => self.long_name(folder, found)?,
                _ => found,
            };
            if !all.contains(&entry) {
                all.push(entry);
            }
        }
        Ok(all)
    }

    /// The long name of a short one; the short one itself if there is none.
    fn long_name(&self, folder: FileId, short: Entry) -> Result<Entry, VolumeError> {
        let records = Records::read(&self.inner.mft, short.id)?;
        let long = records
            .all(attribute_type::FILE_NAME, "")
            .filter_map(|(_, attribute)| attribute.resident())
            .filter(|key| {
                let header = bytes::view::<FileName>(key, 0);
                header.is_some_and(|it| it.namespace == FileName::NAMESPACE_WIN32)
            })
            .filter_map(names::parse_key)
            .find(|(parent, _)| *parent == folder);
        Ok(match long {
            None => short,
            Some((_, name)) => Entry {
                name,
                namespace: Namespace::Win32,
                ..short
            },
        })
    }

    /// The metadata of a file.
    ///
    /// # Errors
    /// [`VolumeError::Stale`], or a damaged record.
    pub fn metadata(&self, id: FileId) -> Result<Metadata, VolumeError> {
        Metadata::of(&Records::read(&self.inner.mft, id)?)
    }

    /// The metadata of many files, in the order of `members`. Their records are read together, so
    /// the members should be in the order of their records. A file that is elsewhere according to
    /// its own record is an error.
    #[must_use]
    pub fn metadata_of_all(&self, members: &[Member<'_>]) -> Vec<Result<Metadata, VolumeError>> {
        let mft = &self.inner.mft;
        let numbers: Vec<u64> = members.iter().map(|member| member.file.record).collect();
        let stale = |member: &Member<'_>| Err(VolumeError::Stale(member.file));
        let mut all: Vec<_> = members.iter().map(stale).collect();
        mft.visit(&numbers, |index, record| {
            let (Some(member), Some(slot)) = (members.get(index), all.get_mut(index)) else {
                return;
            };
            *slot = record.and_then(|record| {
                member.check(mft, record)?;
                Metadata::of_base(mft, record)
            });
        });
        all
    }

    /// The unnamed data of a file. All handles of one file that are open at the same time see one
    /// length.
    ///
    /// # Errors
    /// [`VolumeError::NoData`] for a folder, or a damaged record. Compressed or encrypted data are
    /// refused only when they are read.
    pub fn file(&self, id: FileId) -> Result<File, VolumeError> {
        let mut files = self.inner.files();
        files.retain(|_, file| file.strong_count() > 0);
        if let Some(shared) = files.get(&id.record).and_then(Weak::upgrade)
            && shared.id() == id
        {
            return Ok(File::new(Arc::clone(&self.inner), shared));
        }
        let shared = Arc::new(Shared::open(&self.inner.mft, id)?);
        files.insert(id.record, Arc::downgrade(&shared));
        Ok(File::new(Arc::clone(&self.inner), shared))
    }

    /// The number of bytes in all clusters.
    #[must_use]
    pub fn len(&self) -> u64 {
        let geometry = &self.inner.mft.disk().geometry;
        geometry.clusters.saturating_mul(geometry.cluster_len.get())
    }

    /// True if it has no clusters.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The number of bytes in unused clusters.
    ///
    /// # Errors
    /// If $Bitmap can't be read.
    pub fn free_bytes(&self) -> Result<u64, VolumeError> {
        let mft = &self.inner.mft;
        let free = Bitmap::open(mft)?.free()?;
        Ok(free.saturating_mul(u64::from(mft.disk().geometry.cluster_len)))
    }

    /// True if there are at least `bytes` in unused clusters; faster than counting all.
    ///
    /// # Errors
    /// If $Bitmap can't be read.
    pub fn has_free(&self, bytes: u64) -> Result<bool, VolumeError> {
        let mft = &self.inner.mft;
        let cluster_len = u64::from(mft.disk().geometry.cluster_len);
        Bitmap::open(mft)?.has_free(bytes.div_ceil(cluster_len))
    }

    /// Returns when everything that was written is durable.
    ///
    /// # Errors
    /// An error of the device.
    pub fn sync(&self) -> Result<(), VolumeError> {
        self.inner.mft.disk().sync()
    }
}
