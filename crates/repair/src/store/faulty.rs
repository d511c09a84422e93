//! Folders and files in memory that keep what is durable apart from what is not, and that fail
//! where a test wants them to.

use std::any::Any;
use std::cell::RefCell;
use std::collections::BTreeMap;
use std::fs::TryLockError;
use std::io;
use std::rc::Rc;

use diskmend_disk::{Access, GuardError, Kind, LookupError};
use diskmend_hive::{Buffer, Storage};

use super::{Dir, OpenFile, Place};

/// What goes wrong at the chosen operation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    /// The process is killed: this operation and all later ones fail. Of a write, the first half
    /// is done.
    Kill,
    /// This operation alone fails.
    Once,
    /// From this operation on nothing can grow or be created any more; the rest works.
    Full,
}

/// What is lost when the machine goes down.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Loss {
    /// Nothing: only the process ended.
    Nothing,
    /// Everything that was not flushed.
    Unflushed,
    /// Some of the writes that were not flushed, chosen by this number; names survive.
    Some(u64),
}

#[derive(Default)]
struct World {
    nodes: Vec<Node>,
    operations: usize,
    fault: Option<(usize, Fault)>,
    killed: bool,
    full: bool,
    locked: Vec<usize>,
    log: Vec<String>,
}

#[derive(Clone)]
enum Node {
    Dir {
        names: BTreeMap<String, usize>,
        durable: BTreeMap<String, usize>,
    },
    File {
        bytes: Vec<u8>,
        durable: Vec<u8>,
        pending: Vec<Pending>,
    },
}

#[derive(Clone)]
enum Pending {
    Write(usize, Vec<u8>),
    Len(usize),
}

/// A whole disk in memory.
#[derive(Clone, Default)]
pub(crate) struct FaultyDisk(Rc<RefCell<World>>);

impl FaultyDisk {
    pub(crate) fn new() -> Self {
        let disk = Self::default();
        disk.0.borrow_mut().nodes.push(Node::Dir {
            names: BTreeMap::new(),
            durable: BTreeMap::new(),
        });
        disk
    }

    pub(crate) fn root(&self) -> Box<dyn Dir> {
        self.dir(0)
    }

    fn dir(&self, node: usize) -> Box<dyn Dir> {
        Box::new(FaultyDir {
            disk: self.clone(),
            node,
        })
    }

    /// Puts a durable file at a path, with the folders on the way.
    pub(crate) fn put(&self, path: &str, bytes: Vec<u8>) {
        let mut world = self.0.borrow_mut();
        let mut at = 0;
        let mut parts = path.split('/').peekable();
        while let Some(part) = parts.next() {
            let new = world.nodes.len();
            let is_file = parts.peek().is_none();
            let Some(Node::Dir { names, durable }) = world.nodes.get_mut(at) else {
                panic!("{path}: not a folder on the way");
            };
            match names.get(part) {
                Some(known) if !is_file => at = *known,
                _ => {
                    names.insert(part.to_owned(), new);
                    durable.insert(part.to_owned(), new);
                    at = new;
                    world.nodes.push(if is_file {
                        Node::File {
                            durable: bytes.clone(),
                            bytes: bytes.clone(),
                            pending: Vec::new(),
                        }
                    } else {
                        Node::Dir {
                            names: BTreeMap::new(),
                            durable: BTreeMap::new(),
                        }
                    });
                }
            }
        }
    }

    /// Every file by its path.
    pub(crate) fn files(&self) -> BTreeMap<String, Vec<u8>> {
        let world = self.0.borrow();
        let mut files = BTreeMap::new();
        let mut pending = vec![(String::new(), 0)];
        while let Some((path, node)) = pending.pop() {
            match &world.nodes[node] {
                Node::File { bytes, .. } => {
                    files.insert(path, bytes.clone());
                }
                Node::Dir { names, .. } => {
                    for (name, node) in names {
                        let sep = if path.is_empty() { "" } else { "/" };
                        pending.push((format!("{path}{sep}{name}"), *node));
                    }
                }
            }
        }
        files
    }

    /// A disk of its own with the same content.
    pub(crate) fn fork(&self) -> Self {
        let world = self.0.borrow();
        Self(Rc::new(RefCell::new(World {
            nodes: world.nodes.clone(),
            ..World::default()
        })))
    }

    /// Lets the operation of this number, counted from now on, go wrong.
    pub(crate) fn fail_at(&self, operation: usize, fault: Fault) {
        let mut world = self.0.borrow_mut();
        world.operations = 0;
        world.log.clear();
        world.fault = Some((operation, fault));
    }

    /// Number of operations since [`fail_at`](Self::fail_at), or since the beginning.
    pub(crate) fn operations(&self) -> usize {
        self.0.borrow().operations
    }

    /// What these operations were.
    pub(crate) fn log(&self) -> Vec<String> {
        self.0.borrow().log.clone()
    }

    /// The machine starts again after a crash.
    pub(crate) fn restart(&self, loss: Loss) {
        let mut world = self.0.borrow_mut();
        world.killed = false;
        world.full = false;
        world.fault = None;
        world.locked.clear();
        let mut random = match loss {
            Loss::Some(seed) => seed | 1,
            _ => 1,
        };
        for node in &mut world.nodes {
            match (node, loss) {
                (Node::Dir { names, durable }, Loss::Unflushed) => *names = durable.clone(),
                (Node::Dir { names, durable }, _) => *durable = names.clone(),
                (
                    Node::File {
                        bytes,
                        durable,
                        pending,
                    },
                    loss,
                ) => {
                    match loss {
                        Loss::Nothing => *durable = bytes.clone(),
                        Loss::Unflushed => *bytes = durable.clone(),
                        Loss::Some(_) => {
                            for change in pending.iter() {
                                random ^= random << 13;
                                random ^= random >> 7;
                                random ^= random << 17;
                                if random & 1 == 0 {
                                    apply(durable, change);
                                }
                            }
                            *bytes = durable.clone();
                        }
                    }
                    pending.clear();
                }
            }
        }
    }

    /// Counts a changing operation; an error where it is to fail. `true` where a write is to be
    /// done by half first.
    fn operation(&self, what: &str, grows: bool) -> (bool, io::Result<()>) {
        let mut world = self.0.borrow_mut();
        if world.killed {
            return (false, Err(io::Error::other("killed")));
        }
        let number = world.operations;
        world.operations += 1;
        world.log.push(what.to_owned());
        if let Some((at, fault)) = world.fault
            && number == at
        {
            match fault {
                Fault::Kill => {
                    world.killed = true;
                    return (true, Err(io::Error::other("killed")));
                }
                Fault::Once => return (false, Err(io::Error::other("failed once"))),
                Fault::Full => world.full = true,
            }
        }
        if world.full && grows {
            return (false, Err(io::ErrorKind::StorageFull.into()));
        }
        (false, Ok(()))
    }

    fn alive(&self) -> io::Result<()> {
        if self.0.borrow().killed {
            return Err(io::Error::other("killed"));
        }
        Ok(())
    }

    fn node(&self, parent: usize, name: &str) -> io::Result<usize> {
        self.alive()?;
        match &self.0.borrow().nodes[parent] {
            Node::Dir { names, .. } => names
                .get(name)
                .copied()
                .ok_or_else(|| io::ErrorKind::NotFound.into()),
            Node::File { .. } => Err(io::ErrorKind::NotADirectory.into()),
        }
    }

    fn names_mut<T>(&self, node: usize, f: impl FnOnce(&mut BTreeMap<String, usize>) -> T) -> T {
        match &mut self.0.borrow_mut().nodes[node] {
            Node::Dir { names, .. } => f(names),
            Node::File { .. } => panic!("not a folder"),
        }
    }

    fn add(&self, parent: usize, name: &str, node: Node) -> io::Result<usize> {
        if self.node(parent, name).is_ok() {
            return Err(io::ErrorKind::AlreadyExists.into());
        }
        let new = {
            let mut world = self.0.borrow_mut();
            world.nodes.push(node);
            world.nodes.len() - 1
        };
        self.names_mut(parent, |names| names.insert(name.to_owned(), new));
        Ok(new)
    }
}

fn apply(bytes: &mut Vec<u8>, change: &Pending) {
    match change {
        Pending::Len(len) => bytes.resize(*len, 0),
        Pending::Write(at, data) => {
            let end = at + data.len();
            if bytes.len() < end {
                bytes.resize(end, 0);
            }
            bytes[*at..end].copy_from_slice(data);
        }
    }
}

struct FaultyDir {
    disk: FaultyDisk,
    node: usize,
}

impl FaultyDir {
    fn file(&self, node: usize) -> Box<dyn OpenFile> {
        Box::new(FaultyFile {
            disk: self.disk.clone(),
            node,
            locked: RefCell::new(false),
        })
    }
}

impl Dir for FaultyDir {
    fn kind(&self, name: &str) -> io::Result<Option<Kind>> {
        match self.disk.node(self.node, name) {
            Ok(node) => Ok(Some(match &self.disk.0.borrow().nodes[node] {
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
        self.remove_file(name)
    }

    fn sync(&self) -> io::Result<()> {
        self.disk.operation("flush folder", false).1?;
        if let Node::Dir { names, durable } = &mut self.disk.0.borrow_mut().nodes[self.node] {
            *durable = names.clone();
        }
        Ok(())
    }

    fn lock_target(&self) -> Result<Box<dyn Any>, GuardError> {
        Ok(Box::new(()))
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

struct FaultyFile {
    disk: FaultyDisk,
    node: usize,
    locked: RefCell<bool>,
}

impl FaultyFile {
    fn with<T>(&self, f: impl FnOnce(&mut Vec<u8>, &mut Vec<u8>, &mut Vec<Pending>) -> T) -> T {
        match &mut self.disk.0.borrow_mut().nodes[self.node] {
            Node::File {
                bytes,
                durable,
                pending,
            } => f(bytes, durable, pending),
            Node::Dir { .. } => panic!("not a file"),
        }
    }

    fn change(&self, change: Pending) {
        self.with(|bytes, _, pending| {
            apply(bytes, &change);
            pending.push(change);
        });
    }
}

impl Storage for FaultyFile {
    fn len(&self) -> io::Result<u64> {
        self.disk.alive()?;
        Ok(self.with(|bytes, _, _| bytes.len() as u64))
    }

    fn read_exact_at(&self, buf: &mut [u8], offset: u64) -> io::Result<()> {
        self.disk.alive()?;
        self.with(|bytes, _, _| {
            let at = offset as usize;
            let part = bytes.get(at..at + buf.len());
            buf.copy_from_slice(part.ok_or(io::ErrorKind::UnexpectedEof)?);
            Ok(())
        })
    }

    fn write_all_at(&mut self, data: &[u8], offset: u64) -> io::Result<()> {
        let at = offset as usize;
        let grows = self.with(|bytes, _, _| at + data.len() > bytes.len());
        let what = format!("write {} at {offset}", data.len());
        let (half, result) = self.disk.operation(&what, grows);
        if half {
            self.change(Pending::Write(at, data[..data.len() / 2].to_vec()));
        }
        result?;
        self.change(Pending::Write(at, data.to_vec()));
        Ok(())
    }

    fn set_len(&mut self, len: u64) -> io::Result<()> {
        let grows = self.with(|bytes, _, _| len as usize > bytes.len());
        self.disk.operation(&format!("set length {len}"), grows).1?;
        self.change(Pending::Len(len as usize));
        Ok(())
    }

    fn sync(&mut self) -> io::Result<()> {
        self.disk.operation("flush", false).1?;
        self.with(|bytes, durable, pending| {
            *durable = bytes.clone();
            pending.clear();
        });
        Ok(())
    }
}

impl OpenFile for FaultyFile {
    fn try_lock(&self) -> Result<(), TryLockError> {
        let mut world = self.disk.0.borrow_mut();
        if world.locked.contains(&self.node) {
            return Err(TryLockError::WouldBlock);
        }
        world.locked.push(self.node);
        *self.locked.borrow_mut() = true;
        Ok(())
    }

    fn map(&self, _reserve: usize, max_len: u64) -> io::Result<Box<dyn Buffer>> {
        self.disk.alive()?;
        let bytes = self.with(|bytes, _, _| bytes.clone());
        if bytes.len() as u64 > max_len {
            return Err(io::ErrorKind::FileTooLarge.into());
        }
        Ok(Box::new(bytes))
    }
}

impl Drop for FaultyFile {
    fn drop(&mut self) {
        if *self.locked.borrow() {
            self.disk
                .0
                .borrow_mut()
                .locked
                .retain(|node| *node != self.node);
        }
    }
}

/// One file in memory that never fails.
pub(crate) struct MemoryFile(Vec<u8>);

impl MemoryFile {
    pub(crate) fn new(bytes: Vec<u8>) -> Self {
        Self(bytes)
    }
}

impl Storage for MemoryFile {
    fn len(&self) -> io::Result<u64> {
        Ok(self.0.len() as u64)
    }

    fn read_exact_at(&self, buf: &mut [u8], offset: u64) -> io::Result<()> {
        let at = offset as usize;
        let part = self.0.get(at..at + buf.len());
        buf.copy_from_slice(part.ok_or(io::ErrorKind::UnexpectedEof)?);
        Ok(())
    }

    fn write_all_at(&mut self, data: &[u8], offset: u64) -> io::Result<()> {
        apply(&mut self.0, &Pending::Write(offset as usize, data.to_vec()));
        Ok(())
    }

    fn set_len(&mut self, len: u64) -> io::Result<()> {
        self.0.resize(len as usize, 0);
        Ok(())
    }

    fn sync(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl OpenFile for MemoryFile {
    fn try_lock(&self) -> Result<(), TryLockError> {
        Ok(())
    }

    fn map(&self, _reserve: usize, _max_len: u64) -> io::Result<Box<dyn Buffer>> {
        Ok(Box::new(self.0.clone()))
    }
}
