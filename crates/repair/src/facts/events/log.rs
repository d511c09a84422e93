//! One log: its chunks are read newest first, until a bound or a caller ends that.

use std::io;

use diskmend_base::Storage;
use diskmend_base::count::to_u64;
use jiff::Timestamp;
use serde::Serialize;

use super::chunk::{self, Report, Templates};
use super::event::Event;
use super::filter::Filter;
use super::format::CHUNK_LEN;
use super::limits::{Budget, Spent};
use super::slots::{self, Slot};
use crate::progress::Interrupted;

/// A log is read this much further back than asked, because clocks are set.
const SLACK_INTERVALS: u64 = 24 * 3600 * INTERVALS_PER_SECOND;
const INTERVALS_PER_SECOND: u64 = 10_000_000;
/// The seconds from 1601-01-01, when FILETIME begins, to 1970-01-01.
const EPOCH_SECONDS: i64 = 11_644_473_600;

/// How much of a log was read, and what is wrong with it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct LogStatus {
    /// Its name, such as `System`.
    pub log: String,
    /// The path of its file.
    pub path: String,
    /// The number of its chunks.
    pub chunks: u64,
    /// The number of chunks that were read; older ones weren't needed.
    pub chunks_read: u64,
    /// The number of records that were read, wanted or not.
    pub records_read: u64,
    /// The number of bytes that were read.
    pub bytes_read: u64,
    /// What is wrong with it, for display.
    pub problems: Vec<String>,
}

/// What ends the reading of a log.
enum End {
    Io(io::Error),
    Spent(Spent),
    Interrupted(Interrupted),
}

impl From<io::Error> for End {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}

impl From<Spent> for End {
    fn from(spent: Spent) -> Self {
        Self::Spent(spent)
    }
}

/// A log that is being read.
pub(super) struct Log<'a> {
    pub(super) filter: Filter<'a>,
    pub(super) status: LogStatus,
    /// The events so far.
    pub(super) events: Vec<Event>,
    /// The time of its newest record.
    pub(super) newest: Option<Timestamp>,
    counts: Counts,
}

/// The numbers of things that are wrong.
#[derive(Default)]
struct Counts {
    unreadable_chunks: u64,
    checksums: u64,
    unreadable_records: u64,
    behind: u64,
}

impl<'a> Log<'a> {
    pub(super) fn new(filter: Filter<'a>, path: &str) -> Self {
        Self {
            status: LogStatus {
                log: filter.log.to_owned(),
                path: path.to_owned(),
                ..LogStatus::default()
            },
            filter,
            events: Vec::new(),
            newest: None,
            counts: Counts::default(),
        }
    }

    /// Reads the log. `enough` is asked after each chunk.
    ///
    /// # Errors
    /// If the caller interrupts.
    pub(super) fn read(
        &mut self,
        file: &dyn Storage,
        budget: &mut Budget,
        go_on: &dyn Fn() -> Result<(), Interrupted>,
        enough: &mut dyn FnMut(&mut Self) -> bool,
    ) -> Result<(), Interrupted> {
        budget.next_log();
        let end = self.read_chunks(file, budget, go_on, enough);
        self.describe();
        match end {
            Ok(()) => Ok(()),
            Err(End::Interrupted(interrupted)) => Err(interrupted),
            Err(End::Io(error)) => {
                self.status
                    .problems
                    .push(format!("it can't be read: {error}"));
                Ok(())
            }
            Err(End::Spent(spent)) => {
                let (text, read) = (spent.text(), self.status.chunks_read);
                let text = format!("older events were not read ({read} chunks were): {text}");
                self.status.problems.push(text);
                Ok(())
            }
        }
    }

    fn read_chunks(
        &mut self,
        file: &dyn Storage,
        budget: &mut Budget,
        go_on: &dyn Fn() -> Result<(), Interrupted>,
        enough: &mut dyn FnMut(&mut Self) -> bool,
    ) -> Result<(), End> {
        let bytes = &mut self.status.bytes_read;
        let slots = slots::find(file, |len| {
            *bytes += len;
            budget.read(len).map_err(End::Spent)
        })?;
        self.status.chunks = to_u64(slots.chunks.len());
        self.state(&slots);
        let mut templates = Templates::default();
        for slot in &slots.chunks {
            go_on().map_err(End::Interrupted)?;
            budget.read(to_u64(slot.len))?;
            self.status.bytes_read += to_u64(slot.len);
            self.status.chunks_read += 1;
            let mut data = vec![0; CHUNK_LEN];
            let (known, _) = data.split_at_mut(slot.len.min(CHUNK_LEN));
            file.read_exact_at(known, slot.offset)?;
            let events = &mut self.events;
            let log = self.filter.log;
            let mut keep = |rendered| events.push(Event::of(log, rendered));
            match chunk::read(data, &self.filter, &mut templates, budget, &mut keep)? {
                Some(report) => self.count(&report),
                None => self.counts.unreadable_chunks += 1,
            }
            if enough(self) || self.is_before(slot) {
                break;
            }
        }
        Ok(())
    }

    /// True if all older chunks are older than what is wanted.
    fn is_before(&self, slot: &Slot) -> bool {
        let since = self.filter.since.and_then(filetime);
        match (since, slot.begins) {
            (Some(since), Some(begins)) => begins < since.saturating_sub(SLACK_INTERVALS),
            _ => false,
        }
    }

    fn count(&mut self, report: &Report) {
        self.status.records_read += report.records;
        self.counts.unreadable_records += report.unreadable;
        self.counts.checksums += u64::from(report.checksum);
        self.counts.behind += report.behind;
        self.newest = self.newest.max(report.newest);
    }

    /// Notes the state of the file.
    fn state(&mut self, slots: &slots::Slots) {
        let problems = &mut self.status.problems;
        if slots.no_header {
            problems.push("it does not begin with the header of a log".to_owned());
        }
        if slots.dirty {
            problems.push("it was not closed cleanly".to_owned());
        }
        if slots.damaged > 0 {
            let damaged = slots.damaged;
            problems.push(format!("{damaged} places hold no chunk, but other data"));
        }
        if slots.cut {
            problems.push("it has more chunks than a log can have".to_owned());
        }
    }

    /// Notes what was found while reading.
    fn describe(&mut self) {
        for (count, text) in [
            (self.counts.unreadable_chunks, "chunks can't be read"),
            (
                self.counts.checksums,
                "chunks have wrong checksums; their records were read as far as possible",
            ),
            (self.counts.unreadable_records, "records can't be read"),
            (
                self.counts.behind,
                "records were read behind the end that their chunk's header states",
            ),
        ] {
            if count > 0 {
                self.status.problems.push(format!("{count} {text}"));
            }
        }
    }
}

/// A time as FILETIME; `None` if it is before 1601.
fn filetime(time: Timestamp) -> Option<u64> {
    let seconds = u64::try_from(time.as_second().checked_add(EPOCH_SECONDS)?).ok()?;
    seconds.checked_mul(INTERVALS_PER_SECOND)
}
