//! Security descriptors through the extended attributes of ntfs-3g and of the kernel's ntfs3
//! driver.

use std::ffi::OsStr;
use std::io;
use std::os::fd::{AsRawFd, BorrowedFd, OwnedFd};
use std::path::PathBuf;

use rustix::fs::{Mode, OFlags, XattrFlags, getxattr, openat, setxattr, syncfs};
use rustix::io::{Errno, retry_on_intr};

use super::{MAX_DESCRIPTOR_LEN, ObjectError};
use crate::dir::Dir;
use crate::metadata::Metadata;
use crate::name::component;
use crate::system::SystemDir;

/// Nearly every descriptor is at most this long. The buffer isn't longer, because the kernel also
/// clears a buffer of the same length.
const USUAL_LEN: usize = 1 << 11;
/// The attribute by which ntfs-3g shows a file's short name for DOS.
const SHORT_NAME: &str = "system.ntfs_dos_name";

/// How the volume's driver shows security descriptors.
#[derive(Clone, Copy, Debug)]
pub(super) struct Keeping {
    driver: Driver,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Driver {
    /// ntfs-3g.
    Ntfs3g,
    /// The kernel's ntfs3.
    Ntfs3,
}

impl Driver {
    /// The attribute that holds a self-relative security descriptor.
    const fn attribute(self) -> &'static str {
        match self {
            Self::Ntfs3g => "system.ntfs_acl",
            Self::Ntfs3 => "system.ntfs_security",
        }
    }

    /// True if the driver counts the file's short name for DOS as a link.
    fn counts_short_name(self, path: &PathBuf) -> bool {
        match self {
            Self::Ntfs3g => get(path, SHORT_NAME, &mut [0; 256]).is_ok_and(|len| len > 0),
            // It doesn't count the short name. The attribute isn't even read: an extended attribute
            // of the volume can have that name, and would make a file with another name look like
            // one without.
            Self::Ntfs3 => false,
        }
    }
}

/// An open file or folder that allows access to its attributes only. Opening it in this way reads
/// nothing, waits for nothing and disturbs no device.
pub(super) struct Handle {
    file: OwnedFd,
    driver: Driver,
}

impl Keeping {
    /// Reads the root's descriptor. The driver that knows the attribute is the volume's driver.
    pub(super) fn of(root: &SystemDir) -> io::Result<Option<Self>> {
        let path = by_handle(root.raw());
        if path.symlink_metadata().is_err() {
            return Err(io::Error::other(
                "/proc is not mounted, through which it is asked",
            ));
        }
        let ask = |driver: Driver| get(&path, driver.attribute(), &mut [0; MAX_DESCRIPTOR_LEN]);
        // ntfs3 comes first. It looks up a name that it doesn't know among the volume's own
        // extended attributes, and a hostile disk can have one with the name that ntfs-3g uses.
        match ask(Driver::Ntfs3) {
            // ntfs3 returns NOENT for a root that has its descriptor in its own record and not in
            // $Secure, as mkntfs makes it. The files below it have their descriptors in $Secure
            // nevertheless.
            Ok(_) | Err(Errno::NOENT) => {
                let driver = Driver::Ntfs3;
                return Ok(Some(Self { driver }));
            }
            // This is ntfs3 on a volume of Windows NT 4, which has no $Secure.
            Err(Errno::INVAL) => return Ok(None),
            Err(Errno::OPNOTSUPP | Errno::NODATA) => {}
            Err(error) => return Err(error.into()),
        }
        match ask(Driver::Ntfs3g) {
            Ok(_) => {
                let driver = Driver::Ntfs3g;
                Ok(Some(Self { driver }))
            }
            // The file system has no such attribute, or not here.
            Err(Errno::OPNOTSUPP | Errno::NODATA | Errno::NOENT | Errno::INVAL) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    /// True if the driver is ntfs3.
    pub(super) fn is_ntfs3(&self) -> bool {
        self.driver == Driver::Ntfs3
    }

    /// A path of this machine that leads to this open folder, even if its name changes. It is for
    /// listing names only.
    pub(super) fn listing(&self, folder: &SystemDir) -> io::Result<PathBuf> {
        Ok(by_handle(folder.raw()))
    }

    /// Returns when everything written to the volume is durable.
    pub(super) fn flush(&self, root: &SystemDir) -> io::Result<()> {
        // The first call makes ntfs-3g write what it holds, the second one the kernel.
        root.sync()?;
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
        let root = root.raw();
        let handle = retry_on_intr(|| openat(root, ".", flags, Mode::empty()))?;
        Ok(retry_on_intr(|| syncfs(&handle))?)
    }
}

impl Handle {
    /// Opens whatever has this name in a folder; a link itself is opened.
    pub(super) fn open(parent: &SystemDir, name: &OsStr, keeping: &Keeping) -> io::Result<Self> {
        let name = component(name)?;
        let flags = OFlags::PATH | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let parent = parent.raw();
        let file = retry_on_intr(|| openat(parent, name, flags, Mode::empty()))?;
        Ok(Self {
            file,
            driver: keeping.driver,
        })
    }

    /// A handle to an open folder.
    pub(super) fn of(folder: &SystemDir, keeping: &Keeping) -> io::Result<Self> {
        let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
        let folder = folder.raw();
        let file = retry_on_intr(|| openat(folder, ".", flags, Mode::empty()))?;
        Ok(Self {
            file,
            driver: keeping.driver,
        })
    }

    pub(super) fn metadata(&self) -> io::Result<Metadata> {
        Metadata::of_handle(&self.file)
    }

    /// True if the driver counts the file's short name for DOS as a link.
    pub(super) fn counts_short_name(&self) -> bool {
        self.driver.counts_short_name(&by_handle(&self.file))
    }

    /// The descriptor's bytes.
    pub(super) fn read(&self) -> Result<Vec<u8>, ObjectError> {
        let path = by_handle(&self.file);
        let mut short = [0; USUAL_LEN];
        if let Ok(len) = get(&path, self.driver.attribute(), &mut short)
            && let Some(found) = short.get(..len)
        {
            return Ok(found.to_vec());
        }
        // If the buffer is too small, the drivers don't say so: ntfs-3g returns an input/output
        // error, and ntfs3 says that there is no such attribute.
        let mut bytes = vec![0; MAX_DESCRIPTOR_LEN];
        let len = get(&path, self.driver.attribute(), &mut bytes);
        let len = len.map_err(|error| match error {
            // The file itself exists, because it is open.
            Errno::NOENT | Errno::NODATA => ObjectError::NoDescriptor,
            error => ObjectError::io("read its security descriptor")(error.into()),
        })?;
        bytes.truncate(len);
        bytes.shrink_to_fit();
        Ok(bytes)
    }

    /// True if both are equal: these drivers return the bytes that were written.
    pub(super) fn is_same(a: &[u8], b: &[u8]) -> bool {
        a == b
    }

    /// Sets the descriptor.
    pub(super) fn write(&self, bytes: &[u8]) -> Result<(), ObjectError> {
        let path = by_handle(&self.file);
        let flags = XattrFlags::empty();
        retry_on_intr(|| setxattr(&path, self.driver.attribute(), bytes, flags))
            .map_err(|error| ObjectError::io("set its security descriptor")(error.into()))
    }
}

/// True if the driver of an open file counts its short name for DOS as a link.
pub(crate) fn counts_short_name(file: &impl std::os::fd::AsFd) -> bool {
    let path = by_handle(file);
    // ntfs3 comes first, as for a root.
    let attribute = Driver::Ntfs3.attribute();
    match get(&path, attribute, &mut [0; MAX_DESCRIPTOR_LEN]) {
        Err(Errno::OPNOTSUPP | Errno::NODATA) => Driver::Ntfs3g.counts_short_name(&path),
        _ => false,
    }
}

/// The kernel's path of an open handle. The calls that would take a handle directly refuse one that
/// allows access to attributes only.
fn by_handle(handle: &impl std::os::fd::AsFd) -> PathBuf {
    let handle: BorrowedFd<'_> = handle.as_fd();
    PathBuf::from(format!("/proc/self/fd/{}", handle.as_raw_fd()))
}

fn get(path: &PathBuf, attribute: &str, buffer: &mut [u8]) -> Result<usize, Errno> {
    retry_on_intr(|| getxattr(path, attribute, &mut *buffer))
}
