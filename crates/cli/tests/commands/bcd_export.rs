//! `diskmend bcd export`.

use std::fs;

use crate::bcd_store::{BIOS, Disk, LOADER};

#[test]
fn the_text_has_names_and_ids() {
    let disk = Disk::new(&BIOS);
    let text = disk.bcd("export", &[]).ends(0).stdout;
    assert!(text.starts_with("diskmend-bcd 1\n"), "{text}");
    for line in [
        "# {bootmgr}: Windows Boot Manager",
        "[object {9dea862c-5cdd-4e70-acc1-f32b344d4795}]",
        "type = 0x10100002",
        &format!("23000003 default = object {LOADER}"),
        "25000004 timeout = integer 30",
        "12000004 description = string \"Windows Server\"",
        "26000fff = boolean yes",
    ] {
        assert!(text.lines().any(|found| found == line), "{line}\n{text}");
    }
}

/// The number of objects and elements in a text.
fn content(text: &str) -> (usize, usize) {
    let objects = text.lines().filter(|line| line.starts_with("[object "));
    let is_element = |line: &&str| {
        let id = line.split([' ', '=']).next().unwrap_or_default();
        id.len() == 8 && id.bytes().all(|byte| byte.is_ascii_hexdigit())
    };
    let elements = text.lines().filter(is_element);
    (objects.count(), elements.count())
}

#[test]
fn a_file_is_the_same_and_never_overwritten() {
    let disk = Disk::new(&BIOS);
    let out = disk.path("bcd.txt");
    let out = out.to_str().expect("UTF-8");
    let said = disk.bcd("export", &["-o", out]).ends(0).stdout;
    let text = fs::read_to_string(out).expect("written");
    assert_eq!(text, disk.bcd("export", &[]).ends(0).stdout);
    let (objects, elements) = content(&text);
    assert!(objects > 1 && elements > objects, "{text}");
    let start = format!("wrote {objects} objects with {elements} elements of ");
    assert!(said.starts_with(&start), "{said}");
    assert!(said.ends_with("bcd.txt\n"), "{said}");
    disk.bcd("export", &["-o", out])
        .ends(1)
        .says("already exists");
}

#[test]
fn json_says_what_was_written() {
    let disk = Disk::new(&BIOS);
    let out = disk.path("bcd.txt");
    let out = out.to_str().expect("UTF-8");
    let document = disk.bcd("export", &["-o", out, "--json"]).ends(0).json();
    let (objects, elements) = content(&fs::read_to_string(out).expect("written"));
    assert_eq!(document["file"], out);
    assert_eq!(document["objects"], objects);
    assert_eq!(document["elements"], elements);
    assert!(document["store"].is_string(), "{document}");
}

#[test]
fn json_without_a_file_is_refused_with_a_hint_to_show() {
    let disk = Disk::new(&BIOS);
    disk.bcd("export", &["--json"])
        .ends(2)
        .says("hint: 'diskmend bcd show --json'");
}
