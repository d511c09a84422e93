//! Plans a commit.

use diskmend_base::bytes;

use crate::commit::discard::{rivals, to_discard};
use crate::commit::edit::Edit;
use crate::commit::error::CommitError;
use crate::commit::files::HiveFileKind;
use crate::commit::log_choice::format;
use crate::commit::numbers::{Times, free_numbers, old_logs};
use crate::commit::plan::CommitPlan;
use crate::commit::steps::{Steps, stamped};
use crate::format::{BaseBlock, HiveBin};
use crate::image::Image;
use crate::recover::{LogFormat, LogKind, Logs};
use crate::time::Filetime;
use crate::verify::Committable;

/// The caller's decisions about a commit.
#[derive(Clone, Copy, Debug)]
pub struct Options {
    /// The present time, for the hive's timestamps.
    pub now: Filetime,
    /// The format of the log; `None` chooses it by the hive's logs and version.
    pub format: Option<LogFormat>,
    /// True if the edit is first written to a log, which is created if it does not exist. Without a
    /// log, the edit is written in place, and the hive's files can't be recovered after a crash:
    /// the caller must be able to restore the old bytes.
    pub with_log: bool,
}

/// Plans the commit of a hive. `logs` are its logs as they are on disk. Nothing is written.
///
/// The plan is empty if the hive was clean and has not changed.
///
/// # Errors
/// See [`CommitError`].
pub fn plan<'a>(
    hive: &'a Committable,
    logs: &Logs,
    options: &Options,
) -> Result<CommitPlan<'a>, CommitError> {
    let image = hive.image();
    let disk = image.disk();
    let base = image.base_block();
    let settled = &*disk.base;
    let old = old_logs(logs);
    let bin = bytes::view::<HiveBin>(image.bins(), 0);
    let (format, reason) = format(options.format, logs, &old, base.minor_version.get());
    let times = Times::after(
        options.now,
        Filetime(settled.last_written.get()),
        bin.map(|bin| Filetime(bin.timestamp.get())),
        &old,
        format,
    );
    let edit = is_edited(image, base, settled)
        .then(|| Edit::of(image, times.edit, format, reason, logs, &old))
        .transpose()?;
    let sequence = settled
        .primary_sequence
        .get()
        .max(settled.secondary_sequence.get());
    let existing = LogKind::ALL.into_iter().filter_map(|kind| {
        let len = logs.file(kind)?.len;
        Some((HiveFileKind::Log(kind), len))
    });
    let mut plan = CommitPlan {
        steps: Vec::new(),
        lens: existing
            .chain([(HiveFileKind::Primary, disk.file_len as u64)])
            .collect(),
        sequence,
        last_written: Filetime(settled.last_written.get()),
        log: edit
            .as_ref()
            .filter(|_| options.with_log)
            .map(|edit| edit.choice),
        recovers: disk.settlement.is_some(),
    };
    if edit.is_none() && disk.settlement.is_none() {
        return Ok(plan);
    }

    let least = match disk.settlement {
        Some(_) => sequence,
        None => sequence
            .checked_add(1)
            .ok_or(CommitError::NoSequence { sequence })?,
    };
    // One number for the recovered state, one for each entry, and one that follows.
    let entries = edit.iter().map(|edit| edit.entries.len()).sum::<usize>();
    let count = entries + 2;
    let numbers = free_numbers(least, count, &old)?;
    let mut discarded = Vec::new();
    let mut steps = Steps::default();
    let mut next = numbers.first;
    if let Some(settlement) = &disk.settlement {
        discarded = rivals(&old, &settlement.replayed);
        steps.discard(&discarded);
        let clean = stamped(settled, next, next, times.settled);
        steps.settle(disk, settlement, clean);
        (plan.sequence, plan.last_written) = (next, times.settled);
        next += 1;
    }
    let mut out_of_order = to_discard(&old, &numbers.out_of_order, edit.as_ref());
    out_of_order.retain(|log| !discarded.contains(log));
    steps.discard(&out_of_order);
    if let Some(edit) = &edit {
        let last = next + edit.entries.len() as u32;
        if options.with_log {
            steps.log(edit, next, logs);
        }
        steps.write(edit, next, last, times);
        (plan.sequence, plan.last_written) = (last, times.done);
    }
    plan.steps = steps.0;
    Ok(plan)
}

/// True if the image differs from the state from which edits start.
fn is_edited(image: &Image, base: &BaseBlock, settled: &BaseBlock) -> bool {
    let unsealed = |base: &BaseBlock| {
        let mut base = base.clone();
        base.checksum = 0.into();
        base.header().to_vec()
    };
    !image.dirty().is_empty()
        || base.bins_len.get() as usize != image.bins_len()
        || unsealed(base) != unsealed(settled)
}
