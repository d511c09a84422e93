//! Descriptors on volumes made by mkntfs and ntfs-3g. Their tools also check the changes.

#![cfg(target_os = "linux")]

use std::collections::HashSet;
use std::io;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use super::*;
use crate::device::Device;
use crate::ntfs::member::Member;
use crate::ntfs::tests::image::Image;
use crate::testing::Memory;

mod crash;
mod growth;
mod hostile;
mod image;
mod limits;
mod own;
mod spread;

use image::{check, compare, descriptor, make_files, set_files};

/// A volume in memory.
fn open(bytes: &[u8]) -> (Arc<Memory>, Secure) {
    let memory = Arc::new(Memory::new(bytes.to_vec()));
    let volume = Volume::open(memory.clone()).expect("a volume");
    (memory, Secure::new(&volume))
}

/// The writes between two syncs, with their offsets.
type Epoch = Vec<(u64, Vec<u8>)>;

/// Keeps every write, grouped by the sync that made it durable.
#[derive(Debug)]
struct Recorder {
    memory: Memory,
    epochs: Mutex<Vec<Epoch>>,
    /// The number of bytes that were read.
    read: AtomicUsize,
}

impl Recorder {
    fn new(bytes: Vec<u8>) -> Self {
        Self {
            memory: Memory::new(bytes),
            epochs: Mutex::new(vec![Vec::new()]),
            read: AtomicUsize::new(0),
        }
    }

    /// The writes since the last call.
    fn take(&self) -> Vec<Epoch> {
        let mut epochs = self.epochs.lock().expect("no panic");
        let mut taken = std::mem::replace(&mut *epochs, vec![Vec::new()]);
        taken.retain(|epoch| !epoch.is_empty());
        taken
    }
}

impl Device for Recorder {
    fn len(&self) -> u64 {
        self.memory.len()
    }

    fn read_exact_at(&self, buf: &mut [u8], offset: u64) -> io::Result<()> {
        self.read.fetch_add(buf.len(), Ordering::Relaxed);
        self.memory.read_exact_at(buf, offset)
    }

    fn write_all_at(&self, data: &[u8], offset: u64) -> io::Result<()> {
        let mut epochs = self.epochs.lock().expect("no panic");
        let last = epochs.last_mut().expect("one");
        last.push((offset, data.to_vec()));
        self.memory.write_all_at(data, offset)
    }

    fn sync(&self) -> io::Result<()> {
        self.epochs.lock().expect("no panic").push(Vec::new());
        Ok(())
    }
}

fn file(secure: &Secure, record: u64) -> FileId {
    secure
        .volume
        .inner
        .mft
        .read_any(record)
        .expect("a record")
        .id()
}

fn files(secure: &Secure, records: &[u64]) -> Vec<FileId> {
    records.iter().map(|record| file(secure, *record)).collect()
}

fn slices(descriptors: &[Vec<u8>]) -> Vec<&[u8]> {
    descriptors.iter().map(Vec::as_slice).collect()
}

/// An image with one file for each of `descriptors`, and the numbers of their records.
fn made(mebibytes: u64, descriptors: &[Vec<u8>]) -> Option<(Image, Vec<u64>)> {
    made_with(mebibytes, &[], descriptors)
}

/// Makes such an image with further arguments of mkntfs.
fn made_with(
    mebibytes: u64,
    arguments: &[&str],
    descriptors: &[Vec<u8>],
) -> Option<(Image, Vec<u64>)> {
    let image = Image::make(mebibytes, arguments)?;
    let records = make_files(&image, descriptors)?;
    Some((image, records))
}

/// Writes the bytes of a volume to its image.
fn store(image: &Image, memory: &Memory) {
    std::fs::write(image.path(), memory.bytes()).expect("the image");
}

/// Files with their folders and names, read from their own records.
struct Members {
    files: Vec<FileId>,
    places: Vec<(FileId, Vec<u16>)>,
}

impl Members {
    fn of(secure: &Secure, files: &[FileId]) -> Self {
        Self {
            files: files.to_vec(),
            places: files.iter().map(|file| name(secure, *file)).collect(),
        }
    }

    fn change(&self, index: usize, to: SecurityId) -> Change<'_> {
        let (folder, name) = &self.places[index];
        Change {
            member: Member {
                folder: *folder,
                name,
                file: self.files[index],
            },
            to,
        }
    }
}

/// Sets the ids of files, whatever descriptors they have.
fn set(secure: &Secure, files: &[FileId], ids: &[SecurityId]) {
    let members = Members::of(secure, files);
    let ids = ids.iter().take(files.len()).enumerate();
    let changes: Vec<_> = ids.map(|(index, to)| members.change(index, *to)).collect();
    for result in secure.set(&changes, |_, _, _| true).expect("set") {
        assert!(result.expect("not refused"), "set");
    }
}

/// The folder and the name of a file, from its own record; the root folder if the record does not
/// exist.
fn name(secure: &Secure, file: FileId) -> (FileId, Vec<u16>) {
    let record = secure.volume.inner.mft.read_any(file.record);
    let name = record.ok().and_then(|record| {
        let name = record.resident(attribute_type::FILE_NAME, "")?;
        crate::ntfs::names::parse_key(name)
    });
    name.unwrap_or_else(|| (secure.volume.root(), Vec::new()))
}

#[test]
fn descriptors_are_those_that_the_mounted_volume_has() {
    let mut descriptors: Vec<Vec<u8>> = (0..300).map(|number| descriptor(number, 0)).collect();
    descriptors.extend((0..40).map(|number| descriptor(number, 30)));
    descriptors.extend((0..40).map(|number| descriptor(number, 0)));
    let Some((image, records)) = made(16, &descriptors) else {
        return;
    };
    let (memory, secure) = open(&image.device().bytes());
    let files = files(&secure, &records);
    for (file, expected) in files.iter().zip(&descriptors) {
        let found = secure.of_file(*file).expect("sound");
        assert_eq!(found.as_deref(), Some(&**expected));
    }
    let ids: HashSet<SecurityId> = secure
        .of_files(&files)
        .into_iter()
        .map(|found| match found {
            Ok(FileSecurity::Shared(id)) => id,
            other => panic!("{other:?}"),
        })
        .collect();
    assert_eq!(ids.len(), 340);
    for id in ids {
        let bytes = secure.descriptor(id).expect("sound");
        assert_eq!(secure.id_of(&bytes).expect("sound"), Some(id));
    }
    assert_eq!(secure.id_of(&descriptor(900, 0)).expect("sound"), None);
    let unknown = secure.descriptor(SecurityId(0x900)).expect_err("none");
    assert!(matches!(
        unknown,
        SecurityError::UnknownId(SecurityId(0x900))
    ));
    assert_eq!(memory.bytes(), image.device().bytes(), "nothing is written");
}

#[test]
fn setting_reads_each_record_once_and_leaves_the_sync_to_the_volume() {
    let old = vec![descriptor(1, 0); 500];
    let Some((image, records)) = made(8, &old) else {
        return;
    };
    let recorder = Arc::new(Recorder::new(image.device().bytes()));
    let secure = Secure::new(&Volume::open(recorder.clone()).expect("a volume"));
    let files = files(&secure, &records);
    let from = secure.id_of(&old[0]).expect("sound").expect("there");
    let to = secure.add(&[&descriptor(2, 0)]).expect("room")[0];
    secure.descriptor(to).expect("there");
    let members = Members::of(&secure, &files);
    // These are more than are checked at once, so the files are repeated.
    let indexes = (0..files.len()).cycle().take(9000);
    let changes: Vec<_> = indexes.map(|index| members.change(index, to)).collect();
    recorder.take();
    recorder.read.store(0, Ordering::Relaxed);
    let results = secure.set(&changes, |_, _, now| now == FileSecurity::Shared(from));
    let results = results.expect("written");
    for (number, result) in results.iter().enumerate() {
        match result {
            Ok(true) => assert!(number < 500),
            Err(SecurityError::Twice(_)) => assert!(number >= 500),
            other => panic!("{other:?}"),
        }
    }
    let records_len = 500 * 1024;
    assert!(
        recorder.read.load(Ordering::Relaxed) < 2 * records_len + 100_000,
        "once for each 8192 changes"
    );
    assert_eq!(recorder.take().len(), 1, "no sync");
    secure.volume.sync().expect("durable");
    let found = secure.of_files(&files);
    assert!(
        found
            .iter()
            .all(|found| matches!(found, Ok(FileSecurity::Shared(id)) if *id == to))
    );
}

#[test]
fn a_mount_shows_added_and_set_descriptors_and_checks_find_nothing() {
    // 0: both roots are leaves. 380: the roots have children.
    for (count, add) in [(0, 1), (380, 20)] {
        let old: Vec<Vec<u8>> = (0..count).map(|number| descriptor(number, 0)).collect();
        let mut made_with = old.clone();
        made_with.resize(count as usize + 50, descriptor(5000, 0));
        let Some((image, records)) = made(16, &made_with) else {
            return;
        };
        let (memory, secure) = open(&image.device().bytes());
        let files = files(&secure, &records);
        let mut new: Vec<Vec<u8>> = (0..add)
            .map(|number| descriptor(1000 + number, 0))
            .collect();
        new.push(descriptor(5000, 0));
        new.push(descriptor(1000, 0));
        let ids = secure.add(&slices(&new)).expect("room");
        assert_eq!(ids.len(), new.len());
        assert_eq!(ids.first(), ids.last(), "equal ones share an id");
        // mkntfs has made two, and there is one for new files.
        let last: u32 = 0x103 + count;
        let expected: Vec<u32> = (1..=add).map(|number| last + number).collect();
        let added: Vec<u32> = ids[..add as usize].iter().map(|id| id.0).collect();
        assert_eq!(added, expected);
        assert_eq!(ids[add as usize], SecurityId(last), "the old one is found");
        for (id, bytes) in ids.iter().zip(&new) {
            assert_eq!(*secure.descriptor(*id).expect("added"), **bytes);
        }
        let again = secure.add(&slices(&new)).expect("nothing to do");
        assert_eq!(again, ids);
        let ids: Vec<SecurityId> = ids.into_iter().cycle().take(files.len()).collect();
        set(&secure, &files, &ids);
        store(&image, &memory);
        check(&image);
        let expected: Vec<&[u8]> = slices(&new).into_iter().cycle().take(files.len()).collect();
        compare(&image, &expected);
        // Windows's way of adding descriptors still works.
        let more: Vec<Vec<u8>> = (0..30).map(|number| descriptor(3000 + number, 0)).collect();
        set_files(&image, &more);
        check(&image);
        let (_, secure) = open(&image.device().bytes());
        for (file, expected) in files.iter().zip(&more) {
            let found = secure.of_file(*file).expect("sound");
            assert_eq!(found.as_deref(), Some(&**expected));
        }
    }
}

#[test]
fn descriptors_of_the_sample_volume_are_found_both_ways() {
    let Some(corpus) = std::env::var_os("DISKMEND_CORPUS") else {
        eprintln!("SKIPPED: DISKMEND_CORPUS is not set");
        return;
    };
    let path = std::path::Path::new(&corpus).join("disks/testfs1");
    let (_, secure) = open(&std::fs::read(path).expect("readable"));
    let entries = secure.volume.list(secure.volume.root()).expect("sound");
    let files = entries.iter().map(|entry| entry.id);
    // The files of the volume itself also have descriptors.
    let own = (0..16).map(|number| {
        secure
            .volume
            .inner
            .mft
            .read_system(number)
            .expect("sound")
            .id()
    });
    let files: Vec<FileId> = files.chain(own).collect();
    let mut shared = 0;
    for (found, file) in secure.of_files(&files).into_iter().zip(&files) {
        if let FileSecurity::Shared(id) = found.expect("sound") {
            let bytes = secure.descriptor(id).expect("sound");
            assert_eq!(secure.id_of(&bytes).expect("sound"), Some(id));
            assert_eq!(secure.of_file(*file).expect("sound"), Some(bytes));
            shared += 1;
        }
    }
    assert!(shared > 0);
}
