//! `diskmend hive ls`.

use std::fs;

use crate::fixture::{Fixture, copy_fixture, every_type, files};
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

/// Once not even the names of its keys could be seen.
#[test]
fn a_dirty_hive_without_logs_is_shown_as_it_is_with_a_warning() {
    let fixture = Fixture::new();
    let path = fixture.system();
    let file = path.to_str().expect("UTF-8");
    let readers: [&[&str]; 4] = [
        &["hive", "ls", file, "-r", "--values"],
        &["hive", "ls", file, "-r", "--values", "--json"],
        &["hive", "get", file, "Setup"],
        &["hive", "export", file],
    ];
    let clean = readers.map(|args| diskmend(args).ends(0).stdout);
    let mut bytes = fs::read(&path).expect("readable");
    bytes[4] = bytes[4].wrapping_add(1);
    let sum = diskmend_hive::checksum(bytes.first_chunk().expect("a base block"));
    bytes[508..512].copy_from_slice(&sum.to_le_bytes());
    fs::write(&path, &bytes).expect("writable");
    for (args, clean) in readers.iter().zip(&clean) {
        let run = diskmend(*args).ends(0).says("warning: ");
        let run = run.says("no log applies; .LOG: missing; .LOG1: missing; .LOG2: missing");
        let run = run
            .says("changes in missing logs are not in it")
            .says("hint: copy");
        assert_eq!(run.stdout, *clean);
    }
    // It is neither sound nor edited.
    diskmend(["hive", "check", file]).ends(1);
    let set = ["hive", "set", file, "Setup", "A", "REG_DWORD", "1", "--yes"];
    diskmend(set).ends(5);
    diskmend(["hive", "delete", file, "Setup", "--yes"]).ends(5);
    diskmend(["hive", "recover", file, "--yes"]).ends(5);
    assert!(fs::read(&path).expect("readable") == bytes);
    // If the file ends too early, nothing is certain.
    fs::write(&path, &bytes[..8192]).expect("writable");
    for args in readers {
        let run = diskmend(args).ends(1);
        assert_eq!(run.stderr.matches("warning").count(), 0, "{}", run.stderr);
    }
}

#[test]
fn a_dirty_hive_with_a_log_that_does_not_apply_is_shown_as_it_is() {
    for name in ["broken-dirty-no-log", "broken-log"] {
        let folder = tempfile::TempDir::new().expect("a temporary folder");
        copy_fixture(name, folder.path());
        let before = files(folder.path());
        let file = folder.path().join("SYSTEM");
        let run = diskmend(["hive", "ls", file.to_str().expect("UTF-8")]).ends(0);
        let run = run.says("changes in missing logs are not in it");
        assert!(run.stdout.contains("Select"), "{name}: {}", run.stdout);
        assert_eq!(files(folder.path()), before, "{name}");
    }
}
