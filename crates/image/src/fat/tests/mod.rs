//! Shared by the tests of FAT volumes: volumes made by the `fatfs` crate, and a device that
//! records.

mod crash;
mod foretold;
mod hostile;
mod reading;
#[cfg(target_os = "linux")]
mod tools;
mod writing;

use std::io::{self, Cursor, Read, Write};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, OnceLock};

use fatfs::{FatType, FileSystem, FormatVolumeOptions, FsOptions};

use super::Volume;
use crate::device::Device;
use crate::testing::Memory;

/// A device in memory that records all operations, and allows a limited number of reads.
#[derive(Debug)]
pub(super) struct Recorder {
    memory: Memory,
    pub(super) log: Mutex<Vec<Step>>,
    reads: AtomicU64,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Step {
    Write { offset: u64, data: Vec<u8> },
    Sync,
}

impl Recorder {
    pub(super) fn new(bytes: Vec<u8>) -> Arc<Self> {
        Self::with_reads(bytes, u64::MAX)
    }

    pub(super) fn with_reads(bytes: Vec<u8>, reads: u64) -> Arc<Self> {
        Arc::new(Self {
            memory: Memory::new(bytes),
            log: Mutex::default(),
            reads: AtomicU64::new(reads),
        })
    }

    pub(super) fn bytes(&self) -> Vec<u8> {
        self.memory.bytes()
    }

    pub(super) fn steps(&self) -> Vec<Step> {
        self.log.lock().unwrap().clone()
    }
}

impl Device for Recorder {
    fn len(&self) -> u64 {
        self.memory.len()
    }

    fn read_exact_at(&self, buf: &mut [u8], offset: u64) -> io::Result<()> {
        let left = self.reads.load(Ordering::Relaxed);
        assert!(left > 0, "reading never ends");
        self.reads.store(left - 1, Ordering::Relaxed);
        self.memory.read_exact_at(buf, offset)
    }

    fn write_all_at(&self, data: &[u8], offset: u64) -> io::Result<()> {
        self.memory.write_all_at(data, offset)?;
        let data = data.to_vec();
        self.log.lock().unwrap().push(Step::Write { offset, data });
        Ok(())
    }

    fn sync(&self) -> io::Result<()> {
        self.log.lock().unwrap().push(Step::Sync);
        Ok(())
    }
}

/// The kinds of volumes, each with the smallest length in bytes that `fatfs` formats as this kind.
pub(super) const KINDS: [(FatType, usize); 3] = [
    (FatType::Fat12, 1 << 20),
    (FatType::Fat16, 8 << 20),
    (FatType::Fat32, 36 << 20),
];

/// A formatted volume with old bytes in its free space.
pub(super) fn formatted(kind: FatType, len: usize) -> Vec<u8> {
    let mut cursor = Cursor::new(vec![0xA5; len]);
    let options = FormatVolumeOptions::new()
        .fat_type(kind)
        .bytes_per_cluster(if kind == FatType::Fat16 { 1024 } else { 512 });
    fatfs::format_volume(&mut cursor, options).unwrap();
    cursor.into_inner()
}

/// The bytes of the file that [`sample`] makes.
pub(super) fn store() -> Vec<u8> {
    (0..40_000_u32).map(|n| (n % 251) as u8).collect()
}

/// A volume with folders and two interleaved files, made by `fatfs` only once for all tests.
pub(super) fn sample(kind: FatType, len: usize) -> Vec<u8> {
    static MADE: [OnceLock<Vec<u8>>; 3] = [const { OnceLock::new() }; 3];
    let index = KINDS
        .iter()
        .position(|known| *known == (kind, len))
        .unwrap();
    MADE[index].get_or_init(|| make_sample(kind, len)).clone()
}

fn make_sample(kind: FatType, len: usize) -> Vec<u8> {
    let mut cursor = Cursor::new(formatted(kind, len));
    {
        let volume = FileSystem::new(&mut cursor, FsOptions::new()).unwrap();
        let root = volume.root_dir();
        root.create_dir("EFI").unwrap();
        root.create_dir("EFI/Microsoft").unwrap();
        let boot = root.create_dir("EFI/Microsoft/Boot").unwrap();
        let mut bcd = boot.create_file("BCD").unwrap();
        let mut log = boot.create_file("A rather long name.LOG1").unwrap();
        for part in store().chunks(1000) {
            bcd.write_all(part).unwrap();
            log.write_all(&part[..100]).unwrap();
        }
        boot.create_file("empty.dat").unwrap();
        root.create_file("ReadMe.txt")
            .unwrap()
            .write_all(b"Hello")
            .unwrap();
    }
    let mut bytes = cursor.into_inner();
    fix_dots(&mut bytes, kind);
    bytes
}

/// `fatfs` writes long names for the entries `.` and `..` of a new folder. In a folder below a
/// FAT32 root, it names the root's cluster as the parent. The format requires no long names and 0.
fn fix_dots(bytes: &mut [u8], kind: FatType) {
    for at in (0..bytes.len() - 128).step_by(512) {
        let dot = bytes[at + 32..].starts_with(b".          ");
        if dot && bytes[at + 96..].starts_with(b"..         ") {
            bytes.copy_within(at + 32..at + 64, at);
            bytes.copy_within(at + 96..at + 128, at + 32);
            bytes[at + 64] = 0xE5;
            bytes[at + 96] = 0xE5;
            if kind == FatType::Fat32 && bytes[at + 32 + 26] == 2 {
                bytes[at + 32 + 26] = 0;
            }
        }
    }
}

pub(super) fn path(text: &str) -> Vec<String> {
    text.split('/')
        .filter(|name| !name.is_empty())
        .map(str::to_owned)
        .collect()
}

pub(super) fn open(device: &Arc<Recorder>) -> Volume {
    Volume::open(device.clone()).expect("a FAT volume")
}

pub(super) fn read_all(volume: &Volume, at: &str) -> Vec<u8> {
    let file = volume.open_file(&path(at)).expect("a file");
    let mut data = vec![0; file.len().unwrap() as usize];
    file.read_exact_at(&mut data, 0).expect("read");
    data
}

/// The file as `fatfs` reads it.
pub(super) fn read_with_fatfs(bytes: &[u8], at: &str) -> Vec<u8> {
    let volume = FileSystem::new(Cursor::new(bytes.to_vec()), FsOptions::new()).unwrap();
    let mut data = Vec::new();
    let mut file = volume.root_dir().open_file(at).unwrap();
    file.read_to_end(&mut data).unwrap();
    data
}

pub(super) const BCD: &str = "EFI/Microsoft/Boot/BCD";
pub(super) const LOG: &str = "EFI/Microsoft/Boot/A rather long name.LOG1";
