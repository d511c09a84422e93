//! Evidence of the kind `hive`: the state of a hive of Windows.

use diskmend_hive::check::check;
use serde::Deserialize;
use toml::Spanned;

use super::{EvidenceKind, Looked, Sighting};
use crate::facts::{Facts, Failure};
use crate::place::HiveName;
use crate::progress::Interrupted;
use crate::written::{Wrong, wrong};

/// A hive in this state.
#[derive(Clone, Debug)]
pub(crate) struct HiveEvidence {
    name: HiveName,
    is: State,
}

/// The state of a hive.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// It can't be opened, or it has structural errors.
    Damaged,
    /// It was not closed cleanly, and its logs complete it.
    Dirty,
}

/// The fields in a rule.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct HiveFile {
    name: Spanned<String>,
    is: Spanned<String>,
}

impl EvidenceKind for HiveEvidence {
    type Written = HiveFile;

    fn read(written: HiveFile) -> Result<Self, Wrong> {
        let name = HiveName::parse(written.name.get_ref()).map_err(wrong(&written.name))?;
        let is = match written.is.get_ref().as_str() {
            "damaged" => State::Damaged,
            "dirty" => State::Dirty,
            other => {
                return Err(wrong(&written.is)(format!(
                    "\"{other}\" is neither \"damaged\" nor \"dirty\""
                )));
            }
        };
        Ok(Self { name, is })
    }

    fn look(&self, facts: &Facts<'_>) -> Result<Looked, Interrupted> {
        let opened = match facts.hive(self.name) {
            Ok(opened) => opened,
            Err(failure) => return Ok(self.unopened(failure)),
        };
        let path = opened.path();
        let found = match self.is {
            State::Dirty => opened.dirty.map(|state| state.to_string()),
            State::Damaged => {
                let report = check(&opened.hive);
                let summary = crate::check_summary::CheckSummary::from(&report);
                let first = summary
                    .problems
                    .iter()
                    .find(|problem| problem.severity == "error");
                first.map(|first| format!("{} errors, the first: {first}", summary.errors))
            }
        };
        Ok(Looked::of(
            found
                .into_iter()
                .map(|found| Sighting::new(path, found))
                .collect(),
        ))
    }

    fn shown(&self) -> String {
        let is = match self.is {
            State::Damaged => "is damaged",
            State::Dirty => "was not closed cleanly",
        };
        format!("{} {is}", self.name)
    }
}

impl HiveEvidence {
    fn unopened(&self, failure: &Failure) -> Looked {
        if self.is == State::Damaged && failure.is_damage() {
            let path = format!("Windows/System32/config/{}", self.name);
            return Looked::Seen(vec![Sighting::new(path, failure.reason())]);
        }
        Looked::Unknown(failure.reason())
    }
}
