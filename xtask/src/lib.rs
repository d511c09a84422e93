//! The tasks of the project: fixtures, comparisons with other tools, fuzzing, benchmarks, and the
//! CI run. `cargo xtask help` lists them.

#![forbid(unsafe_code)]
#![expect(
    clippy::print_stdout,
    reason = "tasks talk to the person who runs them"
)]

#[cfg(feature = "tasks")]
pub mod bench;
#[cfg(all(feature = "tasks", unix))]
pub mod browser;
#[cfg(feature = "tasks")]
pub mod cargo;
#[cfg(all(feature = "tasks", unix))]
pub mod ci;
#[cfg(all(feature = "tasks", target_os = "linux"))]
pub mod crash;
#[cfg(feature = "tasks")]
pub mod cross_check;
#[cfg(feature = "tasks")]
pub mod debian;
#[cfg(feature = "tasks")]
pub mod demo;
#[cfg(feature = "tasks")]
pub mod diagnosis_table;
#[cfg(feature = "tasks")]
pub mod dist;
#[cfg(test)]
mod docs;
pub mod fixtures;
#[cfg(feature = "tasks")]
pub mod fuzz;
pub mod memory_file;
#[cfg(all(feature = "tasks", unix))]
pub mod powershell;
#[cfg(feature = "tasks")]
pub mod program;
#[cfg(feature = "tasks")]
mod random;
pub mod run_file;
#[cfg(feature = "tasks")]
pub mod rust_target;
#[cfg(feature = "tasks")]
pub mod test_run;
#[cfg(all(feature = "tasks", unix))]
mod upcase;
#[cfg(all(feature = "tasks", unix))]
pub mod windows;
pub mod workspace;
