//! `diskmend plan`.

use crate::fixture::Volume;
use crate::program::diskmend;

#[test]
fn every_change_is_shown_with_both_values_and_nothing_is_written() {
    let volume = Volume::new();
    let before = volume.hives();
    let run = diskmend(["plan", volume.root(), "nla"]).ends(3);
    for line in [
        "SYSTEM\\ControlSet001\\Control\\Terminal Server\\WinStations\\RDP-Tcp",
        "SYSTEM\\ControlSet002\\Control\\Terminal Server\\WinStations\\RDP-Tcp",
        "SecurityLayer                 REG_DWORD 0  -> REG_DWORD 1",
        "fAllowSecProtocolNegotiation  (none)       -> REG_DWORD 1",
        "4 values to change",
    ] {
        assert!(run.stdout.contains(line), "{line}\n{}", run.stdout);
    }
    assert_eq!(volume.hives(), before);
    assert!(!volume.folder.path().join("diskmend").exists());
}

#[test]
fn json_has_old_and_new_data() {
    let volume = Volume::new();
    let document = diskmend(["plan", volume.root(), "crash-dump", "--json"])
        .ends(3)
        .json();
    let changes = document["changes"].as_array().expect("a list");
    assert_eq!(changes.len(), 6);
    let dump_file = changes
        .iter()
        .find(|change| change["value"] == "DumpFile")
        .expect("a change");
    assert_eq!(dump_file["old"], serde_json::Value::Null);
    assert_eq!(dump_file["new"]["type"], "REG_EXPAND_SZ");
    assert_eq!(dump_file["new"]["data"], r"%SystemRoot%\MEMORY.DMP");
}

#[test]
fn auto_plans_faults_only() {
    let volume = Volume::new();
    let document = diskmend(["plan", volume.root(), "--auto", "--json"])
        .ends(3)
        .json();
    let changes = document["changes"].as_array().expect("a list");
    assert!(!changes.is_empty());
    assert!(
        changes.iter().all(|change| change["fault"] == true),
        "{changes:?}"
    );
    let names: Vec<_> = changes.iter().map(|change| &change["value"]).collect();
    assert!(
        !names.iter().any(|name| *name == "CrashDumpEnabled"),
        "{names:?}"
    );
}

#[test]
fn nothing_to_do_ends_with_0() {
    let volume = Volume::new();
    diskmend(["repair", volume.root(), "nla", "--yes"]).ends(0);
    let run = diskmend(["plan", volume.root(), "nla"]).ends(0);
    assert!(run.stdout.contains("nothing to do"), "{}", run.stdout);
}

/// A change that is needed but can't be made is not the same as nothing to do.
#[test]
fn a_hive_that_is_left_alone_is_reported() {
    let volume = Volume::of_fixture("broken-order");
    let run = diskmend(["plan", volume.root(), "nla"]).ends(3);
    assert!(
        run.stderr.contains("SYSTEM is left alone"),
        "{}",
        run.stderr
    );
    assert!(!run.stdout.contains("nothing to do"), "{}", run.stdout);
    assert!(run.stdout.contains("nothing can be done"), "{}", run.stdout);
}

#[test]
fn plan_needs_recipe_names() {
    let volume = Volume::new();
    diskmend(["plan", volume.root()]).ends(2);
    diskmend(["plan"]).ends(2);
}
