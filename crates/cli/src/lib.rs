//! The program `diskmend`: arguments, printing, questions and exit codes. The crates below do the
//! work. This crate is a library so that its command line can be read too.
//!
//! ```
//! let command = diskmend::command();
//! assert!(command.find_subcommand("hive").is_some());
//! assert_eq!(diskmend::Exit::Refused.code(), 5);
//! ```
//!
//! | module | what it contains |
//! |---|---|
//! | `args` | the command line as typed |
//! | `common` | the options that every command has |
//! | `commands` | one file for each command: its arguments and its run |
//! | `html` | results as a page for a ticket |
//! | `output` | tables, JSON, styles, escaping, the log |
//! | [`Exit`] | the exit codes |
//! | `hints` | what the user can do about an error |

#![forbid(unsafe_code)]

mod args;
mod boot_arg;
mod commands;
mod common;
mod consent;
mod data_arg;
mod disk_map;
mod exit;
mod failure;
mod help;
mod hints;
mod hive_arg;
mod hive_session;
mod hive_target;
mod html;
mod image_path;
mod interrupt;
mod key_path;
mod key_store;
mod nearest;
mod new_file;
mod output;
mod plan_file;
mod progress;
mod recipe_file;
mod report_file;
mod rule_file;
mod since_arg;
mod target_arg;
mod volume_root;
mod walk;
mod windows_on;

use std::process::ExitCode;

use clap::{ArgMatches, CommandFactory as _, FromArgMatches as _, Parser as _};
use diskmend_base::escape::Visible;

use args::Args;
pub use exit::Exit;
use failure::Failure;
pub use help::reference;
use output::console::Console;

/// The definition of the command line, for the manual pages and shell completions.
#[must_use]
pub fn command() -> clap::Command {
    Args::command()
}

/// Runs the program with the process's arguments.
#[must_use]
pub fn main() -> ExitCode {
    match parse() {
        Ok((args, name)) => run(&args, &name).into(),
        Err(error) => {
            let error = shown(error);
            // If neither stream can be written, nobody can read the message.
            let _ = error.print();
            if error.use_stderr() {
                Exit::Usage.into()
            } else {
                Exit::Done.into()
            }
        }
    }
}

/// The process's arguments, and the name of the command in them.
fn parse() -> Result<(Args, String), clap::Error> {
    let matches = Args::command().try_get_matches()?;
    let args = Args::from_arg_matches(&matches);
    let args = args.map_err(|error| error.format(&mut Args::command()))?;
    Ok((args, name(&matches)))
}

/// The name of the command, such as `hive set`.
fn name(matches: &ArgMatches) -> String {
    let mut names = Vec::new();
    let mut at = matches;
    while let Some((name, below)) = at.subcommand() {
        names.push(name);
        at = below;
    }
    names.join(" ")
}

/// Makes an error about the arguments safe to print. A shell's pattern can expand to names of files
/// on a disk, and clap prints unexpected arguments unchanged.
fn shown(error: clap::Error) -> clap::Error {
    if !error.use_stderr() {
        return error;
    }
    let visible = std::env::args_os().map(|argument| {
        let argument = argument.to_string_lossy();
        Visible(&argument).to_string()
    });
    Args::try_parse_from(visible).err().unwrap_or(error)
}

fn run(args: &Args, name: &str) -> Exit {
    let mut console = Console::new(&args.common);
    output::log::start(args.common.verbose);
    interrupt::listen();
    let result = commands::run(&args.command, &mut console).and_then(|exit| {
        // The changes stay, even if nobody reads the result to its end.
        let flushed = console.flush().map_err(Failure::from);
        flushed.map(|()| exit)
    });
    let page = console.take_page();
    let (exit, failure) = match result {
        Ok(exit) => (exit, None),
        Err(failure) => (console.fail(&failure), Some(failure)),
    };
    // A reader who has closed the output is no reason to show on the page.
    let failure = failure.filter(|failure| !failure.is_closed_pipe());
    match page {
        Some(page) => report_file::write(&page, name, exit, failure.as_ref()),
        None => exit,
    }
}
