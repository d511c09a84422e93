//! `diskmend runs`.

use crate::fixture::Volume;
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

/// Every command held the folder of every run open, and ended with "too many open files".
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
