//! `diskmend acl`: permissions of files.

pub(crate) mod apply;
pub(crate) mod diff;
pub(crate) mod path_arg;
pub(crate) mod reset;
pub(crate) mod restore;
pub(crate) mod save;
mod saved;
pub(crate) mod show;
mod walk;

use clap::Subcommand;

use crate::exit::Exit;
use crate::failure::Failure;
use crate::output::console::Console;

/// Show, save, restore and reset the permissions of files, as icacls does
///
/// PATH is a file or folder on an NTFS volume. Where that is mounted its root is found by itself;
/// where a link lies on the way, name the root with --target, and PATH from there on. On a disk that
/// is not mounted, name the disk with --target. No link below the root is followed, and what is a
/// link is not changed.
///
/// What changes permissions is one run, and is undone by 'diskmend undo' with the volume's root or
/// the disk.
#[derive(Debug, Subcommand)]
pub(crate) enum AclCommand {
    Show(show::Args),
    Save(save::Args),
    Restore(restore::Args),
    Diff(diff::Args),
    Reset(reset::Args),
}

pub(super) fn run(command: &AclCommand, console: &mut Console) -> Result<Exit, Failure> {
    match command {
        AclCommand::Show(args) => show::run(args, console),
        AclCommand::Save(args) => save::run(args, console),
        AclCommand::Restore(args) => restore::run(args, console),
        AclCommand::Diff(args) => diff::run(args, console),
        AclCommand::Reset(args) => reset::run(args, console),
    }
}
