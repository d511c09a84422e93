//! Making sure of a hive: that it holds what was wanted, and that its structure is sound.

use diskmend_hive::check::check;
use diskmend_hive::{
    Edited, Expectation, Expected, Hive, Logs, Opened, ReadBack, Verified, read_back,
};

use crate::documents::{CheckSummary, SecondReader};
use crate::error::{Error, Refusal};
use crate::reading;
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
pub(crate) fn look(hive: &Hive, path: &str, wanted: &[Expectation<'_>]) -> Result<(), Error> {
    for expectation in wanted {
        let key = &expectation.key;
        let value = |name: &str| reading::value(hive, key, name).map_err(Error::corrupt(path));
        let found = match &expectation.expected {
            Expected::Key | Expected::NoKey => {
                let exists = hive.key(key).map_err(Error::corrupt(path))?.is_some();
                let right = exists == (expectation.expected == Expected::Key);
                (!right).then(|| format!("key {key} {}", if exists { "there" } else { "missing" }))
            }
            Expected::NoValue { name } => {
                value(name)?.map(|found| format!("{found} in value {name:?} of key {key}"))
            }
            Expected::Value {
                name,
                data_type,
                data,
            } => {
                let found = value(name)?;
                let right = found
                    .as_ref()
                    .is_some_and(|found| found.value_type == *data_type && found.bytes == **data);
                (!right).then(|| {
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
/// the hive as it lies on disk tells whether it was sound, and readable, before.
pub(crate) fn in_full(
    edited: Edited,
    path: &str,
    wanted: &[Expectation<'_>],
    logs: &Logs,
    primary: &dyn OpenFile,
) -> Result<Passed, Error> {
    let untouched = || untouched(primary, path, logs);
    let report = check(edited.hive());
    let summary = CheckSummary::from(&report);
    if !report.is_sound() {
        refuse_damaged(path, logs, primary)?;
        return Err(Error::Unsound {
            path: path.to_owned(),
            check: Box::new(summary),
        });
    }
    let differs = |found: String| Error::SecondReader {
        path: path.to_owned(),
        found,
    };
    let second_reader = match read_back(edited.hive().image().file(), wanted) {
        ReadBack::Agrees => SecondReader::Agrees,
        ReadBack::Disagrees {
            path,
            expected,
            actual,
        } => {
            return Err(differs(format!(
                "{path}: expected {expected}, found {actual}"
            )));
        }
        ReadBack::CannotRead { reason } => match read_back(untouched()?.image().file(), wanted) {
            ReadBack::CannotRead { .. } => SecondReader::CannotRead(reason),
            ReadBack::Agrees | ReadBack::Disagrees { .. } => return Err(differs(reason)),
        },
    };
    Ok(Passed {
        hive: edited.unverified(),
        check: Some(summary),
        second_reader,
    })
}

/// Tells whether the hive as it lies on disk is sound.
///
/// # Errors
/// [`Refusal::HiveErrors`] where it is not.
pub(crate) fn refuse_damaged(path: &str, logs: &Logs, primary: &dyn OpenFile) -> Result<(), Error> {
    let before = CheckSummary::from(&check(&untouched(primary, path, logs)?));
    if before.errors == 0 {
        return Ok(());
    }
    Err(Refusal::HiveErrors {
        path: path.to_owned(),
        check: Box::new(before),
    }
    .into())
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
