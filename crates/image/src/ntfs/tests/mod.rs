//! Volumes made by mkntfs and filled through ntfs-3g are compared with the output of its tools.

#[cfg(target_os = "linux")]
mod claims;
#[cfg(target_os = "linux")]
mod compressed;
#[cfg(target_os = "linux")]
mod crash;
#[cfg(target_os = "linux")]
mod crashed;
#[cfg(target_os = "linux")]
mod damaged;
#[cfg(target_os = "linux")]
mod folders;
#[cfg(target_os = "linux")]
mod growing;
#[cfg(target_os = "linux")]
mod hostile;
#[cfg(target_os = "linux")]
pub(super) mod image;
#[cfg(target_os = "linux")]
mod in_place;
#[cfg(target_os = "linux")]
mod reading;
#[cfg(target_os = "linux")]
mod removing;
#[cfg(target_os = "linux")]
mod removing_crash;
#[cfg(target_os = "linux")]
mod renaming;
#[cfg(target_os = "linux")]
mod renaming_folders;
#[cfg(target_os = "linux")]
mod replacing;
mod sample;
#[cfg(target_os = "linux")]
mod sparse;
#[cfg(target_os = "linux")]
mod spread;
#[cfg(target_os = "linux")]
mod state;
#[cfg(target_os = "linux")]
mod writing;

use super::{Entry, File, FileId, Volume, VolumeError};

/// The file at a path; case does not matter.
fn lookup(volume: &Volume, path: &str) -> Result<Option<Entry>, VolumeError> {
    let mut folder = volume.root();
    let mut found = None;
    for name in path.split('/') {
        let name: Vec<u16> = name.encode_utf16().collect();
        match volume.find(folder, &name)? {
            None => return Ok(None),
            Some(entry) => {
                folder = entry.id;
                found = Some(entry);
            }
        }
    }
    Ok(found)
}

fn id(volume: &Volume, path: &str) -> FileId {
    let found = lookup(volume, path).unwrap_or_else(|error| panic!("{path}: {error}"));
    found.unwrap_or_else(|| panic!("no {path}")).id
}

fn open(volume: &Volume, path: &str) -> File {
    volume
        .file(id(volume, path))
        .unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// All of a file.
fn read(file: &File) -> Vec<u8> {
    let mut data = vec![0; usize::try_from(file.len()).expect("small")];
    file.read(&mut data, 0)
        .unwrap_or_else(|error| panic!("{error}"));
    data
}

/// Bytes with a long period.
#[cfg(target_os = "linux")]
fn pattern(len: usize, seed: u32) -> Vec<u8> {
    let mut state = seed | 1;
    std::iter::repeat_with(|| {
        state ^= state << 13;
        state ^= state >> 17;
        state ^= state << 5;
        state.to_le_bytes()
    })
    .flatten()
    .take(len)
    .collect()
}
