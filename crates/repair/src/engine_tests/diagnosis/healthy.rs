//! Healthy disks have no fault.

use std::path::PathBuf;

use diskmend_base::hex;
use diskmend_disk::testing::FaultyDisk;
use diskmend_hive::ValueType;

use super::super::evidence::certificates::{FUTURE, STORE, binary, blob, certificate, thumbprint};
use super::super::evidence::firewall::{ID, RULES, rule};
use super::diagnose;
use super::disk::{Break, CONFIG, SET, disk};
use crate::place::HiveName::{Software, System};
use crate::value_data::ValueData;

fn has_no_fault(disk: &FaultyDisk, what: &str) {
    let found = diagnose(disk);
    let causes: Vec<_> = found.causes.iter().map(|cause| &cause.name).collect();
    assert!(causes.is_empty(), "{what}: {causes:?}");
    assert!(!found.has_faults(), "{what}");
}

#[test]
fn the_healthy_server_has_no_fault() {
    has_no_fault(&disk(&[]), "the healthy server");
}

/// What other programs repair although Windows works with it (measured on healthy machines): the
/// disks, each with what differs from the healthy server.
pub(in crate::engine_tests) fn usual() -> Vec<(&'static str, Vec<Break>)> {
    let number =
        |key: &str, name, number| Break::Number(System, format!(r"{SET}\{key}"), name, number);
    let data = |key: &str, name, data| Break::Data(System, format!(r"{SET}\{key}"), name, data);
    let text = |text: &str| ValueData::text(ValueType::SZ, text);
    let list = |names: &[&str]| {
        let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
        ValueData::list(&names)
    };
    let workstation = || data(r"Control\ProductOptions", "ProductType", text("WinNT"));
    let no_agent = || Break::NoKey(System, format!(r"{SET}\Services\RdAgent"));
    let session = r"Control\Session Manager";
    let one_nul = ValueData {
        value_type: ValueType::MULTI_SZ,
        bytes: diskmend_base::utf16::encode_terminated("autocheck autochk *"),
    };
    let interface = r"Services\Tcpip\Parameters\Interfaces\{11111111-2222-3333-4444-555555555555}";
    let disk_class = r"Control\Class\{4d36e967-e325-11ce-bfc1-08002be10318}";
    let volume_class = r"Control\Class\{71a27cdd-812a-11d0-bec7-08002be2092f}";
    let mcafee = r"Control\Network\{4D36E974-E325-11CE-BFC1-08002BE10318}\{22222222-2222-3333-4444-555555555555}";
    let hyper_v = r"Control\Network\{4D36E974-E325-11CE-BFC1-08002BE10318}\{33333333-2222-3333-4444-555555555555}";
    let netvsc = r"Control\Class\{4d36e972-e325-11ce-bfc1-08002be10318}\0001";
    let routes = r"Services\Tcpip\Parameters\PersistentRoutes";
    let der = certificate(FUTURE);
    let thumbprint = thumbprint(&der);
    let own_certificate = format!(r"{STORE}\{}", hex::encode(&thumbprint).to_uppercase());
    vec![
        (
            "a client with Remote Desktop off",
            vec![
                workstation(),
                no_agent(),
                number(r"Control\Terminal Server", "fDenyTSConnections", 1),
                Break::Data(System, RULES.to_owned(), ID, rule("FALSE", "3389", "")),
            ],
        ),
        (
            "RemoteRegistry",
            vec![number(r"Services\RemoteRegistry", "Start", 4)],
        ),
        (
            "drivers of another platform",
            vec![
                number(r"Services\storvsc", "Start", 0),
                number(r"Services\storvsc\StartOverride", "0", 3),
                number(r"Services\vmbus", "Start", 0),
                number(r"Services\vmbus\StartOverride", "0", 3),
            ],
        ),
        (
            "a vendor's filter",
            vec![
                number(r"Services\EhStorClass", "Start", 0),
                number(r"Services\stdcfltn", "Start", 0),
                data(
                    disk_class,
                    "LowerFilters",
                    list(&["EhStorClass", "stdcfltn"]),
                ),
            ],
        ),
        (
            "a member of a domain with static addresses and filters of a virus scanner",
            vec![
                workstation(),
                no_agent(),
                data(r"Services\Tcpip\Parameters", "Domain", text("corp.example")),
                number(interface, "EnableDHCP", 0),
                data(interface, "IPAddress", list(&["10.0.0.4"])),
                data(interface, "SubnetMask", list(&["255.255.255.0"])),
                data(interface, "DefaultGateway", list(&["10.0.0.1"])),
                data(interface, "NameServer", text("10.0.0.2")),
                number(r"Services\mfe_ndisfilt", "Start", 1),
                data(mcafee, "ComponentId", text("mfe_ndisfilt")),
                data(&format!(r"{mcafee}\Ndi"), "Service", text("mfe_ndisfilt")),
                number(&format!(r"{mcafee}\Ndi"), "FilterRunType", 2),
            ],
        ),
        (
            "parts of Hyper-V without its drivers",
            vec![
                data(hyper_v, "ComponentId", text("vms_pp")),
                data(&format!(r"{hyper_v}\Ndi"), "Service", text("VMSP")),
                number(&format!(r"{hyper_v}\Ndi"), "FilterRunType", 1),
                data(mcafee, "ComponentId", text("netvsc_vfpp")),
                data(&format!(r"{mcafee}\Ndi"), "Service", text("netvsc")),
                number(&format!(r"{mcafee}\Ndi"), "FilterRunType", 1),
            ],
        ),
        (
            "an old host of Hyper-V with the first driver of its network card",
            vec![
                number(r"Enum\ACPI\VMBus\0", "ConfigFlags", 0),
                no_agent(),
                data(netvsc, "DriverVersion", text("10.0.15063.0")),
                data(
                    netvsc,
                    "MatchingDeviceId",
                    text(r"vmbus\{f8615163-df3e-46c5-913f-f2d2f965ed0e}"),
                ),
            ],
        ),
        (
            "a route to a network of the company",
            vec![
                no_agent(),
                data(interface, "IPAddress", list(&["10.0.0.4"])),
                data(interface, "SubnetMask", list(&["255.255.255.0"])),
                data(routes, "0.0.0.0,0.0.0.0,10.0.0.254,1", text("")),
                // To a VPN that is not up.
                data(routes, "172.16.0.0,255.240.0.0,192.168.99.1,1", text("")),
            ],
        ),
        (
            "pending renames",
            vec![data(
                session,
                "PendingFileRenameOperations",
                list(&[r"\??\C:\Windows\Temp\a", "", r"\??\C:\Windows\Temp\b"]),
            )],
        ),
        (
            "a list that ends with one NUL",
            vec![data(session, "BootExecute", one_nul)],
        ),
        (
            "file systems of XP, and its drivers without a path",
            vec![
                number(r"Services\Ntfs", "Start", 4),
                number(r"Services\Fastfat", "Start", 4),
                number(r"Services\Fs_Rec", "Start", 1),
                data(disk_class, "UpperFilters", list(&["PartMgr"])),
                data(volume_class, "UpperFilters", list(&["VolSnap"])),
            ],
        ),
        (
            "the disks of a server",
            vec![number(r"Services\partmgr\Parameters", "SanPolicy", 2)],
        ),
        (
            "SecurityLayer 1",
            vec![number(
                r"Control\Terminal Server\WinStations\RDP-Tcp",
                "SecurityLayer",
                1,
            )],
        ),
        (
            "TLS 1.0 off",
            vec![number(
                r"Control\SecurityProviders\SCHANNEL\Protocols\TLS 1.0\Server",
                "Enabled",
                0,
            )],
        ),
        (
            "a certificate that Remote Desktop has made",
            vec![
                Break::Data(Software, own_certificate, "Blob", blob(&der, 1)),
                Break::Data(
                    Software,
                    r"Microsoft\Cryptography".to_owned(),
                    "MachineGuid",
                    // The file of the key on the healthy server ends so.
                    text("a"),
                ),
                data(
                    r"Control\Terminal Server\WinStations",
                    "SelfSignedCertificate",
                    binary(thumbprint),
                ),
            ],
        ),
        (
            "CredSSP that refuses what is known to be unsafe",
            vec![Break::Number(
                Software,
                r"Microsoft\Windows\CurrentVersion\Policies\System\CredSSP\Parameters".to_owned(),
                "AllowEncryptionOracle",
                1,
            )],
        ),
        (
            "a page file that the system manages",
            vec![data(
                r"Control\Session Manager\Memory Management",
                "PagingFiles",
                list(&[r"?:\pagefile.sys"]),
            )],
        ),
        (
            "what Windows logs now and then",
            super::event_cases::usual(),
        ),
        (
            "a process with its list, and a service that restarts Windows by default",
            super::left_cases::usual(),
        ),
        (
            "a copy of some keys, and a service that depends on what it doesn't have",
            super::left_cases::part_of_services(),
        ),
        (
            "guesses at an account that nobody uses",
            super::event_cases::logs(&[super::logon_cases::refused_to(
                "Guest",
                "0xc000006e",
                "0xc0000072",
            )]),
        ),
        (
            "logs of transactions",
            vec![
                Break::File(format!("{CONFIG}/TxR/a.TxR.blf"), vec![0]),
                Break::File(
                    "Windows/System32/SMI/Store/Machine/a.regtrans-ms".to_owned(),
                    vec![0],
                ),
            ],
        ),
    ]
}

#[test]
fn what_is_usual_is_no_fault() {
    for (what, breaks) in usual() {
        has_no_fault(&disk(&breaks), what);
    }
}

/// Real SYSTEM hives of healthy machines.
#[test]
fn real_healthy_hives_have_no_fault() {
    let Some(corpus) = std::env::var_os("DISKMEND_CORPUS").map(PathBuf::from) else {
        println!("SKIPPED: DISKMEND_CORPUS names no folder of real hives");
        return;
    };
    for (path, logs) in [
        ("regipy/SYSTEM_B", &[".LOG1", ".LOG2"][..]),
        ("regipy/SYSTEM", &[]),
        ("winevt-kb/SYSTEM", &[]),
    ] {
        let disk = FaultyDisk::new();
        for end in ["", ".LOG1", ".LOG2"] {
            if end.is_empty() || logs.contains(&end) {
                let from = corpus.join("hives").join(format!("{path}{end}"));
                let bytes = std::fs::read(from).expect(path);
                disk.put(&format!("{CONFIG}/SYSTEM{end}"), bytes);
            }
        }
        has_no_fault(&disk, path);
    }
}
