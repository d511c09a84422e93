//! Round trips, hostile input and real data, in one program.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test stops where something is wrong and says what it skips"
)]

mod common;
mod conditions;
mod edits;
mod hives;
mod hostile;
mod layout;
mod round_trip;
