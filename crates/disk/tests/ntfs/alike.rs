//! All kinds of disks behave alike: a mounted volume, NTFS and FAT in an image, and memory in
//! tests.

use std::fs;
use std::io::ErrorKind;
use std::path::Path;

use diskmend_disk::{Access, Details, Dir, Kind, LookupError, Target};

use crate::common::{run, skipped};
use crate::image::NtfsImage;

const CONTENT: &[u8] = b"regf, and more";

/// A folder on each kind of disk; it contains a folder `Windows` with a file `System`.
fn each(check: impl Fn(&str, &dyn Dir)) {
    let folder = tempfile::tempdir().unwrap();
    fill(folder.path());
    check("a folder", Target::open(folder.path()).unwrap().root());
    if let Some(image) = NtfsImage::new(16)
        && let Some(mount) = image.mount()
    {
        fill(mount.path());
        check("NTFS, mounted", Target::open(mount.path()).unwrap().root());
        drop(mount);
        let target = Target::open(image.device().as_ref()).unwrap();
        check("NTFS on a device", target.root());
    }
    let fat = folder.path().join("fat.img");
    match filled_fat(&fat, &folder.path().join("Windows")) {
        Ok(()) => {
            let target = Target::open_volume(&fat, Some(0)).unwrap();
            check("FAT on an image", target.root());
        }
        Err(error) => skipped("mkfs.fat and mtools", &error),
    }
    #[cfg(feature = "testing")]
    {
        let disk = diskmend_disk::testing::FaultyDisk::new();
        disk.put("Windows/System", CONTENT.to_vec());
        check("memory", disk.root().as_ref());
    }
}

fn fill(root: &Path) {
    fs::create_dir(root.join("Windows")).unwrap();
    fs::write(root.join("Windows/System"), CONTENT).unwrap();
}

fn filled_fat(image: &Path, folder: &Path) -> Result<(), String> {
    let (image, folder) = (image.to_str().unwrap(), folder.to_str().unwrap());
    run("mkfs.fat", &["-C", image, "4096"])?;
    run("mcopy", &["-s", "-i", image, folder, "::"]).map(drop)
}

#[test]
fn names_that_lead_elsewhere_are_refused_on_every_disk() {
    each(|disk, root| {
        for name in ["", ".", "..", "../outside", "Windows/System", "/etc"] {
            let refused = [
                root.metadata(name).err(),
                root.kind(name).err(),
                root.open(name, Access::Read).err(),
                root.create(name).err(),
                root.remove_file(name).err(),
                root.can_remove(name).err(),
                root.details(name).err(),
                root.set_details(name, &Details::default()).err(),
                root.can_rename(name, "x").err(),
                root.rename(name, "x").err(),
                root.replace(name, "x").err(),
                root.replace("Windows", name).err(),
                root.open_dir(name).err(),
                root.open_private_dir(name).err(),
                root.create_dir(name).err(),
                root.remove_dir(name).err(),
            ];
            for (at, error) in refused.into_iter().enumerate() {
                let kind = error.map(|error| error.kind());
                assert_eq!(
                    kind,
                    Some(ErrorKind::InvalidInput),
                    "{disk}: {name:?}, {at}"
                );
            }
        }
    });
}

#[test]
fn every_disk_lists_and_reads_alike() {
    each(|disk, root| {
        assert!(
            root.names(100)
                .unwrap()
                .iter()
                .any(|name| name == "Windows")
        );
        let error = root.names(0).expect_err("there are names");
        assert_eq!(error.kind(), ErrorKind::FileTooLarge, "{disk}");
        assert_eq!(root.kind("Windows").unwrap(), Some(Kind::Folder), "{disk}");
        assert_eq!(root.kind("nothing").unwrap(), None, "{disk}");

        let found = root.find(&["WINDOWS", "SYSTEM"]).unwrap().expect(disk);
        assert_eq!(
            (found.path.as_str(), found.kind()),
            ("Windows/System", Kind::File)
        );
        assert!(
            root.find(&["Windows", "SOFTWARE"]).unwrap().is_none(),
            "{disk}"
        );
        let error = root.find(&["windows", "system", "x"]).expect_err(disk);
        assert!(
            matches!(error, LookupError::NotAFolder { .. }),
            "{disk}: {error}"
        );

        let file = found.open(Access::Read).unwrap();
        let mut read = [0; 4];
        file.read_exact_at(&mut read, 6).unwrap();
        assert_eq!(
            (&read, file.len().unwrap()),
            (b"and ", CONTENT.len() as u64)
        );
        let error = file.read_exact_at(&mut read, 11).expect_err("one short");
        assert_eq!(error.kind(), ErrorKind::UnexpectedEof, "{disk}");
        assert_eq!(
            (file.names().unwrap(), file.metadata().unwrap().kind),
            (1, Kind::File)
        );
        let again = found.open(Access::Read).unwrap();
        assert_eq!(
            again.identity().unwrap(),
            file.identity().unwrap(),
            "{disk}"
        );

        let error = root.open("Windows", Access::Read).expect_err("a folder");
        assert_eq!(error.kind(), ErrorKind::IsADirectory, "{disk}");
        let error = found.dir.open_dir("System").expect_err("a file");
        assert_eq!(error.kind(), ErrorKind::NotADirectory, "{disk}");
        for error in [
            root.metadata("nothing").err(),
            root.open("nothing", Access::Read).err(),
            root.open_dir("nothing").err(),
            root.remove_file("nothing").err(),
        ] {
            let kind = error.map(|error| error.kind());
            assert_eq!(kind, Some(ErrorKind::NotFound), "{disk}");
        }
        let error = found.dir.create("System").expect_err("it is there");
        assert_eq!(error.kind(), ErrorKind::AlreadyExists, "{disk}");
    });
}

#[test]
fn only_files_are_removed_or_renamed_and_no_name_is_replaced() {
    each(|disk, root| {
        for error in [
            root.can_remove("Windows").unwrap_err(),
            root.details("Windows").unwrap_err(),
        ] {
            assert_ne!(error.kind(), ErrorKind::NotFound, "{disk}: {error}");
        }
        let folder = root.open_dir("Windows").unwrap();
        for error in [
            folder.can_remove("missing").unwrap_err(),
            folder.remove_file("missing").unwrap_err(),
            folder.details("missing").unwrap_err(),
            folder.can_rename("missing", "new").unwrap_err(),
            folder.rename("missing", "new").unwrap_err(),
        ] {
            assert_eq!(error.kind(), ErrorKind::NotFound, "{disk}: {error}");
        }
        for taken in ["System", "SYSTEM"] {
            for error in [
                folder.can_rename("System", taken).unwrap_err(),
                folder.rename("System", taken).unwrap_err(),
            ] {
                assert_eq!(error.kind(), ErrorKind::AlreadyExists, "{disk}: {error}");
            }
        }
        folder.can_remove("System").unwrap();
        folder.details("System").unwrap();
        assert_eq!(folder.names(10).unwrap(), ["System"], "{disk}");
        // An unmounted disk can be changed only if it is open for writing.
        match folder.rename("System", "System.old") {
            Ok(()) => {
                assert_eq!(folder.names(10).unwrap(), ["System.old"], "{disk}");
                folder.rename("System.old", "System").unwrap();
            }
            Err(error) => assert!(disk.contains(" on "), "{disk}: {error}"),
        }
        match folder.remove_file("System") {
            Ok(()) => {
                assert!(folder.names(10).unwrap().is_empty(), "{disk}");
                folder.create("System").unwrap();
            }
            Err(error) => assert!(disk.contains(" on "), "{disk}: {error}"),
        }
    });
}

/// An unmounted disk moves nothing, and says so.
#[test]
fn a_file_is_moved_and_nothing_is_replaced() {
    each(|disk, root| {
        let found = root.find(&["Windows", "System"]).unwrap().expect(disk);
        let moved = found.dir.move_to("System", root_of(root).as_ref(), "Kept");
        if let Err(error) = &moved
            && error.kind() == ErrorKind::Unsupported
        {
            assert!(root.find(&["Windows", "System"]).unwrap().is_some());
            return;
        }
        moved.unwrap_or_else(|error| panic!("{disk}: {error}"));
        assert_eq!(found.dir.kind("System").unwrap(), None, "{disk}");
        let file = root.open("Kept", Access::Read).unwrap();
        assert_eq!(file.len().unwrap(), CONTENT.len() as u64, "{disk}");
        assert_eq!(
            file.identity().unwrap(),
            found.metadata.identity,
            "{disk}: not the same file"
        );
        drop(file);

        found.dir.create("System").unwrap();
        let here = root_of(found.dir.as_ref());
        let taken = root.move_to("Kept", here.as_ref(), "System");
        let error = taken.expect_err(disk).kind();
        assert_eq!(error, ErrorKind::AlreadyExists, "{disk}");
        assert_eq!(found.dir.metadata("System").unwrap().len, 0, "{disk}");

        let error = root.move_to("nothing", here.as_ref(), "x").expect_err(disk);
        assert_eq!(error.kind(), ErrorKind::NotFound, "{disk}");
        assert!(root.move_to("Windows", here.as_ref(), "x").is_err());
        for name in ["..", "a/b", ""] {
            let error = root.move_to("Kept", here.as_ref(), name).expect_err(disk);
            assert_eq!(error.kind(), ErrorKind::InvalidInput, "{disk}: {name:?}");
        }
        found.dir.remove_file("System").unwrap();
        root.move_to("Kept", here.as_ref(), "System").unwrap();
        root.sync().unwrap();
        assert!(root.find(&["Windows", "System"]).unwrap().is_some());
    });
}

/// FAT on an unmounted disk renames no folder, and says so.
#[test]
fn a_folder_is_renamed_with_all_in_it() {
    each(|disk, root| {
        let before = root.find(&["Windows", "System"]).unwrap().expect(disk);
        let before = before.metadata.identity;
        let can = root.can_rename_folder("Windows", "Kept");
        match root.rename_folder("Windows", "Kept") {
            Err(error) if error.kind() == ErrorKind::Unsupported => {
                assert_eq!(can.unwrap_err().kind(), ErrorKind::Unsupported, "{disk}");
                assert!(!disk.starts_with("NTFS"), "{disk}");
                assert!(root.find(&["Windows", "System"]).unwrap().is_some());
                return;
            }
            // An unmounted disk can be changed only if it is open for writing.
            Err(_) if disk == "NTFS on a device" => return can.unwrap(),
            renamed => renamed.unwrap_or_else(|error| panic!("{disk}: {error}")),
        }
        can.unwrap_or_else(|error| panic!("{disk}: {error}"));
        assert_eq!(root.kind("Windows").unwrap(), None, "{disk}");
        let file = root.find(&["Kept", "System"]).unwrap().expect(disk);
        assert_eq!(file.metadata.identity, before, "{disk}");
        root.create_dir("windows").unwrap();
        for taken in [
            root.can_rename_folder("Kept", "Windows").expect_err(disk),
            root.rename_folder("Kept", "Windows").expect_err(disk),
        ] {
            assert_eq!(taken.kind(), ErrorKind::AlreadyExists, "{disk}");
        }
        root.remove_dir("windows").unwrap();
        let folder = root.open_dir("Kept").unwrap();
        for file in [
            folder.can_rename_folder("System", "x").unwrap_err(),
            folder.rename_folder("System", "x").unwrap_err(),
        ] {
            assert_eq!(file.kind(), ErrorKind::NotADirectory, "{disk}");
        }
        assert!(folder.rename_folder("nothing", "x").is_err(), "{disk}");
        assert!(root.rename_folder("Kept", "../x").is_err(), "{disk}");
        drop(folder);
        root.rename_folder("Kept", "Windows").unwrap();
        root.sync().unwrap();
        assert!(root.find(&["Windows", "System"]).unwrap().is_some());
    });
}

fn root_of(folder: &dyn Dir) -> Box<dyn Dir> {
    folder.try_clone().unwrap()
}
