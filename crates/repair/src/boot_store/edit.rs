//! Changing a store while each edit is noted.

use diskmend_bcd::check::{self, Level, Problem};
use diskmend_bcd::{Change, ChangeError, HiveEdit};
use diskmend_hive::{Corruption, EditError, Key, Outcome, ValueType};

use crate::error::{Error, Refusal};
use crate::recorder::Recorder;
use crate::stop::Stop;

impl HiveEdit for Recorder {
    fn key(&self, path: &str) -> Result<Option<Key<'_>>, Corruption> {
        Self::key(self, path)
    }

    fn create_key(&mut self, path: &str) -> Result<Outcome, EditError> {
        Self::create_key(self, path)
    }

    fn delete_key(&mut self, path: &str) -> Result<Outcome, EditError> {
        Self::delete_key(self, path)
    }

    fn set_value(
        &mut self,
        path: &str,
        name: &str,
        value_type: ValueType,
        data: &[u8],
    ) -> Result<Outcome, EditError> {
        Self::set_value(self, path, name, value_type, data)
    }

    fn delete_value(&mut self, path: &str, name: &str) -> Result<Outcome, EditError> {
        Self::delete_value(self, path, name)
    }
}

/// Makes changes in a store, and checks what it means before and after: an error that was not
/// there before is one that the changes have made.
pub(crate) fn make(
    recorder: &mut Recorder,
    path: &str,
    changes: &[Change],
) -> Result<(), Stop<Error>> {
    let before = problems(recorder)?;
    for change in changes {
        change.apply(recorder).map_err(|error| match error {
            ChangeError::Edit(error) => Stop::Edit(error),
            source => Stop::Refused(Error::StoreChange {
                path: path.to_owned(),
                source,
            }),
        })?;
    }
    let after = problems(recorder)?;
    let new = after
        .into_iter()
        .find(|problem| problem.level == Level::Error && !before.contains(problem));
    match new {
        None => Ok(()),
        Some(problem) => Err(Stop::Refused(
            Refusal::StoreUnsound {
                path: path.to_owned(),
                problem: problem.to_string(),
            }
            .into(),
        )),
    }
}

fn problems(recorder: &Recorder) -> Result<Vec<Problem>, EditError> {
    let root = recorder.key("")?;
    Ok(root.map_or_else(Vec::new, |root| check::check(root).problems))
}
