//! The engine on real folders and files.

#![expect(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stdout,
    reason = "a test fails by panicking, and tells what it measured"
)]

mod corpus;
mod docs;
mod guards;
mod hive_file;
mod inherited;
#[cfg(unix)]
mod modules;
mod repair;
mod schema;
mod support;
