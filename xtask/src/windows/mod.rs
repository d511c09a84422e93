//! `cargo xtask windows`: the program for Windows, built and tried on Linux. The tools it needs are
//! fetched or made once and kept in the user's cache.

mod build;
mod cache;
mod compiler;
mod debian_rust;
mod image_parity;
mod parity;
mod same_hive;
mod setup;
mod test;
mod wine;

use anyhow::Result;

pub use build::program;

/// What Rust calls the platform.
pub const TARGET: &str = "x86_64-pc-windows-gnu";
const COMPILER_OF_C: &str = "x86_64-w64-mingw32-gcc";

/// What to do.
#[derive(Debug, clap::Subcommand)]
pub enum Task {
    /// Fetch or make what building and testing need; again at once where it is there already
    Setup,
    /// Build the release program
    Build,
    /// Run the lints for Windows, with warnings denied
    Clippy,
    /// Compare what the release program does under Wine with what the one for Linux does
    Compare,
    /// Run the tests under Wine, then the comparison
    Test {
        /// Only these: arguments of 'cargo test' instead of the whole workspace, and no comparison
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        arguments: Vec<String>,
    },
}

/// Does it, and gives what the summary should say.
///
/// # Errors
/// If tools are missing and can't be had, or what they do fails.
pub fn run(task: &Task) -> Result<String> {
    match task {
        Task::Setup => setup::describe(),
        Task::Build => build::run(),
        Task::Clippy => test::clippy(),
        Task::Compare => parity::run(&setup::wine()?),
        Task::Test { arguments } => test::run(arguments),
    }
}
