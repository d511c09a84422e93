//! The command line as the user typed it.

use clap::Parser;

use crate::commands::Command;
use crate::common::Common;

/// Repairs the Windows installation on a disk that is attached to this machine
///
/// diskmend edits only the files of the attached disk. It first recovers registry hives that were
/// not closed cleanly, checks every change before it writes it, and writes so that a power failure
/// leaves either the old or the new state. You can undo every change.
#[derive(Debug, Parser)]
#[command(
    name = "diskmend",
    version,
    max_term_width = 100,
    arg_required_else_help = true,
    after_help = crate::help::PROGRAM,
    after_long_help = crate::help::program_long(),
)]
pub(crate) struct Args {
    #[command(flatten)]
    pub(crate) common: Common,
    #[command(subcommand)]
    pub(crate) command: Command,
}
