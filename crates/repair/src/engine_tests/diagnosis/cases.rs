//! A broken disk for each rule.

use diskmend_base::hex;
use diskmend_bcd::{ElementId, ElementValue, well_known::BOOTMGR};
use diskmend_disk::testing::FaultyDisk;
use diskmend_hive::ValueType;

use super::super::boot_fixture::{BIOS, LOADER, Maker, RECOVERY, SECOND, bios};
use super::super::catalogue::breaks_for;
use super::super::evidence::certificates::{PAST, STORE, binary, blob, certificate, thumbprint};
use super::super::evidence::dumps::{dump, minidump};
use super::super::evidence::firewall::{ID, rule};
use super::super::files_replaced::pe;
use super::disk::{Break, CONFIG, KEY, SET, copy_of, disk, whole};
use super::{event_cases, left_cases, logon_cases, machine_cases};
use crate::place::HiveName::{self, Software, System};
use crate::value_data::ValueData;

const TERMINAL_SERVER: &str = r"Control\Terminal Server";
const LISTENER: &str = r"Control\Terminal Server\WinStations\RDP-Tcp";

/// A disk for each rule that comes with the program: the name of the rule, and the disk.
pub(super) fn cases() -> Vec<(&'static str, FaultyDisk)> {
    let mut cases = Vec::new();
    cases.extend(remote_desktop());
    cases.extend(services());
    cases.extend(boot());
    cases.extend(boot_store());
    cases.extend(files());
    cases.extend(firewall());
    cases.extend(certificates());
    cases.extend(logon());
    cases.extend(event_cases::cases());
    cases.extend(logon_cases::cases());
    cases.extend(machine_cases::cases());
    cases.extend(left_cases::cases());
    cases.extend(of_recipes());
    let with_repair = |(name, mut breaks): (&'static str, Vec<Break>)| {
        let also = TO_REPAIR.iter().find(|(rule, _)| *rule == name);
        breaks.extend(also.into_iter().flat_map(|(_, recipe)| breaks_for(recipe)));
        (name, disk(&breaks))
    };
    cases.into_iter().map(with_repair).collect()
}

/// Rules that events or dumps tell of, and the recipes that find something to repair on their disks.
const TO_REPAIR: [(&str, &str); 5] = [
    ("stop-csagent", "crowdstrike-291"),
    ("stop-verifier", "driver-verifier-off"),
    ("update-transaction-log", "txr-logs"),
    ("registry-pol-damaged", "gp-local-reset"),
    ("ports-exhausted", "tcp-ports"),
];

/// Disks that are broken as those of recipes are.
fn of_recipes() -> Cases {
    let of = |rule, recipe| (rule, breaks_for(recipe));
    vec![of("stop-csagent", "crowdstrike-291")]
}

pub(super) type Cases = Vec<(&'static str, Vec<Break>)>;

/// Windows's own copy of a hive.
fn regback(hive: HiveName) -> Break {
    let path = format!("{CONFIG}/RegBack/{}", hive.file_name());
    Break::File(path, copy_of(hive))
}

/// A number in the control set.
pub(super) fn number(key: &str, name: &'static str, number: u32) -> Vec<Break> {
    vec![Break::Number(System, format!(r"{SET}\{key}"), name, number)]
}

pub(super) fn data(hive: HiveName, key: &str, name: &'static str, data: ValueData) -> Vec<Break> {
    let key = match hive {
        System => format!(r"{SET}\{key}"),
        _ => key.to_owned(),
    };
    vec![Break::Data(hive, key, name, data)]
}

fn policy(key: &str, name: &'static str, number: u32) -> Vec<Break> {
    data(Software, key, name, ValueData::dword(number))
}

fn remote_desktop() -> Cases {
    let tls = r"Control\SecurityProviders\SCHANNEL\Protocols\TLS 1.2\Server";
    let suites = r"Policies\Microsoft\Cryptography\Configuration\SSL\00010002";
    let text = |text: &str| ValueData::text(ValueType::SZ, text);
    let wrapper = ValueData::text(
        ValueType::EXPAND_SZ,
        r"C:\Program Files\RDP Wrapper\rdpwrap.dll",
    );
    vec![
        (
            "remote-desktop-short-sessions",
            number(LISTENER, "MaxIdleTime", 5000),
        ),
        (
            "remote-desktop-other-listener",
            data(
                System,
                LISTENER,
                "LoadableProtocol_Object",
                text("{11111111-2222-3333-4444-555555555555}"),
            ),
        ),
        (
            "remote-desktop-service-replaced",
            data(
                System,
                r"Services\SessionEnv\Parameters",
                "ServiceDLL",
                wrapper.clone(),
            ),
        ),
        (
            "tls-no-cipher-suites-of-windows",
            data(
                System,
                r"Control\Cryptography\Configuration\Local\SSL\00010002",
                "Functions",
                ValueData::list(&[]),
            ),
        ),
        (
            "remote-desktop-off",
            number(TERMINAL_SERVER, "fDenyTSConnections", 1),
        ),
        (
            "remote-desktop-off-by-policy",
            policy(
                r"Policies\Microsoft\Windows NT\Terminal Services",
                "fDenyTSConnections",
                1,
            ),
        ),
        ("remote-desktop-tls", number(tls, "Enabled", 0)),
        (
            "remote-desktop-security-layer",
            number(LISTENER, "SecurityLayer", 0),
        ),
        (
            "remote-desktop-private-key",
            vec![Break::Permissions(KEY, "O:SYG:SYD:P(A;;FR;;;BA)")],
        ),
        (
            "private-keys",
            vec![
                Break::File(
                    "ProgramData/Microsoft/Crypto/RSA/MachineKeys/other".to_owned(),
                    b"key".to_vec(),
                ),
                Break::Permissions(
                    "ProgramData/Microsoft/Crypto/RSA/MachineKeys/other",
                    "O:SYG:SYD:P(D;;FA;;;SY)",
                ),
            ],
        ),
        (
            "remote-desktop-listener-off",
            number(LISTENER, "fEnableWinStation", 0),
        ),
        (
            "remote-desktop-logon-off",
            number(LISTENER, "fLogonDisabled", 1),
        ),
        (
            "remote-desktop-no-instances",
            number(LISTENER, "MaxInstanceCount", 0),
        ),
        (
            "remote-desktop-encryption-level",
            number(LISTENER, "MinEncryptionLevel", 9),
        ),
        (
            "remote-desktop-security-layer-unknown",
            number(LISTENER, "SecurityLayer", 7),
        ),
        (
            "remote-desktop-authentication-unknown",
            number(LISTENER, "UserAuthentication", 5),
        ),
        (
            "remote-desktop-one-adapter",
            number(LISTENER, "LanAdapter", 2),
        ),
        (
            "remote-desktop-listener-missing",
            vec![Break::NoKey(System, format!(r"{SET}\{LISTENER}"))],
        ),
        (
            "remote-desktop-drain",
            number(TERMINAL_SERVER, "TSServerDrainMode", 1),
        ),
        (
            "remote-desktop-service-replaced",
            data(
                System,
                r"Services\TermService\Parameters",
                "ServiceDll",
                wrapper,
            ),
        ),
        (
            "remote-desktop-certificate-denied",
            vec![Break::KeyPermissions(
                Software,
                r"Microsoft\SystemCertificates\Remote Desktop",
                "O:SYG:SYD:AI(D;CI;DCLC;;;SY)(A;CIID;KA;;;SY)",
            )],
        ),
        (
            "remote-desktop-certificate-store",
            data(
                System,
                r"Control\Terminal Server\WinStations",
                "SelfSignedCertStore",
                text("NULL"),
            ),
        ),
        (
            "tls-no-cipher-suites",
            data(Software, suites, "Functions", text("")),
        ),
        (
            "tls-no-cipher-suites-list",
            data(Software, suites, "Functions", ValueData::list(&[])),
        ),
    ]
}

fn services() -> Cases {
    let disabled = |name: &str| number(&format!(r"Services\{name}"), "Start", 4);
    [
        ("remote-desktop-service-disabled", "TermService"),
        ("remote-desktop-helper-disabled", "SessionEnv"),
        ("network-service-disabled", "nsiproxy"),
        ("dhcp-client-disabled", "Dhcp"),
        ("network-helper-disabled", "LanmanWorkstation"),
        ("firewall-service-disabled", "BFE"),
        ("core-service-disabled", "RpcSs"),
        ("group-policy-service-disabled", "gpsvc"),
        ("boot-driver-disabled", "volmgr"),
        ("cloud-agent-disabled", "RdAgent"),
    ]
    .map(|(rule, service)| (rule, disabled(service)))
    .into()
}

fn files() -> Cases {
    let mut lost = whole().to_vec();
    for (name, value) in [("Start", 0), ("Type", 1), ("ErrorControl", 1)] {
        lost.extend(number(r"Services\vendor", name, value));
    }
    let path = ValueData::text(ValueType::EXPAND_SZ, r"system32\drivers\vendor.sys");
    lost.extend(data(System, r"Services\vendor", "ImagePath", path));
    let class = r"Control\Class\{4d36e967-e325-11ce-bfc1-08002be10318}";
    let filters = ValueData::list(&["partmgr".to_owned(), "removed".to_owned()]);
    let device = r"Enum\SCSI\Disk&Ven_Msft\000000";
    let gone = ValueData::list(&["removed".to_owned()]);
    let mut of_device = data(System, device, "LowerFilters", gone);
    let disks = ValueData::text(ValueType::SZ, "{4d36e967-e325-11ce-bfc1-08002be10318}");
    of_device.extend(data(System, device, "ClassGUID", disks));
    let mut cases = vec![
        ("boot-driver-missing", lost),
        ("device-filter-missing", of_device),
        (
            "class-filter-missing",
            data(System, class, "UpperFilters", filters),
        ),
    ];
    for (rule, code) in [
        ("stop-boot-device", 0x7b),
        ("stop-verifier", 0xc4),
        ("stop-hive", 0x74),
        ("stop-driver", 0x50),
        ("stop-process", 0xef),
        ("stop-disk", 0x7a),
    ] {
        let path = "Windows/MEMORY.DMP".to_owned();
        cases.push((rule, vec![Break::File(path, dump(code, 3))]));
    }
    let path = "Windows/Minidump/010424-100-01.dmp".to_owned();
    let dump = minidump(0x1000_007e, 3, "csagent.sys");
    cases.push(("stop-csagent", vec![Break::File(path, dump)]));
    cases
}

pub(super) fn firewall() -> Cases {
    let rules = r"Services\SharedAccess\Parameters\FirewallPolicy\FirewallRules";
    let blocks = "v2.30|Action=Block|Active=TRUE|Dir=In|Protocol=6|LPort=3389|Name=no|";
    let profiles = ["DomainProfile", "StandardProfile", "PublicProfile"];
    let all = profiles.map(|profile| {
        let key = format!(r"Services\SharedAccess\Parameters\FirewallPolicy\{profile}");
        number(&key, "DoNotAllowExceptions", 1)
    });
    let ignored = profiles.map(|profile| {
        let key = format!(r"Policies\Microsoft\WindowsFirewall\{profile}");
        policy(&key, "AllowLocalPolicyMerge", 0)
    });
    vec![
        ("firewall-other-port", number(LISTENER, "PortNumber", 33890)),
        (
            "firewall-no-rule",
            data(System, rules, ID, rule("FALSE", "3389", "")),
        ),
        ("firewall-block-all", all.concat()),
        (
            "firewall-block-rule",
            data(System, rules, "no", ValueData::text(ValueType::SZ, blocks)),
        ),
        ("firewall-policy", ignored.concat()),
    ]
}

fn certificates() -> Cases {
    let ended = certificate(PAST);
    let key = format!(r"{STORE}\{}", hex::encode(&thumbprint(&ended)));
    let stations = r"Control\Terminal Server\WinStations";
    let mut expired = data(
        System,
        stations,
        "SelfSignedCertificate",
        binary(thumbprint(&ended)),
    );
    expired.push(Break::Data(Software, key, "Blob", blob(&ended, 0)));
    let mut pinned = data(
        System,
        LISTENER,
        "SSLCertificateSHA1Hash",
        binary(vec![7; 20]),
    );
    pinned.extend(policy(r"Microsoft\SystemCertificates\MY", "x", 1));
    vec![
        ("remote-desktop-certificate", expired),
        ("remote-desktop-pinned-certificate", pinned),
    ]
}

fn boot() -> Cases {
    let [system, software] = ["SYSTEM", "SOFTWARE"].map(|name| format!("{CONFIG}/{name}"));
    let subsystems = format!(r"{SET}\Control\Session Manager\SubSystems");
    let class = r"Control\Class\{4d36e967-e325-11ce-bfc1-08002be10318}";
    let filters = ValueData::list(&["volmgr".to_owned()]);
    let no_hive = || b"no hive".to_vec();
    let (setup, select) = ("Setup".to_owned(), "Select".to_owned());
    vec![
        ("safe-mode", vec![Break::SafeMode]),
        (
            "control-set-missing",
            vec![Break::Number(System, select, "Default", 7)],
        ),
        (
            "system-hive-damaged",
            vec![Break::File(system.clone(), no_hive()), regback(System)],
        ),
        (
            "software-hive-damaged",
            vec![Break::File(software.clone(), no_hive()), regback(Software)],
        ),
        (
            "system-hive-empty",
            vec![Break::File(system.clone(), Vec::new()), regback(System)],
        ),
        (
            "software-hive-empty",
            vec![Break::File(software.clone(), Vec::new()), regback(Software)],
        ),
        ("system-hive-missing", vec![Break::NoFile(system)]),
        ("software-hive-missing", vec![Break::NoFile(software)]),
        (
            "setup-left-on",
            vec![Break::Number(System, setup, "SetupType", 2)],
        ),
        (
            "subsystem-missing",
            vec![Break::NoValue(System, subsystems.clone(), "Windows")],
        ),
        (
            "subsystem-missing",
            vec![Break::NoValue(System, subsystems, "Required")],
        ),
        (
            "subsystem-missing",
            data(
                System,
                r"Control\Session Manager\SubSystems",
                "Windows",
                ValueData::text(
                    ValueType::EXPAND_SZ,
                    r"C:\Temp\a.exe SharedSection=1024,20480,768",
                ),
            ),
        ),
        (
            "disk-filter-lost",
            data(System, class, "UpperFilters", filters),
        ),
    ]
}

fn boot_store() -> Cases {
    let made = |store: Maker| vec![Break::File(BIOS.to_owned(), store.bytes())];
    let text = |text: &str| ElementValue::String(text.to_owned());
    let winload = r"\Windows\system32\winload.exe";
    let recovery = bios()
        .loader(RECOVERY, winload, r"\Windows")
        .set(RECOVERY, ElementId::WINPE, ElementValue::Boolean(true))
        .set(BOOTMGR, ElementId::DEFAULT, ElementValue::Object(RECOVERY));
    let path = ElementId::APPLICATION_PATH;
    vec![
        (
            "boot-manager-missing",
            vec![Break::NoFile("bootmgr".to_owned())],
        ),
        (
            "boot-default-dangling",
            made(bios().set(BOOTMGR, ElementId::DEFAULT, ElementValue::Object(SECOND))),
        ),
        ("boot-default-missing", made(bios().without_default())),
        ("boot-default-recovery", made(recovery)),
        (
            "boot-loader-other-firmware",
            made(bios().set(LOADER, path, text(r"\Windows\system32\winload.efi"))),
        ),
        (
            "boot-loader-missing",
            vec![
                Break::NoFile("Windows/System32/winload.exe".to_owned()),
                Break::File("Windows/System32/Boot/winload.exe".to_owned(), pe()),
            ],
        ),
        (
            "boot-additional-hive",
            made(bios().set(LOADER, ElementId::IMC_HIVE_NAME, text(r"\imc.hiv"))),
        ),
    ]
}

fn logon() -> Cases {
    let winlogon = r"Microsoft\Windows NT\CurrentVersion\Winlogon".to_owned();
    let card = format!(r"{SET}\Enum\VMBUS\{{f8615163-df3e-46c5-913f-f2d2f965ed0e}}\{{1}}");
    let right = |sid: &str, bits: u32| {
        let data = ValueData {
            value_type: ValueType::NONE,
            bytes: bits.to_le_bytes().to_vec(),
        };
        let key = format!(r"Policy\Accounts\{sid}\ActSysAc");
        Break::Data(HiveName::Security, key, "", data)
    };
    vec![
        (
            "firewall-loopback-value",
            data(
                System,
                r"Services\mpssvc\Parameters\AppCs",
                "DebugedLoopbackApps",
                ValueData::list(&[]),
            ),
        ),
        (
            "software-restriction",
            policy(
                r"Policies\Microsoft\Windows\Safer\CodeIdentifiers",
                "DefaultLevel",
                0,
            ),
        ),
        (
            "lm-level",
            number(r"Control\Lsa", "LmCompatibilityLevel", 6),
        ),
        (
            "shell-missing",
            vec![Break::NoValue(Software, winlogon.clone(), "Userinit")],
        ),
        ("shell-gone", {
            let shell = ValueData::text(ValueType::SZ, "kiosk.exe");
            let userinit = Break::File("Windows/System32/userinit.exe".to_owned(), b"MZ".to_vec());
            let mut breaks = whole().to_vec();
            breaks.extend([Break::Data(Software, winlogon, "Shell", shell), userinit]);
            breaks
        }),
        (
            "logon-denied",
            vec![right("S-1-5-32-544", 0x407), right("S-1-1-0", 0x802)],
        ),
        (
            "logon-right-lost",
            vec![
                right("S-1-5-32-544", 0x7),
                right("S-1-5-32-555", 0),
                Break::Data(
                    Software,
                    r"Microsoft\Windows NT\CurrentVersion".to_owned(),
                    "CurrentBuildNumber",
                    ValueData::text(ValueType::SZ, "20348"),
                ),
            ],
        ),
        (
            "firewall-rules-damaged",
            number(
                r"Services\SharedAccess\Parameters\FirewallPolicy\FirewallRules",
                "Broken",
                1,
            ),
        ),
        (
            "network-card-disabled",
            vec![
                Break::Number(System, card.clone(), "ConfigFlags", 1),
                Break::Data(
                    System,
                    card,
                    "ClassGUID",
                    ValueData::text(ValueType::SZ, "{4d36e972-e325-11ce-bfc1-08002be10318}"),
                ),
            ],
        ),
    ]
}
