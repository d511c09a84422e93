//! `diskmend hive ls`.

use crate::fixture::{Fixture, every_type};
use crate::program::diskmend;

#[test]
fn the_keys_below_a_key_are_a_table() {
    let fixture = Fixture::new();
    let file = fixture.system();
    let run = diskmend(["hive", "ls", file.to_str().expect("UTF-8")]).ends(0);
    assert_eq!(
        run.stdout,
        "KEY            SUBKEYS  VALUES  LAST WRITTEN\n\
         ControlSet001        1       0  2024-01-01T00:00:00Z\n\
         ControlSet002        1       0  2024-01-01T00:00:00Z\n\
         Select               0       4  2024-01-01T00:00:00Z\n\
         Setup                0      12  2024-01-01T00:00:00Z\n"
    );
    let run = diskmend(["hive", "ls", file.to_str().expect("UTF-8"), "Select"]).ends(0);
    assert_eq!(run.stdout, "");
}

#[test]
fn recursive_lists_every_path_from_the_root_on() {
    let fixture = Fixture::new();
    let file = fixture.system();
    let file = file.to_str().expect("UTF-8");
    let run = diskmend(["hive", "ls", file, r"\ControlSet002", "-r"]).ends(0);
    assert_eq!(
        run.stdout.lines().collect::<Vec<_>>(),
        [
            r"ControlSet002",
            r"ControlSet002\Control",
            r"ControlSet002\Control\CrashControl",
            r"ControlSet002\Control\SecurityProviders",
            r"ControlSet002\Control\SecurityProviders\SCHANNEL",
            r"ControlSet002\Control\SecurityProviders\SCHANNEL\Protocols",
            r"ControlSet002\Control\SecurityProviders\SCHANNEL\Protocols\TLS 1.2",
            r"ControlSet002\Control\SecurityProviders\SCHANNEL\Protocols\TLS 1.2\Server",
            r"ControlSet002\Control\Terminal Server",
            r"ControlSet002\Control\Terminal Server\WinStations",
            r"ControlSet002\Control\Terminal Server\WinStations\RDP-Tcp",
        ]
    );
}

#[test]
fn values_are_listed_as_reg_query_does() {
    let fixture = Fixture::new();
    let file = fixture.system();
    let file = file.to_str().expect("UTF-8");
    let run = diskmend(["hive", "ls", file, "Select", "--values"]).ends(0);
    assert_eq!(
        run.stdout,
        "Select\n    Current    REG_DWORD    0x1\n    Default    REG_DWORD    0x1\n    \
         Failed    REG_DWORD    0x0\n    LastKnownGood    REG_DWORD    0x2\n"
    );
}

#[test]
fn json_lists_keys_and_where_wanted_their_values() {
    let fixture = Fixture::new();
    let file = fixture.system();
    let file = file.to_str().expect("UTF-8");
    let document = diskmend(["hive", "ls", file, "--json"]).ends(0).json();
    let keys = document["keys"].as_array().expect("a list");
    assert_eq!(keys.len(), 4);
    assert_eq!(keys[2]["path"], "Select");
    assert_eq!(keys[2]["values"], 4);
    assert_eq!(keys[2].get("data"), None);
    let document = diskmend(["hive", "ls", file, "-r", "--values", "--json"])
        .ends(0)
        .json();
    let keys = document["keys"].as_array().expect("a list");
    let setup = keys
        .iter()
        .find(|key| key["path"] == "Setup")
        .expect("it exists");
    let data = setup["data"].as_array().expect("a list");
    assert_eq!(data.len(), every_type().len());
}

#[test]
fn a_missing_key_is_named() {
    let fixture = Fixture::new();
    let file = fixture.system();
    diskmend(["hive", "ls", file.to_str().expect("UTF-8"), "Sel"])
        .ends(1)
        .says("key Sel does not exist");
}
