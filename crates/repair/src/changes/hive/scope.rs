//! The hives that a run may be about. Whoever can write to the disk can write a journal, and a
//! journal must not reach further than the recipes of its run.

use crate::error::Error;
use crate::names::same_file;
use crate::place::HiveName;
use crate::recipe::Catalogue;
use crate::rows::{Claim, Row};
use crate::run::{Journal, JournalChange, RunFolder};
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
    sets_permissions(journal)?;
    if journal.kind != RunKind::Repair {
        return Ok(());
    }
    for entry in &journal.hives {
        let Some(hive) = hive_at(&entry.path).filter(|hive| !ALWAYS.contains(hive)) else {
            continue;
        };
        let catalogue = Catalogue::built_in().map_err(|error| error.to_string())?;
        let is_about = |row: &Row| row.about().values(hive).is_some();
        if !any_row(journal, &catalogue, is_about) {
            return Err(format!(
                "it changes \"{}\", which no such run changes",
                entry.path
            ));
        }
    }
    Ok(())
}

/// Refuses permissions of keys in a run whose recipes set none in that hive. A reversal names the
/// recipes of the run that it reverses. Nobody sets them by hand.
fn sets_permissions(journal: &Journal) -> Result<(), String> {
    for entry in &journal.hives {
        let is_one = |change: &&JournalChange| matches!(change, JournalChange::KeyPermissions(_));
        let Some(JournalChange::KeyPermissions(changed)) = entry.changes.iter().find(is_one) else {
            continue;
        };
        let hive = hive_at(&entry.path);
        let sets = |row: &Row| match row.claim() {
            Some(Claim::Permissions { hive: its, .. }) => hive == Some(its),
            _ => false,
        };
        let catalogue = Catalogue::built_in().map_err(|error| error.to_string())?;
        let of_recipes = matches!(journal.kind, RunKind::Repair | RunKind::Undo);
        if !of_recipes || !any_row(journal, &catalogue, sets) {
            return Err(format!(
                "it changes the permissions of \"{}\" in \"{}\", which no such run changes",
                changed.key, entry.path
            ));
        }
    }
    Ok(())
}

/// True if a recipe of the run has such a row. A recipe of the user's own may have any.
fn any_row(journal: &Journal, catalogue: &Catalogue, is_it: impl Fn(&Row) -> bool) -> bool {
    // The values of parameters follow the name.
    let mut names = journal
        .recipes
        .iter()
        .filter_map(|label| label.split(' ').next());
    names.any(|name| {
        let recipe = catalogue.get(name);
        recipe.is_none_or(|recipe| recipe.rows.iter().any(&is_it))
    })
}

/// The hive of Windows at a path; `None` for a boot store.
fn hive_at(path: &str) -> Option<HiveName> {
    let name = path.rsplit('/').next().unwrap_or(path);
    HiveName::ALL.into_iter().find(|hive| {
        let hive = hive.file_name();
        same_file(name, hive) || same_file(name, &format!("{hive}.hiv"))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::identity::TargetIdentity;
    use crate::run::{ChangedDescriptor, HiveEntry, RunId};

    fn journal(kind: RunKind, hive: &str, recipe: &str) -> Journal {
        let run = RunId::parse("20261123T124100Z").expect("valid");
        let target = ("/mnt/f", TargetIdentity::default());
        let mut journal = Journal::begin(&run, kind, target, vec![recipe.to_owned()]);
        journal.hives.push(HiveEntry {
            hive: hive.to_owned(),
            volume: None,
            path: format!("Windows/System32/config/{hive}"),
            recovered: false,
            reversible: true,
            changes: vec![JournalChange::KeyPermissions(ChangedDescriptor {
                key: "A".to_owned(),
                old: vec![1],
                new: vec![2],
            })],
            changes_file: None,
            change_count: 1,
            files: Vec::new(),
            steps: Vec::new(),
        });
        journal
    }

    #[test]
    fn permissions_of_keys_are_set_only_by_recipes_that_set_some() {
        for (kind, hive, recipe, sound) in [
            (RunKind::Repair, "SOFTWARE", "rdp-cert-deny", true),
            (RunKind::Undo, "SOFTWARE", "rdp-cert-deny", true),
            (RunKind::Repair, "SOFTWARE", "our-own port=1", true),
            (RunKind::Repair, "SYSTEM", "rdp-cert-deny", false),
            (RunKind::Repair, "SOFTWARE", "tls", false),
            (RunKind::Undo, "SOFTWARE", "tls", false),
            (RunKind::HiveEdit, "SOFTWARE", "rdp-cert-deny", false),
            (RunKind::Repair, "SAM", "rdp-cert-deny", false),
        ] {
            let checked = within(&journal(kind, hive, recipe));
            assert_eq!(
                checked.is_ok(),
                sound,
                "{kind:?} {hive} {recipe}: {checked:?}"
            );
        }
    }
}
