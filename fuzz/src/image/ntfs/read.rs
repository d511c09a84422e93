//! Reads everything on a volume: its state, folders, files and security descriptors.

use std::collections::HashSet;
use std::sync::Arc;

use diskmend_image::device::Device;
use diskmend_image::ntfs::secure::{FileSecurity, Secure, SecurityId};
use diskmend_image::ntfs::{FileId, Kind, Volume, VolumeError};

use super::secure::{FIRST_ID, descriptors};
use super::volume::{PACKED, PACKED_NAME};
use crate::image::input::Input;

/// The maximum number of names that are read.
const MAX_NAMES: usize = 300;
/// The maximum number of bytes of a file that are read at once.
const MAX_READ: u64 = 1 << 17;

/// Opens a volume and reads everything to which its folders lead.
///
/// # Panics
/// If the sound volume can't be read completely.
pub fn ntfs_read(data: &[u8]) {
    let bases = super::bases();
    let Some(input) = Input::parse(data, bases) else {
        return;
    };
    let sound = input.changes.is_empty();
    let device: Arc<dyn Device> = input.medium(|_| {});
    let volume = match Volume::open(device) {
        Ok(volume) => volume,
        Err(error) => return failed(&error, sound),
    };
    let state = volume.state().and_then(|_| volume.fit_for_writing());
    if let Err(error) = state {
        failed(&error, sound);
    }
    if let Err(error) = volume.free_bytes() {
        failed(&error, sound);
    }
    let secure = Secure::new(&volume);
    let mut pending = vec![volume.root()];
    let mut files = Vec::new();
    let mut members = Vec::new();
    let mut seen: HashSet<FileId> = pending.iter().copied().collect();
    while let Some(folder) = pending.pop() {
        let entries = match volume.list(folder) {
            Ok(entries) => entries,
            Err(error) => {
                failed(&error, sound);
                continue;
            }
        };
        for entry in entries.into_iter().take(MAX_NAMES) {
            let found = volume.find(folder, &entry.name);
            let same = found
                .as_ref()
                .is_ok_and(|found| found.as_ref() == Some(&entry));
            assert!(!sound || same, "{entry:?}: {found:?}");
            if !seen.insert(entry.id) || seen.len() > MAX_NAMES {
                continue;
            }
            match volume.metadata(entry.id) {
                Ok(metadata) if metadata.kind == Kind::Folder => pending.push(entry.id),
                Ok(_) => {}
                Err(error) => failed(&error, sound),
            }
            let is_packed = entry.name.iter().copied().eq(PACKED_NAME.encode_utf16());
            if sound && is_packed {
                assert!(read_packed(&volume, entry.id), "not as it was compressed");
            }
            if let Err(error) = read(&volume, entry.id) {
                assert!(!sound || matches!(error, VolumeError::NoData(_)), "{error}");
            }
            files.push(entry.id);
            members.push((folder, entry));
        }
    }
    assert!(!sound || files.len() == 10, "{files:?}");
    // Records to which no name leads.
    files.extend((0..48).map(|record| FileId {
        record,
        sequence: 1,
    }));
    let members: Vec<_> = members
        .iter()
        .map(|(folder, entry)| entry.member(*folder))
        .collect();
    for found in volume.metadata_of_all(&members) {
        if let Err(error) = found {
            failed(&error, sound);
        }
    }
    for (file, found) in files.iter().zip(secure.of_files(&files)) {
        let own = secure.of_file(*file);
        if let Ok(FileSecurity::Shared(id)) = found {
            let shared = secure.descriptor(id);
            assert!(!sound || shared.is_ok(), "{file}: {shared:?}");
        }
        std::hint::black_box(own.map_err(|error| error.to_string()).is_ok());
    }
    for (index, descriptor) in descriptors().iter().enumerate() {
        let found = secure.id_of(descriptor);
        if sound {
            let known = (index < 3).then_some(SecurityId(FIRST_ID + index as u32));
            assert!(
                found.as_ref().is_ok_and(|found| *found == known),
                "{found:?}"
            );
        }
        std::hint::black_box(found.map_err(|error| error.to_string()).is_ok());
    }
}

fn read(volume: &Volume, id: FileId) -> Result<(), VolumeError> {
    let file = volume.file(id)?;
    let len = file.len();
    for start in [0, len / 2, len.saturating_sub(100)] {
        let mut data = vec![0; (len - start).min(MAX_READ) as usize];
        file.read(&mut data, start)?;
    }
    Ok(())
}

/// True if the compressed file can be read and has its original content.
fn read_packed(volume: &Volume, id: FileId) -> bool {
    volume.file(id).is_ok_and(|file| {
        let mut data = vec![0; file.len() as usize];
        let read = file.read(&mut data, 0);
        read.is_ok() && !data.is_empty() && data.iter().all(|byte| *byte == PACKED)
    })
}

fn failed(error: &VolumeError, sound: bool) {
    assert!(!sound, "{error}");
    std::hint::black_box(error.to_string());
}
