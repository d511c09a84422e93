//! Healthy disks have no fault.

use std::path::PathBuf;

use diskmend_disk::testing::FaultyDisk;
use diskmend_hive::ValueType;

use super::diagnose;
use super::disk::{Break, CONFIG, SET, disk};
use crate::place::HiveName::System;
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

/// What other programs repair although Windows works with it (measured on healthy machines).
#[test]
fn what_is_usual_is_no_fault() {
    let number =
        |key: &str, name, number| Break::Number(System, format!(r"{SET}\{key}"), name, number);
    let data = |key: &str, name, data| Break::Data(System, format!(r"{SET}\{key}"), name, data);
    let workstation = data(
        r"Control\ProductOptions",
        "ProductType",
        ValueData::text(ValueType::SZ, "WinNT"),
    );
    let no_agent = Break::NoKey(System, format!(r"{SET}\Services\RdAgent"));
    let session = r"Control\Session Manager";
    let one_nul = ValueData {
        value_type: ValueType::MULTI_SZ,
        bytes: diskmend_base::utf16::encode_terminated("autocheck autochk *"),
    };
    let interface = r"Services\Tcpip\Parameters\Interfaces\{11111111-2222-3333-4444-555555555555}";
    let class = r"Control\Class\{4d36e967-e325-11ce-bfc1-08002be10318}";
    let renames = ValueData::list(&[r"\??\C:\Windows\Temp\a".to_owned()]);
    let cases = [
        (
            "a client with Remote Desktop off",
            vec![
                workstation,
                no_agent,
                number(r"Control\Terminal Server", "fDenyTSConnections", 1),
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
            ],
        ),
        (
            "a vendor's filter",
            vec![
                number(r"Services\EhStorClass", "Start", 0),
                number(r"Services\stdcfltn", "Start", 0),
                data(
                    class,
                    "LowerFilters",
                    ValueData::list(&["EhStorClass".to_owned(), "stdcfltn".to_owned()]),
                ),
            ],
        ),
        ("static addresses", vec![number(interface, "EnableDHCP", 0)]),
        (
            "pending renames",
            vec![data(session, "PendingFileRenameOperations", renames)],
        ),
        (
            "a list that ends with one NUL",
            vec![data(session, "BootExecute", one_nul)],
        ),
        (
            "file systems of XP",
            vec![number(r"Services\Ntfs", "Start", 4)],
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
            "a page file that the system manages",
            vec![data(
                r"Control\Session Manager\Memory Management",
                "PagingFiles",
                ValueData::list(&[r"?:\pagefile.sys".to_owned()]),
            )],
        ),
        (
            "what Windows logs now and then",
            super::event_cases::usual(),
        ),
        (
            "logs of transactions",
            vec![Break::File(format!("{CONFIG}/TxR/a.TxR.blf"), vec![0])],
        ),
    ];
    for (what, breaks) in cases {
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
