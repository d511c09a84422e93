//! Evidence of the kind `volume`: the state of the volume of Windows.

use serde::Deserialize;

use super::words::{self, Words};
use super::{EvidenceKind, Looked, Sighting};
use crate::facts::{BitLocker, BitLockerState, Facts, WindowsVolume};
use crate::progress::Interrupted;
use crate::written::Wrong;

const WORDS: [(&str, State); 5] = [
    ("full", State::Full),
    ("dirty", State::Dirty),
    ("journal-open", State::JournalOpen),
    ("hibernated", State::Hibernated),
    ("encrypted", State::Encrypted),
];

/// The state of a volume.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// Hardly any space is left.
    Full,
    /// It is marked as dirty.
    Dirty,
    /// The journal of its file system was not closed.
    JournalOpen,
    /// Windows is hibernated.
    Hibernated,
    /// It is encrypted with BitLocker, and unlocked.
    Encrypted,
}

/// The volume is in one of these states.
#[derive(Clone, Debug)]
pub(crate) struct VolumeEvidence {
    is: Vec<State>,
}

/// The fields in a rule.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct VolumeFile {
    is: Words,
}

impl EvidenceKind for VolumeEvidence {
    type Written = VolumeFile;

    fn read(written: VolumeFile) -> Result<Self, Wrong> {
        Ok(Self {
            is: words::read(&written.is, &WORDS)?,
        })
    }

    fn look(&self, facts: &Facts<'_>) -> Result<Looked, Interrupted> {
        let volume = facts.volume();
        let mut seen = Vec::new();
        let mut unknown = Vec::new();
        for state in &self.is {
            let (is_so, found, whether) = state.of(volume, facts.bitlocker());
            match is_so {
                Some(true) => seen.push(Sighting::new("the volume of Windows", found)),
                Some(false) => {}
                None => unknown.push(whether),
            }
        }
        if !seen.is_empty() || unknown.is_empty() {
            return Ok(Looked::of(seen));
        }
        if !volume.unread.is_empty() {
            return Ok(Looked::Unknown(volume.unread.join("; ")));
        }
        // Of a folder that is no volume, the space is not known, and says nothing.
        if self.is == [State::Full] {
            return Ok(Looked::NotSeen);
        }
        let unknown = unknown.join(" and ");
        Ok(Looked::Unknown(format!(
            "a mounted volume does not tell {unknown}; an unmounted disk does"
        )))
    }

    fn shown(&self) -> String {
        let words = words::shown(&self.is, &WORDS);
        format!("the volume of Windows is {words}")
    }
}

impl State {
    /// Whether a volume is in this state, how that is shown, and the question.
    fn of(
        self,
        volume: &WindowsVolume,
        bitlocker: &BitLocker,
    ) -> (Option<bool>, String, &'static str) {
        match self {
            Self::Full => {
                let mib = |bytes: Option<u64>| bytes.unwrap_or_default() >> 20;
                let (free, bytes) = (mib(volume.free), mib(volume.bytes));
                let found = format!("{free} MiB of {bytes} MiB are free");
                (volume.is_full(), found, "how much space is free")
            }
            Self::Dirty => {
                let found = "it is marked as dirty".to_owned();
                (volume.dirty, found, "whether it is marked as dirty")
            }
            Self::JournalOpen => {
                let is_open = volume.journal_closed.map(|closed| !closed);
                let why = volume.journal_problem.iter();
                let why: String = why.map(|why| format!(": {why}")).collect();
                let found = format!("its $LogFile was not closed{why}");
                (is_open, found, "whether its $LogFile was closed")
            }
            Self::Hibernated => {
                let found = "hiberfil.sys holds a saved session".to_owned();
                (volume.hibernated, found, "whether Windows is hibernated")
            }
            Self::Encrypted => {
                let found = "it is encrypted with BitLocker, and was unlocked".to_owned();
                let is_encrypted = bitlocker.volume.map(|is| is == BitLockerState::Unlocked);
                (is_encrypted, found, "whether it is encrypted")
            }
        }
    }
}
