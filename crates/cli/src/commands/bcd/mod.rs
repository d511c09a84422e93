//! `diskmend bcd`: the boot store.

pub(crate) mod check;
pub(crate) mod copy;
pub(crate) mod delete;
pub(crate) mod difference;
pub(crate) mod edit;
pub(crate) mod export;
pub(crate) mod import;
mod reading;
pub(crate) mod set;
pub(crate) mod show;
mod store_arg;

use clap::Subcommand;

use crate::exit::Exit;
use crate::failure::Failure;
use crate::output::console::Console;

/// Read, check and edit a boot store, as bcdedit does
///
/// STORE is a boot store's file (BCD), the mount point of its volume, or an unmounted disk: diskmend
/// looks for \Boot\BCD and \EFI\Microsoft\Boot\BCD there, and takes the store if there is only one.
/// On EFI machines the store is on the EFI system partition, which has no drive letter. IMAGE:PATH
/// is the file with that path on an unmounted disk.
///
/// Commands that read a store which was not closed cleanly replay its logs in memory and never
/// write. Commands that change it recover it first, and can be undone like a repair.
///
/// Name objects by GUID or as {bootmgr}, {default}, {emssettings} and so on. Name elements as
/// bcdedit does, by id (0x26000020), or as custom:26000020.
#[derive(Debug, Subcommand)]
pub(crate) enum BcdCommand {
    Show(show::Args),
    Set(set::Args),
    Delete(delete::Args),
    Copy(copy::Args),
    Check(check::Args),
    Export(export::Args),
    Import(import::Args),
}

pub(super) fn run(command: &BcdCommand, console: &mut Console) -> Result<Exit, Failure> {
    match command {
        BcdCommand::Show(args) => show::run(args, console),
        BcdCommand::Set(args) => set::run(args, console),
        BcdCommand::Delete(args) => delete::run(args, console),
        BcdCommand::Copy(args) => copy::run(args, console),
        BcdCommand::Check(args) => check::run(args, console),
        BcdCommand::Export(args) => export::run(args, console),
        BcdCommand::Import(args) => import::run(args, console),
    }
}
