//! Recipes for services and drivers.

use diskmend_hive::ValueType;

use super::{Cases, number};
use crate::engine_tests::catalogue::Case;
use crate::engine_tests::diagnosis::disk::Break;
use crate::engine_tests::identity::{domain_sid, lsa};
use crate::place::HiveName::Security;
use crate::value_data::ValueData;

fn start(service: &str, start: u32) -> Break {
    number(&format!(r"Services\{service}"), "Start", start)
}

/// What a member of a domain says of itself.
fn in_a_domain() -> Vec<Break> {
    let value = |key: &str, bytes| {
        let data = ValueData {
            value_type: ValueType::NONE,
            bytes,
        };
        Break::Data(Security, key.to_owned(), "", data)
    };
    vec![
        value(r"Policy\PolPrDmS", domain_sid()),
        value(r"Policy\PolPrDmN", lsa("CORP")),
        value(r"Policy\PolDnDDN", lsa("corp.example.org")),
    ]
}

/// A service that Windows restarts for.
fn severe(service: &str, kind: u32) -> [Break; 2] {
    let key = format!(r"Services\{service}");
    [number(&key, "Type", kind), number(&key, "ErrorControl", 3)]
}

pub(in super::super) fn services() -> Cases {
    vec![
        Case::broken(
            "services-remote-desktop",
            vec![start("TermService", 4), start("SessionEnv", 2)],
            &[r"TermService\Start"],
        ),
        Case::broken(
            "services-network",
            vec![start("Dhcp", 4), start("tdx", 4)],
            &[r"Dhcp\Start", r"tdx\Start"],
        ),
        Case::broken(
            "services-network",
            [vec![start("Netlogon", 4)], in_a_domain()].concat(),
            &[r"Netlogon\Start"],
        ),
        // In a workgroup, or if nobody knows.
        Case::other(
            "services-network",
            vec![start("Netlogon", 4)],
            &[r"Netlogon\Start"],
        ),
        Case::broken(
            "services-firewall",
            vec![start("mpssvc", 4), start("BFE", 3)],
            &[r"mpssvc\Start"],
        ),
        Case::broken("services-logon", vec![start("gpsvc", 4)], &[r"gpsvc\Start"]),
        Case::broken(
            "services-system",
            vec![start("RpcSs", 4)],
            &[r"RpcSs\Start"],
        ),
        Case::broken(
            "boot-drivers",
            vec![start("volmgr", 4), start("disk", 3), start("FltMgr", 4)],
            &[r"volmgr\Start", r"FltMgr\Start"],
        ),
        Case::broken(
            "services-update",
            vec![start("TrustedInstaller", 4), start("WaaSMedicSvc", 4)],
            &[r"TrustedInstaller\Start"],
        )
        .and(&[r"WaaSMedicSvc\Start"]),
        Case::other(
            "guest-agent",
            vec![start("GCEAgent", 4), start("RdAgent", 3)],
            &[r"GCEAgent\Start"],
        ),
        Case::broken(
            "rdagent-errorcontrol",
            [
                severe("AzureWLBackupPluginSvc", 32),
                severe("Other", 16),
                severe("pci", 1),
            ]
            .concat(),
            &[r"AzureWLBackupPluginSvc\ErrorControl"],
        ),
        Case::other(
            "services-errorcontrol",
            [severe("Other", 16), severe("pci", 1)].concat(),
            &[r"Other\ErrorControl"],
        ),
    ]
}
