//! `diskmend acl reset`: gives an object only the entries that it inherits.

use super::apply::{Carry, carry_out};
use super::path_arg::PathArgs;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::output::console::Console;
use crate::progress::Steps;

/// Reset permissions to those that the folder above passes on, as 'icacls /reset' does
///
/// diskmend removes the object's own entries and its protection from inheritance, and keeps owner,
/// group and auditing. If the folder above passes nothing on, as the folder of the machine's keys
/// does, nobody could open the object any more: diskmend then leaves it unchanged and says so.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  diskmend acl reset /mnt/f/Users/admin/Desktop --tree
  diskmend acl reset 'inetpub\\wwwroot' --target /mnt/f --tree --dry-run")]
pub(crate) struct Args {
    #[command(flatten)]
    path: PathArgs,
    /// Also reset everything in a folder, at any depth
    #[arg(short, long)]
    tree: bool,
    #[command(flatten)]
    carry: Carry,
}

pub(super) fn run(args: &Args, console: &mut Console) -> Result<Exit, Failure> {
    let located = args.path.locate()?;
    args.carry.report.about(&located.root, console)?;
    let engine = args.path.engine(&located)?;
    let mut steps = Steps::start();
    let plan = engine.plan_acl_reset(&located.names(), args.tree, &mut steps.watch());
    drop(steps);
    let plan = plan.map_err(|error| args.path.failure(&located, &error))?;
    carry_out(console, &args.path, &located, plan, &args.carry)
}
