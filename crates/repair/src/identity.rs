//! The identity of a target's disk.

use diskmend_disk::DiskIdentity;
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

/// The names by which a person recognizes the Windows that a run has changed, as far as the run has
/// read them.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct WindowsNames {
    /// Its product, such as `Windows Server 2019 Datacenter`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub product_name: Option<String>,
    /// Its build.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub build: Option<u32>,
    /// The name of the computer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub computer_name: Option<String>,
}

impl WindowsNames {
    /// True if nothing is known.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// The names with every text changed by `text`.
    pub(crate) fn map(&self, text: impl Fn(&str) -> String) -> Self {
        Self {
            product_name: self.product_name.as_deref().map(&text),
            build: self.build,
            computer_name: self.computer_name.as_deref().map(&text),
        }
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
