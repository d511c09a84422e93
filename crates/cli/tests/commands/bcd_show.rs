//! `diskmend bcd show`, and the places where it finds a store.

use std::fs;

use crate::bcd_store::{BIOS, Disk, EFI, LOADER, UNKNOWN, reopen, set, store_file, text};
use crate::fixture::{files, hive_file};
use crate::program::diskmend;

use diskmend_bcd::ElementId;

#[test]
fn a_store_is_listed_as_bcdedit_lists_it() {
    let disk = Disk::new(&BIOS);
    let before = disk.bytes();
    let shown = disk.bcd("show", &[]).ends(0).stdout;
    assert!(
        shown.starts_with(
            "Windows Boot Manager\n\
             --------------------\n\
             identifier              {bootmgr}\n\
             inherit                 {globalsettings}\n\
             default                 {default}\n\
             displayorder            {default}\n\
             timeout                 30\n\
             \n\
             Windows Boot Loader\n\
             -------------------\n\
             identifier              {default}\n"
        ),
        "{shown}"
    );
    assert!(
        shown.contains("custom:26000fff         Yes\n"),
        "unknown elements are listed:\n{shown}"
    );
    let verbose = disk.bcd("show", &["-v"]).ends(0).stdout;
    let line = format!("default                 {LOADER}\n");
    assert!(verbose.contains(&line), "{verbose}");
    assert!(!verbose.contains("{default}"), "{verbose}");
    assert_eq!(disk.bytes(), before);
    assert!(!disk.path("diskmend").exists());
}

#[test]
fn one_object_is_listed_by_any_of_its_names() {
    let disk = Disk::new(&BIOS);
    let guid = LOADER.to_string();
    let upper = guid.to_uppercase();
    let bare = guid.trim_matches(['{', '}']);
    for name in ["{default}", "default", "{CURRENT}", &guid, &upper, bare] {
        let object = disk.object(name);
        assert_eq!(object["guid"], guid, "{name}");
        assert_eq!(object["identifier"], "{default}");
        assert_eq!(object["type"], "0x10200003");
    }
    disk.bcd("show", &["{nonsense}"])
        .ends(2)
        .says("is not an object")
        .says("hint: name it by its GUID");
    disk.bcd("show", &["{memdiag}"])
        .ends(1)
        .says("does not exist in this store")
        .says("hint: 'diskmend bcd show STORE' lists the objects");
}

#[test]
fn json_has_ids_typed_values_and_bytes() {
    let disk = Disk::new(&BIOS);
    let timeout = disk.element("{bootmgr}", "0x25000004");
    assert_eq!(timeout["name"], "timeout");
    assert_eq!(timeout["format"], "integer");
    assert_eq!(timeout["value"], 30);
    assert_eq!(timeout["type"], "REG_BINARY");
    assert_eq!(timeout["hex"], "1e00000000000000");
    let order = disk.element("{bootmgr}", "0x24000001");
    assert_eq!(order["value"][0], LOADER.to_string());
    assert_eq!(order["shown"][0], "{default}");
    let unknown = disk.element("{default}", &format!("0x{UNKNOWN}"));
    assert_eq!(unknown["value"], true);
    assert_eq!(disk.element("{default}", "0x21000001")["value"], "boot");
}

#[test]
fn both_places_of_a_store_are_searched_in_any_case() {
    for place in [
        BIOS.as_slice(),
        &["BOOT", "bcd"],
        &EFI,
        &["efi", "MICROSOFT", "boot", "Bcd"],
    ] {
        let disk = Disk::new(place);
        disk.bcd("show", &[]).ends(0);
        diskmend(["bcd", "show", disk.store()]).ends(0);
    }
}

#[test]
fn several_stores_are_listed_and_none_is_chosen() {
    let disk = Disk::new(&BIOS);
    let efi = disk.path("EFI").join("Microsoft").join("Boot");
    fs::create_dir_all(&efi).expect("a writable folder");
    let efi = efi.join("BCD");
    fs::copy(disk.store(), &efi).expect("a copy");
    let efi = efi.to_str().expect("UTF-8");
    let before = disk.bytes();
    disk.bcd("show", &[]).ends(5).says(disk.store()).says(efi);
    disk.bcd("set", &["{bootmgr}", "timeout", "5", "--yes"])
        .ends(5)
        .says(disk.store())
        .says(efi);
    diskmend(["bcd", "show", efi]).ends(0);
    assert_eq!(disk.bytes(), before);
}

#[test]
fn without_a_store_the_usual_places_are_named() {
    let folder = tempfile::TempDir::new().expect("a temporary folder");
    let root = folder.path().to_str().expect("UTF-8");
    diskmend(["bcd", "show", root])
        .ends(1)
        .says("no boot store on this volume")
        .says("hint: on BIOS machines");
    let missing = folder.path().join("BCD");
    let missing = missing.to_str().expect("UTF-8");
    diskmend(["bcd", "show", missing]).ends(1).says(missing);
    // A file in the place of a folder is also not a store.
    fs::write(folder.path().join("Boot"), b"x").expect("writable");
    diskmend(["bcd", "show", root])
        .ends(1)
        .says("no boot store on this volume");
}

#[cfg(unix)]
#[test]
fn a_link_on_the_way_to_the_store_is_not_followed() {
    let disk = Disk::new(&BIOS);
    let other = tempfile::TempDir::new().expect("a temporary folder");
    let root = other.path();
    std::os::unix::fs::symlink(disk.path("Boot"), root.join("Boot")).expect("a link");
    let run = diskmend(["bcd", "show", root.to_str().expect("UTF-8")]).ends(1);
    assert!(run.stderr.contains("link"), "{}", run.stderr);
}

#[test]
fn another_hive_is_not_a_store() {
    let folder = tempfile::TempDir::new().expect("a temporary folder");
    let file = folder.path().join("SYSTEM");
    hive_file(&file, |editor| {
        editor.create_key("Select").expect("valid");
    });
    let file = file.to_str().expect("UTF-8");
    for verb in ["show", "export"] {
        diskmend(["bcd", verb, file])
            .ends(1)
            .says("this hive is not a boot store")
            .says("hint: boot stores are");
    }
    diskmend(["bcd", "set", file, "{bootmgr}", "timeout", "5", "--yes"])
        .ends(1)
        .says("this hive is not a boot store");
}

#[test]
fn nothing_in_a_store_can_command_the_terminal() {
    let disk = Disk::new(&BIOS);
    let hostile = "a\u{1b}]0;title\u{7}\u{9b}31m\u{202e}b";
    store_file(
        disk.store().as_ref(),
        &[set(LOADER, ElementId::DESCRIPTION, text(hostile))],
    );
    for run in [
        disk.bcd("show", &[]),
        disk.bcd("check", &[]),
        disk.bcd("set", &["{default}", "description", hostile, "--yes"]),
        disk.bcd("set", &["{default}", "description", "plain", "--yes"]),
        disk.bcd("show", &[hostile]),
    ] {
        for text in [&run.stdout, &run.stderr] {
            let commands = |c: char| (c.is_control() && c != '\n') || c == '\u{202e}';
            assert!(!text.contains(commands), "{text:?}");
        }
    }
}

#[test]
fn a_store_that_was_not_closed_is_shown_recovered_and_not_written() {
    let disk = Disk::new(&BIOS);
    let before = disk.bytes();
    disk.bcd("set", &["{bootmgr}", "timeout", "7", "--yes"])
        .ends(0);
    reopen(&disk, &before);
    let dirty = files(&disk.path("Boot"));
    let run = disk
        .bcd("show", &["{bootmgr}"])
        .ends(0)
        .says("not closed cleanly");
    assert!(run.stdout.contains("timeout                 7\n"));
    let check = disk.bcd("check", &[]).ends(3);
    assert!(
        check.stdout.contains("not closed cleanly"),
        "{}",
        check.stdout
    );
    disk.bcd("export", &[]).ends(0).says("not closed cleanly");
    assert_eq!(files(&disk.path("Boot")), dirty);
    disk.bcd("set", &["{bootmgr}", "displaybootmenu", "yes", "--yes"])
        .ends(0);
    assert_eq!(disk.element("{bootmgr}", "0x25000004")["value"], 7);
    assert_eq!(disk.element("{bootmgr}", "0x26000020")["value"], true);
    diskmend(["undo", disk.root(), "--yes"]).ends(0);
    assert_eq!(files(&disk.path("Boot")), dirty);
}

/// `hive ls` showed a dirty hive without logs, and `bcd show` refused the same file.
#[test]
fn a_store_without_its_logs_is_shown_as_it_is_with_a_warning() {
    let disk = Disk::new(&BIOS);
    let before = disk.bytes();
    disk.bcd("set", &["{bootmgr}", "timeout", "7", "--yes"])
        .ends(0);
    reopen(&disk, &before);
    for log in ["BCD.LOG", "BCD.LOG1", "BCD.LOG2"] {
        let _ = std::fs::remove_file(disk.path("Boot").join(log));
    }
    let dirty = files(&disk.path("Boot"));
    for verb in ["show", "export"] {
        let run = disk
            .bcd(verb, &[])
            .ends(0)
            .says("warning: ")
            .says("the file is shown as it is");
        assert!(run.stdout.contains("timeout"), "{}", run.stdout);
    }
    disk.bcd("set", &["{bootmgr}", "timeout", "8", "--yes"])
        .ends(1);
    assert_eq!(files(&disk.path("Boot")), dirty);
}
