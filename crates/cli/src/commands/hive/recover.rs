//! `diskmend hive recover`: brings a dirty hive to the state that its logs hold.

use super::edit::{self, FileArgs};
use crate::exit::Exit;
use crate::failure::Failure;
use crate::output::console::Console;

/// Recover a hive that was not closed cleanly from its transaction logs
///
/// The logs are replayed as Windows would replay them, and the result is written in place. A clean
/// hive is left as it is, whatever its logs hold.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  diskmend hive recover /mnt/f/Windows/System32/config/SYSTEM
  diskmend hive recover NTUSER.DAT --yes")]
pub(crate) struct Args {
    #[command(flatten)]
    file: FileArgs,
}

pub(super) fn run(args: &Args, console: &mut Console) -> Result<Exit, Failure> {
    edit::recover(&args.file, console)
}
