//! Writing a hive back, the way Windows does it: in place, through a transaction log.
//!
//! A commit is planned as data ([`plan`]) and then done ([`execute`]). A hive that was recovered
//! from its logs is settled first: its pages are written in place while its logs are left alone,
//! so that a crash finds the logs to do it again; then it is clean. An edit starts from a clean
//! hive, whose logs mean nothing any more:
//!
//! 1. The changed pages go to a log, with a sequence number and a timestamp that no log and no
//!    base block has had. The log is made durable.
//! 2. Pages behind the old end of the bins are written; to the hive on disk they mean nothing.
//! 3. The first bin gets the log's timestamp, by which Windows finds the log if the base block is
//!    torn. The base block is made dirty. Its secondary sequence number is that of the log, which no
//!    other log reaches: the one log applies, whatever others lie about.
//! 4. The pages are written in place.
//! 5. The base block is made clean, with the number after the log's last entry, as Windows leaves
//!    it after a recovery: the log no longer applies, should the hive become dirty again.
//!
//! Each of these is durable before the next begins. The base block's writes are one sector each.
//!
//! The tests fail at every moment of all this and recover with this crate's own reader, which
//! follows what is known of Windows; Windows itself has not been asked.

mod build;
mod discard;
mod edit;
mod error;
mod execute;
mod files;
mod log_choice;
mod log_content;
mod numbers;
mod on_disk;
mod pages;
mod plan;
mod steps;

#[cfg(test)]
pub(crate) mod crash_test;

pub use build::{Options, plan};
pub use error::CommitError;
pub use execute::execute;
pub use files::{HiveFileKind, HiveFiles};
pub(crate) use on_disk::{OnDisk, Run, Settlement};
pub use plan::{CommitPlan, FileChange, FormatReason, LogChoice, Step};
