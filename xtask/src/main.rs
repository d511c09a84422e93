//! `cargo xtask`: see the library.

use anyhow::Result;
use clap::{Parser, Subcommand};

#[derive(Parser)]
#[command(name = "cargo xtask", about = "The project's own tasks")]
struct Arguments {
    #[command(subcommand)]
    task: Task,
}

#[derive(Subcommand)]
enum Task {
    /// Make the fixture hives from their recipes
    Fixtures {
        /// Only compare with the files in the tree
        #[arg(long)]
        check: bool,
    },
    /// Compare with hivex, chntpw and regipy what the fixtures hold, as they are and after edits
    CrossCheck(xtask::cross_check::Options),
    /// Run hostile bytes through the fuzz targets for a bounded time
    Fuzz(xtask::fuzz::Options),
}

fn main() -> Result<()> {
    match Arguments::parse().task {
        Task::Fixtures { check } => xtask::fixtures::run(check),
        Task::CrossCheck(options) => xtask::cross_check::run(&options),
        Task::Fuzz(options) => xtask::fuzz::run(&options),
    }
}
