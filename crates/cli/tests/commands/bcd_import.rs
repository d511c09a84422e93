//! `diskmend bcd import`.

use std::fs;

use diskmend_bcd::{ElementId, ElementValue};
use diskmend_hive::{Editor, ValueType};

use crate::bcd_store::{BIOS, Disk, LOADER, store, text};
use crate::fixture::{hive_file, utf16};
use crate::program::Run;

fn import(disk: &Disk, text: &str, args: &[&str]) -> Run {
    let file = disk.path("text");
    fs::write(&file, text).expect("writable");
    let mut all = vec![file.to_str().expect("UTF-8")];
    all.extend(args);
    disk.bcd("import", &all)
}

/// Adds keys and values that a store should not contain, but may.
fn odd(editor: &mut Editor) {
    store(editor);
    let mut set = |key: &str, name: &str, value_type, data: &[u8]| {
        editor.create_key(key).expect("valid");
        editor
            .set_value(key, name, value_type, data)
            .expect("valid");
    };
    let elements = format!(r"Objects\{LOADER}\Elements");
    set(
        "Description",
        "KeyName",
        ValueType::SZ,
        &utf16("BCD00000000\0"),
    );
    set("Description", "System", ValueType::DWORD, &[1, 0, 0, 0]);
    set("Else\\where", "two words", ValueType(77), &[1, 2, 3]);
    let short = format!(r"{elements}\250000E0");
    set(&short, "Element", ValueType::BINARY, &[1, 0, 0, 0]);
    let wrong = format!(r"{elements}\26000001");
    set(&wrong, "Element", ValueType::SZ, &utf16("yes"));
    let twice = format!(r"{elements}\12000002");
    set(&twice, "Element", ValueType::SZ, &utf16("\\path\0\0"));
    set(&twice, "Another", ValueType::NONE, &[]);
}

#[test]
fn an_exported_text_is_imported_without_loss() {
    comes_back(store, &["--yes"]);
}

#[test]
fn odd_content_of_a_store_is_imported_too() {
    comes_back(odd, &["--yes", "--force"]);
}

fn comes_back(content: fn(&mut Editor), args: &[&str]) {
    let disk = Disk::new(&BIOS);
    hive_file(disk.store().as_ref(), content);
    let exported = disk.bcd("export", &[]).ends(0).stdout;
    let run = import(&disk, &exported, &["--yes"]).ends(0);
    assert!(run.stdout.contains("nothing to do"), "{}", run.stdout);

    let empty = Disk::new(&BIOS);
    hive_file(empty.store().as_ref(), |editor| {
        editor.create_key("Objects").expect("valid");
        editor.create_key("Superfluous").expect("valid");
    });
    let before = empty.bytes();
    import(&empty, &exported, args).ends(0);
    assert_eq!(empty.bcd("export", &[]).ends(0).stdout, exported);
    empty.undo_to(&before);
}

#[test]
fn an_edited_text_changes_only_the_edited_elements() {
    let disk = Disk::new(&BIOS);
    let before = disk.bytes();
    let exported = disk.bcd("export", &[]).ends(0).stdout;
    let edited = exported.replace("timeout = integer 30", "timeout = integer 5");
    let run = import(&disk, &edited, &["--yes"]).ends(0);
    assert!(
        run.stdout
            .starts_with("{bootmgr}  Windows Boot Manager\n  timeout  30  -> 5\n\n"),
        "{}",
        run.stdout
    );
    let document = import(&disk, &exported, &["--yes", "--json"])
        .ends(0)
        .json();
    assert_eq!(document["changes"].as_array().map(Vec::len), Some(1));
    crate::program::diskmend(["undo", disk.root(), "--yes"]).ends(0);
    disk.undo_to(&before);
}

#[test]
fn an_import_is_done_completely_or_not_at_all() {
    let disk = Disk::new(&BIOS);
    let before = disk.bytes();
    let exported = disk.bcd("export", &[]).ends(0).stdout;
    let wrong = exported.replace("timeout = integer 30", "timeout = boolean yes");
    let line = wrong.lines().position(|line| line.contains("timeout"));
    let line = format!("text: line {}: ", line.expect("a line") + 1);
    import(&disk, &wrong, &["--yes"]).ends(1).says(&line);
    import(&disk, "no text of a store", &["--yes"])
        .ends(1)
        .says("text: line 1: expected \"diskmend-bcd 1\"");
    // Nobody is asked about a text that changes nothing.
    import(&disk, &exported, &[]).ends(0);
    let other = exported.replace("timeout = integer 30", "timeout = integer 31");
    import(&disk, &other, &[]).ends(2).says("hint: add --yes");
    let file = disk.path("utf16");
    fs::write(&file, utf16(&exported)).expect("writable");
    disk.bcd("import", &[file.to_str().expect("UTF-8"), "--yes"])
        .ends(1);
    disk.bcd("import", &["no-such-file", "--yes"])
        .ends(1)
        .says("no-such-file");
    assert_eq!(disk.bytes(), before);
}

#[test]
fn errors_are_brought_into_a_sound_store_with_force_only() {
    let disk = Disk::new(&BIOS);
    let before = disk.bytes();
    let exported = disk.bcd("export", &[]).ends(0).stdout;
    let (without, _) = exported
        .split_once("# {bootmgr}")
        .expect("the boot manager's GUID is the last");
    import(&disk, without, &["--yes"])
        .ends(5)
        .says("the change would damage the store: Objects: no Windows boot manager")
        .says("hint: --force does it nevertheless");
    assert_eq!(disk.bytes(), before);
    import(&disk, without, &["--yes", "--force"])
        .ends(0)
        .says("warning: Objects: no Windows boot manager");
    disk.undo_to(&before);
}

#[test]
fn strings_of_any_kind_survive() {
    let disk = Disk::new(&BIOS);
    hive_file(disk.store().as_ref(), |editor| {
        store(editor);
        for (index, string) in [
            "",
            "\"quoted\\\"",
            "a\nb\tc",
            "\u{202e}\u{1b}[31m",
            "é表𝄞 # no comment",
        ]
        .into_iter()
        .enumerate()
        {
            let id = ElementId(0x1200_0f00 + u32::try_from(index).expect("small"));
            crate::bcd_store::set(LOADER, id, text(string))
                .apply(editor)
                .expect("valid");
        }
        let numbers = ElementValue::IntegerList(vec![0, u64::MAX]);
        crate::bcd_store::set(LOADER, ElementId(0x1700_0077), numbers)
            .apply(editor)
            .expect("valid");
    });
    let exported = disk.bcd("export", &[]).ends(0).stdout;
    assert!(!exported.contains('\u{1b}'));
    let empty = Disk::new(&BIOS);
    hive_file(empty.store().as_ref(), |editor| {
        editor.create_key("Objects").expect("valid");
    });
    import(&empty, &exported, &["--yes"]).ends(0);
    assert_eq!(empty.bcd("export", &[]).ends(0).stdout, exported);
}
