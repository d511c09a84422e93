//! Chooses the log that a commit writes, and its format.

use crate::commit::numbers::OldLog;
use crate::commit::plan::FormatReason;
use crate::recover::{LogFormat, LogKind, Logs};

/// Hives below this minor version belong to systems up to Windows 2000, or to user profiles of any
/// age: if there is no log to decide, the format that all systems know is the right one.
const NEW_FORMAT_MINOR: u32 = 5;

/// The format that the system that owns the hive understands.
pub(crate) fn format(
    forced: Option<LogFormat>,
    logs: &Logs,
    old: &[OldLog],
    minor: u32,
) -> (LogFormat, FormatReason) {
    if let Some(format) = forced {
        return (format, FormatReason::Forced);
    }
    // A log in the new format proves Windows 8.1 or later, even if there are remnants of an older
    // system; `.LOG` may itself be such a remnant if the pair is in use.
    let mut dual = old.iter().filter(|log| is_dual(log.kind));
    let witness = dual
        .clone()
        .find(|log| log.head.format == LogFormat::New)
        .or_else(|| dual.next())
        .or_else(|| old.first());
    if let Some(log) = witness {
        return (log.head.format, FormatReason::ExistingLog(log.kind));
    }
    if single_alone(logs) {
        return (LogFormat::Old, FormatReason::SingleLog);
    }
    let format = if minor >= NEW_FORMAT_MINOR {
        LogFormat::New
    } else {
        LogFormat::Old
    };
    (format, FormatReason::MinorVersion(minor))
}

/// The log to write, for this number of bytes.
pub(crate) fn target(format: LogFormat, len: u64, logs: &Logs, old: &[OldLog]) -> LogKind {
    let single_is_used =
        old.iter().any(|log| log.kind == LogKind::Log) && !old.iter().any(|log| is_dual(log.kind));
    if single_is_used || single_alone(logs) {
        return LogKind::Log;
    }
    // Systems that know only the old format read the first log unless it is damaged.
    if format == LogFormat::Old {
        return LogKind::Log1;
    }
    let dual = [LogKind::Log1, LogKind::Log2];
    let holds = |kind: &LogKind| logs.file(*kind).is_some_and(|file| file.len >= len);
    dual.into_iter()
        .find(holds)
        .or_else(|| dual.into_iter().find(|&kind| logs.exists(kind)))
        .unwrap_or(LogKind::Log1)
}

/// True if `.LOG` is the only log file, as up to Windows Server 2003.
fn single_alone(logs: &Logs) -> bool {
    logs.exists(LogKind::Log) && !logs.exists(LogKind::Log1) && !logs.exists(LogKind::Log2)
}

/// True if the log is one of the pair.
pub(crate) const fn is_dual(kind: LogKind) -> bool {
    matches!(kind, LogKind::Log1 | LogKind::Log2)
}
