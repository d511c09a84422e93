//! Which events are wanted.

use jiff::Timestamp;

use super::event::Rendered;
use super::known::Known;

/// The log of the boots, and that of the logons.
pub(super) const SYSTEM: &str = "System";
pub(super) const SESSIONS: &str =
    "Microsoft-Windows-TerminalServices-LocalSessionManager/Operational";

/// The log of attempts to log on.
pub(super) const SECURITY: &str = "Security";

/// The events of a log that are wanted.
pub(super) struct Filter<'a> {
    /// The log's name.
    pub(super) log: &'a str,
    /// None that is older.
    pub(super) since: Option<Timestamp>,
    /// Only these IDs; any if it is empty.
    pub(super) ids: &'a [u32],
    /// Only of providers whose names contain this text.
    pub(super) provider: Option<&'a str>,
    /// True if only events with a known meaning are wanted.
    pub(super) known_only: bool,
}

impl Filter<'_> {
    /// False if no event with this ID is wanted.
    pub(super) fn wants_id(&self, id: u32) -> bool {
        let known = !self.known_only || Known::table().has_id(self.log, id);
        is_needed(self.log, id) || known && (self.ids.is_empty() || self.ids.contains(&id))
    }

    /// True if the event is wanted; its time is not considered.
    pub(super) fn wants(&self, event: &Rendered) -> bool {
        let is_known = Known::table()
            .find(self.log, event.names(), event.id, &|name| event.field(name))
            .is_some();
        if is_needed(self.log, event.id) && is_known {
            return true;
        }
        let provider = event.provider.to_lowercase();
        let of_provider = self
            .provider
            .is_none_or(|wanted| provider.contains(&wanted.to_lowercase()));
        of_provider && self.wants_id(event.id) && (is_known || !self.known_only)
    }
}

/// True if an event is needed, whatever was asked for: it tells of a boot or a logon.
fn is_needed(log: &str, id: u32) -> bool {
    match log {
        SYSTEM => matches!(
            id,
            12 | 13 | 20 | 27 | 41 | 1001 | 1074 | 6005 | 6006 | 6008
        ),
        SESSIONS => matches!(id, 21 | 25),
        SECURITY => id == 4624,
        _ => false,
    }
}
