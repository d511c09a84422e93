//! A disk that loses power. Everything that was flushed stays. Of the rest, any changes may have
//! reached the disk in any order, and any sectors of each write.

use std::collections::BTreeMap;
use std::path::{Component, Path, PathBuf};
use std::rc::Rc;

use anyhow::{Context, Result, bail};

use super::trace::Op;
use crate::random::Random;

/// The number of bytes that reach a disk either together or not at all.
const SECTOR: usize = 512;

type Id = usize;

/// A folder with everything in it.
#[derive(Clone, Debug)]
pub(super) struct Tree {
    nodes: Vec<Node>,
}

#[derive(Clone, Debug)]
enum Node {
    // Most states share the bytes of large files.
    File(Rc<Vec<u8>>),
    Dir(BTreeMap<String, Id>),
}

/// A change that is not durable yet.
#[derive(Clone, Debug)]
enum Pending {
    Write {
        file: Id,
        offset: usize,
        data: Vec<u8>,
    },
    SetLen {
        file: Id,
        len: usize,
    },
    Link {
        dir: Id,
        name: String,
        node: Id,
    },
    Unlink {
        dir: Id,
        name: String,
    },
    /// One change: after a power failure, either both names are as before it or both are as after
    /// it.
    Rename {
        from: (Id, String),
        to: (Id, String),
        node: Id,
    },
}

/// What happens to everything that wasn't flushed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Loss {
    All,
    Nothing,
    /// Any part is lost, and the rest may have come in any order.
    Some(u64),
    /// As `Some`, but separately for each sector of a write.
    Torn(u64),
}

/// The disk while a program works on it.
pub(super) struct Disk {
    /// The durable content.
    durable: Tree,
    /// The content that the program sees.
    seen: Tree,
    pending: Vec<Pending>,
}

impl Tree {
    /// Reads a folder.
    pub(super) fn read(folder: &Path) -> Result<Self> {
        let mut tree = Self {
            nodes: vec![Node::Dir(BTreeMap::new())],
        };
        tree.read_into(0, folder)?;
        Ok(tree)
    }

    fn read_into(&mut self, dir: Id, folder: &Path) -> Result<()> {
        for entry in std::fs::read_dir(folder)? {
            let entry = entry?;
            let name = entry.file_name().into_string().ok().context("a name")?;
            let is_dir = entry.file_type()?.is_dir();
            let node = if is_dir {
                Node::Dir(BTreeMap::new())
            } else {
                Node::File(Rc::new(std::fs::read(entry.path())?))
            };
            let id = self.add(node);
            self.names(dir)?.insert(name, id);
            if is_dir {
                self.read_into(id, &entry.path())?;
            }
        }
        Ok(())
    }

    /// Replaces the folder's content by this one.
    pub(super) fn write(&self, folder: &Path) -> Result<()> {
        if folder.exists() {
            std::fs::remove_dir_all(folder)?;
        }
        self.write_dir(0, folder)
    }

    fn write_dir(&self, dir: Id, folder: &Path) -> Result<()> {
        std::fs::create_dir(folder).with_context(|| folder.display().to_string())?;
        own(folder)?;
        let Some(Node::Dir(names)) = self.nodes.get(dir) else {
            bail!("no folder");
        };
        for (name, id) in names {
            let path = folder.join(name);
            match self.nodes.get(*id) {
                Some(Node::File(bytes)) => super::sparse::write(&path, bytes)?,
                _ => self.write_dir(*id, &path)?,
            }
        }
        Ok(())
    }

    /// Every file with a path that `wanted` accepts, with its bytes.
    pub(super) fn files(&self, wanted: &dyn Fn(&Path) -> bool) -> BTreeMap<PathBuf, Rc<Vec<u8>>> {
        let mut files = BTreeMap::new();
        self.collect(0, Path::new(""), wanted, &mut files);
        files
    }

    fn collect(
        &self,
        dir: Id,
        path: &Path,
        wanted: &dyn Fn(&Path) -> bool,
        files: &mut BTreeMap<PathBuf, Rc<Vec<u8>>>,
    ) {
        let Some(Node::Dir(names)) = self.nodes.get(dir) else {
            return;
        };
        for (name, id) in names {
            let path = path.join(name);
            if !wanted(&path) {
                continue;
            }
            match self.nodes.get(*id) {
                Some(Node::File(bytes)) => {
                    files.insert(path, Rc::clone(bytes));
                }
                _ => self.collect(*id, &path, wanted, files),
            }
        }
    }

    fn add(&mut self, node: Node) -> Id {
        self.nodes.push(node);
        self.nodes.len() - 1
    }

    fn names(&mut self, dir: Id) -> Result<&mut BTreeMap<String, Id>> {
        match self.nodes.get_mut(dir) {
            Some(Node::Dir(names)) => Ok(names),
            _ => bail!("no folder"),
        }
    }

    fn len(&self, file: Id) -> usize {
        match self.nodes.get(file) {
            Some(Node::File(bytes)) => bytes.len(),
            _ => 0,
        }
    }

    fn find(&self, path: &Path) -> Result<Id> {
        let mut id = 0;
        for component in path.components() {
            let Component::Normal(name) = component else {
                bail!("{}: not understood", path.display());
            };
            let Some(Node::Dir(names)) = self.nodes.get(id) else {
                bail!("{}: no folder", path.display());
            };
            let name = name.to_str().context("a name")?;
            id = *names
                .get(name)
                .with_context(|| format!("{} is not there", path.display()))?;
        }
        Ok(id)
    }

    /// The parent folder, and the name in it.
    fn place(&self, path: &Path) -> Result<(Id, String)> {
        let name = path.file_name().and_then(|name| name.to_str());
        let dir = self.find(path.parent().unwrap_or(Path::new("")))?;
        Ok((dir, name.context("a name")?.to_owned()))
    }

    fn apply(&mut self, change: &Pending) {
        match change {
            Pending::Write { file, offset, data } => self.write_at(*file, *offset, data),
            Pending::SetLen { file, len } => {
                if let Some(Node::File(bytes)) = self.nodes.get_mut(*file) {
                    Rc::make_mut(bytes).resize(*len, 0);
                }
            }
            Pending::Link { dir, name, node } => self.link(*dir, name, *node),
            Pending::Unlink { dir, name } => self.unlink(*dir, name),
            Pending::Rename { from, to, node } => {
                self.unlink(from.0, &from.1);
                self.link(to.0, &to.1, *node);
            }
        }
    }

    fn write_at(&mut self, file: Id, offset: usize, data: &[u8]) {
        if let Some(Node::File(bytes)) = self.nodes.get_mut(file) {
            let end = offset + data.len();
            let bytes = Rc::make_mut(bytes);
            if bytes.len() < end {
                bytes.resize(end, 0);
            }
            if let Some(target) = bytes.get_mut(offset..end) {
                target.copy_from_slice(data);
            }
        }
    }

    fn link(&mut self, dir: Id, name: &str, node: Id) {
        if let Some(Node::Dir(names)) = self.nodes.get_mut(dir) {
            names.insert(name.to_owned(), node);
        }
    }

    fn unlink(&mut self, dir: Id, name: &str) {
        if let Some(Node::Dir(names)) = self.nodes.get_mut(dir) {
            names.remove(name);
        }
    }
}

impl Pending {
    /// True if flushing this file or folder makes the change durable.
    fn is_flushed_with(&self, id: Id) -> bool {
        match self {
            Self::Write { file, .. } | Self::SetLen { file, .. } => *file == id,
            Self::Link { dir, .. } | Self::Unlink { dir, .. } => *dir == id,
            Self::Rename { from, to, .. } => from.0 == id && to.0 == id,
        }
    }
}

impl Disk {
    pub(super) fn new(tree: Tree) -> Self {
        Self {
            durable: tree.clone(),
            seen: tree,
            pending: Vec::new(),
        }
    }

    /// Repeats an operation of the program.
    pub(super) fn step(&mut self, op: &Op) -> Result<()> {
        let change = match op {
            Op::MakeDir(path) => self.new_node(path, Node::Dir(BTreeMap::new()))?,
            Op::Create(path) => self.new_node(path, Node::File(Rc::default()))?,
            Op::Write { path, offset, data } => Pending::Write {
                file: self.seen.find(path)?,
                offset: usize::try_from(*offset)?,
                data: data.clone(),
            },
            Op::Append(path, data) => {
                let file = self.seen.find(path)?;
                let offset = self.seen.len(file);
                let data = data.clone();
                Pending::Write { file, offset, data }
            }
            Op::SetLen(path, len) => Pending::SetLen {
                file: self.seen.find(path)?,
                len: usize::try_from(*len)?,
            },
            Op::Rename(from, to) => Pending::Rename {
                node: self.seen.find(from)?,
                from: self.seen.place(from)?,
                to: self.seen.place(to)?,
            },
            Op::Link(from, to) => {
                let node = self.seen.find(from)?;
                let (dir, name) = self.seen.place(to)?;
                Pending::Link { dir, name, node }
            }
            Op::Remove(path) => {
                let (dir, name) = self.seen.place(path)?;
                Pending::Unlink { dir, name }
            }
            Op::Flush(path) => {
                let id = self.seen.find(path)?;
                self.flush(|change| change.is_flushed_with(id));
                return Ok(());
            }
            Op::FlushAll => {
                self.flush(|_| true);
                return Ok(());
            }
        };
        self.seen.apply(&change);
        self.pending.push(change);
        Ok(())
    }

    fn new_node(&mut self, path: &Path, node: Node) -> Result<Pending> {
        let (dir, name) = self.seen.place(path)?;
        // Both have the same nodes.
        self.durable.add(node.clone());
        let node = self.seen.add(node);
        Ok(Pending::Link { dir, name, node })
    }

    fn flush(&mut self, flushed: impl Fn(&Pending) -> bool) {
        for change in std::mem::take(&mut self.pending) {
            if flushed(&change) {
                self.durable.apply(&change);
            } else {
                self.pending.push(change);
            }
        }
    }

    /// True if nothing is waiting to be flushed.
    pub(super) fn is_flushed(&self) -> bool {
        self.pending.is_empty()
    }

    /// The content after the power is back.
    pub(super) fn after(&self, loss: Loss) -> Tree {
        let mut tree = self.durable.clone();
        match loss {
            Loss::All => {}
            Loss::Nothing => self.pending.iter().for_each(|change| tree.apply(change)),
            Loss::Some(seed) => {
                let mut random = Random::new(seed);
                let mut kept: Vec<&Pending> = Vec::new();
                kept.extend(self.pending.iter().filter(|_| random.below(2) == 0));
                for change in kept {
                    tree.apply(change);
                }
            }
            Loss::Torn(seed) => {
                let mut random = Random::new(seed);
                for change in &self.pending {
                    match change {
                        Pending::Write { file, offset, data } => {
                            tear(&mut tree, *file, *offset, data, &mut random);
                        }
                        change if random.below(2) == 0 => tree.apply(change),
                        _ => {}
                    }
                }
            }
        }
        tree
    }
}

/// Writes some sectors of a write.
fn tear(tree: &mut Tree, file: Id, offset: usize, data: &[u8], random: &mut Random) {
    let mut at = 0;
    while let Some(rest) = data.get(at..).filter(|rest| !rest.is_empty()) {
        let len = (SECTOR - (offset + at) % SECTOR).min(rest.len());
        if random.below(2) == 0 {
            tree.write_at(file, offset + at, rest.get(..len).unwrap_or(rest));
        }
        at += len;
    }
}

/// Creates a folder that only its owner may enter, as the program does.
fn own(folder: &Path) -> Result<()> {
    use std::os::unix::fs::PermissionsExt as _;
    std::fs::set_permissions(folder, std::fs::Permissions::from_mode(0o700))?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bytes(tree: &Tree, path: &str) -> Option<Vec<u8>> {
        let files = tree.files(&|_| true);
        files.get(Path::new(path)).map(|bytes| bytes.to_vec())
    }

    fn disk(ops: &[Op]) -> Disk {
        let mut disk = Disk::new(Tree {
            nodes: vec![Node::Dir(BTreeMap::new())],
        });
        for op in ops {
            disk.step(op).expect("understood");
        }
        disk
    }

    fn write(path: &str, offset: u64, data: &[u8]) -> Op {
        Op::Write {
            path: path.into(),
            offset,
            data: data.to_vec(),
        }
    }

    #[test]
    fn a_name_needs_the_flush_of_its_folder_and_data_that_of_the_file() {
        let created = [Op::Create("a".into()), write("a", 0, b"x")];
        let flushed_file = [&created[..], &[Op::Flush("a".into())]].concat();
        assert_eq!(bytes(&disk(&flushed_file).after(Loss::All), "a"), None);
        let flushed_folder = [&created[..], &[Op::Flush("".into())]].concat();
        let lost = disk(&flushed_folder).after(Loss::All);
        assert_eq!(bytes(&lost, "a"), Some(vec![]));
        let both = [&flushed_file[..], &[Op::Flush("".into())]].concat();
        assert_eq!(bytes(&disk(&both).after(Loss::All), "a"), Some(b"x".into()));
        assert!(disk(&both).is_flushed());
    }

    #[test]
    fn a_rename_that_was_not_flushed_leaves_one_of_both_names() {
        let mut disk = disk(&[
            Op::Create("a".into()),
            Op::Flush("".into()),
            Op::Rename("a".into(), "b".into()),
        ]);
        for loss in [Loss::All, Loss::Nothing] {
            assert_eq!(disk.after(loss).files(&|_| true).len(), 1);
        }
        disk.step(&Op::Flush("".into())).expect("understood");
        assert_eq!(bytes(&disk.after(Loss::All), "b"), Some(vec![]));
    }

    #[test]
    fn a_torn_write_has_whole_sectors_of_both() {
        let mut disk = disk(&[
            Op::Create("a".into()),
            write("a", 0, &[1; 4 * SECTOR]),
            Op::FlushAll,
            write("a", 100, &[2; 2 * SECTOR]),
        ]);
        let mut seen = std::collections::BTreeSet::new();
        for seed in 0..64 {
            let bytes = bytes(&disk.after(Loss::Torn(seed)), "a").expect("there");
            assert_eq!(bytes.len(), 4 * SECTOR);
            let of = |range: std::ops::Range<usize>| {
                let first = bytes[range.start];
                assert!(bytes[range].iter().all(|byte| *byte == first));
                first
            };
            seen.insert([
                of(100..SECTOR),
                of(SECTOR..2 * SECTOR),
                of(2 * SECTOR..2 * SECTOR + 100),
            ]);
        }
        assert_eq!(seen.len(), 8, "every mixture");
        disk.step(&Op::SetLen("a".into(), 3)).expect("understood");
        let cut = bytes(&disk.after(Loss::Nothing), "a");
        assert_eq!(cut, Some(vec![1; 3]));
    }
}
