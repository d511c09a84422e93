//! `diagnose`: looks for the causes of trouble that the rules know. Nothing is written.

use crate::diagnosis::{self, RecentChanges, Rules};
use crate::documents::DiagnoseReport;
use crate::engine::Engine;
use crate::error::Error;
use crate::facts::Facts;
use crate::guards::reading_guards;
use crate::progress::{Phase, Watch};
use crate::recipe::Catalogue;
use crate::site::{Options, Site};
use crate::unfinished::unfinished;

impl Engine {
    /// Looks for the causes of trouble that the rules know. Nothing is written, not even to replay
    /// a log.
    ///
    /// # Errors
    /// If the target is not a Windows volume, or the caller interrupts; see [`Error`]. What can't
    /// be read is in the report.
    pub fn diagnose(
        &self,
        rules: &Rules,
        recipes: &Catalogue,
        watch: &mut Watch<'_>,
    ) -> Result<DiagnoseReport, Error> {
        watch.phase(Phase::Guards, &self.site.display)?;
        reading_guards(&self.target)?;
        diagnose_site(&self.site, rules, recipes, &self.options, watch)
    }
}

pub(crate) fn diagnose_site(
    site: &Site,
    rules: &Rules,
    recipes: &Catalogue,
    options: &Options,
    watch: &mut Watch<'_>,
) -> Result<DiagnoseReport, Error> {
    let (unfinished, notices) = unfinished(site)?;
    let facts = Facts::of(site, options, watch.lend());
    let diagnosis = diagnosis::diagnose(&facts, rules, recipes)?;
    let evidence = (diagnosis::sources(&facts)?, RecentChanges::read(&facts)?);
    let identity = facts.identity().clone();
    facts.go_on()?;
    Ok(DiagnoseReport::of(
        &site.display,
        identity,
        &diagnosis,
        evidence,
        unfinished,
        notices,
    ))
}
