//! `diskmend inspect`.

use std::fs;

use diskmend_hive::ValueType;

use crate::fixture::{Volume, hive_file, utf16};
use crate::program::diskmend;

#[test]
fn faults_end_with_3_and_nothing_is_written() {
    let volume = Volume::new();
    let before = volume.hives();
    let run = diskmend(["inspect", volume.root(), "tls", "nla"]).ends(3);
    assert!(run.stdout.contains("FAULT"), "{}", run.stdout);
    assert!(
        run.stdout
            .contains("ControlSet001 (current), ControlSet002"),
        "{}",
        run.stdout
    );
    assert_eq!(volume.hives(), before);
    assert!(!volume.folder.path().join("diskmend").exists());
}

#[test]
fn json_has_a_row_for_each_value_in_each_control_set() {
    let volume = Volume::new();
    let document = diskmend(["inspect", volume.root(), "tls", "--json"])
        .ends(3)
        .json();
    let rows = document["rows"].as_array().expect("a list");
    let enabled = |set: &str| {
        let key = format!(r"{set}\Control\SecurityProviders\SCHANNEL\Protocols\TLS 1.2\Server");
        rows.iter()
            .find(|row| row["key"] == key.as_str() && row["value"] == "Enabled")
            .expect("a row")
    };
    for (set, current) in [("ControlSet001", true), ("ControlSet002", false)] {
        assert_eq!(enabled(set)["state"], "fault");
        assert_eq!(enabled(set)["in_current_set"], current);
        assert_eq!(enabled(set)["current"]["data"], 0);
        assert_eq!(enabled(set)["desired"]["data"], 1);
    }
}

#[test]
fn the_identity_comes_first_as_far_as_it_is_known() {
    let volume = Volume::new();
    let run = diskmend(["inspect", volume.root(), "tls"]).ends(3);
    let start = "Windows  version unknown\n  2 control sets\n  SOFTWARE can't be read: \
                 Windows/System32/config/SOFTWARE: not found\n\nSYSTEM  ";
    assert!(run.stdout.starts_with(start), "{}", run.stdout);

    hive_file(&volume.config().join("SOFTWARE"), |editor| {
        let key = r"Microsoft\Windows NT\CurrentVersion";
        editor.create_key(key).expect("valid");
        for (name, text) in [
            ("ProductName", "Windows 10 Enterprise\0"),
            ("EditionID", "Enterprise\0"),
            ("CurrentBuildNumber", "26100\0"),
        ] {
            let set = editor.set_value(key, name, ValueType::SZ, &utf16(text));
            set.expect("valid");
        }
        let revision = 1742_u32.to_le_bytes();
        let set = editor.set_value(key, "UBR", ValueType::DWORD, &revision);
        set.expect("valid");
    });
    let run = diskmend(["inspect", volume.root(), "tls"]).ends(3);
    let start = "Windows 11 Enterprise  edition Enterprise, build 26100.1742\n  2 control sets\n\n";
    assert!(run.stdout.starts_with(start), "{}", run.stdout);
    let inspect = ["inspect", volume.root(), "tls", "--json"];
    let document = diskmend(inspect).ends(3).json();
    let wanted = serde_json::json!({
        "product_name": "Windows 11 Enterprise",
        "edition": "Enterprise",
        "build": 26100,
        "ubr": 1742,
        "control_sets": 2,
        "agents": [],
    });
    assert_eq!(document["identity"], wanted);
}

#[test]
fn a_repaired_disk_ends_with_0() {
    let volume = Volume::new();
    diskmend(["repair", volume.root(), "tls", "--yes"]).ends(0);
    diskmend(["inspect", volume.root(), "tls"]).ends(0);
}

#[test]
fn without_recipe_names_all_recipes_are_inspected() {
    let volume = Volume::new();
    let document = diskmend(["inspect", volume.root(), "--json"])
        .ends(3)
        .json();
    let recipes = document["recipes"].as_array().expect("a list");
    for name in ["tls", "nla", "crash-dump"] {
        assert!(recipes.iter().any(|recipe| recipe == name), "{recipes:?}");
    }
}

#[test]
fn a_dirty_hive_is_inspected_as_its_logs_recover_it() {
    let volume = Volume::of_fixture("dirty-hvle-both");
    let before = volume.hives();
    let run = diskmend(["inspect", volume.root(), "tls"]).ends(3);
    assert!(run.stdout.contains("not closed cleanly"), "{}", run.stdout);
    assert!(run.stdout.contains(".LOG2"), "{}", run.stdout);
    assert_eq!(volume.hives(), before);
}

#[test]
fn errors_of_the_structure_are_listed() {
    let volume = Volume::of_fixture("broken-order");
    let run = diskmend(["inspect", volume.root(), "tls"]).ends(3);
    assert!(run.stdout.contains("subkey-order"), "{}", run.stdout);
}

#[test]
fn a_path_that_is_not_a_target_is_refused_with_a_hint() {
    let volume = Volume::new();
    diskmend(["inspect", volume.root(), "nonsense"])
        .ends(2)
        .says("no recipe is called \"nonsense\"");
    diskmend(["inspect"]).ends(2);
    let windows = volume.folder.path().join("Windows");
    diskmend(["inspect", windows.to_str().expect("UTF-8")])
        .ends(5)
        .says("not a Windows volume")
        .says("hint: name the root of the Windows volume");
    let missing = volume.folder.path().join("missing");
    diskmend(["inspect", missing.to_str().expect("UTF-8")])
        .ends(1)
        .says("missing: not found");
    let file = volume.config().join("notes.txt");
    fs::write(&file, [0x5a; 65536]).expect("writable");
    diskmend(["inspect", file.to_str().expect("UTF-8")])
        .ends(1)
        .says("neither a partition table nor a known volume")
        .says(
            "hint: name the folder that the Windows volume is mounted on, a disk image, or a disk",
        );
}

/// Manuals show `F:`, which only Windows has.
#[cfg(not(windows))]
#[test]
fn a_drive_letter_is_answered_with_what_to_name_instead() {
    const HINT: &str = "hint: only Windows has drive letters; here, name the mount point";
    for drive in ["F:", r"F:\", r"f:\mnt", "F:/"] {
        for args in [
            &["inspect", drive][..],
            &["plan", drive, "tls"],
            &["repair", drive, "tls", "--yes"],
            &["undo", drive, "--yes"],
            &["runs", drive],
            &["disks", drive],
            &["bcd", "show", drive],
            &["bcd", "set", drive, "{default}", "nx", "optin", "--yes"],
            &["hive", "get", drive, "Select"],
            &["hive", "delete", drive, "Select", "--yes"],
            &["acl", "show", drive],
            &["acl", "show", "Windows", "--target", drive],
        ] {
            diskmend(args).ends(1).says(HINT);
        }
    }
    let run = diskmend(["inspect", "missing"]).ends(1);
    assert!(!run.stderr.contains("drive letter"), "{}", run.stderr);
    // A folder may have such a name.
    let folder = tempfile::TempDir::new().expect("a temporary folder");
    std::fs::create_dir(folder.path().join("F:")).expect("writable");
    let mut inside = crate::program::command(["inspect", "F:"]);
    let output = inside
        .current_dir(folder.path())
        .output()
        .expect("it starts");
    let run = crate::program::Run::of(output).ends(5);
    assert!(!run.stderr.contains("drive letter"), "{}", run.stderr);
}

/// Once every difference from a recipe ended with 3, so that scripts took healthy disks for broken.
#[test]
fn it_ends_with_a_verdict_and_what_merely_differs_is_no_fault() {
    let volume = Volume::new();
    let run = diskmend(["inspect", volume.root()]).ends(3);
    let line = format!(
        "\nRepair it: diskmend repair {} tls nla --auto\n",
        volume.root()
    );
    let verdict = "Verdict: 4 faults. ";
    let wanted = line.replacen('\n', verdict, 1);
    assert!(run.stdout.ends_with(&wanted), "{}", run.stdout);
    diskmend(["repair", volume.root(), "tls", "nla", "--auto", "--yes"]).ends(0);
    let run = diskmend(["inspect", volume.root()]).ends(0);
    let verdict = format!(
        "Verdict: nothing here is a fault. Look for another cause: diskmend diagnose {}\n",
        volume.root()
    );
    assert!(run.stdout.ends_with(&verdict), "{}", run.stdout);
    let document = diskmend(["inspect", volume.root(), "--json"])
        .ends(0)
        .json();
    let summary = &document["summary"];
    assert_eq!(
        (&summary["fault"], &summary["faults"]),
        (&false.into(), &0.into())
    );
    assert!(
        summary["missing"].as_u64().is_some_and(|count| count > 0),
        "{summary}"
    );
    assert_eq!(summary["repair"], serde_json::json!([]));
}
