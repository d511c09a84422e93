//! `inspect`: what is found on a target, compared with recipes. Nothing is written.

use crate::boot_store::SurveyedStore;
use crate::documents::{InspectReport, SCHEMA};
use crate::engine::Engine;
use crate::error::Error;
use crate::facts::Facts;
use crate::plan::Goal;
use crate::progress::{Phase, Watch};
use crate::recipe::Recipe;
use crate::site::{Options, Site, reading_guards};
use crate::survey::{self, Survey, skipped};

impl Engine {
    /// Compares the target with recipes. Nothing is written, not even to replay a log.
    ///
    /// # Errors
    /// If the target is no Windows volume, or none of the hives can be read; see [`Error`].
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
    let (unfinished, damaged) = survey::unfinished(site)?;
    let facts = Facts::of(site, options, watch.lend());
    let Survey {
        hives,
        stores,
        store,
        acls,
        skipped: left_out,
        mut notices,
    } = survey::survey(&facts, recipes, Goal::Faults, None)?;
    notices.extend(damaged);
    let (mut statuses, rows): (Vec<_>, Vec<_>) = hives
        .into_iter()
        .map(|hive| (hive.status, hive.rows))
        .unzip();
    let elements = store.iter().flat_map(SurveyedStore::rows).collect();
    statuses.extend(store.map(|store| store.status));
    Ok(InspectReport {
        schema: SCHEMA,
        target: site.display.clone(),
        recipes: recipes.iter().map(|recipe| recipe.name.clone()).collect(),
        hives: statuses,
        skipped: left_out
            .iter()
            .map(|(name, error)| skipped(name, error))
            .collect(),
        rows: rows.into_iter().flatten().collect(),
        stores,
        elements,
        acls,
        unfinished,
        notices,
    })
}
