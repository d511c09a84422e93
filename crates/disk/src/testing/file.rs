//! A file of a faulty disk, and a file in memory that never fails.

use std::fs::TryLockError;
use std::io;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::SystemTime;

use diskmend_base::Storage;

use super::{FaultyDisk, Node, Pending, apply};
use crate::file::File;
use crate::metadata::{Identity, Kind, Metadata};

/// The unit in bytes that a disk writes as a whole.
pub(super) const SECTOR: usize = 512;

#[derive(Debug)]
pub(super) struct FaultyFile {
    disk: FaultyDisk,
    node: usize,
    locked: AtomicBool,
}

impl FaultyFile {
    pub(super) fn new(disk: FaultyDisk, node: usize) -> Self {
        Self {
            disk,
            node,
            locked: AtomicBool::new(false),
        }
    }

    pub(super) fn with<T>(
        &self,
        f: impl FnOnce(&mut Vec<u8>, &mut Vec<u8>, &mut Vec<Pending>) -> T,
    ) -> T {
        match &mut self.disk.world().nodes[self.node] {
            Node::File {
                bytes,
                durable,
                pending,
            } => f(bytes, durable, pending),
            Node::Dir { .. } => panic!("not a file"),
        }
    }

    pub(super) fn change(&self, change: Pending) {
        self.with(|bytes, _, pending| {
            apply(bytes, &change);
            pending.push(change);
        });
    }

    /// Notes a write sector by sector, because each sector may be lost independently of the others.
    pub(super) fn change_sectors(&self, data: &[u8], offset: usize) {
        let first = (SECTOR - offset % SECTOR).min(data.len());
        let (head, rest) = data.split_at(first);
        let mut at = offset;
        for sector in std::iter::once(head).chain(rest.chunks(SECTOR)) {
            self.change(Pending::Write(at, sector.to_vec()));
            at += sector.len();
        }
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
            self.change_sectors(&data[..data.len() / 2], at);
        }
        result?;
        self.change_sectors(data, at);
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
        self.with(|_, durable, pending| {
            // The image is long and the changes are few.
            for change in pending.drain(..) {
                apply(durable, &change);
            }
        });
        Ok(())
    }
}

impl File for FaultyFile {
    fn metadata(&self) -> io::Result<Metadata> {
        self.disk.alive()?;
        Ok(self.disk.metadata(self.node))
    }

    fn modified(&self) -> io::Result<Option<SystemTime>> {
        self.disk.alive()?;
        Ok(self.disk.world().modified.get(&self.node).copied())
    }

    fn try_lock(&self) -> Result<(), TryLockError> {
        let mut world = self.disk.world();
        if world.locked.contains(&self.node) {
            return Err(TryLockError::WouldBlock);
        }
        world.locked.push(self.node);
        self.locked.store(true, Ordering::Relaxed);
        Ok(())
    }
}

impl Drop for FaultyFile {
    fn drop(&mut self) {
        if self.locked.load(Ordering::Relaxed) {
            self.disk.world().locked.retain(|node| *node != self.node);
        }
    }
}

/// A file in memory that never fails.
impl File for Vec<u8> {
    fn metadata(&self) -> io::Result<Metadata> {
        Ok(Metadata {
            kind: Kind::File,
            len: Storage::len(self)?,
            identity: Identity {
                device: 0,
                inode: 0,
            },
            links: 1,
        })
    }

    fn try_lock(&self) -> Result<(), TryLockError> {
        Ok(())
    }
}
