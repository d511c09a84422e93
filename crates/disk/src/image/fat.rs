//! FAT volumes as folders and files: EFI system partitions.

use std::ffi::{OsStr, OsString};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::io;
use std::sync::Arc;

use diskmend_base::upcase::CaseTable;
use diskmend_image::device::Device;
use diskmend_image::fat::{self, EntryKind, FatError, Volume};
use diskmend_image::ntfs;
use diskmend_image::ntfs::secure::Secure;

use super::tree::{Content, Named, Node, Tree};
use crate::error::GuardError;
use crate::metadata::{Identity, Kind, Metadata};

/// A volume, and the number that tells it from all others.
#[derive(Clone, Debug)]
pub(super) struct FatTree {
    volume: Arc<Volume>,
    number: u64,
}

impl FatTree {
    pub(super) fn open(device: Arc<dyn Device>, number: u64) -> Result<Self, FatError> {
        let volume = Arc::new(Volume::open(device)?);
        Ok(Self { volume, number })
    }

    fn path(node: &Node) -> io::Result<&[String]> {
        match node {
            Node::Path(path) => Ok(path),
            Node::Record(_) => Err(io::ErrorKind::InvalidInput.into()),
        }
    }

    fn below(folder: &Node, name: &OsStr) -> io::Result<Vec<String>> {
        let name = name.to_str().ok_or(io::ErrorKind::InvalidInput)?;
        let mut path = Self::path(folder)?.to_vec();
        path.push(name.to_owned());
        Ok(path)
    }

    fn content(&self, path: Vec<String>, file: fat::File) -> Box<dyn Content> {
        Box::new(FatFile {
            file,
            identity: self.identity(&path),
        })
    }

    /// FAT numbers nothing; a path names a file as long as nothing is renamed.
    fn identity(&self, path: &[String]) -> Identity {
        let mut hasher = DefaultHasher::new();
        for name in path {
            let units = name
                .encode_utf16()
                .map(|unit| CaseTable::FILES.upcase(unit));
            units.for_each(|unit| unit.hash(&mut hasher));
            '/'.hash(&mut hasher);
        }
        Identity {
            device: self.number,
            inode: hasher.finish(),
        }
    }
}

impl Tree for FatTree {
    fn root(&self) -> Node {
        Node::Path(Vec::new())
    }

    fn names(&self, folder: &Node) -> io::Result<Vec<OsString>> {
        let entries = self.volume.list(Self::path(folder)?)?;
        Ok(entries.into_iter().map(|entry| entry.name.into()).collect())
    }

    fn find(&self, folder: &Node, name: &OsStr) -> io::Result<Vec<Named>> {
        let Some(wanted) = name.to_str() else {
            return Ok(Vec::new());
        };
        let folder = Self::path(folder)?;
        let entries = self.volume.list(folder)?;
        let same = |name: &str| crate::name::same(name.as_ref(), wanted.as_ref());
        let found = entries.into_iter().filter(|entry| same(&entry.name));
        Ok(found
            .map(|entry| {
                let mut path = folder.to_vec();
                path.push(entry.name.clone());
                Named {
                    name: entry.name.into(),
                    node: Node::Path(path),
                }
            })
            .collect())
    }

    fn metadata(&self, node: &Node) -> io::Result<Metadata> {
        let path = Self::path(node)?;
        let (kind, len) = match path {
            [] => (Kind::Folder, 0),
            path => {
                let found = self.volume.metadata(path)?;
                match found.kind {
                    EntryKind::Folder => (Kind::Folder, 0),
                    EntryKind::File => (Kind::File, found.len),
                }
            }
        };
        Ok(Metadata {
            kind,
            len,
            identity: self.identity(path),
            links: 1,
        })
    }

    fn open(&self, node: &Node) -> io::Result<Box<dyn Content>> {
        let path = Self::path(node)?.to_vec();
        let file = self.volume.open_file(&path)?;
        Ok(self.content(path, file))
    }

    fn can_create(&self, folder: &Node, name: &OsStr, len: u64) -> io::Result<()> {
        self.volume.can_create(&Self::below(folder, name)?, len)
    }

    fn create(&self, folder: &Node, name: &OsStr) -> io::Result<Box<dyn Content>> {
        let path = Self::below(folder, name)?;
        let file = self.volume.create_file(&path)?;
        Ok(self.content(path, file))
    }

    fn remove(&self, folder: &Node, name: &OsStr) -> io::Result<()> {
        self.volume.remove_file(&Self::below(folder, name)?)
    }

    fn writable(&self) -> Result<(), GuardError> {
        self.volume
            .check_writable()
            .map_err(|error| GuardError::Unfit {
                reason: error.to_string(),
            })
    }

    fn free_bytes(&self) -> io::Result<u64> {
        Ok(self.volume.free_bytes()?)
    }

    fn has_free(&self, bytes: u64) -> io::Result<bool> {
        Ok(bytes == 0 || self.volume.free_bytes()? >= bytes)
    }

    fn sync(&self) -> io::Result<()> {
        self.volume.sync()
    }

    fn ntfs(&self) -> Option<(&ntfs::Volume, &Secure)> {
        None
    }
}

#[derive(Debug)]
struct FatFile {
    file: fat::File,
    identity: Identity,
}

impl Content for FatFile {
    fn metadata(&self) -> io::Result<Metadata> {
        Ok(Metadata {
            kind: Kind::File,
            len: self.file.len()?,
            identity: self.identity,
            links: 1,
        })
    }

    fn read_exact_at(&self, buf: &mut [u8], offset: u64) -> io::Result<()> {
        self.file.read_exact_at(buf, offset)
    }

    fn write_all_at(&self, data: &[u8], offset: u64) -> io::Result<()> {
        self.file.write_all_at(data, offset)
    }

    fn set_len(&self, len: u64) -> io::Result<()> {
        self.file.set_len(len)
    }

    fn check_room(&self, len: u64, _extents: &[(u64, u64)]) -> io::Result<()> {
        self.file.can_set_len(len)
    }

    fn sync(&self) -> io::Result<()> {
        self.file.sync()
    }
}
