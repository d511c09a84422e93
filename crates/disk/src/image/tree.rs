//! What a file system on an image is asked for.

use std::ffi::{OsStr, OsString};
use std::fmt;
use std::io;

use diskmend_image::ntfs::secure::Secure;
use diskmend_image::ntfs::{self, FileId};

use crate::error::GuardError;
use crate::metadata::Metadata;

/// Where a file or folder lies in its volume.
#[derive(Clone, Debug)]
pub(crate) enum Node {
    /// By its file record, on NTFS.
    Record(FileId),
    /// By its names from the root on, on FAT.
    Path(Vec<String>),
}

/// A name in a folder.
#[derive(Clone, Debug)]
pub(crate) struct Named {
    /// As spelled on disk.
    pub(crate) name: OsString,
    pub(crate) node: Node,
}

/// The files and folders of a volume.
pub(crate) trait Tree: fmt::Debug + Send + Sync {
    fn root(&self) -> Node;

    /// The names in a folder that the system can spell.
    fn names(&self, folder: &Node) -> io::Result<Vec<OsString>>;

    /// Every name in a folder that Windows finds for `name`.
    fn find(&self, folder: &Node, name: &OsStr) -> io::Result<Vec<Named>>;

    fn metadata(&self, node: &Node) -> io::Result<Metadata>;

    fn open(&self, node: &Node) -> io::Result<Box<dyn Content>>;

    /// Whether a file of that name can be created in a folder and get so many bytes. Nothing is
    /// written.
    fn can_create(&self, folder: &Node, name: &OsStr, len: u64) -> io::Result<()>;

    fn create(&self, folder: &Node, name: &OsStr) -> io::Result<Box<dyn Content>>;

    fn remove(&self, folder: &Node, name: &OsStr) -> io::Result<()>;

    /// Why the volume can't be written, if it can't.
    fn writable(&self) -> Result<(), GuardError>;

    /// Bytes that files can still grow by.
    fn free_bytes(&self) -> io::Result<u64>;

    /// Whether files can still grow by so many bytes; faster than [`Self::free_bytes`].
    fn has_free(&self, bytes: u64) -> io::Result<bool>;

    /// Returns when all that was written is durable.
    fn sync(&self) -> io::Result<()>;

    /// What is worth telling of how the volume is read.
    fn notices(&self) -> Vec<String> {
        Vec::new()
    }

    /// The volume as NTFS, and its security descriptors.
    fn ntfs(&self) -> Option<(&ntfs::Volume, &Secure)>;
}

/// The content of a file. Offsets and lengths are in bytes.
pub(crate) trait Content: fmt::Debug + Send + Sync {
    fn metadata(&self) -> io::Result<Metadata>;

    fn read_exact_at(&self, buf: &mut [u8], offset: u64) -> io::Result<()>;

    fn write_all_at(&self, data: &[u8], offset: u64) -> io::Result<()>;

    fn set_len(&self, len: u64) -> io::Result<()>;

    /// Whether it can be made so long and written in these extents, each an offset and a length.
    fn check_room(&self, len: u64, extents: &[(u64, u64)]) -> io::Result<()>;

    /// Bytes that are stored of it, if the file system can leave some out.
    fn stored_len(&self) -> Option<u64> {
        None
    }

    /// Whether what it has can be changed where it lies.
    fn check_in_place(&self) -> io::Result<()> {
        Ok(())
    }

    fn sync(&self) -> io::Result<()>;
}
