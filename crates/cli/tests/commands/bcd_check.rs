//! `diskmend bcd check`.

use diskmend_bcd::well_known::{BOOTMGR, EMSSETTINGS};
use diskmend_bcd::{ElementId, ElementValue, Guid};
use diskmend_hive::ValueType;

use crate::bcd_store::{BIOS, Disk, LOADER, set, store, store_file};
use crate::fixture::hive_file;

#[test]
fn a_sound_store_ends_with_0_and_is_counted() {
    let disk = Disk::new(&BIOS);
    let before = disk.bytes();
    let run = disk.bcd("check", &[]).ends(0);
    assert!(
        run.stdout
            .ends_with("boot store: 4 objects, 9 elements\nno problems\n"),
        "{}",
        run.stdout
    );
    let document = disk.bcd("check", &["--json"]).ends(0).json();
    assert_eq!(document["errors"], 0);
    assert_eq!(document["store"]["objects"], 4);
    assert_eq!(document["store"]["errors"], 0);
    assert_eq!(disk.bytes(), before);
}

#[test]
fn data_of_the_wrong_type_end_with_3() {
    let disk = Disk::new(&BIOS);
    hive_file(disk.store().as_ref(), |editor| {
        store(editor);
        let key = format!(r"Objects\{BOOTMGR}\Elements\25000004");
        editor
            .set_value(&key, "Element", ValueType::DWORD, &[5, 0, 0, 0])
            .expect("valid");
    });
    let run = disk.bcd("check", &[]).ends(3);
    assert!(
        run.stdout.contains("timeout (0x25000004)"),
        "{}",
        run.stdout
    );
    assert!(run.stdout.contains("expected REG_BINARY"), "{}", run.stdout);
    let document = disk.bcd("check", &["--json"]).ends(3).json();
    let problem = &document["store"]["problems"][0];
    assert_eq!(problem["level"], "error");
    assert_eq!(problem["object"], BOOTMGR.to_string());
    assert_eq!(problem["element"], "0x25000004");
    // It is shown with its fault, and can be corrected.
    let shown = disk.bcd("show", &["{bootmgr}"]).ends(0).stdout;
    assert!(shown.contains("expected REG_BINARY"), "{shown}");
    disk.bcd("set", &["{bootmgr}", "timeout", "5", "--yes"])
        .ends(0);
    disk.bcd("check", &[]).ends(0);
}

#[test]
fn faults_of_real_stores_are_notes() {
    let disk = Disk::new(&BIOS);
    let nowhere = Guid::new(9, 9, 9, [9; 8]);
    let resume = ElementId(0x2300_0003);
    store_file(
        disk.store().as_ref(),
        &[set(LOADER, resume, ElementValue::Object(nowhere))],
    );
    let run = disk.bcd("check", &[]).ends(0);
    assert!(
        run.stdout.ends_with("0 errors, 1 notes\n"),
        "{}",
        run.stdout
    );
    assert!(run.stdout.contains("resumeobject"), "{}", run.stdout);
}

#[test]
fn an_object_that_inherits_from_itself_is_an_error_and_no_hang() {
    let disk = Disk::new(&BIOS);
    let inherit = ElementValue::ObjectList(vec![EMSSETTINGS]);
    store_file(
        disk.store().as_ref(),
        &[set(EMSSETTINGS, ElementId::INHERIT, inherit)],
    );
    let run = disk.bcd("check", &[]).ends(3);
    assert!(
        run.stdout.contains("inherits from itself"),
        "{}",
        run.stdout
    );
    disk.bcd("show", &[]).ends(0);
}

#[test]
fn objects_without_a_type_or_a_guid_are_listed_as_unreadable() {
    let disk = Disk::new(&BIOS);
    hive_file(disk.store().as_ref(), |editor| {
        store(editor);
        let nameless = format!(r"Objects\{}", Guid::new(7, 7, 7, [7; 8]));
        editor.create_key(&nameless).expect("valid");
        editor.create_key(r"Objects\nonsense").expect("valid");
    });
    disk.bcd("check", &[]).ends(3);
    let run = disk
        .bcd("show", &[])
        .ends(1)
        .says("is not a GUID")
        .says("no key Description")
        .says("2 objects or elements can't be read");
    assert!(run.stdout.contains("{bootmgr}"));
    // The rest of the store can be edited.
    disk.bcd("set", &["{bootmgr}", "timeout", "5", "--yes"])
        .ends(0);
}

#[test]
fn a_store_with_any_byte_damaged_never_crashes_a_reader() {
    let disk = Disk::new(&BIOS);
    let whole = disk.bytes();
    // This stride meets all positions within a cell. No reader depends on the platform, and under
    // Wine programs start slowly.
    let stride = if cfg!(windows) { 241 } else { 61 };
    for at in (4096..whole.len()).step_by(stride) {
        let mut damaged = whole.clone();
        damaged[at] ^= 0xff;
        disk.write(&damaged);
        for verb in ["show", "check", "export"] {
            let run = disk.bcd(verb, &[]);
            assert!(matches!(run.code, 0 | 1 | 3), "offset {at}: {}", run.stderr);
            assert!(
                !run.stderr.contains("panicked"),
                "offset {at}: {}",
                run.stderr
            );
        }
    }
}
