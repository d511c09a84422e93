//! Whether what an entry of a folder leads to lies there, as far as that can be known of a volume
//! that the system has mounted.

#[cfg(target_os = "linux")]
mod records;

use std::ffi::OsStr;
use std::io;
#[cfg(target_os = "linux")]
use std::sync::Arc;

#[cfg(target_os = "linux")]
use crate::dir::Dir;
use crate::metadata::Identity;
use crate::system::SystemDir;

/// What is known of the places of a volume's files, beside what its driver says.
#[derive(Clone, Debug, Default)]
pub(crate) struct Places {
    /// What the volume's records say, if they can be read.
    #[cfg(target_os = "linux")]
    records: Option<Arc<records::Records>>,
}

/// An entry of a folder leads to a file that lies elsewhere.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "the folder's index is damaged: by its own record the file with the number {number} does not \
     lie here"
)]
pub(crate) struct Misplaced {
    /// The number of the file's record.
    pub(crate) number: u64,
}

impl Places {
    /// Those of the volume with this root.
    #[cfg(target_os = "linux")]
    pub(crate) fn of(root: &SystemDir) -> Self {
        Self {
            records: records::Records::of(root).map(Arc::new),
        }
    }

    /// The system's own driver is relied on, which shows records to nobody.
    #[cfg(not(target_os = "linux"))]
    pub(crate) fn of(_root: &SystemDir) -> Self {
        Self::default()
    }

    /// Whether the volume's records tell where each file lies.
    pub(crate) fn are_known(&self) -> bool {
        #[cfg(target_os = "linux")]
        return self.records.is_some();
        #[cfg(not(target_os = "linux"))]
        return false;
    }

    /// Makes sure that what an entry of a folder leads to lies there, and tells how many names it has
    /// by its record, if that is known.
    ///
    /// # Errors
    /// [`Misplaced`] inside an [`io::Error`], or why the record can't be read.
    #[cfg(target_os = "linux")]
    pub(crate) fn check(
        &self,
        folder: &SystemDir,
        name: &OsStr,
        found: Identity,
    ) -> io::Result<Option<u32>> {
        let Some(records) = &self.records else {
            return Ok(None);
        };
        if records.device() != found.device {
            // Another volume is mounted there, of which nothing is known.
            return Ok(None);
        }
        let number = found.inode;
        let above = folder.own_metadata()?.identity.inode;
        match records.lies_in(above, number, name, || flush(folder))? {
            Some(names) => Ok(Some(names)),
            None => Err(io::Error::new(
                io::ErrorKind::InvalidData,
                Misplaced { number },
            )),
        }
    }

    /// Nothing is known.
    #[cfg(not(target_os = "linux"))]
    #[expect(
        clippy::unnecessary_wraps,
        clippy::unused_self,
        reason = "something is known elsewhere"
    )]
    pub(crate) fn check(
        &self,
        _folder: &SystemDir,
        _name: &OsStr,
        _found: Identity,
    ) -> io::Result<Option<u32>> {
        Ok(None)
    }
}

/// Has everything written that the driver and the kernel hold of the volume.
#[cfg(target_os = "linux")]
fn flush(folder: &SystemDir) -> io::Result<()> {
    use rustix::fs::{Mode, OFlags, openat, syncfs};
    use rustix::io::retry_on_intr;

    folder.sync()?;
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
    let folder = folder.raw();
    let handle = retry_on_intr(|| openat(folder, ".", flags, Mode::empty()))?;
    Ok(retry_on_intr(|| syncfs(&handle))?)
}
