//! Giving folders other names: everything in them stays, for this reader and for ntfs-3g.

use std::fs;
use std::path::Path;

use super::crash::crashes;
use super::image::Image;
use super::removing::{NOW, listed, own_names, units};
use super::removing_crash::check_uses;
use super::*;

/// A volume with a folder `above` of `count` folders, each with files of its own; the first has
/// `within` of them, and a folder.
fn filled(arguments: &[&str], count: u32, within: u32) -> Option<Image> {
    let mib = if arguments.contains(&"65536") { 16 } else { 5 };
    let image = Image::make(mib, arguments)?;
    image.mounted("defaults", |root| {
        fs::create_dir(root.join("above")).expect("a folder");
        for number in 0..count {
            let folder = root.join("above").join(folder(number));
            fs::create_dir_all(folder.join("Machine")).expect("a folder");
            fs::write(folder.join("gpt.ini"), pattern(700, number)).expect("written");
            let files = if number == 0 { within } else { 0 };
            for file in 0..files {
                let path = folder.join("Machine").join(format!("{file:03}.pol"));
                fs::write(path, pattern(20, file)).expect("written");
            }
        }
    })?;
    Some(image)
}

fn folder(number: u32) -> String {
    format!("Folder {number:03}{}", "x".repeat((number % 19) as usize))
}

/// Checks with ntfs-3g that a folder is whole.
fn is_whole(at: &Path, within: u32) {
    assert!(fs::read(at.join("gpt.ini")).expect("read") == pattern(700, 0));
    for file in 0..within {
        let path = at.join("Machine").join(format!("{file:03}.pol"));
        assert!(fs::read(path).expect("read") == pattern(20, file), "{file}");
    }
    // Another system goes on with it.
    fs::write(at.join("Machine/new"), b"new").expect("written");
    fs::create_dir(at.join("Other")).expect("a folder");
    assert!(fs::metadata(at.join("..").join("..").join("above")).is_ok());
}

#[test]
fn a_folder_is_renamed_with_everything_in_it() {
    for (arguments, count, within) in [
        (&["-c", "4096"][..], 1, 0),
        (&["-c", "4096"], 3, 5),
        (&["-c", "512"], 40, 150),
        (&["-c", "65536"], 40, 30),
        (&["-s", "4096"], 40, 30),
    ] {
        let Some(image) = filled(arguments, count, within) else {
            return;
        };
        let (volume, device) = image.open();
        let above = id(&volume, "above");
        let (from, to) = (folder(0), "FOLDER 000.diskmend-20261123T124100Z");
        let renamed = id(&volume, &format!("above/{from}"));
        let before = own_names(&volume, renamed);
        let sound = volume.can_rename_folder(above, &units(&from), &units(to));
        sound.unwrap_or_else(|error| panic!("{arguments:?} {count}: {error}"));
        let done = volume.rename_folder(above, &units(&from), &units(to), NOW);
        done.unwrap_or_else(|error| panic!("{arguments:?} {count}: {error}"));
        assert_eq!(lookup(&volume, &format!("above/{from}")).ok(), Some(None));
        assert_eq!(id(&volume, &format!("above/{to}")), renamed);
        assert_eq!(own_names(&volume, renamed), before);
        check_uses(&volume);
        image.store_and_check(&device);
        let names = listed(&image, "above").expect("mounted");
        assert_eq!(names.len(), count as usize);
        assert!(names.contains(to), "{names:?}");
        let checked = image.mounted("defaults", |root| {
            is_whole(&root.join("above").join(to), within);
        });
        assert!(checked.is_some());
        let (volume, device) = image.open();
        let back = volume.rename_folder(above, &units(to), &units(&from), NOW);
        back.unwrap_or_else(|error| panic!("{arguments:?} {count}: {error}"));
        check_uses(&volume);
        image.store_and_check(&device);
        assert!(listed(&image, "above").expect("mounted").contains(&from));
    }
}

#[test]
fn a_folder_that_can_not_be_renamed_is_refused_before_anything_is_written() {
    let Some(image) = filled(&[], 3, 2) else {
        return;
    };
    let filled = image.mounted("defaults", |root| {
        let link = root.join("above/link");
        std::os::unix::fs::symlink("Folder 000", link).expect("a link");
    });
    if filled.is_none() {
        return;
    }
    let (volume, device) = image.open();
    let before = device.bytes();
    let (above, root) = (id(&volume, "above"), volume.root());
    let inner = id(&volume, "above/Folder 000");
    let taken = folder(1).to_uppercase();
    for (within, from, to, why) in [
        (above, "Folder 000", taken.as_str(), "already has"),
        (above, "Folder 000", "Folder 000", "already has"),
        (above, "Folder 000", "a\\b", "not allowed"),
        (above, "Folder 000", "a ", "not allowed"),
        (above, "missing", "new", "no such file"),
        (inner, "gpt.ini", "new", "not a folder"),
        (above, "link", "new", "not a folder"),
        (root, "$Extend", "new", "own files"),
    ] {
        let (from, to) = (units(from), units(to));
        for error in [
            volume.can_rename_folder(within, &from, &to).expect_err(why),
            volume
                .rename_folder(within, &from, &to, NOW)
                .expect_err(why),
        ] {
            assert!(error.to_string().contains(why), "{why}: {error}");
        }
    }
    let file = volume.can_rename(above, &units("Folder 000"), &units("new"));
    let file = file.expect_err("a folder").to_string();
    assert!(file.contains("not a file"), "{file}");
    assert!(device.bytes() == before);
}

#[test]
fn a_folder_has_its_old_or_its_new_name_after_any_crash() {
    for (count, number) in [(2, 0), (60, 20)] {
        let Some(image) = filled(&["-c", "1024"], count, 3) else {
            return;
        };
        let (volume, _) = image.open();
        let above = id(&volume, "above");
        let (old, new) = (folder(number), format!("zz{}.old", "y".repeat(90)));
        let renamed = id(&volume, &format!("above/{old}"));
        let inside = own_names(&volume, renamed);
        let mut found = [false; 2];
        crashes(
            &image,
            |volume| {
                let done = volume.rename_folder(above, &units(&old), &units(&new), NOW);
                done.unwrap_or_else(|error| panic!("{old} {new}: {error}"));
            },
            |crash, choice, device| {
                let what = format!("crash {crash} choice {choice}");
                let volume = Volume::open(device.clone()).expect("sound");
                volume.fit_for_writing().expect("fit");
                let names = own_names(&volume, above);
                let has = |name: &String| names.contains(name);
                assert_eq!(names.len(), count as usize, "{what}");
                assert_ne!(has(&old), has(&new), "{what}");
                found[usize::from(has(&new))] = true;
                let name = if has(&new) { &new } else { &old };
                let entry = volume.find(above, &units(name)).expect("sound");
                assert_eq!(entry.map(|entry| entry.id), Some(renamed), "{what}");
                assert_eq!(own_names(&volume, renamed), inside, "{what}");
                let ini = open(&volume, &format!("above/{name}/gpt.ini"));
                assert!(read(&ini) == pattern(700, number), "{what}");
                if choice > 1 {
                    check_uses(&volume);
                }
            },
        );
        assert_eq!(found, [true; 2]);
    }
}
