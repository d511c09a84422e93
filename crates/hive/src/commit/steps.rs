//! The order of a commit's steps.

use std::borrow::Cow;

use crate::commit::edit::Edit;
use crate::commit::files::HiveFileKind;
use crate::commit::numbers::Times;
use crate::commit::on_disk::{OnDisk, Settlement};
use crate::commit::pages::{PageRun, TIMESTAMP, part};
use crate::commit::plan::Step;
use crate::format::BaseBlock;
use crate::offset::{BASE_BLOCK_LEN, PAGE_LEN};
use crate::recover::{LogKind, Logs};
use crate::time::Filetime;

/// The steps of a plan while it is made.
#[derive(Default)]
pub(crate) struct Steps<'a>(pub(crate) Vec<Step<'a>>);

const PRIMARY: HiveFileKind = HiveFileKind::Primary;

impl<'a> Steps<'a> {
    /// Writes the recovered state to disk. The logs are not touched, and the file stays dirty until
    /// the last write: whatever part of this reaches the disk, the logs recover the same state.
    pub(crate) fn settle(&mut self, disk: &'a OnDisk, settlement: &'a Settlement, clean: Vec<u8>) {
        let runs = settlement.runs.iter().map(|run| PageRun {
            first: run.first,
            data: Cow::Borrowed(run.bytes.as_slice()),
        });
        let in_file = disk.file_len.saturating_sub(BASE_BLOCK_LEN) / PAGE_LEN;
        let (old, new) = part(runs.collect(), in_file);
        self.grow(new);
        // A torn base block is first made valid and dirty: which log applies must not depend on the
        // first bin, because the first bin is about to be written.
        if let Some(restored) = &settlement.restored {
            self.primary(0, header(restored.as_ref().clone()));
            self.sync(PRIMARY);
        }
        if !settlement.runs.is_empty() {
            self.pages(old);
            self.sync(PRIMARY);
        }
        self.primary(0, clean);
        self.sync(PRIMARY);
    }

    /// Empties logs while the hive is clean and does not need them.
    pub(crate) fn discard(&mut self, logs: &[LogKind]) {
        for &log in logs {
            let file = HiveFileKind::Log(log);
            self.0.push(Step::SetLen { file, len: 0 });
            self.sync(file);
        }
    }

    /// Writes an edit to disk: base block, pages, base block, each durable before the next. The log
    /// of the edit is written before.
    pub(crate) fn write(&mut self, edit: &Edit<'a>, first: u32, last: u32, times: Times) {
        let (old, new) = part(edit.pages.clone(), edit.old_pages);
        self.grow(new);
        // If the base block is torn, Windows recognizes a log of either format by the first bin's
        // timestamp.
        let bin = (BASE_BLOCK_LEN + TIMESTAMP) as u64;
        self.primary(bin, times.edit.0.to_le_bytes().to_vec());
        self.sync(PRIMARY);
        self.primary(0, stamped(&edit.base, first + 1, first, times.edit));
        self.sync(PRIMARY);
        self.pages(old);
        self.sync(PRIMARY);
        self.primary(0, stamped(&edit.base, last, last, times.done));
        self.sync(PRIMARY);
    }

    /// Writes the log that protects an edit.
    pub(crate) fn log(&mut self, edit: &Edit<'a>, first: u32, logs: &Logs) {
        let file = HiveFileKind::Log(edit.choice.log);
        if edit.choice.created {
            self.0.push(Step::Create { file });
        }
        let content = edit.log(first);
        for (offset, data) in content.pieces {
            self.0.push(Step::Write { file, offset, data });
        }
        // The rest of a longer file must not look like the next entry.
        let old = logs.file(edit.choice.log);
        let rest = old.and_then(|log| log.len.checked_sub(content.len));
        if let Some(rest @ 1..) = rest.map(|rest| rest.min(512) as usize) {
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

    /// Writes pages after the end of the bins, which mean nothing to the state on disk: if the disk
    /// is full, this fails before anything is lost.
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

/// The first 512 bytes of the base block with new numbers; the rest never changes.
pub(crate) fn stamped(base: &BaseBlock, primary: u32, secondary: u32, time: Filetime) -> Vec<u8> {
    let mut base = base.clone();
    base.primary_sequence = primary.into();
    base.secondary_sequence = secondary.into();
    base.last_written = time.0.into();
    header(base)
}

fn header(mut base: BaseBlock) -> Vec<u8> {
    base.seal();
    base.header().to_vec()
}
