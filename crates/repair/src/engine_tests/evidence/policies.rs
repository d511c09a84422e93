//! Policies that would undo a repair, and the group policy that set them.

use super::causes::diagnose_by;
use super::{disk, number, text};
use crate::diagnosis::Rules;
use crate::value_data::ValueData;
use diskmend_base::utf16;
use diskmend_disk::testing::FaultyDisk;

const POLICY: &str = r"Policies\Microsoft\Windows NT\Terminal Services";
const FOLDER: &str = "Windows/System32/GroupPolicy";
const HISTORY: &str =
    r"Microsoft\Windows\CurrentVersion\Group Policy\History\{35378EAC-683F-11D2-A89A-00C04FBBCFA2}";

type Value<'a> = (&'a str, &'a str, ValueData);

/// A Registry.pol that sets one value.
fn values(name: &str) -> Vec<u8> {
    let text = |text: &str| utf16::encode_terminated(text);
    let mark = |mark: &str| utf16::encode(mark);
    [
        b"PReg\x01\0\0\0".to_vec(),
        mark("["),
        text(&format!(r"SOFTWARE\{POLICY}")),
        mark(";"),
        text(name),
        mark(";"),
        4_u32.to_le_bytes().to_vec(),
        mark(";"),
        4_u32.to_le_bytes().to_vec(),
        mark(";"),
        1_u32.to_le_bytes().to_vec(),
        mark("]"),
    ]
    .concat()
}

const RULE: &str = r"
schema = 1
[[rule]]
name = 'own'
title = 'A policy refuses connections'
recipes = []
check = 'Look.'
sources = ['https://example.org']
[[rule.for]]
weight = 100
says = 'it says so'
[rule.for.registry]
hive = 'SOFTWARE'
key = 'Policies\Microsoft\Windows NT\Terminal Services'
value = 'fDenyTSConnections'
equals = [1]
";

/// What is seen of the policy that refuses connections.
fn seen(disk: &FaultyDisk) -> String {
    let mut rules = Rules::built_in().expect("valid");
    rules.add("own.toml", RULE).expect("valid");
    let report = diagnose_by(disk, &rules);
    let mut causes = report.causes.iter();
    let cause = causes.find(|cause| cause.name == "own").expect("seen");
    cause.evidence[0].seen[0].found.clone()
}

fn refused(more: &[Value<'_>]) -> FaultyDisk {
    let mut software = vec![(POLICY, "fDenyTSConnections", number(1))];
    software.extend_from_slice(more);
    disk(&[], &software)
}

#[test]
fn a_policy_without_any_trace_of_who_set_it_is_told_as_it_is() {
    assert_eq!(seen(&refused(&[])), "fDenyTSConnections is 1");
}

#[test]
fn the_machines_own_policy_is_told_by_its_file() {
    let disk = refused(&[]);
    disk.put(&format!("{FOLDER}/Machine/Registry.pol"), values("other"));
    assert_eq!(seen(&disk), "fDenyTSConnections is 1");
    let own = values("fDenyTSConnections");
    disk.put(&format!("{FOLDER}/Machine/Registry.pol"), own);
    let who = "fDenyTSConnections is 1, set by the group policy of the machine itself";
    assert_eq!(seen(&disk), who);
}

#[test]
fn a_policy_of_the_domain_is_told_by_its_name() {
    let first = format!(r"{HISTORY}\0");
    let second = format!(r"{HISTORY}\1");
    let path = |guid| {
        text(&format!(
            r"\\corp.example\SysVol\corp.example\Policies\{guid}\Machine"
        ))
    };
    let history = [
        (first.as_str(), "DisplayName", text("Default Domain Policy")),
        (first.as_str(), "FileSysPath", path("{1}")),
        (second.as_str(), "DisplayName", text("Hardening")),
        (second.as_str(), "FileSysPath", path("{2}")),
    ];
    let disk = refused(&history);
    // Without copies, the history tells only which policies were applied.
    let one_of = "fDenyTSConnections is 1, set by one of: the group policy \"Default Domain Policy\", \
                  the group policy \"Hardening\"";
    assert_eq!(seen(&disk), one_of);
    let copy = |guid: &str| {
        format!("{FOLDER}/DataStore/0/SysVol/corp.example/Policies/{guid}/Machine/Registry.pol")
    };
    disk.put(&copy("{1}"), values("other"));
    disk.put(&copy("{2}"), values("fDenyTSConnections"));
    let who = "fDenyTSConnections is 1, set by the group policy \"Hardening\"";
    assert_eq!(seen(&disk), who);
}

#[test]
fn a_path_in_the_history_leads_nowhere_else() {
    let first = format!(r"{HISTORY}\0");
    let history = [
        (first.as_str(), "DisplayName", text("Evil")),
        (
            first.as_str(),
            "FileSysPath",
            text(r"\\x\..\..\..\..\secret"),
        ),
    ];
    let disk = refused(&history);
    disk.put("Windows/secret/Registry.pol", values("fDenyTSConnections"));
    assert!(seen(&disk).contains("set by one of"), "{}", seen(&disk));
}
