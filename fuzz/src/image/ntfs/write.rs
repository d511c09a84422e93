//! Changes files and security descriptors of a volume. After each change the volume must open, the
//! file must contain what was written, and all others must keep their bytes.

#![expect(
    clippy::panic,
    reason = "a fuzz target tells what is wrong by panicking"
)]

use std::collections::BTreeMap;
use std::sync::Arc;

use diskmend_image::device::Device;
use diskmend_image::ntfs::secure::{Change, FileSecurity, Secure, SecurityId};
use diskmend_image::ntfs::{FileId, Member, Volume, VolumeError};

use super::secure::{FIRST_ID, descriptors};
use super::volume::{FOLDER, FOLDER_NAME, Made, MadeFile};
use crate::image::input::{Input, Script};

/// The maximum number of changes.
const MAX_STEPS: usize = 10;
/// The maximum length of a file.
const MAX_LEN: u64 = 300_000;

/// Opens a volume and changes it if that is allowed.
///
/// # Panics
/// If a change can't be read back, damages the volume, or changes another file.
pub fn ntfs_write(data: &[u8]) {
    let bases = super::bases();
    let Some(mut input) = Input::parse(data, bases) else {
        return;
    };
    let index = bases
        .iter()
        .position(|other| std::ptr::eq(other, input.base));
    let Some(made) = index.and_then(|index| super::made().get(index)) else {
        return;
    };
    let device: Arc<dyn Device> = input.medium(|_| {});
    let touched = |place: &std::ops::Range<usize>| {
        input.changes.iter().any(|(offset, bytes)| {
            let end = offset.saturating_add(bytes.len() as u64);
            *offset < place.end as u64 && end > place.start as u64
        })
    };
    let mut work = Work {
        made,
        safe: !made.vital.iter().any(touched),
        sound_records: made
            .files
            .iter()
            .map(|file| !touched(&file.place))
            .collect(),
        contents: BTreeMap::new(),
        names: made
            .files
            .iter()
            .map(|file| file.name.to_owned())
            .enumerate()
            .collect(),
        sound: input.changes.is_empty(),
        device,
    };
    let Ok(mut volume) = Volume::open(Arc::clone(&work.device)) else {
        return;
    };
    if volume.fit_for_writing().is_err() {
        return;
    }
    // The place of a file is only known if it reads as it should.
    for (index, file) in made.files.iter().enumerate() {
        if read(&volume, file).is_ok_and(|content| content == file.content) {
            work.contents.insert(index, file.content.clone());
        }
    }
    let mut secure = Secure::new(&volume);
    for _ in 0..MAX_STEPS {
        if input.script.is_at_end() {
            break;
        }
        let index = usize::from(input.script.byte()) % made.files.len();
        let step = input.script.byte() % 10;
        let result = match step {
            0..2 => work.set_len(&volume, index, &mut input.script),
            2..5 => work.write(&volume, index, &mut input.script),
            5..7 => work.secure(&volume, &secure, index, &mut input.script),
            7 => work.rename(&volume, index, &mut input.script),
            8 => work.remove(&volume, index),
            _ => {
                if let Ok(again) = Volume::open(Arc::clone(&work.device)) {
                    volume = again;
                    secure = Secure::new(&volume);
                }
                Ok(())
            }
        };
        if let Err(error) = result {
            std::hint::black_box(error);
        }
        work.check(&format!("{step} on {index}"));
    }
}

/// A volume that is being changed.
struct Work {
    made: &'static Made,
    device: Arc<dyn Device>,
    /// True if no vital place of the volume is damaged, and no file with a damaged record was
    /// changed.
    safe: bool,
    /// For each file, true if its record is not damaged.
    sound_records: Vec<bool>,
    /// The content of files, as far as it is known.
    contents: BTreeMap<usize, Vec<u8>>,
    /// The names of the files that are still there.
    names: BTreeMap<usize, String>,
    /// True if nothing is damaged.
    sound: bool,
}

/// The folder of all files.
const PARENT: FileId = FileId {
    record: FOLDER as u64,
    sequence: 1,
};
/// A FILETIME.
const NOW: u64 = 133_000_000_000_000_000;

fn units(name: &str) -> Vec<u16> {
    name.encode_utf16().collect()
}

fn id(file: &MadeFile) -> FileId {
    FileId {
        record: file.record,
        sequence: 1,
    }
}

fn read(volume: &Volume, file: &MadeFile) -> Result<Vec<u8>, VolumeError> {
    let file = volume.file(id(file))?;
    let mut content = vec![0; file.len().min(1 << 20) as usize];
    file.read(&mut content, 0)?;
    Ok(content)
}

impl Work {
    fn file(&self, index: usize) -> Result<&'static MadeFile, String> {
        self.made.files.get(index).ok_or_else(String::new)
    }

    /// Notes that a file will be changed. A damaged file can lead anywhere.
    fn touch(&mut self, index: usize) {
        let known =
            self.sound_records.get(index) == Some(&true) && self.contents.contains_key(&index);
        self.safe &= known;
    }

    fn set_len(
        &mut self,
        volume: &Volume,
        index: usize,
        script: &mut Script<'_>,
    ) -> Result<(), String> {
        let file = volume.file(id(self.file(index)?));
        let file = file.map_err(|error| error.to_string())?;
        let len = match script.byte() % 3 {
            0 => file.allocated_len().min(MAX_LEN),
            _ => script.below(MAX_LEN),
        };
        self.touch(index);
        let room = file.check_write(len, &[]).is_ok();
        let set = file.set_len(len);
        assert!(
            !self.sound || !room || set.is_ok(),
            "room for {len}: {set:?}"
        );
        set.map_err(|error| error.to_string())?;
        assert_eq!(file.len(), len, "the new length");
        if let Some(content) = self.contents.get_mut(&index) {
            content.resize(len as usize, 0);
        }
        Ok(())
    }

    fn write(
        &mut self,
        volume: &Volume,
        index: usize,
        script: &mut Script<'_>,
    ) -> Result<(), String> {
        let file = volume.file(id(self.file(index)?));
        let file = file.map_err(|error| error.to_string())?;
        let offset = script.below(file.len());
        let mut data = script.content();
        if !script.byte().is_multiple_of(4) {
            data.truncate(usize::try_from(file.len() - offset).unwrap_or(usize::MAX));
        }
        self.touch(index);
        file.write(&data, offset)
            .map_err(|error| error.to_string())?;
        file.sync().map_err(|error| error.to_string())?;
        if let Some(content) = self.contents.get_mut(&index) {
            let place = content.get_mut(offset as usize..offset as usize + data.len());
            let place = place.unwrap_or_else(|| panic!("written past the end"));
            place.copy_from_slice(&data);
        }
        Ok(())
    }

    /// Gives a file another descriptor.
    fn secure(
        &mut self,
        volume: &Volume,
        secure: &Secure,
        index: usize,
        script: &mut Script<'_>,
    ) -> Result<(), String> {
        let file = id(self.file(index)?);
        if !self.names.contains_key(&index) {
            return Err("removed".to_owned());
        }
        let descriptors = descriptors();
        let wanted = usize::from(script.byte()) % descriptors.len();
        let Some(wanted) = descriptors.get(wanted) else {
            return Ok(());
        };
        let from = match secure.of_files(&[file]).pop() {
            Some(Ok(from)) => from,
            _ => FileSecurity::Shared(SecurityId(FIRST_ID)),
        };
        let to = match script.byte() % 4 {
            0 => SecurityId(FIRST_ID + script.number() % 8),
            _ => {
                let added = secure.add(&[wanted]);
                assert!(!self.sound || added.is_ok(), "added: {added:?}");
                let added = added.map_err(|error| error.to_string())?;
                *added.first().ok_or_else(String::new)?
            }
        };
        let descriptor = secure.descriptor(to).map_err(|error| error.to_string())?;
        let name = units(self.names.get(&index).ok_or_else(String::new)?);
        let member = Member {
            folder: PARENT,
            name: &name,
            file,
        };
        let set = secure.set(&[Change { member, to }], |_, _, now| now == from);
        let set = set.map_err(|error| error.to_string())?.pop();
        let set = set
            .ok_or_else(String::new)?
            .map_err(|error| error.to_string());
        assert!(!self.sound || set == Ok(true), "set: {set:?}");
        if !set? {
            return Err("another descriptor than before".to_owned());
        }
        let again = Secure::new(volume).of_file(file);
        match again {
            Ok(Some(found)) => assert!(found == descriptor, "another descriptor"),
            other => panic!("set, then: {other:?}"),
        }
        Ok(())
    }

    /// Gives a file another name. A damaged folder can lead anywhere.
    fn rename(
        &mut self,
        volume: &Volume,
        index: usize,
        script: &mut Script<'_>,
    ) -> Result<(), String> {
        let old = self.names.get(&index).ok_or_else(String::new)?;
        let unit = char::from(b'A' + script.byte() % 26);
        let len = usize::from(script.byte());
        let new = format!("{unit}{index}{}", "n".repeat(len.min(240)));
        self.safe &= self.sound;
        let (from, to) = (units(old), units(&new));
        let can = volume.can_rename(PARENT, &from, &to);
        let renamed = volume.rename(PARENT, &from, &to, NOW);
        assert_eq!(can.is_ok(), renamed.is_ok(), "{can:?} {renamed:?}");
        renamed.map_err(|error| error.to_string())?;
        self.names.insert(index, new);
        Ok(())
    }

    fn remove(&mut self, volume: &Volume, index: usize) -> Result<(), String> {
        let name = units(self.names.get(&index).ok_or_else(String::new)?);
        self.safe &= self.sound;
        let can = volume.can_remove(PARENT, &name);
        let removed = volume.remove(PARENT, &name, NOW);
        assert_eq!(can.is_ok(), removed.is_ok(), "{can:?} {removed:?}");
        assert!(!self.sound || removed.is_ok(), "{removed:?}");
        removed.map_err(|error| error.to_string())?;
        self.names.remove(&index);
        self.contents.remove(&index);
        Ok(())
    }

    fn check(&self, what: &str) {
        let again = Volume::open(Arc::clone(&self.device));
        if !self.safe {
            return;
        }
        let again = again.unwrap_or_else(|error| panic!("{what}: opened anew: {error}"));
        if let Err(error) = again.fit_for_writing() {
            panic!("{what}: {error}");
        }
        for (index, content) in &self.contents {
            let file = self.made.files.get(*index);
            let found = file.map(|file| (file.name, read(&again, file)));
            match found {
                Some((name, Ok(found))) => assert!(found == *content, "{what}: {name} differs"),
                Some((name, Err(error))) => panic!("{what}: {name}: {error}"),
                None => {}
            }
        }
        if self.sound {
            let name: Vec<u16> = FOLDER_NAME.encode_utf16().collect();
            let folder = again.find(again.root(), &name);
            let folder = folder.unwrap_or_else(|error| panic!("{what}: {error}"));
            let names = folder.map(|folder| again.list(folder.id));
            // One more for the compressed file.
            let count = self.names.len() + 1;
            match names {
                Some(Ok(names)) => {
                    assert_eq!(names.len(), count, "{what}");
                    for name in self.names.values() {
                        let name = units(name);
                        assert!(names.iter().any(|it| it.name == name), "{what}");
                    }
                }
                other => panic!("{what}: {other:?}"),
            }
        }
    }
}
