//! What is known about the volume of the Windows: its space, whether it was closed cleanly, and
//! whether it or another volume of its disk is encrypted.

use diskmend_disk::{Condition, Journal, VolumeState};
use serde::Serialize;

use super::{BitLockerState, Facts};

/// A volume with less free space than this is full, and one with less than one hundredth free if
/// that is less. Windows can't make a page file then, and services fail to write their state.
const FULL: u64 = 200 << 20;
const FULL_SHARE: u64 = 100;

/// What is known about the volume of a Windows. Whatever can't be known is absent: Linux doesn't
/// tell whether a mounted volume is marked as dirty, and a folder is no volume.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct WindowsVolume {
    /// Its length in bytes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bytes: Option<u64>,
    /// The number of bytes that are not in use.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub free: Option<u64>,
    /// True if it is marked as dirty: Windows checks it at its next start.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub dirty: Option<bool>,
    /// True if the journal of its file system (`$LogFile`) was closed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub journal_closed: Option<bool>,
    /// The journal: `clean`, `empty`, `pending` or `not-understood`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub journal: Option<&'static str>,
    /// The version of the journal.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub journal_version: Option<String>,
    /// The number of records from the oldest one on that is needed to replay the journal.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub journal_records: Option<u64>,
    /// The number of records after the last checkpoint.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub journal_records_since_checkpoint: Option<u64>,
    /// The number (LSN) of the oldest record that is needed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub journal_oldest_lsn: Option<u64>,
    /// Why the journal counts as open, for display.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub journal_problem: Option<String>,
    /// True if Windows is hibernated, or was shut down for a fast start.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hibernated: Option<bool>,
    /// What a person should know about it before it is changed.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub conditions: Vec<VolumeCondition>,
    /// What couldn't be read, with the reason.
    #[serde(skip)]
    pub unread: Vec<String>,
}

/// A condition of a volume that a person should know about before it is changed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct VolumeCondition {
    /// Which one it is, such as `log-pending`.
    pub kind: &'static str,
    /// What it means.
    pub meaning: String,
    /// What can be done about it on this machine. The best comes first; a warning comes last.
    pub remedies: Vec<String>,
}

impl From<Condition> for VolumeCondition {
    fn from(condition: Condition) -> Self {
        let Condition {
            kind,
            meaning,
            remedies,
        } = condition;
        Self {
            kind: kind.name(),
            meaning,
            remedies,
        }
    }
}

/// What is known about encryption with BitLocker.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct BitLocker {
    /// The state of the volume of this Windows; absent if it is not known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub volume: Option<BitLockerState>,
    /// The other volumes of its disk that are locked, as far as they are known.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub locked: Vec<String>,
}

impl WindowsVolume {
    /// True if hardly any space is left; `None` if that is not known.
    #[must_use]
    pub fn is_full(&self) -> Option<bool> {
        let (bytes, free) = (self.bytes?, self.free?);
        Some(free < FULL.min(bytes / FULL_SHARE))
    }

    /// True if nothing is known.
    fn is_unknown(&self) -> bool {
        let known = self.bytes.is_some() || self.free.is_some() || self.dirty.is_some();
        !known && self.journal_closed.is_none() && self.hibernated != Some(true)
    }
}

/// Reads what is known about the volume of the target.
pub(super) fn read(facts: &Facts<'_>) -> (WindowsVolume, BitLocker) {
    let state = (facts.site.volume_state)();
    let VolumeState {
        len,
        free,
        dirty,
        journal,
        hibernated,
        conditions,
        encryption,
        locked,
        unread,
    } = state;
    let closed = journal.as_ref().map(Journal::is_closed);
    let content = journal.as_ref().map(|journal| journal.content.name());
    let version = journal.as_ref().and_then(|journal| journal.version);
    let volume = WindowsVolume {
        bytes: len,
        free,
        dirty,
        journal_closed: closed,
        journal: content,
        journal_version: version.map(|(major, minor)| format!("{major}.{minor}")),
        journal_records: journal.as_ref().and_then(|journal| journal.records),
        journal_records_since_checkpoint: journal
            .as_ref()
            .and_then(|journal| journal.since_checkpoint),
        journal_oldest_lsn: journal.as_ref().and_then(|journal| journal.oldest_lsn),
        journal_problem: journal.and_then(|journal| journal.problem),
        hibernated,
        conditions: conditions.into_iter().map(Into::into).collect(),
        unread,
    };
    let bitlocker = BitLocker {
        volume: encryption.map(BitLockerState::from),
        locked,
    };
    (volume, bitlocker)
}

/// The volume, for the identity of a Windows; `None` if nothing is known.
pub(super) fn of_identity(facts: &Facts<'_>) -> Option<WindowsVolume> {
    let volume = facts.volume();
    (!volume.is_unknown()).then(|| volume.clone())
}

/// BitLocker, for the identity of a Windows; `None` if nothing is known.
pub(super) fn bitlocker_of_identity(facts: &Facts<'_>) -> Option<BitLocker> {
    let bitlocker = facts.bitlocker();
    (*bitlocker != BitLocker::default()).then(|| bitlocker.clone())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_volume_is_full_by_its_length() {
        const GIB: u64 = 1 << 30;
        for (bytes, free, full) in [
            (127 * GIB, 199 << 20, true),
            (127 * GIB, 200 << 20, false),
            (2 * GIB, 20 << 20, true),
            (2 * GIB, 21 << 20, false),
            (GIB / 8, 10 << 20, false),
            (GIB / 8, 0, true),
        ] {
            let volume = WindowsVolume {
                bytes: Some(bytes),
                free: Some(free),
                ..WindowsVolume::default()
            };
            assert_eq!(volume.is_full(), Some(full), "{free} of {bytes}");
        }
        assert_eq!(WindowsVolume::default().is_full(), None);
    }
}
