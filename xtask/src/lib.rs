//! The project's own tasks: fixtures, cross-checks with other tools, fuzzing, benchmarks, the CI
//! run. `cargo xtask help` lists them.

#![forbid(unsafe_code)]
#![expect(
    clippy::print_stdout,
    clippy::disallowed_methods,
    reason = "tasks talk to the person who runs them and write to the workspace only"
)]

pub mod fixtures;
pub mod workspace;
