//! Evidence of the kind `certificate`: the certificate of Remote Desktop has a fault.

use serde::Deserialize;

use super::words::{self, Words};
use super::{EvidenceKind, Looked, Sighting};
use crate::facts::{CertificateFault, Facts};
use crate::progress::Interrupted;
use crate::written::Wrong;

const WORDS: [(&str, CertificateFault); 4] = [
    ("expired", CertificateFault::Expired),
    ("unreadable", CertificateFault::Unreadable),
    ("key-missing", CertificateFault::KeyMissing),
    ("pinned-missing", CertificateFault::PinnedMissing),
];

/// The certificate has one of these faults.
#[derive(Clone, Debug)]
pub(crate) struct CertificateEvidence {
    is: Vec<CertificateFault>,
}

/// The fields in a rule.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct CertificateFile {
    is: Words,
}

impl EvidenceKind for CertificateEvidence {
    type Written = CertificateFile;

    fn read(written: CertificateFile) -> Result<Self, Wrong> {
        Ok(Self {
            is: words::read(&written.is, &WORDS)?,
        })
    }

    fn look(&self, facts: &Facts<'_>) -> Result<Looked, Interrupted> {
        let faulty = match facts.faulty_certificates() {
            Ok(faulty) => faulty.iter(),
            Err(reason) => return Ok(Looked::Unknown(reason)),
        };
        let faulty = faulty.filter(|faulty| self.is.contains(&faulty.fault));
        let seen = faulty.map(|faulty| Sighting::new(&faulty.place, &faulty.found));
        Ok(Looked::of(seen.collect()))
    }

    fn shown(&self) -> String {
        let words = words::shown(&self.is, &WORDS);
        format!("the certificate of Remote Desktop is {words}")
    }
}
