//! Reads FAT volumes as far as possible, and changes those that may be changed. After each change
//! the volume must be sound, and other files must keep their bytes.

#![expect(
    clippy::panic,
    reason = "a fuzz target tells what is wrong by panicking"
)]

use std::collections::BTreeMap;
use std::io::{Cursor, Write};
use std::sync::{Arc, OnceLock};

use diskmend_image::device::Device;
use diskmend_image::fat::{EntryKind, Volume};
use fatfs::{FatType, FileSystem, FormatVolumeOptions, FsOptions};

use super::input::{Base, Input};

/// The maximum number of files and folders that are read.
const MAX_ENTRIES: usize = 400;
/// The maximum length of a file that is read.
const MAX_FILE: u64 = 1 << 20;
/// The maximum number of changes.
const MAX_STEPS: usize = 6;
/// The files that are changed; some don't exist at first.
const PATHS: [&str; 4] = ["EFI/Boot/BCD", "EFI/Boot/A long name.LOG1", "empty", "new"];

type Path = Vec<String>;
/// Files by path; unreadable files are left out.
type Files = BTreeMap<Path, Vec<u8>>;

/// Opens a FAT volume, reads it, and changes it if that is allowed.
///
/// # Panics
/// If a change can't be read back, damages the volume, or changes another file.
pub fn fat(data: &[u8]) {
    let Some(mut input) = Input::parse(data, bases()) else {
        return;
    };
    let medium: Arc<dyn Device> = input.medium(|_| {});
    let Ok(volume) = Volume::open(Arc::clone(&medium)) else {
        return;
    };
    std::hint::black_box((volume.kind(), volume.free_bytes().is_ok()));
    let mut files = read(&volume);
    if let Err(error) = volume.check_writable() {
        std::hint::black_box(error.to_string());
        return;
    }
    for _ in 0..MAX_STEPS {
        if input.script.is_at_end() {
            break;
        }
        let path = PATHS.get(usize::from(input.script.byte()) % PATHS.len());
        let path: Path = path
            .map(|path| path.split('/').map(str::to_owned).collect())
            .unwrap_or_default();
        let before = files.get(&path).cloned();
        let step = input.script.byte() % 8;
        let done = match (step, before) {
            (0, _) => volume.create_file(&path).map(|_| Some(Vec::new())),
            (1, _) => volume.remove_file(&path).map(|()| None),
            (2..4, before) => {
                let len = input.script.below(100_000);
                volume
                    .open_file(&path)
                    .and_then(|file| file.set_len(len))
                    .map(|()| {
                        let mut content = before.unwrap_or_default();
                        content.resize(len as usize, 0);
                        Some(content)
                    })
            }
            (_, before) => {
                let mut content = before.unwrap_or_default();
                let offset = input.script.below(content.len() as u64 + 1);
                let data = input.script.content();
                let end = offset as usize + data.len();
                let written = volume.open_file(&path).and_then(|file| {
                    if end as u64 > file.len()? {
                        file.set_len(end as u64)?;
                    }
                    file.write_all_at(&data, offset)
                });
                written.map(|()| {
                    content.resize(content.len().max(end), 0);
                    let place = content.get_mut(offset as usize..end);
                    place.unwrap_or_default().copy_from_slice(&data);
                    Some(content)
                })
            }
        };
        // A failed change may have lengthened a file without writing to it.
        let changed = done.is_ok();
        match done {
            Ok(Some(content)) => {
                files.insert(path.clone(), content);
            }
            Ok(None) => {
                files.remove(&path);
            }
            Err(error) => {
                std::hint::black_box(error.to_string());
            }
        }
        let again = Volume::open(Arc::clone(&medium));
        let again = again.unwrap_or_else(|error| panic!("opened anew: {error}"));
        if let Err(error) = again.check_writable() {
            panic!("damaged: {error}");
        }
        let found = read(&again);
        for (other, content) in &files {
            if *other != path || changed {
                assert!(
                    found.get(other) == Some(content),
                    "{other:?} after step {step}"
                );
            }
        }
        files = found;
    }
}

/// Reads every file that can be read.
fn read(volume: &Volume) -> Files {
    let mut files = Files::new();
    let mut folders: Vec<Path> = vec![Vec::new()];
    let mut seen = 0;
    while let Some(folder) = folders.pop() {
        let Ok(entries) = volume.list(&folder) else {
            continue;
        };
        for entry in entries {
            seen += 1;
            if seen > MAX_ENTRIES {
                return files;
            }
            let mut path = folder.clone();
            path.push(entry.name);
            std::hint::black_box(volume.metadata(&path).is_ok());
            if entry.kind == EntryKind::Folder {
                folders.push(path);
                continue;
            }
            let content = volume.open_file(&path).and_then(|file| {
                let mut content = vec![0; file.len()?.min(MAX_FILE) as usize];
                file.read_exact_at(&mut content, 0)?;
                Ok(content)
            });
            if let Ok(content) = content {
                files.insert(path, content);
            }
        }
    }
    files
}

pub(super) fn bases() -> &'static [Base] {
    static BASES: OnceLock<Vec<Base>> = OnceLock::new();
    BASES.get_or_init(|| {
        let kinds = [
            (FatType::Fat12, 256 << 10),
            (FatType::Fat16, 5 << 20),
            (FatType::Fat32, 34 << 20),
        ];
        kinds
            .into_iter()
            .filter_map(|(kind, len)| made(kind, len))
            .collect()
    })
}

/// A volume with folders and two files with interleaved clusters.
fn made(kind: FatType, len: usize) -> Option<Base> {
    let mut cursor = Cursor::new(vec![0; len]);
    let options = FormatVolumeOptions::new()
        .fat_type(kind)
        .bytes_per_cluster(512);
    fatfs::format_volume(&mut cursor, options).ok()?;
    cursor.set_position(0);
    let fill = |cursor: &mut Cursor<Vec<u8>>| -> std::io::Result<()> {
        let volume = FileSystem::new(cursor, FsOptions::new())?;
        let root = volume.root_dir();
        root.create_dir("EFI")?;
        let boot = root.create_dir("EFI/Boot")?;
        let mut store = boot.create_file("BCD")?;
        let mut log = boot.create_file("A long name.LOG1")?;
        for part in 0..10_u8 {
            store.write_all(&[part; 700])?;
            log.write_all(&[part | 0x80; 600])?;
        }
        root.create_file("empty")?;
        Ok(())
    };
    fill(&mut cursor).ok()?;
    let bytes = cursor.into_inner();
    // The boot sector, the start of the sector after it, and every sector of a folder.
    let mut regions = vec![0..90, 512..1024];
    let start = usize::from(u16::from_le_bytes([*bytes.get(14)?, *bytes.get(15)?])) * 512;
    regions.extend([start..start + 128, start..start + 128]);
    for at in (0..bytes.len()).step_by(512) {
        let sector = bytes.get(at..at + 512)?;
        if [b"EFI".as_slice(), b".  ", b"BCD"]
            .iter()
            .any(|name| sector.starts_with(name))
        {
            regions.push(at..at + 256);
        }
    }
    Some(Base::new(bytes, regions))
}
