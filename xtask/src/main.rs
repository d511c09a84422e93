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
    /// Run hostile bytes through the fuzz targets for a bounded time
    Fuzz(xtask::fuzz::Options),
}

fn main() -> Result<()> {
    match Arguments::parse().task {
        Task::Fixtures { check } => xtask::fixtures::run(check),
        Task::Fuzz(options) => xtask::fuzz::run(&options),
    }
}
