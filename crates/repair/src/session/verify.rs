//! Verifying an edited hive: it holds the wanted values, its structure is sound, and a second
//! reader agrees.

use diskmend_hive::check::check;
use diskmend_hive::{
    Change, Changes, Committable, Edited, Expectation, Hive, Logs, Opened, VerifyError,
};

use diskmend_disk::{File, MappedFile};

use crate::check_summary::CheckSummary;
use crate::error::{Error, Refusal};
use crate::second_reader::SecondReader;
use crate::second_reader::{ReadBack, read_back};

/// An edited hive that may be committed, and the results of verifying it.
pub(crate) struct Passed {
    pub(crate) hive: Committable,
    pub(crate) changes: Changes,
    pub(crate) check: Option<CheckSummary>,
    pub(crate) second_reader: SecondReader,
}

/// Looks up every change.
///
/// # Errors
/// [`Error::ReadBack`] if something else is found.
pub(crate) fn look(hive: &Hive, path: &str, changes: &[Change]) -> Result<(), Error> {
    for expectation in Expectation::of_all(changes) {
        let found = expectation.differs(hive).map_err(Error::corrupt(path))?;
        if let Some(found) = found {
            return Err(Error::ReadBack {
                path: path.to_owned(),
                found,
            });
        }
    }
    Ok(())
}

/// Verifies only what the edit has changed.
pub(crate) fn in_part(edited: Edited, path: &str) -> Result<Passed, Error> {
    let passed = edited.skip_verification();
    let (hive, changes) = passed.map_err(|error| not_verified(path, error))?;
    Ok(Passed {
        hive: hive.into(),
        changes,
        check: None,
        second_reader: SecondReader::Skipped,
    })
}

/// Checks an edited hive completely and reads it with the second reader. If it doesn't pass, the
/// hive on disk shows if it was sound and readable before.
pub(crate) fn in_full(
    edited: Edited,
    path: &str,
    logs: &Logs,
    primary: &dyn File,
) -> Result<Passed, Error> {
    let (verified, changes) = match edited.verify() {
        Err(error @ VerifyError::Unsound(_)) => {
            refuse_damaged(path, logs, primary)?;
            return Err(not_verified(path, error));
        }
        verified => verified.map_err(|error| not_verified(path, error))?,
    };
    let check = Some(CheckSummary::from(verified.report()));
    let hive = Committable::from(verified);
    let wanted = Expectation::of_all(changes.list());
    let differs = |found: String| Error::SecondReader {
        path: path.to_owned(),
        found,
    };
    let second_reader = match read_back(hive.image().file(), &wanted) {
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
        ReadBack::CannotRead { reason } => {
            let untouched = untouched(primary, path, logs)?;
            match read_back(untouched.image().file(), &wanted) {
                ReadBack::CannotRead { .. } => SecondReader::CannotRead(reason),
                ReadBack::Agrees | ReadBack::Disagrees { .. } => return Err(differs(reason)),
            }
        }
    };
    Ok(Passed {
        hive,
        changes,
        check,
        second_reader,
    })
}

/// Checks a new hive completely and reads it with the second reader, which must agree.
pub(crate) fn new_hive(edited: Edited, path: &str) -> Result<Passed, Error> {
    let (verified, changes) = edited.verify().map_err(|error| not_verified(path, error))?;
    let check = Some(CheckSummary::from(verified.report()));
    let hive = Committable::from(verified);
    let wanted = Expectation::of_all(changes.list());
    let differs = |found: String| Error::SecondReader {
        path: path.to_owned(),
        found,
    };
    match read_back(hive.image().file(), &wanted) {
        ReadBack::Agrees => {}
        ReadBack::Disagrees {
            path,
            expected,
            actual,
        } => {
            return Err(differs(format!(
                "{path}: expected {expected}, found {actual}"
            )));
        }
        ReadBack::CannotRead { reason } => return Err(differs(reason)),
    }
    Ok(Passed {
        hive,
        changes,
        check,
        second_reader: SecondReader::Agrees,
    })
}

fn not_verified(path: &str, error: VerifyError) -> Error {
    let path = path.to_owned();
    match error {
        VerifyError::Corrupt(source) => Error::corrupt(&path)(source),
        VerifyError::OtherThanEdited { found } => Error::ReadBack { path, found },
        VerifyError::Unsound(report) => Error::Unsound {
            path,
            check: Box::new(CheckSummary::from(report.as_ref())),
        },
    }
}

/// Refuses if the hive on disk isn't sound.
///
/// # Errors
/// [`Refusal::HiveErrors`] if it isn't sound.
pub(crate) fn refuse_damaged(path: &str, logs: &Logs, primary: &dyn File) -> Result<(), Error> {
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

/// The hive on disk, recovered from its logs if it is dirty.
fn untouched(primary: &dyn File, path: &str, logs: &Logs) -> Result<Hive, Error> {
    let buffer =
        MappedFile::open(primary, 0, u64::MAX).map_err(Error::io(path, "read the hive again"))?;
    let opened = diskmend_hive::open(Box::new(buffer)).map_err(|source| Error::NotAHive {
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
