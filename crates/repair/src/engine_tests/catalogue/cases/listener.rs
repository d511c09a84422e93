//! Recipes for the listener of Remote Desktop, and for what it accepts.

use diskmend_hive::ValueType;

use super::{Cases, data, number};
use crate::engine_tests::catalogue::Case;
use crate::engine_tests::diagnosis::disk::Break;
use crate::engine_tests::evidence::firewall::{ID, RULES, rule};
use crate::place::HiveName::{Software, System};
use crate::value_data::ValueData;

const SERVER: &str = r"Control\Terminal Server";
const STATIONS: &str = r"Control\Terminal Server\WinStations";
const LISTENER: &str = r"Control\Terminal Server\WinStations\RDP-Tcp";
const POLICY: &str = r"Policies\Microsoft\Windows NT\Terminal Services";
const TLS_1_2: &str = r"Control\SecurityProviders\SCHANNEL\Protocols\TLS 1.2\Server";
const SUITES: &str = r"Policies\Microsoft\Cryptography\Configuration\SSL\00010002";

/// What a virtual machine in Azure tells. Its agent is on the healthy server.
pub(super) fn in_azure() -> Vec<Break> {
    machine("Microsoft Corporation", "Virtual Machine")
}

/// What a virtual machine on a Hyper-V host of one's own tells.
pub(super) fn on_own_host() -> Vec<Break> {
    let mut breaks = in_azure();
    breaks.push(Break::NoKey(
        System,
        r"ControlSet001\Services\RdAgent".to_owned(),
    ));
    breaks
}

/// What a machine on somebody's desk tells.
pub(super) fn on_a_desk() -> Vec<Break> {
    machine("Dell Inc.", "Latitude 7480")
}

fn machine(manufacturer: &str, product: &str) -> Vec<Break> {
    let machine = r"HardwareConfig\{11111111-0000-0000-0000-000000000001}";
    let text = |text: &str| ValueData::text(ValueType::SZ, text);
    let of = |key: &str, name, data| Break::Data(System, key.to_owned(), name, data);
    vec![
        of(
            "HardwareConfig",
            "LastConfig",
            text("{11111111-0000-0000-0000-000000000001}"),
        ),
        of(machine, "SystemManufacturer", text(manufacturer)),
        of(machine, "SystemProductName", text(product)),
    ]
}

pub(in super::super) fn listener() -> Cases {
    let off = || {
        vec![
            number(SERVER, "fDenyTSConnections", 1),
            number(SERVER, "TSServerDrainMode", 2),
            number(LISTENER, "fEnableWinStation", 0),
            number(LISTENER, "fLogonDisabled", 1),
            Break::Number(Software, POLICY.to_owned(), "fDenyTSConnections", 1),
        ]
    };
    let certificate = ValueData {
        value_type: ValueType::BINARY,
        bytes: vec![7; 20],
    };
    let library = ValueData::text(
        ValueType::EXPAND_SZ,
        r"C:\Program Files\RDP Wrapper\rdpwrap.dll",
    );
    let text = |text: &str| ValueData::text(ValueType::SZ, text);
    vec![
        Case::broken(
            "rdp-enable",
            [off(), in_azure()].concat(),
            &[
                r"SYSTEM\ControlSet001\Control\Terminal Server\fDenyTSConnections",
                "TSServerDrainMode",
                "fEnableWinStation",
                "fLogonDisabled",
            ],
        ),
        Case::broken(
            "rdp-enable-policy",
            [off(), in_azure()].concat(),
            &["fDenyTSConnections"],
        ),
        // The firewall still lets clients in.
        Case::broken(
            "rdp-enable",
            [vec![number(SERVER, "fDenyTSConnections", 1)], on_a_desk()].concat(),
            &["fDenyTSConnections"],
        ),
        // Somebody may want it off.
        Case::other(
            "rdp-enable",
            [
                vec![
                    number(SERVER, "fDenyTSConnections", 1),
                    Break::Data(System, RULES.to_owned(), ID, rule("FALSE", "3389", "")),
                ],
                on_a_desk(),
            ]
            .concat(),
            &["fDenyTSConnections"],
        ),
        Case::broken(
            "rdp-listener",
            vec![
                number(LISTENER, "MinEncryptionLevel", 9),
                number(LISTENER, "SecurityLayer", 7),
                number(LISTENER, "UserAuthentication", 9),
                number(LISTENER, "MaxInstanceCount", 0),
                number(LISTENER, "LanAdapter", 3),
                number(LISTENER, "MaxIdleTime", 5000),
            ],
            &[
                "MinEncryptionLevel",
                "SecurityLayer",
                "UserAuthentication",
                "MaxInstanceCount",
            ],
        )
        .and(&["LanAdapter", "MaxIdleTime"]),
        Case::broken(
            "rdp-cert-pin",
            vec![
                data(LISTENER, "SSLCertificateSHA1Hash", certificate),
                Break::Number(
                    Software,
                    r"Microsoft\SystemCertificates\MY".to_owned(),
                    "any",
                    1,
                ),
            ],
            &["SSLCertificateSHA1Hash"],
        ),
        Case::broken(
            "rdp-cert-store",
            vec![data(STATIONS, "SelfSignedCertStore", text("NULL"))],
            &["SelfSignedCertStore"],
        ),
        Case::other(
            "termsrv-tampered",
            vec![data(
                r"Services\TermService\Parameters",
                "ServiceDll",
                library,
            )],
            &["ServiceDll"],
        ),
        Case::other(
            "ntlm-receive",
            vec![
                number(r"Control\Lsa\MSV1_0", "RestrictReceivingNTLMTraffic", 2),
                number(r"Control\Lsa", "LmCompatibilityLevel", 7),
            ],
            &["RestrictReceivingNTLMTraffic", "LmCompatibilityLevel"],
        ),
        Case::other("gp-report", off(), &[]),
        Case::other("credssp", vec![], &["AllowEncryptionOracle"]),
        Case::other(
            "tls-cipher-policy",
            vec![Break::Data(
                Software,
                SUITES.to_owned(),
                "Functions",
                text(""),
            )],
            &["Functions"],
        ),
        Case::other(
            "tls12",
            vec![
                number(TLS_1_2, "Enabled", 0),
                number(TLS_1_2, "DisabledByDefault", 1),
            ],
            &["Enabled", "DisabledByDefault"],
        ),
        // Windows 7 does not enable TLS 1.2 by itself.
        Case::other(
            "tls12",
            vec![
                number(TLS_1_2, "Enabled", u32::MAX),
                Break::Data(
                    Software,
                    r"Microsoft\Windows NT\CurrentVersion".to_owned(),
                    "CurrentBuildNumber",
                    text("7601"),
                ),
            ],
            &["DisabledByDefault"],
        ),
    ]
}
