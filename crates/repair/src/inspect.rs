//! `inspect`: compares a target with recipes. Nothing is written.

use crate::documents::InspectReport;
use crate::engine::Engine;
use crate::error::Error;
use crate::facts::Facts;
use crate::finding::Goal;
use crate::guards::reading_guards;
use crate::progress::{Phase, Watch};
use crate::recipe::Recipe;
use crate::site::{Options, Site};
use crate::survey;
use crate::unfinished::unfinished;

impl Engine {
    /// Compares the target with recipes. Nothing is written, not even to replay a log.
    ///
    /// # Errors
    /// If the target is not a Windows volume, or none of the hives can be read; see [`Error`].
    pub fn inspect(
        &self,
        recipes: &[&Recipe],
        watch: &mut Watch<'_>,
    ) -> Result<InspectReport, Error> {
        watch.phase(Phase::Guards, &self.site.display)?;
        reading_guards(&self.target)?;
        inspect_site(&self.site, recipes, &self.options, watch)
    }
}

pub(crate) fn inspect_site(
    site: &Site,
    recipes: &[&Recipe],
    options: &Options,
    watch: &mut Watch<'_>,
) -> Result<InspectReport, Error> {
    let (unfinished, damaged) = unfinished(site)?;
    let facts = Facts::of(site, options, watch.lend());
    let mut found = survey::survey(&facts, recipes, Goal::Faults, None)?;
    found.notices.extend(damaged);
    // After the survey, so that an error of a hive goes to the rows that needed it.
    facts.go_on()?;
    let identity = facts.identity().clone();
    Ok(InspectReport::of(
        &site.display,
        recipes,
        &found,
        identity,
        unfinished,
    ))
}
