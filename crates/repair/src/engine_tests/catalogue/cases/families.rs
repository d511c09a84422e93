//! Recipes for what is left of another network, another platform, or an earlier repair.

use diskmend_bcd::{ElementValue, ObjectType, elements};
use diskmend_hive::ValueType;

use super::listener::{in_azure, on_own_host};
use super::{Cases, build, data, drive, number};
use crate::engine_tests::boot_fixture::{BIOS, LOADER, bios};
use crate::engine_tests::catalogue::Case;
use crate::engine_tests::diagnosis::disk::{Break, whole};
use crate::engine_tests::evidence::firewall::RULES;
use crate::place::HiveName::{Software, System};
use crate::testing::evtx::{Closed, LogWriter, Record};
use crate::value_data::ValueData;

const LSA: &str = r"Control\Lsa";
const CRASH: &str = r"Control\CrashControl";
const SCM: &str = "Service Control Manager";

const INTERFACE: &str =
    r"Services\Tcpip\Parameters\Interfaces\{11111111-2222-3333-4444-555555555555}";

fn text(text: &str) -> ValueData {
    ValueData::text(ValueType::SZ, text)
}

fn start(service: &str, start: u32) -> Break {
    number(&format!(r"Services\{service}"), "Start", start)
}

/// A rule of the firewall that is switched off.
fn rule(name: &'static str, rest: &str) -> Break {
    let rule = format!("v2.27|Action=Allow|Active=FALSE|Dir=In|{rest}|");
    Break::Data(System, RULES.to_owned(), name, text(&rule))
}

/// A service that uses this account, which has lost its password.
fn account(service: &str, account: &str) -> Vec<Break> {
    vec![data(
        &format!(r"Services\{service}"),
        "ObjectName",
        text(account),
    )]
}

/// What Windows logs if a service can't sign in, on the day after the hives were written.
fn refused(service: &str) -> Break {
    let record = Record::new(SCM, 7038, "2024-01-02T00:00:00Z").source(SCM);
    let record = record.field("param1", service);
    let record = record.field("param2", r"CORP\admin").service(service);
    let mut log = LogWriter::new("System");
    log.add(&record);
    let path = "Windows/System32/winevt/Logs/System.evtx".to_owned();
    Break::File(path, log.finish(Closed::Dirty(1)))
}

pub(in super::super) fn families() -> Cases {
    [network(), machine(), reports()]
        .into_iter()
        .flatten()
        .collect()
}

fn network() -> Cases {
    let routes = r"Services\Tcpip\Parameters\PersistentRoutes";
    let ping =
        "Protocol=1|ICMP4=8:*|Name=@FirewallAPI.dll,-28543|EmbedCtxt=@FirewallAPI.dll,-28502";
    let ping6 =
        "Protocol=58|ICMP6=128:*|Name=@FirewallAPI.dll,-28545|EmbedCtxt=@FirewallAPI.dll,-28502";
    let file_shares = "Protocol=6|LPort=445|App=System|Name=@FirewallAPI.dll,-28511|EmbedCtxt=@FirewallAPI.dll,-28502";
    let remote = "Protocol=6|LPort=5985|App=System|Name=@FirewallAPI.dll,-30253";
    vec![
        Case::other(
            "persistent-route",
            vec![
                data(routes, "0.0.0.0,0.0.0.0,192.168.1.1,-1", text("")),
                data(routes, "10.0.0.0,255.0.0.0,10.0.0.1,1", text("")),
                data(INTERFACE, "DhcpIPAddress", text("10.0.0.4")),
                data(INTERFACE, "DhcpSubnetMask", text("255.255.255.0")),
            ],
            &[
                "0.0.0.0,0.0.0.0,192.168.1.1,-1",
                "10.0.0.0,255.0.0.0,10.0.0.1,1",
            ],
        ),
        // The other rules of the group open ports.
        Case::other(
            "firewall-ping",
            vec![
                rule("FPS-ICMP4-ERQ-In", ping),
                rule("FPS-ICMP6-ERQ-In", ping6),
                rule("FPS-SMB-In-TCP", file_shares),
            ],
            &["FPS-ICMP4-ERQ-In", "FPS-ICMP6-ERQ-In"],
        ),
        Case::broken(
            "net-binding-orphan",
            network_filter(),
            &[
                r"{22222222-2222-3333-4444-555555555555}\",
                r"vpnfilt\Start",
                r"vpnfilt\Linkage\Bind",
            ],
        ),
        Case::other(
            "winrm-on",
            vec![
                start("WinRM", 3),
                rule(
                    "WINRM-HTTP-In-TCP",
                    &format!("{remote}|EmbedCtxt=@FirewallAPI.dll,-30267"),
                ),
                rule(
                    "WINRM-HTTP-In-TCP-NoScope",
                    &format!("{remote}|EmbedCtxt=@FirewallAPI.dll,-30252"),
                ),
            ],
            &[
                r"WinRM\Start",
                "WINRM-HTTP-In-TCP",
                "WINRM-HTTP-In-TCP-NoScope",
            ],
        ),
    ]
}

fn machine() -> Cases {
    let recovery = elements::by_name("recoveryenabled", ObjectType::LOADER).expect("known");
    let policy = elements::by_name("bootstatuspolicy", ObjectType::LOADER).expect("known");
    let store = bios()
        .set(LOADER, recovery, ElementValue::Boolean(false))
        .set(LOADER, policy, ElementValue::Integer(1));
    vec![
        Case::other(
            "crash-dump-dedicated",
            vec![number(CRASH, "AutoReboot", 0)],
            &["DedicatedDumpFile", "AlwaysKeepMemoryDump"],
        ),
        Case::broken(
            "crash-dump-dedicated",
            vec![
                data(
                    CRASH,
                    "DedicatedDumpFile",
                    ValueData::text(ValueType::SZ, r"D:\dd.sys"),
                ),
                drive(r"\DosDevices\C:"),
            ],
            &["DedicatedDumpFile"],
        )
        .and(&["AlwaysKeepMemoryDump"]),
        Case::other("driver-thirdparty-off", drivers(), &[r"avboot\Start"]),
        Case::other(
            "profile-bak",
            profile(),
            &[
                r"S-1-5-21-1\ProfileImagePath",
                r"S-1-5-21-1\State",
                r"S-1-5-21-1.bak\ProfileImagePath",
                r"S-1-5-21-1.bak\State",
            ],
        ),
        Case::other(
            "program-data",
            vec![Break::Data(
                Software,
                r"Microsoft\Windows NT\CurrentVersion\ProfileList".to_owned(),
                "ProgramData",
                ValueData::text(ValueType::EXPAND_SZ, r"D:\ProgramData"),
            )],
            &["ProgramData"],
        ),
        Case::other(
            "boot-recovery-on",
            vec![Break::File(BIOS.to_owned(), store.bytes())],
            &["{default} recoveryenabled", "{default} bootstatuspolicy"],
        ),
        Case::other(
            "vmware-tools-off",
            vec![start("VMTools", 2), start("VGAuthService", 2)],
            &[r"VMTools\Start", r"VGAuthService\Start"],
        ),
        Case::other(
            "vmware-tools-on",
            vec![start("VMTools", 4), start("VGAuthService", 3)],
            &[r"VMTools\Start"],
        ),
        Case::broken(
            "vmbus-acpi",
            [vec![build("9600")], in_azure(), old_bus()].concat(),
            &[r"ACPI\MSFT1000\", r"ACPI\MSFT1002\"],
        ),
        // A host of one's own may have the old names.
        Case::other(
            "vmbus-acpi",
            [vec![build("9200")], on_own_host(), old_bus()].concat(),
            &[r"ACPI\MSFT1000\", r"ACPI\MSFT1002\"],
        ),
        Case::other(
            "netvsc-driver",
            [netvsc("10.0.15063.0"), in_azure()].concat(),
            &[],
        ),
        Case::other(
            "virtio-drivers",
            vec![build("7601"), start("viostor", 0)],
            &[
                r"pci#ven_1af4&dev_1001\Service",
                r"pci#ven_1af4&dev_1001\ClassGUID",
                r"pci#ven_1af4&dev_1042\Service",
                r"pci#ven_1af4&dev_1042\ClassGUID",
            ],
        ),
        Case::other(
            "virtio-drivers",
            vec![
                start("viostor", 3),
                number(r"Services\viostor\StartOverride", "0", 3),
                start("vioscsi", 4),
                start("netkvm", 4),
            ],
            &[
                r"viostor\Start",
                r"viostor\StartOverride\0",
                r"vioscsi\Start",
                r"netkvm\Start",
            ],
        ),
        Case::broken(
            "service-account",
            [
                account("TermService", r"CORP\admin"),
                // As Windows spells it elsewhere.
                account("Dhcp", r"NT AUTHORITY\LocalService"),
                vec![refused("TermService")],
            ]
            .concat(),
            &[r"TermService\ObjectName"],
        ),
        // Nobody was refused, so the account works.
        Case::other(
            "service-account",
            account("TermService", r"CORP\admin"),
            &[r"TermService\ObjectName"],
        ),
        // Another service was refused, of which the recipe knows nothing.
        Case::other(
            "service-account",
            [
                account("TermService", r"CORP\admin"),
                vec![refused("Backup")],
            ]
            .concat(),
            &[r"TermService\ObjectName"],
        ),
    ]
}

/// A mandatory filter of the network that a VPN left behind.
fn network_filter() -> Vec<Break> {
    let part = r"Control\Network\{4D36E974-E325-11CE-BFC1-08002BE10318}\{22222222-2222-3333-4444-555555555555}";
    let mut breaks = vec![
        data(part, "ComponentId", text("vendor_vpn")),
        data(&format!(r"{part}\Ndi"), "Service", text("vpnfilt")),
        number(&format!(r"{part}\Ndi"), "FilterRunType", 1),
        start("vpnfilt", 1),
        number(r"Services\vpnfilt", "Type", 1),
        data(r"Services\vpnfilt\Linkage", "Bind", text(r"\Device\{2}")),
    ];
    breaks.extend(whole());
    breaks
}

/// What Windows knows about the bus of Hyper-V under its old names.
fn old_bus() -> Vec<Break> {
    let driver = r"{4d36e97d-e325-11ce-bfc1-08002be10318}\0001";
    vec![
        data(r"Enum\ACPI\VMBus\0", "Driver", text(driver)),
        number(r"Enum\ACPI\VMBus\0", "ConfigFlags", 0),
        number(r"Enum\ACPI\VMBus\0\Device Parameters", "Own", 7),
        data(
            r"Enum\ACPI\Hyper_V_Gen_Counter_V1\1",
            "Service",
            text("gencounter"),
        ),
    ]
}

/// The driver of Hyper-V's network card in this version.
fn netvsc(version: &str) -> Vec<Break> {
    let class = r"Control\Class\{4d36e972-e325-11ce-bfc1-08002be10318}\0003";
    let device = r"VMBUS\{F8615163-DF3E-46c5-913F-F2D2F965ED0E}";
    vec![
        data(class, "DriverVersion", text(version)),
        data(class, "MatchingDeviceId", text(device)),
    ]
}

/// A user who got a temporary profile.
pub(in crate::engine_tests) fn profile() -> Vec<Break> {
    let key = |end| format!(r"Microsoft\Windows NT\CurrentVersion\ProfileList\S-1-5-21-1{end}");
    let folder = |end, path| Break::Data(Software, key(end), "ProfileImagePath", text(path));
    vec![
        folder("", r"C:\Users\TEMP"),
        folder(".bak", r"C:\Users\admin"),
        Break::Number(Software, key(""), "State", 0x204),
        Break::Number(Software, key(".bak"), "State", 0x8000),
        Break::File("Users/admin/NTUSER.DAT".to_owned(), b"regf".to_vec()),
    ]
}

/// Drivers of other makers: of a virus scanner, a filter of disks, one for a disk, and one of a
/// hypervisor. And one of Windows itself.
fn drivers() -> Vec<Break> {
    let class = r"Control\Class\{4d36e967-e325-11ce-bfc1-08002be10318}";
    let filters = ["partmgr", "AVDisk"].map(str::to_owned);
    let mut breaks = vec![data(class, "UpperFilters", ValueData::list(&filters))];
    for (name, group) in [
        ("avboot", "FSFilter Anti-Virus"),
        ("avdisk", "FSFilter Anti-Virus"),
        ("hba", "SCSI Miniport"),
        ("xenvif", ""),
        ("own", ""),
    ] {
        let key = format!(r"Services\{name}");
        let path = format!(r"system32\drivers\{name}.sys");
        breaks.push(number(&key, "Type", 1));
        breaks.push(number(&key, "Start", 0));
        breaks.push(data(&key, "Group", text(group)));
        breaks.push(data(&key, "ImagePath", text(&path)));
    }
    for driver in ["disk", "ntfs", "own"] {
        let path = format!("Windows/WinSxS/amd64_{driver}_1/{driver}.sys");
        breaks.push(Break::File(path, b"MZ".to_vec()));
    }
    for driver in ["avboot", "avdisk", "hba", "xenvif", "own"] {
        let path = format!("Windows/System32/drivers/{driver}.sys");
        breaks.push(Break::File(path, b"MZ".to_vec()));
    }
    breaks
}

fn reports() -> Cases {
    vec![Case::other(
        "logon-report",
        vec![
            number(&format!(r"{LSA}\FipsAlgorithmPolicy"), "Enabled", 1),
            number(LSA, "LmCompatibilityLevel", 5),
            number(r"Services\TermService", "Type", 16),
            number(&format!(r"{LSA}\MSV1_0"), "RestrictReceivingNTLMTraffic", 1),
            number(&format!(r"{LSA}\MSV1_0"), "RestrictSendingNTLMTraffic", 2),
            Break::Number(
                Software,
                r"Microsoft\Windows\CurrentVersion\Policies\System\CredSSP\Parameters".to_owned(),
                "AllowEncryptionOracle",
                0,
            ),
        ],
        &[],
    )]
}
