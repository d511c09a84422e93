//! What logs in text say went wrong: of Startup Repair, of Windows Setup and of servicing. Only the
//! end of each is read.

mod startup_repair;
mod tail;

use diskmend_base::count::to_u64;
use diskmend_disk::{Access, Found, Kind};

use super::Facts;
use crate::error::{Error, chain};

/// The length of the end that is read, in bytes.
const MOST_BYTES: usize = 256 << 10;
/// The greatest number of lines that are kept, the last ones.
const MOST_LINES: usize = 50;
/// The greatest length of a line, in characters; the rest is cut off.
const MOST_CHARS: usize = 400;

/// A log in text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TextLog {
    /// Of servicing, which installs updates.
    Servicing,
    /// Of Windows Setup: its errors.
    Setup,
    /// Of Windows Setup: all that it does, with its errors.
    SetupActions,
    /// Of Windows Setup during an upgrade to another build: its errors.
    Upgrade,
    /// Of Windows Setup during an upgrade: all that it does, with its errors.
    UpgradeActions,
    /// Of Startup Repair: the root causes that it found.
    StartupRepair,
}

impl TextLog {
    /// All logs.
    pub(crate) const ALL: [Self; 6] = [
        Self::Servicing,
        Self::Setup,
        Self::SetupActions,
        Self::Upgrade,
        Self::UpgradeActions,
        Self::StartupRepair,
    ];

    const fn path(self) -> &'static [&'static str] {
        match self {
            Self::Servicing => &["Windows", "Logs", "CBS", "CBS.log"],
            Self::Setup => &["Windows", "Panther", "setuperr.log"],
            Self::SetupActions => &["Windows", "Panther", "setupact.log"],
            Self::Upgrade => &["$Windows.~BT", "Sources", "Panther", "setuperr.log"],
            Self::UpgradeActions => &["$Windows.~BT", "Sources", "Panther", "setupact.log"],
            Self::StartupRepair => &["Windows", "System32", "LogFiles", "Srt", "SrtTrail.txt"],
        }
    }
}

/// The errors at the end of a log.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Errors {
    /// The path of the log, with `/`.
    pub path: String,
    /// Its last lines that tell an error, the last one last.
    pub lines: Vec<String>,
}

/// Reads the errors of a log; none if there is no such log.
pub(super) fn read(facts: &Facts<'_>, log: TextLog) -> Result<Errors, String> {
    let path = log.path();
    let found = facts.site.root.find(path).map_err(|error| chain(&error))?;
    let Some(found) = found.filter(|found| found.kind() == Kind::File) else {
        return Ok(Errors::default());
    };
    let text = tail::text(&end(&found)?);
    let lines = match log {
        TextLog::StartupRepair => startup_repair::root_causes(&text),
        _ => tail::errors(&text),
    };
    let mut last: Vec<String> = lines.map(tail::cut).collect();
    last.drain(..last.len().saturating_sub(MOST_LINES));
    Ok(Errors {
        path: found.path,
        lines: last,
    })
}

/// The end of a file, and its first two bytes before it.
fn end(found: &Found) -> Result<Vec<u8>, String> {
    let read = || {
        let file = found.open(Access::Read)?;
        let len = file.len()?;
        // An even start keeps UTF-16 whole.
        let start = len
            .saturating_sub(to_u64(MOST_BYTES))
            .next_multiple_of(2)
            .min(len);
        let rest = usize::try_from(len - start).map_err(std::io::Error::other)?;
        let mark = if start > 0 { 2 } else { 0 };
        let mut bytes = vec![0; mark + rest];
        let (first, last) = bytes.split_at_mut(mark);
        file.read_exact_at(first, 0)?;
        file.read_exact_at(last, start)?;
        Ok(bytes)
    };
    let read: std::io::Result<Vec<u8>> = read();
    read.map_err(|error| chain(&Error::io(&found.path, "read the log")(error)))
}

/// Reads untrusted bytes as every kind of log.
#[cfg(feature = "fuzzing")]
pub(super) fn fuzz(data: &[u8]) {
    let text = tail::text(data);
    let lines = tail::errors(&text).chain(startup_repair::root_causes(&text));
    for line in lines.map(tail::cut) {
        assert!(line.chars().count() <= MOST_CHARS, "{line:?}");
    }
}
