//! `cargo xtask windows`: builds and tests the program for Windows on Linux. The tools are
//! downloaded or made once, and kept in the user's cache.

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

/// Rust's name for the platform.
pub const TARGET: &str = "x86_64-pc-windows-gnu";
const COMPILER_OF_C: &str = "x86_64-w64-mingw32-gcc";

/// What to do.
#[derive(Debug, clap::Subcommand)]
pub enum Task {
    /// Download or make what building and testing need; does nothing if it is there already
    Setup,
    /// Build the release program
    Build,
    /// Run the lints for Windows, with warnings denied
    Clippy,
    /// Compare the program under Wine with the one for Linux
    Compare,
    /// Run the tests under Wine, then the comparison
    Test {
        /// Arguments of 'cargo test' in place of the whole workspace; the comparison is left out
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        arguments: Vec<String>,
    },
}

/// Builds the program that is compared with the one for Linux, and returns a note for the summary.
///
/// # Errors
/// If tools are missing and can't be downloaded, or if the build fails.
pub fn build_compared() -> Result<String> {
    build::tell(&build::compared()?)
}

/// Runs all tests under Wine, without the comparison, and returns their counts.
///
/// # Errors
/// If tools are missing and can't be downloaded, or if a test fails.
pub fn tests() -> Result<String> {
    test::all()
}

/// Does the task, and returns a note for the summary.
///
/// # Errors
/// If tools are missing and can't be downloaded, or if the task fails.
pub fn run(task: &Task) -> Result<String> {
    match task {
        Task::Setup => setup::describe(),
        Task::Build => build::tell(&program()?),
        Task::Clippy => test::clippy(),
        Task::Compare => parity::run(&setup::wine()?),
        Task::Test { arguments } => test::run(arguments),
    }
}
