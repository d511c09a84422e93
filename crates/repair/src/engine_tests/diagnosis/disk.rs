//! A healthy Windows Server on which a test breaks one thing.

use diskmend_bcd::{ElementId, ElementValue};
use diskmend_disk::testing::FaultyDisk;
use diskmend_hive::{EditError, Editor, ValueType};

use super::super::boot_fixture::{BIOS, LOADER, bios, hive};
use super::super::descriptors::{SOUND, bytes};
use super::super::evidence::firewall::{ID, RULES, rule};
use super::super::files_replaced::pe;
use crate::place::HiveName;
use crate::value_data::ValueData;

pub(in crate::engine_tests) const CONFIG: &str = "Windows/System32/config";
pub(in crate::engine_tests) const SET: &str = "ControlSet001";
const KEYS: &str = "ProgramData/Microsoft/Crypto/RSA/MachineKeys";
/// The key of Remote Desktop's certificate.
pub(in crate::engine_tests) const KEY: &str =
    "ProgramData/Microsoft/Crypto/RSA/MachineKeys/f686aace6942fb7f7ceb231212eef4a4_a";
/// The boot manager with a file beside its store, and the loaders.
const BOOT_FILES: [&str; 2] = ["bootmgr", "Boot/memtest.exe"];
const LOADERS: [&str; 2] = [
    "Windows/System32/winload.exe",
    "Windows/System32/winload.efi",
];
/// Services with the start types of a healthy server.
const SERVICES: [(&str, u32); 43] = [
    ("TermService", 3),
    ("UmRdpService", 3),
    ("SessionEnv", 3),
    ("gpsvc", 2),
    ("Dhcp", 2),
    ("nsi", 2),
    ("nsiproxy", 1),
    ("Tcpip", 0),
    ("AFD", 1),
    ("NDIS", 0),
    ("tdx", 1),
    ("Dnscache", 2),
    ("NlaSvc", 2),
    ("BFE", 2),
    ("mpssvc", 2),
    ("mpsdrv", 3),
    ("RpcSs", 2),
    ("RpcEptMapper", 2),
    ("DcomLaunch", 2),
    ("CryptSvc", 2),
    ("KeyIso", 3),
    ("SamSs", 2),
    ("LanmanServer", 2),
    ("LanmanWorkstation", 2),
    ("EventLog", 2),
    ("ProfSvc", 2),
    ("Power", 2),
    ("LSM", 2),
    ("UserManager", 2),
    ("BrokerInfrastructure", 2),
    ("SystemEventsBroker", 2),
    ("PlugPlay", 3),
    ("disk", 0),
    ("partmgr", 0),
    ("volmgr", 0),
    ("mountmgr", 0),
    ("volsnap", 0),
    ("pci", 0),
    ("FltMgr", 0),
    ("msrpc", 0),
    ("KSecDD", 0),
    ("RemoteRegistry", 4),
    ("RdAgent", 2),
];

/// Something that is broken.
#[derive(Clone)]
pub(in crate::engine_tests) enum Break {
    /// A `REG_DWORD`.
    Number(HiveName, String, &'static str, u32),
    /// Data of another type.
    Data(HiveName, String, &'static str, ValueData),
    /// A value that is deleted.
    NoValue(HiveName, String, &'static str),
    /// A key that is deleted.
    NoKey(HiveName, String),
    /// A file with other content.
    File(String, Vec<u8>),
    /// When a file was last changed.
    Modified(&'static str, &'static str),
    /// A file that is gone.
    NoFile(String),
    /// A loader that always starts safe mode.
    SafeMode,
    /// The permissions of a file.
    Permissions(&'static str, &'static str),
    /// The permissions of a key.
    KeyPermissions(HiveName, &'static str, &'static str),
}

/// The healthy server with these things broken.
pub(in crate::engine_tests) fn disk(breaks: &[Break]) -> FaultyDisk {
    let disk = FaultyDisk::new();
    let mut files = vec![
        (
            format!("{CONFIG}/SYSTEM"),
            hive(|editor| {
                system(editor)?;
                apply(editor, HiveName::System, breaks)
            }),
        ),
        (
            format!("{CONFIG}/SOFTWARE"),
            hive(|editor| {
                software(editor)?;
                apply(editor, HiveName::Software, breaks)
            }),
        ),
        ("Windows/System32/ntoskrnl.exe".to_owned(), b"MZ".to_vec()),
        (KEY.to_owned(), b"key".to_vec()),
    ];
    // The other hives exist if a test puts something into them.
    for name in [HiveName::Security, HiveName::Default, HiveName::Components] {
        let has_content =
            |one: &Break| matches!(one, Break::Number(of, ..) | Break::Data(of, ..) if *of == name);
        if breaks.iter().any(has_content) {
            let content = hive(|editor| apply(editor, name, breaks));
            files.push((format!("{CONFIG}/{}", name.file_name()), content));
        }
    }
    for path in BOOT_FILES {
        files.push((path.to_owned(), b"MZ".to_vec()));
    }
    files.extend(LOADERS.map(|path| (path.to_owned(), pe())));
    let safe_mode = breaks.iter().any(|one| matches!(one, Break::SafeMode));
    let store = if safe_mode {
        bios().set(LOADER, ElementId::SAFE_BOOT, ElementValue::Integer(1))
    } else {
        bios()
    };
    files.push((BIOS.to_owned(), store.bytes()));
    for one in breaks {
        match one {
            Break::File(path, content) => {
                files.retain(|(other, _)| other != path);
                files.push((path.clone(), content.clone()));
            }
            Break::NoFile(path) => files.retain(|(other, _)| other != path),
            _ => {}
        }
    }
    for (path, content) in files {
        disk.put(&path, content);
    }
    disk.secure(KEYS, bytes("O:SYG:SYD:PAI(A;;0x12019f;;;WD)(A;;FA;;;BA)"));
    disk.secure(KEY, bytes(SOUND));
    for one in breaks {
        match one {
            Break::Permissions(path, sddl) => disk.secure(path, bytes(sddl)),
            Break::Modified(path, time) => {
                let time: jiff::Timestamp = time.parse().expect("a time");
                let since = u64::try_from(time.as_second()).expect("after 1970");
                let since = std::time::Duration::from_secs(since);
                disk.set_modified(path, std::time::SystemTime::UNIX_EPOCH + since);
            }
            _ => {}
        }
    }
    disk
}

/// The hive of the healthy server, as Windows's own copy has it.
pub(super) fn copy_of(name: HiveName) -> Vec<u8> {
    hive(|editor| match name {
        HiveName::System => system(editor),
        _ => software(editor),
    })
}

fn apply(editor: &mut Editor, hive: HiveName, breaks: &[Break]) -> Result<(), EditError> {
    for one in breaks {
        match one {
            Break::Number(of, key, name, number) if *of == hive => {
                set(editor, key, name, &ValueData::dword(*number))?;
            }
            Break::Data(of, key, name, data) if *of == hive => set(editor, key, name, data)?,
            Break::NoValue(of, key, name) if *of == hive => {
                editor.delete_value(key, name)?;
            }
            Break::NoKey(of, key) if *of == hive => {
                editor.delete_key(key)?;
            }
            Break::KeyPermissions(of, key, sddl) if *of == hive => {
                editor.create_key(key)?;
                editor.set_descriptor(key, &bytes(sddl))?;
            }
            _ => {}
        }
    }
    Ok(())
}

pub(super) fn set(
    editor: &mut Editor,
    key: &str,
    name: &str,
    data: &ValueData,
) -> Result<(), EditError> {
    editor.create_key(key)?;
    editor.set_value(key, name, data.value_type, &data.bytes)?;
    Ok(())
}

fn system(editor: &mut Editor) -> Result<(), EditError> {
    for (name, number) in [
        ("Current", 1),
        ("Default", 1),
        ("Failed", 0),
        ("LastKnownGood", 1),
    ] {
        set(editor, "Select", name, &ValueData::dword(number))?;
    }
    let text = |text: &str| ValueData::text(ValueType::SZ, text);
    let expand = |text: &str| ValueData::text(ValueType::EXPAND_SZ, text);
    set(editor, "Setup", "SetupType", &ValueData::dword(0))?;
    set(editor, "Setup", "CmdLine", &text(""))?;
    for (service, start) in SERVICES {
        let key = format!(r"{SET}\Services\{service}");
        set(editor, &key, "Start", &ValueData::dword(start))?;
    }
    let stations = format!(r"{SET}\Control\Terminal Server\WinStations");
    for (name, number) in [
        ("PortNumber", 3389),
        ("SecurityLayer", 2),
        ("UserAuthentication", 1),
        ("MinEncryptionLevel", 2),
        ("fAllowSecProtocolNegotiation", 1),
        ("LanAdapter", 0),
        ("MaxInstanceCount", u32::MAX),
        ("fEnableWinStation", 1),
        ("fLogonDisabled", 0),
    ] {
        let key = format!(r"{stations}\RDP-Tcp");
        set(editor, &key, name, &ValueData::dword(number))?;
    }
    let firewall = format!(r"{SET}\Services\SharedAccess\Parameters\FirewallPolicy");
    for profile in ["DomainProfile", "StandardProfile", "PublicProfile"] {
        let key = format!(r"{firewall}\{profile}");
        set(editor, &key, "EnableFirewall", &ValueData::dword(1))?;
    }
    set(editor, RULES, ID, &rule("TRUE", "3389", ""))?;
    let filters = ValueData::list(&["partmgr".to_owned()]);
    for (key, name, data) in [
        (
            r"Control\Terminal Server",
            "fDenyTSConnections",
            ValueData::dword(0),
        ),
        (
            r"Control\Terminal Server\WinStations",
            "SelfSignedCertStore",
            text("Remote Desktop"),
        ),
        (
            r"Services\TermService\Parameters",
            "ServiceDll",
            expand(r"%SystemRoot%\System32\termsrv.dll"),
        ),
        (
            r"Services\mpssvc\Parameters\AppCs",
            "DebugedLoopbackApps",
            text(""),
        ),
        (r"Control\ProductOptions", "ProductType", text("ServerNT")),
        (
            r"Control\Session Manager\SubSystems",
            "Required",
            ValueData::list(&["Debug".to_owned(), "Windows".to_owned()]),
        ),
        (
            r"Control\Session Manager\SubSystems",
            "Optional",
            ValueData::list(&[]),
        ),
        (
            r"Control\Session Manager\SubSystems",
            "Kmode",
            expand(r"\SystemRoot\System32\win32k.sys"),
        ),
        (
            r"Control\Session Manager\SubSystems",
            "Windows",
            expand(r"%SystemRoot%\system32\csrss.exe ObjectDirectory=\Windows"),
        ),
        (
            r"Control\Class\{4d36e967-e325-11ce-bfc1-08002be10318}",
            "UpperFilters",
            filters,
        ),
        (r"Control\Lsa", "LimitBlankPasswordUse", ValueData::dword(1)),
    ] {
        set(editor, &format!(r"{SET}\{key}"), name, &data)?;
    }
    Ok(())
}

fn software(editor: &mut Editor) -> Result<(), EditError> {
    let text = |text: &str| ValueData::text(ValueType::SZ, text);
    let version = r"Microsoft\Windows NT\CurrentVersion";
    set(
        editor,
        version,
        "ProductName",
        &text("Windows Server 2019 Datacenter"),
    )?;
    set(editor, version, "CurrentBuildNumber", &text("17763"))?;
    set(editor, version, "SystemRoot", &text(r"C:\Windows"))?;
    let logon = format!(r"{version}\Winlogon");
    set(
        editor,
        &logon,
        "Userinit",
        &text(r"C:\Windows\system32\userinit.exe,"),
    )?;
    set(editor, &logon, "Shell", &text("explorer.exe"))
}

/// Files that make the disk a whole Windows volume.
pub(in crate::engine_tests) fn whole() -> [Break; 3] {
    [
        "Windows/System32/services.exe",
        "Windows/System32/drivers/disk.sys",
        "Windows/System32/drivers/partmgr.sys",
    ]
    .map(|path| Break::File(path.to_owned(), b"MZ".to_vec()))
}
