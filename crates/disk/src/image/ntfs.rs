//! NTFS volumes as folders and files.

use std::ffi::{OsStr, OsString};
use std::io;
use std::sync::Arc;

use diskmend_image::device::Device;
use diskmend_image::ntfs::secure::Secure;
use diskmend_image::ntfs::{self, Entry, FileId, Volume, VolumeError};

use super::tree::{Content, Named, Node, Tree};
use crate::dir::not_on_an_image;
use crate::error::GuardError;
use crate::metadata::{Identity, Kind, Metadata};
use crate::nt_path::{os_string, units};

/// What is told of a volume whose files not all readers find.
const SPREAD_MFT: &str = "$MFT of the NTFS volume is told of in several records: of files in its \
                          later parts, the place is confirmed by the derivation from raw records \
                          alone, and not by the ntfs crate, which does not read these";

/// A volume, and the number that tells it from all others.
#[derive(Clone, Debug)]
pub(super) struct NtfsTree {
    volume: Volume,
    secure: Arc<Secure>,
    number: u64,
}

impl NtfsTree {
    pub(super) fn open(device: Arc<dyn Device>, number: u64) -> Result<Self, VolumeError> {
        let volume = Volume::open(device)?;
        Ok(Self {
            secure: Arc::new(Secure::new(&volume)),
            volume,
            number,
        })
    }

    fn id(node: &Node) -> io::Result<FileId> {
        match node {
            Node::Record(id) => Ok(*id),
            Node::Path(_) => Err(io::ErrorKind::InvalidInput.into()),
        }
    }

    fn metadata_of(&self, id: FileId) -> io::Result<Metadata> {
        let found = self.volume.metadata(id)?;
        Ok(Metadata {
            kind: kind(found.kind),
            len: found.len,
            identity: Identity {
                device: self.number,
                inode: id.record,
            },
            links: found.links.into(),
        })
    }
}

/// What NTFS calls a file.
pub(super) fn kind(kind: ntfs::Kind) -> Kind {
    match kind {
        ntfs::Kind::File => Kind::File,
        ntfs::Kind::Folder => Kind::Folder,
        ntfs::Kind::Link => Kind::Link,
        ntfs::Kind::Other => Kind::Other,
    }
}

fn named(entry: &Entry) -> Option<Named> {
    Some(Named {
        name: os_string(&entry.name)?,
        node: Node::Record(entry.id),
    })
}

impl Tree for NtfsTree {
    fn root(&self) -> Node {
        Node::Record(self.volume.root())
    }

    fn names(&self, folder: &Node) -> io::Result<Vec<OsString>> {
        let entries = self.volume.list(Self::id(folder)?)?;
        Ok(entries
            .iter()
            .filter_map(|entry| os_string(&entry.name))
            .collect())
    }

    fn find(&self, folder: &Node, name: &OsStr) -> io::Result<Vec<Named>> {
        let Some(wanted) = units(name) else {
            return Ok(Vec::new());
        };
        let found = self.volume.find_all(Self::id(folder)?, &wanted)?;
        Ok(found.iter().filter_map(named).collect())
    }

    fn metadata(&self, node: &Node) -> io::Result<Metadata> {
        self.metadata_of(Self::id(node)?)
    }

    fn open(&self, node: &Node) -> io::Result<Box<dyn Content>> {
        let id = Self::id(node)?;
        Ok(Box::new(NtfsFile {
            file: self.volume.file(id)?,
            tree: self.clone(),
            id,
        }))
    }

    fn can_create(&self, _folder: &Node, _name: &OsStr, _len: u64) -> io::Result<()> {
        Err(not_on_an_image("no file is created on NTFS"))
    }

    fn create(&self, _folder: &Node, _name: &OsStr) -> io::Result<Box<dyn Content>> {
        Err(not_on_an_image("no file is created on NTFS"))
    }

    fn remove(&self, _folder: &Node, _name: &OsStr) -> io::Result<()> {
        Err(not_on_an_image("no file is removed on NTFS"))
    }

    fn writable(&self) -> Result<(), GuardError> {
        self.volume
            .fit_for_writing()
            .map_err(|error| GuardError::Unfit {
                reason: error.to_string(),
            })
    }

    fn notices(&self) -> Vec<String> {
        match self.volume.has_spread_mft() {
            false => Vec::new(),
            true => vec![SPREAD_MFT.to_owned()],
        }
    }

    fn free_bytes(&self) -> io::Result<u64> {
        Ok(self.volume.free_bytes()?)
    }

    fn has_free(&self, bytes: u64) -> io::Result<bool> {
        Ok(self.volume.has_free(bytes)?)
    }

    fn sync(&self) -> io::Result<()> {
        Ok(self.volume.sync()?)
    }

    fn ntfs(&self) -> Option<(&ntfs::Volume, &Secure)> {
        Some((&self.volume, &self.secure))
    }
}

#[derive(Debug)]
struct NtfsFile {
    file: ntfs::File,
    tree: NtfsTree,
    id: FileId,
}

impl Content for NtfsFile {
    fn metadata(&self) -> io::Result<Metadata> {
        let metadata = self.tree.metadata_of(self.id)?;
        Ok(Metadata {
            len: self.file.len(),
            ..metadata
        })
    }

    fn read_exact_at(&self, buf: &mut [u8], offset: u64) -> io::Result<()> {
        Ok(self.file.read(buf, offset)?)
    }

    fn write_all_at(&self, data: &[u8], offset: u64) -> io::Result<()> {
        Ok(self.file.write(data, offset)?)
    }

    fn set_len(&self, len: u64) -> io::Result<()> {
        Ok(self.file.set_len(len)?)
    }

    fn check_room(&self, len: u64, extents: &[(u64, u64)]) -> io::Result<()> {
        Ok(self.file.check_write(len, extents)?)
    }

    fn stored_len(&self) -> Option<u64> {
        Some(self.file.stored_len())
    }

    fn check_in_place(&self) -> io::Result<()> {
        Ok(self.file.check_in_place()?)
    }

    fn sync(&self) -> io::Result<()> {
        Ok(self.file.sync()?)
    }
}
