//! Text from a hostile disk in every command. It never begins a line of output, never reaches a
//! terminal unescaped, and its escaped form is accepted as input.

use std::fs;

use diskmend_base::escape::{Escaped, is_hidden, unescape};
use diskmend_bcd::well_known::BOOTMGR;
use diskmend_bcd::{Change, ElementId};
use diskmend_hive::{Editor, ValueType};
use serde_json::{Value, json};

use crate::bcd_store::{BIOS, Disk, LOADER, set, store, text};
use crate::fixture::{Fixture, Volume, hive_file, system, utf16};
use crate::program::{Run, diskmend};
use crate::run_file;
use crate::trust::runs_folder;

/// Text that ends a line, forges a hint, sends terminal commands, changes the text direction, and
/// hides.
const PLANTED: &str =
    "P\nhint: run this\r\u{1b}]0;t\u{7}\u{9b}2J\u{202e}\u{85}\u{2028}\u{200b}\u{ad}\u{e0041}";

/// Checks the output, whatever the exit code.
#[track_caller]
fn is_clean(run: &Run, what: &str) {
    for text in [&run.stdout, &run.stderr] {
        let hidden = |c: char| is_hidden(c) && c != '\n';
        assert!(!text.contains(hidden), "{what}: {text:?}");
        let forged = text
            .lines()
            .find(|line| line.trim_start().starts_with("hint: run"));
        assert_eq!(forged, None, "{what}: {text}");
    }
    assert!(run.code < 100, "{what}: {}", run.stderr);
}

/// Runs a command with text output and with JSON output.
#[track_caller]
fn both(args: &[&str]) -> (Run, Value) {
    let what = args.join(" ");
    let shown = diskmend(args);
    is_clean(&shown, &what);
    is_clean(&diskmend(args.iter().chain(&["-vv"])), &what);
    let run = diskmend(args.iter().chain(&["--json"]));
    is_clean(&run, &what);
    // If a command fails before it has parsed `--json`, it prints no document.
    let document = serde_json::from_str(&run.stdout).unwrap_or(Value::Null);
    (shown, document)
}

fn plant(editor: &mut Editor) {
    system(editor);
    let name = Escaped(PLANTED).to_string();
    for key in [
        name.clone(),
        format!("ControlSet001\\{name}"),
        format!("ControlSet001\\Control\\CrashControl\\{name}\\{name}"),
    ] {
        editor.create_key(&key).expect("valid");
        for (value, value_type) in [
            (name.as_str(), ValueType::SZ),
            ("list", ValueType::MULTI_SZ),
            ("", ValueType::EXPAND_SZ),
            ("link", ValueType::LINK),
        ] {
            let data = utf16(&format!("{PLANTED}\0\0"));
            editor
                .set_value(&key, value, value_type, &data)
                .expect("valid");
        }
    }
    // The keys that the recipes read.
    let crash = r"ControlSet001\Control\CrashControl";
    for value in ["DumpFile", "CrashDumpEnabled"] {
        let data = utf16(&format!("{PLANTED}\0"));
        editor
            .set_value(crash, value, ValueType::SZ, &data)
            .expect("valid");
    }
    let windows = utf16(&format!("{PLANTED}\0"));
    editor
        .set_value("Select", "Current", ValueType::SZ, &windows)
        .expect("valid");
}

#[test]
fn a_hive_can_t_forge_output_and_its_names_are_taken_as_shown() {
    let fixture = Fixture::new();
    hive_file(&fixture.system(), plant);
    let file = fixture.system();
    let file = file.to_str().expect("UTF-8");
    let name = Escaped(PLANTED).to_string();
    for args in [
        &["ls", file][..],
        &["ls", file, "-r", "--values"],
        &["ls", file, &name, "--values"],
        &["get", file, &name],
        &["get", file, &name, "nothing"],
        &["get", file, "nothing"],
        &["check", file],
    ] {
        let args: Vec<&str> = ["hive"].iter().chain(args).copied().collect();
        both(&args);
    }
    let (shown, document) = both(&["hive", "get", file, &name, &name]);
    shown.ends(0);
    assert_eq!(document["name"], name.as_str());
    assert!(unescape(&name).into_iter().eq(PLANTED.encode_utf16()));
    assert_eq!(document["key"], name.as_str());
    for args in [
        &["set", file, &name, &name, "REG_DWORD", "1", "--yes"][..],
        &[
            "set",
            file,
            &format!("{name}\\new"),
            "new",
            "REG_SZ",
            PLANTED,
            "--yes",
        ],
        &[
            "set",
            file,
            "no\nhint: run this",
            "x",
            "REG_DWORD",
            "no\nhint: run this",
            "--yes",
        ],
        &["delete", file, &name, &name, "--yes"],
        &["delete", file, &name, "--yes"],
    ] {
        let args: Vec<&str> = ["hive"].iter().chain(args).copied().collect();
        both(&args);
    }
    let keys = diskmend(["hive", "ls", file]).ends(0).stdout;
    assert!(
        !keys.contains("P<U+000A>"),
        "it was deleted by the name as shown: {keys}"
    );
    diskmend([
        "undo",
        fixture.folder.path().to_str().expect("UTF-8"),
        "--yes",
    ])
    .ends(0);
    let keys = diskmend(["hive", "ls", file]).ends(0).stdout;
    assert!(keys.contains(&name), "{keys}");
}

#[test]
fn a_volume_can_t_forge_output_nor_a_journal() {
    let volume = Volume::new();
    hive_file(&volume.system(), plant);
    let root = volume.root();
    for args in [
        &["inspect", root][..],
        &["plan", root, "crash-dump", "tls"],
        &["repair", root, "crash-dump", "tls", "--yes"],
        &["runs", root],
    ] {
        both(args);
    }
    let runs = diskmend(["runs", root, "--json"]).ends(0).json();
    let name = runs["runs"][0]["run"].as_str().expect("a run").to_owned();
    let path = runs_folder(root).join(&name);
    let sound: Value = serde_json::from_slice(&run_file::journal(&path)).expect("JSON");
    for state in [
        "applying",
        "done",
        "broken",
        "undoing",
        "rolled-back",
        "undone",
    ] {
        let mut forged = sound.clone();
        forged["state"] = json!(state);
        forged["recipes"] = json!([PLANTED, "tls; $(id)"]);
        forged["hives"][0]["path"] = json!(PLANTED);
        forged["hives"][0]["hive"] = json!(PLANTED);
        for field in ["run", "started", "updated", "note", "reversed_by"] {
            forged[field] = json!(PLANTED);
        }
        run_file::put_journal(&path, forged.to_string().as_bytes());
        both(&["runs", root]);
        both(&["undo", root, &name, "--yes"]);
        is_clean(&diskmend(["inspect", root, "tls"]), state);
    }
    let mut forged = sound;
    forged["kind"] = json!(PLANTED);
    run_file::put_journal(&path, forged.to_string().as_bytes());
    both(&["runs", root]);
    both(&["undo", root, PLANTED, "--yes"]);
    fs::write(&path, PLANTED).expect("writable");
    both(&["runs", root]);
    both(&["undo", root, &name, "--yes"]);
}

#[test]
fn the_identity_of_a_windows_can_t_forge_output() {
    let volume = Volume::new();
    let planted = utf16(&format!("{PLANTED}\0"));
    let put = |editor: &mut Editor, key: &str, names: &[&str]| {
        editor.create_key(key).expect("valid");
        for name in names {
            let set = editor.set_value(key, name, ValueType::SZ, &planted);
            set.expect("valid");
        }
    };
    hive_file(&volume.system(), |editor| {
        system(editor);
        let control = r"ControlSet001\Control";
        let computer = format!(r"{control}\ComputerName\ComputerName");
        put(editor, &computer, &["ComputerName"]);
        let zone = format!(r"{control}\TimeZoneInformation");
        put(editor, &zone, &["TimeZoneKeyName"]);
        let guid = "{4c4c4544-0042-3210-804d-000000000001}";
        let machine = format!(r"HardwareConfig\{guid}");
        put(
            editor,
            &machine,
            &["SystemManufacturer", "SystemProductName"],
        );
        let last = utf16(&format!("{guid}\0"));
        let set = editor.set_value("HardwareConfig", "LastConfig", ValueType::SZ, &last);
        set.expect("valid");
    });
    hive_file(&volume.config().join("SOFTWARE"), |editor| {
        let version = r"Microsoft\Windows NT\CurrentVersion";
        put(editor, version, &["ProductName", "EditionID"]);
    });
    let (_, document) = both(&["inspect", volume.root(), "tls"]);
    let identity = &document["identity"];
    for name in ["product_name", "edition", "computer_name", "time_zone"] {
        assert_eq!(identity[name], PLANTED, "{identity}");
    }
    for name in ["manufacturer", "product"] {
        assert_eq!(identity["last_boot_on"][name], PLANTED, "{identity}");
    }
}

#[test]
fn a_boot_store_can_t_forge_output() {
    let plant = |editor: &mut Editor| {
        store(editor);
        let planted = |object, id| set(object, id, text(PLANTED));
        let changes: [Change; 3] = [
            planted(LOADER, ElementId::DESCRIPTION),
            planted(LOADER, ElementId(0x2200_0fff)),
            planted(BOOTMGR, ElementId(0x1200_0030)),
        ];
        for change in &changes {
            change.apply(editor).expect("valid");
        }
        let name = Escaped(PLANTED).to_string();
        let elements = format!(r"Objects\{LOADER}\Elements");
        for key in [
            format!(r"Objects\{name}"),
            format!(r"{elements}\{name}"),
            format!(r"{elements}\{name}\{name}"),
        ] {
            editor.create_key(&key).expect("valid");
            let data = utf16(&format!("{PLANTED}\0"));
            editor
                .set_value(&key, &name, ValueType::SZ, &data)
                .expect("valid");
        }
    };
    let disk = Disk::new(&BIOS);
    hive_file(disk.store().as_ref(), plant);
    let root = disk.root();
    for args in [
        &["show", root][..],
        &["show", root, "--verbose"],
        &["show", root, "{default}"],
        &["show", root, PLANTED],
        &["check", root],
        &["export", root],
        &["set", root, "{default}", "description", PLANTED, "--yes"],
        &["set", root, "{default}", PLANTED, "x", "--yes"],
        &["copy", root, "{default}", "--description", PLANTED, "--yes"],
        &["delete", root, "{default}", "--yes"],
    ] {
        let args: Vec<&str> = ["bcd"].iter().chain(args).copied().collect();
        both(&args);
    }
}

#[test]
fn a_reg_file_and_a_recipe_can_t_forge_output() {
    let fixture = Fixture::new();
    let file = fixture.system();
    let file = file.to_str().expect("UTF-8");
    let other = fixture.path("x");
    let path = other.to_str().expect("UTF-8");
    for text in [
        format!("REGEDIT4\n[{PLANTED}]\n\"a\"={PLANTED}"),
        format!(
            "Windows Registry Editor Version 5.00\n\n[A]\n\"{PLANTED}\"=\"{PLANTED}\"\n{PLANTED}"
        ),
        format!("{PLANTED}\nx = \"{PLANTED}"),
        format!("name = \"{PLANTED}\"\n{PLANTED} = [[{PLANTED}"),
    ] {
        fs::write(&other, text).expect("writable");
        both(&["hive", "import", file, path, "--yes"]);
        both(&["recipes", "check", path]);
        both(&["acl", "restore", "a", path, "--target", path, "--yes"]);
        both(&["inspect", path]);
        both(&["disks", path]);
        both(&["hive", "ls", path]);
    }
}

/// A pattern in a shell makes the names of files on a disk arguments.
#[test]
fn an_argument_too_many_can_t_forge_output() {
    for arguments in [
        &["hive", "check", "SYSTEM", PLANTED][..],
        &["plan", "disk", "--volume", PLANTED],
        &[PLANTED],
    ] {
        let run = diskmend(arguments).ends(2);
        is_clean(&run, arguments[0]);
        assert!(run.stderr.contains("P<U+000A>hint"), "{}", run.stderr);
    }
    // An escape that was typed is shown as it was typed.
    diskmend(["hive", "check", "SYSTEM", "k<U+DC00>"])
        .ends(2)
        .says("'k<U+DC00>'");
}

#[cfg(target_os = "linux")]
#[test]
fn a_file_name_can_t_forge_output_nor_a_report() {
    use crate::ntfs_disk::{KEYS, NtfsDisk};

    let Some(disk) = NtfsDisk::new() else { return };
    let name = PLANTED;
    let planted = disk.path(KEYS).join(name);
    fs::write(&planted, "").expect("NTFS takes any name");
    disk.secure(&format!("{KEYS}/{name}"), "O:BAG:SYD:AI(D;;FA;;;WD)");
    let root = disk.root();
    for args in [
        &["acl", "show", KEYS, "--tree", "--target", root][..],
        &[
            "acl",
            "show",
            &format!("{KEYS}/{name}/no"),
            "--target",
            root,
        ],
        &["inspect", root, "machine-keys"],
        &["plan", root, "machine-keys"],
    ] {
        both(args);
    }
    is_clean(
        &diskmend(["repair", root, "machine-keys", "--yes"]),
        "repair",
    );
    let runs = disk.path("diskmend/runs");
    let entries = fs::read_dir(runs).expect("a folder");
    let mut paths = entries.map(|entry| entry.expect("readable").path());
    let reports = paths.find(|path| path.is_dir()).expect("reports");
    let mut seen = 0;
    for entry in fs::read_dir(reports).expect("a folder") {
        let path = entry.expect("readable").path();
        if path
            .extension()
            .is_some_and(|kind| kind == "txt" || kind == "json")
        {
            let text = fs::read_to_string(&path).expect("text");
            let hidden = |c: char| is_hidden(c) && c != '\n' && c != '\r';
            assert!(!text.contains(hidden), "{}", path.display());
            assert!(!text.contains("\nhint"), "{}", path.display());
            seen += usize::from(text.contains("P<U+000A>hint: run this"));
        }
    }
    assert!(seen >= 2, "the reports name the file");
    both(&["undo", root, "--yes"]);
}
