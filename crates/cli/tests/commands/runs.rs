//! `diskmend runs`.

use crate::fixture::Volume;
use crate::program::diskmend;

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
