//! Tests of whole stores, real and broken.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "what a test can't do without fails it, and what is skipped is told"
)]

mod corpus;
mod docs;
mod hostile;
mod support;
