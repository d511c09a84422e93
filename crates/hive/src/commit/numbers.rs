//! The sequence numbers and the timestamp of a commit. They are chosen so that no log that remains,
//! now or later, can be mistaken for one that belongs to the hive's next write.

use crate::commit::error::CommitError;
use crate::recover::{LogFormat, LogHead, LogKind, Logs, last_sequence, precedes};
use crate::time::Filetime;

/// What matters about an existing log.
pub(crate) struct OldLog {
    pub(crate) kind: LogKind,
    pub(crate) head: LogHead,
    last: u32,
}

/// The logs with a valid base block: no other log could ever be applied.
pub(crate) fn old_logs(logs: &Logs) -> Vec<OldLog> {
    let open = |kind| {
        let (bytes, head) = logs.open(kind).ok()?;
        let last = match head.format {
            LogFormat::Old => head.sequence(),
            LogFormat::New => last_sequence(bytes, head.sequence()),
        };
        Some(OldLog { kind, head, last })
    };
    LogKind::ALL.into_iter().filter_map(open).collect()
}

/// A free range of sequence numbers.
pub(crate) struct Numbers {
    /// Greater than those of all logs, and not less than the hive's.
    pub(crate) first: u32,
    /// Logs that nevertheless do not come before it and must be removed.
    pub(crate) out_of_order: Vec<LogKind>,
}

/// Finds `count` numbers from `least` on that come after those of all logs.
///
/// Only a damaged or forged log has numbers that leave no room above them. It is ignored, but is
/// out of order.
pub(crate) fn free_numbers(
    least: u32,
    count: usize,
    logs: &[OldLog],
) -> Result<Numbers, CommitError> {
    let fits = |first: u32| {
        let count = u32::try_from(count).ok()?;
        first.checked_add(count).map(|_| first)
    };
    let after_logs = logs
        .iter()
        .flat_map(|log| [log.last, log.head.sequence()])
        .try_fold(least, |first, used| Some(first.max(used.checked_add(1)?)));
    let first = after_logs
        .and_then(fits)
        .or_else(|| fits(least))
        .ok_or(CommitError::NoSequence { sequence: least })?;
    // Logs are known to be ordered on the circle of numbers, but it is not known whether they are
    // compared with the hive's number in this way too: both conditions must hold.
    let before = |sequence| sequence < first && precedes(sequence, first);
    let out_of_order = logs
        .iter()
        .filter(|log| !before(log.head.sequence()))
        .map(|log| log.kind)
        .collect();
    Ok(Numbers {
        first,
        out_of_order,
    })
}

/// The timestamps of a commit.
#[derive(Clone, Copy)]
pub(crate) struct Times {
    /// The timestamp of the base block after a recovered state is on disk.
    pub(crate) settled: Filetime,
    /// The timestamp of the log, of the dirty base block and of the first hive bin.
    pub(crate) edit: Filetime,
    /// The timestamp of the base block at the end.
    pub(crate) done: Filetime,
}

impl Times {
    /// Timestamps after `old` that differ from `bin` and from those of all logs.
    ///
    /// A log in the old format is recognized only by its timestamp. In that format, the three
    /// timestamps differ, so that the log does not apply before the base block says so, and never
    /// afterwards.
    pub(crate) fn after(
        now: Filetime,
        old: Filetime,
        bin: Option<Filetime>,
        logs: &[OldLog],
        format: LogFormat,
    ) -> Self {
        let step = match format {
            LogFormat::Old => 1,
            LogFormat::New => 0,
        };
        let all = |time: u64| [0, step, 2 * step].map(|more| time.wrapping_add(more));
        let in_logs = logs.iter().map(|log| log.head.base.last_written.get());
        let used: Vec<u64> = in_logs.chain([old.0]).chain(bin.map(|bin| bin.0)).collect();
        let mut time = now.0.max(old.0.wrapping_add(1));
        while all(time).iter().any(|time| used.contains(time)) {
            time = time.wrapping_add(1);
        }
        let [settled, edit, done] = all(time).map(Filetime);
        Self {
            settled,
            edit,
            done,
        }
    }
}
