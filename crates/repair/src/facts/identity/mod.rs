//! What the Windows on the disk is: its version, its names, and the machine on which it ran last.

mod agents;
mod domain;
pub(crate) mod names;
mod reader;
mod times;

use serde::Serialize;

pub use agents::Agent;
pub use domain::Membership;
pub use reader::Unread;
pub(crate) use times::of_filetime;

use super::volume::{self, BitLocker, WindowsVolume};
use super::{ControlSet, Facts, Failure};
use crate::place::HiveName;
use reader::Reader;

const VERSION_KEY: &str = r"Microsoft\Windows NT\CurrentVersion";
/// The key that servicing creates if an update waits for the next start.
const REBOOT_PENDING: &str =
    r"Microsoft\Windows\CurrentVersion\Component Based Servicing\RebootPending";
/// The first build of Windows 11.
const WINDOWS_11: u32 = 22_000;
/// The length of a GUID in braces.
const GUID_LEN: usize = 38;

/// What is known about a Windows. Whatever can't be read is absent: a value of another type than
/// Windows stores, or one that is too long, counts as absent too.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct WindowsIdentity {
    /// Its name, such as `Windows 11 Pro`. Windows 11 still calls itself Windows 10 in the
    /// registry; this is corrected by the build.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub product_name: Option<String>,
    /// Its edition, such as `Professional`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub edition: Option<String>,
    /// Its build, from SOFTWARE, or else the build that shut down last, from SYSTEM.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub build: Option<u32>,
    /// The revision of the build, which cumulative updates raise.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ubr: Option<u32>,
    /// The computer's NetBIOS name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub computer_name: Option<String>,
    /// Its domain or workgroup.
    #[serde(flatten)]
    pub membership: Option<Membership>,
    /// The time at which it was installed, or last upgraded; UTC, RFC 3339.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub installed: Option<String>,
    /// The name of its time zone.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub time_zone: Option<String>,
    /// The time of its last clean shutdown; UTC, RFC 3339.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_shutdown: Option<String>,
    /// The time at which it was started last; known since Windows 8; UTC, RFC 3339.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_boot: Option<String>,
    /// The machine on which it was started last; known since Windows 8.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_boot_on: Option<Platform>,
    /// True if an update waits for the next start. That is normal, and no fault.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub update_pending: bool,
    /// The number of control sets.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub control_sets: Option<usize>,
    /// The known agents of clouds and hypervisors that are installed as services.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub agents: Option<Vec<Agent>>,
    /// Its volume: its space, and whether it was closed cleanly.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub volume: Option<WindowsVolume>,
    /// Encryption with BitLocker.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bitlocker: Option<BitLocker>,
    /// The hives that couldn't be read, or not completely.
    #[serde(skip)]
    pub unread: Vec<Unread>,
}

/// A machine, as its firmware describes it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Platform {
    /// Its manufacturer, such as `Microsoft Corporation`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub manufacturer: Option<String>,
    /// Its model, such as `Virtual Machine`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub product: Option<String>,
}

/// Reads the identity. SOFTWARE and SYSTEM are opened as for any other fact.
pub(super) fn read(facts: &Facts<'_>) -> WindowsIdentity {
    let mut identity = WindowsIdentity {
        volume: volume::of_identity(facts),
        bitlocker: volume::bitlocker_of_identity(facts),
        ..WindowsIdentity::default()
    };
    match facts.hive(HiveName::System) {
        Ok(opened) => {
            let mut system = Reader::of(opened);
            match facts.control_sets_in(opened) {
                Ok(sets) => {
                    identity.control_sets = Some(sets.sets.len());
                    identity.add_control_set(&mut system, sets.next());
                }
                Err(corruption) => system.cannot_read(corruption),
            }
            identity.add_last_boot(&mut system);
            identity.unread.extend(system.unread("SYSTEM"));
        }
        Err(failure) => identity.miss("SYSTEM", failure),
    }
    match facts.hive(HiveName::Software) {
        Ok(opened) => {
            let mut software = Reader::of(opened);
            // The build that recipes go by, so that both are always the same.
            let build = facts.build().ok();
            identity.add_version(&mut software, build);
            identity.unread.extend(software.unread("SOFTWARE"));
        }
        Err(failure) => identity.miss("SOFTWARE", failure),
    }
    match domain::of_site(facts.site) {
        Ok((membership, unread)) => {
            identity.membership = membership;
            identity.unread.extend(unread);
        }
        Err(reason) => identity.unread.push(Unread {
            hive: "SECURITY",
            reason,
        }),
    }
    identity
}

impl WindowsIdentity {
    fn miss(&mut self, hive: &'static str, failure: &Failure) {
        let reason = failure.reason();
        self.unread.push(Unread { hive, reason });
    }

    fn add_control_set(&mut self, system: &mut Reader<'_>, current: Option<&ControlSet>) {
        let Some(current) = current else {
            return;
        };
        let key = |below: &str| format!(r"{}\{below}", current.name);
        let name = key(r"Control\ComputerName\ComputerName");
        self.computer_name = system.text(&name, "ComputerName");
        let zone = key(r"Control\TimeZoneInformation");
        // Since Vista, StandardName names a resource: TimeZoneKeyName is the name. Before, there
        // was StandardName only.
        self.time_zone = system
            .text(&zone, "TimeZoneKeyName")
            .or_else(|| system.text(&zone, "StandardName"))
            .filter(|name| !name.starts_with('@'));
        let windows = key(r"Control\Windows");
        let shutdown = system.filetime_bytes(&windows, "ShutdownTime");
        self.last_shutdown = shutdown.and_then(times::of_filetime);
        let lab = system.text(&windows, "ShutdownStopTimePerfCounterBuildLab");
        self.build = lab.and_then(|lab| lab.split_once('.')?.0.parse().ok());
        self.agents = Some(agents::read(system, &key("Services")));
    }

    fn add_last_boot(&mut self, system: &mut Reader<'_>) {
        if let Some(key) = last_hardware(system) {
            let used = system.filetime_bytes(&key, "LastUse");
            self.last_boot = used.and_then(times::of_filetime);
            self.last_boot_on = platform(system, &key);
        }
    }

    fn add_version(&mut self, software: &mut Reader<'_>, build: Option<u32>) {
        self.build = build.or(self.build);
        let name = software.text(VERSION_KEY, "ProductName");
        self.product_name = name.map(|name| corrected(name, self.build));
        self.edition = software.text(VERSION_KEY, "EditionID");
        self.ubr = software.dword(VERSION_KEY, "UBR");
        self.update_pending = software.has_key(REBOOT_PENDING);
        // InstallTime exists since Windows 8.
        let precise = software.qword(VERSION_KEY, "InstallTime");
        let precise = precise.and_then(times::of_filetime);
        self.installed = precise.or_else(|| {
            let seconds = software.dword(VERSION_KEY, "InstallDate")?;
            times::of_unix_seconds(seconds)
        });
    }
}

/// The name of the product by its build.
fn corrected(name: String, build: Option<u32>) -> String {
    const OLD: &str = "Windows 10";
    let is_11 = build.is_some_and(|build| build >= WINDOWS_11);
    match name.strip_prefix(OLD) {
        Some(rest) if is_11 && (rest.is_empty() || rest.starts_with(' ')) => {
            format!("Windows 11{rest}")
        }
        _ => name,
    }
}

/// The key of the machine on which Windows was started last. Windows writes it at each start.
fn last_hardware(system: &mut Reader<'_>) -> Option<String> {
    let last = system.text("HardwareConfig", "LastConfig")?;
    // The name of one key: nothing else is followed.
    let is_guid = last.len() == GUID_LEN
        && last.starts_with('{')
        && last.ends_with('}')
        && !last.contains('\\');
    is_guid.then(|| format!(r"HardwareConfig\{last}"))
}

fn platform(system: &mut Reader<'_>, key: &str) -> Option<Platform> {
    let platform = Platform {
        manufacturer: system.text(key, "SystemManufacturer"),
        product: system.text(key, "SystemProductName"),
    };
    let known = platform.manufacturer.is_some() || platform.product.is_some();
    known.then_some(platform)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_windows_11_is_renamed_and_only_by_its_build() {
        for (name, build, wanted) in [
            ("Windows 10 Pro", Some(22_000), "Windows 11 Pro"),
            ("Windows 10", Some(26_100), "Windows 11"),
            ("Windows 10 Pro", Some(21_999), "Windows 10 Pro"),
            ("Windows 10 Pro", None, "Windows 10 Pro"),
            ("Windows 100", Some(26_100), "Windows 100"),
            (
                "Windows Server 2025 Datacenter",
                Some(26_100),
                "Windows Server 2025 Datacenter",
            ),
        ] {
            assert_eq!(corrected(name.to_owned(), build), wanted);
        }
    }
}
