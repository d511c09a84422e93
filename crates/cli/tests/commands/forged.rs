//! Forged runs. Nothing outside the target is changed, and nothing on the target that a run of this
//! kind does not write. These tests don't run on Windows, where a folder that a test makes is
//! refused because of its permissions.

use std::fs;

use serde_json::{Value, json};

use crate::fixture::Volume;
use crate::program::diskmend;
use crate::run_file;
use crate::trust::{NAME, elsewhere, listed, runs_folder, warns};

const HIVE: &str = "Windows/System32/config/SYSTEM";

/// Undo data without records: the old bytes of the file are its present bytes.
fn no_records() -> Vec<u8> {
    let mut bytes = b"DMENDUN\x1a\x01\0\0\0\0\0\0\0".to_vec();
    bytes.extend(0u64.to_le_bytes());
    let digest = xxhash_rust::xxh3::xxh3_64(&bytes);
    bytes.extend(digest.to_le_bytes());
    bytes
}

/// A journal, as somebody who knows the format can write it.
fn journal(schema: u32, state: &str, hives: &Value) -> Value {
    json!({
        "schema": schema, "tool": "diskmend 0.1.0", "run": NAME, "kind": "repair", "state": state,
        "started": "2020-01-01T00:00:00Z", "updated": "2020-01-01T00:00:00Z",
        "target": "/mnt/f", "recipes": [], "hives": hives,
    })
}

/// The entry of a hive in a run that has created a file: to undo the run is to remove the file.
fn created(hive: &str, volume: Option<&str>, file: &str) -> Value {
    let mut entry = json!({
        "hive": "BCD", "path": hive, "recovered": false, "reversible": true, "changes": [],
        "change_count": 0,
        "files": [{"path": file, "undo": "undo-1.bin", "old": null, "new": null, "extents": []}],
        "steps": [{"create": {"file": 0}}],
    });
    if let Some(volume) = volume {
        entry["volume"] = volume.into();
    }
    entry
}

/// Puts a run on a disk that this machine has not written.
fn forge(root: &str, journal: &Value) {
    let path = runs_folder(root).join(NAME);
    fs::create_dir_all(runs_folder(root)).expect("a writable folder");
    let text = serde_json::to_vec_pretty(journal).expect("JSON");
    run_file::make(&path, &no_records(), &text);
    if journal["schema"] == 1 {
        run_file::take_apart(&path);
    }
}

/// Once a journal could name any folder of this machine as the volume of the run's boot store. Undo
/// removed the file there, and inspect and repair advised to run undo.
#[test]
fn a_forged_undo_reaches_no_volume_that_its_journal_names() {
    for schema in [1, 2] {
        let volume = Volume::new();
        let victim = tempfile::tempdir().expect("a folder");
        let boot = victim.path().join("Boot");
        fs::create_dir(&boot).expect("writable");
        fs::write(boot.join("BCD"), "mine").expect("writable");
        let elsewhere = victim.path().to_str().expect("UTF-8");
        let hives = json!([created("Boot/BCD", Some(elsewhere), "Boot/BCD")]);
        forge(volume.root(), &journal(schema, "undoing", &hives));

        diskmend(["undo", volume.root(), "--yes"])
            .ends(1)
            .says("no run to undo");
        warns(&diskmend(["undo", volume.root(), NAME, "--yes"]).ends(5));
        warns(&diskmend(["inspect", volume.root()]));
        let before = volume.hives();
        let repair = diskmend(["repair", volume.root(), "tls", "--yes"]).ends(5);
        warns(&repair);
        assert!(
            repair.stderr.contains("(it is undoing)"),
            "{}",
            repair.stderr
        );
        assert_eq!(volume.hives(), before);
        let vouched = diskmend(["undo", volume.root(), NAME, "--trust", "--yes"]);
        assert_ne!(vouched.code, 0, "{}", vouched.stdout);
        assert_eq!(fs::read(boot.join("BCD")).expect("there"), b"mine");
        // After it is removed, it no longer prevents other commands.
        diskmend(["runs", volume.root(), "--prune", "--yes"]).ends(0);
        diskmend(["repair", volume.root(), "tls", "--yes"]).ends(0);
        assert_eq!(fs::read(boot.join("BCD")).expect("there"), b"mine");
    }
}

/// Once every byte of a file was hashed before its length was checked, and a sparse file took
/// hours.
#[test]
fn a_file_that_no_run_made_so_long_is_not_read() {
    const LEN: u64 = 1 << 40;
    let lengthen = |path: &std::path::Path| {
        let file = fs::OpenOptions::new().write(true).open(path);
        file.expect("there").set_len(LEN)
    };
    let volume = Volume::new();
    let root = volume.root();
    let document = diskmend(["repair", root, "nla", "--yes", "--json"]).ends(0);
    let document = document.json();
    let run = document["run"].as_str().expect("a run");
    let log = volume.config().join("SYSTEM.LOG1");
    let original = fs::read(&log).ok();
    fs::File::create(&log).expect("writable");
    if lengthen(&log).is_err() {
        // This file system can't have a file of that length.
        return;
    }
    let undo = diskmend(["undo", root, "--yes"]);
    assert_ne!(undo.code, 0, "{}", undo.stdout);
    match original {
        Some(bytes) => fs::write(&log, bytes).expect("writable"),
        None => fs::remove_file(&log).expect("writable"),
    }
    let before = volume.hives();
    let path = runs_folder(root).join(run);
    let original = fs::read(&path).expect("there");
    // Bytes after the last frame don't belong to the run.
    let file = fs::OpenOptions::new().write(true).open(&path);
    file.expect("there").set_len(LEN).expect("sparse");
    assert_eq!(listed(&volume)["state"], "done");
    fs::write(&path, original).expect("writable");
    run_file::take_apart(&path);
    let undo_data = path.join("undo-1.bin");
    let original = fs::read(&undo_data).expect("there");
    for len in [LEN, original.len() as u64 + 1] {
        let file = fs::OpenOptions::new().write(true).open(&undo_data);
        file.expect("there").set_len(len).expect("sparse");
        diskmend(["undo", root, "--yes"])
            .ends(1)
            .says("undo-1.bin is damaged");
        assert_eq!(volume.hives(), before);
    }
    fs::write(&undo_data, original).expect("writable");
    diskmend(["undo", root, "--yes"]).ends(0);
}

/// Once every command failed because of a link or file with the name of a run.
#[cfg(unix)]
#[test]
fn a_file_with_the_name_of_a_run_hides_no_other_run() {
    type Make<'a> = &'a dyn Fn(&std::path::Path) -> std::io::Result<()>;
    let victim = tempfile::tempdir().expect("a folder");
    fs::write(victim.path().join("journal.json"), "mine").expect("writable");
    let link = |path: &std::path::Path| std::os::unix::fs::symlink(victim.path(), path);
    let file = |path: &std::path::Path| fs::write(path, "mine");
    let folder = |path: &std::path::Path| fs::create_dir_all(path.join("journal.json/below"));
    let linked = |path: &std::path::Path| {
        fs::create_dir(path)?;
        std::os::unix::fs::symlink(victim.path(), path.join("journal.json"))
    };
    let odd: [Make<'_>; 4] = [&link, &file, &folder, &linked];
    for make in odd {
        let volume = Volume::new();
        let root = volume.root();
        diskmend(["repair", root, "nla", "--yes"]).ends(0);
        make(&runs_folder(root).join(NAME)).expect("writable");
        let list = diskmend(["runs", root, "--json"]).ends(0).json();
        let runs = list["runs"].as_array().expect("a list");
        assert_eq!(runs.len(), 2);
        assert_eq!(runs[0]["run"], NAME);
        assert_eq!(runs[0]["trust"], "unauthenticated");
        let found = diskmend(["inspect", root]);
        assert!(![1, 5].contains(&found.code), "{}", found.stderr);
        let planned = diskmend(["plan", root, "nla"]);
        assert!(![1, 5].contains(&planned.code), "{}", planned.stderr);
        diskmend(["repair", root, "tls", "--yes"])
            .ends(5)
            .says("--prune");
        let document = diskmend(["runs", root, "--prune", "--yes", "--json"]).ends(0);
        let document = document.json();
        assert_eq!(document["removed"][0]["run"], NAME);
        assert_eq!(document["removed"].as_array().map(Vec::len), Some(1));
        diskmend(["repair", root, "tls", "--yes"]).ends(0);
        let mine = fs::read(victim.path().join("journal.json"));
        assert_eq!(mine.expect("there"), b"mine");
    }
}

/// Once `files[].path` could name any file of the volume, and undo overwrote or removed it.
#[test]
fn a_forged_run_names_no_file_but_its_hive_and_its_logs() {
    for path in [
        "Windows/System32/config/SAM",
        "../outside",
        "/etc/hostname",
        "Windows/System32/config/SYSTEM:stream",
        "Windows/System32/config/SYSTEM.LOG3",
    ] {
        for (hive, schema) in [(HIVE, 1), (HIVE, 2), (path, 2)] {
            let volume = Volume::new();
            let sam = volume.config().join("SAM");
            fs::write(&sam, "accounts").expect("writable");
            let hives = json!([created(hive, None, path)]);
            forge(volume.root(), &journal(schema, "undoing", &hives));
            let before = volume.hives();
            let undo = diskmend(["undo", volume.root(), NAME, "--trust", "--yes"]).ends(1);
            assert!(
                undo.stderr.contains("journal.json is damaged")
                    || undo.stderr.contains(&format!("{NAME} is damaged")),
                "{}",
                undo.stderr
            );
            assert_eq!(volume.hives(), before, "{path}");
        }
    }
}

/// The machine that made a run may still need it. A run that no machine has sealed may be removed.
#[test]
fn runs_of_another_machine_stay_and_forged_ones_are_removed() {
    let volume = Volume::new();
    let folder = tempfile::tempdir().expect("a folder");
    let other = folder.path().join("other");
    let root = volume.root();
    elsewhere(&other, ["repair", root, "tls", "--yes"]).ends(0);
    let prune = ["runs", root, "--prune", "--yes", "--json"];
    let none = diskmend(prune).ends(0).json();
    assert_eq!(none["removed"], json!([]));
    assert_eq!(listed(&volume)["trust"], "foreign");
    elsewhere(&other, ["undo", root, "--yes"]).ends(0);

    forge(root, &journal(2, "done", &json!([])));
    let run = runs_folder(root).join("20200101T000001Z");
    fs::create_dir_all(&run).expect("a writable folder");
    fs::write(run.join("journal.json"), "no journal").expect("writable");
    let document = diskmend(prune).ends(0).json();
    let removed = document["removed"].as_array().expect("a list");
    let why: Vec<_> = removed.iter().map(|run| &run["why"]).collect();
    assert_eq!(why, ["not-trusted", "not-trusted", "undone"]);
    let list = diskmend(["runs", root, "--json"]).ends(0).json();
    assert_eq!(list["runs"], json!([]));
}
