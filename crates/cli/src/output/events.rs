//! Boots and events as text.

use anstyle::Style;
use diskmend_repair::{Boot, BootEnd, BootKind, Event};
use jiff::Timestamp;

use super::style;

/// A time to the second.
pub(crate) fn time(time: Timestamp) -> String {
    Timestamp::from_second(time.as_second()).map_or_else(|_| time.to_string(), |t| t.to_string())
}

/// When a boot started, and what kind of start it was if it was not a full one.
pub(crate) fn started(boot: &Boot) -> String {
    let kind = match boot.kind {
        Some(BootKind::Fast) => " (fast startup)",
        Some(BootKind::Resume) => " (from hibernation)",
        Some(BootKind::Full) | None => "",
    };
    format!("{}{kind}", time(boot.started))
}

/// How a boot ended.
pub(crate) const fn how(boot: &Boot) -> (&'static str, Style) {
    match boot.end {
        Some(BootEnd::Clean) => ("shut down", style::GOOD),
        Some(BootEnd::Unclean) if boot.bugcheck.is_some() => ("bug check", style::BAD),
        Some(BootEnd::Unclean) => ("stopped", style::BAD),
        None => ("end unknown", style::WARNING),
    }
}

/// Why a boot ended, as far as it is known.
pub(crate) fn why(boot: &Boot) -> &str {
    let bugcheck = boot.bugcheck.as_ref().map(|check| check.text.as_str());
    bugcheck.or(boot.requested.as_deref()).unwrap_or_default()
}

/// The name of a log without its usual beginning.
pub(crate) fn short_name(log: &str) -> &str {
    let name = log.strip_prefix("Microsoft-Windows-").unwrap_or(log);
    name.strip_prefix("TerminalServices-").unwrap_or(name)
}

/// What an event means, and its details.
pub(crate) fn meaning(event: &Event) -> String {
    let details = event.details();
    let meaning = event.meaning.unwrap_or(&event.provider);
    if details.is_empty() {
        meaning.to_owned()
    } else {
        format!("{meaning}: {details}")
    }
}
