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
