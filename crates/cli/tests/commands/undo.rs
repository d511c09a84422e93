//! `diskmend undo`.

use std::fs;

use crate::fixture::Volume;
use crate::program::diskmend;
use crate::run_file;

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
fn later_changes_are_left_alone_and_the_rest_is_reversed_by_value() {
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

/// The places of the hive that the run has written, the last one first. The undo data have the old
/// bytes of each place, after its offset and length.
fn extents(volume: &Volume) -> Vec<(u64, u64)> {
    let runs = volume.folder.path().join("diskmend/runs");
    let run = fs::read_dir(runs).expect("runs").next().expect("a run");
    let run = run.expect("readable").path();
    let journal = run_file::journal(&run);
    let journal: serde_json::Value = serde_json::from_slice(&journal).expect("JSON");
    let files = journal["hives"][0]["files"].as_array().expect("files");
    let is_hive = |file: &&serde_json::Value| {
        let path = file["path"].as_str();
        path.is_some_and(|path| path.ends_with("SYSTEM"))
    };
    let hive = files.iter().find(is_hive).expect("the hive");
    let name = hive["undo"].as_str().expect("a name");
    let digits: String = name.chars().filter(char::is_ascii_digit).collect();
    let undo = run_file::part(&run, *b"UNDO", digits.parse().expect("a number"));
    let number = |at: usize| u64::from_le_bytes(undo[at..at + 8].try_into().expect("8 bytes"));
    let (mut at, mut extents) = (56, Vec::new());
    for _ in 0..number(16) {
        extents.push((number(at), number(at + 8)));
        at += 24 + usize::try_from(number(at + 8)).expect("small");
    }
    extents.sort_unstable();
    extents.dedup();
    extents.reverse();
    extents
}

/// The hive was damaged in the places that the run had written, so that nothing can be reversed
/// value by value. The undo data still have the old bytes.
#[test]
fn the_old_bytes_can_be_restored_over_what_was_written_since() {
    let volume = Volume::new();
    let before = volume.hives();
    diskmend(["repair", volume.root(), "tls", "nla", "--yes"]).ends(0);
    let mut extents = extents(&volume).into_iter();
    let (offset, _) = extents
        .find(|(_, length)| *length >= 512)
        .expect("a sector");
    let mut hive = fs::read(volume.system()).expect("readable");
    let at = offset as usize;
    // Whatever times the run has written, each byte gets a value that it had neither before nor
    // after.
    for (at, byte) in hive.iter_mut().enumerate().skip(at).take(512) {
        let (found, left) = (before["SYSTEM"].get(at), *byte);
        let other = (0..=u8::MAX).find(|&other| other != left && Some(&other) != found);
        *byte = other.expect("there are 256");
    }
    fs::write(volume.system(), &hive).expect("writable");
    let damaged = volume.hives();
    let undo = diskmend(["undo", volume.root(), "--yes"]);
    assert_ne!(undo.code, 0, "{}", undo.stdout);
    assert_eq!(volume.hives(), damaged);
    let undo = diskmend(["undo", volume.root(), "--force-bytes", "--yes", "--json"])
        .ends(0)
        .says("neither what the run found nor what it left")
        .says(&format!("offset {offset:#x}: 512 bytes"));
    let report = undo.json();
    let [place] = report["differences"]["places"]
        .as_array()
        .expect("a list")
        .as_slice()
    else {
        panic!("{report}");
    };
    assert_eq!(place["path"], "Windows/System32/config/SYSTEM");
    assert_eq!(
        (place["bytes"].as_u64(), place["count"].as_u64()),
        (Some(512), Some(1))
    );
    assert_eq!(place["ranges"][0]["offset"].as_u64(), Some(offset));
    assert_eq!(report["method"], "bytes");
    assert_eq!(volume.hives(), before);
    diskmend(["undo", volume.root(), "--force-bytes", "--yes"]).ends(1);
}

/// Bytes that the run did not write keep their present values.
#[test]
fn only_the_bytes_of_the_run_are_restored_by_force() {
    let volume = Volume::new();
    let before = volume.hives();
    diskmend(["repair", volume.root(), "crash-dump", "--yes"]).ends(0);
    let mut hive = fs::read(volume.system()).expect("readable");
    hive.extend([0xAA; 4096]);
    fs::write(volume.system(), &hive).expect("writable");
    diskmend(["undo", volume.root(), "--force-bytes", "--yes"])
        .ends(0)
        .says("which is not the length that the run gave it");
    let mut expected = before["SYSTEM"].clone();
    let now = fs::read(volume.system()).expect("readable");
    assert_eq!(now.len(), hive.len());
    expected.resize(now.len(), 0xAA);
    let differs = now.iter().zip(&expected).position(|(now, old)| now != old);
    // Only the bytes that the run has added may differ, because the file keeps its length.
    assert!(
        differs.is_none_or(|at| at >= before["SYSTEM"].len()),
        "{differs:?}"
    );
}

#[test]
fn by_force_it_must_be_allowed_too() {
    let volume = Volume::new();
    diskmend(["repair", volume.root(), "nla", "--yes"]).ends(0);
    let repaired = volume.hives();
    diskmend(["undo", volume.root(), "--force-bytes"])
        .ends(2)
        .says("hint: add --yes");
    assert_eq!(volume.hives(), repaired);
}

/// The other run has no seal. Which run is meant must not depend on that.
#[test]
fn the_beginning_of_a_name_is_enough_if_only_one_run_has_it() {
    const OTHER: &str = "20200101T000000Z";
    let volume = Volume::new();
    let before = volume.hives();
    let undo = |args: &[&str]| {
        let fixed = ["undo", volume.root(), "--yes"];
        diskmend([&fixed, args].concat())
    };
    undo(&["2020"]).ends(1).says("there is no run \"2020\"");
    let document = diskmend(["repair", volume.root(), "nla", "--yes", "--json"])
        .ends(0)
        .json();
    let run = document["run"].as_str().expect("a run");
    let repaired = volume.hives();
    let runs = volume.folder.path().join("diskmend/runs");
    fs::create_dir(runs.join(OTHER)).expect("writable");

    for more in [&["20"][..], &["20", "--trust"], &["20", "--force-bytes"]] {
        undo(more)
            .ends(1)
            .says(&format!("several runs: {run}, {OTHER}"))
            .says("hint: give more of the run's name");
    }
    for none in ["2019", "", "2020-01-01"] {
        undo(&[none])
            .ends(1)
            .says(&format!("there is no run \"{none}\""))
            .says(&format!("hint: the newest runs are: {run}, {OTHER}"));
    }
    undo(&["2020"]).ends(1).says(OTHER);
    // A whole name never means another run of the same second.
    fs::rename(runs.join(OTHER), runs.join(format!("{OTHER}-2"))).expect("movable");
    undo(&[OTHER]).ends(1).says("the newest runs are: ");
    assert_eq!(volume.hives(), repaired);

    undo(&[&run[..4]]).ends(0);
    assert_eq!(volume.hives(), before);
    for number in 3..9 {
        fs::create_dir(runs.join(format!("{OTHER}-{number}"))).expect("writable");
    }
    undo(&["2020"])
        .ends(1)
        .says(&format!("several runs: {OTHER}-8, {OTHER}-7"))
        .says(&format!("{OTHER}-4 and 2 more"));
}

/// `undo` once said of the running system's disk that it is no Windows volume, and ended with 1:
/// another check of the target came before the refusal.
#[cfg(unix)]
#[test]
fn the_running_systems_disk_is_refused_before_anything_else_is_said_of_it() {
    for root in ["/", "/tmp/.."] {
        for args in [
            &["undo", root, "--yes"][..],
            &["undo", root, "20000101T000000Z", "--yes"],
            &["undo", root, "--force-bytes", "--yes"],
            &["repair", root, "tls", "--yes"],
            &["runs", root, "--prune", "--yes"],
        ] {
            diskmend(args)
                .ends(5)
                .says("error: this is the running system's own disk");
        }
    }
}
