//! Decides which runs are believed. The folder `diskmend` is on the disk, and whoever could write
//! to the disk could write a run there. Therefore each run is sealed with a key that is kept off
//! the disk. A run without a valid seal is never completed, followed or undone, unless a person has
//! looked at it.

mod digits;
mod key;
mod plan_seal;
mod run_key;
mod seal;

use serde::Serialize;

pub use key::{Key, KeyError, KeyId, KeyStore, Keys, OwnKey};
pub(crate) use run_key::{FileMac, Mac, RunKey};
pub(crate) use seal::{Sealed, seal};

use crate::identity::TargetIdentity;
use crate::run_id::RunId;
use crate::run_state::same_partition;

/// The key that sealed a run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "trust", rename_all = "kebab-case")]
pub enum Trust {
    /// This machine has sealed it.
    Own,
    /// Another machine has sealed it, and its key was given.
    Known {
        /// The id of that machine's key.
        key: KeyId,
    },
    /// It claims that another machine has sealed it, but that machine's key is unknown.
    Foreign {
        /// The id of the key that it names.
        key: KeyId,
    },
    /// It has no valid seal.
    Unauthenticated {
        /// The reason.
        reason: Doubt,
    },
}

/// The reason why a run has no valid seal.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Doubt {
    /// It has no seal.
    NoSeal,
    /// It was written by a version of diskmend that did not seal runs.
    OldFormat,
    /// Its seal does not match: it was changed, or moved here from another run.
    WrongSeal,
    /// It was made on another disk.
    OtherDisk,
    /// Its journal can't be read.
    Unreadable,
}

impl Trust {
    /// True if the run is believed.
    #[must_use]
    pub const fn is_given(&self) -> bool {
        matches!(self, Self::Own | Self::Known { .. })
    }
}

impl std::fmt::Display for Trust {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Own => f.write_str("it was written by this machine"),
            Self::Known { key } => write!(f, "it was written by the machine with the key {key}"),
            Self::Foreign { key } => write!(
                f,
                "it names the key {key} of another machine, and that key was not given"
            ),
            Self::Unauthenticated { reason } => reason.fmt(f),
        }
    }
}

impl std::fmt::Display for Doubt {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::NoSeal => "it has no seal",
            Self::OldFormat => "it was written by a version of diskmend that did not seal runs",
            Self::WrongSeal => "its seal does not match: it was changed, or moved from another run",
            Self::OtherDisk => "it was made on another disk",
            Self::Unreadable => "its journal can't be read",
        })
    }
}

/// The facts by which the runs of a target are judged.
#[derive(Clone, Debug)]
pub(crate) struct Judge {
    keys: Keys,
    /// The target's disk.
    pub(crate) identity: TargetIdentity,
    /// The number of the target's partition, on an unmounted disk.
    pub(crate) partition: Option<u32>,
    /// A person has looked at the named run, and vouches for it.
    pub(crate) vouched: bool,
}

/// What a key or a person allows the program to do with the files of a run.
#[derive(Clone, Debug)]
pub(crate) enum Warrant {
    /// Its files must match this key, and what is written is sealed with it.
    Sealed(RunKey),
    /// A person vouches for it. Nothing is sealed, so that it can't pass for a run of this machine.
    Vouched,
}

impl Judge {
    pub(crate) fn new(keys: Keys, identity: TargetIdentity) -> Self {
        Self {
            keys,
            identity,
            partition: None,
            vouched: false,
        }
    }

    /// The judge for a partition of an unmounted disk.
    pub(crate) fn of_partition(self, partition: Option<u32>) -> Self {
        Self { partition, ..self }
    }

    /// The key of a new run.
    ///
    /// # Errors
    /// The reason why this machine has no key.
    pub(crate) fn own_run_key(&self, run: &RunId) -> Result<RunKey, KeyError> {
        Ok(RunKey::derive(&self.keys.obtain()?, run, &self.identity))
    }

    /// Checks that this machine can seal what it writes; creates its key if it does not exist.
    ///
    /// # Errors
    /// The reason why not.
    pub(crate) fn require_key(&self) -> Result<(), KeyError> {
        self.keys.obtain().map(|_| ())
    }

    /// Checks this machine's key, if it exists. Nothing is written.
    ///
    /// # Errors
    /// The problem with the key.
    pub(crate) fn check_key(&self) -> Result<(), KeyError> {
        self.keys.check()
    }

    /// The trust in a journal, and the key that sealed its files. `identity` and `partition` are
    /// what the journal says about the disk.
    pub(crate) fn judge(
        &self,
        run: &RunId,
        sealed: &Sealed<'_>,
        (identity, partition): (&TargetIdentity, Option<u32>),
    ) -> (Trust, Option<RunKey>) {
        let doubt = |reason| (Trust::Unauthenticated { reason }, None);
        let Some((id, mac)) = &sealed.seal else {
            return doubt(Doubt::NoSeal);
        };
        let Some((key, own)) = self.keys.named(*id) else {
            return (Trust::Foreign { key: *id }, None);
        };
        let key = RunKey::derive(&key, run, identity);
        if !key.seals(sealed.journal, mac) {
            return doubt(Doubt::WrongSeal);
        }
        // Each partition of a disk has a volume with its own serial number.
        let same_disk = if same_partition(partition, self.partition) {
            identity.may_be(&self.identity)
        } else {
            identity.may_be_on_disk_of(&self.identity)
        };
        if !same_disk {
            return doubt(Doubt::OtherDisk);
        }
        let trust = if own {
            Trust::Own
        } else {
            Trust::Known { key: *id }
        };
        (trust, Some(key))
    }
}

#[cfg(test)]
impl Judge {
    /// A judge with its own key.
    pub(crate) fn for_tests() -> Self {
        Self::new(Keys::for_tests(), TargetIdentity::default())
    }
}
