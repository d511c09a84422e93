//! Opening a hive file with its logs. A dirty hive is recovered in memory. Nothing is written here.

use std::fs::TryLockError;
use std::io;

use diskmend_disk::{Access, Dir, File, Found, Identity, Kind, MappedFile};
use diskmend_hive::{
    Buffer, DirtyState, Hive, LogKind, Logs, OpenError, Opened, Recovery, Storage,
};

use serde::{Deserialize, Serialize};

use crate::digest::{Chunks, Content};
use crate::error::{Error, Refusal};
use crate::place::{HiveId, HiveName, on_volume};

/// The space by which a hive can grow in memory without being copied.
const RESERVE: usize = 16 << 20;
/// The greatest length of a file that is opened: bins of 2 GiB, a base block, and slack.
const MAX_LEN: u64 = (2 << 30) + (1 << 20);

/// The place of a hive.
pub(crate) struct HivePlace {
    /// The hive.
    pub(crate) hive: HiveId,
    /// The root of its volume as the journal stores it, if that isn't the target.
    pub(crate) volume: Option<String>,
    /// Its folder, its name there, and its path.
    pub(crate) place: Found,
}

/// The content of a file when it was opened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Fingerprint {
    /// Its path below the target's root, with `/`.
    pub(crate) path: String,
    /// Its content.
    pub(crate) content: Content,
}

/// A file that was read, and its content then.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct FileRead {
    /// The root of its volume, if that isn't the target.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) volume: Option<String>,
    /// Its path below the root of its volume, with `/`.
    pub(crate) path: String,
    /// Its content.
    pub(crate) content: Content,
}

/// A log file beside a hive.
pub(crate) struct LogOnDisk {
    /// The kind of log.
    pub(crate) kind: LogKind,
    /// Its name as spelled on disk.
    pub(crate) name: String,
    /// Its content when it was opened.
    pub(crate) fingerprint: Fingerprint,
}

/// An open hive.
pub(crate) struct HiveOnDisk {
    pub(crate) hive_place: HivePlace,
    pub(crate) primary: Box<dyn File>,
    pub(crate) fingerprint: Fingerprint,
    /// The digests of its chunks when it was opened.
    pub(crate) chunks: Chunks,
    pub(crate) log_files: Vec<LogOnDisk>,
    pub(crate) logs: Logs,
    pub(crate) hive: Hive,
    pub(crate) dirty: Option<DirtyState>,
    pub(crate) recovery: Option<Recovery>,
}

/// Finds a hive of Windows; the case of its path is ignored.
pub(crate) fn find(root: &dyn Dir, name: HiveName) -> Result<HivePlace, Error> {
    find_file(root, HiveId::Windows(name))
}

/// Finds a hive of Windows by its name; case is ignored.
pub(crate) fn find_file(root: &dyn Dir, hive: HiveId) -> Result<HivePlace, Error> {
    let name = hive.to_string();
    // Copies of hives often have this name. On a Windows disk only the plain name exists.
    for file in [name.clone(), format!("{name}.hiv")] {
        if let Some(place) = root.find(&["Windows", "System32", "config", &file])? {
            return Ok(HivePlace {
                hive,
                volume: None,
                place,
            });
        }
    }
    Err(Error::NoHive {
        path: format!("Windows/System32/config/{name}"),
    })
}

/// Finds a hive by its path below the root of a volume, with `/`. `volume` is the root's path, if
/// that is not the target.
pub(crate) fn find_at(
    root: &dyn Dir,
    hive: HiveId,
    volume: Option<&str>,
    path: &str,
) -> Result<HivePlace, Error> {
    let components: Vec<&str> = path.split('/').collect();
    match root.find(&components)? {
        Some(place) => Ok(HivePlace {
            hive,
            volume: volume.map(str::to_owned),
            place,
        }),
        None => Err(Error::NoHive {
            path: on_volume(volume, path),
        }),
    }
}

/// Opens a hive file and its logs. To write, the hive's lock is taken.
pub(crate) fn open(hive_place: HivePlace, access: Access) -> Result<HiveOnDisk, Error> {
    let place = &hive_place.place;
    let path = place.path.clone();
    if place.kind() != Kind::File {
        let error = io::Error::new(io::ErrorKind::InvalidInput, place.kind().to_string());
        return Err(Error::io(&path, "open the hive")(error));
    }
    let primary = place
        .dir
        .open(&place.name, access)
        .map_err(|error| cannot_open(&path, error))?;
    if access == Access::ReadWrite {
        lock(primary.as_ref(), &path)?;
    }
    let mut chunks = Chunks::default();
    let mut look = |offset, piece: &[u8]| chunks.add(offset, piece);
    let buffer = MappedFile::open_looking(primary.as_ref(), RESERVE, MAX_LEN, &mut look)
        .map_err(Error::io(&path, "read the hive"))?;
    let fingerprint = Fingerprint {
        path: path.clone(),
        content: Content {
            length: buffer.bytes().len() as u64,
            xxh3: chunks.digest(),
        },
    };
    let mut distinct = (access == Access::ReadWrite).then(Distinct::default);
    if let Some(distinct) = &mut distinct {
        distinct.add_hive(primary.as_ref(), &path)?;
    }
    let (log_files, logs) = read_logs(place, fingerprint.content.length, distinct)?;
    let (hive, dirty, recovery) = settle(Box::new(buffer), &logs, &path)?;
    let state = if dirty.is_some() {
        "not closed cleanly, recovered in memory"
    } else {
        "clean"
    };
    tracing::info!("read {path}: {} bytes, {state}", fingerprint.content.length);
    Ok(HiveOnDisk {
        hive_place,
        primary,
        fingerprint,
        chunks,
        log_files,
        logs,
        hive,
        dirty,
        recovery,
    })
}

/// A hive's file that is written as a whole, whatever is in it now.
pub(crate) struct ReplacedHive {
    pub(crate) place: HivePlace,
    /// The file and its content; `None` if it doesn't exist.
    pub(crate) primary: Option<(Box<dyn File>, Fingerprint)>,
    pub(crate) log_files: Vec<LogOnDisk>,
    pub(crate) logs: Logs,
}

/// The greatest length of a file that is replaced, in bytes. A boot store has some 30 KiB.
pub(crate) const MOST_REPLACED: u64 = 16 << 20;
/// The length of a hive whose logs are believed, if the hive itself can't be read.
const ANY_LOG: u64 = 1 << 20;

/// Opens the files of a hive that is written as a whole, and takes the hive's lock. Its folder must
/// exist.
///
/// # Errors
/// If the folder doesn't exist, or if a file is too long or another kind of thing.
pub(crate) fn open_to_replace(
    root: &dyn Dir,
    hive: HiveId,
    volume: Option<&str>,
    path: &str,
) -> Result<ReplacedHive, Error> {
    let components: Vec<&str> = path.split('/').collect();
    let missing = || Error::NoHive {
        path: on_volume(volume, path),
    };
    let mut distinct = Distinct::default();
    let (place, primary) = match root.find(&components)? {
        Some(place) => {
            let path = place.path.clone();
            let io = |what| Error::io(&path, what);
            if place.kind() != Kind::File {
                let error = io::Error::new(io::ErrorKind::InvalidInput, place.kind().to_string());
                return Err(io("open the hive")(error));
            }
            let opened = place.dir.open(&place.name, Access::ReadWrite);
            let primary = opened.map_err(|error| cannot_open(&path, error))?;
            lock(primary.as_ref(), &path)?;
            distinct.add_hive(primary.as_ref(), &path)?;
            if primary.len().map_err(io("read the hive"))? > MOST_REPLACED {
                let error = io::Error::from(io::ErrorKind::FileTooLarge);
                return Err(io("replace the hive")(error));
            }
            let content = Content::of_file(primary.as_ref()).map_err(io("read the hive"))?;
            (place, Some((primary, Fingerprint { path, content })))
        }
        None => {
            let (name, folder) = components.split_last().ok_or_else(missing)?;
            let folder = root.find(folder)?.ok_or_else(missing)?;
            let dir = folder
                .open_dir()
                .map_err(Error::io(&folder.path, "open the folder"))?;
            let mut metadata = folder.metadata;
            metadata.kind = Kind::File;
            metadata.len = 0;
            let place = Found {
                dir,
                name: (*name).to_owned(),
                path: format!("{}/{name}", folder.path),
                metadata,
            };
            (place, None)
        }
    };
    let len = place.metadata.len.max(ANY_LOG);
    let (log_files, logs) = read_logs(&place, len, Some(distinct))?;
    Ok(ReplacedHive {
        place: HivePlace {
            hive,
            volume: volume.map(str::to_owned),
            place,
        },
        primary,
        log_files,
        logs,
    })
}

/// Reads a hive again from an open file, without its logs. It must be clean.
pub(crate) fn reopen_clean(primary: &dyn File, path: &str) -> Result<Hive, Error> {
    let buffer =
        MappedFile::open(primary, 0, MAX_LEN).map_err(Error::io(path, "read the hive back"))?;
    let found = |found: String| Error::ReadBack {
        path: path.to_owned(),
        found,
    };
    match diskmend_hive::open(Box::new(buffer)) {
        Ok(Opened::Clean(hive)) => Ok(hive),
        Ok(Opened::Dirty(dirty)) => Err(found(format!("a dirty hive: {}", dirty.state()))),
        Err(error) => Err(found(error.to_string())),
    }
}

/// Reads a hive as it is in its file, whether it is dirty or not, without its logs. It may only be
/// shown: changes may be missing, and pages of different ages may be mixed.
pub(crate) fn open_as_stored(place: &Found) -> Result<Hive, Error> {
    let path = &place.path;
    let primary = place
        .dir
        .open(&place.name, Access::Read)
        .map_err(|error| cannot_open(path, error))?;
    let buffer =
        MappedFile::open(primary.as_ref(), 0, MAX_LEN).map_err(Error::io(path, "read the hive"))?;
    let opened = diskmend_hive::open(Box::new(buffer)).and_then(|opened| match opened {
        Opened::Clean(hive) => Ok(hive),
        Opened::Dirty(dirty) => dirty.assume_clean(),
    });
    opened.map_err(|source| Error::NotAHive {
        path: path.clone(),
        source,
    })
}

fn cannot_open(path: &str, error: io::Error) -> Error {
    if error.kind() == io::ErrorKind::ReadOnlyFilesystem {
        return diskmend_disk::GuardError::ReadOnly.into();
    }
    Error::io(path, "open the hive")(error)
}

fn lock(primary: &dyn File, path: &str) -> Result<(), Error> {
    match primary.try_lock() {
        Ok(()) => Ok(()),
        Err(TryLockError::WouldBlock) => Err(Refusal::HiveBusy {
            path: path.to_owned(),
        }
        .into()),
        Err(TryLockError::Error(error)) => Err(Error::io(path, "lock the hive")(error)),
    }
}

/// Reads the logs of a hive of `hive_len` bytes. If one is longer than a log of such a hive can be,
/// no log is read, not even for its digest. If the hive will be written, each log must be a
/// separate file.
fn read_logs(
    place: &Found,
    hive_len: u64,
    mut distinct: Option<Distinct>,
) -> Result<(Vec<LogOnDisk>, Logs), Error> {
    let mut open: [Option<Box<dyn File>>; 3] = [None, None, None];
    let mut names = Vec::new();
    for (slot, kind) in open.iter_mut().zip(LogKind::ALL) {
        let wanted = format!("{}{}", place.name, kind.suffix());
        let Some(found) = place.dir.find(&[&wanted])? else {
            continue;
        };
        let path = sibling(&place.path, &found.name);
        let file = found
            .dir
            .open(&found.name, Access::Read)
            .map_err(Error::io(&path, "open the log"))?;
        if let Some(distinct) = &mut distinct {
            distinct.add_log(file.as_ref(), &path)?;
        }
        names.push((kind, found.name, path));
        *slot = Some(file);
    }
    let [log, log1, log2] = &open;
    let logs = Logs::read(
        hive_len,
        log.as_deref().map(|file| file as &dyn Storage),
        log1.as_deref().map(|file| file as &dyn Storage),
        log2.as_deref().map(|file| file as &dyn Storage),
    )
    .map_err(|source| Refusal::Log {
        path: place.path.clone(),
        source,
    })?;
    let mut on_disk = Vec::new();
    for ((kind, name, path), file) in names.into_iter().zip(open.iter().flatten()) {
        let content = Content::of_file(file.as_ref()).map_err(Error::io(&path, "read the log"))?;
        on_disk.push(LogOnDisk {
            kind,
            name,
            fingerprint: Fingerprint { path, content },
        });
    }
    Ok((on_disk, logs))
}

/// Checks that writing a hive's files changes nothing else: each is a separate file, and no other
/// name leads to it.
#[derive(Default)]
pub(crate) struct Distinct {
    known: Vec<(Identity, String)>,
}

impl Distinct {
    /// Adds the hive itself.
    ///
    /// # Errors
    /// [`Refusal::Linked`]. A hive outside a volume's folder for hives may have other names,
    /// because whoever made these names meant the same hive.
    pub(crate) fn add_hive(&mut self, file: &dyn File, path: &str) -> Result<(), Error> {
        if path.contains('/') {
            self.add_log(file, path)
        } else {
            self.add(file, path)
        }
    }

    /// Adds a log.
    ///
    /// # Errors
    /// [`Refusal::Linked`], [`Refusal::SameFile`].
    pub(crate) fn add_log(&mut self, file: &dyn File, path: &str) -> Result<(), Error> {
        self.add(file, path)?;
        let names = file.names();
        let names = names.map_err(Error::io(path, "count the names of the file"))?;
        if names > 1 {
            let path = path.to_owned();
            return Err(Refusal::Linked { path, names }.into());
        }
        Ok(())
    }

    fn add(&mut self, file: &dyn File, path: &str) -> Result<(), Error> {
        let identity = file.identity();
        let identity = identity.map_err(Error::io(path, "tell which file it is"))?;
        if let Some((_, other)) = self.known.iter().find(|(known, _)| *known == identity) {
            return Err(Refusal::SameFile {
                path: path.to_owned(),
                other: other.clone(),
            }
            .into());
        }
        self.known.push((identity, path.to_owned()));
        Ok(())
    }
}

/// The path of another file in the same folder.
pub(crate) fn sibling(path: &str, name: &str) -> String {
    match path.rsplit_once('/') {
        Some((folder, _)) => format!("{folder}/{name}"),
        None => name.to_owned(),
    }
}

type Settled = (Hive, Option<DirtyState>, Option<Recovery>);

fn settle(buffer: Box<dyn Buffer>, logs: &Logs, path: &str) -> Result<Settled, Error> {
    let opened = diskmend_hive::open(buffer).map_err(|source: OpenError| Error::NotAHive {
        path: path.to_owned(),
        source,
    })?;
    match opened {
        Opened::Clean(hive) => Ok((hive, None, None)),
        Opened::Dirty(dirty) => {
            let state = dirty.state();
            let (hive, recovery) = dirty
                .recover(logs)
                .map_err(|error| Refusal::Unrecoverable {
                    path: path.to_owned(),
                    source: Box::new(error),
                })?;
            Ok((hive, Some(state), Some(recovery)))
        }
    }
}

impl HiveOnDisk {
    /// The path below the target's root.
    pub(crate) fn path(&self) -> &str {
        &self.hive_place.place.path
    }

    /// The content of every file of the hive when it was opened.
    pub(crate) fn fingerprints(&self) -> Vec<Fingerprint> {
        let logs = self.log_files.iter().map(|log| &log.fingerprint);
        std::iter::once(&self.fingerprint)
            .chain(logs)
            .cloned()
            .collect()
    }

    /// The same files, with their volume.
    pub(crate) fn files_read(&self) -> Vec<FileRead> {
        let files = self.fingerprints().into_iter();
        files
            .map(|Fingerprint { path, content }| FileRead {
                volume: self.hive_place.volume.clone(),
                path,
                content,
            })
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A sparse file of any length, from which no byte may be read.
    struct Unread(u64);

    impl Storage for Unread {
        fn len(&self) -> io::Result<u64> {
            Ok(self.0)
        }

        fn read_exact_at(&self, _: &mut [u8], _: u64) -> io::Result<()> {
            panic!("{} bytes are read", self.0);
        }

        fn write_all_at(&mut self, _: &[u8], _: u64) -> io::Result<()> {
            Err(io::ErrorKind::ReadOnlyFilesystem.into())
        }

        fn set_len(&mut self, _: u64) -> io::Result<()> {
            Err(io::ErrorKind::ReadOnlyFilesystem.into())
        }

        fn sync(&mut self) -> io::Result<()> {
            Err(io::ErrorKind::ReadOnlyFilesystem.into())
        }
    }

    #[test]
    fn a_file_of_another_length_is_not_read_for_its_digest() {
        let known = Content {
            length: 4096,
            xxh3: crate::digest::Digest::of(&[0; 4096]),
        };
        for len in [0, 4095, 4097, 1 << 40] {
            assert!(!known.is_of(&Unread(len)).expect("known by its length"));
        }
    }
}
