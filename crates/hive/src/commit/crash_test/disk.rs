//! A disk that can lose power. It records every step of a commit, and makes every state that a
//! power failure at some moment can leave.

use std::cell::{Cell, RefCell};
use std::io;
use std::rc::Rc;

use crate::commit::{HiveFileKind, HiveFiles};
use crate::recover::{LogKind, Logs};
use diskmend_base::Storage;

const SECTOR: usize = 512;
/// The byte that fills a part of a file if only its length became durable.
const GARBAGE: u8 = 0xA5;

/// A hive's files as they are on disk.
#[derive(Clone, Default, PartialEq, Eq)]
pub(crate) struct Disk {
    files: [Option<Vec<u8>>; 4],
}

fn index(kind: HiveFileKind) -> usize {
    HiveFileKind::ALL
        .iter()
        .position(|each| *each == kind)
        .expect("listed")
}

impl Disk {
    pub(crate) fn with(mut self, kind: HiveFileKind, bytes: Vec<u8>) -> Self {
        self.files[index(kind)] = Some(bytes);
        self
    }

    pub(crate) fn file(&self, kind: HiveFileKind) -> Option<&Vec<u8>> {
        self.files[index(kind)].as_ref()
    }

    pub(crate) fn file_mut(&mut self, kind: HiveFileKind) -> &mut Option<Vec<u8>> {
        &mut self.files[index(kind)]
    }

    pub(crate) fn primary(&self) -> Vec<u8> {
        self.file(HiveFileKind::Primary).cloned().expect("there")
    }

    pub(crate) fn logs(&self) -> Logs {
        let read = |kind| {
            let bytes = self.file(HiveFileKind::Log(kind))?;
            Some(ReadOnly::new(bytes.clone(), bytes.len() as u64))
        };
        let (log, log1, log2) = (read(LogKind::Log), read(LogKind::Log1), read(LogKind::Log2));
        Logs::read(
            self.primary().len() as u64,
            log.as_ref().map(|file| file as &dyn Storage),
            log1.as_ref().map(|file| file as &dyn Storage),
            log2.as_ref().map(|file| file as &dyn Storage),
        )
        .expect("logs can be read")
    }

    /// Applies the part of a step that became durable.
    fn apply(&mut self, op: &Op, fate: &Fate) {
        match (op, fate) {
            (_, Fate::Lost) | (Op::Sync(_) | Op::SyncFolder, _) => {}
            (Op::Create(kind), _) => *self.file_mut(*kind) = Some(Vec::new()),
            (Op::SetLen(kind, len), _) => {
                if let Some(bytes) = self.file_mut(*kind) {
                    set_len(bytes, *len as usize, 0);
                }
            }
            (Op::Write(kind, offset, data), fate) => {
                let Some(bytes) = self.file_mut(*kind) else {
                    return;
                };
                let start = *offset as usize;
                for (at, part) in fate.kept(start, data) {
                    if bytes.len() < at + part.len() {
                        set_len(bytes, at + part.len(), GARBAGE);
                    }
                    bytes[at..at + part.len()].copy_from_slice(&part);
                }
            }
        }
    }
}

/// Like [`Vec::resize`], which sets byte after byte in a build without optimisation.
fn set_len(bytes: &mut Vec<u8>, len: usize, fill: u8) {
    bytes.truncate(len);
    bytes.extend_from_slice(&vec![fill; len - bytes.len()]);
}

/// A read-only file. Behind its bytes is a hole. It counts the bytes that are read.
pub(crate) struct ReadOnly {
    bytes: Vec<u8>,
    len: u64,
    read: Cell<u64>,
}

impl ReadOnly {
    pub(crate) fn new(bytes: Vec<u8>, len: u64) -> Self {
        let read = Cell::new(0);
        Self { bytes, len, read }
    }

    /// The number of bytes that were read.
    pub(crate) fn bytes_read(&self) -> u64 {
        self.read.get()
    }
}

impl Storage for ReadOnly {
    fn len(&self) -> io::Result<u64> {
        Ok(self.len)
    }

    fn read_exact_at(&self, buf: &mut [u8], offset: u64) -> io::Result<()> {
        self.read.set(self.read.get() + buf.len() as u64);
        read_at(&self.bytes, self.len, buf, offset)
    }

    fn write_all_at(&mut self, _: &[u8], _: u64) -> io::Result<()> {
        Err(io::ErrorKind::ReadOnlyFilesystem.into())
    }

    fn set_len(&mut self, _: u64) -> io::Result<()> {
        Err(io::ErrorKind::ReadOnlyFilesystem.into())
    }

    fn sync(&mut self) -> io::Result<()> {
        Err(io::ErrorKind::ReadOnlyFilesystem.into())
    }
}

/// Reads from a file of `len` bytes with a hole behind `bytes`.
fn read_at(bytes: &[u8], len: u64, buf: &mut [u8], offset: u64) -> io::Result<()> {
    if offset + buf.len() as u64 > len {
        return Err(io::ErrorKind::UnexpectedEof.into());
    }
    let from = bytes.get(offset as usize..).unwrap_or_default();
    let (held, hole) = buf.split_at_mut(from.len().min(buf.len()));
    held.copy_from_slice(&from[..held.len()]);
    hole.fill(0);
    Ok(())
}

/// A recorded step.
#[derive(Clone)]
pub(super) enum Op {
    Create(HiveFileKind),
    SetLen(HiveFileKind, u64),
    Write(HiveFileKind, u64, Vec<u8>),
    Sync(HiveFileKind),
    SyncFolder,
}

/// The fate of a step that was not yet durable when the power failed.
#[derive(Clone, Copy, Debug)]
pub(super) enum Fate {
    Kept,
    Lost,
    /// Only the first sectors reach the disk.
    Prefix(usize),
    /// All but the first sectors reach the disk.
    Suffix(usize),
    /// Every second sector reaches the disk, from this one on.
    Alternate(usize),
    /// One sector is new only up to this byte. A disk must not do this, but some do.
    Scrambled(usize),
}

impl Fate {
    fn kept(self, start: usize, data: &[u8]) -> Vec<(usize, Vec<u8>)> {
        let mut sectors = Vec::new();
        let mut at = 0;
        while at < data.len() {
            let end = ((start + at) / SECTOR + 1) * SECTOR - start;
            let end = end.min(data.len());
            sectors.push((start + at, data[at..end].to_vec()));
            at = end;
        }
        let pick = |keep: &dyn Fn(usize) -> bool| {
            sectors
                .iter()
                .enumerate()
                .filter(|(index, _)| keep(*index))
                .map(|(_, sector)| sector.clone())
                .collect()
        };
        match self {
            Self::Lost => Vec::new(),
            Self::Kept => vec![(start, data.to_vec())],
            Self::Prefix(count) => pick(&|index| index < count),
            Self::Suffix(count) => pick(&|index| index >= count),
            Self::Alternate(first) => pick(&|index| index % 2 == first),
            Self::Scrambled(bytes) => vec![(start, data[..bytes.min(data.len())].to_vec())],
        }
    }
}

/// Carries out a commit and records its steps.
pub(super) struct Recorder {
    files: [Option<RecordedFile>; 4],
    ops: Rc<RefCell<Vec<Op>>>,
}

struct RecordedFile {
    kind: HiveFileKind,
    bytes: Vec<u8>,
    ops: Rc<RefCell<Vec<Op>>>,
}

impl Recorder {
    pub(super) fn new(disk: &Disk) -> Self {
        let ops = Rc::new(RefCell::new(Vec::new()));
        let files = HiveFileKind::ALL.map(|kind| {
            disk.file(kind).map(|bytes| RecordedFile {
                kind,
                bytes: bytes.clone(),
                ops: ops.clone(),
            })
        });
        Self { files, ops }
    }

    pub(super) fn finish(self) -> (Disk, Vec<Op>) {
        let files = self.files.map(|file| file.map(|file| file.bytes));
        (Disk { files }, self.ops.take())
    }
}

impl HiveFiles for Recorder {
    fn file(&mut self, kind: HiveFileKind) -> Option<&mut dyn Storage> {
        self.files[index(kind)].as_mut().map(|file| file as _)
    }

    fn create(&mut self, kind: HiveFileKind) -> io::Result<()> {
        self.ops.borrow_mut().push(Op::Create(kind));
        self.files[index(kind)] = Some(RecordedFile {
            kind,
            bytes: Vec::new(),
            ops: self.ops.clone(),
        });
        Ok(())
    }

    fn sync_folder(&mut self) -> io::Result<()> {
        self.ops.borrow_mut().push(Op::SyncFolder);
        Ok(())
    }
}

impl Storage for RecordedFile {
    fn len(&self) -> io::Result<u64> {
        Ok(self.bytes.len() as u64)
    }

    fn read_exact_at(&self, buf: &mut [u8], offset: u64) -> io::Result<()> {
        read_at(&self.bytes, self.bytes.len() as u64, buf, offset)
    }

    fn write_all_at(&mut self, data: &[u8], offset: u64) -> io::Result<()> {
        let op = Op::Write(self.kind, offset, data.to_vec());
        self.ops.borrow_mut().push(op);
        let start = offset as usize;
        if self.bytes.len() < start + data.len() {
            set_len(&mut self.bytes, start + data.len(), 0);
        }
        self.bytes[start..start + data.len()].copy_from_slice(data);
        Ok(())
    }

    fn set_len(&mut self, len: u64) -> io::Result<()> {
        self.ops.borrow_mut().push(Op::SetLen(self.kind, len));
        set_len(&mut self.bytes, len as usize, 0);
        Ok(())
    }

    fn sync(&mut self) -> io::Result<()> {
        self.ops.borrow_mut().push(Op::Sync(self.kind));
        Ok(())
    }
}

/// The number of states that are made at each moment.
#[derive(Clone, Copy)]
pub(super) struct Effort {
    /// Up to this number of pending steps, every combination of lost and kept steps is made.
    pub(super) exhaustive: usize,
    /// The number of random combinations otherwise, and in addition the number of those with torn
    /// writes.
    pub(super) drawn: usize,
}

/// Calls `visit` with every state that a power failure after the first `count` steps can leave.
pub(super) fn after_power_failure(
    start: &Disk,
    ops: &[Op],
    count: usize,
    effort: Effort,
    visit: &mut dyn FnMut(&Disk),
) {
    let done = &ops[..count];
    let mut durable = start.clone();
    let mut pending: Vec<&Op> = Vec::new();
    for (at, op) in done.iter().enumerate() {
        if is_durable(op, &done[at..]) {
            durable.apply(op, &Fate::Kept);
        } else if !matches!(op, Op::Sync(_) | Op::SyncFolder) {
            pending.push(op);
        }
    }
    let mut show = |fates: &[Fate]| {
        let mut disk = durable.clone();
        for (op, fate) in pending.iter().zip(fates) {
            disk.apply(op, fate);
            // A file without an entry in its folder is lost, whatever was written to it.
            if let (Op::Create(kind), Fate::Lost) = (op, fate) {
                *disk.file_mut(*kind) = None;
            }
        }
        visit(&disk);
    };
    let len = pending.len();
    let mut random = Random(0x9E37_79B9_7F4A_7C15 ^ count as u64);
    if len <= effort.exhaustive {
        for bits in 0..1_u32 << len {
            let fates: Vec<_> = (0..len).map(|at| kept_if(bits >> at & 1 == 1)).collect();
            show(&fates);
        }
    } else {
        for at in 0..=len {
            show(&(0..len).map(|each| kept_if(each < at)).collect::<Vec<_>>());
            show(&(0..len).map(|each| kept_if(each >= at)).collect::<Vec<_>>());
            show(&(0..len).map(|each| kept_if(each != at)).collect::<Vec<_>>());
            show(&(0..len).map(|each| kept_if(each == at)).collect::<Vec<_>>());
        }
        for _ in 0..effort.drawn {
            let fates: Vec<_> = (0..len).map(|_| kept_if(random.next(2) == 0)).collect();
            show(&fates);
        }
    }
    for (at, op) in pending.iter().enumerate() {
        for torn in tears(op) {
            for others in [Some(true), Some(false), None] {
                let mut fates: Vec<_> = (0..len)
                    .map(|_| kept_if(others.unwrap_or_else(|| random.next(2) == 0)))
                    .collect();
                fates[at] = torn;
                show(&fates);
            }
        }
    }
    for _ in 0..effort.drawn {
        let fates: Vec<_> = pending
            .iter()
            .map(|op| {
                let mut all = vec![Fate::Kept, Fate::Lost];
                all.extend(tears(op));
                all[random.next(all.len())]
            })
            .collect();
        show(&fates);
    }
}

fn kept_if(kept: bool) -> Fate {
    if kept { Fate::Kept } else { Fate::Lost }
}

/// True if a later step in `rest` made the step durable.
fn is_durable(op: &Op, rest: &[Op]) -> bool {
    match op {
        Op::Create(_) => rest.iter().any(|op| matches!(op, Op::SyncFolder)),
        Op::SetLen(kind, _) | Op::Write(kind, ..) => rest
            .iter()
            .any(|op| matches!(op, Op::Sync(synced) if synced == kind)),
        Op::Sync(_) | Op::SyncFolder => false,
    }
}

fn tears(op: &Op) -> Vec<Fate> {
    let Op::Write(_, offset, data) = op else {
        return Vec::new();
    };
    let sectors = (*offset as usize % SECTOR + data.len()).div_ceil(SECTOR);
    if sectors == 1 {
        return [3, 6, 10, 40, 300]
            .into_iter()
            .filter(|&bytes| bytes < data.len())
            .map(Fate::Scrambled)
            .collect();
    }
    let mut tears = vec![Fate::Alternate(0), Fate::Alternate(1)];
    for count in [1, 2, sectors / 2, sectors - 1] {
        tears.extend([Fate::Prefix(count), Fate::Suffix(count)]);
    }
    tears
}

/// Random numbers that are the same in every run (xorshift).
struct Random(u64);

impl Random {
    fn next(&mut self, below: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 11) as usize % below
    }
}
