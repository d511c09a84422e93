//! The security descriptors of a faulty disk.

use std::collections::BTreeMap;
use std::io;

use super::dir::FaultyDir;
use super::{Descriptor, FaultyDisk, Node};
use crate::dir::Dir;
use crate::metadata::Kind;
use crate::nt_path::NtPath;
use crate::security::{Change, Changed, Descriptors, Object, ObjectError, Walk};

#[derive(Debug)]
struct FaultySecured {
    disk: FaultyDisk,
    root: FaultyDir,
}

impl FaultyDisk {
    /// Gives a file or folder a durable security descriptor.
    pub fn secure(&self, path: &str, bytes: Vec<u8>) {
        let (node, _) = self
            .lookup(path)
            .unwrap_or_else(|| panic!("{path} is missing"));
        let durable = bytes.clone();
        let descriptor = Descriptor { bytes, durable };
        self.world().descriptors.insert(node, descriptor);
    }

    /// All security descriptors, by path.
    pub fn descriptors(&self) -> BTreeMap<String, Vec<u8>> {
        let below = self.below("", 0, Kind::Folder);
        let world = self.world();
        below
            .into_iter()
            .filter_map(|(path, node, _)| Some((path, world.descriptors.get(&node)?.bytes.clone())))
            .collect()
    }

    pub(super) fn secured(&self) -> Option<Box<dyn Descriptors>> {
        if self.world().descriptors.is_empty() {
            None
        } else {
            Some(Box::new(FaultySecured {
                disk: self.clone(),
                root: FaultyDir {
                    disk: self.clone(),
                    node: 0,
                },
            }))
        }
    }

    fn lookup(&self, path: &str) -> Option<(usize, Kind)> {
        let world = self.world();
        let mut node = 0;
        for name in path.split('/').filter(|name| !name.is_empty()) {
            match &world.nodes[node] {
                Node::Dir { names, .. } => node = *names.get(name)?,
                Node::File { .. } => return None,
            }
        }
        Some((node, kind(&world.nodes[node])))
    }

    /// The objects at and below a path; a folder comes before its content.
    fn below(&self, path: &str, node: usize, kind_here: Kind) -> Vec<(String, usize, Kind)> {
        let mut found = vec![(path.to_owned(), node, kind_here)];
        let world = self.world();
        let mut at = 0;
        while at < found.len() {
            let (path, node, _) = found[at].clone();
            if let Node::Dir { names, .. } = &world.nodes[node] {
                for (name, child) in names {
                    let separator = if path.is_empty() { "" } else { "/" };
                    let path = format!("{path}{separator}{name}");
                    found.push((path, *child, kind(&world.nodes[*child])));
                }
            }
            at += 1;
        }
        found
    }
}

fn kind(node: &Node) -> Kind {
    match node {
        Node::Dir { .. } => Kind::Folder,
        Node::File { .. } => Kind::File,
    }
}

fn io_error(source: io::Error) -> ObjectError {
    let action = "set its security descriptor";
    ObjectError::Io { action, source }
}

impl FaultySecured {
    fn make(&self, change: &Change) -> Result<Changed, ObjectError> {
        self.disk.alive().map_err(io_error)?;
        let path = change.path.to_string();
        let gone = || io_error(io::ErrorKind::NotFound.into());
        let (node, found) = self.disk.lookup(&path).ok_or_else(gone)?;
        let expected = change.kind;
        if found != expected {
            return Err(ObjectError::Other { expected, found });
        }
        let bytes = self
            .disk
            .world()
            .descriptors
            .get(&node)
            .map(|known| known.bytes.clone());
        let bytes = bytes.ok_or_else(gone)?;
        if bytes == change.after {
            return Ok(Changed::AlreadyThere);
        }
        if bytes != change.before {
            return Err(ObjectError::ChangedMeanwhile);
        }
        let operation = self
            .disk
            .operation(&format!("set descriptor {path}"), false);
        operation.1.map_err(io_error)?;
        if let Some(known) = self.disk.world().descriptors.get_mut(&node) {
            known.bytes.clone_from(&change.after);
        }
        Ok(Changed::Set)
    }
}

impl Descriptors for FaultySecured {
    fn root(&self) -> &dyn Dir {
        &self.root
    }

    fn object(&self, path: &NtPath) -> Object {
        let mut below = self.walk(path);
        let first = below.next().and_then(|batch| batch.into_iter().next());
        first.unwrap_or_else(|| {
            Object::failed(path.clone(), io_error(io::ErrorKind::NotFound.into()))
        })
    }

    fn walk<'a>(&'a self, path: &NtPath) -> Walk<'a> {
        let path = path.to_string();
        let objects = self
            .disk
            .lookup(&path)
            .map(|(node, kind)| self.disk.below(&path, node, kind));
        let objects = objects
            .unwrap_or_default()
            .into_iter()
            .map(|(path, node, kind)| {
                let known = self
                    .disk
                    .world()
                    .descriptors
                    .get(&node)
                    .map(|known| known.bytes.clone());
                let path = NtPath::from(path.as_str());
                match known {
                    Some(bytes) => vec![Object::sound(path, kind, bytes)],
                    None => {
                        let source = io::Error::other("unreadable");
                        let action = "read its security descriptor";
                        vec![Object::failed(path, ObjectError::Io { action, source })]
                    }
                }
            });
        Box::new(objects)
    }

    fn change(&self, changes: &[Change]) -> Vec<Result<Changed, ObjectError>> {
        changes.iter().map(|change| self.make(change)).collect()
    }

    fn flush(&self) -> io::Result<()> {
        self.disk.operation("flush volume", false).1?;
        for descriptor in self.disk.world().descriptors.values_mut() {
            descriptor.durable.clone_from(&descriptor.bytes);
        }
        Ok(())
    }
}
