//! Finds the logs, and reads each as far back as needed.

use std::net::IpAddr;

use diskmend_base::chain;
use diskmend_disk::{Access, Dir};
use jiff::Timestamp;

use super::boots;
use super::event::Event;
use super::filter::{Filter, SECURITY, SESSIONS, SYSTEM};
use super::known::{Known, file_name};
use super::limits::Budget;
use super::log::{Log, LogStatus};
use super::{COUNTED_BOOTS, EventQuery, Events, Logons, Since};
use crate::progress::Interrupted;

/// The folder of the logs.
const FOLDER: [&str; 4] = ["Windows", "System32", "winevt", "Logs"];

/// Reads the logs of the Windows on a volume.
///
/// # Errors
/// If the caller interrupts.
pub(crate) fn read(
    root: &dyn Dir,
    query: &EventQuery,
    go_on: &dyn Fn() -> Result<(), Interrupted>,
) -> Result<Events, Interrupted> {
    read_within(root, query, Budget::start(), go_on)
}

/// Reads the logs within a budget.
///
/// # Errors
/// If the caller interrupts.
pub(super) fn read_within(
    root: &dyn Dir,
    query: &EventQuery,
    mut budget: Budget,
    go_on: &dyn Fn() -> Result<(), Interrupted>,
) -> Result<Events, Interrupted> {
    let mut events = Events::default();
    let folder = match root.find(&FOLDER) {
        Ok(None) => return Ok(events),
        Ok(Some(found)) => found.open_dir().map_err(|error| error.to_string()),
        Err(error) => Err(chain(&error)),
    };
    events.has_logs = true;
    let folder = match folder {
        Ok(folder) => folder,
        Err(problem) => {
            events.problem = Some(problem);
            return Ok(events);
        }
    };
    let mut reading = Reading {
        query,
        since: match query.since {
            Since::Time(time) => Some(time),
            Since::Counted | Since::Always | Since::Before(_) => None,
        },
        events,
    };
    for log in &Known::table().logs {
        reading.log(folder.as_ref(), log, &mut budget, go_on)?;
    }
    Ok(reading.finish())
}

struct Reading<'q> {
    query: &'q EventQuery,
    /// The time from which on events are wanted, as far as it is known yet.
    since: Option<Timestamp>,
    events: Events,
}

impl Reading<'_> {
    fn log(
        &mut self,
        folder: &dyn Dir,
        name: &str,
        budget: &mut Budget,
        go_on: &dyn Fn() -> Result<(), Interrupted>,
    ) -> Result<(), Interrupted> {
        let file_name = file_name(name);
        let path = format!("{}/{file_name}", FOLDER.join("/"));
        let opened = match folder.find(&[&file_name]) {
            Ok(None) => return Ok(()),
            Ok(Some(found)) => found.open(Access::Read).map_err(|error| error.to_string()),
            Err(error) => Err(chain(&error)),
        };
        let file = match opened {
            Ok(file) => file,
            Err(error) => {
                self.events.logs.push(LogStatus {
                    log: name.to_owned(),
                    path,
                    problems: vec![format!("it can't be opened: {error}")],
                    ..LogStatus::default()
                });
                return Ok(());
            }
        };
        let filter = Filter {
            log: name,
            since: self.since,
            ids: &self.query.ids,
            provider: self.query.provider.as_deref(),
            known_only: self.query.known_only(),
        };
        let since = self.query.since;
        let mut log = Log::new(filter, &path);
        let mut enough = |log: &mut Log<'_>| match (since, name) {
            (Since::Before(span), SYSTEM) => {
                let back = |time: Timestamp| time.checked_sub(span).ok();
                log.filter.since = log.filter.since.or_else(|| log.newest.and_then(back));
                false
            }
            (Since::Counted, SYSTEM) => has_enough_boots(&log.events),
            (Since::Counted, SESSIONS | SECURITY) => logons(&log.events).remote.is_some(),
            _ => false,
        };
        log.read(file.as_ref(), budget, go_on, &mut enough)?;
        self.add(log);
        Ok(())
    }

    fn add(&mut self, log: Log<'_>) {
        let Log {
            filter,
            status,
            mut events,
            newest,
            ..
        } = log;
        if filter.log == SYSTEM {
            events.sort_by_key(|event| event.record);
            self.events.boots = boots::of(&events.iter().collect::<Vec<_>>());
            self.events.newest = newest;
        }
        self.since = match self.query.since {
            Since::Counted => {
                if matches!(filter.log, SESSIONS | SECURITY) {
                    let (known, found) = (&mut self.events.logons, logons(&events));
                    known.remote = known.remote.max(found.remote);
                    known.any = known.any.max(found.any);
                }
                self.events.read_since()
            }
            Since::Before(span) => {
                let newest = self.events.newest;
                newest.and_then(|time| time.checked_sub(span).ok())
            }
            Since::Always | Since::Time(_) => self.since,
        };
        self.events.logs.push(status);
        self.events.events.extend(events);
    }

    /// The events that were asked for, in order: others were read for the boots and the logons.
    fn finish(self) -> Events {
        let Self {
            query,
            since,
            mut events,
        } = self;
        events.events.retain(|event| {
            let provider = || event.provider.to_lowercase();
            let of_provider = query.provider.as_ref();
            let of_provider =
                of_provider.is_none_or(|wanted| provider().contains(&wanted.to_lowercase()));
            of_provider
                && (query.ids.is_empty() || query.ids.contains(&event.id))
                && since.is_none_or(|since| event.time >= since)
        });
        events
            .events
            .sort_by(|a, b| (a.time, &a.log, a.record).cmp(&(b.time, &b.log, b.record)));
        events
    }
}

/// True if the events of the log System, newest first, have the start of every boot that counts.
fn has_enough_boots(events: &[Event]) -> bool {
    let starts = |id, provider| {
        let of = |event: &&Event| event.id == id && event.is_of(provider);
        events.iter().filter(of).count()
    };
    let kernel = starts(12, "Microsoft-Windows-Kernel-General");
    // One more, so that the oldest boot that counts is whole.
    kernel.max(starts(6005, "EventLog")) > COUNTED_BOOTS
}

/// The last logons in the events of the session manager (a session began, or was taken up again) and
/// of the log Security (a logon over Remote Desktop).
fn logons(events: &[Event]) -> Logons {
    let mut logons = Logons::default();
    for event in events {
        let from = match event.id {
            21 | 25 if event.log == SESSIONS => event.field("Address"),
            4624 if event.log == SECURITY && event.meaning.is_some() => event.field("IpAddress"),
            _ => continue,
        };
        let time = Some(event.time);
        logons.any = logons.any.max(time);
        if from.is_some_and(is_remote) {
            logons.remote = logons.remote.max(time);
        }
    }
    logons
}

/// True for the address of another machine. At the console, Windows writes a word.
fn is_remote(address: &str) -> bool {
    let address = address.split('%').next().unwrap_or(address);
    let parsed: Result<IpAddr, _> = address.trim().parse();
    parsed.is_ok_and(|address| !address.is_loopback() && !address.is_unspecified())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_of_another_machine_is_an_ip_address() {
        for address in ["10.0.0.4", "fe80::1%4", "2001:db8::5", " 192.0.2.1 "] {
            assert!(is_remote(address), "{address}");
        }
        for address in ["LOCAL", "", "本地", "127.0.0.1", "::1", "0.0.0.0", "10.0.0"] {
            assert!(!is_remote(address), "{address}");
        }
    }
}
