//! The commands, one file each.

pub(crate) mod acl;
pub(crate) mod bcd;
pub(crate) mod completions;
pub(crate) mod diagnose;
pub(crate) mod disks;
pub(crate) mod events;
pub(crate) mod hive;
pub(crate) mod inspect;
pub(crate) mod key;
pub(crate) mod plan;
mod prune;
pub(crate) mod recipes;
pub(crate) mod repair;
pub(crate) mod report;
pub(crate) mod run_details;
mod runs;
pub(crate) mod undo;

use clap::Subcommand;

use self::acl::AclCommand;
use self::bcd::BcdCommand;
use self::hive::HiveCommand;
use self::key::KeyCommand;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::output::console::Console;

/// The command to run.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    Diagnose(diagnose::Args),
    Inspect(inspect::Args),
    Plan(plan::Args),
    Repair(repair::Args),
    Undo(undo::Args),
    Runs(runs::Args),
    Report(report::Args),
    Disks(disks::Args),
    Events(events::Args),
    Recipes(recipes::Args),
    #[command(subcommand)]
    Key(KeyCommand),
    #[command(subcommand)]
    Hive(HiveCommand),
    #[command(subcommand)]
    Bcd(BcdCommand),
    #[command(subcommand)]
    Acl(AclCommand),
    Completions(completions::Args),
}

/// Runs one command.
pub(crate) fn run(command: &Command, console: &mut Console) -> Result<Exit, Failure> {
    match command {
        Command::Diagnose(args) => diagnose::run(args, console),
        Command::Inspect(args) => inspect::run(args, console),
        Command::Plan(args) => plan::run(args, console),
        Command::Repair(args) => repair::run(args, console),
        Command::Undo(args) => undo::run(args, console),
        Command::Runs(args) => runs::run(args, console),
        Command::Report(args) => report::run(args, console),
        Command::Disks(args) => disks::run(args, console),
        Command::Events(args) => events::run(args, console),
        Command::Recipes(args) => recipes::run(args, console),
        Command::Key(command) => key::run(command, console),
        Command::Hive(command) => hive::run(command, console),
        Command::Bcd(command) => bcd::run(command, console),
        Command::Acl(command) => acl::run(command, console),
        Command::Completions(args) => completions::run(args, console),
    }
}
