//! Writing a hive back, the way Windows does it: in place, through a transaction log.
//!
//! A commit is planned as data ([`plan`]) and then executed ([`execute`]). A hive that was
//! recovered from its logs is settled first: its pages are written in place while its logs are left
//! alone, so that the logs can recover it again after a crash; then it is clean. An edit starts
//! from a clean hive, so the old logs mean nothing any more:
//!
//! 1. The changed pages are written to a log, with a sequence number and a timestamp that no other
//!    log and no base block has had. The log is made durable.
//! 2. Pages after the old end of the bins are written; for the hive on disk they mean nothing yet.
//! 3. The first bin gets the log's timestamp: it leads Windows to the log if the base block is
//!    torn. The base block is marked dirty. Its secondary sequence number is that of the log, which
//!    no other log reaches: only this log applies, whatever other logs exist.
//! 4. The pages are written in place.
//! 5. The base block is marked clean, with the number after the log's last entry, as Windows leaves
//!    it after a recovery: the log no longer applies if the hive becomes dirty again.
//!
//! Each step is durable before the next begins. Each write of the base block is one sector.
//!
//! The tests fail at every point of this procedure and recover the hive with this crate's own
//! reader, which follows what is known about Windows; Windows itself was not used.

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
mod replace;
mod steps;

#[cfg(test)]
pub(crate) mod crash_test;

pub use build::{Options, plan};
pub use error::CommitError;
pub use execute::execute;
pub use files::{HiveFileKind, HiveFiles};
pub(crate) use on_disk::{OnDisk, Run, Settlement};
pub use plan::{CommitPlan, FileChange, FormatReason, LogChoice, Step};
pub use replace::replace;
