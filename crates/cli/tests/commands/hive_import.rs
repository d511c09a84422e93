//! `diskmend hive import`.

use std::fs;

use crate::fixture::{Fixture, hive_file, utf16};
use crate::program::{Run, diskmend};

fn import(fixture: &Fixture, hive: &str, text: &[u8], args: &[&str]) -> Run {
    let reg = fixture.path("file.reg");
    fs::write(&reg, text).expect("writable");
    let hive = fixture.path(hive);
    let mut all = vec!["hive", "import", hive.to_str().expect("UTF-8")];
    all.push(reg.to_str().expect("UTF-8"));
    all.extend(args);
    diskmend(all)
}

const TEXT: &str = "Windows Registry Editor Version 5.00\r\n\r\n\
    [HKEY_LOCAL_MACHINE\\SYSTEM\\New\\Key]\r\n\
    \"A\"=dword:0000000a\r\n\
    @=\"default\"\r\n\r\n\
    [HKEY_LOCAL_MACHINE\\SYSTEM\\Select]\r\n\
    \"Failed\"=-\r\n\r\n\
    [-HKEY_LOCAL_MACHINE\\SYSTEM\\ControlSet002]\r\n";

#[test]
fn a_file_of_regedit_is_merged_in_either_encoding() {
    let mut utf16_text = vec![0xff, 0xfe];
    utf16_text.extend(utf16(TEXT));
    for text in [utf16_text, TEXT.as_bytes().to_vec()] {
        let fixture = Fixture::new();
        let prefix = r"HKEY_LOCAL_MACHINE\SYSTEM";
        import(&fixture, "SYSTEM", &text, &["--prefix", prefix, "--yes"]).ends(0);
        let file = fixture.system();
        let file = file.to_str().expect("UTF-8");
        let run = diskmend(["hive", "get", file, r"New\Key", "A"]).ends(0);
        assert_eq!(run.stdout, "    A    REG_DWORD    0xa\n");
        diskmend(["hive", "get", file, r"New\Key", "@"]).ends(0);
        diskmend(["hive", "get", file, "Select", "Failed"]).ends(1);
        diskmend(["hive", "ls", file, "ControlSet002"]).ends(1);
        diskmend(["hive", "check", file]).ends(0);
    }
}

#[test]
fn an_exported_text_is_imported_without_loss() {
    let fixture = Fixture::new();
    let file = fixture.system();
    let exported = diskmend(["hive", "export", file.to_str().expect("UTF-8")])
        .ends(0)
        .stdout;
    let empty = fixture.path("empty");
    hive_file(&empty, |_| {});
    import(&fixture, "empty", exported.as_bytes(), &["--yes"]).ends(0);
    let back = diskmend(["hive", "export", empty.to_str().expect("UTF-8")])
        .ends(0)
        .stdout;
    assert_eq!(back, exported);
}

#[test]
fn an_import_is_done_completely_or_not_at_all() {
    let fixture = Fixture::new();
    let before = fs::read(fixture.system()).expect("readable");
    let prefix = ["--prefix", r"HKLM\SYSTEM", "--yes"];
    let bad_line = format!("{TEXT}\"B\"=nonsense\r\n");
    import(&fixture, "SYSTEM", bad_line.as_bytes(), &prefix)
        .ends(1)
        .says("file.reg: line 11");
    let bad_name = format!(
        "{TEXT}[HKEY_LOCAL_MACHINE\\SYSTEM\\{}]\r\n",
        "x".repeat(256)
    );
    import(&fixture, "SYSTEM", bad_name.as_bytes(), &prefix)
        .ends(1)
        .says("file.reg: line 11");
    import(
        &fixture,
        "SYSTEM",
        TEXT.as_bytes(),
        &["--prefix", r"HKLM\SOFTWARE", "--yes"],
    )
    .ends(1)
    .says("line 3")
    .says("hint: say where the hive belongs")
    .says("--prefix removes the first part of the file's paths");
    import(
        &fixture,
        "SYSTEM",
        TEXT.as_bytes(),
        &["--prefix", r"HKLM\SYSTEM"],
    )
    .ends(2)
    .says("hint: add --yes");
    import(&fixture, "SYSTEM", b"no registry file", &["--yes"]).ends(1);
    let link = TEXT.replace("\\New\\", "\\CurrentControlSet\\");
    import(&fixture, "SYSTEM", link.as_bytes(), &prefix)
        .ends(5)
        .says("CurrentControlSet");
    assert_eq!(fs::read(fixture.system()).expect("readable"), before);
}

#[test]
fn a_second_import_writes_nothing() {
    let fixture = Fixture::new();
    let prefix = ["--prefix", r"HKLM\SYSTEM", "--yes"];
    import(&fixture, "SYSTEM", TEXT.as_bytes(), &prefix).ends(0);
    let after = fs::read(fixture.system()).expect("readable");
    let run = import(&fixture, "SYSTEM", TEXT.as_bytes(), &prefix).ends(0);
    assert!(run.stdout.contains("nothing to do"), "{}", run.stdout);
    assert_eq!(fs::read(fixture.system()).expect("readable"), after);
}

#[test]
fn a_long_list_of_changes_is_cut_for_people_only() {
    let mut text = String::from("Windows Registry Editor Version 5.00\n\n[Many]\n");
    for index in 0..300 {
        text.push_str(&format!("\"{index}\"=dword:00000001\n"));
    }
    let fixture = Fixture::new();
    let run = import(&fixture, "SYSTEM", text.as_bytes(), &["--yes"]).ends(0);
    assert!(
        run.stdout.contains("and 100 more changes"),
        "{}",
        run.stdout
    );
    let fixture = Fixture::new();
    let run = import(&fixture, "SYSTEM", text.as_bytes(), &["--yes", "--json"]).ends(0);
    assert_eq!(run.json()["changes"].as_array().map(Vec::len), Some(300));
}
