//! Runs that others may have written. A run in the folder `diskmend` of a disk is believed only if
//! its seal fits this machine's key.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use crate::fixture::{Volume, files};
use crate::program::{Run, command, diskmend};
use crate::run_file;

pub(crate) const NAME: &str = "20200101T000000Z";
const HIVE: &str = "Windows/System32/config/SYSTEM";

pub(crate) fn runs_folder(root: &str) -> PathBuf {
    Path::new(root).join("diskmend").join("runs")
}

/// Checks that the output does not advise to undo the run unseen.
#[track_caller]
pub(crate) fn warns(run: &Run) {
    assert!(run.stderr.contains("not trusted"), "{}", run.stderr);
    for line in run
        .stderr
        .lines()
        .filter(|line| line.contains("diskmend undo"))
    {
        assert!(line.contains("--trust"), "{line}");
    }
}

fn repaired(volume: &Volume) -> String {
    let document = diskmend(["repair", volume.root(), "nla", "--yes", "--json"])
        .ends(0)
        .json();
    document["run"].as_str().expect("a run").to_owned()
}

/// The only run in the output of `runs`.
pub(crate) fn listed(volume: &Volume) -> Value {
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
    let folder = runs_folder(volume.root());
    let written = files(&folder);
    assert_eq!(written.keys().collect::<Vec<_>>(), [&run]);
    let path = folder.join(&run);
    let original = fs::read(&path).expect("a run file");
    let frames = run_file::names(&path);
    assert_eq!(frames.iter().filter(|name| *name == "JRNL").count(), 2);
    for (frame, name) in frames.iter().enumerate() {
        // The first journal is no longer read.
        if name == "JRNL" && frame + 1 < frames.len() {
            continue;
        }
        run_file::change_a_bit(&path, frame);
        // The changes are needed only if the hive has changed since.
        if name == "CHNG" {
            let file = volume.system();
            let file = file.to_str().expect("UTF-8");
            let set = ["hive", "set", file, "Later", "A", "REG_DWORD", "1", "--yes"];
            diskmend(set).ends(0);
        }
        let before = volume.hives();
        let undo = diskmend(["undo", volume.root(), &run, "--yes"]);
        assert!([1, 5].contains(&undo.code), "{name}: {}", undo.stdout);
        assert_eq!(volume.hives(), before, "{name}");
        if name == "CHNG" {
            diskmend(["undo", volume.root(), "--yes"]).ends(0);
        }
        assert_eq!(volume.hives(), repaired, "{name}");
        fs::write(&path, &original).expect("writable");
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
    // The run is complete, and does not prevent other commands.
    diskmend(["repair", volume.root(), "tls", "--yes"]).ends(0);
}

/// Runs a command with another key, as another machine would.
pub(crate) fn elsewhere<const N: usize>(key: &Path, args: [&str; N]) -> Run {
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
    // It is still a run of that machine.
    assert_eq!(listed(&volume)["trust"], "own");
}

#[test]
fn an_untrusted_run_is_undone_after_its_preview_was_shown() {
    let volume = Volume::new();
    let pristine = volume.hives();
    let run = repaired(&volume);
    let folder = tempfile::tempdir().expect("a folder");
    let other = folder.path().join("other");
    let repaired = volume.hives();
    // If there is nobody to ask, both options are needed.
    elsewhere(&other, ["undo", volume.root(), &run, "--trust"]).ends(2);
    elsewhere(&other, ["undo", volume.root(), "--trust", "--yes"]).ends(2);
    assert_eq!(volume.hives(), repaired);
    let undo = elsewhere(&other, ["undo", volume.root(), &run, "--trust", "--yes"]).ends(0);
    let undo = undo.says("this machine did not write the data").stdout;
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

/// Runs of 0.1.0 have no seal. They are shown, and undone like other untrusted runs.
#[test]
fn a_run_of_the_version_without_seals_is_read() {
    let volume = Volume::new();
    let pristine = volume.hives();
    let run = repaired(&volume);
    let folder = runs_folder(volume.root()).join(&run);
    run_file::take_apart(&folder);
    let path = folder.join("journal.json");
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

/// Until 0.2.0, a run was a folder with a file for each part. It is trusted if its seal fits.
#[test]
fn a_run_in_a_folder_is_trusted_and_undone() {
    let volume = Volume::new();
    let pristine = volume.hives();
    let run = repaired(&volume);
    run_file::take_apart(&runs_folder(volume.root()).join(&run));
    assert_eq!(listed(&volume)["trust"], "own");
    assert_eq!(listed(&volume)["state"], "done");
    diskmend(["undo", volume.root(), "--yes"]).ends(0);
    assert_eq!(volume.hives(), pristine);
    assert_eq!(listed(&volume)["trust"], "own");
    assert_eq!(listed(&volume)["state"], "undone");
    diskmend(["runs", volume.root(), "--prune", "--yes"]).ends(0);
    let left = fs::read_dir(runs_folder(volume.root())).expect("a folder");
    assert_eq!(left.count(), 0);
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
