//! `diskmend bcd set`.

use std::fs;

use crate::bcd_store::{BIOS, Disk, EFI, LOADER};
use crate::program::diskmend;

#[test]
fn each_type_is_stored_as_windows_stores_it() {
    let disk = Disk::new(&BIOS);
    let utf16 = |text: &str| -> String {
        let units = text.encode_utf16().chain([0]);
        let bytes = units.flat_map(u16::to_le_bytes);
        bytes.map(|byte| format!("{byte:02x}")).collect()
    };
    let globalsettings = "{7ea2e1ac-2e61-4728-aaa3-896d9d0a9f0e}";
    for (object, element, value, id, hex) in [
        (
            "{bootmgr}",
            "displaybootmenu",
            "yes",
            "0x26000020",
            "01".to_owned(),
        ),
        (
            "{bootmgr}",
            "displaybootmenu",
            "OFF",
            "0x26000020",
            "00".to_owned(),
        ),
        (
            "{bootmgr}",
            "timeout",
            "0x5",
            "0x25000004",
            "0500000000000000".to_owned(),
        ),
        ("bootmgr", "bootems", "on", "0x16000020", "01".to_owned()),
        ("{default}", "EMS", "on", "0x260000b0", "01".to_owned()),
        (
            "{emssettings}",
            "emsbaudrate",
            "115200",
            "0x15000023",
            "00c2010000000000".to_owned(),
        ),
        (
            "{default}",
            "bootstatuspolicy",
            "ignoreallfailures",
            "0x250000e0",
            "0100000000000000".to_owned(),
        ),
        (
            "{default}",
            "0x25000080",
            "1",
            "0x25000080",
            "0100000000000000".to_owned(),
        ),
        (
            "{default}",
            "custom:26000ffe",
            "no",
            "0x26000ffe",
            "00".to_owned(),
        ),
        (
            "{default}",
            "description",
            "-- é",
            "0x12000004",
            utf16("-- é"),
        ),
        (
            "{bootmgr}",
            "default",
            &LOADER.to_string(),
            "0x23000003",
            utf16(&LOADER.to_string()),
        ),
        (
            "{default}",
            "inherit",
            "{globalsettings}",
            "0x14000006",
            utf16(globalsettings) + "0000",
        ),
        (
            "{default}",
            "custom:17000077",
            "0x15000075",
            "0x17000077",
            "7500001500000000".to_owned(),
        ),
    ] {
        disk.bcd("set", &[object, element, value, "--yes"]).ends(0);
        let found = disk.element(object, id);
        assert_eq!(found["hex"], hex, "{object} {element} {value}");
    }
    disk.bcd("check", &[]).ends(0);
    for device in [
        "boot",
        "mbr disk 0x12345678 offset 0x100000",
        "gpt disk {11111111-2222-3333-4444-555555555555} \
         partition {66666666-7777-8888-9999-aaaaaaaaaaaa}",
    ] {
        disk.bcd("set", &["{default}", "osdevice", device, "--yes"])
            .ends(0);
        assert_eq!(disk.element("{default}", "0x21000001")["value"], device);
    }
}

#[test]
fn changes_are_reported_in_the_words_of_bcdedit() {
    let disk = Disk::new(&BIOS);
    let run = disk
        .bcd("set", &["{bootmgr}", "timeout", "5", "--yes"])
        .ends(0);
    assert!(
        run.stdout
            .starts_with("{bootmgr}  Windows Boot Manager\n  timeout  30  -> 5\n"),
        "{}",
        run.stdout
    );
    let document = disk
        .bcd("set", &["{bootmgr}", "timeout", "6", "--yes", "--json"])
        .ends(0)
        .json();
    assert_eq!(document["outcome"], "done");
    assert_eq!(document["changes"][0]["new"]["hex"], "0600000000000000");
}

#[test]
fn a_value_that_is_already_set_is_not_written() {
    let disk = Disk::new(&BIOS);
    let before = disk.bytes();
    let run = disk
        .bcd("set", &["{BOOTMGR}", "TIMEOUT", "30", "--yes"])
        .ends(0);
    assert!(run.stdout.contains("nothing to do"), "{}", run.stdout);
    assert_eq!(disk.bytes(), before);
    assert!(!disk.path("Boot").join("BCD.LOG1").exists());
}

#[test]
fn an_edit_is_undone_at_the_root_of_the_volume() {
    for place in [BIOS.as_slice(), &EFI, &["boot", "bcd"]] {
        let disk = Disk::new(place);
        let before = disk.bytes();
        disk.bcd("set", &["{bootmgr}", "timeout", "5", "--yes"])
            .ends(0)
            .says("hint: to undo: diskmend undo ");
        assert!(disk.path("diskmend").is_dir(), "{place:?}");
        disk.undo_to(&before);
    }
    // The same holds if the store is named by the path of its file.
    let disk = Disk::new(&EFI);
    let before = disk.bytes();
    diskmend([
        "bcd",
        "set",
        disk.store(),
        "{bootmgr}",
        "timeout",
        "5",
        "--yes",
    ])
    .ends(0);
    disk.undo_to(&before);
}

#[test]
fn the_undo_data_of_a_store_elsewhere_are_beside_it() {
    let disk = Disk::new(&["copy-of-the-store"]);
    let before = disk.bytes();
    diskmend([
        "bcd",
        "set",
        disk.store(),
        "{bootmgr}",
        "timeout",
        "5",
        "--yes",
    ])
    .ends(0);
    disk.undo_to(&before);
}

#[test]
fn values_of_the_wrong_type_are_refused_with_the_type_expected() {
    let disk = Disk::new(&BIOS);
    let before = disk.bytes();
    for (object, element, value, expected) in [
        (
            "{bootmgr}",
            "timeout",
            "soon",
            "type integer: expected a number",
        ),
        ("{bootmgr}", "timeout", "-1", "type integer"),
        (
            "{bootmgr}",
            "timeout",
            "18446744073709551616",
            "type integer",
        ),
        (
            "{bootmgr}",
            "displaybootmenu",
            "2",
            "type boolean: expected yes or no",
        ),
        (
            "{bootmgr}",
            "default",
            "loader",
            "type object: expected a GUID",
        ),
        (
            "{bootmgr}",
            "displayorder",
            "{default} x",
            "type object list",
        ),
        ("{default}", "osdevice", "partition=C:", "type device"),
        ("{default}", "safeboot", "sometimes", "expected Minimal"),
        ("{default}", "custom:17000077", "x", "type integer list"),
        ("{default}", "custom:2f000001", "x", "can't be typed"),
    ] {
        disk.bcd("set", &[object, element, value, "--yes"])
            .ends(2)
            .says(expected);
    }
    disk.bcd("set", &["{bootmgr}", "ems", "on", "--yes"])
        .ends(2)
        .says("is not an element of a Windows Boot Manager")
        .says("hint: a Windows Boot Loader has an element of this name");
    disk.bcd("set", &["{bootmgr}", "nonsense", "on", "--yes"])
        .ends(2)
        .says("hint: name elements as bcdedit does");
    disk.bcd("set", &["{bootmgr}", "timeout", "5"])
        .ends(2)
        .says("hint: add --yes");
    disk.bcd("set", &["{memdiag}", "badmemoryaccess", "yes", "--yes"])
        .ends(1)
        .says("does not exist in this store");
    assert_eq!(disk.bytes(), before);
    assert!(!disk.path("diskmend").exists());
}

#[test]
fn a_refused_change_leaves_a_store_that_was_not_closed_as_it_is() {
    let disk = Disk::new(&BIOS);
    let before = disk.bytes();
    disk.bcd("set", &["{bootmgr}", "timeout", "7", "--yes"])
        .ends(0);
    crate::bcd_store::reopen(&disk, &before);
    let dirty = disk.bytes();
    let text = disk.path("bad.txt");
    fs::write(&text, "diskmend-bcd 1\n[key \"Objects\"]\n").expect("writable");
    disk.bcd("import", &[text.to_str().expect("UTF-8"), "--yes"])
        .ends(5)
        .says("the change would damage the store");
    assert_eq!(disk.bytes(), dirty);
}

#[test]
fn elements_keep_the_spelling_of_their_keys() {
    let disk = Disk::new(&BIOS);
    let exported = disk.bcd("export", &[]).ends(0).stdout;
    let text = disk.path("text");
    let upper = exported.replace(
        "26000fff = boolean yes",
        "16000020 bootems = boolean no\n2600000B = boolean yes",
    );
    assert_ne!(upper, exported);
    fs::write(&text, upper).expect("writable");
    disk.bcd("import", &[text.to_str().expect("UTF-8"), "--yes"])
        .ends(0);
    disk.bcd("set", &["{default}", "0x2600000b", "no", "--yes"])
        .ends(0);
    let key = format!(r"Objects\{LOADER}\Elements");
    let listed = diskmend(["hive", "ls", disk.store(), &key]).ends(0).stdout;
    assert!(listed.contains("2600000B"), "{listed}");
    assert!(!listed.contains("2600000b"), "{listed}");
}
