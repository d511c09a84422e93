//! The command line as typed.

use clap::Parser;

use crate::commands::Command;
use crate::common::Common;

/// Repairs the Windows installation on a disk that is attached to this machine
///
/// diskmend edits the files of the attached disk only: registry hives that were not closed cleanly
/// are recovered first, every change is checked before it is written, written so that a power
/// failure leaves the old or the new state, and can be undone.
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
