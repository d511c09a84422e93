//! A folder of a faulty disk.

use std::any::Any;
use std::collections::BTreeMap;
use std::io;

use diskmend_disk::{Access, GuardError, Kind, LookupError};

use super::file::FaultyFile;
use super::{FaultyDisk, Node};
use crate::descriptors::Secured;
use crate::store::{Dir, OpenFile, Place};

pub(super) struct FaultyDir {
    pub(super) disk: FaultyDisk,
    pub(super) node: usize,
}

impl FaultyDir {
    fn file(&self, node: usize) -> Box<dyn OpenFile> {
        Box::new(FaultyFile::new(self.disk.clone(), node))
    }
}

impl Dir for FaultyDir {
    fn kind(&self, name: &str) -> io::Result<Option<Kind>> {
        match self.disk.node(self.node, name) {
            Ok(node) => Ok(Some(match &self.disk.world().nodes[node] {
                Node::Dir { .. } => Kind::Folder,
                Node::File { .. } => Kind::File,
            })),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }

    fn names(&self) -> io::Result<Vec<String>> {
        self.disk.alive()?;
        Ok(self
            .disk
            .names_mut(self.node, |names| names.keys().cloned().collect()))
    }

    fn len_of(&self, name: &str) -> io::Result<u64> {
        let node = self.disk.node(self.node, name)?;
        match &self.disk.world().nodes[node] {
            Node::File { bytes, .. } => Ok(bytes.len() as u64),
            Node::Dir { .. } => panic!("not a file"),
        }
    }

    fn open(&self, name: &str, _access: Access) -> io::Result<Box<dyn OpenFile>> {
        Ok(self.file(self.disk.node(self.node, name)?))
    }

    fn create(&self, name: &str) -> io::Result<Box<dyn OpenFile>> {
        self.disk.operation(&format!("create {name}"), true).1?;
        let empty = Node::File {
            bytes: Vec::new(),
            durable: Vec::new(),
            pending: Vec::new(),
        };
        Ok(self.file(self.disk.add(self.node, name, empty)?))
    }

    fn remove_file(&self, name: &str) -> io::Result<()> {
        self.disk.node(self.node, name)?;
        self.disk.operation(&format!("remove {name}"), false).1?;
        self.disk.names_mut(self.node, |names| names.remove(name));
        Ok(())
    }

    fn replace(&self, from: &str, to: &str) -> io::Result<()> {
        let node = self.disk.node(self.node, from)?;
        self.disk
            .operation(&format!("rename {from} {to}"), false)
            .1?;
        self.disk.names_mut(self.node, |names| {
            names.remove(from);
            names.insert(to.to_owned(), node);
        });
        Ok(())
    }

    fn open_dir(&self, name: &str) -> io::Result<Box<dyn Dir>> {
        Ok(self.disk.dir(self.disk.node(self.node, name)?))
    }

    fn create_dir(&self, name: &str) -> io::Result<()> {
        self.disk
            .operation(&format!("create folder {name}"), true)
            .1?;
        let empty = Node::Dir {
            names: BTreeMap::new(),
            durable: BTreeMap::new(),
        };
        self.disk.add(self.node, name, empty).map(|_| ())
    }

    fn remove_dir(&self, name: &str) -> io::Result<()> {
        let node = self.disk.node(self.node, name)?;
        if !self.disk.names_mut(node, |names| names.is_empty()) {
            return Err(io::ErrorKind::DirectoryNotEmpty.into());
        }
        self.remove_file(name)
    }

    fn sync(&self) -> io::Result<()> {
        self.disk.operation("flush folder", false).1?;
        if let Node::Dir { names, durable } = &mut self.disk.world().nodes[self.node] {
            *durable = names.clone();
        }
        Ok(())
    }

    fn lock_target(&self) -> Result<Box<dyn Any>, GuardError> {
        Ok(Box::new(()))
    }

    fn secured(&self) -> io::Result<Option<Box<dyn Secured>>> {
        self.disk.alive()?;
        Ok(self.disk.secured())
    }

    fn find(&self, components: &[&str]) -> Result<Option<Place>, LookupError> {
        let mut node = self.node;
        let Some((last, parents)) = components.split_last() else {
            return Ok(None);
        };
        for parent in parents {
            match self.disk.node(node, parent) {
                Ok(child) => node = child,
                Err(_) => return Ok(None),
            }
        }
        let dir = self.disk.dir(node);
        let kind = dir.kind(last).map_err(|source| LookupError::Io {
            path: last.into(),
            source,
        })?;
        Ok(kind.map(|kind| Place {
            dir,
            name: (*last).to_owned(),
            path: components.join("/"),
            kind,
        }))
    }
}
