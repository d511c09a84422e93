//! Runs that somebody else may have written: what lies in the folder `diskmend` of a disk is
//! believed only if its seal fits this machine's key.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use crate::fixture::{Volume, files};
use crate::program::{Run, command, diskmend};

const NAME: &str = "20200101T000000Z";
const HIVE: &str = "Windows/System32/config/SYSTEM";

fn runs_folder(root: &str) -> PathBuf {
    Path::new(root).join("diskmend").join("runs")
}

/// Undo data without a record: what the file was is what it is.
fn no_records() -> Vec<u8> {
    let mut bytes = b"DMENDUN\x1a\x01\0\0\0\0\0\0\0".to_vec();
    bytes.extend(0u64.to_le_bytes());
    let digest = xxhash_rust::xxh3::xxh3_64(&bytes);
    bytes.extend(digest.to_le_bytes());
    bytes
}

/// A journal as somebody may write it who knows the format.
fn journal(schema: u32, state: &str, hives: &Value) -> Value {
    json!({
        "schema": schema, "tool": "diskmend 0.1.0", "run": NAME, "kind": "repair", "state": state,
        "started": "2020-01-01T00:00:00Z", "updated": "2020-01-01T00:00:00Z",
        "target": "/mnt/f", "recipes": [], "hives": hives,
    })
}

/// A hive entry of a run that has created a file, so that undoing it removes the file.
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
    let folder = runs_folder(root).join(NAME);
    fs::create_dir_all(&folder).expect("a writable folder");
    let text = serde_json::to_vec_pretty(journal).expect("JSON");
    fs::write(folder.join("journal.json"), text).expect("writable");
    fs::write(folder.join("undo-1.bin"), no_records()).expect("writable");
}

/// It does not tell anybody to undo the run unseen.
#[track_caller]
fn warns(run: &Run) {
    assert!(run.stderr.contains("not trusted"), "{}", run.stderr);
    for line in run
        .stderr
        .lines()
        .filter(|line| line.contains("diskmend undo"))
    {
        assert!(line.contains("--trust"), "{line}");
    }
}

// On Windows a folder that this test makes is not believed for its permissions alone.
/// The journal named any folder of this machine as the volume of the run's boot store, and undo
/// removed the file there; inspect and repair told to run it.
#[cfg(unix)]
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
        warns(&diskmend(["repair", volume.root(), "tls", "--yes"]).ends(5));
        assert_eq!(volume.hives(), before);
        let vouched = diskmend(["undo", volume.root(), NAME, "--trust", "--yes"]);
        assert_ne!(vouched.code, 0, "{}", vouched.stdout);
        assert_eq!(fs::read(boot.join("BCD")).expect("there"), b"mine");
        // Once it is removed it hinders nobody.
        diskmend(["runs", volume.root(), "--prune", "--yes"]).ends(0);
        diskmend(["repair", volume.root(), "tls", "--yes"]).ends(0);
        assert_eq!(fs::read(boot.join("BCD")).expect("there"), b"mine");
    }
}

/// `files[].path` was not tied to the hive: undo overwrote or removed any file of the volume.
#[cfg(unix)]
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
                undo.stderr.contains("journal.json is damaged"),
                "{}",
                undo.stderr
            );
            assert_eq!(volume.hives(), before, "{path}");
        }
    }
}

fn repaired(volume: &Volume) -> String {
    let document = diskmend(["repair", volume.root(), "nla", "--yes", "--json"])
        .ends(0)
        .json();
    document["run"].as_str().expect("a run").to_owned()
}

/// What `runs` says of the only run.
fn listed(volume: &Volume) -> Value {
    let document = diskmend(["runs", volume.root(), "--json"]).ends(0).json();
    let runs = document["runs"].as_array().expect("a list");
    assert_eq!(runs.len(), 1);
    runs[0].clone()
}

#[test]
fn a_run_of_this_machine_is_known_and_no_bit_of_it_can_be_changed() {
    let volume = Volume::new();
    let pristine = volume.hives();
    let run = repaired(&volume);
    assert_eq!(listed(&volume)["trust"], "own");
    let repaired = volume.hives();
    let folder = runs_folder(volume.root()).join(&run);
    let written = files(&folder);
    let mut names: Vec<&str> = written.keys().map(String::as_str).collect();
    names.retain(|name| !name.starts_with("undo-"));
    assert_eq!(names, ["changes-1.jsonl", "journal.json"]);
    for (name, bytes) in &written {
        let mut changed = bytes.clone();
        let at = changed.len() / 2;
        changed[at] ^= 1;
        fs::write(folder.join(name), &changed).expect("writable");
        // The changes are needed only if the hive was changed since.
        if name.starts_with("changes") {
            let file = volume.system();
            let file = file.to_str().expect("UTF-8");
            let set = ["hive", "set", file, "Later", "A", "REG_DWORD", "1", "--yes"];
            diskmend(set).ends(0);
        }
        let before = volume.hives();
        let undo = diskmend(["undo", volume.root(), &run, "--yes"]);
        assert!([1, 5].contains(&undo.code), "{name}: {}", undo.stdout);
        assert_eq!(volume.hives(), before, "{name}");
        if name.starts_with("changes") {
            diskmend(["undo", volume.root(), "--yes"]).ends(0);
        }
        assert_eq!(volume.hives(), repaired, "{name}");
        fs::write(folder.join(name), bytes).expect("writable");
    }
    diskmend(["undo", volume.root(), &run, "--yes"]).ends(0);
    assert_eq!(volume.hives(), pristine);
}

#[test]
fn a_run_that_was_moved_to_another_name_is_not_believed() {
    let volume = Volume::new();
    let run = repaired(&volume);
    let folder = runs_folder(volume.root());
    fs::rename(folder.join(&run), folder.join(NAME)).expect("writable");
    let found = listed(&volume);
    assert_eq!(
        (&found["run"], &found["trust"]),
        (&json!(NAME), &json!("unauthenticated"))
    );
    assert_eq!(found["reason"], "wrong-seal");
    let before = volume.hives();
    diskmend(["undo", volume.root(), "--yes"]).ends(1);
    warns(&diskmend(["undo", volume.root(), NAME, "--yes"]).ends(5));
    assert_eq!(volume.hives(), before);
    // It is done, and hinders nobody.
    diskmend(["repair", volume.root(), "tls", "--yes"]).ends(0);
}

/// The same machine with a key of its own, as another machine is.
fn elsewhere<const N: usize>(key: &Path, args: [&str; N]) -> Run {
    let output = command(args).env("DISKMEND_KEY_FILE", key).output();
    Run::of(output.expect("the program starts"))
}

#[test]
fn a_disk_can_move_to_another_machine_with_the_key() {
    let volume = Volume::new();
    let pristine = volume.hives();
    let run = repaired(&volume);
    let folder = tempfile::tempdir().expect("a folder");
    let other = folder.path().join("other");
    let exported = folder.path().join("exported.key");
    let exported = exported.to_str().expect("UTF-8");
    diskmend(["key", "export", "-o", exported]).ends(0);
    diskmend(["key", "export", "-o", exported]).ends(1);
    let id = diskmend(["key", "show", "--json"]).ends(0).json()["key"].clone();

    let list = elsewhere(&other, ["runs", volume.root(), "--json"])
        .ends(0)
        .json();
    assert_eq!(list["runs"][0]["trust"], "foreign");
    assert_eq!(list["runs"][0]["key"], id);
    elsewhere(&other, ["undo", volume.root(), "--yes"]).ends(1);
    let refused = elsewhere(&other, ["undo", volume.root(), &run, "--yes"]).ends(5);
    warns(&refused);
    assert!(refused.stderr.contains("--key FILE"), "{}", refused.stderr);

    let list = elsewhere(&other, ["runs", volume.root(), "--json", "--key", exported]);
    assert_eq!(list.ends(0).json()["runs"][0]["trust"], "known");
    elsewhere(&other, ["undo", volume.root(), "--key", exported, "--yes"]).ends(0);
    assert_eq!(volume.hives(), pristine);
    // It stays a run of that machine.
    assert_eq!(listed(&volume)["trust"], "own");
}

#[test]
fn a_run_that_nobody_speaks_for_is_undone_after_its_plan_was_shown() {
    let volume = Volume::new();
    let pristine = volume.hives();
    let run = repaired(&volume);
    let folder = tempfile::tempdir().expect("a folder");
    let other = folder.path().join("other");
    let repaired = volume.hives();
    // Both consents are needed where nobody can be asked.
    elsewhere(&other, ["undo", volume.root(), &run, "--trust"]).ends(2);
    elsewhere(&other, ["undo", volume.root(), "--trust", "--yes"]).ends(2);
    assert_eq!(volume.hives(), repaired);
    let undo = elsewhere(&other, ["undo", volume.root(), &run, "--trust", "--yes"]).ends(0);
    let undo = undo.says("were not written by this machine").stdout;
    for line in [
        format!("file {HIVE}: "),
        format!("{HIVE}\\ControlSet001\\Control\\Terminal Server\\WinStations\\RDP-Tcp"),
        "    now  REG_DWORD 1".to_owned(),
        "    then REG_DWORD 0".to_owned(),
    ] {
        assert!(undo.contains(&line), "{line}\n{undo}");
    }
    assert_eq!(volume.hives(), pristine);
    assert_eq!(listed(&volume)["state"], "undone");
    assert_eq!(listed(&volume)["trust"], "unauthenticated");
}

/// Runs of 0.1.0 have no seal: they are shown, and undone as any that nobody speaks for.
#[test]
fn a_run_of_the_version_without_seals_is_read() {
    let volume = Volume::new();
    let pristine = volume.hives();
    let run = repaired(&volume);
    let path = runs_folder(volume.root()).join(&run).join("journal.json");
    let text = fs::read_to_string(&path).expect("there");
    let mut old: Value = serde_json::from_str(&text).expect("JSON");
    old["schema"] = 1.into();
    let old = old.as_object_mut().expect("an object");
    old.remove("seal");
    for hive in old["hives"].as_array_mut().expect("a list") {
        hive["changes"] = json!([]);
        hive.as_object_mut()
            .expect("an object")
            .remove("changes_file");
    }
    fs::write(&path, serde_json::to_string(&old).expect("JSON")).expect("writable");
    assert_eq!(listed(&volume)["reason"], "old-format");
    warns(&diskmend(["undo", volume.root(), &run, "--yes"]).ends(5));
    diskmend(["undo", volume.root(), &run, "--trust", "--yes"]).ends(0);
    assert_eq!(volume.hives(), pristine);
}

#[test]
fn without_a_key_nothing_is_written_and_everything_can_be_read() {
    let volume = Volume::new();
    repaired(&volume);
    let folder = tempfile::tempdir().expect("a folder");
    let broken = folder.path().join("broken");
    fs::write(&broken, "no key").expect("writable");
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        let own = fs::Permissions::from_mode(0o600);
        fs::set_permissions(&broken, own).expect("own");
    }
    let before: BTreeMap<_, _> = volume.hives();
    for args in [
        &["plan", volume.root(), "tls"][..],
        &["repair", volume.root(), "tls", "--yes"],
    ] {
        let output = command(args).env("DISKMEND_KEY_FILE", &broken).output();
        let run = Run::of(output.expect("the program starts")).ends(5);
        run.says("this machine's key can't be used").says("hint: ");
    }
    assert_eq!(volume.hives(), before);
    let list = elsewhere(&broken, ["runs", volume.root(), "--json"])
        .ends(0)
        .json();
    assert_eq!(list["runs"][0]["trust"], "foreign");
    let shown = diskmend(["key", "show"]).ends(0).stdout;
    let exported = diskmend(["key", "export"]).ends(0).stdout;
    let secret = exported.split(' ').next_back().expect("a key").trim();
    assert_eq!(secret.len(), 64);
    assert!(!shown.contains(secret));
}

/// The machine that has made a run may still need it; what nobody speaks for may go.
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
