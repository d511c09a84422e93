//! A disk for each rule about what is left of another network, platform or repair, and about
//! services and policies of which only events tell.

use diskmend_hive::ValueType;

use super::super::catalogue::breaks_for;
use super::cases::{Cases, data, number};
use super::disk::{Break, SET};
use super::event_cases::{POLICY_LOG, SCM, SYSTEM, event, logs, service};
use crate::place::HiveName::{Software, System};
use crate::testing::evtx::Record;
use crate::value_data::ValueData;

const WINLOGON: &str = "Microsoft-Windows-Winlogon";
const POLICY: &str = "Microsoft-Windows-GroupPolicy";

pub(super) fn cases() -> Cases {
    let account = ValueData::text(ValueType::SZ, r"CORP\admin");
    let mut refused = data(System, r"Services\TermService", "ObjectName", account);
    refused.extend(logs(&[(SYSTEM, service(7038, "TermService", "%%1326"))]));
    let folder = ValueData::text(ValueType::EXPAND_SZ, r"D:\ProgramData");
    let folders = r"Microsoft\Windows NT\CurrentVersion\ProfileList";
    let crash = |time| {
        let record = Record::new(SCM, 7031, time).source(SCM);
        let record = record.field("param1", "Agent").field("param2", "2");
        (SYSTEM, record.field("param4", "2").service("Agent"))
    };
    let mut fips = number(r"Control\Lsa\FipsAlgorithmPolicy", "Enabled", 1);
    fips.extend(logs(&[(SYSTEM, event("Schannel", 36874))]));
    let file = ValueData::text(ValueType::SZ, r"E:\dd.sys");
    let mut dump = data(System, r"Control\CrashControl", "DedicatedDumpFile", file);
    let disk = ValueData {
        value_type: ValueType::BINARY,
        bytes: vec![1; 12],
    };
    let drives = "MountedDevices".to_owned();
    let drive_c = Break::Data(System, drives, r"\DosDevices\C:", disk);
    dump.push(drive_c.clone());
    let mut page_file = data(
        System,
        r"Control\Session Manager\Memory Management",
        "PagingFiles",
        ValueData::list(&[r"D:\pagefile.sys 0 0".to_owned()]),
    );
    page_file.push(drive_c);
    let slow = event(POLICY, 8001).field("PolicyElaspedTimeInSeconds", "640");
    let credssp = r"Microsoft\Windows\CurrentVersion\Policies\System\CredSSP\Parameters".to_owned();
    let credssp = vec![Break::Number(Software, credssp, "AllowEncryptionOracle", 0)];
    let host = r"%SystemRoot%\System32\svchost.exe -k NetworkService -p";
    let host = ValueData::text(ValueType::EXPAND_SZ, host);
    let mut group = data(System, r"Services\Dnscache", "ImagePath", host);
    group.push(listed(&["TermService"]));
    let about = |log, provider, id| logs(&[(log, event(provider, id))]);
    vec![
        ("service-account", refused),
        (
            "program-data-elsewhere",
            data(Software, folders, "ProgramData", folder),
        ),
        (
            "service-not-in-group",
            logs(&[(SYSTEM, service(7023, "Agent", "%%1083"))]),
        ),
        ("service-key-refused", about(SYSTEM, SCM, 7028)),
        (
            "service-restarts-windows",
            logs(&[crash("2026-05-01T12:00:00Z"), crash("2026-05-01T12:05:00Z")]),
        ),
        ("service-not-in-group", group),
        ("service-restarts-windows", restarts("Agent")),
        ("service-dependency-missing", dependency()),
        (
            "service-errorcontrol",
            [("Type", 16), ("Start", 2), ("ErrorControl", 3)]
                .map(|(name, value)| number(r"Services\Agent", name, value))
                .concat(),
        ),
        ("page-file-drive-missing", page_file),
        ("crash-dump-not-written", about(SYSTEM, "volmgr", 46)),
        ("dump-drive-missing", dump),
        ("fips-only", fips),
        ("group-policy-fails", about(SYSTEM, POLICY, 1085)),
        ("logon-waits", about("Application", WINLOGON, 6005)),
        (
            "logon-waits",
            logs(&[(POLICY_LOG, slow), ("Application", event(WINLOGON, 6006))]),
        ),
        ("disk-removed", about(SYSTEM, "disk", 157)),
        ("credssp-refuses-old-clients", credssp),
        (
            "remote-desktop-service-alone",
            number(r"Services\TermService", "Type", 16),
        ),
        (
            "no-restart-after-stop",
            number(r"Control\CrashControl", "AutoReboot", 0),
        ),
        ("network-filter-missing", breaks_for("net-binding-orphan")),
        ("default-route-unreachable", breaks_for("persistent-route")),
        ("netvsc-driver", breaks_for("netvsc-driver")),
        ("azure-acpi-names", breaks_for("vmbus-acpi")),
    ]
}

/// A service that depends on one that isn't there.
fn dependency() -> Vec<Break> {
    let names = ["NSI", "MRxSmb10"].map(str::to_owned);
    let list = ValueData::list(&names);
    data(
        System,
        r"Services\LanmanWorkstation",
        "DependOnService",
        list,
    )
}

/// The same in a hive that has a part of the services only.
pub(super) fn part_of_services() -> Vec<Break> {
    let gone = [
        "Power",
        "PlugPlay",
        "UserManager",
        "RdAgent",
        "RemoteRegistry",
    ];
    let gone = gone.map(|name| Break::NoKey(System, format!(r"{SET}\Services\{name}")));
    [dependency(), gone.to_vec()].concat()
}

/// The services that a process runs.
fn listed(names: &[&str]) -> Break {
    let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
    let groups = r"Microsoft\Windows NT\CurrentVersion\Svchost".to_owned();
    Break::Data(Software, groups, "NetworkService", ValueData::list(&names))
}

/// A service that crashed, and whose settings restart Windows then. The event says nothing of it.
fn restarts(service: &str) -> Vec<Break> {
    let crash = event(SCM, 7034).source(SCM).service(service);
    let numbers: [u32; 9] = [86400, 0, 0, 2, 0x14, 1, 60_000, 2, 60_000];
    let actions = ValueData {
        value_type: ValueType::BINARY,
        bytes: numbers.iter().flat_map(|one| one.to_le_bytes()).collect(),
    };
    let key = format!(r"Services\{service}");
    let mut breaks = data(System, &key, "FailureActions", actions);
    breaks.extend(logs(&[(SYSTEM, crash)]));
    breaks
}

/// By default, some services restart Windows, and the lists of processes name all of their services.
pub(super) fn usual() -> Vec<Break> {
    // A name after a plus is a group.
    let depends = ["rpcss", "+TDI", "Tcpip"].map(str::to_owned);
    let host = r"%SystemRoot%\System32\svchost.exe -k networkservice -p";
    let host = ValueData::text(ValueType::EXPAND_SZ, host);
    let mut breaks = data(System, r"Services\Dnscache", "ImagePath", host);
    breaks.push(listed(&["DNSCACHE", "TermService"]));
    breaks.extend(restarts("DcomLaunch"));
    breaks.extend(data(
        System,
        r"Services\BFE",
        "DependOnService",
        ValueData::list(&depends),
    ));
    breaks
}
