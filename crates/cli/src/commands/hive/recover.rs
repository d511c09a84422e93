//! `diskmend hive recover`: recovers a dirty hive from its logs.

use super::edit::{self, FileArgs};
use crate::exit::Exit;
use crate::failure::Failure;
use crate::output::console::Console;

/// Recover a hive that was not closed cleanly from its transaction logs
///
/// diskmend replays the logs as Windows would, and writes the result in place. It does not change a
/// clean hive, whatever its logs contain.
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
