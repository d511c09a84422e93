//! A disk that is changed again after its old content was restored.

use std::fs::{self, File};

use diskmend_disk::{Access, RecordFile, Target, guard};

use crate::common::{Mount, run, skipped};
use crate::image::NtfsImage;

/// The offset of zeros in a file; a dynamic VHD does not store them.
const HOLE: u64 = 5 << 20;

/// The container once remembered blocks that were added and then cut off again.
#[test]
fn blocks_that_were_given_back_are_added_anew() {
    let Some(image) = NtfsImage::new(24) else {
        return;
    };
    let Some(mount) = image.mount() else { return };
    fs::write(mount.path().join("zeros"), vec![0; 8 << 20]).unwrap();
    drop(mount);
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("disk.vhd");
    let options = "subformat=dynamic,force_size=on";
    let shown = path.to_str().unwrap();
    let convert = ["convert", "-O", "vpc", "-o", options, image.device(), shown];
    if let Err(error) = run("qemu-img", &convert) {
        skipped("qemu-img (Debian package qemu-utils)", &error);
        return;
    }
    let before = fs::read(&path).unwrap();
    let target = Target::open(&path).unwrap();
    let disk = target.disk().unwrap();
    guard::writable(&target).unwrap();
    for attempt in 1..=3 {
        let record = folder.path().join(format!("record{attempt}"));
        let open = File::options();
        let open = || {
            open.clone()
                .read(true)
                .write(true)
                .create(true)
                .truncate(false)
                .open(&record)
                .map(|file| RecordFile::new(Box::new(file), None))
        };
        disk.recorded().begin(open().unwrap()).unwrap();
        let zeros = disk.root(0).unwrap();
        let mut zeros = zeros.open("zeros", Access::ReadWrite).unwrap();
        zeros.write_all_at(&[attempt; 700], HOLE).unwrap();
        disk.recorded().end().unwrap();
        let grown = fs::metadata(&path).unwrap().len();
        assert!(grown > before.len() as u64, "a block was added");
        let mut read = [0; 700];
        zeros.read_exact_at(&mut read, HOLE).unwrap();
        assert_eq!(read, [attempt; 700]);
        disk.recorded().restore(&open().unwrap()).unwrap();
        assert!(fs::read(&path).unwrap() == before, "attempt {attempt}");
    }
}

/// Removed, renamed and replaced files on an image are as before when the sectors are restored.
#[test]
fn names_and_content_come_back_with_the_sectors() {
    let Some(image) = NtfsImage::new(16) else {
        return;
    };
    let Some(mount) = image.mount() else {
        return;
    };
    let folder = mount.path().join("drivers");
    fs::create_dir(&folder).unwrap();
    for number in 0..60 {
        let name = folder.join(format!("{number} with a rather long name.sys"));
        fs::write(name, vec![7; 9000]).unwrap();
    }
    drop(mount);
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("disk.img");
    let before = fs::read(image.device()).unwrap();
    fs::write(&path, &before).unwrap();
    let target = Target::open(&path).unwrap();
    let disk = target.disk().unwrap();
    guard::writable(&target).unwrap();
    let record = folder.path().join("record");
    let mut options = File::options();
    options.read(true).write(true).create(true).truncate(false);
    let open = || {
        let file = options.open(&record).unwrap();
        RecordFile::new(Box::new(file), None)
    };
    disk.recorded().begin(open()).unwrap();
    let drivers = disk.root(0).unwrap().open_dir("drivers").unwrap();
    let mut left = drivers.names(100).unwrap();
    for number in 0..6 {
        let name = left.remove(number);
        drivers.can_remove(&name).unwrap();
        drivers.remove_file(&name.to_uppercase()).unwrap();
        assert_eq!(drivers.names(100).unwrap(), left);
        let (old, new) = (left[number].clone(), format!("{number}.bad"));
        drivers.can_rename(&old, &new).unwrap();
        drivers.rename(&old, &new).unwrap();
        left[number] = new;
        left.sort();
    }
    let root = disk.root(0).unwrap();
    root.can_rename_folder("Drivers", "drivers.old").unwrap();
    root.rename_folder("Drivers", "drivers.old").unwrap();
    assert!(root.kind("drivers").unwrap().is_none());
    let mut replaced = drivers.open(&left[0], Access::ReadWrite).unwrap();
    replaced.check_room(20_000, &[(0, 20_000)]).unwrap();
    replaced.set_len(20_000).unwrap();
    replaced.write_all_at(&[8; 20_000], 0).unwrap();
    replaced.touch().unwrap();
    replaced.sync().unwrap();
    // An open file is left alone.
    drivers.can_remove(&left[0]).unwrap_err();
    drop(replaced);
    disk.recorded().end().unwrap();
    let checked = folder.path().join("copy.img");
    fs::copy(&path, &checked).unwrap();
    let options = ["-t", "ntfs-3g", "-o", "loop", checked.to_str().unwrap()];
    if let Some(mount) = Mount::new(&options) {
        let listed = fs::read_dir(mount.path().join("drivers.old")).unwrap();
        let mut names: Vec<String> = listed
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        assert_eq!(names, left);
        let content = fs::read(mount.path().join("drivers.old").join(&left[0])).unwrap();
        assert!(content == [8; 20_000]);
    }
    disk.recorded().restore(&open()).unwrap();
    assert!(fs::read(&path).unwrap() == before);
}
