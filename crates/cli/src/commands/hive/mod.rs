//! `diskmend hive`: the engine applied to any hive file.

pub(crate) mod check;
pub(crate) mod delete;
pub(crate) mod edit;
pub(crate) mod export;
pub(crate) mod get;
pub(crate) mod import;
pub(crate) mod ls;
pub(crate) mod reading;
pub(crate) mod recover;
pub(crate) mod set;

use clap::Subcommand;

use crate::exit::Exit;
use crate::failure::Failure;
use crate::output::console::Console;

/// Read, check, edit and recover a single registry hive file
///
/// FILE is a hive: SYSTEM, SOFTWARE, NTUSER.DAT, a BCD store and so on. If it is on an unmounted
/// disk, FILE is IMAGE:PATH, with the path from the root of its volume; or name the disk with
/// --target IMAGE, and give only the path. An existing file with the whole name is that file, and
/// a single letter before the colon is a drive. To undo an edit on an unmounted disk, use
/// 'diskmend undo IMAGE'.
///
/// diskmend looks for its
/// transaction logs in the same folder (FILE.LOG, FILE.LOG1, FILE.LOG2). Commands that read a hive
/// which was not closed cleanly replay its logs in memory and never write. If no log applies, ls,
/// get and export show the file as it is, with a warning. Commands that change a hive recover it
/// first, and refuse it if no log applies.
///
/// Name keys by their path below the hive's root, separated by backslashes; case does not matter.
/// Characters that can't be shown are printed, and accepted, as <U+XXXX>.
#[derive(Debug, Subcommand)]
pub(crate) enum HiveCommand {
    Check(check::Args),
    Ls(ls::Args),
    Get(get::Args),
    Set(set::Args),
    Delete(delete::Args),
    Export(export::Args),
    Import(import::Args),
    Recover(recover::Args),
}

pub(super) fn run(command: &HiveCommand, console: &mut Console) -> Result<Exit, Failure> {
    match command {
        HiveCommand::Check(args) => check::run(args, console),
        HiveCommand::Ls(args) => ls::run(args, console),
        HiveCommand::Get(args) => get::run(args, console),
        HiveCommand::Set(args) => set::run(args, console),
        HiveCommand::Delete(args) => delete::run(args, console),
        HiveCommand::Import(args) => import::run(args, console),
        HiveCommand::Recover(args) => recover::run(args, console),
        HiveCommand::Export(args) => export::run(args, console),
    }
}

/// The hive's place in the registry.
#[derive(Debug, clap::Args)]
pub(crate) struct PrefixArg {
    /// The hive's place in the registry, as in 'HKEY_LOCAL_MACHINE\SYSTEM'; paths may then start
    /// with it
    #[arg(long, value_name = "PATH")]
    pub(crate) prefix: Option<String>,
}
