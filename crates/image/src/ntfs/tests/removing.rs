//! Removing files: what ntfs-3g and its tools find afterwards, and what is refused.

use std::collections::BTreeSet;
use std::fs;

use super::image::Image;
use super::*;
use crate::ntfs::bitmap::Bitmap;
use crate::testing::Memory;

/// A time for the folders: a day in 2024.
pub(super) const NOW: u64 = 133_600_000_000_000_000;

pub(super) fn units(name: &str) -> Vec<u16> {
    name.encode_utf16().collect()
}

/// A name with a length that differs from that of its neighbours.
pub(super) fn name(number: u32) -> String {
    let tail = "x".repeat((number.wrapping_mul(2_654_435_761) >> 26) as usize);
    format!("{number:04}{tail}.sys")
}

/// The names that ntfs-3g lists in a folder.
pub(super) fn listed(image: &Image, folder: &str) -> Option<BTreeSet<String>> {
    image.mounted("defaults", |mounted| {
        let entries = fs::read_dir(mounted.join(folder)).expect("listed");
        let names = entries.map(|entry| {
            let entry = entry.expect("listed");
            // Reading its metadata reads its record.
            entry.metadata().expect("there");
            entry.file_name().into_string().expect("Unicode")
        });
        names.collect()
    })
}

/// The names that this crate lists.
pub(super) fn own_names(volume: &Volume, folder: FileId) -> Vec<String> {
    let entries = volume.list(folder).expect("listed");
    let names = entries
        .iter()
        .map(|entry| String::from_utf16(&entry.name).expect("Unicode"));
    names.collect()
}

/// A volume with a folder `drivers` of `count` files.
pub(super) fn filled(arguments: &[&str], count: u32) -> Option<Image> {
    let mib = if arguments.contains(&"65536") { 16 } else { 5 };
    let image = Image::make(mib, arguments)?;
    image.mounted("defaults", |folder| {
        let drivers = folder.join("drivers");
        fs::create_dir(&drivers).expect("a folder");
        for number in 0..count {
            let len = if number % 7 == 3 { 9000 } else { 20 };
            fs::write(drivers.join(name(number)), pattern(len, number)).expect("written");
        }
    })?;
    Some(image)
}

/// The numbers from 0 up to `count` in an order that looks like chance.
pub(super) fn shuffled(count: u32, seed: u32) -> Vec<u32> {
    let mut all: Vec<u32> = (0..count).collect();
    let mut state = seed | 1;
    for at in (1..all.len()).rev() {
        state ^= state << 13;
        state ^= state >> 17;
        state ^= state << 5;
        all.swap(at, state as usize % (at + 1));
    }
    all
}

fn used_clusters(volume: &Volume) -> u64 {
    let bitmap = Bitmap::open(&volume.inner.mft).expect("sound");
    volume.inner.mft.disk().geometry.clusters - bitmap.free().expect("sound")
}

#[test]
fn files_are_removed_from_folders_of_every_size() {
    for (arguments, count) in [
        (&["-c", "4096"][..], 1),
        (&["-c", "4096"], 3),
        (&["-c", "512"], 60),
        (&["-c", "4096"], 300),
        (&["-c", "65536"], 80),
        (&["-s", "4096"], 80),
    ] {
        let Some(image) = filled(arguments, count) else {
            return;
        };
        let (volume, device) = image.open();
        let folder = id(&volume, "drivers");
        let mut left: BTreeSet<String> = (0..count).map(name).collect();
        let order = shuffled(count, count);
        let half = order.len().div_ceil(2);
        for (step, number) in order.iter().enumerate() {
            let gone = name(*number);
            volume
                .can_remove(folder, &units(&gone))
                .unwrap_or_else(|error| panic!("{arguments:?} {count} {gone}: {error}"));
            volume
                .remove(folder, &units(&gone), NOW)
                .unwrap_or_else(|error| panic!("{arguments:?} {count} {gone}: {error}"));
            left.remove(&gone);
            assert_eq!(volume.find(folder, &units(&gone)).expect("sound"), None);
            if step % 16 == 0 || step + 1 == order.len() {
                let found: BTreeSet<String> = own_names(&volume, folder).into_iter().collect();
                assert_eq!(found, left, "{arguments:?} {count}, step {step}");
            }
            if step + 1 == half || step + 1 == order.len() {
                image.store_and_check(&device);
                let found = listed(&image, "drivers").expect("mounted before");
                assert_eq!(found, left, "{arguments:?} {count}, step {step}");
            }
        }
    }
}

/// Whatever Windows or another system puts there next uses the records and clusters again.
#[test]
fn records_and_clusters_are_free_afterwards() {
    let Some(image) = filled(&["-c", "4096"], 5) else {
        return;
    };
    let (volume, device) = image.open();
    let folder = id(&volume, "drivers");
    let path = format!("drivers/{}", name(3));
    let file = id(&volume, &path);
    let layout = open(&volume, &path).layout().expect("in clusters");
    let before = used_clusters(&volume);
    volume
        .remove(folder, &units(&name(3)), NOW)
        .expect("removed");
    assert_eq!(before - used_clusters(&volume), layout.clusters());
    let record = volume.inner.mft.read_any(file.record).expect("sound");
    assert!(!record.is_in_use());
    assert_eq!(record.id().sequence, file.sequence + 1);
    let error = volume.metadata(file).expect_err("gone");
    assert!(matches!(error, VolumeError::Stale(_)), "{error}");
    image.store_and_check(&device);
    let inode = image.mounted("defaults", |mounted| {
        use std::os::unix::fs::MetadataExt;
        fs::write(mounted.join("new"), pattern(9000, 1)).expect("written");
        fs::metadata(mounted.join("new")).expect("there").ino()
    });
    assert_eq!(inode, Some(file.record), "the record is used again");
    image.check();
}

#[test]
fn the_times_of_the_folder_change() {
    for count in [3, 100] {
        let Some(image) = filled(&[], count) else {
            return;
        };
        let (volume, _) = image.open();
        let folder = id(&volume, "drivers");
        volume
            .remove(folder, &units(&name(1)), NOW)
            .expect("removed");
        let record = volume.inner.mft.read(folder).expect("sound");
        let value = record.resident(0x10, "").expect("there");
        let time = |at: usize| u64::from_le_bytes(value[at..at + 8].try_into().expect("8"));
        assert_eq!([time(8), time(16)], [NOW; 2]);
        assert_ne!(time(0), NOW);
    }
}

#[test]
fn a_short_name_is_removed_with_the_long_one() {
    let Some(image) = filled(&[], 40) else {
        return;
    };
    let filled = image.mounted("defaults", |mounted| {
        let path = mounted.join("drivers/a long name.sys");
        fs::write(&path, b"data").expect("written");
        rustix::fs::setxattr(
            &path,
            "system.ntfs_dos_name",
            b"ALONGN~1.SYS",
            rustix::fs::XattrFlags::empty(),
        )
        .expect("set");
    });
    if filled.is_none() {
        return;
    }
    let (volume, device) = image.open();
    let folder = id(&volume, "drivers");
    let short = volume.find(folder, &units("ALONGN~1.SYS")).expect("sound");
    assert!(short.is_some());
    volume
        .remove(folder, &units("a long name.sys"), NOW)
        .expect("removed");
    for gone in ["ALONGN~1.SYS", "a long name.sys"] {
        assert_eq!(volume.find(folder, &units(gone)).expect("sound"), None);
    }
    image.store_and_check(&device);
    assert_eq!(listed(&image, "drivers").map(|names| names.len()), Some(40));
}

pub(super) fn refused(volume: &Volume, device: &Memory, folder: FileId, name: &str, why: &str) {
    let before = device.bytes();
    for error in [
        volume.can_remove(folder, &units(name)).expect_err(name),
        volume.remove(folder, &units(name), NOW).expect_err(name),
    ] {
        assert!(error.to_string().contains(why), "{name}: {error}");
    }
    assert!(device.bytes() == before, "{name}");
}

/// The data of a junction to a folder of the drive C.
fn junction(folder: &str) -> Vec<u8> {
    let target = utf16(&format!("\\??\\C:\\{folder}"));
    let len = target.len() as u16;
    let mut data = vec![3, 0, 0, 0xA0];
    data.extend((8 + len + 4).to_le_bytes());
    data.extend([0; 4]);
    data.extend(len.to_le_bytes());
    data.extend((len + 2).to_le_bytes());
    data.extend([0; 2]);
    data.extend(target);
    data.extend([0; 4]);
    data
}

fn utf16(text: &str) -> Vec<u8> {
    text.encode_utf16().flat_map(u16::to_le_bytes).collect()
}

#[test]
fn what_must_stay_is_refused_before_anything_is_written() {
    let Some(image) = Image::make(8, &[]) else {
        return;
    };
    let filled = image.mounted("defaults", |mounted| {
        for name in ["one", "object", "open", "plain"] {
            fs::write(mounted.join(name), b"data").expect("written");
        }
        fs::create_dir(mounted.join("folder")).expect("a folder");
        fs::hard_link(mounted.join("one"), mounted.join("two")).expect("linked");
        fs::hard_link(mounted.join("plain"), mounted.join("folder/plain")).expect("linked");
        fs::create_dir(mounted.join("link")).expect("a folder");
        rustix::fs::setxattr(
            mounted.join("link"),
            "system.ntfs_reparse_data",
            &junction("x"),
            rustix::fs::XattrFlags::empty(),
        )
        .expect("set");
        rustix::fs::setxattr(
            mounted.join("object"),
            "system.ntfs_object_id",
            &[7; 16],
            rustix::fs::XattrFlags::empty(),
        )
        .expect("set");
    });
    if filled.is_none() {
        return;
    }
    let (volume, device) = image.open();
    let root = volume.root();
    let kept = open(&volume, "open");
    refused(&volume, &device, root, "open", "still open");
    drop(kept);
    refused(&volume, &device, root, "folder", "not a file");
    refused(&volume, &device, root, "one", "several names");
    refused(&volume, &device, root, "plain", "another name elsewhere");
    refused(&volume, &device, root, "link", "reparse point");
    refused(&volume, &device, root, "object", "object id");
    refused(&volume, &device, root, "missing", "no such file");
    refused(&volume, &device, root, "ONE", "no such file");
    refused(&volume, &device, root, "$Bitmap", "own files");
    volume
        .remove(root, &units("open"), NOW)
        .expect("closed by now");
}

/// A file that shares a cluster with another one, which would be lost if the clusters were freed.
#[test]
fn a_file_with_clusters_of_another_is_refused() {
    let Some(image) = filled(&["-c", "4096"], 12) else {
        return;
    };
    let (volume, device) = image.open();
    let folder = id(&volume, "drivers");
    let mft = &volume.inner.mft;
    let [one, two] = [3, 10].map(|number| id(&volume, &format!("drivers/{}", name(number))));
    let other = mft.read(one).expect("sound");
    let pairs = other.find(0x80, "").and_then(|it| it.mapping_pairs());
    let pairs = pairs.expect("in clusters").to_vec();
    let mut record = mft.read(two).expect("sound");
    let at = record.find(0x80, "").expect("there").place();
    record.set_mapping_pairs(at, &pairs, 2).expect("room");
    mft.write(&mut record).expect("written");
    let volume = Volume::open(device.clone()).expect("sound");
    for number in [3, 10] {
        refused(&volume, &device, folder, &name(number), "of no other file");
    }
}

#[test]
fn a_file_with_several_records_and_streams_is_removed() {
    let Some(image) = Image::make(16, &["-c", "1024"]) else {
        return;
    };
    let before = image.open().0;
    let before = used_clusters(&before);
    let filled = image.mounted("defaults", |mounted| {
        super::reading::fragment(mounted, "file", 30, 1024);
        fs::remove_dir_all(mounted.join("neighbours")).expect("removed");
        for number in 0..40 {
            let name = format!("user.stream{number}");
            rustix::fs::setxattr(
                mounted.join("file"),
                name,
                &pattern(700, number),
                rustix::fs::XattrFlags::empty(),
            )
            .expect("set");
        }
    });
    if filled.is_none() {
        return;
    }
    let (volume, device) = image.open();
    let file = id(&volume, "file");
    let records = crate::ntfs::records::Records::read(&volume.inner.mft, file).expect("sound");
    assert!(records.extensions().count() > 1);
    volume
        .remove(volume.root(), &units("file"), NOW)
        .expect("removed");
    for number in records.extensions() {
        let record = volume.inner.mft.read_any(number).expect("sound");
        assert!(!record.is_in_use());
    }
    image.store_and_check(&device);
    assert!(listed(&image, "").is_some_and(|names| !names.contains("file")));
    // $MFT and the index of the root have grown meanwhile.
    let rest = used_clusters(&volume) - before;
    assert!(rest < 400, "{rest} clusters are still used");
}
