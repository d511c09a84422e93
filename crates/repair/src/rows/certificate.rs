//! The `[[certificate]]` rows: certificates of Remote Desktop that Windows made and can't use.

use diskmend_base::hex;
use diskmend_hive::{Corruption, Key};
use serde::{Deserialize, Serialize};
use toml::Spanned;

use super::fault_words::FaultWords;
use super::{About, Claim, JudgeValues, Kind, Shown, Wrong, sentence, wrong};
use crate::facts::{CertificateFault, Facts};
use crate::finding::{JudgedValue, RowState, Subtree, Wanted};
use crate::hive_on_disk::HiveOnDisk;
use crate::place::HiveName;
use crate::reading;

/// The store of the certificates that Windows makes for Remote Desktop.
const STORE: &str = "Remote Desktop";
/// The value that names the certificate in use, by its digest.
const NAMED: &str = "SelfSignedCertificate";
const STATIONS: &str = r"Control\Terminal Server\WinStations";
/// The greatest depth of a certificate's key. Windows's own have no subkeys.
const MOST_DEPTH: usize = 16;

/// The certificate that Windows made for Remote Desktop is deleted if it can't be used. Windows
/// makes a new one at its next start.
#[derive(Clone, Debug)]
pub struct CertificateRow {
    certificate: StoredCertificate,
    name: NamedCertificate,
    why: String,
}

/// The key of the certificate, in SOFTWARE.
#[derive(Clone, Debug)]
struct StoredCertificate(Vec<CertificateFault>);

/// The value that names the certificate, in SYSTEM.
#[derive(Clone, Debug)]
struct NamedCertificate(Vec<CertificateFault>);

const FAULTS: [(&str, CertificateFault); 3] = [
    ("expired", CertificateFault::Expired),
    ("unreadable", CertificateFault::Unreadable),
    ("key_missing", CertificateFault::KeyMissing),
];

impl Kind for CertificateRow {
    type Written = CertificateFile;
    type Entry<'a> = Entry<'a>;

    fn read(written: CertificateFile) -> Result<Self, Wrong> {
        written.read()
    }

    fn about(&self) -> About<'_> {
        About::ValuesOfTwo([
            (HiveName::System, &self.name),
            (HiveName::Software, &self.certificate),
        ])
    }

    /// The certificate isn't known before the disk is read.
    fn claim(&self) -> Option<Claim<'_>> {
        None
    }

    fn why(&self) -> &str {
        &self.why
    }

    fn entry(&self) -> Entry<'_> {
        Entry {
            store: STORE,
            faults: self.words(),
            why: &self.why,
        }
    }

    fn shown(&self) -> Shown {
        Shown {
            place: format!("Certificate store {STORE}"),
            lines: vec![format!(
                "the certificate that Windows made: delete, if it is {}",
                self.words().join(" or ").replace('_', " ")
            )],
        }
    }
}

impl CertificateRow {
    fn words(&self) -> Vec<&'static str> {
        let known = FAULTS.iter();
        let known = known.filter(|(_, fault)| self.certificate.0.contains(fault));
        known.map(|(word, _)| *word).collect()
    }
}

/// The key of the certificate in use, and the state of what is to be deleted.
fn found(facts: &Facts<'_>, faults: &[CertificateFault]) -> Option<(String, RowState)> {
    let known = facts.faulty_certificates().ok()?;
    let mut known = known.iter().filter(|one| faults.contains(&one.fault));
    let faulty = known.find_map(|one| one.own.as_ref())?;
    // Of several, Windows may use another one meanwhile.
    let state = if faulty.is_only {
        RowState::Fault
    } else {
        RowState::Differs
    };
    Some((faulty.key.clone(), state))
}

impl JudgeValues for StoredCertificate {
    fn judge(&self, hive: &HiveOnDisk, facts: &Facts<'_>) -> Result<Vec<JudgedValue>, Corruption> {
        let Some((key, state)) = found(facts, &self.0) else {
            return Ok(Vec::new());
        };
        let Some(subtree) = hive.hive.key(&key)? else {
            return Ok(Vec::new());
        };
        let mut count = Subtree::default();
        if !add(&mut count, &subtree, MOST_DEPTH)? {
            return Ok(Vec::new());
        }
        Ok(vec![JudgedValue {
            bits: None,
            key,
            value: String::new(),
            in_current_set: None,
            desired: Wanted::NoKey,
            current: None,
            subtree: Some(count),
            state,
        }])
    }
}

/// Counts what is in a key; false if it is nested too deeply.
fn add(count: &mut Subtree, key: &Key<'_>, depth: usize) -> Result<bool, Corruption> {
    for value in key.values()? {
        value?;
        count.values += 1;
    }
    for subkey in key.subkeys()? {
        let subkey = subkey?;
        count.subkeys += 1;
        if depth == 0 || !add(count, &subkey, depth - 1)? {
            return Ok(false);
        }
    }
    Ok(true)
}

impl JudgeValues for NamedCertificate {
    fn judge(&self, hive: &HiveOnDisk, facts: &Facts<'_>) -> Result<Vec<JudgedValue>, Corruption> {
        let Some((key, state)) = found(facts, &self.0) else {
            return Ok(Vec::new());
        };
        let thumbprint = key.rsplit('\\').next().unwrap_or_default();
        let mut judged = Vec::new();
        for set in &facts.control_sets_in(hive)?.sets {
            let key = format!(r"{}\{STATIONS}", set.name);
            let current = reading::value(&hive.hive, &key, NAMED)?;
            let names_it = |bytes: &[u8]| hex::encode(bytes).eq_ignore_ascii_case(thumbprint);
            if let Some(current) = current.filter(|current| names_it(&current.bytes)) {
                judged.push(JudgedValue {
                    key,
                    value: NAMED.to_owned(),
                    in_current_set: Some(set.current),
                    desired: Wanted::NoValue,
                    current: Some(current),
                    subtree: None,
                    bits: None,
                    state,
                });
            }
        }
        Ok(judged)
    }
}

/// A row in JSON.
#[derive(Serialize)]
pub(crate) struct Entry<'a> {
    store: &'static str,
    faults: Vec<&'static str>,
    why: &'a str,
}

/// The fields of a `[[certificate]]` row.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct CertificateFile {
    store: Spanned<String>,
    delete: Spanned<bool>,
    fault: Spanned<FaultWords>,
    why: Spanned<String>,
}

impl CertificateFile {
    fn read(self) -> Result<CertificateRow, Wrong> {
        let store = self.store.get_ref();
        if !store.eq_ignore_ascii_case(STORE) {
            // Windows makes no new certificates for other stores.
            let message = format!("no store \"{store}\": expected \"{STORE}\"");
            return Err(wrong(&self.store)(message));
        }
        if !self.delete.get_ref() {
            return Err(wrong(&self.delete)("the row can only delete".to_owned()));
        }
        let meaning = |word: &str| {
            let known = FAULTS.iter().find(|(known, _)| *known == word);
            known.map(|(_, fault)| *fault)
        };
        let expected = "\"expired\", \"unreadable\" or \"key_missing\"";
        let faults = FaultWords::read(self.fault, meaning, expected)?;
        sentence(self.why.get_ref()).map_err(wrong(&self.why))?;
        Ok(CertificateRow {
            certificate: StoredCertificate(faults.clone()),
            name: NamedCertificate(faults),
            why: self.why.into_inner(),
        })
    }
}
