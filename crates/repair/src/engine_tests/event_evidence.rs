//! What `diagnose` makes of event logs: each cause from its events alone, and nothing from events
//! that don't count.

use super::support::{site, volume, with_watch};
use crate::diagnose::diagnose_site;
use crate::diagnosis::Rules;
use crate::documents::{CauseReport, DiagnoseReport};
use crate::recipe::Catalogue;
use crate::site::Options;
use crate::testing::evtx::{Closed, LogWriter, Record};
use diskmend_disk::testing::FaultyDisk;

const SCM: &str = "Service Control Manager";
const KERNEL: &str = "Microsoft-Windows-Kernel-General";
const TERMINAL: &str = "Microsoft-Windows-TerminalServices";
const NOON: &str = "2026-05-01T12:00:00Z";

fn put(disk: &FaultyDisk, channel: &str, records: &[Record]) {
    let mut log = LogWriter::new(channel);
    records.iter().for_each(|record| log.add(record));
    let name = channel.replace('/', "%4");
    let path = format!("Windows/System32/winevt/Logs/{name}.evtx");
    disk.put(&path, log.finish(Closed::Dirty(1)));
}

fn diagnose(disk: &FaultyDisk) -> DiagnoseReport {
    let rules = Rules::built_in().expect("valid");
    let recipes = Catalogue::built_in().expect("valid");
    let options = Options::default();
    with_watch(|watch| diagnose_site(&site(disk), &rules, &recipes, &options, watch)).expect("done")
}

/// The causes that the fixture has without any event.
fn without_events() -> Vec<String> {
    let causes = diagnose(&volume("system-001")).causes.into_iter();
    causes.map(|cause| cause.name).collect()
}

/// The causes that events add.
fn added(disk: &FaultyDisk) -> Vec<CauseReport> {
    let known = without_events();
    let causes = diagnose(disk).causes.into_iter();
    causes
        .filter(|cause| !known.contains(&cause.name))
        .collect()
}

fn names(causes: &[CauseReport]) -> Vec<&str> {
    causes.iter().map(|cause| cause.name.as_str()).collect()
}

fn service(id: u16, key: &str, error: &str) -> Record {
    let record = Record::new(SCM, id, NOON).source(SCM);
    record
        .field("param1", key)
        .field("param2", error)
        .service(key)
}

fn of_remote(id: u16) -> Record {
    Record::new(&format!("{TERMINAL}-RemoteConnectionManager"), id, NOON)
}

#[test]
fn each_cause_is_found_from_its_events() {
    let listener = format!("{TERMINAL}-RemoteConnectionManager/Operational");
    let taken = of_remote(260).user_data().field("listenerName", "RDP-Tcp");
    let schannel = |id| Record::new("Schannel", id, NOON).field("ErrorCode", "0x8009030D");
    let profile = Record::new("Microsoft-Windows-User Profiles Service", 1511, NOON);
    let bugcheck = "0x0000007b (0xfffff880009a9928, 0xffffffffc0000034, 0x0, 0x0)";
    let stopped = Record::new("Microsoft-Windows-WER-SystemErrorReporting", 1001, NOON);
    for (log, record, cause) in [
        (
            &*listener,
            taken.field("errorCode", "10048"),
            "remote-desktop-port-taken",
        ),
        ("System", schannel(36870), "remote-desktop-private-key"),
        (
            "System",
            of_remote(1058).data("5"),
            "remote-desktop-private-key",
        ),
        (
            "System",
            service(7000, "TermService", "%%1069"),
            "remote-desktop-service-fails",
        ),
        (
            "System",
            service(7023, "mpssvc", "%%5"),
            "essential-service-fails",
        ),
        ("System", service(7026, "", "").field("param1", "x"), ""),
        (
            "System",
            Record::new(SCM, 7026, NOON).field("param1", "\r\nstorvsc"),
            "boot-driver-fails",
        ),
        (
            "System",
            Record::new(SCM, 7026, NOON).field("param1", "\r\nCSC\r\ndam"),
            "",
        ),
        ("Application", profile, "profile-not-loaded"),
        (
            "System",
            Record::new("Tcpip", 4199, NOON).data("x"),
            "address-conflict",
        ),
        (
            "System",
            Record::new("NETLOGON", 3210, NOON).data("CORP"),
            "domain-trust-broken",
        ),
        (
            "System",
            Record::new("Microsoft-Windows-GroupPolicy", 1096, NOON),
            "registry-pol-damaged",
        ),
        (
            "System",
            Record::new("Ntfs", 55, NOON),
            "file-system-damaged",
        ),
        (
            "System",
            Record::new("Microsoft-Windows-Kernel-Power", 41, NOON).field("BugcheckCode", "0"),
            "",
        ),
        (
            "System",
            stopped.field("param1", bugcheck),
            "stop-boot-device",
        ),
        ("System", schannel(36871), ""),
        ("System", of_remote(1128), "remote-desktop-licences"),
    ] {
        let disk = volume("system-001");
        put(&disk, log, std::slice::from_ref(&record));
        let found = added(&disk);
        let wanted: Vec<&str> = [cause]
            .into_iter()
            .filter(|cause| !cause.is_empty())
            .collect();
        assert_eq!(names(&found), wanted, "{record:?}");
        if let Some(cause) = found.first() {
            let json = serde_json::to_string(cause).expect("JSON");
            let place = format!("event log {log}, record 1: ");
            assert!(json.contains(&place) && json.contains(NOON), "{json}");
        }
    }
}

/// What a healthy Windows logs now and then is a finding only together with something else.
#[test]
fn causes_that_need_more_than_one_event_are_found() {
    let schannel = |id| Record::new("Schannel", id, NOON);
    let dhcp = |id| Record::new("Microsoft-Windows-Dhcp-Client", id, NOON);
    let sessions = format!("{TERMINAL}-LocalSessionManager");
    let failed = Record::new(&sessions, 17, NOON).user_data();
    let ended = Record::new("Microsoft-Windows-Wininit", 1015, NOON);
    for (log, records, cause) in [
        (
            "System",
            vec![schannel(36871), schannel(36874)],
            "tls-no-agreement",
        ),
        ("System", vec![dhcp(1003), dhcp(1007)], "no-address"),
        (
            &*format!("{sessions}/Operational"),
            vec![failed],
            "session-manager-fails",
        ),
        ("Application", vec![ended], "logon-process-ended"),
    ] {
        let disk = volume("system-001");
        put(&disk, log, &records);
        assert_eq!(names(&added(&disk)), [cause]);
    }
}

#[test]
fn an_event_before_the_last_logon_or_many_boots_ago_is_no_evidence() {
    let disk = volume("system-001");
    put(&disk, "System", &[service(7000, "TermService", "%%1069")]);
    assert_eq!(names(&added(&disk)), ["remote-desktop-service-fails"]);
    let provider = format!("{TERMINAL}-LocalSessionManager");
    let channel = format!("{provider}/Operational");
    let logon = |time, address| {
        let record = Record::new(&provider, 21, time).user_data();
        record.field("User", "VM1\\admin").field("Address", address)
    };
    // At the console, Remote Desktop is not needed.
    put(&disk, &channel, &[logon("2026-05-01T13:00:00Z", "LOCAL")]);
    assert_eq!(names(&added(&disk)), ["remote-desktop-service-fails"]);
    put(
        &disk,
        &channel,
        &[logon("2026-05-01T11:00:00Z", "10.0.0.9")],
    );
    assert_eq!(names(&added(&disk)), ["remote-desktop-service-fails"]);
    put(
        &disk,
        &channel,
        &[logon("2026-05-01T13:00:00Z", "10.0.0.9")],
    );
    assert_eq!(names(&added(&disk)), [""; 0]);

    let disk = volume("system-001");
    let mut records = vec![service(7000, "TermService", "%%1069")];
    records.extend(
        (1..=11).map(|day| Record::new(KERNEL, 12, &format!("2026-05-{:02}T00:00:00Z", day + 1))),
    );
    put(&disk, "System", &records);
    assert_eq!(names(&added(&disk)), [""; 0]);
}

/// A user who gets a temporary profile does log on.
#[test]
fn what_goes_wrong_with_the_last_logon_itself_is_evidence() {
    let disk = volume("system-001");
    let profile = Record::new("Microsoft-Windows-User Profiles Service", 1511, NOON);
    put(&disk, "Application", &[profile]);
    let provider = format!("{TERMINAL}-LocalSessionManager");
    let logon = |time| {
        let record = Record::new(&provider, 21, time).user_data();
        record.field("Address", "10.0.0.9")
    };
    let channel = format!("{provider}/Operational");
    put(&disk, &channel, &[logon("2026-05-01T12:00:05Z")]);
    assert_eq!(names(&added(&disk)), ["profile-not-loaded"]);
    put(&disk, &channel, &[logon("2026-05-01T12:30:00Z")]);
    assert_eq!(names(&added(&disk)), [""; 0]);
}

#[test]
fn a_log_that_can_not_be_read_is_told() {
    let disk = volume("system-001");
    disk.put("Windows/System32/winevt/Logs", b"a file".to_vec());
    let report = serde_json::to_string(&diagnose(&disk)).expect("JSON");
    assert!(report.contains("event logs: "), "{report}");
}

/// Who shut the port stands beside the rule that is shut.
#[test]
fn who_changed_the_firewall_is_told() {
    use super::diagnosis::event_cases::{event, logs};
    let firewall = "Microsoft-Windows-Windows Firewall With Advanced Security";
    let changed = event(firewall, 2005)
        .field("RuleId", "RemoteDesktop-UserMode-In-TCP")
        .field("RuleName", "Remote Desktop")
        .field("ModifyingApplication", r"C:\Tools\harden.exe");
    let mut breaks = super::diagnosis::closed_port();
    breaks.extend(logs(&[(&format!("{firewall}/Firewall"), changed)]));
    let found = diagnose(&super::diagnosis::disk(&breaks));
    let first = found.causes.first().expect("a cause");
    assert_eq!((&*first.name, first.score), ("firewall-no-rule", 90));
    let json = serde_json::to_string(first).expect("JSON");
    assert!(json.contains("harden.exe"), "{json}");
}

/// A dump and two events that tell of one stop are not three reasons.
#[test]
fn evidence_that_tells_the_same_counts_once() {
    let disk = volume("system-001");
    let code = "0x0000007b (0x1, 0x2, 0x0, 0x0)";
    let stopped = Record::new("Microsoft-Windows-WER-SystemErrorReporting", 1001, NOON);
    let started = Record::new("Microsoft-Windows-Kernel-Power", 41, NOON);
    let records = [
        stopped.field("param1", code),
        started.field("BugcheckCode", "123"),
    ];
    put(&disk, "System", &records);
    let found = added(&disk);
    assert_eq!(names(&found), ["stop-boot-device"]);
    let first = found.first().expect("a cause");
    assert_eq!((first.score, first.evidence.len()), (60, 2));
}

/// A server restarts for updates each month, and nobody logs on meanwhile.
#[test]
fn restarts_are_a_loop_only_if_they_are_near() {
    let restart = |time: &str| Record::new("USER32", 1074, time).field("param1", "svchost.exe");
    let disk = volume("system-001");
    let monthly = ["03", "04", "05", "06", "07"];
    let monthly = monthly.map(|month| restart(&format!("2026-{month}-01T12:00:00Z")));
    put(&disk, "System", &monthly);
    assert_eq!(names(&added(&disk)), [""; 0]);
    let near = ["10", "11", "12", "13"].map(|hour| restart(&format!("2026-05-01T{hour}:00:00Z")));
    put(&disk, "System", &near);
    assert_eq!(names(&added(&disk)), ["restart-loop"]);
    put(&disk, "System", near.get(..3).expect("three"));
    assert_eq!(names(&added(&disk)), [""; 0]);
}
