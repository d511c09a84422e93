//! `diskmend runs`.

use diskmend_hive::{Editor, ValueType};

use crate::fixture::{Volume, hive_file, system, utf16};
use crate::program::diskmend;
#[cfg(unix)]
use crate::program::{Run, command};

#[test]
fn runs_are_listed_oldest_first_with_their_state() {
    let volume = Volume::new();
    let run = diskmend(["runs", volume.root()]).ends(0);
    assert_eq!(run.stdout, "no runs\n");
    diskmend(["repair", volume.root(), "tls", "--yes"]).ends(0);
    diskmend(["repair", volume.root(), "nla", "--yes"]).ends(0);
    diskmend(["undo", volume.root(), "--yes"]).ends(0);
    let document = diskmend(["runs", volume.root(), "--json"]).ends(0).json();
    let runs = document["runs"].as_array().expect("a list");
    let state: Vec<_> = runs
        .iter()
        .map(|run| (&run["recipes"][0], &run["state"]))
        .collect();
    assert_eq!(state.len(), 2);
    assert!(state[0].0 == "tls" && state[0].1 == "done", "{state:?}");
    assert!(state[1].0 == "nla" && state[1].1 == "undone", "{state:?}");
    let table = diskmend(["runs", volume.root()]).ends(0).stdout;
    let lines: Vec<_> = table.lines().collect();
    assert!(lines[0].starts_with("RUN"), "{table}");
    assert!(
        lines[1].contains("done") && lines[1].ends_with("tls"),
        "{table}"
    );
    assert!(
        lines[2].contains("undone") && lines[2].ends_with("nla"),
        "{table}"
    );
}

#[test]
fn a_folder_that_is_no_target_is_called_so() {
    let folder = tempfile::TempDir::new().expect("a temporary folder");
    let root = folder.path().to_str().expect("UTF-8");
    let elsewhere = folder.path().join("elsewhere");
    let elsewhere = elsewhere.to_str().expect("UTF-8");
    let not_windows = "not a Windows volume (there is no folder Windows/System32/config), and no \
                       folder for undo data";
    for args in [
        ["runs", root].as_slice(),
        &["runs", root, "--json"],
        &["runs", root, "--prune", "--yes"],
        &["runs", root, "--state-dir", elsewhere],
    ] {
        diskmend(args)
            .ends(0)
            .says("warning: ")
            .says(not_windows)
            .says("--state-dir DIR");
    }
    for args in [
        ["undo", root, "--yes"].as_slice(),
        &["undo", root, "20261123T124100Z", "--yes"],
        &["undo", root, "20261123T124100Z", "--trust", "--yes"],
        &["undo", root, "--force-bytes", "--yes"],
        &["undo", root, "--yes", "--state-dir", elsewhere],
    ] {
        diskmend(args)
            .ends(1)
            .says("error: ")
            .says(not_windows)
            .says("--state-dir DIR");
    }
    assert_eq!(std::fs::read_dir(root).expect("a folder").count(), 0);
    // Either of the two makes it a target.
    std::fs::create_dir(elsewhere).expect("writable");
    for (args, code) in [
        (["runs", root, "--state-dir", elsewhere].as_slice(), 0),
        (&["undo", root, "--yes", "--state-dir", elsewhere], 1),
    ] {
        let run = diskmend(args).ends(code);
        assert!(!run.stderr.contains("Windows volume"), "{}", run.stderr);
    }
    let volume = Volume::new();
    let run = diskmend(["runs", volume.root()]).ends(0);
    assert_eq!(run.stderr, "");
    let run = diskmend(["undo", volume.root(), "--yes"]).ends(1);
    assert!(!run.stderr.contains("Windows volume"), "{}", run.stderr);
}

/// Once every command kept the folder of every run open, and ended with "too many open files".
#[cfg(unix)]
#[test]
fn there_may_be_more_runs_than_files_that_can_be_open() {
    let volume = Volume::new();
    for number in 2..300 {
        let name = format!("diskmend/runs/20200101T000000Z-{number}");
        std::fs::create_dir_all(volume.folder.path().join(name)).expect("a folder");
    }
    let limited = |args: &[&str]| {
        let program = command([""; 0]).get_program().to_owned();
        let mut shell = std::process::Command::new("sh");
        shell.args(["-c", "ulimit -n 64; exec \"$@\"", "sh"]);
        shell.arg(program).args(args);
        Run::of(shell.output().expect("a shell"))
    };
    let root = volume.root();
    limited(&["inspect", root]).ends(3);
    limited(&["plan", root, "tls"]).ends(3);
    limited(&["repair", root, "tls", "--yes"]).ends(0);
    limited(&["repair", root, "tls", "--yes"]).ends(0);
    limited(&["undo", root, "--yes"]).ends(0);
    let document = limited(&["runs", root, "--json"]).ends(0).json();
    assert_eq!(document["runs"].as_array().map(Vec::len), Some(299));
}

#[test]
fn undone_runs_are_removed_by_prune() {
    let volume = Volume::new();
    for _ in 0..3 {
        diskmend(["repair", volume.root(), "nla", "--yes"]).ends(0);
        diskmend(["undo", volume.root(), "--yes"]).ends(0);
    }
    diskmend(["repair", volume.root(), "tls", "--yes"]).ends(0);
    let hives = volume.hives();
    let states = || {
        let document = diskmend(["runs", volume.root(), "--json"]).ends(0).json();
        let runs = document["runs"].as_array().expect("a list").clone();
        let states = runs
            .iter()
            .map(|run| run["state"].as_str().map(str::to_owned));
        states.collect::<Option<Vec<_>>>().expect("readable")
    };
    diskmend(["runs", volume.root(), "--prune"])
        .ends(2)
        .says("hint: add --yes");
    diskmend(["runs", volume.root(), "--keep", "1"]).ends(2);
    assert_eq!(states(), ["undone", "undone", "undone", "done"]);
    let prune = ["runs", volume.root(), "--prune", "--yes"];
    let kept = diskmend([&prune[..], &["--keep", "1"]].concat()).ends(0);
    assert!(
        kept.stdout.starts_with("2 runs removed, "),
        "{}",
        kept.stdout
    );
    assert_eq!(states(), ["undone", "done"]);
    let document = diskmend([&prune[..], &["--json"]].concat()).ends(0).json();
    assert_eq!(document["removed"].as_array().map(Vec::len), Some(1));
    assert_eq!(document["removed"][0]["why"], "undone");
    assert_eq!(states(), ["done"]);
    let none = diskmend(prune).ends(0);
    assert_eq!(none.stdout, "there are no runs to remove\n");
    assert_eq!(volume.hives(), hives);
}

/// The folder of a run can contain anything. Nothing outside it is removed, and nothing is waited
/// for.
#[cfg(unix)]
#[test]
fn links_in_a_hostile_run_are_not_followed_when_it_is_removed() {
    use std::fs;
    use std::os::unix::fs::symlink;

    let volume = Volume::new();
    let outside = tempfile::tempdir().expect("a folder");
    fs::write(outside.path().join("precious"), "kept").expect("writable");
    let run = volume.folder.path().join("diskmend/runs/20200101T000000Z");
    fs::create_dir_all(run.join("a/b/c")).expect("writable");
    fs::write(run.join("a/b/c/file"), "x").expect("writable");
    symlink(outside.path(), run.join("folder")).expect("a link");
    symlink(outside.path().join("precious"), run.join("a/file")).expect("a link");
    let fifo = std::process::Command::new("mkfifo")
        .arg(run.join("fifo"))
        .status();
    assert!(fifo.expect("mkfifo").success());
    let deep = volume.folder.path().join("diskmend/runs/20200101T000001Z");
    fs::create_dir_all(deep.join("d/".repeat(60))).expect("writable");
    let prune = ["runs", volume.root(), "--prune", "--yes"];
    let pruned = diskmend(prune)
        .ends(4)
        .says("20200101T000001Z is not removed");
    assert!(
        pruned.stdout.starts_with("1 run removed, 1 bytes"),
        "{}",
        pruned.stdout
    );
    assert!(!run.exists());
    let kept = fs::read(outside.path().join("precious"));
    assert_eq!(kept.expect("not followed"), b"kept");
    assert!(
        deep.join("d/".repeat(60)).exists(),
        "a part of it is removed"
    );
}

const GUID: &str = "{4c4c4544-0042-3210-804d-000000000001}";
const HARDWARE: &str = r"HardwareConfig\{4c4c4544-0042-3210-804d-000000000001}";

/// A run could once be undone, but not looked at.
#[test]
fn a_run_shows_each_change_with_its_old_and_new_data() {
    let volume = Volume::new();
    let named = |editor: &mut Editor| {
        let key = r"ControlSet001\Control\ComputerName\ComputerName";
        editor.create_key(key).expect("valid");
        let set = editor.set_value(key, "ComputerName", ValueType::SZ, &utf16("WEB\u{1b}01\0"));
        set.expect("valid");
    };
    hive_file(&volume.system(), |editor| {
        system(editor);
        named(editor);
        for (key, name, text) in [
            ("HardwareConfig", "LastConfig", GUID),
            (HARDWARE, "SystemManufacturer", "Microsoft Corporation"),
            (HARDWARE, "SystemProductName", "Virtual Machine"),
        ] {
            editor.create_key(key).expect("valid");
            let data = utf16(&format!("{text}\0"));
            let set = editor.set_value(key, name, ValueType::SZ, &data);
            set.expect("valid");
        }
        let agent = r"ControlSet001\Services\RdAgent";
        editor.create_key(agent).expect("valid");
        let start = editor.set_value(agent, "Start", ValueType::DWORD, &2u32.to_le_bytes());
        start.expect("valid");
    });
    diskmend(["repair", volume.root(), "nla", "--yes"]).ends(0);
    let list = diskmend(["runs", volume.root(), "--json"]).ends(0).json();
    let run = &list["runs"][0];
    assert_eq!(run["windows"]["computer_name"], "WEB\u{1b}01");
    assert_eq!(run["windows"]["manufacturer"], "Microsoft Corporation");
    assert_eq!(run["windows"]["model"], "Virtual Machine");
    assert_eq!(run["windows"]["agents"], serde_json::json!(["RdAgent"]));
    assert!(run["windows"]["control_sets"].is_number(), "{run}");
    let name = run["run"].as_str().expect("a name");
    let listed = diskmend(["runs", volume.root()]).ends(0).stdout;
    assert!(listed.contains("nla; on WEB<U+001B>01"), "{listed}");

    let details = diskmend(["runs", volume.root(), name, "--json"])
        .ends(0)
        .json();
    assert_eq!(details["run"]["run"], name);
    let hive = &details["hives"][0];
    assert_eq!(hive["path"], "Windows/System32/config/SYSTEM");
    assert_eq!(hive["change_count"], run["changes"]);
    let changes = hive["changes"].as_array().expect("a list");
    assert_eq!(
        changes.len() as u64,
        run["changes"].as_u64().expect("a number")
    );
    let change = changes
        .iter()
        .find(|change| change["value"] == "SecurityLayer");
    let change = change.expect("changed by the recipe");
    assert_eq!(change["action"], "value");
    let both = [&change["old"], &change["new"]].map(|data| data["data"].clone());
    assert_ne!(both[0], both[1]);

    let shown = diskmend(["runs", volume.root(), &name[..10]]).ends(0);
    for words in [
        "SecurityLayer",
        "-> REG_DWORD",
        "computer WEB<U+001B>01",
        "done",
    ] {
        assert!(shown.stdout.contains(words), "{words}: {}", shown.stdout);
    }
    shown.says("to undo: diskmend undo ");
    diskmend(["undo", volume.root(), "--yes"]).ends(0);
    let shown = diskmend(["runs", volume.root(), name]).ends(0);
    assert!(shown.stdout.contains("undone"), "{}", shown.stdout);
    assert_eq!(shown.stderr, "");
    diskmend(["runs", volume.root(), "19990101T000000Z"])
        .ends(1)
        .says("there is no run");
    diskmend(["runs", volume.root(), name, "--prune"]).ends(2);
}
