//! Security descriptors through the extended attributes of ntfs-3g and of the kernel's ntfs3.

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

/// As long as nearly every descriptor is at most. The kernel, too, clears as much memory as is given
/// to it.
const USUAL_LEN: usize = 1 << 11;
/// ntfs-3g's attribute with the name for DOS.
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

    /// Whether one of the links that it counts is the file's name for DOS.
    fn counts_short_name(self, path: &PathBuf) -> bool {
        match self {
            Self::Ntfs3g => get(path, SHORT_NAME, &mut [0; 256]).is_ok_and(|len| len > 0),
            // It leaves the name for DOS out of the count. The attribute is not even asked for: an
            // extended attribute of the volume can have that name, and would make a file with one
            // other name pass for one without.
            Self::Ntfs3 => false,
        }
    }
}

/// An open file or folder, good for its attributes only: opening it in this way reads nothing,
/// waits for nothing and disturbs no device.
pub(super) struct Handle {
    file: OwnedFd,
    driver: Driver,
}

impl Keeping {
    /// Asks the root for its descriptor; the driver whose attribute is known is the volume's.
    pub(super) fn of(root: &SystemDir) -> io::Result<Option<Self>> {
        let path = by_handle(root.raw());
        if path.symlink_metadata().is_err() {
            return Err(io::Error::other(
                "/proc is not mounted, through which it is asked",
            ));
        }
        let ask = |driver: Driver| get(&path, driver.attribute(), &mut [0; MAX_DESCRIPTOR_LEN]);
        // ntfs3 is asked first: a name that it does not know it looks up among the volume's own
        // extended attributes, and a hostile disk can have one of the name that ntfs-3g uses.
        match ask(Driver::Ntfs3) {
            // ntfs3 says NOENT of a root that keeps its descriptor in its own record instead of in
            // $Secure, as mkntfs leaves it; what lies below has one in $Secure nevertheless.
            Ok(_) | Err(Errno::NOENT) => {
                let driver = Driver::Ntfs3;
                return Ok(Some(Self { driver }));
            }
            // ntfs3 on a volume of Windows NT 4, which has no $Secure.
            Err(Errno::INVAL) => return Ok(None),
            Err(Errno::OPNOTSUPP | Errno::NODATA) => {}
            Err(error) => return Err(error.into()),
        }
        match ask(Driver::Ntfs3g) {
            Ok(_) => {
                let driver = Driver::Ntfs3g;
                Ok(Some(Self { driver }))
            }
            // Of a file system without such an attribute, or without it here.
            Err(Errno::OPNOTSUPP | Errno::NODATA | Errno::NOENT | Errno::INVAL) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    /// A path of this machine that leads to this very folder, wherever its name goes, as long as it
    /// is open: for listing names only.
    pub(super) fn listing(&self, folder: &SystemDir) -> io::Result<PathBuf> {
        Ok(by_handle(folder.raw()))
    }

    /// Returns when everything that was written to the volume is durable.
    pub(super) fn flush(&self, root: &SystemDir) -> io::Result<()> {
        // The one makes ntfs-3g write what it holds, the other the kernel.
        root.sync()?;
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
        let root = root.raw();
        let handle = retry_on_intr(|| openat(root, ".", flags, Mode::empty()))?;
        Ok(retry_on_intr(|| syncfs(&handle))?)
    }
}

impl Handle {
    /// Opens a name in a folder, whatever it stands for, a link itself.
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

    /// Whether one of the links that the driver counts is the file's name for DOS.
    pub(super) fn counts_short_name(&self) -> bool {
        self.driver.counts_short_name(&by_handle(&self.file))
    }

    /// The descriptor's bytes.
    pub(super) fn read(&self) -> Result<Vec<u8>, ObjectError> {
        let path = by_handle(&self.file);
        let mut short = [0; USUAL_LEN];
        if let Ok(len) = get(&path, self.driver.attribute(), &mut short) {
            return Ok(short.get(..len).unwrap_or_default().to_vec());
        }
        // Where the buffer is too small, the drivers do not say so: ntfs-3g says that an input/output
        // error occurred, ntfs3 that there is no such attribute.
        let mut bytes = vec![0; MAX_DESCRIPTOR_LEN];
        let len = get(&path, self.driver.attribute(), &mut bytes);
        let len = len.map_err(|error| match error {
            // The file itself is there, since it is open.
            Errno::NOENT | Errno::NODATA => ObjectError::NoDescriptor,
            error => ObjectError::io("read its security descriptor")(error.into()),
        })?;
        bytes.truncate(len);
        bytes.shrink_to_fit();
        Ok(bytes)
    }

    /// Whether both are the same: these drivers give back the bytes that they were given.
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

/// Whether one of the links that the driver of an open file counts is the file's name for DOS.
pub(crate) fn counts_short_name(file: &impl std::os::fd::AsFd) -> bool {
    let path = by_handle(file);
    // As for a root, ntfs3 is asked first.
    let attribute = Driver::Ntfs3.attribute();
    match get(&path, attribute, &mut [0; MAX_DESCRIPTOR_LEN]) {
        Err(Errno::OPNOTSUPP | Errno::NODATA) => Driver::Ntfs3g.counts_short_name(&path),
        _ => false,
    }
}

/// The name under which the kernel gives out what a handle is open on. Handles that are good for
/// attributes only are not taken by the calls that would name them directly.
fn by_handle(handle: &impl std::os::fd::AsFd) -> PathBuf {
    let handle: BorrowedFd<'_> = handle.as_fd();
    PathBuf::from(format!("/proc/self/fd/{}", handle.as_raw_fd()))
}

fn get(path: &PathBuf, attribute: &str, buffer: &mut [u8]) -> Result<usize, Errno> {
    retry_on_intr(|| getxattr(path, attribute, &mut *buffer))
}
