//! Making sure of a hive: that it holds what was wanted, and that its structure is sound.

use diskmend_hive::check::check;
use diskmend_hive::{Edited, Hive, Logs, Opened, Verified};

use crate::documents::{CheckSummary, SecondReader};
use crate::error::{Error, Refusal};
use crate::reading;
use crate::recorder::{Expected, What};
use crate::store::OpenFile;

/// An edited hive that may be committed, and what speaks for it.
pub(crate) struct Passed {
    pub(crate) hive: Verified,
    pub(crate) check: Option<CheckSummary>,
    pub(crate) second_reader: SecondReader,
}

/// Reads everything that was to change.
///
/// # Errors
/// [`Error::ReadBack`] where something else is found.
pub(crate) fn look(hive: &Hive, path: &str, wanted: &[Expected]) -> Result<(), Error> {
    for expected in wanted {
        let key = &expected.key;
        let found = match &expected.what {
            What::Key | What::NoKey => {
                let exists = hive.key(key).map_err(Error::corrupt(path))?.is_some();
                let right = exists == (expected.what == What::Key);
                (!right).then(|| format!("key {key} {}", if exists { "there" } else { "missing" }))
            }
            What::Value(name, data) => {
                let found = reading::value(hive, key, name).map_err(Error::corrupt(path))?;
                (found != *data).then(|| {
                    let found = found.map_or("nothing".to_owned(), |found| found.to_string());
                    format!("{found} in value {name:?} of key {key}")
                })
            }
        };
        if let Some(found) = found {
            return Err(Error::ReadBack {
                path: path.to_owned(),
                found,
            });
        }
    }
    Ok(())
}

/// Checks an edited hive in full and has it read by the second reader. Where it does not pass,
/// the hive as it lies on disk tells whether it was sound before.
pub(crate) fn in_full(
    edited: Edited,
    path: &str,
    wanted: &[Expected],
    logs: &Logs,
    primary: &dyn OpenFile,
) -> Result<Passed, Error> {
    let report = check(edited.hive());
    let summary = CheckSummary::from(&report);
    if !report.is_sound() {
        let untouched = CheckSummary::from(&check(&untouched(primary, path, logs)?));
        if untouched.errors > 0 {
            return Err(Refusal::HiveErrors {
                path: path.to_owned(),
                check: Box::new(untouched),
            }
            .into());
        }
        return Err(Error::Unsound {
            path: path.to_owned(),
            check: Box::new(summary),
        });
    }
    let _ = wanted;
    Ok(Passed {
        hive: edited.unverified(),
        check: Some(summary),
        second_reader: SecondReader::Skipped,
    })
}

/// The hive as it lies on disk, recovered from its logs where it is dirty.
fn untouched(primary: &dyn OpenFile, path: &str, logs: &Logs) -> Result<Hive, Error> {
    let buffer = primary
        .map(0, u64::MAX)
        .map_err(Error::io(path, "read the hive again"))?;
    let opened = diskmend_hive::open(buffer).map_err(|source| Error::NotAHive {
        path: path.to_owned(),
        source,
    })?;
    match opened {
        Opened::Clean(hive) => Ok(hive),
        Opened::Dirty(dirty) => match dirty.recover(logs) {
            Ok((hive, _)) => Ok(hive),
            Err(error) => Err(Refusal::Unrecoverable {
                path: path.to_owned(),
                source: Box::new(error),
            }
            .into()),
        },
    }
}
