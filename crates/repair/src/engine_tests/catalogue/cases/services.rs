//! Recipes for services and drivers.

use super::{Cases, number};
use crate::engine_tests::catalogue::Case;
use crate::engine_tests::diagnosis::disk::Break;

fn start(service: &str, start: u32) -> Break {
    number(&format!(r"Services\{service}"), "Start", start)
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
            vec![start("volmgr", 4), start("disk", 3)],
            &[r"volmgr\Start"],
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
