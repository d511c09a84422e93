//! A disk for each rule about drivers, disks and restarts, by their settings or by what Windows logs.

use diskmend_hive::ValueType;

use super::cases::{Cases, data, number};
use super::disk::{Break, whole};
use super::event_cases::{
    BROKER_CLIENT, BROKER_CLIENT_LOG, DHCP, LISTENER, REMOTE, SCM, SYSTEM, event, installed, logs,
    service,
};
use crate::place::HiveName::System;
use crate::testing::evtx::Record;
use crate::value_data::ValueData;

const INTEGRITY: &str = "Microsoft-Windows-CodeIntegrity";
const INTEGRITY_LOG: &str = "Microsoft-Windows-CodeIntegrity/Operational";
const FIREWALL: &str = "Microsoft-Windows-Windows Firewall With Advanced Security";
const FIREWALL_LOG: &str = "Microsoft-Windows-Windows Firewall With Advanced Security/Firewall";
const BROKER: &str = "Microsoft-Windows-TerminalServices-SessionBroker";
const BROKER_LOG: &str = "Microsoft-Windows-TerminalServices-SessionBroker/Operational";

/// As many events as asked for, some minutes apart.
fn again(provider: &str, id: u16, count: u32) -> Vec<(&'static str, Record)> {
    let at = |minute| format!("2026-05-01T12:{minute:02}:00Z");
    let times = (0..count).map(|number| at(number * 5));
    times
        .map(|time| (SYSTEM, Record::new(provider, id, &time)))
        .collect()
}

pub(super) fn cases() -> Cases {
    let file = |id, path| event(INTEGRITY, id).field("FileNameBuffer", path);
    let driver = r"\Device\HarddiskVolume2\Windows\System32\drivers\vendor.sys";
    let program = r"\Device\HarddiskVolume2\Windows\System32\userinit.exe";
    let card = event("Microsoft-Windows-Kernel-PnP", 411)
        .field("DeviceInstanceId", r"VMBUS\{0}")
        .field("ClassGuid", "{4d36e972-e325-11ce-bfc1-08002be10318}");
    let listener = event(REMOTE, 260).user_data();
    let stop = event("Microsoft-Windows-Kernel-Power", 41).field("BugcheckCode", "80");
    let mut farm = number(
        r"Control\Terminal Server\ClusterSettings",
        "SessionDirectoryActive",
        1,
    );
    farm.extend(logs(&[(BROKER_CLIENT_LOG, event(BROKER_CLIENT, 1306))]));
    let text = |text| ValueData::text(ValueType::SZ, text);
    let order = r"Control\NetworkProvider\Order";
    let mut provider = data(
        System,
        order,
        "ProviderOrder",
        text("LanmanWorkstation,VPN"),
    );
    provider.extend(data(
        System,
        r"Services\VPN\NetworkProvider",
        "ProviderPath",
        text(r"%SystemRoot%\System32\vpnnp.dll"),
    ));
    provider.extend(whole());
    let interface = r"Services\Tcpip\Parameters\Interfaces\{11111111-2222-3333-4444-555555555555}";
    let address = ValueData::list(&["10.1.2.3".to_owned()]);
    let mut fixed = data(System, interface, "IPAddress", address);
    fixed.extend(number(interface, "EnableDHCP", 0));
    let session = r"Control\Session Manager";
    let programs = ["autocheck autochk *", "gone C:"].map(str::to_owned);
    let mut at_start = data(System, session, "BootExecute", ValueData::list(&programs));
    at_start.extend(whole());
    vec![
        (
            "signature-not-verified",
            logs(&[
                (INTEGRITY_LOG, file(3004, driver)),
                (SYSTEM, service(7000, "vendor", "%%577")),
            ]),
        ),
        (
            "code-integrity-policy",
            logs(&[(INTEGRITY_LOG, file(3077, program))]),
        ),
        (
            "network-card-fails",
            logs(&[
                ("Microsoft-Windows-Kernel-PnP/Configuration", card),
                (SYSTEM, event(DHCP, 1007)),
            ]),
        ),
        ("disk-fails", logs(&again("disk", 7, 3))),
        (
            "registry-not-written",
            logs(&again("Microsoft-Windows-Kernel-General", 6, 1)),
        ),
        ("last-known-good", logs(&again(SCM, 7007, 1))),
        ("last-known-good", logs(&again(SCM, 7027, 1))),
        (
            "last-known-good",
            vec![Break::Number(System, "Select".to_owned(), "Failed", 2)],
        ),
        (
            "stop-driver",
            logs(&[
                (
                    SYSTEM,
                    installed(r"\SystemRoot\System32\drivers\vendor.sys"),
                ),
                (SYSTEM, stop),
            ]),
        ),
        (
            "restart-loop",
            logs(&again("Microsoft-Windows-Kernel-Power", 41, 3)),
        ),
        (
            "agent-restarts-windows",
            [("Type", 16), ("ErrorControl", 3)]
                .map(|(name, value)| number(r"Services\RdAgent", name, value))
                .concat(),
        ),
        ("network-provider-missing", provider),
        ("address-of-old-network", fixed),
        (
            "data-disks-offline",
            number(r"Services\partmgr\Parameters", "SanPolicy", 4),
        ),
        (
            "update-service-disabled",
            number(r"Services\TrustedInstaller", "Start", 4),
        ),
        ("start-program-missing", at_start),
        ("services-time-out", logs(&again(SCM, 7011, 5))),
        ("ports-exhausted", logs(&again("Tcpip", 4227, 1))),
        (
            "ports-exhausted",
            number(r"Services\Tcpip\Parameters", "MaxUserPort", 1024),
        ),
        (
            "remote-desktop-listener-fails",
            logs(&[(LISTENER, listener.field("errorCode", "0x271D"))]),
        ),
        (
            "remote-desktop-certificate-template",
            logs(&again(REMOTE, 1064, 1)),
        ),
        (
            "connection-broker-fails",
            logs(&[(BROKER_LOG, event(BROKER, 2056))]),
        ),
        ("connection-broker-fails", farm),
        (
            "firewall-not-loaded",
            logs(&[(FIREWALL_LOG, event(FIREWALL, 2009))]),
        ),
    ]
}
