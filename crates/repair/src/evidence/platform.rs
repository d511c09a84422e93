//! Evidence of the kind `platform`: the machine on which Windows was started last.
//!
//! Windows copies what the firmware says into `HardwareConfig` at each start, since Windows 8.
//! Azure's firmware says the same as any Hyper-V; the agents tell them apart.

use super::words::{self, Words};
use super::{EvidenceKind, Looked, Sighting};
use crate::facts::{Agent, Facts, Failure, Platform};
use crate::place::HiveName;
use crate::progress::Interrupted;
use crate::written::Wrong;

/// The machine is one of these.
#[derive(Clone, Debug)]
pub(crate) struct PlatformEvidence {
    any: Vec<Known>,
}

/// A cloud or a hypervisor.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Known {
    Azure,
    Ec2,
    Gcp,
    HyperV,
    VMware,
    VirtualBox,
    Qemu,
    OpenStack,
    Xen,
}

const WORDS: [(&str, Known); 9] = [
    ("azure", Known::Azure),
    ("ec2", Known::Ec2),
    ("gcp", Known::Gcp),
    ("hyperv", Known::HyperV),
    ("vmware", Known::VMware),
    ("virtualbox", Known::VirtualBox),
    ("qemu", Known::Qemu),
    ("openstack", Known::OpenStack),
    ("xen", Known::Xen),
];

/// Services of the agents of a cloud.
const AZURE_AGENTS: [&str; 2] = ["RdAgent", "WindowsAzureGuestAgent"];
const EC2_AGENTS: [&str; 4] = [
    "Ec2Config",
    "AmazonSSMAgent",
    "Amazon EC2Launch",
    "AWSLiteAgent",
];
const GCP_AGENTS: [&str; 2] = ["GCEAgent", "GCEOSConfigAgent"];

impl EvidenceKind for PlatformEvidence {
    type Written = Words;

    fn read(written: Words) -> Result<Self, Wrong> {
        Ok(Self {
            any: words::read(&written, &WORDS)?,
        })
    }

    fn look(&self, facts: &Facts<'_>) -> Result<Looked, Interrupted> {
        if let Err(failure) = facts.hive(HiveName::System) {
            return Ok(Looked::Unknown(Failure::reason(failure)));
        }
        let identity = facts.identity();
        let agents = identity.agents.as_deref().unwrap_or(&[]);
        let Some(machine) = &identity.last_boot_on else {
            // Windows 7 doesn't say. An agent of a cloud starts nowhere else.
            let by_agent = agent(agents, &self.agents()).map(|agent| {
                let place = format!(r"SYSTEM, Services\{}", agent.service);
                Looked::Seen(vec![Sighting::new(place, "the agent is installed")])
            });
            return Ok(by_agent.unwrap_or_else(|| {
                let text = "SYSTEM does not say on which machine this Windows was started last";
                Looked::Unknown(text.to_owned())
            }));
        };
        let found = platforms(machine, agents);
        if !self.any.iter().any(|wanted| found.contains(wanted)) {
            return Ok(Looked::NotSeen);
        }
        let parts = [&machine.manufacturer, &machine.product];
        let parts: Vec<&str> = parts.into_iter().flatten().map(String::as_str).collect();
        Ok(Looked::Seen(vec![Sighting {
            place: r"SYSTEM, HardwareConfig".to_owned(),
            found: format!("this Windows was started last on {}", parts.join(", ")),
            time: identity.last_boot.clone(),
        }]))
    }

    fn shown(&self) -> String {
        format!(
            "Windows was started last on {}",
            words::shown(&self.any, &WORDS)
        )
    }
}

impl PlatformEvidence {
    /// The agents of the clouds that are looked for.
    fn agents(&self) -> Vec<&'static str> {
        let of = |known: &Known| -> &[&'static str] {
            match known {
                Known::Azure => &AZURE_AGENTS,
                Known::Ec2 => &EC2_AGENTS,
                Known::Gcp => &GCP_AGENTS,
                _ => &[],
            }
        };
        self.any.iter().flat_map(of).copied().collect()
    }
}

fn agent<'a>(agents: &'a [Agent], names: &[&str]) -> Option<&'a Agent> {
    agents.iter().find(|agent| names.contains(&agent.service))
}

/// What a machine is, by what its firmware says. An Azure VM is also a Hyper-V VM, and an old VM of
/// Amazon also one of Xen.
fn platforms(machine: &Platform, agents: &[Agent]) -> Vec<Known> {
    let says = |text: &Option<String>, part: &str| {
        let text = text.as_deref();
        text.is_some_and(|text| text.to_ascii_lowercase().contains(part))
    };
    let made_by = |part: &str| says(&machine.manufacturer, part);
    let is = |part: &str| says(&machine.product, part);
    let hyperv = made_by("microsoft corporation") && is("virtual machine");
    let xen = made_by("xen") || is("hvm domu");
    let found = [
        (
            Known::Azure,
            hyperv && agent(agents, &AZURE_AGENTS).is_some(),
        ),
        (
            Known::Ec2,
            made_by("amazon ec2") || (xen && agent(agents, &EC2_AGENTS).is_some()),
        ),
        (Known::Gcp, made_by("google") || is("google compute engine")),
        (Known::HyperV, hyperv),
        (Known::VMware, made_by("vmware")),
        (Known::VirtualBox, made_by("innotek") || is("virtualbox")),
        (
            Known::Qemu,
            made_by("qemu") || made_by("red hat") || is("kvm"),
        ),
        (Known::OpenStack, made_by("openstack") || is("openstack")),
        (Known::Xen, xen),
    ];
    let found = found.into_iter().filter(|(_, is)| *is);
    found.map(|(known, _)| known).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn machines_are_told_apart_by_firmware_and_agents() {
        let agent = |service| Agent {
            service,
            start: None,
        };
        for (maker, product, agents, wanted) in [
            (
                "Microsoft Corporation",
                "Virtual Machine",
                vec![],
                vec!["hyperv"],
            ),
            (
                "Microsoft Corporation",
                "Virtual Machine",
                vec![agent("RdAgent")],
                vec!["azure", "hyperv"],
            ),
            // The agent stayed on a disk that was moved.
            (
                "VMware, Inc.",
                "VMware Virtual Platform",
                vec![agent("RdAgent")],
                vec!["vmware"],
            ),
            (
                "Microsoft Corporation",
                "Surface Pro",
                vec![agent("RdAgent")],
                vec![],
            ),
            ("Amazon EC2", "m5.large", vec![], vec!["ec2"]),
            (
                "Xen",
                "HVM domU",
                vec![agent("Ec2Config")],
                vec!["ec2", "xen"],
            ),
            ("Xen", "HVM domU", vec![], vec!["xen"]),
            ("Google", "Google Compute Engine", vec![], vec!["gcp"]),
            ("innotek GmbH", "VirtualBox", vec![], vec!["virtualbox"]),
            (
                "OpenStack Foundation",
                "OpenStack Nova",
                vec![],
                vec!["openstack"],
            ),
            ("Dell Inc.", "OptiPlex 7050", vec![], vec![]),
        ] {
            let machine = Platform {
                manufacturer: Some(maker.to_owned()),
                product: Some(product.to_owned()),
            };
            let found = platforms(&machine, &agents);
            let words = WORDS.iter().filter(|(_, known)| found.contains(known));
            let words: Vec<&str> = words.map(|(word, _)| *word).collect();
            assert_eq!(words, wanted, "{maker} {product}");
        }
    }
}
