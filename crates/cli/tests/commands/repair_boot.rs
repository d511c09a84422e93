//! `diskmend repair` with recipes for the boot store.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use diskmend_bcd::ElementId;
use serde_json::Value;

use crate::bcd_store::{BIOS, Disk, EFI, LOADER, set, store_file, text};
use crate::fixture::{hive_file, system};
use crate::other_readers::hivexget;
use crate::program::{Run, diskmend};

/// Every file of a disk except for undo data.
fn files(disk: &Disk) -> BTreeMap<PathBuf, Vec<u8>> {
    fn walk(folder: &Path, files: &mut BTreeMap<PathBuf, Vec<u8>>) {
        for entry in fs::read_dir(folder).expect("a folder") {
            let path = entry.expect("readable").path();
            match path.is_dir() {
                true if path.ends_with("diskmend") => {}
                true => walk(&path, files),
                false => {
                    let bytes = fs::read(&path).expect("a file");
                    files.insert(path, bytes);
                }
            }
        }
    }
    let mut all = BTreeMap::new();
    walk(disk.folder.path(), &mut all);
    all
}

/// The recipes of `rdp-internal-error` without the permissions, which a plain folder does not have.
const SETTINGS: [&str; 4] = ["tls", "nla", "crash-dump", "serial-console"];

/// A disk with a boot store and a loader that starts Windows.
fn bootable(place: &[&str]) -> Disk {
    let disk = Disk::new(place);
    let path = text(r"\Windows\system32\winload.exe");
    let path = set(LOADER, ElementId::APPLICATION_PATH, path);
    store_file(disk.store().as_ref(), &[path]);
    disk
}

/// Adds a SYSTEM hive to a disk.
fn with_windows(disk: Disk) -> Disk {
    let config = disk.path("Windows").join("System32").join("config");
    fs::create_dir_all(&config).expect("a writable folder");
    hive_file(&config.join("SYSTEM"), system);
    disk
}

/// A disk with a Windows but without a boot store.
fn without_store() -> Disk {
    let disk = with_windows(bootable(&BIOS));
    fs::remove_dir_all(disk.path("Boot")).expect("removable");
    disk
}

fn repair(disk: &Disk, args: &[&str]) -> Run {
    let mut all = vec!["repair", disk.root(), "--yes"];
    all.extend(args);
    diskmend(all)
}

#[track_caller]
fn has_console(disk: &Disk, port: u64, rate: u64) {
    for (object, id, value) in [
        ("{bootmgr}", "0x26000020", Value::Bool(true)),
        ("{bootmgr}", "0x25000004", 5.into()),
        ("{bootmgr}", "0x16000020", Value::Bool(true)),
        ("{default}", "0x260000b0", Value::Bool(true)),
        ("{emssettings}", "0x15000022", port.into()),
        ("{emssettings}", "0x15000023", rate.into()),
    ] {
        let element = disk.element(object, id);
        assert_eq!(element["value"], value, "{object} {id}: {element}");
    }
}

#[test]
fn the_whole_repair_is_one_run_with_one_undo() {
    for place in [&BIOS[..], &EFI[..]] {
        let disk = with_windows(bootable(place));
        let before = files(&disk);
        let run = diskmend([&["plan", disk.root()][..], &SETTINGS].concat()).ends(3);
        assert!(run.stdout.contains("{bootmgr}"), "{}", run.stdout);
        assert!(run.stdout.contains("-> Yes"), "{}", run.stdout);
        assert_eq!(files(&disk), before);

        repair(&disk, &SETTINGS).ends(0);
        has_console(&disk, 1, 115_200);
        let repaired = files(&disk);
        let again = repair(&disk, &SETTINGS).ends(0);
        assert!(again.stdout.contains("nothing to do"), "{}", again.stdout);
        assert_eq!(files(&disk), repaired);
        diskmend([&["inspect", disk.root()][..], &SETTINGS].concat()).ends(0);

        diskmend(["undo", disk.root(), "--yes"]).ends(0);
        assert_eq!(files(&disk), before);
    }
}

/// The volume has no drive letter and is named by its volume name. The tests of the disk crate say
/// how it is made.
#[cfg(windows)]
#[test]
fn a_store_on_a_volume_without_a_letter_is_repaired_and_undone() {
    let drives = std::env::var("DISKMEND_TEST_DRIVES").unwrap_or_default();
    let Some(volume) = drives.split('|').find(|path| path.contains("{")) else {
        println!("SKIPPED: DISKMEND_TEST_DRIVES names no volume");
        return;
    };
    let disk = without_store();
    let folder = Path::new(volume).join("EFI").join("Microsoft").join("Boot");
    fs::create_dir_all(&folder).expect("a writable volume");
    let store = folder.join("BCD");
    fs::copy(bootable(&EFI).store(), &store).expect("a writable volume");
    let (before, bytes) = (files(&disk), fs::read(&store).expect("a store"));
    for typed in [volume, volume.trim_end_matches('\\')] {
        let run = repair(&disk, &["tls", "serial-console", "--boot-volume", typed]);
        let shown = format!(r"{volume}EFI\Microsoft\Boot\BCD");
        assert!(run.ends(0).stdout.contains(&shown), "{typed}");
        assert_ne!(fs::read(&store).expect("a store"), bytes);
        // It is not a volume of the target's disk, and other volumes are used only if they are
        // named.
        diskmend(["undo", disk.root(), "--yes"]).ends(5);
        diskmend(["undo", disk.root(), "--boot-volume", typed, "--yes"]).ends(0);
        assert_eq!(files(&disk), before, "{typed}");
        assert_eq!(fs::read(&store).expect("a store"), bytes);
    }
    fs::remove_dir_all(Path::new(volume).join("EFI")).expect("removable");
}

#[test]
fn port_and_baud_rate_can_be_chosen() {
    let disk = with_windows(bootable(&BIOS));
    let port = ["--ems-port", "2", "--ems-baud-rate", "57600"];
    repair(&disk, &[&["serial-console"][..], &port].concat()).ends(0);
    has_console(&disk, 2, 57_600);
    repair(&disk, &[&["tls"][..], &port].concat())
        .ends(2)
        .says("none of these recipes sets a serial port");
    for wrong in [["--ems-port", "5"], ["--ems-baud-rate", "1234"]] {
        repair(&disk, &[&["serial-console"][..], &wrong].concat()).ends(2);
    }
}

#[test]
fn without_a_store_the_rest_is_done_with_4_and_a_store_alone_is_refused_with_5() {
    let disk = without_store();
    repair(&disk, &["rdp-internal-error"])
        .ends(4)
        .says("BCD is left alone: no boot store")
        .says("--boot-volume");
    diskmend(["inspect", disk.root(), "rdp-internal-error"])
        .ends(0)
        .says("no boot store");
    repair(&disk, &["serial-console"])
        .ends(5)
        .says("no boot store")
        .says(if cfg!(windows) {
            "hint: --boot-volume VOLUME names the boot partition"
        } else {
            "hint: mount the boot partition"
        });
    repair(&disk, &["--auto"]).ends(0);
}

#[test]
fn a_store_on_another_volume_is_found_there_when_it_is_undone() {
    let disk = without_store();
    let boot = bootable(&["efi", "MICROSOFT", "Boot", "bcd"]);
    let (before, boot_before) = (files(&disk), files(&boot));
    let boot_volume = ["--boot-volume", boot.root()];
    let document = repair(&disk, &[&SETTINGS[..], &["--json"], &boot_volume].concat())
        .ends(0)
        .json();
    let volume = document["hives"][1]["volume"].as_str().expect("a path");
    assert!(Path::new(volume).is_absolute(), "{volume}");
    has_console(&boot, 1, 115_200);
    assert!(!boot.path("diskmend").exists());

    // The volume is now mounted elsewhere, and another one is in its old place.
    let moved = bootable(&EFI);
    fs::remove_dir_all(moved.path("EFI")).expect("removable");
    fs::rename(boot.path("efi"), moved.path("efi")).expect("movable");
    let repaired = files(&disk);
    diskmend(["undo", disk.root(), "--yes"])
        .ends(5)
        .says("the boot store of this run was on that volume")
        .says("--boot-volume");
    assert_eq!(files(&disk), repaired);
    diskmend(["undo", disk.root(), "--yes", "--boot-volume", moved.root()]).ends(0);
    assert_eq!(files(&disk), before);
    fs::rename(moved.path("efi"), boot.path("efi")).expect("movable");
    assert_eq!(files(&boot), boot_before);

    // Even if everything is in its place, a path is not used because a journal names it.
    repair(&disk, &[&["serial-console"][..], &boot_volume].concat()).ends(0);
    diskmend(["undo", disk.root(), "--yes"])
        .ends(5)
        .says("--boot-volume");
    diskmend([&["undo", disk.root(), "--yes"][..], &boot_volume].concat()).ends(0);
    assert_eq!(files(&boot), boot_before);
}

#[test]
fn several_stores_are_listed_until_one_is_named() {
    let disk = with_windows(bootable(&BIOS));
    let efi = disk.path("EFI").join("Microsoft").join("Boot");
    fs::create_dir_all(&efi).expect("a writable folder");
    let efi = efi.join("BCD");
    fs::copy(disk.store(), &efi).expect("a copy");
    let before = files(&disk);
    repair(&disk, &["serial-console"])
        .ends(5)
        .says("Boot/BCD: it fits; EFI/Microsoft/Boot/BCD: it fits")
        .says("--store FILE");
    assert_eq!(files(&disk), before);
    repair(&disk, &["serial-console", "--store", disk.store()]).ends(0);
    assert!(fs::read(disk.store()).expect("readable") != before[Path::new(disk.store())]);
    assert!(fs::read(&efi).expect("readable") == before[&efi]);
    diskmend(["undo", disk.root(), "--yes"]).ends(0);
    assert_eq!(files(&disk), before);
}

#[test]
fn a_loader_of_another_windows_is_never_taken() {
    let disk = with_windows(bootable(&BIOS));
    disk.bcd("set", &["{default}", "systemroot", r"\Other", "--yes"])
        .ends(0);
    let before = files(&disk);
    let loader = LOADER.to_string();
    for more in [
        &[][..],
        &["--all-loaders"],
        &["--store", disk.store()],
        &["--loader", &loader],
    ] {
        repair(&disk, &[&["serial-console"][..], more].concat())
            .ends(5)
            .says(r"its systemroot is \Other");
    }
    assert_eq!(files(&disk), before);
}

#[cfg(unix)]
#[test]
fn a_store_behind_a_link_is_refused() {
    let disk = without_store();
    let other = bootable(&BIOS);
    let before = files(&other);
    std::os::unix::fs::symlink(other.path("Boot"), disk.path("Boot")).expect("a link");
    repair(&disk, &["serial-console"]).says("link");
    assert_eq!(files(&other), before);
}

#[test]
fn safe_mode_is_a_fault_that_auto_ends() {
    let disk = with_windows(bootable(&EFI));
    repair(&disk, &["--auto"]).ends(0);
    repair(&disk, &["safe-mode-on", "safe-mode-off"])
        .ends(2)
        .says("want different things of safeboot of {loader}");
    repair(&disk, &["safe-mode-on"]).ends(0);
    diskmend(["inspect", disk.root(), "safe-mode-off"]).ends(3);
    repair(&disk, &["--auto"]).ends(0);
    assert_eq!(disk.element("{default}", "0x25000080"), Value::Null);
    let run = diskmend(["inspect", disk.root(), "safe-mode-off"]).ends(0);
    assert!(run.stdout.contains("0 faults"), "{}", run.stdout);
}

#[test]
fn the_recipes_show_their_elements() {
    let run = diskmend(["recipes", "serial-console"]).ends(0);
    for line in [
        "Boot store {loader}",
        "  ems = Yes",
        "  emsbaudrate = 115200",
    ] {
        assert!(run.stdout.contains(line), "{}", run.stdout);
    }
    let document = diskmend(["recipes", "safe-mode-off", "--json"])
        .ends(0)
        .json();
    let element = &document["recipes"][0]["bcd"][0];
    assert_eq!(element["name"], "safeboot");
    assert_eq!(element["desired"], Value::Null);
    assert_eq!(element["can_be_fault"], true);
}

#[test]
fn real_hives_and_stores_are_repaired_read_by_others_and_undone() {
    let Some(corpus) = std::env::var_os("DISKMEND_CORPUS").map(PathBuf::from) else {
        println!("SKIPPED: DISKMEND_CORPUS is not set: no real disk was tried");
        return;
    };
    for (store, place) in [
        ("windeploy-linux/BCD", &BIOS[..]),
        ("windeploy-linux/BCD-efi", &EFI),
        ("regipy/BCD", &EFI),
    ] {
        let bytes = fs::read(corpus.join("bcd").join(store)).expect("the corpus");
        let disk = with_windows(Disk::of(place, &bytes));
        let config = disk.path("Windows").join("System32").join("config");
        for suffix in ["", ".LOG1", ".LOG2"] {
            let from = corpus
                .join("hives/regipy")
                .join(format!("SYSTEM_B{suffix}"));
            fs::copy(from, config.join(format!("SYSTEM{suffix}"))).expect("a copy");
        }
        let before = files(&disk);
        repair(&disk, &SETTINGS).ends(0);
        disk.bcd("check", &[]).ends(0);
        has_console(&disk, 1, 115_200);
        second_reader(&disk);
        let repaired = files(&disk);
        repair(&disk, &SETTINGS).ends(0);
        assert_eq!(files(&disk), repaired, "{store}");
        diskmend(["undo", disk.root(), "--yes"]).ends(0);
        assert_eq!(files(&disk), before, "{store}");
    }
}

/// Compares the elements with those that hivex reads.
fn second_reader(disk: &Disk) {
    let loader = disk.object("{default}")["guid"].clone();
    let loader = loader.as_str().expect("a GUID");
    let boot_manager = "{9dea862c-5cdd-4e70-acc1-f32b344d4795}";
    let settings = "{0ce4991b-e6b3-4b16-b23c-5e0d9250e5d9}";
    for (object, element, bytes) in [
        (boot_manager, "26000020", &[1][..]),
        (boot_manager, "25000004", &[5, 0, 0, 0, 0, 0, 0, 0]),
        (boot_manager, "16000020", &[1]),
        (loader, "260000b0", &[1]),
        (settings, "15000022", &[1, 0, 0, 0, 0, 0, 0, 0]),
        (settings, "15000023", &[0, 0xc2, 1, 0, 0, 0, 0, 0]),
    ] {
        let key = format!(r"Objects\{object}\Elements\{element}");
        if let Some(theirs) = hivexget(disk.store(), &key, "Element") {
            assert_eq!(theirs, bytes, "{key}");
        }
    }
}
