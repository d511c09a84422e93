//! The project's own tasks: fixtures, cross-checks with other tools, fuzzing, benchmarks, the CI
//! run. `cargo xtask help` lists them.

#![forbid(unsafe_code)]
#![expect(
    clippy::print_stdout,
    reason = "tasks talk to the person who runs them"
)]

pub mod bench;
pub mod cargo;
#[cfg(all(feature = "program", unix))]
pub mod ci;
#[cfg(target_os = "linux")]
pub mod crash;
pub mod cross_check;
pub mod debian;
pub mod demo;
#[cfg(feature = "program")]
pub mod dist;
#[cfg(test)]
mod docs;
pub mod fixtures;
pub mod fuzz;
pub mod memory_file;
#[cfg(all(feature = "program", unix))]
pub mod powershell;
pub mod program;
mod random;
pub mod rust_target;
pub mod test_run;
#[cfg(all(feature = "program", unix))]
mod upcase;
#[cfg(unix)]
pub mod windows;
pub mod workspace;
