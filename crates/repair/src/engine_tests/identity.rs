//! What `inspect` says about the Windows itself: from generated hives, whole, hostile and missing.

use super::boot_fixture::hive;
use super::support::{BUNDLE, site, volume, with_watch};
use crate::documents::InspectReport;
use crate::error::Error;
use crate::facts::{Agent, Membership, Platform, ServiceStart, WindowsIdentity};
use crate::inspect::inspect_site;
use crate::recipe::Catalogue;
use crate::site::Options;
use crate::value_data::ValueData;
use diskmend_base::utf16;
use diskmend_disk::testing::FaultyDisk;
use diskmend_hive::{EditError, Editor, ValueType};

const CONFIG: &str = "Windows/System32/config";
const VERSION: &str = r"Microsoft\Windows NT\CurrentVersion";
const GUID: &str = "{4c4c4544-0042-3210-804d-000000000001}";
/// 2024-01-01 00:00 UTC, as FILETIME and since 1970.
const NEW_YEAR: (u64, u32) = (133_485_408_000_000_000, 1_704_067_200);

fn put(
    editor: &mut Editor,
    key: &str,
    name: &str,
    value_type: ValueType,
    bytes: &[u8],
) -> Result<(), EditError> {
    editor.create_key(key)?;
    editor.set_value(key, name, value_type, bytes)?;
    Ok(())
}

fn text(editor: &mut Editor, key: &str, name: &str, text: &str) -> Result<(), EditError> {
    let data = ValueData::text(ValueType::SZ, text);
    put(editor, key, name, data.value_type, &data.bytes)
}

fn number(editor: &mut Editor, key: &str, name: &str, number: u32) -> Result<(), EditError> {
    put(editor, key, name, ValueType::DWORD, &number.to_le_bytes())
}

/// A SYSTEM hive with two control sets; the second is the current one.
fn system(editor: &mut Editor) -> Result<(), EditError> {
    number(editor, "Select", "Current", 2)?;
    let computer = r"Control\ComputerName\ComputerName";
    for (set, name) in [("ControlSet001", "OLD"), ("ControlSet002", "VM1")] {
        text(editor, &format!(r"{set}\{computer}"), "ComputerName", name)?;
    }
    let zone = r"ControlSet002\Control\TimeZoneInformation";
    text(editor, zone, "StandardName", "@tzres.dll,-322")?;
    // Windows leaves the rest of its buffer after the NUL, also what is no text.
    let mut name = utf16::encode_terminated("W. Europe Standard Time");
    name.extend([0x00, 0xd8, 0x41, 0x00, 0x00, 0xdc]);
    put(editor, zone, "TimeZoneKeyName", ValueType::SZ, &name)?;
    let windows = r"ControlSet002\Control\Windows";
    let time = NEW_YEAR.0.to_le_bytes();
    put(editor, windows, "ShutdownTime", ValueType::BINARY, &time)?;
    let lab = "16299.rs3_release.170928-1534";
    text(editor, windows, "ShutdownStopTimePerfCounterBuildLab", lab)?;
    text(editor, "HardwareConfig", "LastConfig", GUID)?;
    let machine = format!(r"HardwareConfig\{GUID}");
    let maker = "Microsoft Corporation";
    text(editor, &machine, "SystemManufacturer", maker)?;
    text(editor, &machine, "SystemProductName", "Virtual Machine")?;
    let used = (NEW_YEAR.0 + 600_000_000).to_le_bytes();
    put(editor, &machine, "LastUse", ValueType::BINARY, &used)?;
    let services = r"ControlSet002\Services";
    number(editor, &format!(r"{services}\RdAgent"), "Start", 2)?;
    let guest = format!(r"{services}\WindowsAzureGuestAgent");
    number(editor, &guest, "Start", 4)?;
    number(editor, &format!(r"{services}\TermService"), "Start", 3)?;
    // This one is in the other control set only.
    editor.create_key(r"ControlSet001\Services\GCEAgent")?;
    Ok(())
}

fn software(editor: &mut Editor) -> Result<(), EditError> {
    let servicing = r"Microsoft\Windows\CurrentVersion\Component Based Servicing";
    editor.create_key(&format!(r"{servicing}\RebootPending"))?;
    text(editor, VERSION, "ProductName", "Windows 10 Pro")?;
    text(editor, VERSION, "EditionID", "Professional")?;
    text(editor, VERSION, "CurrentBuildNumber", "22631")?;
    number(editor, VERSION, "UBR", 4317)?;
    number(editor, VERSION, "InstallDate", NEW_YEAR.1 - 60)?;
    let time = NEW_YEAR.0.to_le_bytes();
    put(editor, VERSION, "InstallTime", ValueType::QWORD, &time)
}

/// A name as the local security authority stores it.
pub(super) fn lsa(name: &str) -> Vec<u8> {
    let text = utf16::encode(name);
    let len = u16::try_from(text.len()).expect("short").to_le_bytes();
    [&len[..], &len, &8_u32.to_le_bytes(), &text].concat()
}

fn security(editor: &mut Editor, sid: &[u8], dns: &str) -> Result<(), EditError> {
    let none = ValueType::NONE;
    put(editor, r"Policy\PolPrDmS", "", none, sid)?;
    put(editor, r"Policy\PolPrDmN", "", none, &lsa("CORP"))?;
    put(editor, r"Policy\PolDnDDN", "", none, &lsa(dns))
}

/// The SID S-1-5-21-1-2-3 of a domain.
pub(super) fn domain_sid() -> Vec<u8> {
    let numbers = [21_u32, 1, 2, 3].map(u32::to_le_bytes);
    [&[1, 4, 0, 0, 0, 0, 0, 5], numbers.as_flattened()].concat()
}

fn disk() -> FaultyDisk {
    let disk = FaultyDisk::new();
    disk.put(&format!("{CONFIG}/SYSTEM"), hive(system));
    disk.put(&format!("{CONFIG}/SOFTWARE"), hive(software));
    let security = hive(|editor| security(editor, &domain_sid(), "corp.example.org"));
    disk.put(&format!("{CONFIG}/SECURITY"), security);
    disk
}

fn inspect(disk: &FaultyDisk) -> Result<InspectReport, Error> {
    let catalogue = Catalogue::built_in().expect("valid");
    let recipes = catalogue.select(&BUNDLE).expect("known");
    let options = Options::default();
    with_watch(|watch| inspect_site(&site(disk), &recipes, &options, watch))
}

fn identity(disk: &FaultyDisk) -> WindowsIdentity {
    inspect(disk).expect("inspect").identity
}

#[test]
fn a_windows_says_what_it_is() {
    let new_year = "2024-01-01T00:00:00Z".to_owned();
    let agent = |service, start| Agent {
        service,
        start: Some(start),
    };
    let wanted = WindowsIdentity {
        product_name: Some("Windows 11 Pro".to_owned()),
        edition: Some("Professional".to_owned()),
        build: Some(22_631),
        ubr: Some(4317),
        computer_name: Some("VM1".to_owned()),
        membership: Some(Membership::Domain("corp.example.org".to_owned())),
        installed: Some(new_year.clone()),
        time_zone: Some("W. Europe Standard Time".to_owned()),
        last_shutdown: Some(new_year),
        last_boot: Some("2024-01-01T00:01:00Z".to_owned()),
        update_pending: true,
        last_boot_on: Some(Platform {
            manufacturer: Some("Microsoft Corporation".to_owned()),
            product: Some("Virtual Machine".to_owned()),
        }),
        control_sets: Some(2),
        agents: Some(vec![
            agent("RdAgent", ServiceStart::Automatic),
            agent("WindowsAzureGuestAgent", ServiceStart::Disabled),
        ]),
        volume: None,
        bitlocker: None,
        unread: Vec::new(),
    };
    assert_eq!(identity(&disk()), wanted);
}

#[test]
fn a_domain_without_a_dns_name_and_a_workgroup_are_told_apart() {
    for (sid, dns, wanted) in [
        (domain_sid(), "", Membership::Domain("CORP".to_owned())),
        (Vec::new(), "", Membership::Workgroup("CORP".to_owned())),
        (vec![0; 4], "x", Membership::Workgroup("CORP".to_owned())),
    ] {
        let disk = disk();
        let security = hive(|editor| security(editor, &sid, dns));
        disk.put(&format!("{CONFIG}/SECURITY"), security);
        assert_eq!(identity(&disk).membership, Some(wanted), "{sid:?}");
    }
}

/// A disk with the SYSTEM hive alone, such as a copy of it, is inspected as before.
#[test]
fn hives_that_are_missing_or_no_hives_are_no_findings() {
    let whole = inspect(&disk()).expect("inspect");
    let disk = disk();
    disk.put(&format!("{CONFIG}/SOFTWARE"), b"no hive".to_vec());
    disk.put(&format!("{CONFIG}/SECURITY"), b"no hive".to_vec());
    let found = inspect(&disk).expect("inspect");
    assert_eq!(found.has_findings(), whole.has_findings());
    assert_eq!(found.rows, whole.rows);
    assert!(found.skipped.is_empty(), "{:?}", found.skipped);
    let identity = found.identity;
    let unread: Vec<_> = identity.unread.iter().map(|unread| unread.hive).collect();
    assert_eq!(unread, ["SOFTWARE", "SECURITY"]);
    // The build that shut down last.
    assert_eq!((identity.build, identity.ubr), (Some(16_299), None));
    assert_eq!(identity.product_name, None);
    assert_eq!(identity.membership, None);
    assert_eq!(identity.computer_name.as_deref(), Some("VM1"));

    let alone = inspect(&volume("system-001")).expect("inspect").identity;
    let unread: Vec<_> = alone.unread.iter().map(|unread| &unread.reason).collect();
    assert_eq!(unread, ["Windows/System32/config/SOFTWARE: not found"]);
}

#[test]
fn values_of_a_wrong_type_or_length_are_ignored() {
    let disk = disk();
    let long = "x".repeat(257);
    let longer = "y".repeat(5000);
    let odd = hive(|editor| {
        system(editor)?;
        let set = r"ControlSet002\Control";
        let computer = format!(r"{set}\ComputerName\ComputerName");
        number(editor, &computer, "ComputerName", 1)?;
        let zone = format!(r"{set}\TimeZoneInformation");
        text(editor, &zone, "TimeZoneKeyName", &longer)?;
        let windows = format!(r"{set}\Windows");
        put(editor, &windows, "ShutdownTime", ValueType::BINARY, &[1; 7])?;
        let lab = "ShutdownStopTimePerfCounterBuildLab";
        text(editor, &windows, lab, "rs3.16299")?;
        text(editor, "HardwareConfig", "LastConfig", r"..\Select")?;
        let guest = r"ControlSet002\Services\WindowsAzureGuestAgent";
        text(editor, guest, "Start", "4")
    });
    disk.put(&format!("{CONFIG}/SYSTEM"), odd);
    let odd = hive(|editor| {
        let data = ValueData::list(&["Windows".to_owned()]);
        let list = ValueType::MULTI_SZ;
        put(editor, VERSION, "ProductName", list, &data.bytes)?;
        text(editor, VERSION, "EditionID", &long)?;
        text(editor, VERSION, "CurrentBuildNumber", "a lot")?;
        text(editor, VERSION, "UBR", "4317")?;
        number(editor, VERSION, "InstallDate", 0)?;
        let never = u64::MAX.to_le_bytes();
        put(editor, VERSION, "InstallTime", ValueType::QWORD, &never)
    });
    disk.put(&format!("{CONFIG}/SOFTWARE"), odd);
    let found = identity(&disk);
    let agents = found.agents.clone().expect("known");
    assert_eq!(
        agents.iter().map(|agent| agent.start).next_back(),
        Some(None)
    );
    let wanted = WindowsIdentity {
        control_sets: Some(2),
        agents: Some(agents),
        membership: found.membership.clone(),
        ..WindowsIdentity::default()
    };
    assert_eq!(found, wanted);
}

/// A file in the place of SECURITY, as long as a disk, costs nothing.
#[test]
fn a_security_hive_of_impossible_length_is_not_read() {
    let disk = disk();
    let path = format!("{CONFIG}/SECURITY");
    disk.put(&path, vec![0; (16 << 20) + 1]);
    let found = identity(&disk);
    let reasons: Vec<_> = found.unread.iter().map(|unread| &unread.reason).collect();
    assert_eq!(reasons.len(), 1);
    assert!(reasons[0].contains("16777217 bytes"), "{reasons:?}");
}
