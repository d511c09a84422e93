//! The bounds of reading event logs. A log may be huge, or made to keep a reader busy.

use std::time::{Duration, Instant};

/// The number of bytes that are read of one log.
const MOST_OF_A_LOG: u64 = 128 << 20;
/// The number of bytes that are read of all logs.
const MOST_OF_ALL: u64 = 256 << 20;
/// The time for all logs. A log of 100 MB takes a fraction of a second.
const MOST_TIME: Duration = Duration::from_secs(5);
/// The number of events that are kept of all logs.
const MOST_EVENTS: usize = 50_000;
/// The number of events that are kept of one log. The log Security of a machine on the Internet tells
/// of thousands of logons that failed.
const MOST_OF_ONE: usize = 10_000;
/// The number of chunks that a log can have: the file header counts them in 16 bits.
pub(super) const MOST_CHUNKS: u64 = 1 << 16;
/// The number of values that are kept of an event.
pub(super) const MOST_FIELDS: usize = 64;
/// The number of characters that are kept of a value.
pub(super) const MOST_CHARS: usize = 4096;
/// The depth of elements in an event's own data to which values are looked for.
pub(super) const MOST_DEPTH: usize = 8;

/// The bound that ended the reading of a log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Spent {
    /// The bytes of this log.
    Log,
    /// The bytes of all logs.
    Bytes,
    /// The time.
    Time,
    /// The events that are kept.
    Events,
    /// The events of this log that are kept.
    EventsOfLog,
}

impl Spent {
    /// The bound, for display.
    pub(super) fn text(self) -> String {
        match self {
            Self::Log => format!("it is longer than {} MiB", MOST_OF_A_LOG >> 20),
            Self::Bytes => format!("all logs are longer than {} MiB", MOST_OF_ALL >> 20),
            Self::Time => format!("reading took longer than {} s", MOST_TIME.as_secs()),
            Self::Events => format!("the logs have more than {MOST_EVENTS} such events"),
            Self::EventsOfLog => format!("it has more than {MOST_OF_ONE} such events"),
        }
    }
}

/// What may still be read.
pub(super) struct Budget {
    end: Option<Instant>,
    log: u64,
    all: u64,
    events: usize,
    events_of_log: usize,
    most_of_one: usize,
}

impl Budget {
    /// The whole budget, from now on.
    pub(super) fn start() -> Self {
        Self {
            end: Instant::now().checked_add(MOST_TIME),
            log: MOST_OF_A_LOG,
            all: MOST_OF_ALL,
            events: MOST_EVENTS,
            events_of_log: MOST_OF_ONE,
            most_of_one: MOST_OF_ONE,
        }
    }

    /// Begins the next log.
    pub(super) const fn next_log(&mut self) {
        self.log = MOST_OF_A_LOG;
        self.events_of_log = self.most_of_one;
    }

    /// Takes the bytes that are about to be read.
    ///
    /// # Errors
    /// The bound that does not allow it.
    pub(super) fn read(&mut self, bytes: u64) -> Result<(), Spent> {
        self.time()?;
        self.log = self.log.checked_sub(bytes).ok_or(Spent::Log)?;
        self.all = self.all.checked_sub(bytes).ok_or(Spent::Bytes)?;
        Ok(())
    }

    /// Takes an event that is about to be kept.
    ///
    /// # Errors
    /// [`Spent::Events`] or [`Spent::EventsOfLog`] if there are too many.
    pub(super) fn keep(&mut self) -> Result<(), Spent> {
        self.events = self.events.checked_sub(1).ok_or(Spent::Events)?;
        let of_log = self.events_of_log.checked_sub(1);
        self.events_of_log = of_log.ok_or(Spent::EventsOfLog)?;
        Ok(())
    }

    /// Checks the time.
    ///
    /// # Errors
    /// [`Spent::Time`] if it is over.
    pub(super) fn time(&self) -> Result<(), Spent> {
        if self.end.is_some_and(|end| Instant::now() < end) {
            Ok(())
        } else {
            Err(Spent::Time)
        }
    }
}

#[cfg(test)]
impl Budget {
    /// A budget whose time is over.
    pub(super) fn out_of_time() -> Self {
        Self {
            end: None,
            ..Self::start()
        }
    }

    /// A budget of some events for each log.
    pub(super) fn of_events(most_of_one: usize) -> Self {
        Self {
            most_of_one,
            ..Self::start()
        }
    }

    /// A budget of some bytes for each log, and of some events.
    pub(super) fn of(log: u64, events: usize) -> Self {
        Self {
            log,
            events,
            ..Self::start()
        }
    }
}
