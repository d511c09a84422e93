//! The common parts of the commands that read a hive.

use diskmend_base::escape::Visible;
use diskmend_hive::name::Name;
use diskmend_hive::{Corruption, Hive, Key, RecoverError, Value, ValueType};
use diskmend_repair::hive_file::{self, HivePath, OpenHive};
use diskmend_repair::{Error, Refusal, ValueData};
use serde::Serialize;

use crate::exit::Exit;
use crate::failure::Failure;
use crate::hints;
use crate::hive_arg::shown;
use crate::key_path;
use crate::output::console;
use crate::output::value;

/// The name that is shown for the default value, which has no name.
pub(crate) const DEFAULT_VALUE: &str = "(Default)";

/// A hive file that is open for reading.
pub(crate) struct Source {
    hive: Hive,
}

/// Opens a hive file for reading.
pub(crate) fn open(file: &HivePath) -> Result<OpenHive, Failure> {
    hive_file::open(file).map_err(|error| failure(&error, file))
}

/// Reading refuses nothing, so a hive that can't be read is a failure.
pub(crate) fn failure(error: &Error, file: &HivePath) -> Failure {
    match (file, error) {
        (HivePath::OnDisk { .. }, Error::Target { source, .. }) => hints::target_failure(source),
        (HivePath::OnDisk { disk, .. }, error) => hints::engine_failure(error, disk, "")
            .about(&shown(file))
            .with_exit(Exit::Failure),
        (HivePath::File(path), error) => hints::engine_failure(error, path, "")
            .about(path)
            .with_exit(Exit::Failure),
    }
}

/// True if the hive is dirty, and no log that applies to it is there.
fn has_no_log(error: &Error) -> bool {
    match error {
        Error::Refused(Refusal::Unrecoverable { source, .. }) => {
            matches!(source.downcast_ref(), Some(RecoverError::NoLog(_)))
        }
        _ => false,
    }
}

impl Source {
    /// Opens the hive. If it is dirty, it is recovered in memory, and a note says so.
    pub(crate) fn open(file: &HivePath) -> Result<Self, Failure> {
        Ok(Self::recovered(file, open(file)?))
    }

    fn recovered(file: &HivePath, opened: OpenHive) -> Self {
        let OpenHive { hive, status } = opened;
        if let Some(state) = status.dirty {
            let pages = status.recovery.map_or(0, |recovery| recovery.pages);
            console::note(format_args!(
                "{}: not closed cleanly ({state}); shown after replaying its logs in memory \
                 ({pages} pages); nothing is written",
                file,
            ));
        }
        Self { hive }
    }

    /// Opens the hive for a listing. If it is dirty and no log applies, it is shown as it is in the
    /// file, and a warning says so.
    pub(crate) fn open_listed(file: &HivePath) -> Result<Self, Failure> {
        let error = match hive_file::open(file) {
            Ok(opened) => return Ok(Self::recovered(file, opened)),
            Err(error) => error,
        };
        let failure = failure(&error, file);
        if !has_no_log(&error) {
            return Err(failure);
        }
        // If even that fails, the first error is the one to be solved.
        let Ok(hive) = hive_file::open_as_stored(file) else {
            return Err(failure);
        };
        console::warn(failure.message());
        console::warn(
            "the file is shown as it is: changes in missing logs are not in it, and its parts may \
             be of different ages",
        );
        failure.hints().iter().for_each(console::hint);
        Ok(Self { hive })
    }

    /// The hive.
    pub(crate) fn hive(&self) -> &Hive {
        &self.hive
    }

    /// The key at a path below the root.
    pub(crate) fn key(&self, path: &str) -> Result<Key<'_>, Failure> {
        let found = self.hive.key(path).map_err(|error| corrupt(&error))?;
        found.ok_or_else(|| {
            let shown = key_path::shown(path);
            Failure::new(Exit::Failure, format_args!("key {shown} does not exist"))
                .maybe_hint(key_path::hint(path))
        })
    }
}

/// A structure that can't be read.
pub(crate) fn corrupt(error: &Corruption) -> Failure {
    Failure::of(Exit::Failure, error).hint("'diskmend hive check FILE' lists all problems")
}

/// A key's name as part of a path; different names always look different.
pub(crate) fn key_name(name: Name<'_>) -> String {
    name.in_path().to_string()
}

/// A value's name as text; different names always look different.
pub(crate) fn value_name(name: Name<'_>) -> String {
    let text = name.escaped().to_string();
    if key_path::value_name(&text) == text {
        text
    } else {
        match text.strip_prefix('(') {
            Some(rest) => format!("<U+0028>{rest}"),
            None => "<U+0040>".to_owned(),
        }
    }
}

/// A value for text and JSON output.
#[derive(Serialize)]
pub(crate) struct ValueRow {
    /// The name; empty for the default value.
    pub(crate) name: String,
    /// The type and the data.
    #[serde(flatten)]
    pub(crate) data: ValueData,
}

impl ValueRow {
    /// Reads the data of a value.
    pub(crate) fn of(value: &Value<'_>) -> Result<Self, Corruption> {
        Ok(Self {
            name: value_name(value.name()),
            data: ValueData {
                value_type: value.data_type(),
                bytes: value.data()?.into_owned(),
            },
        })
    }

    /// The name for text output.
    pub(crate) fn shown_name(&self) -> &str {
        match self.name.as_str() {
            "" => DEFAULT_VALUE,
            name => name,
        }
    }

    /// One line, in the format of `reg query`.
    pub(crate) fn line(&self) -> String {
        let data = value::line(self.data.value_type, &self.data.bytes);
        let name = Visible(self.shown_name());
        format!(
            "    {name}    {}    {}",
            type_name(self.data.value_type),
            Visible(&data)
        )
    }
}

/// The type's name, or its number as `reg query` shows it.
pub(crate) fn type_name(value_type: ValueType) -> String {
    value_type.to_string()
}

/// The values of a key that can be read, and the errors of the others.
pub(crate) fn values(key: &Key<'_>) -> (Vec<ValueRow>, Vec<Corruption>) {
    let mut rows = Vec::new();
    let mut errors = Vec::new();
    match key.values() {
        Ok(values) => {
            for value in values {
                match value.and_then(|value| ValueRow::of(&value)) {
                    Ok(row) => rows.push(row),
                    Err(error) => errors.push(error),
                }
            }
        }
        Err(error) => errors.push(error),
    }
    (rows, errors)
}
