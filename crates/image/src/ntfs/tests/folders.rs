use std::collections::BTreeSet;
use std::fs;

use super::image::Image;
use super::*;

fn names(volume: &Volume, folder: FileId) -> Vec<String> {
    let entries = volume
        .list(folder)
        .unwrap_or_else(|error| panic!("{error}"));
    entries
        .iter()
        .map(|entry| String::from_utf16_lossy(&entry.name))
        .collect()
}

/// All names that are found for a name.
fn all_names(volume: &Volume, folder: FileId, name: &str) -> Vec<String> {
    let name: Vec<u16> = name.encode_utf16().collect();
    let found = volume
        .find_all(folder, &name)
        .unwrap_or_else(|error| panic!("{error}"));
    found
        .iter()
        .map(|entry| String::from_utf16_lossy(&entry.name))
        .collect()
}

#[test]
fn a_folder_of_thousands_is_listed_whole_and_every_name_is_found() {
    const COUNT: usize = 3000;
    for arguments in [
        &["-c", "4096"][..],
        &["-c", "512"],
        &["-c", "65536"],
        &["-s", "4096"],
    ] {
        let Some(image) = Image::make(24, arguments) else {
            return;
        };
        let filled = image.mounted("defaults", |folder| {
            fs::create_dir(folder.join("many")).expect("a folder");
            for number in 0..COUNT {
                let name = format!("many/Name of file {}", number * 7919 % COUNT);
                fs::File::create(folder.join(name)).expect("a file");
            }
        });
        if filled.is_none() {
            return;
        }
        let (volume, device) = image.open();
        let before = device.bytes();
        let folder = id(&volume, "many");
        let entries = volume.list(folder).expect("listed");
        let expected: BTreeSet<String> = (0..COUNT)
            .map(|number| format!("Name of file {number}"))
            .collect();
        let listed: BTreeSet<String> = names(&volume, folder).into_iter().collect();
        assert_eq!(entries.len(), COUNT, "{arguments:?}");
        assert_eq!(listed, expected);
        for entry in &entries {
            let shouted = String::from_utf16_lossy(&entry.name).to_uppercase();
            let shouted: Vec<u16> = shouted.encode_utf16().collect();
            let found = volume.find(folder, &shouted).expect("sound");
            assert_eq!(found.as_ref(), Some(entry));
            let all = volume.find_all(folder, &shouted).expect("sound");
            assert_eq!(all.as_slice(), std::slice::from_ref(entry));
        }
        for missing in [
            "",
            "name",
            "Name of file 3000",
            "name of file 1x",
            "zzz",
            "\u{1}",
        ] {
            let missing: Vec<u16> = missing.encode_utf16().collect();
            assert_eq!(volume.find(folder, &missing).expect("sound"), None);
            assert_eq!(volume.find_all(folder, &missing).expect("sound"), []);
        }
        let ids: Vec<FileId> = entries.iter().map(|entry| entry.id).collect();
        let members: Vec<_> = entries.iter().map(|entry| entry.member(folder)).collect();
        let all = volume.metadata_of_all(&members);
        for (id, found) in ids.iter().zip(all) {
            assert_eq!(found.expect("sound"), volume.metadata(*id).expect("sound"));
        }
        assert!(device.bytes() == before, "reading has written");
    }
}

#[test]
fn among_names_that_differ_in_case_the_exact_one_is_found() {
    let Some(image) = Image::make(12, &[]) else {
        return;
    };
    // These are so many that they need several nodes.
    let spellings: Vec<String> = (0..64_u32)
        .map(|bits| {
            let letter = |(index, letter): (usize, char)| match bits >> index & 1 {
                0 => letter,
                _ => letter.to_ascii_uppercase(),
            };
            "abcdef"
                .chars()
                .enumerate()
                .map(letter)
                .chain("gh ij".repeat(12).chars())
                .collect()
        })
        .collect();
    let filled = image.mounted("defaults", |folder| {
        fs::write(folder.join("SYSTEM"), b"upper").expect("written");
        fs::write(folder.join("System"), b"mixed").expect("written");
        fs::create_dir(folder.join("d")).expect("a folder");
        for spelling in &spellings {
            fs::write(folder.join("d").join(spelling), spelling).expect("written");
        }
    });
    if filled.is_none() {
        return;
    }
    let (volume, _) = image.open();
    assert_eq!(read(&open(&volume, "SYSTEM")), b"upper");
    assert_eq!(read(&open(&volume, "System")), b"mixed");
    assert!(lookup(&volume, "system").expect("sound").is_some());
    let root = volume.root();
    assert_eq!(all_names(&volume, root, "system"), ["SYSTEM", "System"]);
    assert_eq!(all_names(&volume, root, "systeM3"), [""; 0]);
    let mut sorted = spellings.clone();
    sorted.sort();
    let folder = id(&volume, "d");
    assert_eq!(all_names(&volume, folder, &spellings[17]), sorted);
    for spelling in &spellings {
        assert_eq!(
            read(&open(&volume, &format!("D/{spelling}"))),
            spelling.as_bytes()
        );
        let other = format!("d/{}", spelling.replace('g', "G"));
        assert!(lookup(&volume, &other).expect("sound").is_some());
    }
}

#[test]
fn names_beyond_ascii_are_found_by_the_table_of_the_volume() {
    let Some(image) = Image::make(12, &[]) else {
        return;
    };
    let filled = image.mounted("defaults", |folder| {
        for name in ["Größe", "ЖУРНАЛ", "日本語", "😀 emoji"] {
            fs::write(folder.join(name), name).expect("written");
        }
    });
    if filled.is_none() {
        return;
    }
    let (volume, _) = image.open();
    for (name, spelled) in [
        ("GRÖßE", "Größe"),
        ("журнал", "ЖУРНАЛ"),
        ("日本語", "日本語"),
        ("😀 EMOJI", "😀 emoji"),
    ] {
        assert_eq!(read(&open(&volume, name)), spelled.as_bytes());
    }
    // By this table, Windows does not treat these two as one letter.
    assert_eq!(lookup(&volume, "GRÖSSE").expect("sound"), None);
}

#[test]
fn short_names_are_found_and_not_listed() {
    let Some(image) = Image::make(12, &[]) else {
        return;
    };
    let filled = image.mounted("defaults", |folder| {
        let path = folder.join("A long name.text");
        fs::write(&path, b"data").expect("written");
        let set = std::process::Command::new("setfattr")
            .args(["-n", "system.ntfs_dos_name", "-v", "ALONGN~1.TEX"])
            .arg(&path)
            .status();
        assert!(set.is_ok_and(|status| status.success()), "setfattr");
    });
    if filled.is_none() {
        return;
    }
    let (volume, _) = image.open();
    assert_eq!(read(&open(&volume, "alongn~1.tex")), b"data");
    for name in ["alongn~1.tex", "ALONGN~1.TEX", "a LONG name.text"] {
        let found = all_names(&volume, volume.root(), name);
        assert_eq!(found, ["A long name.text"], "{name}");
    }
    let listed = names(&volume, volume.root());
    assert!(listed.contains(&"A long name.text".to_owned()));
    assert!(!listed.contains(&"ALONGN~1.TEX".to_owned()));
    assert_eq!(
        volume
            .metadata(id(&volume, "a long name.text"))
            .expect("sound")
            .links,
        1
    );
}

#[test]
fn deep_folders_are_reached() {
    let Some(image) = Image::make(12, &[]) else {
        return;
    };
    let path = vec!["Folder"; 60].join("/");
    let filled = image.mounted("defaults", |folder| {
        fs::create_dir_all(folder.join(&path)).expect("folders");
        fs::write(folder.join(&path).join("file"), b"deep").expect("written");
    });
    if filled.is_none() {
        return;
    }
    let (volume, _) = image.open();
    assert_eq!(
        read(&open(&volume, &format!("{}/FILE", path.to_lowercase()))),
        b"deep"
    );
    let error = volume
        .list(id(&volume, &format!("{path}/file")))
        .expect_err("a file");
    assert!(matches!(error, VolumeError::NotAFolder(_)), "{error}");
}
