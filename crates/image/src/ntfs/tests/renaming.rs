//! Giving files other names: what ntfs-3g and its tools find afterwards, and what is refused.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;

use super::crash::crashes;
use super::image::Image;
use super::removing::{NOW, filled, listed, name, own_names, shuffled, units};
use super::removing_crash::check_uses;
use super::*;

/// A new name that sorts elsewhere, with a length of its own.
fn new_name(number: u32) -> String {
    let reversed: String = format!("{number:04}").chars().rev().collect();
    format!("{reversed}{}.old", "y".repeat((number * 37 % 120) as usize))
}

/// Checks that each name leads to its file, by this reader and by ntfs-3g.
fn check(image: &Image, device: &crate::testing::Memory, model: &BTreeMap<String, FileId>) {
    let volume = Volume::open(std::sync::Arc::new(crate::testing::Memory::new(
        device.bytes(),
    )));
    let volume = volume.expect("sound");
    let folder = id(&volume, "drivers");
    let found: BTreeSet<String> = own_names(&volume, folder).into_iter().collect();
    let expected: BTreeSet<String> = model.keys().cloned().collect();
    assert_eq!(found, expected);
    for (name, file) in model {
        let entry = volume.find(folder, &units(name)).expect("sound");
        assert_eq!(entry.map(|entry| entry.id), Some(*file), "{name}");
        assert_eq!(volume.metadata(*file).expect("there").links, 1);
    }
    check_uses(&volume);
    image.store_and_check(device);
    assert_eq!(listed(image, "drivers"), Some(expected));
}

/// Files get other names and are removed, in an order that looks like chance; the index grows and
/// shrinks with that.
#[test]
fn names_change_in_folders_of_every_size() {
    for (arguments, count) in [
        (&["-c", "4096"][..], 1),
        (&["-c", "4096"], 4),
        (&["-c", "512"], 40),
        (&["-c", "4096"], 150),
        (&["-c", "65536"], 40),
        (&["-s", "4096"], 40),
    ] {
        let Some(image) = filled(arguments, count) else {
            return;
        };
        let (volume, device) = image.open();
        let folder = id(&volume, "drivers");
        let mut model: BTreeMap<String, FileId> = (0..count)
            .map(|number| {
                (
                    name(number),
                    id(&volume, &format!("drivers/{}", name(number))),
                )
            })
            .collect();
        for (step, number) in shuffled(count, count + 1).into_iter().enumerate() {
            let (old, new) = (name(number), new_name(number));
            let failed = |error| panic!("{arguments:?} {count} {old} {new}: {error}");
            let (from, to) = (units(&old), units(&new));
            if count > 5 && step % 5 == 4 {
                volume.remove(folder, &from, NOW).unwrap_or_else(failed);
                model.remove(&old);
                continue;
            }
            volume.can_rename(folder, &from, &to).unwrap_or_else(failed);
            volume
                .rename(folder, &from, &to, NOW)
                .unwrap_or_else(failed);
            let file = model.remove(&old).expect("there");
            model.insert(new, file);
        }
        check(&image, &device, &model);
        // Another system goes on with the index.
        let again = image.mounted("defaults", |mounted| {
            let folder = mounted.join("drivers");
            for number in 0..30 {
                fs::write(folder.join(name(number)), b"again").expect("written");
            }
            for old in model.keys() {
                fs::remove_file(folder.join(old)).expect("removed");
            }
        });
        assert!(again.is_some());
        let (volume, _) = image.open();
        assert_eq!(own_names(&volume, folder).len(), 30);
        check_uses(&volume);
    }
}

/// A folder whose names are all in its record gets its first blocks, and its root is divided.
#[test]
fn an_index_that_gets_longer_is_divided() {
    let Some(image) = Image::make(5, &["-c", "4096"]) else {
        return;
    };
    let filled = image.mounted("defaults", |mounted| {
        fs::create_dir(mounted.join("short")).expect("a folder");
        for number in 0..4 {
            fs::write(mounted.join("short").join(number.to_string()), b"").expect("written");
        }
    });
    if filled.is_none() {
        return;
    }
    let (volume, device) = image.open();
    let folder = id(&volume, "short");
    let record = volume.inner.mft.read(folder).expect("sound");
    assert!(record.find(0xA0, "$I30").is_none());
    for number in 0..4 {
        let long = format!("{number}{}", "z".repeat(250));
        let from = units(&number.to_string());
        volume
            .rename(folder, &from, &units(&long), NOW)
            .expect("renamed");
        check_uses(&volume);
    }
    let record = volume.inner.mft.read(folder).expect("sound");
    assert!(record.find(0xA0, "$I30").is_some());
    image.store_and_check(&device);
    assert_eq!(listed(&image, "short").map(|names| names.len()), Some(4));
}

#[test]
fn the_short_name_goes_and_everything_else_stays() {
    let Some(image) = filled(&[], 12) else {
        return;
    };
    let filled = image.mounted("defaults", |mounted| {
        let path = mounted.join("drivers/a long name.sys");
        fs::write(&path, pattern(9000, 2)).expect("written");
        let flags = rustix::fs::XattrFlags::empty();
        rustix::fs::setxattr(&path, "system.ntfs_dos_name", b"ALONGN~1.SYS", flags).expect("set");
        rustix::fs::setxattr(&path, "user.stream", b"stream", flags).expect("set");
    });
    if filled.is_none() {
        return;
    }
    let (volume, device) = image.open();
    let folder = id(&volume, "drivers");
    let (from, to) = (units("a long name.sys"), units("A LONG NAME.SYS.old"));
    let file = id(&volume, "drivers/a long name.sys");
    volume.rename(folder, &from, &to, NOW).expect("renamed");
    assert_eq!(id(&volume, "drivers/a long name.sys.OLD"), file);
    assert_eq!(
        lookup(&volume, "drivers/ALONGN~1.SYS").expect("sound"),
        None
    );
    assert!(read(&open(&volume, "drivers/A LONG NAME.SYS.old")) == pattern(9000, 2));
    image.store_and_check(&device);
    let kept = image.mounted("defaults", |mounted| {
        use std::os::unix::fs::MetadataExt;
        let path = mounted.join("drivers/A LONG NAME.SYS.old");
        assert_eq!(fs::metadata(&path).expect("there").nlink(), 1);
        let mut stream = [0; 10];
        let len = rustix::fs::getxattr(&path, "user.stream", &mut stream).expect("there");
        assert_eq!(&stream[..len], b"stream");
        assert!(fs::read(path).expect("read") == pattern(9000, 2));
    });
    assert!(kept.is_some());
}

#[test]
fn what_can_not_be_renamed_is_refused_before_anything_is_written() {
    let Some(image) = filled(&[], 12) else {
        return;
    };
    let (volume, device) = image.open();
    let folder = id(&volume, "drivers");
    let before = device.bytes();
    let old = name(1);
    let taken = name(2).to_uppercase();
    let long = "x".repeat(256);
    for (to, why) in [
        (taken.as_str(), "already has"),
        (&old, "already has"),
        ("", "not allowed"),
        ("a/b", "not allowed"),
        ("a:b", "not allowed"),
        ("a.", "not allowed"),
        ("a\u{1}", "not allowed"),
        (&long, "not allowed"),
    ] {
        for error in [
            volume
                .can_rename(folder, &units(&old), &units(to))
                .expect_err(to),
            volume
                .rename(folder, &units(&old), &units(to), NOW)
                .expect_err(to),
        ] {
            assert!(error.to_string().contains(why), "{to}: {error}");
        }
    }
    let missing = volume.can_rename(folder, &units("missing"), &units("new"));
    assert_eq!(
        missing.expect_err("none").kind(),
        std::io::ErrorKind::NotFound
    );
    assert!(device.bytes() == before);
}

#[test]
fn a_file_has_its_old_or_its_new_name_after_any_crash() {
    for (count, number) in [(4, 1), (60, 20), (60, 41)] {
        let Some(image) = filled(&["-c", "1024"], count) else {
            return;
        };
        let (volume, _) = image.open();
        let folder = id(&volume, "drivers");
        let (old, new) = (name(number), new_name(number));
        let file = id(&volume, &format!("drivers/{old}"));
        let before = own_names(&volume, folder);
        let mut found = [false; 2];
        crashes(
            &image,
            |volume| {
                let renamed = volume.rename(folder, &units(&old), &units(&new), NOW);
                renamed.unwrap_or_else(|error| panic!("{old} {new}: {error}"));
            },
            |crash, choice, device| {
                let volume = Volume::open(device.clone()).expect("sound");
                volume.fit_for_writing().expect("fit");
                let names = own_names(&volume, folder);
                let has = |name: &String| names.contains(name);
                let changed = |name: &&String| **name != old && **name != new;
                let same = |names: &[String]| names.iter().filter(changed).count();
                assert_eq!(same(&names), same(&before), "crash {crash} choice {choice}");
                assert_ne!(has(&old), has(&new), "crash {crash} choice {choice}");
                found[usize::from(has(&new))] = true;
                let name = if has(&new) { &new } else { &old };
                let entry = volume.find(folder, &units(name)).expect("sound");
                assert_eq!(entry.map(|entry| entry.id), Some(file));
                assert!(read(&volume.file(file).expect("there")).len() > 19);
                if choice > 1 {
                    check_uses(&volume);
                }
            },
        );
        assert_eq!(found, [true; 2]);
    }
}
