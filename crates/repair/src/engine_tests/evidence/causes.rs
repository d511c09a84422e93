//! Each fault on a generated disk is the first cause that `diagnose` tells, and a healthy disk has
//! none.

use super::certificates::{
    FUTURE, KEYS, PAST, STATIONS, STORE, binary, blob, certificate, thumbprint,
};
use super::dumps::dump;
use super::firewall::{DOMAIN, ID, LISTENER, PRIVATE, PUBLIC, RULES, SERVER, rule};
use super::services::{DISKS, healthy};
use super::{disk, list, number, text};
use crate::diagnose::diagnose_site;
use crate::diagnosis::Rules;
use crate::documents::DiagnoseReport;
use crate::engine_tests::support::{site, with_watch};
use crate::recipe::Catalogue;
use crate::site::Options;
use crate::value_data::ValueData;
use diskmend_base::hex;
use diskmend_disk::testing::FaultyDisk;
use diskmend_hive::ValueType;

type Value<'a> = (&'a str, &'a str, ValueData);

pub(super) fn diagnose(disk: &FaultyDisk) -> DiagnoseReport {
    diagnose_by(disk, &Rules::built_in().expect("valid"))
}

pub(super) fn diagnose_by(disk: &FaultyDisk, rules: &Rules) -> DiagnoseReport {
    let recipes = Catalogue::built_in().expect("valid");
    let options = Options::default();
    with_watch(|watch| diagnose_site(&site(disk), rules, &recipes, &options, watch)).expect("done")
}

fn causes(disk: &FaultyDisk) -> Vec<String> {
    let causes = diagnose(disk).causes.into_iter();
    causes.map(|cause| cause.name).collect()
}

/// Checks that a cause is the only one.
fn is_cause(disk: &FaultyDisk, cause: &str) {
    assert_eq!(causes(disk), [cause]);
}

fn start(service: &str, start: u32) -> (String, ValueData) {
    (format!(r"ControlSet001\Services\{service}"), number(start))
}

#[test]
fn a_disabled_service_is_the_cause() {
    for (service, cause) in [
        ("TermService", "remote-desktop-service-disabled"),
        ("SessionEnv", "remote-desktop-helper-disabled"),
        ("CryptSvc", "remote-desktop-helper-disabled"),
        ("nsi", "network-service-disabled"),
        ("tdx", "network-service-disabled"),
        ("Dhcp", "dhcp-client-disabled"),
        ("LanmanWorkstation", "network-helper-disabled"),
        ("BFE", "firewall-service-disabled"),
        ("RpcSs", "core-service-disabled"),
        ("LSM", "core-service-disabled"),
        ("gpsvc", "group-policy-service-disabled"),
        ("mountmgr", "boot-driver-disabled"),
        ("WindowsAzureGuestAgent", "cloud-agent-disabled"),
    ] {
        let (key, four) = start(service, 4);
        is_cause(&disk(&[(&key, "Start", four)], &[]), cause);
    }
    // Disabled on healthy disks.
    for service in [
        "RemoteRegistry",
        "SharedAccess",
        "cdfs",
        "Ntfs",
        "hvcrash",
        "SCardSvr",
    ] {
        let (key, four) = start(service, 4);
        assert_eq!(
            causes(&disk(&[(&key, "Start", four)], &[])),
            [""; 0],
            "{service}"
        );
    }
}

#[test]
fn a_missing_file_is_the_cause() {
    assert_eq!(causes(&healthy(&[])), [""; 0]);
    let key = r"ControlSet001\Services\vendor";
    let driver = [
        (key, "Start", number(0)),
        (key, "Type", number(1)),
        (key, "ErrorControl", number(1)),
    ];
    is_cause(&healthy(&driver), "boot-driver-missing");
    let removed = (DISKS, "UpperFilters", list(&["partmgr", "removed"]));
    let found = diagnose(&healthy(&[removed]));
    assert_eq!(found.causes[0].name, "class-filter-missing");
    assert_eq!(found.causes[0].score, 95);
    let key = r"ControlSet001\Services\Dnscache\Parameters";
    let library = text(r"%SystemRoot%\System32\dnsrslvr.dll");
    is_cause(
        &healthy(&[(key, "ServiceDll", library)]),
        "service-file-missing",
    );
}

fn with_firewall(more: &[Value<'_>], software: &[Value<'_>]) -> FaultyDisk {
    let mut values = vec![
        (SERVER, "fDenyTSConnections", number(0)),
        (LISTENER, "PortNumber", number(3389)),
        (RULES, ID, rule("TRUE", "3389", "")),
    ];
    values.extend_from_slice(more);
    disk(&values, software)
}

#[test]
fn a_closed_port_is_the_cause() {
    assert_eq!(causes(&with_firewall(&[], &[])), [""; 0]);
    let port = (LISTENER, "PortNumber", number(33890));
    is_cause(&with_firewall(&[port], &[]), "firewall-other-port");
    let inactive = (RULES, ID, rule("FALSE", "3389", ""));
    is_cause(&with_firewall(&[inactive], &[]), "firewall-no-rule");
    let all = [DOMAIN, PRIVATE, PUBLIC].map(|key| (key, "DoNotAllowExceptions", number(1)));
    is_cause(&with_firewall(&all, &[]), "firewall-block-all");
    let block = text("v2.30|Action=Block|Active=TRUE|Dir=In|Protocol=6|LPort=3389|Name=no|");
    is_cause(
        &with_firewall(&[(RULES, "no", block)], &[]),
        "firewall-block-rule",
    );
    let merge = ["Domain", "Standard", "Public"];
    let merge = merge.map(|name| format!(r"Policies\Microsoft\WindowsFirewall\{name}Profile"));
    let merge: Vec<_> = merge
        .iter()
        .map(|key| (key.as_str(), "AllowLocalPolicyMerge", number(0)))
        .collect();
    is_cause(&with_firewall(&[], &merge), "firewall-policy");
}

#[test]
fn a_certificate_is_the_cause() {
    for (end, provider, cause) in [
        (FUTURE, 0, None),
        (FUTURE, 1, Some("remote-desktop-certificate")),
        (PAST, 0, Some("remote-desktop-certificate")),
    ] {
        let der = certificate(end);
        let named = binary(thumbprint(&der));
        let key = format!(r"{STORE}\{}", hex::encode(&thumbprint(&der)));
        let disk = disk(
            &[(STATIONS, "SelfSignedCertificate", named)],
            &[(key.as_str(), "Blob", blob(&der, provider))],
        );
        disk.put(&format!("{KEYS}/other"), b"key".to_vec());
        assert_eq!(causes(&disk), cause.as_slice());
    }
    let pinned = binary(vec![7; 20]);
    let store = r"Microsoft\SystemCertificates\MY";
    let disk = disk(
        &[(LISTENER, "SSLCertificateSHA1Hash", pinned)],
        &[(store, "x", number(1))],
    );
    is_cause(&disk, "remote-desktop-pinned-certificate");
}

#[test]
fn a_stop_is_the_cause_unless_windows_was_shut_down_later() {
    for (code, cause) in [
        (0x7b, "stop-boot-device"),
        (0xc4, "stop-verifier"),
        (0x74, "stop-hive"),
        (0x50, "stop-driver"),
        (0xef, "stop-process"),
        (0x7a, "stop-disk"),
    ] {
        let disk = disk(&[], &[]);
        disk.put("Windows/MEMORY.DMP", dump(code, 3));
        is_cause(&disk, cause);
        let seen = &diagnose(&disk).causes[0].evidence[0].seen[0];
        assert_eq!(seen.place, "Windows/MEMORY.DMP");
        assert_eq!(seen.time.as_deref(), Some("2024-01-04T00:00:00Z"));
        assert!(seen.found.contains(&format!("{code:#x}")), "{seen:?}");
    }
    let shutdown = ValueData {
        value_type: ValueType::BINARY,
        bytes: (133_485_408_000_000_000_u64 + 4 * 864_000_000_000)
            .to_le_bytes()
            .to_vec(),
    };
    let disk = disk(
        &[(r"ControlSet001\Control\Windows", "ShutdownTime", shutdown)],
        &[],
    );
    disk.put("Windows/MEMORY.DMP", dump(0x7b, 3));
    assert_eq!(causes(&disk), [""; 0]);
}

#[test]
fn what_a_log_in_text_tells_is_the_cause() {
    const CBS: &str = "Windows/Logs/CBS/CBS.log";
    const PENDING: &str = "Windows/WinSxS/pending.xml";
    let line = |level: &str, text: &str| {
        let line = format!("2024-01-01 10:00:00, {level}                 CBS    {text}\r\n");
        line.into_bytes()
    };
    let disk = || disk(&[], &[]);
    // Both are on healthy disks too.
    let pending = disk();
    pending.put(PENDING, b"<x/>".to_vec());
    pending.put(CBS, line("Info", "0x80073712"));
    assert_eq!(causes(&pending), [""; 0]);
    pending.put(CBS, line("Error", "Failed [HRESULT = 0x80073712]"));
    is_cause(&pending, "update-pending");
    // Only the end of a log counts.
    let mut long = line("Error", "Failed [HRESULT = 0x80073712]");
    long.extend(line("Info", "fine").repeat(10_000));
    pending.put(CBS, long);
    assert_eq!(causes(&pending), [""; 0]);

    // What Setup did last stands at the end of the log of all its actions.
    for (path, cause) in [
        (
            "$Windows.~BT/Sources/Panther/setupact.log",
            "upgrade-failed",
        ),
        ("Windows/Panther/setupact.log", "setup-failed"),
    ] {
        let on = self::disk(&[("Setup", "SystemSetupInProgress", number(1))], &[]);
        on.put(path, line("Info", "all is well"));
        assert_eq!(causes(&on), [""; 0]);
        on.put(path, line("Error", "SP     Operation failed"));
        is_cause(&on, cause);
        let seen = &diagnose(&on).causes[0].evidence;
        let places = seen.iter().flat_map(|one| &one.seen);
        assert!(places.into_iter().any(|seen| seen.place == path));
    }

    let damaged = disk();
    damaged.put(CBS, line("Error", "Failed [HRESULT = 0x800719E4]"));
    is_cause(&damaged, "update-transaction-log");
    let repaired = disk();
    let text = "\u{feff}Root cause found:\r\n-----\r\nBoot critical file c:\\windows\\foo.sys is corrupt.\r\n";
    let trail = "Windows/System32/LogFiles/Srt/SrtTrail.txt";
    repaired.put(trail, diskmend_base::utf16::encode(text));
    is_cause(&repaired, "startup-repair-cause");
    let seen = &diagnose(&repaired).causes[0].evidence[0].seen[0];
    assert_eq!(seen.place, trail);
    assert!(seen.found.contains("foo.sys"), "{seen:?}");
}
