//! Recovery of a dirty hive from its transaction logs, in both formats that Windows has used
//! (regf spec, Format of transaction log files).

mod choose;
mod dirty_vector;
mod entries;
mod error;
mod head;
mod log_kind;
mod logs;
mod marvin;
mod replay;
mod report;

#[cfg(test)]
mod tests;

pub(crate) use choose::precedes;
pub(crate) use dirty_vector::{SIGNATURE as DIRTY_VECTOR, bitmap_len, data_start};
pub(crate) use entries::last_sequence;
pub use error::{LogFault, ReadLogError, RecoverError, RefusedLogs};
pub(crate) use head::LogHead;
pub use log_kind::{LogFormat, LogKind};
pub use logs::Logs;
pub(crate) use marvin::{Marvin, marvin32};
pub use report::{Applied, Recovery, SkippedLog};
