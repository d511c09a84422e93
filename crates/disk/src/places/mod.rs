//! Checking that a file really is in the folder that its index entry was found in, as far as this
//! can be found out on a mounted volume.

#[cfg(target_os = "linux")]
mod records;

use std::ffi::OsStr;
use std::io;
#[cfg(target_os = "linux")]
use std::sync::Arc;

#[cfg(target_os = "linux")]
use crate::dir::Dir;
use crate::metadata::Identity;
#[cfg(target_os = "linux")]
use crate::metadata::Metadata;
use crate::system::SystemDir;

/// The places of a volume's files, from another source than its driver.
#[derive(Clone, Debug, Default)]
pub(crate) struct Places {
    /// The volume's records, if they can be read.
    #[cfg(target_os = "linux")]
    records: Option<Arc<records::Records>>,
}

/// A folder's index leads to a file that isn't in this folder.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "the folder's index is damaged: it leads to file {number}, but that file's own record says \
     that it isn't here"
)]
pub(crate) struct Misplaced {
    /// The number of the file's record.
    pub(crate) number: u64,
}

impl Places {
    /// The places of the volume with this root.
    #[cfg(target_os = "linux")]
    pub(crate) fn of(root: &SystemDir) -> Self {
        Self {
            records: records::Records::of(root).map(Arc::new),
        }
    }

    /// Other systems read NTFS with their own driver, and it gives access to no records.
    #[cfg(not(target_os = "linux"))]
    pub(crate) fn of(_root: &SystemDir) -> Self {
        Self::default()
    }

    /// True if the volume's records show where each file is.
    pub(crate) fn are_known(&self) -> bool {
        #[cfg(target_os = "linux")]
        return self.records.is_some();
        #[cfg(not(target_os = "linux"))]
        return false;
    }

    /// Checks that a folder's index leads to a file in this folder. Returns the number of names
    /// that the file's record holds, if that is known.
    ///
    /// # Errors
    /// [`Misplaced`] inside an [`io::Error`], or the reason why the record can't be read.
    #[cfg(target_os = "linux")]
    pub(crate) fn check(
        &self,
        folder: &SystemDir,
        name: &OsStr,
        found: Identity,
    ) -> io::Result<Option<u64>> {
        let Some(records) = &self.records else {
            return Ok(None);
        };
        if records.device() != found.device {
            // Another volume is mounted there, and its records are not at hand.
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

    /// The number of named streams of an open file of a folder, as its record on the disk tells; `None`
    /// if that can't be read.
    #[cfg(target_os = "linux")]
    pub(crate) fn streams(
        &self,
        folder: &SystemDir,
        file: &std::fs::File,
    ) -> io::Result<Option<usize>> {
        let device = folder.own_metadata()?.identity.device;
        let found = Metadata::of_file(file)?.identity;
        let records = self.records.as_ref();
        let records = records.filter(|it| [found.device, device] == [it.device(); 2]);
        records
            .map(|it| it.streams(found.inode, || flush(folder)))
            .transpose()
    }

    /// The records can't be read on this system.
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
    ) -> io::Result<Option<u64>> {
        Ok(None)
    }
}

/// Writes everything that the driver and the kernel still hold in memory for the volume.
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
