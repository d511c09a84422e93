//! Generated and real boot stores are shown, changed, read by independent readers, and undone byte
//! for byte.

use std::fs;
use std::path::Path;

use serde_json::Value;

use crate::bcd_store::{BIOS, Disk, EFI};
use crate::other_readers::{hivexget, regipy};
use crate::program::diskmend;

const STORES: [(&str, &[&str]); 3] = [
    ("windeploy-linux/BCD", &BIOS),
    ("windeploy-linux/BCD-efi", &EFI),
    ("regipy/BCD", &EFI),
];

const FIXTURES: [(&str, &[&str]); 2] = [("bcd-bios/BCD", &BIOS), ("bcd-efi/BCD", &EFI)];

/// Disks with the generated stores, and with the real ones of the corpus.
fn disks() -> Vec<(&'static str, Disk)> {
    let fixtures = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fixtures");
    let mut disks = disks_of(&fixtures, &FIXTURES);
    match std::env::var_os("DISKMEND_CORPUS") {
        Some(corpus) => disks.extend(disks_of(&Path::new(&corpus).join("bcd"), &STORES)),
        None => println!("SKIPPED: DISKMEND_CORPUS is not set: no real boot store was tried"),
    }
    disks
}

fn disks_of(folder: &Path, stores: &[(&'static str, &[&str])]) -> Vec<(&'static str, Disk)> {
    let disk = |(name, place): &(&'static str, &[&str])| {
        let bytes = fs::read(folder.join(name)).expect("a store");
        (*name, Disk::of(place, &bytes))
    };
    stores.iter().map(disk).collect()
}

/// Every object with its content, without the named elements.
fn objects(disk: &Disk, without: &[&str]) -> Vec<Value> {
    let document = disk.bcd("show", &["--json"]).ends(0).json();
    let mut objects = document["objects"].as_array().expect("a list").clone();
    for object in &mut objects {
        let elements = object["elements"].as_array_mut().expect("a list");
        elements.retain(|element| !without.iter().any(|id| element["id"] == *id));
    }
    objects
}

#[test]
fn elements_are_set_deleted_and_undone_byte_for_byte() {
    for (name, disk) in disks() {
        let before = disk.bytes();
        disk.bcd("check", &[]).ends(0);
        let untouched = ["0x26000020", "0x25000004", "0x260000b0"];
        let objects_before = objects(&disk, &untouched);
        assert_eq!(disk.bytes(), before, "{name}: reading writes nothing");

        disk.bcd("set", &["{bootmgr}", "displaybootmenu", "yes", "--yes"])
            .ends(0);
        disk.bcd("set", &["{bootmgr}", "timeout", "5", "--yes"])
            .ends(0);
        disk.bcd("set", &["{default}", "ems", "on", "--yes"])
            .ends(0);
        disk.bcd("check", &[]).ends(0);
        assert_eq!(objects(&disk, &untouched), objects_before, "{name}");
        let loader = disk.object("{default}")["guid"].clone();
        let loader = loader.as_str().expect("a GUID");
        let bootmgr = "{9dea862c-5cdd-4e70-acc1-f32b344d4795}";
        for (object, element, bytes) in [
            (bootmgr, "26000020", vec![1]),
            (bootmgr, "25000004", vec![5, 0, 0, 0, 0, 0, 0, 0]),
            (loader, "260000b0", vec![1]),
        ] {
            let key = format!(r"Objects\{object}\Elements\{element}");
            if let Some(theirs) = hivexget(disk.store(), &key, "Element") {
                assert_eq!(theirs, bytes, "{key}");
            }
            if let Some(theirs) = regipy(disk.store(), &key, "Element") {
                let hex: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
                assert_eq!(theirs, hex, "{key}");
            }
        }

        let set = disk.bytes();
        let run = disk
            .bcd("set", &["{bootmgr}", "timeout", "5", "--yes"])
            .ends(0);
        assert!(run.stdout.contains("nothing to do"), "{}", run.stdout);
        assert!(disk.bytes() == set, "{name}: a second run writes nothing");

        disk.bcd("delete", &["{default}", "ems", "--yes"]).ends(0);
        assert_eq!(disk.element("{default}", "0x260000b0"), Value::Null);
        for _ in 0..4 {
            diskmend(["undo", disk.root(), "--yes"]).ends(0);
        }
        assert!(disk.bytes() == before, "{name}: undone byte for byte");
    }
}

#[test]
fn an_entry_is_copied_deleted_and_undone() {
    for (name, disk) in disks() {
        let before = disk.bytes();
        let objects_before = objects(&disk, &[]);
        let args = ["{default}", "-d", "A copy", "--yes", "--json"];
        let document = disk.bcd("copy", &args).ends(0).json();
        let copy = document["object"].as_str().expect("a GUID");
        disk.bcd("check", &[]).ends(0);
        disk.bcd("delete", &[copy, "--yes"]).ends(0);
        assert_eq!(objects(&disk, &[]), objects_before, "{name}");
        for _ in 0..2 {
            diskmend(["undo", disk.root(), "--yes"]).ends(0);
        }
        assert!(disk.bytes() == before, "{name}: undone byte for byte");
    }
}

#[test]
fn text_makes_the_same_store_again() {
    for (name, disk) in disks() {
        let text = disk.path("text");
        let text = text.to_str().expect("UTF-8");
        disk.bcd("export", &["-o", text]).ends(0);
        let run = disk.bcd("import", &[text, "--yes"]).ends(0);
        assert!(run.stdout.contains("nothing to do"), "{}", run.stdout);
        let other = Disk::new(&BIOS);
        let before = other.bytes();
        other.bcd("import", &[text, "--yes"]).ends(0);
        assert_eq!(objects(&other, &[]), objects(&disk, &[]), "{name}");
        let again = other.bcd("export", &[]).ends(0).stdout;
        assert_eq!(again, fs::read_to_string(text).expect("written"), "{name}");
        other.undo_to(&before);
    }
}
