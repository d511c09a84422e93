//! `events`: what the event logs of a target tell. Nothing is written.

use crate::documents::EventReport;
use crate::engine::Engine;
use crate::error::Error;
use crate::facts::{EventQuery, Facts};
use crate::guards::reading_guards;
use crate::progress::{Phase, Watch};

impl Engine {
    /// Reads the event logs of the target. Nothing is written.
    ///
    /// # Errors
    /// If the target is not a Windows volume, or the caller interrupts; see [`Error`]. A log that
    /// can't be read is reported and isn't an error.
    pub fn events(&self, query: &EventQuery, watch: &mut Watch<'_>) -> Result<EventReport, Error> {
        watch.phase(Phase::Guards, &self.site.display)?;
        reading_guards(&self.target)?;
        let facts = Facts::of(&self.site, &self.options, watch.lend());
        let found = facts.read_events(query)?;
        Ok(EventReport::of(&self.site.display, found))
    }
}
