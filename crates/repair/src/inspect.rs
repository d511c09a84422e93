//! `inspect`: what is found on a target, compared with recipes. Nothing is written.

use diskmend_disk::Target;

use crate::documents::{InspectReport, SCHEMA};
use crate::error::Error;
use crate::progress::{Phase, Watch};
use crate::recipe::Recipe;
use crate::site::{Options, Site, reading_guards};
use crate::survey::{self, Survey, skipped};

/// Compares a target with recipes. Nothing is written, not even to replay a log.
///
/// # Errors
/// Where the target is no Windows volume, or none of the hives can be read; see [`Error`].
pub fn inspect(
    target: &Target,
    recipes: &[&Recipe],
    options: &Options,
    watch: &mut Watch<'_>,
) -> Result<InspectReport, Error> {
    let site = Site::of(target, options)?;
    watch.phase(Phase::Guards, &site.display)?;
    reading_guards(target)?;
    inspect_site(&site, recipes, options, watch)
}

pub(crate) fn inspect_site(
    site: &Site,
    recipes: &[&Recipe],
    options: &Options,
    watch: &mut Watch<'_>,
) -> Result<InspectReport, Error> {
    let (unfinished, damaged) = survey::unfinished(site)?;
    let Survey {
        hives,
        skipped: left_out,
        mut notices,
    } = survey::survey(site, recipes, options, watch)?;
    notices.extend(damaged);
    let (statuses, rows): (Vec<_>, Vec<_>) = hives
        .into_iter()
        .map(|hive| (hive.status, hive.rows))
        .unzip();
    Ok(InspectReport {
        schema: SCHEMA,
        target: site.display.clone(),
        recipes: recipes.iter().map(|recipe| recipe.name.clone()).collect(),
        hives: statuses,
        skipped: left_out
            .iter()
            .map(|(name, error)| skipped(name.file_name(), error))
            .collect(),
        rows: rows.into_iter().flatten().collect(),
        unfinished,
        notices,
    })
}
