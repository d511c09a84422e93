//! Planning a commit.

use std::borrow::Cow;

use zerocopy::IntoBytes;

use crate::bytes;
use crate::commit::error::CommitError;
use crate::commit::files::HiveFileKind;
use crate::commit::log_choice::{format, is_dual, target};
use crate::commit::log_content::{
    LogContent, entries, new_format, new_format_len, old_format, old_format_len,
};
use crate::commit::numbers::{OldLog, Times, free_numbers, old_logs};
use crate::commit::on_disk::{OnDisk, Settlement};
use crate::commit::pages::{PageRun, TIMESTAMP, edited, part};
use crate::commit::plan::{CommitPlan, FormatReason, LogChoice, Step};
use crate::error::Corruption;
use crate::format::{BaseBlock, HiveBin};
use crate::hive::Hive;
use crate::image::Image;
use crate::offset::{BASE_BLOCK_LEN, FileOffset, PAGE_LEN};
use crate::recover::{LogFormat, LogKind, Logs, precedes};
use crate::time::Filetime;

/// What the caller decides about a commit.
#[derive(Clone, Copy, Debug)]
pub struct Options {
    /// The present time, for the hive's timestamps.
    pub now: Filetime,
    /// The format of the log; `None` chooses it by what the hive's logs and version show.
    pub format: Option<LogFormat>,
}

/// Plans the commit of a hive whose logs, as they lie on disk, are `logs`. Nothing is written.
///
/// The plan is empty where the hive was clean and is unchanged.
///
/// # Errors
/// See [`CommitError`].
pub fn plan<'a>(
    hive: &'a Hive,
    logs: &Logs,
    options: &Options,
) -> Result<CommitPlan<'a>, CommitError> {
    let image = hive.image();
    let disk = image.disk();
    let base = image.base_block().ok_or_else(no_base)?;
    let settled = disk.base.as_deref().ok_or_else(no_base)?;
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
    let count = edit.as_ref().map_or(1, |edit| edit.entries.len() + 2);
    let sequence = settled
        .primary_sequence
        .get()
        .max(settled.secondary_sequence.get());
    let least = match disk.settlement {
        Some(_) => Some(sequence),
        None => sequence.checked_add(1),
    };
    let numbers = free_numbers(
        least.ok_or(CommitError::NoSequence { sequence })?,
        count + 1,
        &old,
    )?;

    let mut steps = Steps::default();
    let mut next = numbers.first;
    if let Some(settlement) = &disk.settlement {
        let clean = stamped(settled, next, next, times.settled);
        steps.discard(&rivals(&old, &settlement.replayed));
        steps.settle(disk, settlement, &clean);
        next += 1;
    }
    let mut last = numbers.first;
    if disk.settlement.is_some() || edit.is_some() {
        steps.discard(&to_discard(&old, &numbers.out_of_order, edit.as_ref()));
    }
    if let Some(edit) = &edit {
        last = next + edit.entries.len() as u32;
        steps.write(edit, next, last, times, logs);
    }
    let existing = LogKind::ALL.into_iter().filter_map(|kind| {
        let len = logs.file(kind)?.len;
        Some((HiveFileKind::Log(kind), len))
    });
    Ok(CommitPlan {
        sequence: if steps.0.is_empty() { sequence } else { last },
        steps: steps.0,
        lens: existing
            .chain([(HiveFileKind::Primary, disk.file_len as u64)])
            .collect(),
        last_written: if edit.is_some() {
            times.done
        } else {
            times.settled
        },
        log: edit.map(|edit| edit.choice),
        recovers: disk.settlement.is_some(),
    })
}

fn no_base() -> Corruption {
    Corruption::new("base block", FileOffset(0), "4096 bytes", "fewer")
}

/// Whether the image differs from the state that edits start from.
fn is_edited(image: &Image, base: &BaseBlock, settled: &BaseBlock) -> bool {
    let unsealed = |base: &BaseBlock| {
        let mut base = base.clone();
        base.checksum = 0.into();
        base.as_bytes()
            .get(..BaseBlock::HEADER_LEN)
            .map(<[u8]>::to_vec)
    };
    !image.dirty().is_empty()
        || base.bins_len.get() as usize != image.bins_len()
        || unsealed(base) != unsealed(settled)
}

/// What an edit writes, and through which log.
struct Edit<'a> {
    base: Box<BaseBlock>,
    pages: Vec<PageRun<'a>>,
    /// Number of pages of the bins before the edit.
    old_pages: usize,
    /// The pages of each log entry; a log in the old format counts as one.
    entries: Vec<Vec<PageRun<'a>>>,
    choice: LogChoice,
    /// The file type of a log in the old format.
    old_type: u32,
}

impl<'a> Edit<'a> {
    fn of(
        image: &'a Image,
        time: Filetime,
        format: LogFormat,
        reason: FormatReason,
        logs: &Logs,
        old: &[OldLog],
    ) -> Result<Self, CommitError> {
        let base = image.base_block().ok_or_else(no_base)?;
        let settled = image.disk().base.as_deref().ok_or_else(no_base)?;
        let mut base = Box::new(base.clone());
        base.bins_len = (image.bins_len() as u32).into();
        base.last_written = time.0.into();
        let old_pages = settled.bins_len.get() as usize / PAGE_LEN;
        let pages = edited(image, old_pages, time);
        let (entries, len) = match format {
            LogFormat::New => {
                let entries = entries(&pages);
                let len = new_format_len(&entries);
                (entries, len)
            }
            LogFormat::Old => {
                let len = old_format_len(image.bins_len(), &pages);
                (vec![pages.clone()], len)
            }
        };
        let log = target(format, len, logs, old);
        let old_type = old
            .iter()
            .find(|old| old.kind == log && old.head.format == LogFormat::Old)
            .map_or(BaseBlock::TYPE_LOG_OLD, |old| old.head.file_type);
        Ok(Self {
            base,
            pages,
            old_pages,
            entries,
            choice: LogChoice {
                log,
                created: !logs.exists(log),
                format,
                reason,
            },
            old_type,
        })
    }

    /// The log with the first entry's number.
    fn log(&self, first: u32) -> LogContent<'a> {
        let mut base = self.base.clone();
        base.primary_sequence = first.into();
        base.secondary_sequence = first.into();
        match self.choice.format {
            LogFormat::New => new_format(&base, &self.entries),
            LogFormat::Old => old_format(&base, self.old_type, &self.pages),
        }
    }
}

/// Logs beside the one to be written that must not be there when the hive becomes dirty: they do
/// not come before it, or have the other format, where no rule says which of the two counts.
fn to_discard(old: &[OldLog], out_of_order: &[LogKind], edit: Option<&Edit<'_>>) -> Vec<LogKind> {
    let discard = old.iter().filter(|log| {
        let other_format = edit.is_some_and(|edit| {
            is_dual(log.kind) && is_dual(edit.choice.log) && log.head.format != edit.choice.format
        });
        let is_target = edit.is_some_and(|edit| edit.choice.log == log.kind);
        !is_target && (other_format || out_of_order.contains(&log.kind))
    });
    discard.map(|log| log.kind).collect()
}

/// Logs that were not replayed, but would be instead of those that were, should the base block be
/// torn while it is written: the rules then ask for the latest log and nothing else.
fn rivals(old: &[OldLog], replayed: &[LogKind]) -> Vec<LogKind> {
    let source = old.iter().rfind(|log| replayed.contains(&log.kind));
    let rivals = old.iter().filter(|log| {
        source.is_some_and(|source| {
            !replayed.contains(&log.kind)
                && is_dual(log.kind)
                && log.head.format == LogFormat::New
                && (source.head.format == LogFormat::Old
                    || precedes(source.head.sequence(), log.head.sequence()))
        })
    });
    rivals.map(|log| log.kind).collect()
}

/// The first 512 bytes of the base block with new numbers; the rest never changes.
fn stamped(base: &BaseBlock, primary: u32, secondary: u32, time: Filetime) -> Vec<u8> {
    let mut base = base.clone();
    base.primary_sequence = primary.into();
    base.secondary_sequence = secondary.into();
    base.last_written = time.0.into();
    header(base)
}

fn header(mut base: BaseBlock) -> Vec<u8> {
    base.seal();
    let header = base.as_bytes().get(..BaseBlock::HEADER_LEN);
    header.unwrap_or_default().to_vec()
}

/// The steps of a plan while it is made.
#[derive(Default)]
struct Steps<'a>(Vec<Step<'a>>);

const PRIMARY: HiveFileKind = HiveFileKind::Primary;

impl<'a> Steps<'a> {
    /// Brings the recovered state to disk. The logs are not touched, and until the last write the
    /// file stays dirty: whatever of this reaches the disk, the logs make the same state of it.
    fn settle(&mut self, disk: &'a OnDisk, settlement: &'a Settlement, clean: &[u8]) {
        let runs = settlement.runs.iter().map(|run| PageRun {
            first: run.first,
            data: Cow::Borrowed(run.bytes.as_slice()),
        });
        let in_file = disk.file_len.saturating_sub(BASE_BLOCK_LEN) / PAGE_LEN;
        let (old, new) = part(runs.collect(), in_file);
        self.grow(new);
        // A torn base block is first made valid and dirty: which log applies must not depend on
        // the first bin, which is about to be written.
        if let Some(restored) = &settlement.restored {
            self.primary(0, header(restored.as_ref().clone()));
            self.sync(PRIMARY);
        }
        if !settlement.runs.is_empty() {
            self.pages(old);
            self.sync(PRIMARY);
        }
        self.primary(0, clean.to_vec());
        self.sync(PRIMARY);
    }

    /// Empties logs while the hive is clean and does not need them.
    fn discard(&mut self, logs: &[LogKind]) {
        for &log in logs {
            let file = HiveFileKind::Log(log);
            self.0.push(Step::SetLen { file, len: 0 });
            self.sync(file);
        }
    }

    /// Brings an edit to disk: log, base block, pages, base block, each durable before the next.
    fn write(&mut self, edit: &Edit<'a>, first: u32, last: u32, times: Times, logs: &Logs) {
        self.log(edit, first, logs);
        let (old, new) = part(edit.pages.clone(), edit.old_pages);
        self.grow(new);
        if edit.choice.format == LogFormat::Old {
            // Should the base block be torn, the log is recognized by the first bin's timestamp.
            let bin = (BASE_BLOCK_LEN + TIMESTAMP) as u64;
            self.primary(bin, times.edit.0.to_le_bytes().to_vec());
            self.sync(PRIMARY);
        }
        self.primary(0, stamped(&edit.base, first + 1, first, times.edit));
        self.sync(PRIMARY);
        self.pages(old);
        self.sync(PRIMARY);
        self.primary(0, stamped(&edit.base, last, last, times.done));
        self.sync(PRIMARY);
    }

    fn log(&mut self, edit: &Edit<'a>, first: u32, logs: &Logs) {
        let file = HiveFileKind::Log(edit.choice.log);
        if edit.choice.created {
            self.0.push(Step::Create { file });
        }
        let content = edit.log(first);
        for (offset, data) in content.pieces {
            self.0.push(Step::Write { file, offset, data });
        }
        // What follows in a longer file must not look like the next entry.
        let len = logs.file(edit.choice.log).map_or(0, |log| log.len);
        let rest = len.saturating_sub(content.len).min(512) as usize;
        if rest > 0 {
            self.0.push(Step::Write {
                file,
                offset: content.len,
                data: Cow::Owned(vec![0; rest]),
            });
        }
        self.sync(file);
        if edit.choice.created {
            self.0.push(Step::SyncFolder);
        }
    }

    /// Writes pages behind the end of the bins, which mean nothing to the state on disk: where
    /// the disk is full, it shows before anything is lost.
    fn grow(&mut self, new: Vec<PageRun<'a>>) {
        if !new.is_empty() {
            self.pages(new);
            self.sync(PRIMARY);
        }
    }

    fn pages(&mut self, runs: Vec<PageRun<'a>>) {
        for run in runs {
            self.0.push(Step::Write {
                file: PRIMARY,
                offset: run.file_offset(),
                data: run.data,
            });
        }
    }

    fn primary(&mut self, offset: u64, data: Vec<u8>) {
        self.0.push(Step::Write {
            file: PRIMARY,
            offset,
            data: Cow::Owned(data),
        });
    }

    fn sync(&mut self, file: HiveFileKind) {
        self.0.push(Step::Sync { file });
    }
}
