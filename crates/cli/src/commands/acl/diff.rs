//! `diskmend acl diff`: permissions compared with a save file.

use diskmend_repair::acl_edit;

use super::apply::show;
use super::path_arg::PathArgs;
use super::saved::SavedArgs;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::output::console::Console;
use crate::progress::Steps;

/// Compare permissions with those in a save file; nothing is written
///
/// What is shown is what 'acl restore' would change.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Exit code 0 means that they are the same, 3 that they are not.

Examples:
  diskmend acl diff /mnt/f/ProgramData/Microsoft/Crypto/RSA keys.acl --owners keys.acl.owners")]
pub(crate) struct Args {
    #[command(flatten)]
    path: PathArgs,
    #[command(flatten)]
    saved: SavedArgs,
}

pub(super) fn run(args: &Args, console: &mut Console) -> Result<Exit, Failure> {
    let saved = args.saved.read()?;
    let located = args.path.locate()?;
    let options = args.path.options();
    let mut steps = Steps::start();
    let (target, names) = (&located.target, located.names());
    let plan = acl_edit::plan_restore(target, &names, &saved, &options, &mut steps.watch());
    drop(steps);
    let plan = plan.map_err(|error| args.path.failure(&located, &error))?;
    show(console, plan.report())
}
