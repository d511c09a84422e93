//! One edit of a hive file through the engine, with the messages for the user.

use diskmend_disk::Target;
use diskmend_hive::Editor;
use diskmend_repair::documents::RepairReport;
use diskmend_repair::hive_file::HivePath;
use diskmend_repair::{Error, NotEdited, Refusal, Stop, hive_file};

use crate::failure::Failure;
use crate::hints;
use crate::hive_arg::shown;
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
    file: &HivePath,
    state: &StateArgs,
    check: Check,
    edit: impl FnOnce(&mut Editor) -> Result<T, Stop<Failure>>,
) -> Result<(RepairReport, T), Failure> {
    let mut options = state.options();
    options.check = check == Check::Full;
    let result = Steps::while_writing(|watch| hive_file::edit(file, &options, watch, edit));
    result.map_err(|error| failure(error, file, state))
}

/// Makes the edit in memory and says what is wrong with it, before anybody is asked. Returns the
/// report if there is nothing to write.
pub(crate) fn try_edit(
    file: &HivePath,
    state: &StateArgs,
    check: Check,
    edit: impl FnOnce(&mut Editor) -> Result<(), Stop<Failure>>,
) -> Result<Option<RepairReport>, Failure> {
    let mut options = state.options();
    options.check = check == Check::Full;
    let mut steps = Steps::start();
    let result = hive_file::try_edit(file, &options, &mut steps.watch(), edit);
    result.map_err(|error| failure(error, file, state))
}

/// The failure that the user sees if an edit was not made.
pub(crate) fn failure(error: NotEdited<Failure>, file: &HivePath, state: &StateArgs) -> Failure {
    match error {
        NotEdited::Refused(failure) => failure,
        NotEdited::Engine(error) => engine_failure(&error, file, state),
    }
}

fn engine_failure(error: &Error, file: &HivePath, state: &StateArgs) -> Failure {
    match file {
        HivePath::File(path) => {
            let target = hive_file::target_of(path);
            let target = target.as_deref().unwrap_or(path);
            // The folder that would contain a file called `F:` exists.
            let hint = match error {
                Error::NoHive { .. } => hints::drive_letter(path),
                _ => None,
            };
            hints::engine_failure(error, target, &state.option())
                .about(path)
                .maybe_hint(hint)
        }
        HivePath::OnDisk {
            disk, partition, ..
        } => {
            if let Error::Target { source, .. } = error {
                return hints::target_failure(source);
            }
            let of_run = match error {
                Error::Refused(
                    Refusal::Unfinished { partition, .. } | Refusal::Untrusted { partition, .. },
                ) => *partition,
                _ => None,
            };
            let partition = of_run.or(*partition);
            let volume = partition.map_or_else(String::new, |number| format!(" --volume {number}"));
            let option = format!("{volume}{}", state.option());
            hints::engine_failure(error, disk, &option).about(&shown(file))
        }
    }
}

/// The options with which `undo` finds a run of the file, to be repeated in hints.
pub(crate) fn option(file: &HivePath, state: &StateArgs) -> String {
    let HivePath::OnDisk {
        disk,
        partition: Some(number),
        ..
    } = file
    else {
        return state.option();
    };
    let default = Target::open_volume(disk, None);
    match default.ok().and_then(|target| target.partition()) {
        Some(known) if known == *number => state.option(),
        _ => format!(" --volume {number}{}", state.option()),
    }
}
