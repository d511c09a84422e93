//! `diskmend undo`.

use crate::fixture::Volume;
use crate::program::diskmend;

const CRASH: &str = r"ControlSet001\Control\CrashControl";

#[test]
fn every_byte_is_as_before_the_run() {
    let volume = Volume::new();
    let before = volume.hives();
    diskmend(["repair", volume.root(), "tls", "nla", "crash-dump", "--yes"]).ends(0);
    assert_ne!(volume.hives(), before);
    let document = diskmend(["undo", volume.root(), "--yes", "--json"])
        .ends(0)
        .json();
    assert_eq!(document["method"], "bytes");
    assert_eq!(volume.hives(), before);
    diskmend(["undo", volume.root(), "--yes"])
        .ends(1)
        .says("no run to undo");
}

#[test]
fn a_run_is_named_by_its_id() {
    let volume = Volume::new();
    let before = volume.hives();
    let document = diskmend(["repair", volume.root(), "nla", "--yes", "--json"])
        .ends(0)
        .json();
    let run = document["run"].as_str().expect("a run");
    diskmend(["undo", volume.root(), "20000101T000000Z", "--yes"])
        .ends(1)
        .says("there is no run")
        .says("hint: 'diskmend runs ");
    diskmend(["undo", volume.root(), "../x", "--yes"]).ends(1);
    diskmend(["undo", volume.root(), run, "--yes"]).ends(0);
    assert_eq!(volume.hives(), before);
    diskmend(["undo", volume.root(), run, "--yes"])
        .ends(1)
        .says("nothing to undo");
}

#[test]
fn what_was_changed_since_is_left_alone_and_the_rest_reversed_by_value() {
    let volume = Volume::new();
    let document = diskmend(["repair", volume.root(), "crash-dump", "--yes", "--json"])
        .ends(0)
        .json();
    let run = document["run"].as_str().expect("a run").to_owned();
    let file = volume.system();
    let file = file.to_str().expect("UTF-8");
    diskmend([
        "hive",
        "set",
        file,
        CRASH,
        "CrashDumpEnabled",
        "REG_DWORD",
        "3",
        "--yes",
    ])
    .ends(0);
    let undo = diskmend(["undo", volume.root(), &run, "--yes"]).ends(0);
    assert!(undo.stdout.contains("value by value"), "{}", undo.stdout);
    assert!(undo.stdout.contains("LEFT ALONE"), "{}", undo.stdout);
    assert_eq!(volume.dword(CRASH, "CrashDumpEnabled"), Some(3));
    assert_eq!(volume.dword(CRASH, "NMICrashDump"), None);
}

#[test]
fn without_a_terminal_it_must_be_allowed() {
    let volume = Volume::new();
    diskmend(["repair", volume.root(), "nla", "--yes"]).ends(0);
    let repaired = volume.hives();
    diskmend(["undo", volume.root()])
        .ends(2)
        .says("hint: add --yes");
    assert_eq!(volume.hives(), repaired);
}
