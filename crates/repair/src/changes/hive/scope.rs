//! The hives that a run may be about. Whoever can write to the disk can write a journal, and a
//! journal must not reach further than the recipes of its run.

use crate::error::Error;
use crate::names::same_file;
use crate::place::HiveName;
use crate::recipe::Catalogue;
use crate::run::{Journal, RunFolder};
use crate::run_state::RunKind;

/// The hives that recipes have always been about. A later version of a recipe may be about another
/// one of them.
const ALWAYS: [HiveName; 2] = [HiveName::System, HiveName::Software];

/// Refuses a journal that names a hive that its recipes don't change. Nothing is written.
///
/// # Errors
/// [`Error::DamagedRun`].
pub(crate) fn check(run: &RunFolder, journal: &Journal) -> Result<(), Error> {
    within(journal).map_err(|what| run.damaged_journal(&what))
}

fn within(journal: &Journal) -> Result<(), String> {
    if journal.kind != RunKind::Repair {
        return Ok(());
    }
    for entry in &journal.hives {
        let Some(hive) = hive_at(&entry.path).filter(|hive| !ALWAYS.contains(hive)) else {
            continue;
        };
        let catalogue = Catalogue::built_in().map_err(|error| error.to_string())?;
        // A recipe of the user's own may be about any.
        let is_changed_by = |name: &&str| {
            catalogue.get(name).is_none_or(|recipe| {
                let mut rows = recipe.rows.iter();
                rows.any(|row| row.about().values(hive).is_some())
            })
        };
        // The values of parameters follow the name.
        let mut names = journal
            .recipes
            .iter()
            .filter_map(|label| label.split(' ').next());
        if !names.any(|name| is_changed_by(&name)) {
            return Err(format!(
                "it changes \"{}\", which no such run changes",
                entry.path
            ));
        }
    }
    Ok(())
}

/// The hive of Windows at a path; `None` for a boot store.
fn hive_at(path: &str) -> Option<HiveName> {
    let name = path.rsplit('/').next().unwrap_or(path);
    HiveName::ALL.into_iter().find(|hive| {
        let hive = hive.file_name();
        same_file(name, hive) || same_file(name, &format!("{hive}.hiv"))
    })
}
