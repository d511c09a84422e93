//! Executes a plan.

use std::io;

use crate::commit::error::CommitError;
use crate::commit::files::{HiveFileKind, HiveFiles};
use crate::commit::plan::{CommitPlan, Step};
use diskmend_base::Storage;

/// Executes the steps of the plan, and nothing else. It stops at the first error: whatever has been
/// written by then, the hive can be recovered to the old or the new state.
///
/// # Errors
/// The error of a file. The primary file is not touched before the log is durable.
pub fn execute(plan: &CommitPlan<'_>, files: &mut dyn HiveFiles) -> Result<(), CommitError> {
    let mut primary_untouched = true;
    for step in plan.steps() {
        let (kind, action, result) = match step {
            Step::SyncFolder => {
                files.sync_folder().map_err(|source| CommitError::Folder {
                    primary_untouched,
                    source,
                })?;
                continue;
            }
            Step::Create { file } => (*file, "creating", files.create(*file)),
            Step::SetLen { file, len } => {
                let storage = open(files, *file, primary_untouched)?;
                (*file, "setting the length of", storage.set_len(*len))
            }
            Step::Write { file, offset, data } => {
                if *file == HiveFileKind::Primary {
                    primary_untouched = false;
                }
                let storage = open(files, *file, primary_untouched)?;
                (*file, "writing", storage.write_all_at(data, *offset))
            }
            Step::Sync { file } => {
                let storage = open(files, *file, primary_untouched)?;
                (*file, "flushing", storage.sync())
            }
        };
        result.map_err(|source: io::Error| CommitError::Io {
            file: kind,
            action,
            primary_untouched,
            source,
        })?;
    }
    Ok(())
}

fn open(
    files: &mut dyn HiveFiles,
    file: HiveFileKind,
    primary_untouched: bool,
) -> Result<&mut dyn Storage, CommitError> {
    files.file(file).ok_or(CommitError::FileMissing {
        file,
        primary_untouched,
    })
}
