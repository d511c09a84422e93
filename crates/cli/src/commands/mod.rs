//! The commands, one file each.

pub(crate) mod hive;
pub(crate) mod recipes;

use crate::args::Command;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::output::console::Console;

/// Runs one command.
pub(crate) fn run(command: &Command, console: &mut Console) -> Result<Exit, Failure> {
    match command {
        Command::Recipes(args) => recipes::run(args, console),
        Command::Hive(command) => hive::run(command, console),
    }
}
