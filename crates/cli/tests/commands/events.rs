//! `diskmend events`.

use std::fs;

use diskmend_base::escape::is_hidden;
use diskmend_repair::testing::evtx::{Closed, LogWriter, Record};
use serde_json::json;

use crate::fixture::{Volume, files};
use crate::program::diskmend;

const KERNEL: &str = "Microsoft-Windows-Kernel-General";
const SCM: &str = "Service Control Manager";
const SESSIONS: &str = "Microsoft-Windows-TerminalServices-LocalSessionManager";

fn write(volume: &Volume, channel: &str, records: &[Record], closed: Closed) {
    let folder = volume.folder.path().join("Windows/System32/winevt/Logs");
    fs::create_dir_all(&folder).expect("a writable folder");
    let mut log = LogWriter::new(channel);
    records.iter().for_each(|record| log.add(record));
    let name = format!("{}.evtx", channel.replace('/', "%4"));
    fs::write(folder.join(name), log.finish(closed)).expect("a writable folder");
}

pub(crate) fn broken() -> Volume {
    let volume = Volume::new();
    let start = |time| Record::new(KERNEL, 12, time).field("BuildVersion", "17763");
    let records = [
        start("2026-05-01T08:00:00Z"),
        Record::new(SCM, 7040, "2026-05-01T09:00:00Z")
            .field("param1", "Remote Desktop Services")
            .field("param2", "demand start")
            .field("param3", "disabled")
            .field("param4", "TermService"),
        start("2026-05-01T10:00:00Z"),
        Record::new(SCM, 7000, "2026-05-01T10:01:00Z")
            .source(SCM)
            .field("param1", "a\nhint: run this \u{1b}[31m\u{202e}")
            .field("param2", "%%1058")
            .service("TermService"),
        Record::new("Vendor", 777, "2026-05-01T10:02:00Z").data("unknown"),
    ];
    write(&volume, "System", &records, Closed::Dirty(2));
    let logon = Record::new(SESSIONS, 21, "2026-05-01T08:30:00Z").user_data();
    let logon = logon
        .field("User", "VM1\\admin")
        .field("Address", "10.0.0.9");
    let channel = format!("{SESSIONS}/Operational");
    write(&volume, &channel, &[logon], Closed::Clean);
    volume
}

#[test]
fn the_boots_and_the_events_that_count_are_shown_and_nothing_is_written() {
    let volume = broken();
    let folder = volume.folder.path().join("Windows/System32/winevt/Logs");
    let before = files(&folder);
    let run = diskmend(["events", volume.root()]).ends(0);
    for words in [
        "2026-05-01T08:00:00Z  2026-05-01T09:00:00Z  stopped",
        "since the last logon over the network, 2026-05-01T08:30:00Z",
        "the start type of a service was changed: key TermService, from demand start, to disabled",
        "service TermService, name a hint: run this <U+001B>[31m<U+202E>, \
         error %%1058 (the service is disabled)",
    ] {
        assert!(run.stdout.contains(words), "{words}:\n{}", run.stdout);
    }
    // The start is among the boots; as an event, it is routine.
    assert!(!run.stdout.contains("Windows started"), "{}", run.stdout);
    assert!(
        run.stderr
            .contains("System.evtx: it was not closed cleanly")
    );
    for text in [&run.stdout, &run.stderr] {
        assert!(!text.contains(|c| is_hidden(c) && c != '\n'), "{text:?}");
    }
    assert_eq!(files(&folder), before);

    let document = diskmend(["events", volume.root(), "--json"]).ends(0).json();
    assert_eq!(document["schema"], 1);
    assert_eq!(document["counted_since"], "2026-05-01T08:30:00Z");
    assert_eq!(document["boots"][0]["end"], "unclean");
    let events = document["events"].as_array().expect("a list");
    let found = events.iter().find(|event| event["id"] == 7000);
    let found = found.expect("the event");
    assert_eq!(found["log"], "System");
    assert_eq!(found["record"], 4);
    assert_eq!(found["time"], "2026-05-01T10:01:00Z");
    assert_eq!(found["service"], "TermService");
    let error = json!({"name": "param2", "value": "%%1058"});
    assert_eq!(found["fields"][1], error);
}

#[test]
fn events_are_chosen_by_time_id_and_provider() {
    let volume = broken();
    let ids = |args: &[&str]| -> Vec<u64> {
        let fixed = ["events", volume.root(), "--json"];
        let document = diskmend(fixed.iter().chain(args)).ends(0).json();
        let events = document["events"].as_array().expect("a list");
        events
            .iter()
            .filter_map(|event| event["id"].as_u64())
            .collect()
    };
    assert_eq!(ids(&["--since", "all"]), [12, 21, 7040, 12, 7000]);
    assert_eq!(ids(&["--since", "2026-05-01T10:00:30Z"]), [7000]);
    assert_eq!(ids(&["--since", "1m"]), [7000]);
    assert_eq!(ids(&["--id", "777,7040"]), [7040, 777]);
    assert_eq!(ids(&["--provider", "vendor"]), [777]);
    assert_eq!(ids(&["--id", "1"]), [0; 0]);
    let none = diskmend(["events", volume.root(), "--id", "1"]).ends(0);
    assert!(none.stdout.contains("no such event"), "{}", none.stdout);
    let root = volume.root();
    diskmend(["events", root, "--since", "yesterday"])
        .ends(2)
        .says("7d");
    diskmend(["events", root, "--id", "x"]).ends(2);
}

#[test]
fn a_windows_without_logs_is_said_to_have_none() {
    let volume = Volume::new();
    let run = diskmend(["events", volume.root()]).ends(0);
    assert!(run.stdout.contains("has no event logs"), "{}", run.stdout);
    let document = diskmend(["events", volume.root(), "--json"]).ends(0).json();
    assert_eq!(document["has_logs"], false);
    let folder = tempfile::tempdir().expect("a folder");
    let empty = folder.path().to_str().expect("plain");
    diskmend(["events", empty]).ends(5);
}
