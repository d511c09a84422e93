//! Evidence of the kind `control_sets`: what `Select` says about the control sets.

use serde::Deserialize;
use toml::Spanned;

use super::{EvidenceKind, Looked, Sighting};
use crate::facts::Facts;
use crate::progress::Interrupted;
use crate::written::{Wrong, wrong};

/// The control sets are in this state.
#[derive(Clone, Debug)]
pub(crate) struct ControlSetsEvidence {
    is: State,
}

/// The state of the control sets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// `Select` names a set as the one to start from that doesn't exist.
    Missing,
    /// Windows went back to the last known good set.
    Failed,
}

/// The fields in a rule.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct ControlSetsFile {
    is: Spanned<String>,
}

impl EvidenceKind for ControlSetsEvidence {
    type Written = ControlSetsFile;

    fn read(written: ControlSetsFile) -> Result<Self, Wrong> {
        let is = match written.is.get_ref().as_str() {
            "missing" => State::Missing,
            "failed" => State::Failed,
            other => {
                return Err(wrong(&written.is)(format!(
                    "\"{other}\" is neither \"missing\" nor \"failed\""
                )));
            }
        };
        Ok(Self { is })
    }

    fn look(&self, facts: &Facts<'_>) -> Result<Looked, Interrupted> {
        let sets = match facts.control_sets() {
            Ok(sets) => sets,
            Err(reason) => return Ok(Looked::Unknown(reason)),
        };
        let place = r"SYSTEM\Select";
        let sightings = match self.is {
            State::Missing => {
                // Windows starts from Default; the last known good set is only a way back.
                let missing = sets.missing.iter();
                let missing = missing.filter(|missing| missing.named_by != "LastKnownGood");
                let seen = missing.map(|missing| {
                    let (by, name) = (missing.named_by, &missing.name);
                    Sighting::new(place, format!("{by} names {name}, which does not exist"))
                });
                seen.collect()
            }
            State::Failed => {
                let failed = sets.select.failed.filter(|failed| *failed != 0);
                let seen = failed.map(|failed| Sighting::new(place, format!("Failed is {failed}")));
                seen.into_iter().collect()
            }
        };
        Ok(Looked::of(sightings))
    }

    fn shown(&self) -> String {
        match self.is {
            State::Missing => "Select names a control set that does not exist".to_owned(),
            State::Failed => "Select names a control set that failed".to_owned(),
        }
    }
}
