//! `diskmend bcd copy`.

use serde_json::Value;

use crate::bcd_store::{BIOS, Disk, LOADER, UNKNOWN};

fn copy(disk: &Disk, object: &str) -> String {
    let run = disk
        .bcd("copy", &[object, "-d", "A copy", "--yes", "--json"])
        .ends(0);
    let document = run.json();
    assert_eq!(document["outcome"], "done");
    document["object"].as_str().expect("a GUID").to_owned()
}

#[test]
fn the_copy_has_a_new_guid_and_comes_last_in_the_menu() {
    let disk = Disk::new(&BIOS);
    let before = disk.bytes();
    let guid = copy(&disk, "{default}");
    assert_eq!(guid.len(), 38);
    assert_eq!(&guid[15..16], "4", "a random GUID: {guid}");
    let object = disk.object(&guid);
    assert_eq!(object["type"], "0x10200003");
    assert_eq!(disk.element(&guid, "0x12000004")["value"], "A copy");
    for id in ["0x21000001", "0x22000002", &format!("0x{UNKNOWN}")] {
        assert_eq!(disk.element(&guid, id), disk.element("{default}", id));
    }
    let menu = disk.element("{bootmgr}", "0x24000001")["value"].clone();
    assert_eq!(menu, serde_json::json!([LOADER.to_string(), guid]));
    let other = copy(&disk, &guid);
    assert_ne!(other, guid);
    disk.bcd("check", &[]).ends(0);
    for _ in 0..2 {
        crate::program::diskmend(["undo", disk.root(), "--yes"]).ends(0);
    }
    assert_eq!(disk.bytes(), before);
}

#[test]
fn the_copy_of_an_entry_in_no_menu_is_in_no_menu() {
    let disk = Disk::new(&BIOS);
    let menu = |disk: &Disk| disk.element("{bootmgr}", "0x24000001");
    let before = menu(&disk);
    copy(&disk, "{emssettings}");
    assert_eq!(menu(&disk), before);
}

#[test]
fn the_guid_is_shown_before_the_question() {
    let disk = Disk::new(&BIOS);
    let run = disk
        .bcd("copy", &["{default}", "--description", "x", "--yes"])
        .ends(0);
    let line = run.stdout.lines().next().expect("a line");
    let guid = line.strip_prefix("copied to ").expect("the GUID");
    assert_ne!(disk.object(guid), Value::Null);
}

#[test]
fn objects_that_can_not_be_copied_are_refused() {
    let disk = Disk::new(&BIOS);
    let before = disk.bytes();
    disk.bcd("copy", &["{memdiag}", "-d", "x", "--yes"])
        .ends(1)
        .says("does not exist in this store");
    disk.bcd("copy", &["{default}", "--yes"]).ends(2);
    disk.bcd("copy", &["{default}", "-d", "x"])
        .ends(2)
        .says("hint: add --yes");
    assert_eq!(disk.bytes(), before);
}
