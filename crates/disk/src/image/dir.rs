//! Folders and files on a disk that is not mounted.

use std::ffi::{OsStr, OsString};
use std::io;
use std::sync::Arc;

use super::tree::{Content, Named, Node, Tree};
use crate::error::NotRegular;
use crate::metadata::{Kind, Metadata};

/// A folder.
#[derive(Clone, Debug)]
pub(crate) struct ImageDir {
    tree: Arc<dyn Tree>,
    node: Node,
}

impl ImageDir {
    /// The root of a volume.
    pub(crate) fn root(tree: Arc<dyn Tree>) -> Self {
        let node = tree.root();
        Self { tree, node }
    }

    /// The volume that it is a folder of.
    pub(crate) fn tree(&self) -> &Arc<dyn Tree> {
        &self.tree
    }

    pub(crate) fn own_metadata(&self) -> io::Result<Metadata> {
        self.tree.metadata(&self.node)
    }

    pub(crate) fn metadata(&self, name: &OsStr) -> io::Result<Metadata> {
        self.tree.metadata(&self.child(name)?.node)
    }

    pub(crate) fn open_file(&self, name: &OsStr) -> io::Result<ImageFile> {
        let child = self.child(name)?;
        match self.tree.metadata(&child.node)?.kind {
            Kind::File => Ok(ImageFile {
                content: self.tree.open(&child.node)?,
            }),
            kind => Err(NotRegular { kind }.into()),
        }
    }

    pub(crate) fn open_dir(&self, name: &OsStr) -> io::Result<Self> {
        let child = self.child(name)?;
        match self.tree.metadata(&child.node)?.kind {
            Kind::Folder => Ok(Self {
                tree: Arc::clone(&self.tree),
                node: child.node,
            }),
            kind => Err(io::Error::new(
                io::ErrorKind::NotADirectory,
                NotRegular { kind },
            )),
        }
    }

    pub(crate) fn can_create(&self, name: &OsStr, len: u64) -> io::Result<()> {
        self.tree.can_create(&self.node, name, len)
    }

    pub(crate) fn create_file(&self, name: &OsStr) -> io::Result<ImageFile> {
        if !self.tree.find(&self.node, name)?.is_empty() {
            return Err(io::ErrorKind::AlreadyExists.into());
        }
        Ok(ImageFile {
            content: self.tree.create(&self.node, name)?,
        })
    }

    pub(crate) fn remove_file(&self, name: &OsStr) -> io::Result<()> {
        let child = self.child(name)?;
        self.tree.remove(&self.node, &child.name)
    }

    pub(crate) fn names(&self) -> io::Result<Vec<OsString>> {
        self.tree.names(&self.node)
    }

    /// The names that are found for `name`, as spelled on disk: only that one where it is among
    /// them.
    pub(crate) fn spellings(&self, name: &OsStr) -> io::Result<Vec<OsString>> {
        let found = self.tree.find(&self.node, name)?;
        if found.iter().any(|named| named.name == name) {
            return Ok(vec![name.to_os_string()]);
        }
        Ok(found.into_iter().map(|named| named.name).collect())
    }

    pub(crate) fn sync(&self) -> io::Result<()> {
        self.tree.sync()
    }

    /// What a name stands for: the one that is spelled so, or else the only one that differs in
    /// case alone. Where there are several, none is, as on a mount that regards case.
    fn child(&self, name: &OsStr) -> io::Result<Named> {
        let mut found = self.tree.find(&self.node, name)?;
        let exact = found.iter().position(|named| named.name == name);
        match (exact, found.len()) {
            (Some(exact), _) => Ok(found.swap_remove(exact)),
            (None, 1) => Ok(found.swap_remove(0)),
            (None, _) => Err(io::ErrorKind::NotFound.into()),
        }
    }
}

/// A regular file.
#[derive(Debug)]
pub(crate) struct ImageFile {
    content: Box<dyn Content>,
}

impl ImageFile {
    pub(crate) fn metadata(&self) -> io::Result<Metadata> {
        self.content.metadata()
    }

    pub(crate) fn read_exact_at(&self, buf: &mut [u8], offset: u64) -> io::Result<()> {
        self.content.read_exact_at(buf, offset)
    }

    pub(crate) fn write_all_at(&self, data: &[u8], offset: u64) -> io::Result<()> {
        let end = offset.saturating_add(data.len() as u64);
        if end > self.content.metadata()?.len {
            self.content.set_len(end)?;
        }
        self.content.write_all_at(data, offset)
    }

    pub(crate) fn set_len(&self, len: u64) -> io::Result<()> {
        self.content.set_len(len)
    }

    pub(crate) fn check_room(&self, len: u64, extents: &[(u64, u64)]) -> io::Result<()> {
        self.content.check_room(len, extents)
    }

    pub(crate) fn stored_len(&self) -> Option<u64> {
        self.content.stored_len()
    }

    pub(crate) fn check_in_place(&self) -> io::Result<()> {
        self.content.check_in_place()
    }

    pub(crate) fn sync(&self) -> io::Result<()> {
        self.content.sync()
    }
}
