//! Agents of clouds and hypervisors.

use serde::Serialize;

use super::reader::Reader;
use crate::facts::ServiceStart;

/// The names of their services.
const AGENTS: [&str; 14] = [
    // Azure.
    "RdAgent",
    "WindowsAzureGuestAgent",
    "WindowsAzureTelemetryService",
    // Amazon EC2; the first up to Windows Server 2012 R2.
    "Ec2Config",
    "AmazonSSMAgent",
    "Amazon EC2Launch",
    "AWSLiteAgent",
    // Google Compute Engine.
    "GCEAgent",
    "GCEOSConfigAgent",
    // OpenStack and others, VMware, QEMU.
    "cloudbase-init",
    "VMTools",
    "VGAuthService",
    "QEMU-GA",
    "QEMU Guest Agent VSS Provider",
];

/// An agent that is installed as a service in the current control set.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Agent {
    /// The name of its service.
    pub service: &'static str,
    /// The start type; absent if `Start` is missing or unknown.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub start: Option<ServiceStart>,
}

/// The known agents. Each is looked up by its name: a hive can hold any number of services.
pub(super) fn read(system: &mut Reader<'_>, services: &str) -> Vec<Agent> {
    let mut found = Vec::new();
    for service in AGENTS {
        let key = format!(r"{services}\{service}");
        if system.has_key(&key) {
            let start = system.dword(&key, "Start").and_then(ServiceStart::of);
            found.push(Agent { service, start });
        }
    }
    found
}
