//! The event logs of Windows: the events that diskmend knows, and the boots that they tell of.
//!
//! Logs are read chunk by chunk, newest first, and no further back than needed, within the bounds
//! in `limits`. `evtx` reads the content of a chunk.

mod boots;
mod chunk;
mod event;
mod filter;
mod format;
mod known;
mod limits;
mod log;
mod reader;
mod slots;

use jiff::{SignedDuration, Timestamp};
use serde::Serialize;

pub use boots::{Boot, BootBugCheck, BootEnd, BootKind};
pub use event::{Event, Field};
pub use log::LogStatus;
pub(crate) use reader::read;

/// The time before a logon in which events belong to it.
const LOGON_TIME: SignedDuration = SignedDuration::from_mins(10);

/// The provider that tells of sessions.
const SESSIONS: &str = "Microsoft-Windows-TerminalServices-LocalSessionManager";

/// True if diskmend knows what an event means, and so reads it.
pub(crate) fn is_known_event(log: &str, provider: &str, id: u32) -> bool {
    known::Known::table().has_named(log, provider, id)
}

/// The log, the provider in lower case and the ID of each event that diskmend knows, and whether a
/// healthy Windows writes it all the time.
#[cfg(test)]
pub(crate) fn known_events() -> impl Iterator<Item = (&'static str, &'static str, u32, bool)> {
    known::Known::table().all()
}

/// The number of boots whose events count.
pub(crate) const COUNTED_BOOTS: usize = 10;

/// Which events are wanted.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct EventQuery {
    /// How far back.
    pub since: Since,
    /// Only these IDs, known or not; if this and `provider` are empty, the known events.
    pub ids: Vec<u32>,
    /// Only of providers whose names contain this text, known or not; case is ignored.
    pub provider: Option<String>,
}

impl EventQuery {
    /// True if only events with a known meaning are wanted.
    const fn known_only(&self) -> bool {
        self.ids.is_empty() && self.provider.is_none()
    }
}

/// How far back events are wanted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Since {
    /// As far as they count: since the last logon over the network, and of the last boots.
    #[default]
    Counted,
    /// All that the logs have.
    Always,
    /// From this time on.
    Time(Timestamp),
    /// From this long before the newest event on the disk.
    Before(SignedDuration),
}

/// What the logs tell.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Events {
    /// False if the Windows has no folder of logs.
    pub has_logs: bool,
    /// The reason why the logs couldn't be read, for display.
    pub problem: Option<String>,
    /// The logs that were read.
    pub logs: Vec<LogStatus>,
    /// The events, in the order of their times.
    pub events: Vec<Event>,
    /// The boots, in the order of the log System.
    pub boots: Vec<Boot>,
    /// The last logons.
    pub logons: Logons,
    /// The time of the newest event, known or not, of the log System.
    pub newest: Option<Timestamp>,
}

/// The last successful logons, by the session manager.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Logons {
    /// Over the network: Remote Desktop worked then.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub remote: Option<Timestamp>,
    /// Over the network or at the machine's console: Windows worked then.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub any: Option<Timestamp>,
}

impl Events {
    /// The time from which on events count: the last logon over the network, or the start of the
    /// oldest of the last `COUNTED_BOOTS` boots, whichever is later.
    #[must_use]
    pub fn counted_since(&self) -> Option<Timestamp> {
        let boots = self.boots.iter().rev();
        let oldest = boots.map(|boot| boot.started).nth(COUNTED_BOOTS - 1);
        self.logons.remote.max(oldest)
    }

    /// The events that count: what happened before the last logon over the network, or many boots
    /// ago, doesn't explain why nobody can log on now. Oldest first.
    pub fn relevant(&self) -> impl DoubleEndedIterator<Item = &Event> {
        let since = self.counted_since();
        let events = self.events.iter();
        events.filter(move |event| since.is_none_or(|since| event.time > since))
    }

    /// The time from which on events are read if only those that count are wanted: a little earlier
    /// than they count, for what goes wrong with a logon that succeeds.
    fn read_since(&self) -> Option<Timestamp> {
        let since = self.counted_since()?;
        Some(since.checked_sub(LOGON_TIME).unwrap_or(since))
    }

    /// The events that count, and those that belong to the last logon over the network.
    pub fn relevant_during_logon(&self) -> impl DoubleEndedIterator<Item = &Event> {
        let since = self.read_since();
        let events = self.events.iter();
        events.filter(move |event| since.is_none_or(|since| event.time > since))
    }

    /// True if the event is about a user who has logged on, as far as the logs were read. Names that
    /// are only guessed at from the network belong to nobody who uses the machine.
    pub(crate) fn is_of_known_user(&self, event: &Event) -> bool {
        let Some(user) = event.field("TargetUserName") else {
            return false;
        };
        let logons = self.events.iter().filter(|event| event.is_of(SESSIONS));
        let mut users = logons.filter_map(|logon| logon.field("User"));
        users.any(|known| {
            let name = known.rsplit_once('\\').map_or(known, |(_, name)| name);
            name.eq_ignore_ascii_case(user)
        })
    }

    /// The events that count and happened after the last logon of any kind. Windows itself worked
    /// then, so older events don't explain why it doesn't start.
    pub fn relevant_since_any_logon(&self) -> impl DoubleEndedIterator<Item = &Event> {
        let since = self.logons.any;
        self.relevant()
            .filter(move |event| since.is_none_or(|since| event.time > since))
    }
}

/// Reads untrusted bytes as the log System, whatever its events are.
///
/// # Panics
/// If more is kept than the bounds allow.
#[cfg(any(test, feature = "fuzzing"))]
pub(super) fn fuzz(bytes: &Vec<u8>) {
    let filter = filter::Filter {
        log: "System",
        since: None,
        ids: &[],
        provider: None,
        known_only: false,
    };
    let mut log = log::Log::new(filter, "");
    let mut budget = limits::Budget::start();
    let read = log.read(bytes, &mut budget, &|| Ok(()), &mut |_| false);
    assert!(read.is_ok(), "nobody interrupts");
    for event in &log.events {
        assert!(event.fields.len() <= limits::MOST_FIELDS, "too many values");
        std::hint::black_box(event.details());
    }
    let events: Vec<&Event> = log.events.iter().collect();
    std::hint::black_box(boots::of(&events));
}

#[cfg(test)]
mod tests;
