//! The permissions that keep others from writing to a folder or file, as its file system shows
//! them.

use std::ffi::OsStr;
use std::io;

use super::MAX_DESCRIPTOR_LEN;
#[cfg(not(windows))]
use super::{Handle, Keeping};
use crate::name::component;
use crate::system::SystemDir;

/// The permissions that keep others from writing to a folder or file.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Protection {
    /// Windows permissions.
    Descriptor {
        /// The security descriptor's bytes. The SACL may be missing.
        bytes: Vec<u8>,
        /// The bytes of the SID of the user who runs this program, on Windows.
        own: Option<Vec<u8>>,
    },
    /// Unix permissions.
    Mode {
        /// The number of the owning user.
        owner: u32,
        /// True if the owner is root or the user who runs this program.
        own: bool,
        /// The permission bits.
        mode: u32,
    },
    /// The file system stores no permissions.
    Nothing,
}

/// The permissions that keep others from writing to a folder, or to a file in it.
///
/// # Errors
/// The system's error; an error, too, if it shows no descriptor of it.
pub(crate) fn protection(folder: &SystemDir, file: Option<&str>) -> io::Result<Protection> {
    let name = match file {
        Some(file) => Some(component(file.as_ref())?.as_os_str()),
        None => None,
    };
    descriptor(folder, name)?.map_or_else(|| mode(folder, name), Ok)
}

/// The descriptor of a name in a folder, or of the folder itself.
#[cfg(not(windows))]
fn descriptor(folder: &SystemDir, name: Option<&OsStr>) -> io::Result<Option<Protection>> {
    let Some(keeping) = Keeping::of(folder)? else {
        return Ok(None);
    };
    let handle = match name {
        Some(name) => Handle::open(folder, name, &keeping)?,
        None => Handle::of(folder, &keeping)?,
    };
    let bytes = handle.read().map_err(io::Error::other)?;
    debug_assert!(bytes.len() <= MAX_DESCRIPTOR_LEN);
    Ok(Some(Protection::Descriptor { bytes, own: None }))
}

/// The descriptor of a name in a folder, or of the folder itself.
#[cfg(windows)]
fn descriptor(folder: &SystemDir, name: Option<&OsStr>) -> io::Result<Option<Protection>> {
    use windows_sys::Wdk::Storage::FileSystem::FILE_OPEN;
    use windows_sys::Win32::Storage::FileSystem::{READ_CONTROL, SYNCHRONIZE};

    use crate::nt::{self, Opening};

    let dir = folder.raw();
    if !nt::keeps_security(dir)? {
        return Ok(None);
    }
    let opening = Opening {
        access: READ_CONTROL | SYNCHRONIZE,
        disposition: FILE_OPEN,
        options: 0,
        private: false,
    };
    let handle = match name {
        Some(name) => nt::open_beneath(dir, name, &opening)?,
        None => nt::reopen(dir, &opening)?,
    };
    let bytes = nt::owner_and_dacl(&handle)?;
    debug_assert!(bytes.len() <= MAX_DESCRIPTOR_LEN);
    let own = Some(nt::own_sid()?);
    Ok(Some(Protection::Descriptor { bytes, own }))
}

#[cfg(unix)]
fn mode(folder: &SystemDir, name: Option<&OsStr>) -> io::Result<Protection> {
    use rustix::fs::{Mode, OFlags, fstat, openat};
    use rustix::io::retry_on_intr;

    let kind = match name {
        // Opening something other than a file doesn't wait.
        Some(_) => OFlags::NOFOLLOW | OFlags::NONBLOCK,
        None => OFlags::DIRECTORY,
    };
    let flags = OFlags::RDONLY | OFlags::CLOEXEC | kind;
    let name = name.unwrap_or(OsStr::new("."));
    let dir = folder.raw();
    let handle = retry_on_intr(|| openat(dir, name, flags, Mode::empty()))?;
    if makes_modes_up(&handle)? {
        return Ok(Protection::Nothing);
    }
    let found = fstat(&handle)?;
    let own = rustix::process::geteuid().as_raw() == found.st_uid || found.st_uid == 0;
    Ok(Protection::Mode {
        owner: found.st_uid,
        own,
        mode: found.st_mode & 0o7777,
    })
}

/// True if the file system stores no permissions and shows those that its mount set.
#[cfg(target_os = "linux")]
fn makes_modes_up(handle: &impl std::os::fd::AsFd) -> io::Result<bool> {
    /// `MSDOS_SUPER_MAGIC` and `EXFAT_SUPER_MAGIC`.
    const WITHOUT: [i64; 2] = [0x4D44, 0x2011_BAB0];

    let found = rustix::fs::fstatfs(handle)?;
    Ok(WITHOUT.contains(&(found.f_type as i64)))
}

#[cfg(all(unix, not(target_os = "linux")))]
#[expect(clippy::unnecessary_wraps, reason = "asking can fail elsewhere")]
fn makes_modes_up(_handle: &impl std::os::fd::AsFd) -> io::Result<bool> {
    Ok(false)
}

#[cfg(windows)]
#[expect(clippy::unnecessary_wraps, reason = "asking can fail elsewhere")]
fn mode(_folder: &SystemDir, _name: Option<&OsStr>) -> io::Result<Protection> {
    Ok(Protection::Nothing)
}
