//! For tests, with the feature `testing`: folders and files in memory that distinguish durable from
//! lost bytes, and that fail when a test wants it.

mod descriptors;
mod dir;
mod file;
mod medium;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::io;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::SystemTime;

use dir::FaultyDir;

use crate::details::Details;
use crate::dir::Dir;

/// What goes wrong at the chosen operation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// The process is killed: this operation and all later ones fail. Of a write, the first half is
    /// done.
    Kill,
    /// Only this operation fails.
    Once,
    /// From this operation on, no flush succeeds; everything else works.
    Flushes,
    /// From this operation on, nothing can grow or be created; everything else works.
    Full,
}

/// What is lost in a crash.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Loss {
    /// Nothing, because only the process ended.
    Nothing,
    /// Everything that was not flushed.
    Unflushed,
    /// Some of the writes that were not flushed, chosen by this number. Changes of names survive.
    Some(u64),
}

#[derive(Default)]
struct World {
    nodes: Vec<Node>,
    operations: usize,
    faults: Vec<(usize, Fault)>,
    killed: bool,
    full: bool,
    /// True if no flush succeeds.
    unflushable: bool,
    locked: Vec<usize>,
    log: Vec<String>,
    /// The blocks of images that were written, by node and number; they are not holes.
    filled: BTreeSet<(usize, usize)>,
    /// The times of the last changes, by node.
    modified: BTreeMap<usize, SystemTime>,
    /// Security descriptors by node.
    descriptors: BTreeMap<usize, Descriptor>,
    /// The details of files by node.
    details: BTreeMap<usize, Details>,
}

/// A security descriptor, and the one that a power failure would leave.
#[derive(Clone)]
struct Descriptor {
    bytes: Vec<u8>,
    durable: Vec<u8>,
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

/// A whole disk in memory. Clones are the same disk.
#[derive(Clone, Default)]
pub struct FaultyDisk(Arc<Mutex<World>>);

impl fmt::Debug for FaultyDisk {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FaultyDisk").finish_non_exhaustive()
    }
}

impl FaultyDisk {
    /// An empty disk.
    #[must_use]
    pub fn new() -> Self {
        let disk = Self::default();
        disk.world().nodes.push(Node::Dir {
            names: BTreeMap::new(),
            durable: BTreeMap::new(),
        });
        disk
    }

    fn world(&self) -> MutexGuard<'_, World> {
        self.0.lock().expect("no test goes on after a panic")
    }

    /// True if both are the same disk.
    fn is(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }

    /// Its root folder.
    #[must_use]
    pub fn root(&self) -> Box<dyn Dir> {
        self.dir(0)
    }

    fn dir(&self, node: usize) -> Box<dyn Dir> {
        Box::new(FaultyDir {
            disk: self.clone(),
            node,
        })
    }

    /// Creates a durable file, with the folders on its path.
    pub fn put(&self, path: &str, bytes: Vec<u8>) {
        let mut world = self.world();
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

    /// Says when a file was last changed. Without this, the disk doesn't know.
    pub fn set_modified(&self, path: &str, time: SystemTime) {
        let mut node = 0;
        for part in path.split('/') {
            node = self.node(node, part).expect("a path that exists");
        }
        self.world().modified.insert(node, time);
    }

    /// All files, by path.
    #[must_use]
    pub fn files(&self) -> BTreeMap<String, Vec<u8>> {
        let world = self.world();
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

    /// An independent disk with the same content.
    #[must_use]
    pub fn fork(&self) -> Self {
        let world = self.world();
        Self(Arc::new(Mutex::new(World {
            nodes: world.nodes.clone(),
            modified: world.modified.clone(),
            descriptors: world.descriptors.clone(),
            details: world.details.clone(),
            ..World::default()
        })))
    }

    /// Makes the operation with this number, counted from now on, go wrong.
    pub fn fail_at(&self, operation: usize, fault: Fault) {
        let mut world = self.world();
        world.operations = 0;
        world.log.clear();
        world.faults = vec![(operation, fault)];
    }

    /// Makes a later operation go wrong too, with the same count.
    pub fn also_fail_at(&self, operation: usize, fault: Fault) {
        self.world().faults.push((operation, fault));
    }

    /// The number of operations since [`fail_at`](Self::fail_at), or since the disk was created.
    #[must_use]
    pub fn operations(&self) -> usize {
        self.world().operations
    }

    /// Descriptions of these operations.
    #[must_use]
    pub fn log(&self) -> Vec<String> {
        self.world().log.clone()
    }

    /// Starts the machine again after a crash.
    pub fn restart(&self, loss: Loss) {
        let mut world = self.world();
        world.killed = false;
        world.full = false;
        world.unflushable = false;
        world.faults.clear();
        world.locked.clear();
        let mut random = match loss {
            Loss::Some(seed) => seed | 1,
            _ => 1,
        };
        for descriptor in world.descriptors.values_mut() {
            let lost = match loss {
                Loss::Nothing => false,
                Loss::Unflushed => true,
                Loss::Some(_) => next(&mut random) & 1 == 1,
            };
            if lost {
                descriptor.bytes.clone_from(&descriptor.durable)
            } else {
                descriptor.durable.clone_from(&descriptor.bytes)
            }
        }
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
                                if next(&mut random) & 1 == 0 {
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

    /// Counts a changing operation, and returns an error if it must fail. `true` means that the
    /// first half of a write must be done.
    fn operation(&self, what: &str, grows: bool) -> (bool, io::Result<()>) {
        let mut world = self.world();
        if world.killed {
            return (false, Err(io::Error::other("killed")));
        }
        let number = world.operations;
        world.operations += 1;
        world.log.push(what.to_owned());
        let fault = world.faults.iter().find(|(at, _)| *at == number);
        if let Some((_, fault)) = fault.copied() {
            match fault {
                Fault::Kill => {
                    world.killed = true;
                    return (true, Err(io::Error::other("killed")));
                }
                Fault::Once => return (false, Err(io::Error::other("failed once"))),
                Fault::Full => world.full = true,
                Fault::Flushes => world.unflushable = true,
            }
        }
        if world.unflushable && what.starts_with("flush") {
            return (false, Err(io::Error::other("not flushed")));
        }
        if world.full && grows {
            return (false, Err(io::ErrorKind::StorageFull.into()));
        }
        (false, Ok(()))
    }

    fn alive(&self) -> io::Result<()> {
        if self.world().killed {
            return Err(io::Error::other("killed"));
        }
        Ok(())
    }

    fn node(&self, parent: usize, name: &str) -> io::Result<usize> {
        self.alive()?;
        match &self.world().nodes[parent] {
            Node::Dir { names, .. } => names
                .get(name)
                .copied()
                .ok_or_else(|| io::ErrorKind::NotFound.into()),
            Node::File { .. } => Err(io::ErrorKind::NotADirectory.into()),
        }
    }

    fn names_mut<T>(&self, node: usize, f: impl FnOnce(&mut BTreeMap<String, usize>) -> T) -> T {
        match &mut self.world().nodes[node] {
            Node::Dir { names, .. } => f(names),
            Node::File { .. } => panic!("not a folder"),
        }
    }

    fn add(&self, parent: usize, name: &str, node: Node) -> io::Result<usize> {
        if self.node(parent, name).is_ok() {
            return Err(io::ErrorKind::AlreadyExists.into());
        }
        let new = {
            let mut world = self.world();
            world.nodes.push(node);
            world.nodes.len() - 1
        };
        self.names_mut(parent, |names| names.insert(name.to_owned(), new));
        Ok(new)
    }
}

/// The next number of a xorshift generator.
fn next(random: &mut u64) -> u64 {
    *random ^= *random << 13;
    *random ^= *random >> 7;
    *random ^= *random << 17;
    *random
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
