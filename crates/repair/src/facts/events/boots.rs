//! The boots of Windows, from the events of the log System.

use jiff::{SignedDuration, Timestamp};
use serde::Serialize;

use super::event::Event;
use super::known::number;

/// Windows writes the events of one start within this time.
const ONE_START: SignedDuration = SignedDuration::from_mins(10);

const KERNEL_GENERAL: &str = "Microsoft-Windows-Kernel-General";
const KERNEL_BOOT: &str = "Microsoft-Windows-Kernel-Boot";
const KERNEL_POWER: &str = "Microsoft-Windows-Kernel-Power";
const ERROR_REPORTING: &str = "Microsoft-Windows-WER-SystemErrorReporting";

/// A start of Windows, and how it ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Boot {
    /// The time of its first event, UTC.
    pub started: Timestamp,
    /// The number of the record of its first event.
    pub record: u64,
    /// What kind of start it was, if Windows says.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub kind: Option<BootKind>,
    /// How it ended; absent for the last one if nothing is known about its end.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub end: Option<BootEnd>,
    /// The time of its end: of the shutdown, or of the last event that is known before it stopped.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ended: Option<Timestamp>,
    /// The bug check that ended it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bugcheck: Option<BootBugCheck>,
    /// Who asked for the shutdown or restart, and why.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub requested: Option<String>,
    /// The kinds of events that mark its start.
    #[serde(skip)]
    marks: Vec<Mark>,
}

/// The kind of a start.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum BootKind {
    /// After a full shutdown or a restart.
    Full,
    /// After a shutdown with fast startup.
    Fast,
    /// After hibernation.
    Resume,
}

/// How a boot ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum BootEnd {
    /// Windows shut down.
    Clean,
    /// Windows stopped without shutting down: a bug check, a power cut or a reset.
    Unclean,
}

/// A bug check.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct BootBugCheck {
    /// Its code.
    pub code: u32,
    /// The code and its parameters as the event has them, such as
    /// `0x0000007b (0xffff…, 0xc0000034, …)`.
    pub text: String,
    /// The dump file that Windows wrote.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub dump: Option<String>,
}

/// The kinds of events that Windows writes once in each start.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Mark {
    Kernel,
    Loader,
    BootType,
    EventLog,
}

impl Mark {
    fn of(event: &Event) -> Option<Self> {
        match event.id {
            12 if event.is_of(KERNEL_GENERAL) => Some(Self::Kernel),
            20 if event.is_of(KERNEL_BOOT) => Some(Self::Loader),
            27 if event.is_of(KERNEL_BOOT) => Some(Self::BootType),
            6005 if event.is_of("EventLog") => Some(Self::EventLog),
            _ => None,
        }
    }
}

/// The boots in the events of the log System, which are in the order of their records. The clock
/// may have been set in between.
pub(super) fn of(events: &[&Event]) -> Vec<Boot> {
    let mut boots: Vec<Boot> = Vec::new();
    let mut last: Option<Timestamp> = None;
    for event in events {
        if let Some(mark) = Mark::of(event) {
            start(&mut boots, event, mark, last);
        }
        describe(&mut boots, event);
        last = Some(event.time);
    }
    boots
}

/// Adds a mark to the boot that it belongs to, or begins a new boot.
fn start(boots: &mut Vec<Boot>, event: &Event, mark: Mark, last: Option<Timestamp>) {
    let kind = (mark == Mark::BootType).then(|| kind(event)).flatten();
    if let Some(current) = boots.last_mut() {
        let near = current.started.duration_until(event.time).abs() <= ONE_START;
        if near && current.end.is_none() && !current.marks.contains(&mark) {
            current.marks.push(mark);
            // The kernel's own report comes late, with its early time.
            current.started = current.started.min(event.time);
            current.kind = current.kind.or(kind);
            return;
        }
        if current.end.is_none() {
            current.end = Some(BootEnd::Unclean);
            current.ended = last;
        }
    }
    boots.push(Boot {
        started: event.time,
        record: event.record,
        kind,
        end: None,
        ended: None,
        bugcheck: None,
        requested: None,
        marks: vec![mark],
    });
}

fn kind(event: &Event) -> Option<BootKind> {
    match event.number("BootType")? {
        0 => Some(BootKind::Full),
        1 => Some(BootKind::Fast),
        2 => Some(BootKind::Resume),
        _ => None,
    }
}

/// Adds what an event says about the current boot or the one before it.
fn describe(boots: &mut [Boot], event: &Event) {
    let [before @ .., current] = boots else {
        return;
    };
    match event.id {
        13 if event.is_of(KERNEL_GENERAL) => match before.last_mut() {
            // The next start wrote it.
            Some(before) if event.time < current.started => before.clean(event.time),
            _ => current.clean(event.time),
        },
        6006 if event.is_of("EventLog") => current.clean(event.time),
        1074 if event.is_of("USER32") => current.requested = requested(event),
        6008 if event.is_of("EventLog") => {
            if let Some(before) = before.last_mut() {
                before.end = Some(BootEnd::Unclean);
            }
        }
        41 if event.is_of(KERNEL_POWER) => {
            if let Some(before) = before.last_mut() {
                before.end = Some(BootEnd::Unclean);
                let found = power_bugcheck(event);
                before.bugcheck = before.bugcheck.take().or(found);
            }
        }
        1001 if event.is_of(ERROR_REPORTING) || event.is_of("BugCheck") => {
            if let Some(before) = before.last_mut() {
                before.end = Some(BootEnd::Unclean);
                before.bugcheck = bugcheck(event).or(before.bugcheck.take());
            }
        }
        _ => {}
    }
}

impl Boot {
    fn clean(&mut self, time: Timestamp) {
        self.end = Some(BootEnd::Clean);
        self.ended = Some(time);
    }
}

fn requested(event: &Event) -> Option<String> {
    let program = event.field("param1")?;
    let texts = [Some(program), event.field("param5"), event.field("param3")];
    let texts: Vec<&str> = texts.into_iter().flatten().collect();
    Some(texts.join(", "))
}

/// The bug check in an event of Kernel-Power; there is none if its code is 0.
fn power_bugcheck(event: &Event) -> Option<BootBugCheck> {
    let code = u32::try_from(event.number("BugcheckCode")?).ok()?;
    let parameter = |number| event.field(&format!("BugcheckParameter{number}"));
    let parameters: Vec<&str> = (1..=4).filter_map(parameter).collect();
    (code != 0).then(|| BootBugCheck {
        code,
        text: format!("{code:#010x} ({})", parameters.join(", ")),
        dump: None,
    })
}

/// The bug check in an event of error reporting: its text is `0x0000007b (…, …)`.
fn bugcheck(event: &Event) -> Option<BootBugCheck> {
    let text = event.field("param1").or_else(|| event.field("1"))?;
    let code = number(text.split([' ', '(']).next()?)?;
    let dump = event.field("param2").or_else(|| event.field("2"));
    Some(BootBugCheck {
        code: u32::try_from(code).ok()?,
        text: text.to_owned(),
        dump: dump.map(str::to_owned),
    })
}

#[cfg(test)]
mod tests;
