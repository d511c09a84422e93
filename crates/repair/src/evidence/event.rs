//! Evidence of the kind `event`: events in the logs of Windows, as far as they count.

use std::collections::BTreeMap;

use jiff::SignedDuration;
use serde::Deserialize;
use toml::Spanned;

use super::words::fits;
use super::{EvidenceKind, Looked, Sighting};
use crate::facts::{Event, Events, Facts, is_known_event};
use crate::progress::Interrupted;
use crate::written::{Wrong, wrong};

/// The number of events that are named; the newest ones.
const MOST_SIGHTINGS: usize = 3;
/// The greatest number of events that one piece of evidence can ask for.
const MOST_EVENTS: usize = 100;
/// The greatest number of IDs, services or values in one piece of evidence.
const MOST_WORDS: usize = 50;

/// An event with one of these IDs.
#[derive(Clone, Debug)]
pub(crate) struct EventEvidence {
    log: String,
    provider: String,
    ids: Vec<u32>,
    services: Vec<String>,
    fields: BTreeMap<String, Vec<String>>,
    /// The number of such events that are evidence.
    at_least: usize,
    /// The time within which as many must have happened; any if absent.
    within: Option<SignedDuration>,
    since: Since,
    /// True if it must be about a user who has logged on before.
    known_user: bool,
}

/// What makes an event too old to count, besides the number of boots.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
enum Since {
    /// A later logon over the network: Remote Desktop worked.
    #[default]
    #[serde(rename = "remote-logon")]
    Remote,
    /// A later logon, also at the console: Windows worked.
    #[serde(rename = "any-logon")]
    Any,
    /// A logon over the network more than some minutes later. What goes wrong with a logon that
    /// succeeds comes just before it.
    #[serde(rename = "during-logon")]
    During,
}

/// The fields in a rule.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct EventFile {
    log: Spanned<String>,
    provider: Spanned<String>,
    ids: Spanned<Vec<Spanned<u32>>>,
    #[serde(default)]
    services: Vec<String>,
    #[serde(default)]
    fields: BTreeMap<String, Vec<String>>,
    at_least: Option<Spanned<usize>>,
    within_hours: Option<u16>,
    #[serde(default)]
    since: Since,
    #[serde(default)]
    known_user: bool,
}

impl EvidenceKind for EventEvidence {
    type Written = EventFile;

    fn read(written: EventFile) -> Result<Self, Wrong> {
        let ids = written.ids.get_ref();
        let words = written.fields.values().map(Vec::len);
        let most = words.chain([ids.len(), written.services.len(), written.fields.len()]);
        if ids.is_empty() || most.max() > Some(MOST_WORDS) {
            let message = format!("name 1 to {MOST_WORDS} IDs, services and values");
            return Err(wrong(&written.ids)(message));
        }
        for id in ids {
            let (log, provider) = (written.log.get_ref(), written.provider.get_ref());
            if !is_known_event(log, provider, *id.get_ref()) {
                let message = format!(
                    "diskmend does not read event {} of {provider} in {log}",
                    id.get_ref()
                );
                return Err(wrong(id)(message));
            }
        }
        let at_least = match written.at_least {
            Some(count) if !(1..=MOST_EVENTS).contains(count.get_ref()) => {
                let message = format!("the number of events is within 1 to {MOST_EVENTS}");
                return Err(wrong(&count)(message));
            }
            Some(count) => count.into_inner(),
            None => 1,
        };
        let ids = written.ids.into_inner().into_iter();
        Ok(Self {
            at_least,
            within: written
                .within_hours
                .map(|hours| SignedDuration::from_hours(hours.into())),
            log: written.log.into_inner(),
            provider: written.provider.into_inner(),
            ids: ids.map(Spanned::into_inner).collect(),
            services: written.services,
            fields: written.fields,
            since: written.since,
            known_user: written.known_user,
        })
    }

    fn look(&self, facts: &Facts<'_>) -> Result<Looked, Interrupted> {
        let events = facts.events()?;
        if let Some(problem) = &events.problem {
            return Ok(Looked::Unknown(format!("event logs: {problem}")));
        }
        let sightings: Vec<Sighting> = match self.since {
            Since::Remote => self.newest(events, events.relevant()),
            Since::Any => self.newest(events, events.relevant_since_any_logon()),
            Since::During => self.newest(events, events.relevant_during_logon()),
        };
        if sightings.is_empty()
            && let Some(problem) = self.unread(events)
        {
            return Ok(Looked::Unknown(problem));
        }
        Ok(Looked::of(sightings))
    }

    fn shown(&self) -> String {
        let ids: Vec<String> = self.ids.iter().map(u32::to_string).collect();
        let (ids, provider, log) = (ids.join(" or "), &self.provider, &self.log);
        let mut text = format!("event {ids} of {provider} in the log {log}");
        if self.at_least > 1 {
            text.push_str(&format!(", at least {} times", self.at_least));
        }
        if let Some(within) = self.within {
            text.push_str(&format!(" within {} hours", within.as_hours()));
        }
        if !self.services.is_empty() {
            text.push_str(&format!(", service {}", self.services.join(" or ")));
        }
        for (name, values) in &self.fields {
            text.push_str(&format!(", {name} {}", values.join(" or ")));
        }
        if self.known_user {
            text.push_str(", about a user who has logged on before");
        }
        text
    }
}

impl EventEvidence {
    fn newest<'a>(
        &self,
        all: &Events,
        events: impl DoubleEndedIterator<Item = &'a Event>,
    ) -> Vec<Sighting> {
        let by_user = |event: &Event| !self.known_user || all.is_of_known_user(event);
        let wanted = events
            .rev()
            .filter(|event| self.is(event) && by_user(event));
        let wanted: Vec<&Event> = wanted.collect();
        let mut starts = wanted.windows(self.at_least).enumerate();
        let is_near = |events: &[&Event]| match (events.first(), events.last(), self.within) {
            (Some(newest), Some(oldest), Some(within)) => {
                oldest.time.duration_until(newest.time) <= within
            }
            _ => true,
        };
        let Some((start, _)) = starts.find(|(_, events)| is_near(events)) else {
            return Vec::new();
        };
        let named = wanted.into_iter().skip(start).take(MOST_SIGHTINGS);
        named.map(sighting_of_event).collect()
    }

    fn is(&self, event: &Event) -> bool {
        let of_service = || {
            let service = event.service.as_deref();
            let names = |name: &String| service.is_some_and(|key| key.eq_ignore_ascii_case(name));
            self.services.is_empty() || self.services.iter().any(names)
        };
        let with_values = || {
            self.fields.iter().all(|(name, patterns)| {
                let value = event.field(name);
                value.is_some_and(|value| patterns.iter().any(|pattern| fits(value, pattern)))
            })
        };
        event.log == self.log
            && event.is_of(&self.provider)
            && self.ids.contains(&event.id)
            && of_service()
            && with_values()
    }

    /// The reason why the log is unknown, if it is there and nothing of it could be read.
    fn unread(&self, events: &Events) -> Option<String> {
        let log = events.logs.iter().find(|log| log.log == self.log)?;
        let problem = log.problems.first()?;
        (log.records_read == 0).then(|| format!("{}: {problem}", log.path))
    }
}

/// The place of an event, with what it means.
pub(crate) fn sighting_of_event(event: &Event) -> Sighting {
    let meaning = event.meaning.unwrap_or("event");
    let details = event.details();
    let place = format!(
        "event log {}, record {}: {} {}",
        event.log, event.record, event.provider, event.id
    );
    let found = if details.is_empty() {
        meaning.to_owned()
    } else {
        format!("{meaning}: {details}")
    };
    Sighting {
        time: Some(event.time.to_string()),
        ..Sighting::new(place, found)
    }
}
