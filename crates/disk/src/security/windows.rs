//! Security descriptors through calls of Windows.

use std::ffi::OsStr;
use std::fs::{File, OpenOptions};
use std::io;
use std::os::windows::fs::OpenOptionsExt;
use std::path::PathBuf;
use std::sync::Arc;

use windows_sys::Wdk::Storage::FileSystem::FILE_OPEN;
use windows_sys::Win32::Foundation::GENERIC_WRITE;
use windows_sys::Win32::Security::{
    SE_BACKUP_NAME, SE_RESTORE_NAME, SE_SECURITY_NAME, SE_TAKE_OWNERSHIP_NAME,
};
use windows_sys::Win32::Storage::FileSystem::{
    FILE_READ_ATTRIBUTES, READ_CONTROL, SYNCHRONIZE, WRITE_DAC, WRITE_OWNER,
};
use windows_sys::Win32::System::SystemServices::ACCESS_SYSTEM_SECURITY;

use super::ObjectError;
use super::layout::{same_parts, to_be_set};
use crate::metadata::Metadata;
use crate::name::component;
use crate::nt::{self, Opening, Privileges};
use crate::system::SystemDir;

const READ: u32 = READ_CONTROL | ACCESS_SYSTEM_SECURITY | FILE_READ_ATTRIBUTES | SYNCHRONIZE;
const WRITE: u32 = WRITE_DAC | WRITE_OWNER | ACCESS_SYSTEM_SECURITY | SYNCHRONIZE;

/// The privileges to read and set any descriptor, whatever it says itself. They are held as long as
/// they are needed.
#[derive(Clone, Debug)]
pub(super) struct Keeping {
    _privileges: Arc<Privileges>,
}

/// An open file or folder that allows access to its security descriptor only.
pub(super) struct Handle {
    file: File,
}

impl Keeping {
    /// # Errors
    /// [`io::ErrorKind::PermissionDenied`] if this process may not have the privileges.
    pub(super) fn of(root: &SystemDir) -> io::Result<Option<Self>> {
        if !nt::keeps_security(root.raw())? {
            return Ok(None);
        }
        let privileges = Privileges::enable([
            SE_BACKUP_NAME,
            SE_RESTORE_NAME,
            SE_SECURITY_NAME,
            SE_TAKE_OWNERSHIP_NAME,
        ])?;
        Ok(Some(Self {
            _privileges: Arc::new(privileges),
        }))
    }

    /// A path of this machine that leads to the folder, for listing names only.
    #[expect(clippy::unused_self, reason = "elsewhere it can only be had with it")]
    pub(super) fn listing(&self, folder: &SystemDir) -> io::Result<PathBuf> {
        Ok(nt::path_by_guid(folder.raw())?.into())
    }

    /// Returns when everything written to the volume is durable.
    #[expect(clippy::unused_self, reason = "elsewhere it can only be had with it")]
    pub(super) fn flush(&self, root: &SystemDir) -> io::Result<()> {
        let volume = nt::path_by_guid(root.raw())?;
        let volume = volume
            .to_str()
            .and_then(|path| path.split_inclusive('}').next());
        let volume = volume.ok_or(io::ErrorKind::InvalidFilename)?;
        OpenOptions::new()
            .access_mode(GENERIC_WRITE)
            .open(volume)?
            .sync_all()
    }
}

impl Handle {
    /// Opens the object with this name in a folder; a link itself is opened.
    pub(super) fn open(parent: &SystemDir, name: &OsStr, _keeping: &Keeping) -> io::Result<Self> {
        let name = component(name)?;
        let file = nt::open_beneath(parent.raw(), name.as_os_str(), &opening(READ))?;
        Ok(Self { file })
    }

    /// A handle to an open folder.
    pub(super) fn of(folder: &SystemDir, _keeping: &Keeping) -> io::Result<Self> {
        let file = nt::reopen(folder.raw(), &opening(READ))?;
        Ok(Self { file })
    }

    pub(super) fn metadata(&self) -> io::Result<Metadata> {
        nt::metadata(&self.file)
    }

    /// Windows doesn't count a short name as a link.
    #[expect(clippy::unused_self, reason = "elsewhere it is counted")]
    pub(super) fn counts_short_name(&self) -> bool {
        false
    }

    /// The descriptor's bytes.
    pub(super) fn read(&self) -> Result<Vec<u8>, ObjectError> {
        nt::security(&self.file).map_err(ObjectError::io("read its security descriptor"))
    }

    /// Sets the descriptor. Windows doesn't compute inherited entries again, neither here nor
    /// below.
    pub(super) fn write(&self, bytes: &[u8]) -> Result<(), ObjectError> {
        let failed = || ObjectError::io("set its security descriptor");
        let file = nt::reopen(&self.file, &opening(WRITE));
        let file = file.map_err(failed())?;
        nt::set_security(&file, &to_be_set(bytes)).map_err(failed())
    }

    /// True if Windows considers both equal.
    pub(super) fn is_same(a: &[u8], b: &[u8]) -> bool {
        same_parts(a, b)
    }
}

fn opening(access: u32) -> Opening {
    Opening {
        access,
        disposition: FILE_OPEN,
        options: 0,
        private: false,
    }
}
