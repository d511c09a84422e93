//! `diskmend bcd delete`.

use serde_json::Value;

use crate::bcd_store::{BIOS, Disk, LOADER};

#[test]
fn only_the_named_element_is_deleted() {
    let disk = Disk::new(&BIOS);
    let before = disk.bytes();
    let run = disk
        .bcd("delete", &["{bootmgr}", "timeout", "--yes"])
        .ends(0);
    assert!(
        run.stdout.contains("  timeout  30  -> (none)\n"),
        "{}",
        run.stdout
    );
    assert_eq!(disk.element("{bootmgr}", "0x25000004"), Value::Null);
    assert_ne!(disk.element("{bootmgr}", "0x24000001"), Value::Null);
    disk.bcd("check", &[]).ends(0);
    disk.undo_to(&before);
}

#[test]
fn an_object_is_deleted_with_all_references_to_it() {
    let disk = Disk::new(&BIOS);
    let before = disk.bytes();
    let run = disk.bcd("delete", &["{default}", "--yes"]).ends(0);
    assert!(
        run.stdout.contains("Windows Boot Loader: deleted\n"),
        "{}",
        run.stdout
    );
    disk.bcd("show", &[&LOADER.to_string()]).ends(1);
    disk.bcd("show", &["{default}"])
        .ends(1)
        .says("names no default entry");
    assert_eq!(disk.element("{bootmgr}", "0x23000003"), Value::Null);
    assert_eq!(disk.element("{bootmgr}", "0x24000001"), Value::Null);
    disk.bcd("check", &[]).ends(0);
    disk.undo_to(&before);
    disk.bcd("delete", &["{default}", "--keep-references", "--yes"])
        .ends(0)
        .says("warning: ");
    let default = disk.element("{bootmgr}", "0x23000003");
    assert_eq!(default["value"], LOADER.to_string());
}

#[test]
fn deleting_a_missing_object_is_nothing_to_do() {
    let disk = Disk::new(&BIOS);
    let before = disk.bytes();
    let missing = "{49916baf-0e08-11db-9af4-000bdbd316a0}";
    for args in [
        vec!["{bootmgr}", "displaybootmenu", "--yes"],
        vec!["{memdiag}", "badmemoryaccess", "--yes"],
        vec![missing, "--yes"],
    ] {
        let run = disk.bcd("delete", &args).ends(0);
        assert!(run.stdout.contains("nothing to do"), "{}", run.stdout);
    }
    assert_eq!(disk.bytes(), before);
}

#[test]
fn fixed_objects_are_deleted_with_force_only() {
    let disk = Disk::new(&BIOS);
    let before = disk.bytes();
    disk.bcd("delete", &["{bootmgr}", "--yes"])
        .ends(5)
        .says("{bootmgr} is a fixed part of boot stores")
        .says("hint: ");
    disk.bcd("delete", &["{bootmgr}", "timeout"])
        .ends(2)
        .says("hint: add --yes");
    assert_eq!(disk.bytes(), before);
    disk.bcd("delete", &["{bootmgr}", "--force", "--yes"])
        .ends(0)
        .says("warning: Objects: no Windows boot manager");
    disk.bcd("check", &[]).ends(3);
    disk.undo_to(&before);
}
