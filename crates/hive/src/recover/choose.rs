//! Chooses the logs that apply to a dirty hive, and their order (regf spec, Multiple transaction
//! log files).
//!
//! `.LOG1` and `.LOG2` belong together. `.LOG` counts only if neither of them contains a valid base
//! block: Windows uses either the pair or the single log, and the other may exist as a remnant of
//! the installation.

use std::borrow::Cow;

use crate::format::BaseBlock;
use crate::recover::dirty_vector::DirtyVector;
use crate::recover::entries::{Chain, chain};
use crate::recover::error::LogFault;
use crate::recover::head::LogHead;
use crate::recover::log_kind::{LogFormat, LogKind};
use crate::recover::logs::Logs;
use crate::time::Filetime;

/// What the primary file says about itself.
pub(crate) enum Primary {
    /// Its base block is valid.
    Valid {
        /// Secondary sequence number.
        sequence: u32,
        /// When the base block was last written.
        last_written: Filetime,
    },
    /// Its base block must come from a log.
    Invalid {
        /// The copy of that time in the first hive bin, if there is one.
        last_written: Option<Filetime>,
    },
}

impl Primary {
    /// The timestamp that a log must have to belong to the last write; `None` if the file has lost
    /// it.
    fn time(&self) -> Option<Filetime> {
        match *self {
            Self::Valid { last_written, .. } => Some(last_written),
            Self::Invalid { last_written } => last_written,
        }
    }
}

/// A log that applies.
pub(crate) struct Applicable<'a> {
    pub(crate) kind: LogKind,
    pub(crate) base: Box<BaseBlock>,
    pub(crate) content: Content<'a>,
}

/// The data that a log replays.
pub(crate) enum Content<'a> {
    /// A log in the old format.
    Sectors(DirtyVector<'a>),
    /// A log in the new format.
    Entries(Chain<'a>),
}

/// The reason why each log does not apply; `None` for logs that apply.
#[derive(Default)]
pub(crate) struct Faults([Option<LogFault>; 3]);

impl Faults {
    fn set(&mut self, kind: LogKind, fault: LogFault) {
        let [log, log1, log2] = &mut self.0;
        *match kind {
            LogKind::Log => log,
            LogKind::Log1 => log1,
            LogKind::Log2 => log2,
        } = Some(fault);
    }

    /// The faults of `.LOG`, `.LOG1` and `.LOG2`.
    pub(crate) fn into_parts(self) -> [Option<LogFault>; 3] {
        self.0
    }
}

/// A log with a valid base block.
struct Candidate<'a> {
    kind: LogKind,
    bytes: &'a [u8],
    head: LogHead,
}

impl Candidate<'_> {
    /// The fault of a log that belongs to a write at another time than `expected`, or of any log if
    /// that time is lost; `None` if it belongs to that write.
    fn other_time(&self, expected: Option<Filetime>) -> Option<LogFault> {
        let actual = Filetime(self.head.base.last_written.get());
        match expected {
            Some(expected) => {
                (actual != expected).then_some(LogFault::Timestamp { expected, actual })
            }
            None => Some(LogFault::NoTimestamp),
        }
    }
}

/// The logs that apply, in the order in which they are replayed; empty if none applies.
pub(crate) fn choose<'a>(
    primary: &Primary,
    logs: &'a Logs,
    max_bins_len: usize,
) -> (Vec<Applicable<'a>>, Faults) {
    let mut faults = Faults::default();
    let mut open = |kind| match logs.open(kind) {
        Ok((bytes, head)) => Some(Candidate { kind, bytes, head }),
        Err(fault) => {
            faults.set(kind, fault);
            None
        }
    };
    let single = open(LogKind::Log);
    let mut group: Vec<_> = [LogKind::Log1, LogKind::Log2]
        .into_iter()
        .filter_map(open)
        .collect();
    match (single, group.first()) {
        (Some(single), Some(first)) => {
            faults.set(single.kind, LogFault::Superseded { used: first.kind });
        }
        (Some(single), None) => group.push(single),
        (None, _) => {}
    }
    let (new, old): (Vec<_>, Vec<_>) = group
        .into_iter()
        .partition(|log| log.head.format == LogFormat::New);
    let chosen = match choose_new(primary, new, max_bins_len, &mut faults) {
        New::Use(chosen) => {
            supersede(&old, &chosen, &mut faults);
            chosen
        }
        // Pages on which later logs build are missing.
        New::Broken(used) => {
            for log in &old {
                faults.set(log.kind, LogFault::Superseded { used });
            }
            Vec::new()
        }
        New::NotEligible => choose_old(primary, old, max_bins_len, &mut faults),
    };
    (chosen, faults)
}

fn supersede(others: &[Candidate<'_>], chosen: &[Applicable<'_>], faults: &mut Faults) {
    for log in others {
        if let Some(used) = chosen.first().map(|log| log.kind) {
            faults.set(log.kind, LogFault::Superseded { used });
        }
    }
}

enum New<'a> {
    Use(Vec<Applicable<'a>>),
    Broken(LogKind),
    NotEligible,
}

/// If the primary file's base block is valid, both logs apply, the earlier one first; otherwise
/// only the later one applies.
fn choose_new<'a>(
    primary: &Primary,
    mut logs: Vec<Candidate<'a>>,
    max_bins_len: usize,
    faults: &mut Faults,
) -> New<'a> {
    if let [first, second] = logs.as_slice()
        && precedes(second.head.sequence(), first.head.sequence())
    {
        logs.reverse();
    }
    // A log with another timestamp belongs to another write of the hive, in this format too.
    let expected = primary.time();
    logs.retain(|log| {
        let Some(fault) = log.other_time(expected) else {
            return true;
        };
        faults.set(log.kind, fault);
        false
    });
    match *primary {
        Primary::Valid { sequence, .. } => logs.retain(|log| {
            let eligible = !precedes(log.head.sequence(), sequence);
            if !eligible {
                let fault = LogFault::Stale {
                    expected: sequence,
                    actual: log.head.sequence(),
                };
                faults.set(log.kind, fault);
            }
            eligible
        }),
        Primary::Invalid { .. } => {
            if logs.len() > 1 {
                let earlier = logs.remove(0);
                if let Some(later) = logs.first() {
                    faults.set(earlier.kind, LogFault::Superseded { used: later.kind });
                }
            }
        }
    }
    let mut chosen: Vec<Applicable<'a>> = Vec::new();
    let mut next = None;
    for log in logs {
        let actual = log.head.sequence();
        if let Some(expected) = next
            && expected != actual
        {
            faults.set(log.kind, LogFault::NotNext { expected, actual });
            break;
        }
        let chain = chain(log.bytes, actual, max_bins_len);
        if chain.entries.is_empty() {
            faults.set(log.kind, chain.end.into());
            if chosen.is_empty() {
                return New::Broken(log.kind);
            }
            break;
        }
        next = Some(chain.last.wrapping_add(1));
        chosen.push(Applicable {
            kind: log.kind,
            base: log.head.base,
            content: Content::Entries(chain),
        });
    }
    if chosen.is_empty() {
        New::NotEligible
    } else {
        New::Use(chosen)
    }
}

/// Only one log applies: the first one with the timestamp of the primary file. The boot loader
/// chooses in this way. It does not matter which of two logs is newer, because a log that does not
/// match belongs to a write that never reached the primary file.
fn choose_old<'a>(
    primary: &Primary,
    logs: Vec<Candidate<'a>>,
    max_bins_len: usize,
    faults: &mut Faults,
) -> Vec<Applicable<'a>> {
    let expected = primary.time();
    let mut chosen: Vec<Applicable<'a>> = Vec::new();
    for log in logs {
        if let Some(used) = chosen.first().map(|log| log.kind) {
            faults.set(log.kind, LogFault::Superseded { used });
            continue;
        }
        match open_old(&log, expected, max_bins_len) {
            Ok(vector) => chosen.push(Applicable {
                kind: log.kind,
                base: log.head.base,
                content: Content::Sectors(vector),
            }),
            Err(fault) => faults.set(log.kind, fault),
        }
    }
    chosen
}

fn open_old<'a>(
    log: &Candidate<'a>,
    expected: Option<Filetime>,
    max_bins_len: usize,
) -> Result<DirtyVector<'a>, LogFault> {
    if let Some(fault) = log.other_time(expected) {
        return Err(fault);
    }
    let bins_len = log.head.bins_len();
    if bins_len > max_bins_len {
        return Err(crate::error::Corruption::new(
            "length of the hive bins in a log",
            crate::offset::FileOffset(40),
            Cow::Owned(format!("at most {max_bins_len:#x}")),
            format!("{bins_len:#x}"),
        )
        .into());
    }
    Ok(DirtyVector::parse(log.bytes, bins_len)?)
}

/// True if sequence number `a` comes before `b` on the circle of 32-bit numbers.
pub(crate) const fn precedes(a: u32, b: u32) -> bool {
    matches!(b.wrapping_sub(a), 1..=0x7FFF_FFFF)
}
