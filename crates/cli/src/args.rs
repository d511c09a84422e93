//! The command line as typed.

use std::path::PathBuf;

use clap::{ArgAction, Parser, Subcommand, ValueEnum};
use diskmend_repair::recipe::Catalogue;

use crate::commands::acl::AclCommand;
use crate::commands::bcd::BcdCommand;
use crate::commands::hive::HiveCommand;
use crate::commands::key::KeyCommand;
use crate::commands::{disks, inspect, plan, recipes, repair, runs, undo};
use crate::failure::Failure;
use crate::recipe_file;

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

/// What every command takes.
#[derive(Debug, clap::Args)]
#[command(next_help_heading = "Common options")]
pub(crate) struct Common {
    /// Print the result as one JSON document with "schema": 1
    #[arg(long, global = true)]
    pub(crate) json: bool,
    /// Log to stderr what is done; repeat for more
    #[arg(short, long, global = true, action = ArgAction::Count)]
    pub(crate) verbose: u8,
    /// Color the output; auto is on a terminal only, unless NO_COLOR is set
    #[arg(long, global = true, value_name = "WHEN", default_value = "auto")]
    pub(crate) color: Color,
}

/// Recipes of the user's own.
#[derive(Debug, clap::Args)]
pub(crate) struct RecipeFiles {
    /// Take the recipe in this file too, under the name that it gives itself; may be repeated
    #[arg(long = "recipe", value_name = "FILE")]
    files: Vec<PathBuf>,
}

impl RecipeFiles {
    /// All recipes that can be named.
    pub(crate) fn catalogue(&self) -> Result<Catalogue, Failure> {
        let mut catalogue = Catalogue::built_in()?;
        for path in &self.files {
            catalogue.add(recipe_file::read(path)?)?;
        }
        Ok(catalogue)
    }
}

/// When output is colored.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum Color {
    Auto,
    Always,
    Never,
}

impl Color {
    /// Makes it hold for both streams.
    pub(crate) fn apply(self) {
        match self {
            Self::Auto => anstream::ColorChoice::Auto,
            Self::Always => anstream::ColorChoice::Always,
            Self::Never => anstream::ColorChoice::Never,
        }
        .write_global();
    }
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    Inspect(inspect::Args),
    Plan(plan::Args),
    Repair(repair::Args),
    Undo(undo::Args),
    Runs(runs::Args),
    Disks(disks::Args),
    Recipes(recipes::Args),
    #[command(subcommand)]
    Key(KeyCommand),
    #[command(subcommand)]
    Hive(HiveCommand),
    #[command(subcommand)]
    Bcd(BcdCommand),
    #[command(subcommand)]
    Acl(AclCommand),
}
