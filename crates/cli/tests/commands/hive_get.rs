//! `diskmend hive get`.

use std::process::Output;

use serde_json::json;

use crate::fixture::{Fixture, every_type};
use crate::program::{command, diskmend};

#[test]
fn one_value_is_a_line_in_the_form_of_reg_query() {
    let fixture = Fixture::new();
    let file = fixture.system();
    let file = file.to_str().expect("UTF-8");
    for (name, line) in [
        ("Dword", "    Dword    REG_DWORD    0xd3d\n"),
        ("dword", "    Dword    REG_DWORD    0xd3d\n"),
        ("Qword", "    Qword    REG_QWORD    0x8000000000000001\n"),
        ("Sz", "    Sz    REG_SZ    a text\n"),
        ("Expand", "    Expand    REG_EXPAND_SZ    %SystemRoot%\\x\n"),
        ("Multi", "    Multi    REG_MULTI_SZ    one\\0two\n"),
        ("Binary", "    Binary    REG_BINARY    0001FEFF\n"),
        ("None", "    None    REG_NONE    \n"),
        ("Odd", "    Odd    0x1234    01\n"),
        ("", "    (Default)    REG_SZ    the default\n"),
        ("@", "    (Default)    REG_SZ    the default\n"),
        ("(default)", "    (Default)    REG_SZ    the default\n"),
    ] {
        let run = diskmend(["hive", "get", file, "Setup", name]).ends(0);
        assert_eq!(run.stdout, line);
        assert_eq!(run.stderr, "");
    }
}

#[test]
fn a_key_is_a_table_of_its_values() {
    let fixture = Fixture::new();
    let file = fixture.system();
    let run = diskmend([
        "hive".as_ref(),
        "get".as_ref(),
        file.as_os_str(),
        "Select".as_ref(),
    ]);
    assert_eq!(
        run.ends(0).stdout,
        "NAME           TYPE       DATA\n\
         Current        REG_DWORD  0x1 (1)\n\
         Default        REG_DWORD  0x1 (1)\n\
         Failed         REG_DWORD  0x0 (0)\n\
         LastKnownGood  REG_DWORD  0x2 (2)\n"
    );
    let run = diskmend(["hive", "get", file.to_str().expect("UTF-8"), r"\setup"]).ends(0);
    let two = "Multi      REG_MULTI_SZ          one\n                                 two\n";
    assert!(run.stdout.contains(two), "{}", run.stdout);
}

#[test]
fn json_has_every_byte() {
    let fixture = Fixture::new();
    let file = fixture.system();
    let file = file.to_str().expect("UTF-8");
    let document = diskmend(["hive", "get", file, "Setup", "Multi", "--json"])
        .ends(0)
        .json();
    assert_eq!(
        document,
        json!({
            "schema": 1, "key": "Setup", "name": "Multi", "type": "REG_MULTI_SZ",
            "data": ["one", "two"], "hex": "6f006e006500000074007700 6f0000000000".replace(' ', ""),
        })
    );
    let document = diskmend(["hive", "get", file, "Setup", "--json"])
        .ends(0)
        .json();
    let values = document["values"].as_array().expect("a list");
    assert_eq!(values.len(), every_type().len());
    for ((name, value_type, data), value) in every_type().iter().zip(values) {
        let hex: String = data.iter().map(|byte| format!("{byte:02x}")).collect();
        assert_eq!(value["name"], *name);
        assert_eq!(value["type"], value_type.to_string());
        assert_eq!(value["hex"], hex);
    }
}

#[test]
fn raw_is_the_bytes_alone() {
    let fixture = Fixture::new();
    let file = fixture.system();
    for (name, _, data) in every_type() {
        let args = [
            "hive",
            "get",
            file.to_str().expect("UTF-8"),
            "Setup",
            name,
            "--raw",
        ];
        let Output { status, stdout, .. } = command(args).output().expect("it starts");
        assert!(status.success());
        assert_eq!(stdout, data, "{name:?}");
    }
}

#[test]
fn the_prefix_of_the_registry_may_stand_before_the_key() {
    let fixture = Fixture::new();
    let file = fixture.system();
    let file = file.to_str().expect("UTF-8");
    for key in [
        r"HKEY_LOCAL_MACHINE\SYSTEM\Select",
        r"hklm\system\Select",
        "Select",
    ] {
        diskmend(["hive", "get", file, key, "--prefix", r"HKLM\SYSTEM"]).ends(0);
    }
    diskmend(["hive", "get", file, r"HKLM\SYSTEM\Select"])
        .ends(1)
        .says("hint: paths start below the hive's root");
    diskmend(["hive", "get", file, r"CurrentControlSet\Control"])
        .ends(1)
        .says("hint: CurrentControlSet exists only in a running Windows");
}

#[test]
fn a_missing_key_or_value_is_named() {
    let fixture = Fixture::new();
    let file = fixture.system();
    let file = file.to_str().expect("UTF-8");
    diskmend(["hive", "get", file, r"Select\No"])
        .ends(1)
        .says(r"key Select\No does not exist");
    diskmend(["hive", "get", file, "Select", "No"])
        .ends(1)
        .says(r#"key Select has no value "No""#);
    let run = diskmend(["hive", "get", file, "Select", "No", "--json"]).ends(1);
    assert_eq!(run.json()["exit"], 1);
    diskmend(["hive", "get", file]).ends(2);
    diskmend(["hive", "get", file, "Select", "--raw"]).ends(2);
}
