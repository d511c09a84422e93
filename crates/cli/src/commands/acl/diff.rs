//! `diskmend acl diff`: compares permissions with a save file.

use super::apply::show;
use super::path_arg::PathArgs;
use super::saved::SavedArgs;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::output::console::Console;
use crate::report_file::ReportArgs;

/// Compare permissions with those in a save file; nothing is written
///
/// The command shows what 'acl restore' would change.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Exit code 0: the permissions are equal. 3: they differ.

Examples:
  diskmend acl diff /mnt/f/ProgramData/Microsoft/Crypto/RSA keys.acl --owners keys.acl.owners")]
pub(crate) struct Args {
    #[command(flatten)]
    path: PathArgs,
    #[command(flatten)]
    saved: SavedArgs,
    #[command(flatten)]
    report: ReportArgs,
}

pub(super) fn run(args: &Args, console: &mut Console) -> Result<Exit, Failure> {
    let located = args.path.locate()?;
    args.report.about(&located.root, console)?;
    let engine = args.path.engine(&located)?;
    let plan = args.saved.plan(&args.path, &located, &engine)?;
    show(console, plan.report())
}
