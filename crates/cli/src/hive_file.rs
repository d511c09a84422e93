//! Opening a hive file to read it: nothing is ever written, a dirty hive is recovered in memory.

use std::ffi::OsString;
use std::io;
use std::path::Path;

use diskmend_disk::{Access, File, Folder, MappedFile};
use diskmend_hive::{
    Buffer, Hive, LogKind, Logs, MAX_BINS_LEN, OpenError, Opened, ReadLogError, RecoverError,
    Recovery, Storage,
};

/// Longest file that is taken for a hive, in bytes: the longest hive and some slack behind it.
const MAX_FILE_LEN: u64 = MAX_BINS_LEN as u64 + (64 << 20);

/// A hive file that was opened.
pub(crate) struct HiveFile {
    /// Its settled state.
    pub(crate) hive: Hive,
    /// Why it counts as dirty and what its logs brought; `None` for a clean hive.
    pub(crate) recovered: Option<Recovered>,
}

/// What was needed to settle a dirty hive.
pub(crate) struct Recovered {
    /// Why it counts as dirty.
    pub(crate) state: String,
    /// What replaying its logs did.
    pub(crate) recovery: Recovery,
}

/// Why a hive file can't be read.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ReadError {
    #[error(transparent)]
    Folder(#[from] diskmend_disk::OpenError),
    #[error("{path}")]
    File { path: String, source: io::Error },
    #[error("{path}: not a registry hive")]
    NotAHive { path: String, source: OpenError },
    #[error("{path}")]
    Log { path: String, source: ReadLogError },
    #[error("{path}: not closed cleanly ({state}), and its logs do not recover it")]
    Unrecoverable {
        path: String,
        state: String,
        source: RecoverError,
    },
}

/// Opens the hive file at `path`.
pub(crate) fn read(path: &Path) -> Result<HiveFile, ReadError> {
    let shown = || path.display().to_string();
    let io = |source| ReadError::File {
        path: shown(),
        source,
    };
    let (folder, name) = Folder::containing(path)?;
    let file = folder.open_file(&name, Access::Read).map_err(io)?;
    let image = MappedFile::open(&file, 0, MAX_FILE_LEN).map_err(io)?;
    let opened = diskmend_hive::open(Box::new(Image(image)));
    let opened = opened.map_err(|source| ReadError::NotAHive {
        path: shown(),
        source,
    })?;
    let dirty = match opened {
        Opened::Clean(hive) => {
            return Ok(HiveFile {
                hive,
                recovered: None,
            });
        }
        Opened::Dirty(dirty) => dirty,
    };
    let state = dirty.state().to_string();
    let mut found = Vec::new();
    for kind in LogKind::ALL {
        found.push(log(&folder, &name, kind).map_err(io)?);
    }
    let mut logs = found.iter().map(|log| log.as_ref().map(as_storage));
    let mut next = || logs.next().flatten();
    let logs = Logs::read(next(), next(), next()).map_err(|source| ReadError::Log {
        path: shown(),
        source,
    })?;
    let (hive, recovery) = dirty
        .recover(&logs)
        .map_err(|source| ReadError::Unrecoverable {
            path: shown(),
            state: state.clone(),
            source,
        })?;
    Ok(HiveFile {
        hive,
        recovered: Some(Recovered { state, recovery }),
    })
}

/// The log of a hive, whatever the case of its ending.
fn log(folder: &Folder, name: &OsString, kind: LogKind) -> io::Result<Option<ReadOnly>> {
    let mut log_name = name.clone();
    log_name.push(kind.suffix());
    let found = match log_name.to_str() {
        Some(log_name) => match folder.find(&[log_name]).map_err(io::Error::other)? {
            Some(found) => found.open_file(Access::Read),
            None => return Ok(None),
        },
        None => folder.open_file(&log_name, Access::Read),
    };
    match found {
        Ok(file) => Ok(Some(ReadOnly(file))),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

fn as_storage(file: &ReadOnly) -> &dyn Storage {
    file
}

struct Image(MappedFile);

impl Buffer for Image {
    fn bytes(&self) -> &[u8] {
        self.0.bytes()
    }

    fn bytes_mut(&mut self) -> &mut [u8] {
        self.0.bytes_mut()
    }

    fn grow(&mut self, len: usize) -> io::Result<()> {
        self.0.grow(len)
    }
}

/// A log file, which is only read.
struct ReadOnly(File);

impl Storage for ReadOnly {
    fn len(&self) -> io::Result<u64> {
        self.0.len()
    }

    fn read_exact_at(&self, buf: &mut [u8], offset: u64) -> io::Result<()> {
        self.0.read_exact_at(buf, offset)
    }

    fn write_all_at(&mut self, _data: &[u8], _offset: u64) -> io::Result<()> {
        Err(io::ErrorKind::PermissionDenied.into())
    }

    fn set_len(&mut self, _len: u64) -> io::Result<()> {
        Err(io::ErrorKind::PermissionDenied.into())
    }

    fn sync(&mut self) -> io::Result<()> {
        Err(io::ErrorKind::PermissionDenied.into())
    }
}
