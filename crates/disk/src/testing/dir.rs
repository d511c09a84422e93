//! A folder of a faulty disk.

use std::any::Any;
use std::collections::BTreeMap;
use std::io;

use super::file::FaultyFile;
use super::{FaultyDisk, Node};
use crate::details::{Details, regular};
use crate::dir::{Access, Dir};
use crate::error::{NotRegular, not_a_folder};
use crate::file::File;
use crate::metadata::{Identity, Kind, Metadata};
use crate::name;
use crate::security::Descriptors;
use crate::system::too_many;

#[derive(Debug)]
pub(super) struct FaultyDir {
    pub(super) disk: FaultyDisk,
    pub(super) node: usize,
}

impl FaultyDir {
    fn child(&self, name: &str) -> io::Result<usize> {
        name::component(name.as_ref())?;
        self.disk.node(self.node, name)
    }

    /// Checks that a name doesn't exist here, also not in another case.
    fn is_new(&self, name: &str) -> io::Result<()> {
        let has_name = |names: &mut BTreeMap<String, usize>| {
            let mut names = names.keys();
            names.any(|other| name::same(other.as_ref(), name.as_ref()))
        };
        if self.disk.names_mut(self.node, has_name) {
            return Err(io::ErrorKind::AlreadyExists.into());
        }
        Ok(())
    }

    fn file(&self, node: usize) -> Box<dyn File> {
        Box::new(FaultyFile::new(self.disk.clone(), node))
    }
}

impl FaultyDisk {
    /// The details of a file; those of a new file are empty. They survive every crash.
    fn details(&self, node: usize) -> Details {
        let world = self.world();
        world.details.get(&node).cloned().unwrap_or_default()
    }

    pub(super) fn metadata(&self, node: usize) -> Metadata {
        let (kind, len) = match &self.world().nodes[node] {
            Node::Dir { .. } => (Kind::Folder, 0),
            Node::File { bytes, .. } => (Kind::File, bytes.len() as u64),
        };
        Metadata {
            kind,
            len,
            identity: Identity {
                device: 0,
                inode: node as u64,
            },
            links: 1,
        }
    }
}

impl Dir for FaultyDir {
    fn try_clone(&self) -> io::Result<Box<dyn Dir>> {
        Ok(self.disk.dir(self.node))
    }

    fn own_metadata(&self) -> io::Result<Metadata> {
        self.disk.alive()?;
        Ok(self.disk.metadata(self.node))
    }

    fn metadata(&self, name: &str) -> io::Result<Metadata> {
        Ok(self.disk.metadata(self.child(name)?))
    }

    fn names(&self, limit: usize) -> io::Result<Vec<String>> {
        self.disk.alive()?;
        let names: Vec<String> = self
            .disk
            .names_mut(self.node, |names| names.keys().cloned().collect());
        if names.len() > limit {
            return Err(too_many(limit));
        }
        Ok(names)
    }

    fn spellings(&self, name: &str) -> io::Result<Vec<String>> {
        Ok(vec![name.to_owned()])
    }

    fn open(&self, name: &str, _access: Access) -> io::Result<Box<dyn File>> {
        let node = self.child(name)?;
        match self.disk.metadata(node).kind {
            Kind::File => Ok(self.file(node)),
            kind => Err(NotRegular { kind }.into()),
        }
    }

    fn create(&self, name: &str) -> io::Result<Box<dyn File>> {
        name::component(name.as_ref())?;
        self.disk.operation(&format!("create {name}"), true).1?;
        let empty = Node::File {
            bytes: Vec::new(),
            durable: Vec::new(),
            pending: Vec::new(),
        };
        Ok(self.file(self.disk.add(self.node, name, empty)?))
    }

    fn can_remove(&self, name: &str) -> io::Result<()> {
        self.details(name).map(drop)
    }

    fn details(&self, name: &str) -> io::Result<Details> {
        let node = self.child(name)?;
        regular(&self.disk.metadata(node))?;
        Ok(self.disk.details(node))
    }

    fn set_details(&self, name: &str, details: &Details) -> io::Result<()> {
        let node = self.child(name)?;
        regular(&self.disk.metadata(node))?;
        self.disk
            .operation(&format!("set details of {name}"), false)
            .1?;
        self.disk.world().details.insert(node, details.clone());
        Ok(())
    }

    fn can_rename(&self, from: &str, to: &str) -> io::Result<()> {
        name::component(to.as_ref())?;
        regular(&self.disk.metadata(self.child(from)?))?;
        self.is_new(to)
    }

    fn rename(&self, from: &str, to: &str) -> io::Result<()> {
        self.can_rename(from, to)?;
        self.replace(from, to)
    }

    fn remove_file(&self, name: &str) -> io::Result<()> {
        self.child(name)?;
        self.disk.operation(&format!("remove {name}"), false).1?;
        self.disk.names_mut(self.node, |names| names.remove(name));
        Ok(())
    }

    fn replace(&self, from: &str, to: &str) -> io::Result<()> {
        name::component(to.as_ref())?;
        let node = self.child(from)?;
        self.disk
            .operation(&format!("rename {from} {to}"), false)
            .1?;
        self.disk.names_mut(self.node, |names| {
            names.remove(from);
            names.insert(to.to_owned(), node);
        });
        Ok(())
    }

    fn move_to(&self, name: &str, folder: &(dyn Dir + 'static), new_name: &str) -> io::Result<()> {
        name::component(new_name.as_ref())?;
        let node = self.child(name)?;
        if let kind @ Kind::Folder = self.disk.metadata(node).kind {
            return Err(NotRegular { kind }.into());
        }
        let folder = (folder as &dyn Any).downcast_ref::<Self>();
        let folder = folder.filter(|folder| folder.disk.is(&self.disk));
        let folder = folder.ok_or(io::ErrorKind::CrossesDevices)?;
        if folder.child(new_name).is_ok() {
            return Err(io::ErrorKind::AlreadyExists.into());
        }
        self.disk
            .operation(&format!("move {name} {new_name}"), false)
            .1?;
        self.disk.names_mut(self.node, |names| names.remove(name));
        self.disk
            .names_mut(folder.node, |names| names.insert(new_name.to_owned(), node));
        Ok(())
    }

    fn can_rename_folder(&self, name: &str, new_name: &str) -> io::Result<()> {
        name::component(new_name.as_ref())?;
        match self.disk.metadata(self.child(name)?).kind {
            Kind::Folder => self.is_new(new_name),
            kind => Err(not_a_folder(kind)),
        }
    }

    fn rename_folder(&self, name: &str, new_name: &str) -> io::Result<()> {
        self.can_rename_folder(name, new_name)?;
        self.replace(name, new_name)
    }

    fn open_dir(&self, name: &str) -> io::Result<Box<dyn Dir>> {
        let node = self.child(name)?;
        match self.disk.metadata(node).kind {
            Kind::Folder => Ok(self.disk.dir(node)),
            kind => Err(not_a_folder(kind)),
        }
    }

    fn create_dir(&self, name: &str) -> io::Result<()> {
        name::component(name.as_ref())?;
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
        let node = self.child(name)?;
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

    fn descriptors(&self) -> io::Result<Option<Box<dyn Descriptors>>> {
        self.disk.alive()?;
        Ok(self.disk.secured())
    }
}
