//! A disk for each rule that judges by what Windows wrote into its logs. Each disk also has what a
//! healthy server logs: its starts, and a logon over the network before the trouble began.

use super::super::catalogue::profile;
use super::super::evidence::services::DRIVERS;
use super::cases::{Cases, data};
use super::disk::Break;
use crate::place::HiveName::{Components, System};
use crate::testing::evtx::{Closed, LogWriter, Record};
use crate::value_data::ValueData;
use diskmend_base::utf16;
use diskmend_hive::ValueType;

const APPLICATION: &str = "Application";
pub(super) const SYSTEM: &str = "System";
pub(super) const SCM: &str = "Service Control Manager";
pub(super) const REMOTE: &str = "Microsoft-Windows-TerminalServices-RemoteConnectionManager";
pub(super) const LISTENER: &str =
    "Microsoft-Windows-TerminalServices-RemoteConnectionManager/Operational";
const CORE: &str = "Microsoft-Windows-RemoteDesktopServices-RdpCoreTS";
const CORE_LOG: &str = "Microsoft-Windows-RemoteDesktopServices-RdpCoreTS/Operational";
pub(super) const POLICY_LOG: &str = "Microsoft-Windows-GroupPolicy/Operational";
const PROFILES: &str = "Microsoft-Windows-User Profiles Service";
pub(super) const BROKER_CLIENT: &str = "Microsoft-Windows-TerminalServices-SessionBroker-Client";
pub(super) const BROKER_CLIENT_LOG: &str =
    "Microsoft-Windows-TerminalServices-SessionBroker-Client/Operational";
const SESSIONS: &str = "Microsoft-Windows-TerminalServices-LocalSessionManager";
const SESSION_LOG: &str = "Microsoft-Windows-TerminalServices-LocalSessionManager/Operational";
pub(super) const DHCP: &str = "Microsoft-Windows-Dhcp-Client";

/// Before and after the last logon over the network.
const BEFORE: &str = "2026-05-01T10:00:00Z";
const LOGON: &str = "2026-05-01T11:00:00Z";
const NOON: &str = "2026-05-01T12:00:00Z";

/// An event after the last logon.
pub(in crate::engine_tests) fn event(provider: &str, id: u16) -> Record {
    Record::new(provider, id, NOON)
}

/// An event about a service.
pub(super) fn service(id: u16, key: &str, error: &str) -> Record {
    let record = event(SCM, id).source(SCM);
    record
        .field("param1", "\u{670d}\u{52a1}")
        .field("param2", error)
        .service(key)
}

/// A service or driver that was installed.
pub(super) fn installed(file: &str) -> Record {
    event(SCM, 7045).source(SCM).field("ImagePath", file)
}

/// The logs with these events, and with what a healthy server logs.
pub(in crate::engine_tests) fn logs(events: &[(&str, Record)]) -> Vec<Break> {
    let start = |time| {
        Record::new("Microsoft-Windows-Kernel-General", 12, time).field("BuildVersion", "17763")
    };
    let logon = Record::new(SESSIONS, 21, LOGON).user_data();
    let logon = logon
        .field("User", r"VM\admin")
        .field("Address", "10.0.0.9");
    let mut all = vec![
        (SYSTEM, start(BEFORE)),
        (SYSTEM, Record::new("EventLog", 6005, BEFORE)),
        (SESSION_LOG, logon),
        (SYSTEM, start("2026-05-01T11:30:00Z")),
    ];
    all.extend_from_slice(events);
    let mut writers: Vec<(&str, LogWriter)> = Vec::new();
    for (log, record) in &all {
        if !writers.iter().any(|(known, _)| known == log) {
            writers.push((log, LogWriter::new(log)));
        }
        for (known, writer) in &mut writers {
            if known == log {
                writer.add(record);
            }
        }
    }
    let files = writers.into_iter().map(|(log, writer)| {
        let name = log.replace('/', "%4");
        let path = format!("Windows/System32/winevt/Logs/{name}.evtx");
        Break::File(path, writer.finish(Closed::Dirty(1)))
    });
    files.collect()
}

/// A disk for each rule about events.
pub(super) fn cases() -> Cases {
    let mut cases = Vec::new();
    cases.extend(remote_desktop());
    cases.extend(services());
    cases.extend(network());
    cases.extend(text_logs());
    cases
        .into_iter()
        .chain([("service-file-missing", service_file())])
        .collect()
}

fn remote_desktop() -> Cases {
    let listener = |error| {
        let record = event(REMOTE, 260).user_data();
        let record = record.field("listenerName", "RDP-Tcp");
        (LISTENER, record.field("errorCode", error))
    };
    vec![
        ("remote-desktop-port-taken", logs(&[listener("10048")])),
        (
            "tls-no-agreement",
            logs(&[
                (
                    SYSTEM,
                    event("Schannel", 36871).field("ErrorState", "10013"),
                ),
                (SYSTEM, event("Schannel", 36874)),
            ]),
        ),
        (
            "remote-desktop-licences",
            logs(&[(SYSTEM, event(REMOTE, 1128)), (SYSTEM, event(REMOTE, 1130))]),
        ),
        (
            "session-manager-fails",
            logs(&[(SESSION_LOG, event(SESSIONS, 17).user_data())]),
        ),
        (
            "profile-not-loaded",
            [
                profile(),
                logs(&[
                    (APPLICATION, event(PROFILES, 1515)),
                    (APPLICATION, event(PROFILES, 1511)),
                ]),
            ]
            .concat(),
        ),
        // What it left in the registry tells it alone.
        ("profile-not-loaded", profile()),
        (
            "logon-process-ended",
            logs(&[(APPLICATION, event("Microsoft-Windows-Wininit", 1015))]),
        ),
        (
            "registry-pol-damaged",
            logs(&[(SYSTEM, event("Microsoft-Windows-GroupPolicy", 1096))]),
        ),
    ]
}

fn services() -> Cases {
    vec![
        (
            "remote-desktop-service-fails",
            logs(&[(SYSTEM, service(7000, "TermService", "%%1069"))]),
        ),
        (
            "essential-service-fails",
            logs(&[(SYSTEM, service(7024, "mpssvc", "%%13"))]),
        ),
        (
            "boot-driver-fails",
            logs(&[(
                SYSTEM,
                event(SCM, 7026).field("param1", "\r\nstorvsc\r\nvmbus"),
            )]),
        ),
        (
            "file-system-damaged",
            logs(&[(
                SYSTEM,
                event("Microsoft-Windows-Ntfs", 55).field("DriveName", "C:"),
            )]),
        ),
        (
            "file-system-damaged",
            logs(&[(SYSTEM, event("Microsoft-Windows-Ntfs", 133))]),
        ),
    ]
}

fn network() -> Cases {
    vec![
        (
            "address-conflict",
            logs(&[(SYSTEM, event("Tcpip", 4199).data("").data("10.0.0.4"))]),
        ),
        (
            "no-address",
            logs(&[(SYSTEM, event(DHCP, 1003)), (SYSTEM, event(DHCP, 1007))]),
        ),
        (
            "domain-trust-broken",
            logs(&[
                (SYSTEM, event("NETLOGON", 3210).data("CORP")),
                (SYSTEM, event("NETLOGON", 5719).data("CORP")),
            ]),
        ),
    ]
}

fn text_logs() -> Cases {
    let line = |text: &str| format!("2026-05-01 12:00:00, Error                 CBS    {text}\r\n");
    let file = |path: &str, bytes: Vec<u8>| Break::File(path.to_owned(), bytes);
    let servicing = |text| file("Windows/Logs/CBS/CBS.log", line(text).into_bytes());
    let cause = "\u{feff}Root cause found:\r\n-----\r\nBoot critical file c:\\windows\\foo.sys is corrupt.\r\n";
    vec![
        (
            "update-pending",
            vec![
                file("Windows/WinSxS/pending.xml", b"<x/>".to_vec()),
                Break::Number(Components, String::new(), "StoreDirty", 1),
                servicing("Failed [HRESULT = 0x80073712]"),
            ],
        ),
        (
            "update-transaction-log",
            vec![servicing("Failed [HRESULT = 0x800719E4]")],
        ),
        (
            "startup-repair-cause",
            vec![file(
                "Windows/System32/LogFiles/Srt/SrtTrail.txt",
                utf16::encode(cause),
            )],
        ),
        (
            "upgrade-failed",
            vec![
                file(
                    "$Windows.~BT/Sources/Panther/setuperr.log",
                    line("SP     Operation failed. Error: 0x8007001F").into_bytes(),
                ),
                Break::Number(System, "Setup".to_owned(), "SystemSetupInProgress", 1),
                Break::Number(System, "Setup".to_owned(), "Upgrade", 1),
            ],
        ),
        (
            "setup-failed",
            vec![
                file(
                    "Windows/Panther/setupact.log",
                    line("[setup.exe] The answer file is not valid").into_bytes(),
                ),
                Break::Number(System, "Setup".to_owned(), "SystemSetupInProgress", 1),
            ],
        ),
    ]
}

/// What a healthy Windows logs now and then.
pub(super) fn usual() -> Vec<Break> {
    let driver = |names| event(SCM, 7026).field("param1", names);
    let attempt = |id| {
        let record = event("Microsoft-Windows-Security-Auditing", id);
        record.field("LogonType", "3")
    };
    let guessed = attempt(4625)
        .field("Status", "0xc000006d")
        .field("SubStatus", "0xc000006a");
    logs(&[
        (SYSTEM, driver("\r\nCSC\r\ndam")),
        (
            SYSTEM,
            event("Schannel", 36871).field("ErrorState", "10013"),
        ),
        (
            SYSTEM,
            event("Microsoft-Windows-Kernel-Power", 41).field("BugcheckCode", "0"),
        ),
        (SYSTEM, event("EventLog", 6008)),
        (SYSTEM, event(REMOTE, 1056)),
        (SYSTEM, service(7023, "W32Time", "%%2")),
        (SYSTEM, service(7000, "vendor", "%%2")),
        (SYSTEM, event(DHCP, 50036)),
        (SYSTEM, event("NETLOGON", 5719).data("CORP")),
        (SYSTEM, event(REMOTE, 1067)),
        (SYSTEM, event("Microsoft-Windows-DNS-Client", 1014)),
        (SYSTEM, event("Microsoft-Windows-GroupPolicy", 1129)),
        (SYSTEM, event("Microsoft-Windows-GroupPolicy", 1112)),
        (POLICY_LOG, event("Microsoft-Windows-GroupPolicy", 7016)),
        (SYSTEM, installed(r"C:\Windows\System32\drivers\new.sys")),
        (SYSTEM, service(7040, "BITS", "auto start")),
        (SYSTEM, service(7043, "UsoSvc", "")),
        (SYSTEM, event("Schannel", 36887).field("AlertDesc", "48")),
        (SYSTEM, event("Schannel", 36888).field("AlertDesc", "40")),
        (LISTENER, event(REMOTE, 261).user_data()),
        (CORE_LOG, event(CORE, 131).field("ConnType", "TCP")),
        (CORE_LOG, event(CORE, 139)),
        (CORE_LOG, event(CORE, 140).field("IPString", "203.0.113.9")),
        (CORE_LOG, event(CORE, 143)),
        (APPLICATION, event(PROFILES, 1530)),
        (APPLICATION, event(PROFILES, 1533)),
        (APPLICATION, event("Microsoft-Windows-Winlogon", 6000)),
        (APPLICATION, event("Microsoft-Windows-Winlogon", 6001)),
        (APPLICATION, event("Microsoft-Windows-Winlogon", 6006)),
        (SYSTEM, event("Microsoft-Windows-Ntfs", 130)),
        (SYSTEM, event("Microsoft-Windows-Ntfs", 137)),
        (SYSTEM, event("Microsoft-Windows-Kernel-Boot", 16)),
        (BROKER_CLIENT_LOG, event(BROKER_CLIENT, 1296)),
        (BROKER_CLIENT_LOG, event(BROKER_CLIENT, 1306)),
        (
            SYSTEM,
            event("Microsoft-Windows-WindowsUpdateClient", 20).field("errorCode", "0x80070643"),
        ),
        (
            SYSTEM,
            event("Microsoft-Windows-Ntfs", 98).field("CorruptionActionState", "0"),
        ),
        ("Security", guessed),
        ("Security", attempt(4624)),
    ])
}

/// A whole volume on which the library of a service is gone.
fn service_file() -> Vec<Break> {
    let text = |text| ValueData::text(ValueType::EXPAND_SZ, text);
    let key = r"Services\Dnscache";
    let host = text(r"%SystemRoot%\system32\svchost.exe -k NetworkService -p");
    let library = text(r"%SystemRoot%\System32\dnsrslvr.dll");
    let mut breaks = [
        data(System, key, "Type", ValueData::dword(32)),
        data(System, key, "ImagePath", host),
        data(
            System,
            r"Services\Dnscache\Parameters",
            "ServiceDll",
            library,
        ),
    ]
    .concat();
    for path in [
        "Windows/System32/services.exe",
        "Windows/System32/svchost.exe",
        &format!("{DRIVERS}/partmgr.sys"),
    ] {
        breaks.push(Break::File(path.to_owned(), b"MZ".to_vec()));
    }
    breaks
}
