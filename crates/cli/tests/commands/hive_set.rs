//! `diskmend hive set`.

use std::fs;
use std::process::Command;

use crate::fixture::{Fixture, Volume, copy_fixture, files, utf16};
use crate::program::{Run, command, diskmend};

fn set(fixture: &Fixture, args: &[&str]) -> Run {
    let file = fixture.system();
    let mut all = vec!["hive", "set", file.to_str().expect("UTF-8")];
    all.extend(args);
    diskmend(all)
}

fn raw(fixture: &Fixture, key: &str, name: &str) -> Vec<u8> {
    let file = fixture.system();
    let args = [
        "hive",
        "get",
        file.to_str().expect("UTF-8"),
        key,
        name,
        "--raw",
    ];
    let output = command(args).output().expect("it starts");
    assert!(output.status.success());
    output.stdout
}

#[test]
fn each_type_is_stored_as_windows_stores_it() {
    let fixture = Fixture::new();
    for (value_type, data, bytes) in [
        (
            "REG_SZ",
            "text \\0 with a backslash",
            utf16("text \\0 with a backslash\0"),
        ),
        ("REG_SZ", "", utf16("\0")),
        (
            "REG_EXPAND_SZ",
            "%SystemRoot%\\MEMORY.DMP",
            utf16("%SystemRoot%\\MEMORY.DMP\0"),
        ),
        ("REG_MULTI_SZ", "one\\0two", utf16("one\0two\0\0")),
        ("reg_dword", "0xfF", vec![0xff, 0, 0, 0]),
        ("REG_DWORD", "3389", vec![0x3d, 0x0d, 0, 0]),
        ("dword", "3389", vec![0x3d, 0x0d, 0, 0]),
        ("Multi_Sz", "one\\0two", utf16("one\0two\0\0")),
        ("none", "00", vec![0]),
        ("REG_QWORD", "1", vec![1, 0, 0, 0, 0, 0, 0, 0]),
        ("REG_DWORD_BIG_ENDIAN", "1", vec![0, 0, 0, 1]),
        ("REG_BINARY", "00,01 fF", vec![0, 1, 0xff]),
        ("REG_NONE", "", vec![]),
        ("0x1234", "0a0b", vec![10, 11]),
    ] {
        set(&fixture, &["Setup", "New", value_type, data, "--yes"]).ends(0);
        assert_eq!(raw(&fixture, "Setup", "New"), bytes, "{value_type} {data}");
    }
    set(
        &fixture,
        &[
            "Setup",
            "L",
            "REG_MULTI_SZ",
            "a;b",
            "--separator",
            ";",
            "--yes",
        ],
    )
    .ends(0);
    assert_eq!(raw(&fixture, "Setup", "L"), utf16("a\0b\0\0"));
}

#[test]
fn a_missing_key_is_created_and_the_default_value_has_no_name() {
    let fixture = Fixture::new();
    for name in ["", "@", "(Default)"] {
        let key = format!(r"\New\Key{}", name.len());
        set(&fixture, &[&key, name, "REG_SZ", "x", "--yes"]).ends(0);
        assert_eq!(raw(&fixture, &key, ""), utf16("x\0"));
    }
}

#[test]
fn a_value_that_is_already_set_is_not_written() {
    let fixture = Fixture::new();
    set(&fixture, &["Select", "Current", "REG_DWORD", "2", "--yes"]).ends(0);
    let before = fs::read(fixture.system()).expect("readable");
    let run = set(
        &fixture,
        &["select", "CURRENT", "REG_DWORD", "0x2", "--yes"],
    )
    .ends(0);
    assert!(run.stdout.contains("nothing to do"), "{}", run.stdout);
    assert_eq!(fs::read(fixture.system()).expect("readable"), before);
}

#[test]
fn an_edit_can_be_undone_in_the_files_folder() {
    let fixture = Fixture::new();
    let before = fs::read(fixture.system()).expect("readable");
    set(&fixture, &["Select", "Current", "REG_DWORD", "2", "--yes"])
        .ends(0)
        .says("hint: to undo: diskmend undo ");
    let folder = fixture.folder.path().to_str().expect("UTF-8");
    diskmend(["undo", folder, "--yes"]).ends(0);
    assert_eq!(fs::read(fixture.system()).expect("readable"), before);
    assert!(!fixture.path("SYSTEM.LOG1").exists());
}

#[test]
fn a_hive_among_those_of_windows_is_undone_at_the_volume() {
    let volume = Volume::new();
    let before = volume.hives();
    let file = volume.system();
    let file = file.to_str().expect("UTF-8");
    diskmend([
        "hive",
        "set",
        file,
        "Select",
        "Current",
        "REG_DWORD",
        "2",
        "--yes",
    ])
    .ends(0);
    diskmend(["undo", volume.root(), "--yes"]).ends(0);
    assert_eq!(volume.hives(), before);
}

#[test]
fn wrong_data_and_types_are_wrong_usage() {
    let fixture = Fixture::new();
    let before = fs::read(fixture.system()).expect("readable");
    for (value_type, data) in [
        ("REG_DWORD", "x"),
        ("REG_DWORD", "-1"),
        ("REG_DWORD", ""),
        ("REG_DWORD", "4294967296"),
        ("REG_BINARY", "0"),
        ("REG_NONSENSE", "0"),
        ("REG_MULTI_SZ", "a\\0\\0b"),
    ] {
        set(&fixture, &["Select", "Current", value_type, data, "--yes"]).ends(2);
    }
    set(&fixture, &["Select", "Current", "REG_DWORD", "7"])
        .ends(2)
        .says("hint: add --yes");
    assert_eq!(fs::read(fixture.system()).expect("readable"), before);
}

#[test]
fn the_link_of_a_running_windows_is_not_created() {
    let fixture = Fixture::new();
    let before = fs::read(fixture.system()).expect("readable");
    set(
        &fixture,
        &[r"CurrentControlSet\Control", "A", "REG_DWORD", "1", "--yes"],
    )
    .ends(5)
    .says("hint: CurrentControlSet exists only in a running Windows")
    .says("this hive's current set is ControlSet001");
    set(
        &fixture,
        &[r"HKLM\SYSTEM\Select", "A", "REG_DWORD", "1", "--yes"],
    )
    .ends(5)
    .says("hint: paths start below the hive's root");
    assert_eq!(fs::read(fixture.system()).expect("readable"), before);
}

#[test]
fn names_that_no_key_can_have_are_refused() {
    let fixture = Fixture::new();
    let long = "x".repeat(256);
    set(&fixture, &[&long, "A", "REG_DWORD", "1", "--yes"]).ends(1);
}

#[test]
fn without_the_check_the_edit_is_the_same() {
    let fixture = Fixture::new();
    let document = set(
        &fixture,
        &[
            "Select",
            "Current",
            "REG_DWORD",
            "2",
            "--yes",
            "--no-check",
            "--json",
        ],
    )
    .ends(0)
    .json();
    assert_eq!(document["hives"][0]["check"], serde_json::Value::Null);
    assert_eq!(raw(&fixture, "Select", "Current"), [2, 0, 0, 0]);
    let file = fixture.system();
    diskmend(["hive", "check", file.to_str().expect("UTF-8")]).ends(0);
}

#[test]
fn a_file_that_may_not_be_written_is_left() {
    let fixture = Fixture::new();
    let before = fs::read(fixture.system()).expect("readable");
    let metadata = fs::metadata(fixture.system()).expect("there");
    let mut permissions = metadata.permissions();
    permissions.set_readonly(true);
    fs::set_permissions(fixture.system(), permissions).expect("settable");
    let file = fixture.system();
    let plain = command([
        "hive",
        "set",
        file.to_str().expect("UTF-8"),
        "Select",
        "Current",
        "REG_DWORD",
        "2",
        "--yes",
    ]);
    let may_write_any = fs::OpenOptions::new().write(true).open(&file).is_ok();
    if may_write_any && cfg!(windows) {
        println!("SKIPPED: Wine lets root write any file");
        return;
    }
    let mut bound = if may_write_any {
        let mut bound = Command::new("setpriv");
        bound.arg("--bounding-set=-dac_override");
        bound.arg(plain.get_program()).args(plain.get_args());
        bound
    } else {
        plain
    };
    Run::of(bound.output().expect("it starts"))
        .ends(1)
        .says("hint: ");
    assert_eq!(fs::read(fixture.system()).expect("readable"), before);
}

/// Once the refusal of an edit did not stop the run: the recovery of a dirty hive was written,
/// while the message said that nothing was changed.
#[test]
fn a_refused_edit_of_a_dirty_hive_writes_nothing() {
    for name in [
        "dirty-hvle-both",
        "dirty-hvle-log1",
        "dirty-dirt",
        "dirty-torn-header",
    ] {
        let folder = tempfile::TempDir::new().expect("a temporary folder");
        copy_fixture(name, folder.path());
        let reg = folder.path().join("x.reg");
        let text = "REGEDIT4\n\n[New]\n\"a\"=\"b\"\n\n[CurrentControlSet\\Control]\n\"a\"=\"b\"\n";
        fs::write(&reg, text).expect("writable");
        let before = files(folder.path());
        let file = folder.path().join("SYSTEM");
        let (file, reg) = (file.to_str().expect("UTF-8"), reg.to_str().expect("UTF-8"));
        let long = "x".repeat(256);
        for (args, code) in [
            (
                &[
                    "set",
                    file,
                    r"CurrentControlSet\Control",
                    "A",
                    "REG_DWORD",
                    "1",
                ][..],
                5,
            ),
            (
                &["set", file, r"HKLM\SYSTEM\Select", "A", "REG_DWORD", "1"],
                5,
            ),
            (&["set", file, &long, "A", "REG_DWORD", "1"], 1),
            (&["delete", file, "CurrentControlSet"], 5),
            (&["delete", file, r"CurrentControlSet\Control", "A"], 5),
            (&["import", file, reg], 5),
        ] {
            let args = ["hive"].into_iter().chain(args.iter().copied());
            diskmend(args.chain(["--yes"])).ends(code);
            assert_eq!(files(folder.path()), before, "{name}");
        }
    }
}

/// The folder for undo data has the name of the program, which people put beside the hive. Once
/// this blocked every edit.
#[test]
fn the_program_beside_a_hive_does_not_block_edits() {
    let fixture = Fixture::new();
    let before = fs::read(fixture.system()).expect("readable");
    let program = fixture.path("diskmend");
    fs::write(&program, b"a program").expect("writable");
    let folder = fixture.folder.path().to_str().expect("UTF-8");
    let file = fixture.system();
    let file = file.to_str().expect("UTF-8");
    let set = |value| {
        let key = ["hive", "set", file, "Select", "Current", "REG_DWORD"];
        diskmend(key.iter().chain(&[value, "--yes"]))
    };
    set("2").ends(0);
    assert_eq!(fs::read(&program).expect("readable"), b"a program");
    assert!(fixture.path("diskmend.undo").is_dir());
    let runs = || {
        let document = diskmend(["runs", folder, "--json"]).ends(0).json();
        document["runs"].as_array().map_or(0, Vec::len)
    };
    assert_eq!(runs(), 1);
    // The runs are found again after the program was moved away.
    fs::remove_file(&program).expect("writable");
    assert_eq!(runs(), 1);
    set("3").ends(0);
    assert!(!program.exists());
    assert_eq!(runs(), 2);
    for _ in 0..2 {
        diskmend(["undo", folder, "--yes"]).ends(0);
    }
    assert!(fs::read(file).expect("readable") == before);
    // A run that did not end could be in either of two folders.
    fs::create_dir(&program).expect("writable");
    for run in [
        set("2"),
        diskmend(["undo", folder, "--yes"]),
        diskmend(["runs", folder]),
    ] {
        run.ends(5)
            .says("two folders: diskmend and diskmend.undo")
            .says("--state-dir");
    }
    let elsewhere = fixture.path("diskmend.undo");
    let elsewhere = elsewhere.to_str().expect("UTF-8");
    diskmend(["runs", folder, "--state-dir", elsewhere]).ends(0);
    assert!(fs::read(file).expect("readable") == before);
}

/// Nobody needs the program in the root of a Windows volume, so a file there is suspicious.
#[test]
fn a_file_in_the_place_of_the_undo_data_of_a_windows_is_refused() {
    let volume = Volume::new();
    fs::write(volume.folder.path().join("diskmend"), b"a file").expect("writable");
    let before = volume.hives();
    diskmend(["repair", volume.root(), "tls", "--yes"])
        .ends(5)
        .says("a link or not a folder")
        .says("--state-dir DIR");
    assert_eq!(volume.hives(), before);
}

/// Without a terminal to ask on, everything else that is wrong is said first, and nobody is asked
/// about an edit that changes nothing. All this once ended with "add --yes".
#[test]
fn what_is_wrong_is_said_before_the_question() {
    let fixture = Fixture::new();
    let file = fixture.system();
    let before = fs::read(&file).expect("readable");
    set(&fixture, &["CurrentControlSet\\X", "A", "dword", "1"])
        .ends(5)
        .says("a hive has no key CurrentControlSet");
    let name = file.to_str().expect("UTF-8");
    diskmend(["hive", "delete", name, "\\"])
        .ends(1)
        .says("can't be deleted");
    let nothing = set(&fixture, &["Select", "Current", "dword", "1"]).ends(0);
    assert!(
        nothing.stdout.contains("nothing to do"),
        "{}",
        nothing.stdout
    );
    diskmend(["hive", "delete", name, "No\\Such"]).ends(0);
    let missing = format!("{name}.missing");
    diskmend(["hive", "set", &missing, "A", "B", "dword", "1"])
        .ends(1)
        .says("SYSTEM.missing");
    let reg = fixture.path("some.reg");
    let text =
        "Windows Registry Editor Version 5.00\r\n\r\n[CurrentControlSet\\A]\r\n\"x\"=dword:1\r\n";
    fs::write(&reg, text).expect("writable");
    let reg = reg.to_str().expect("UTF-8");
    diskmend(["hive", "import", name, reg])
        .ends(5)
        .says("a hive has no key CurrentControlSet");
    assert_eq!(fs::read(&file).expect("readable"), before);
    assert!(!fixture.path("diskmend").exists());

    // A hive with an error in its structure: the length of its first cell.
    let mut bytes = before;
    bytes[0x1020..0x1024].copy_from_slice(&7u32.to_le_bytes());
    fs::write(&file, &bytes).expect("writable");
    set(&fixture, &["Select", "Current", "dword", "7"]).ends(5);
    fs::write(&file, "no hive").expect("writable");
    set(&fixture, &["Select", "Current", "dword", "7"])
        .ends(1)
        .says("not a registry hive");
}
