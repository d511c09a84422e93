//! One edit of a hive file through the engine, with the messages for the user.

use std::path::Path;

use diskmend_hive::Editor;
use diskmend_repair::documents::RepairReport;
use diskmend_repair::{Error, NotEdited, Stop, hive_file};

use crate::failure::Failure;
use crate::hints;
use crate::progress::Steps;
use crate::target_arg::StateArgs;

/// Whether the hive is fully checked and read by a second reader before it is written.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Check {
    Full,
    None,
}

/// Recovers the hive file if it is dirty, and edits it. If the edit refuses, nothing is written.
pub(crate) fn edit<T>(
    file: &Path,
    state: &StateArgs,
    check: Check,
    edit: impl FnOnce(&mut Editor) -> Result<T, Stop<Failure>>,
) -> Result<(RepairReport, T), Failure> {
    let mut options = state.options();
    options.check = check == Check::Full;
    let result = Steps::while_writing(|watch| hive_file::edit(file, &options, watch, edit));
    result.map_err(|error| failure(error, file, state))
}

/// The failure that the user sees if an edit was not made.
pub(crate) fn failure(error: NotEdited<Failure>, file: &Path, state: &StateArgs) -> Failure {
    match error {
        NotEdited::Refused(failure) => failure,
        NotEdited::Engine(error) => {
            let target = hive_file::target_of(file);
            let target = target.as_deref().unwrap_or(file);
            // The folder that would contain a file called `F:` exists.
            let hint = match error {
                Error::NoHive { .. } => hints::drive_letter(file),
                _ => None,
            };
            hints::engine_failure(&error, target, &state.option())
                .about(file)
                .maybe_hint(hint)
        }
    }
}
