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
/// PATH is a file or folder on an NTFS volume. If the volume is mounted, diskmend finds its root by
/// itself; if there is a link on the way, name the root with --target, and give PATH from there. If
/// the disk is unmounted, name the disk with --target. diskmend follows no link below the root, and
/// does not change links.
///
/// Each command that changes permissions is one run. To undo it, use 'diskmend undo' with the
/// volume's root or the disk.
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
