//! What the event logs tell.

use jiff::Timestamp;
use serde::Serialize;

use crate::documents::SCHEMA;
use crate::facts::{Boot, Event, Events, LogStatus, Logons};

/// The result of `events`.
#[derive(Clone, Debug, Serialize)]
pub struct EventReport {
    /// Version of this document.
    pub schema: u32,
    /// The target as named by the user.
    pub target: String,
    /// False if the Windows has no folder of event logs.
    pub has_logs: bool,
    /// The reason why the folder of event logs can't be read.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub problem: Option<String>,
    /// The time from which on events count.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub counted_since: Option<Timestamp>,
    /// The last logons.
    pub logons: Logons,
    /// The time of the newest event of the log System.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub newest: Option<Timestamp>,
    /// The boots, oldest first.
    pub boots: Vec<Boot>,
    /// The events, oldest first.
    pub events: Vec<Event>,
    /// The logs that were read.
    pub logs: Vec<LogStatus>,
}

impl EventReport {
    pub(crate) fn of(target: &str, found: Events) -> Self {
        Self {
            schema: SCHEMA,
            target: target.to_owned(),
            has_logs: found.has_logs,
            counted_since: found.counted_since(),
            problem: found.problem,
            logons: found.logons,
            newest: found.newest,
            boots: found.boots,
            events: found.events,
            logs: found.logs,
        }
    }
}
