//! What evidence there is on a disk at all. That there is none is as much worth knowing as what it
//! tells: without event logs, a diagnosis goes by settings and files alone.

use serde::Serialize;

use crate::evidence::{Sighting, sighting_of_event};
use crate::facts::{Events, Facts, TextLog};
use crate::progress::Interrupted;

/// The greatest number of changes that are kept; the newest ones.
const MOST_CHANGES: usize = 10;

/// A source of evidence, and what it has.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Source {
    /// The kind of evidence, such as `crash dumps`.
    pub evidence: &'static str,
    /// What there is of it.
    pub state: SourceState,
    /// What there is, in a few words.
    pub found: String,
}

/// What there is of a source of evidence.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum SourceState {
    /// There is something; the rules have judged it.
    Found,
    /// It was looked at, and nothing is wrong with it.
    Clean,
    /// There is none on the disk.
    None,
    /// It could not be read, or not completely.
    Unknown,
}

/// What was installed or changed since somebody last logged on over the network.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct RecentChanges {
    /// The newest ones; the newest is first.
    pub(crate) newest: Vec<Sighting>,
    /// The number of older ones.
    pub(crate) more: usize,
}

impl RecentChanges {
    /// # Errors
    /// If the caller interrupts.
    pub(crate) fn read(facts: &Facts<'_>) -> Result<Self, Interrupted> {
        let events = facts.events()?;
        let mut changes = events.relevant().rev().filter(|event| event.is_change());
        let newest = changes.by_ref().take(MOST_CHANGES).map(sighting_of_event);
        Ok(Self {
            newest: newest.collect(),
            more: changes.count(),
        })
    }
}

/// Says of each source what it has. The rules have read all of them.
///
/// # Errors
/// If the caller interrupts.
pub(crate) fn sources(facts: &Facts<'_>) -> Result<Vec<Source>, Interrupted> {
    let mut sources = vec![event_logs(facts.events()?), crash_dumps(facts)];
    sources.extend(TextLog::ALL.map(|log| text_log(facts, log)));
    sources.extend([named_files(facts), firewall(facts), certificate(facts)]);
    Ok(sources)
}

fn event_logs(events: &Events) -> Source {
    const WHAT: &str = "event logs";
    if let Some(problem) = &events.problem {
        return Source::unknown(WHAT, problem.clone());
    }
    let with_records = events.logs.iter().filter(|log| log.records_read > 0);
    let count = with_records.count();
    if count == 0 {
        return match events.logs.iter().find_map(|log| log.problems.first()) {
            Some(problem) => Source::unknown(WHAT, problem.clone()),
            None => Source::none(WHAT),
        };
    }
    let mut found = format!("{count} with records");
    if let Some(newest) = events.newest {
        found.push_str(&format!(", the newest of {newest}"));
    }
    match events.logons.remote {
        Some(logon) => found.push_str(&format!("; last logon over the network {logon}")),
        None => found.push_str("; no logon over the network"),
    }
    Source::found(WHAT, found)
}

fn crash_dumps(facts: &Facts<'_>) -> Source {
    const WHAT: &str = "crash dumps";
    match facts.bug_checks() {
        Err(reason) => Source::unknown(WHAT, reason),
        Ok(checks) => match checks.first() {
            None => Source::none(WHAT),
            Some(newest) => {
                let mut found = format!("{}, code 0x{:X}", newest.path, newest.code);
                if let Some(time) = &newest.time {
                    found.push_str(&format!(" of {time}"));
                }
                match checks.len() - 1 {
                    0 => {}
                    older => found.push_str(&format!(", and {older} older")),
                }
                Source::found(WHAT, found)
            }
        },
    }
}

fn text_log(facts: &Facts<'_>, log: TextLog) -> Source {
    let what = match log {
        TextLog::Servicing => "log of servicing (CBS.log)",
        TextLog::Setup => "errors of Windows Setup (setuperr.log)",
        TextLog::SetupActions => "log of Windows Setup (setupact.log)",
        TextLog::Upgrade => "errors of an upgrade (setuperr.log)",
        TextLog::UpgradeActions => "log of an upgrade (setupact.log)",
        TextLog::StartupRepair => "log of Startup Repair (SrtTrail.txt)",
    };
    match facts.text_log(log) {
        Err(reason) => Source::unknown(what, reason),
        Ok(errors) if errors.path.is_empty() => Source::none(what),
        Ok(errors) => match (errors.lines.len(), log) {
            (0, TextLog::StartupRepair) => Source::clean(what, "no root cause"),
            (0, _) => Source::clean(what, "no error at its end"),
            (count, TextLog::StartupRepair) => Source::found(what, counted(count, "root cause")),
            (count, _) => Source::found(what, format!("{} at its end", counted(count, "error"))),
        },
    }
}

fn named_files(facts: &Facts<'_>) -> Source {
    const WHAT: &str = "files of services, drivers and filters";
    match facts.service_files() {
        Err(reason) => Source::unknown(WHAT, reason),
        Ok(files) => {
            let missing = files.missing.len() + files.filters.len();
            match (missing, files.whole, files.unknown.first()) {
                (0, true, None) => Source::clean(WHAT, "none is missing"),
                (0, false, None) => Source::unknown(WHAT, "not a whole Windows volume".to_owned()),
                (0, _, Some(reason)) => Source::unknown(WHAT, reason.clone()),
                (missing, ..) => Source::found(WHAT, format!("{missing} missing or empty")),
            }
        }
    }
}

fn firewall(facts: &Facts<'_>) -> Source {
    const WHAT: &str = "firewall for Remote Desktop";
    match facts.closed_port() {
        Err(reason) => Source::unknown(WHAT, reason),
        Ok(None) => Source::clean(WHAT, "lets clients in, or Remote Desktop is off"),
        Ok(Some(closed)) => Source::found(WHAT, format!("port {} is closed", closed.port)),
    }
}

fn certificate(facts: &Facts<'_>) -> Source {
    const WHAT: &str = "certificate of Remote Desktop";
    match facts.faulty_certificates() {
        Err(reason) => Source::unknown(WHAT, reason),
        Ok([]) => Source::clean(WHAT, "no fault, or Windows still makes one"),
        Ok([first, ..]) => Source::found(WHAT, first.found.clone()),
    }
}

impl Source {
    fn found(evidence: &'static str, found: String) -> Self {
        Self {
            evidence,
            state: SourceState::Found,
            found,
        }
    }

    fn clean(evidence: &'static str, found: &str) -> Self {
        Self {
            state: SourceState::Clean,
            ..Self::found(evidence, found.to_owned())
        }
    }

    fn none(evidence: &'static str) -> Self {
        Self {
            state: SourceState::None,
            ..Self::found(evidence, "none".to_owned())
        }
    }

    fn unknown(evidence: &'static str, reason: String) -> Self {
        Self {
            state: SourceState::Unknown,
            ..Self::found(evidence, reason)
        }
    }
}

fn counted(count: usize, what: &str) -> String {
    match count {
        1 => format!("1 {what}"),
        count => format!("{count} {what}s"),
    }
}
