//! The exit codes of changes that fail half way, and of runs that were killed. The other codes are
//! tested together with the commands.

use std::fs;
#[cfg(unix)]
use std::process::Command;

use crate::fixture::Volume;
#[cfg(unix)]
use crate::fixture::copy_fixture;
use crate::program::diskmend;
#[cfg(unix)]
use crate::program::{Run, key_file};
use crate::sealing;

/// Runs the program with a limit of `blocks` of 512 bytes for each file, like a disk that fails
/// from there on. Windows has no such limit.
#[cfg(unix)]
fn limited(blocks: u64, args: &[&str]) -> Run {
    let script = format!("trap '' XFSZ; ulimit -f {blocks}; exec \"$0\" \"$@\"");
    let output = Command::new("sh")
        .args(["-c", &script, env!("CARGO_BIN_EXE_diskmend")])
        .args(args)
        .env("DISKMEND_KEY_FILE", key_file())
        .output()
        .expect("a shell");
    Run::of(output)
}

#[cfg(unix)]
#[test]
fn a_change_that_was_rolled_back_ends_with_6() {
    let folder = tempfile::TempDir::new().expect("a temporary folder");
    copy_fixture("big-data", folder.path());
    let file = folder.path().join("hive");
    let before = fs::read(&file).expect("readable");
    // The hive has to grow by the data and can't; the log and the undo data are shorter.
    let blocks = before.len() as u64 / 512 + 4;
    let data = "00".repeat(20_000);
    let args = [
        "hive",
        "set",
        file.to_str().expect("UTF-8"),
        "New",
        "A",
        "REG_BINARY",
        &data,
    ];
    let mut args = args.to_vec();
    args.push("--yes");
    limited(blocks, &args)
        .ends(6)
        .says("failed and was rolled back")
        .says("hint: the disk is as it was");
    assert_eq!(fs::read(&file).expect("readable"), before);
    assert!(!folder.path().join("hive.LOG1").exists());
    diskmend(&args).ends(0);
}

#[cfg(unix)]
#[test]
fn a_change_that_could_not_be_rolled_back_ends_with_7_and_undo_settles_it() {
    let volume = Volume::of_fixture("system-001-002");
    let file = volume.system();
    let file = file.to_str().expect("UTF-8");
    let set = |name, data| {
        [
            "hive",
            "set",
            file,
            "Large",
            name,
            "REG_BINARY",
            data,
            "--yes",
        ]
    };
    let (filling, data) = (
        "00".repeat(48 << 10),
        ["11", "22"].map(|byte| byte.repeat(8 << 10)),
    );
    for name in ["1", "2", "3", "4", "5", "6"] {
        diskmend(set(name, &filling)).ends(0);
    }
    diskmend(set("last", &data[0])).ends(0);
    let before = volume.hives();
    let repair = ["repair", volume.root(), "tls", "--yes"];
    // Pages in the last third of the hive can be neither written nor restored; the run file is
    // shorter.
    let blocks = before["SYSTEM"].len() as u64 / 512 * 2 / 3;
    limited(blocks, &set("last", &data[1]))
        .ends(7)
        .says("could not be rolled back")
        .says("then: diskmend undo ");
    diskmend(repair)
        .ends(5)
        .says("did not end")
        .says("hint: diskmend undo ");
    diskmend(["inspect", volume.root(), "tls"])
        .ends(3)
        .says("did not end")
        .says("hint: undo it with: diskmend undo ");
    diskmend(["runs", volume.root()])
        .ends(0)
        .says("did not end");
    diskmend(["undo", volume.root(), "--yes"]).ends(0);
    assert_eq!(volume.hives(), before);
    diskmend(repair).ends(0);
}

#[test]
fn a_run_that_was_killed_is_found_and_undone() {
    let volume = Volume::new();
    let before = volume.hives();
    let repair = ["repair", volume.root(), "nla", "--yes"];
    diskmend(repair).ends(0);
    let runs = volume.folder.path().join("diskmend").join("runs");
    let run = fs::read_dir(runs).expect("a folder").next();
    let run = run.expect("a run").expect("readable").path();
    let (done, killed) = ("\"state\": \"done\"", "\"state\": \"applying\"");
    sealing::replace(&run, done, killed);
    diskmend(repair)
        .ends(5)
        .says("did not end")
        .says("hint: diskmend undo ");
    let runs = diskmend(["runs", volume.root(), "--json"]).ends(0).json();
    assert_eq!(runs["runs"][0]["unfinished"], true);
    diskmend(["undo", volume.root(), "--yes"]).ends(0);
    assert_eq!(volume.hives(), before);
}

#[test]
fn a_failure_is_a_document_too() {
    let volume = Volume::of_fixture("broken-order");
    let document = diskmend(["repair", volume.root(), "tls", "--yes", "--json"])
        .ends(5)
        .json();
    assert_eq!(document["exit"], 5);
    assert!(
        document["error"]
            .as_str()
            .is_some_and(|e| e.contains("structural errors"))
    );
    assert!(
        document["hints"]
            .as_array()
            .is_some_and(|hints| !hints.is_empty())
    );
}
