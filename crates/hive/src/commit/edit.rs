//! The pages that an edit writes, and the log through which it writes them.

use crate::commit::error::CommitError;
use crate::commit::log_choice::target;
use crate::commit::log_content::{
    LogContent, entries, new_format, new_format_len, old_format, old_format_len,
};
use crate::commit::numbers::OldLog;
use crate::commit::pages::{PageRun, edited};
use crate::commit::plan::{FormatReason, LogChoice};
use crate::format::BaseBlock;
use crate::image::Image;
use crate::offset::PAGE_LEN;
use crate::recover::{LogFormat, Logs};
use crate::time::Filetime;

/// The changed pages, in place and in the log.
pub(crate) struct Edit<'a> {
    pub(crate) base: Box<BaseBlock>,
    pub(crate) pages: Vec<PageRun<'a>>,
    /// The number of pages of the bins before the edit.
    pub(crate) old_pages: usize,
    /// The pages of each log entry; a log in the old format counts as one entry.
    pub(crate) entries: Vec<Vec<PageRun<'a>>>,
    pub(crate) choice: LogChoice,
    /// The file type of a log in the old format.
    old_type: u32,
}

impl<'a> Edit<'a> {
    /// Collects the edited pages and chooses the log.
    pub(crate) fn of(
        image: &'a Image,
        time: Filetime,
        format: LogFormat,
        reason: FormatReason,
        logs: &Logs,
        old: &[OldLog],
    ) -> Result<Self, CommitError> {
        let settled = &image.disk().base;
        let mut base = Box::new(image.base_block().clone());
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

    /// The log, with the number of the first entry.
    pub(crate) fn log(&self, first: u32) -> LogContent<'a> {
        let mut base = self.base.clone();
        base.primary_sequence = first.into();
        base.secondary_sequence = first.into();
        match self.choice.format {
            LogFormat::New => new_format(&base, &self.entries),
            LogFormat::Old => old_format(&base, self.old_type, &self.pages),
        }
    }
}
