//! `diskmend acl restore`: restores permissions from a save file.

use super::apply::{Carry, carry_out};
use super::path_arg::PathArgs;
use super::saved::SavedArgs;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::output::console::Console;

/// Restore permissions from a save file, as 'icacls /restore' does
///
/// PATH is the folder to which the paths in the file are relative: for a file from 'acl save', the
/// folder that contains what was saved; for a file from a run's folder, the root of the volume.
///
/// SDDL can name accounts relative to a machine or domain (LA, DA). These are accounts of the
/// Windows on the disk, and diskmend takes their SIDs from its SAM and SECURITY hives. If an
/// account is unknown, diskmend names it and leaves the object unchanged; it restores the other
/// objects (exit code 4).
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  diskmend acl restore /mnt/f/ProgramData/Microsoft/Crypto/RSA keys.acl --owners keys.acl.owners
  diskmend acl restore /mnt/f /mnt/f/diskmend/runs/20261123T124100Z.files/permissions-before.icacls")]
pub(crate) struct Args {
    #[command(flatten)]
    path: PathArgs,
    #[command(flatten)]
    saved: SavedArgs,
    #[command(flatten)]
    carry: Carry,
}

pub(super) fn run(args: &Args, console: &mut Console) -> Result<Exit, Failure> {
    let located = args.path.locate()?;
    args.carry.report.about(&located.root, console)?;
    let engine = args.path.engine(&located)?;
    let plan = args.saved.plan(&args.path, &located, &engine)?;
    carry_out(console, &args.path, &located, plan, &args.carry)
}
