//! Evidence of the kind `log`: a log in text tells an error.

use serde::Deserialize;
use toml::Spanned;

use super::{EvidenceKind, Looked, Sighting};
use crate::facts::{Facts, TextLog};
use crate::progress::Interrupted;
use crate::written::{Wrong, wrong};

/// The greatest number of texts in one piece of evidence.
const MAX_TEXTS: usize = 50;

const NAMES: [(&str, TextLog); 6] = [
    ("servicing", TextLog::Servicing),
    ("setup", TextLog::Setup),
    ("setup-actions", TextLog::SetupActions),
    ("upgrade", TextLog::Upgrade),
    ("upgrade-actions", TextLog::UpgradeActions),
    ("startup-repair", TextLog::StartupRepair),
];

/// An error in a log that contains one of these texts.
#[derive(Clone, Debug)]
pub(crate) struct LogEvidence {
    log: TextLog,
    name: String,
    /// Any error counts if there is none. In lower case.
    has: Vec<String>,
}

/// The fields in a rule.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct LogFile {
    name: Spanned<String>,
    #[serde(default)]
    has: Vec<Spanned<String>>,
}

impl EvidenceKind for LogEvidence {
    type Written = LogFile;

    fn read(written: LogFile) -> Result<Self, Wrong> {
        let name = written.name.get_ref();
        let known = NAMES.iter().find(|(known, _)| known == name);
        let Some((_, log)) = known else {
            let known: Vec<&str> = NAMES.iter().map(|(known, _)| *known).collect();
            let message = format!("\"{name}\" is none of {}", known.join(", "));
            return Err(wrong(&written.name)(message));
        };
        if let Some(more) = written.has.get(MAX_TEXTS) {
            return Err(wrong(more)(format!("name at most {MAX_TEXTS} texts")));
        }
        if let Some(empty) = written.has.iter().find(|text| text.get_ref().is_empty()) {
            return Err(wrong(empty)("every line contains this".to_owned()));
        }
        let has = written.has.iter().map(|text| text.get_ref().to_lowercase());
        Ok(Self {
            log: *log,
            has: has.collect(),
            name: written.name.into_inner(),
        })
    }

    fn look(&self, facts: &Facts<'_>) -> Result<Looked, Interrupted> {
        let errors = match facts.text_log(self.log) {
            Ok(errors) => errors,
            Err(reason) => return Ok(Looked::Unknown(reason)),
        };
        let counts = |line: &&String| {
            let line = line.to_lowercase();
            self.has.is_empty() || self.has.iter().any(|text| line.contains(text))
        };
        // The last error is the one that counts most.
        let seen = errors.lines.iter().rev().filter(counts);
        Ok(Looked::of(
            seen.map(|line| Sighting::new(&errors.path, line)).collect(),
        ))
    }

    fn shown(&self) -> String {
        let log = &self.name;
        match self.has.as_slice() {
            [] => format!("an error in the log {log}"),
            has => format!("an error in the log {log} with {}", has.join(" or ")),
        }
    }
}
