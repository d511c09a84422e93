//! `diskmend acl restore`: permissions from a save file.

use super::apply::{Carry, carry_out};
use super::path_arg::PathArgs;
use super::saved::SavedArgs;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::output::console::Console;

/// Restore permissions from a save file, as 'icacls /restore' does
///
/// PATH is the folder that the paths in the file are relative to: for a file from 'acl save' the
/// folder that holds what was saved, for one from a run's folder the root of the volume.
///
/// Accounts that SDDL names by their machine or domain (LA, DA) are those of the Windows on the disk,
/// whose SAM and SECURITY hives tell their SIDs. An object with an account that is not known is left
/// as it is and named; the others are restored (exit code 4).
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  diskmend acl restore /mnt/f/ProgramData/Microsoft/Crypto/RSA keys.acl --owners keys.acl.owners
  diskmend acl restore /mnt/f /mnt/f/diskmend/runs/20261123T124100Z/permissions-before.icacls")]
pub(crate) struct Args {
    #[command(flatten)]
    path: PathArgs,
    #[command(flatten)]
    saved: SavedArgs,
    #[command(flatten)]
    carry: Carry,
}

pub(super) fn run(args: &Args, console: &mut Console) -> Result<Exit, Failure> {
    args.carry.can_be_had()?;
    let located = args.path.locate()?;
    let engine = args.path.engine(&located)?;
    let plan = args.saved.plan(&args.path, &located, &engine)?;
    carry_out(console, &args.path, &located, plan, &args.carry)
}
