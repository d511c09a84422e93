//! The identity of a target's disk.

use diskmend_disk::{DiskIdentity, Encryption};
use serde::{Deserialize, Serialize};

/// The identity of a target's disk, as far as it is known. A folder that is not the root of a
/// disk's volume has neither number.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct TargetIdentity {
    /// The serial number of the volume, in hexadecimal; only its lower half on Windows.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub volume: Option<String>,
    /// `gpt:` and the GUID of the disk, or `mbr:` and its signature.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub disk: Option<String>,
}

/// What a person recognizes the Windows by that a run has changed, as far as the run has read it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct WindowsNames {
    /// Its product, such as `Windows Server 2019 Datacenter`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub product_name: Option<String>,
    /// Its edition, such as `ServerDatacenter`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub edition: Option<String>,
    /// Its build.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub build: Option<u32>,
    /// The revision of the build.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ubr: Option<u32>,
    /// The name of the computer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub computer_name: Option<String>,
    /// Its domain.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub domain: Option<String>,
    /// Its workgroup.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub workgroup: Option<String>,
    /// The time at which it was installed; UTC, RFC 3339.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub installed: Option<String>,
    /// The name of its time zone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub time_zone: Option<String>,
    /// The time of its last clean shutdown; UTC, RFC 3339.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_shutdown: Option<String>,
    /// The time at which it was started last; UTC, RFC 3339.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_boot: Option<String>,
    /// The manufacturer of the machine on which it was started last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub manufacturer: Option<String>,
    /// The model of that machine.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub model: Option<String>,
    /// The number of control sets.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub control_sets: Option<u32>,
    /// Whether its volume is encrypted with BitLocker.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bitlocker: Option<BitLockerState>,
    /// True if an update waits for the next start.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub update_pending: bool,
    /// The services of the agents of clouds and hypervisors that are installed.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub agents: Vec<String>,
}

impl WindowsNames {
    /// True if nothing is known.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// The names with every text changed by `text`.
    pub(crate) fn map(&self, text: impl Fn(&str) -> String) -> Self {
        let mut changed = self.clone();
        let texts = changed.texts_mut().into_iter().flatten();
        texts.for_each(|one| *one = text(one));
        changed.agents.iter_mut().for_each(|one| *one = text(one));
        changed
    }

    fn texts_mut(&mut self) -> [Option<&mut String>; 11] {
        [
            self.product_name.as_mut(),
            self.edition.as_mut(),
            self.computer_name.as_mut(),
            self.domain.as_mut(),
            self.workgroup.as_mut(),
            self.installed.as_mut(),
            self.time_zone.as_mut(),
            self.last_shutdown.as_mut(),
            self.last_boot.as_mut(),
            self.manufacturer.as_mut(),
            self.model.as_mut(),
        ]
    }

    /// The length of the longest text in bytes, and the number of agents.
    pub(crate) fn extent(&self) -> (usize, usize) {
        let mut all = self.clone();
        let agents = all.agents.len();
        let texts = all.texts_mut().into_iter().flatten().map(|text| text.len());
        let texts = texts.max().unwrap_or(0);
        let names = self.agents.iter().map(String::len).max().unwrap_or(0);
        (texts.max(names), agents)
    }
}

impl From<DiskIdentity> for TargetIdentity {
    fn from(identity: DiskIdentity) -> Self {
        Self {
            volume: identity.volume,
            disk: identity.disk,
        }
    }
}

impl TargetIdentity {
    /// True if both may be the same disk: the numbers that both know are equal.
    #[must_use]
    pub fn may_be(&self, other: &Self) -> bool {
        let volumes = match (&self.volume, &other.volume) {
            (Some(one), Some(other)) => one.ends_with(other.as_str()) || other.ends_with(one),
            _ => true,
        };
        volumes && self.may_be_on_disk_of(other)
    }

    /// True if both may be volumes of the same disk.
    pub(crate) fn may_be_on_disk_of(&self, other: &Self) -> bool {
        match (&self.disk, &other.disk) {
            (Some(one), Some(other)) => one == other,
            _ => true,
        }
    }
}
/// The state of a volume that can be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum BitLockerState {
    /// It is not encrypted.
    Off,
    /// It is encrypted, and was unlocked on this machine.
    Unlocked,
}

impl From<Encryption> for BitLockerState {
    fn from(encryption: Encryption) -> Self {
        match encryption {
            Encryption::Off => Self::Off,
            Encryption::Unlocked => Self::Unlocked,
        }
    }
}
