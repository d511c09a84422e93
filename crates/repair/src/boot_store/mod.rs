//! The boot store that starts a target's Windows: finding it, comparing it with recipes, and
//! changing it.

mod compare;
mod edit;

use diskmend_bcd::{Change as StoreChange, Store};
use diskmend_hive::check::check;

pub(crate) use edit::make;
pub use edit::{NewErrors, StoreEdit, edit_file, store_in};

use crate::documents::{Change, CheckSummary, ElementRow, HiveStatus, RowState, StoreStatus};
use crate::error::Error;
use crate::facts::Facts;
use crate::facts::boot_stores::Chosen;
pub(crate) use crate::facts::boot_stores::{NAME, place};
use crate::hive_on_disk::Fingerprint;
use crate::progress::Phase;
use crate::recipe::Recipe;
use compare::Compared;

/// What looking for the boot store gave.
pub(crate) struct BootSurvey {
    /// All stores that were found.
    pub(crate) stores: Vec<StoreStatus>,
    /// The one that starts the target's Windows; or why there is none, unless somebody was told that.
    pub(crate) chosen: Result<SurveyedStore, Option<Error>>,
}

/// The boot store that starts a target's Windows.
pub(crate) struct SurveyedStore {
    pub(crate) status: HiveStatus,
    elements: Vec<Compared>,
    /// What the hive and its logs were.
    pub(crate) fingerprints: Vec<Fingerprint>,
}

/// Looks for the boot store, and compares it with every recipe that is about one.
///
/// # Errors
/// If the caller interrupts.
pub(crate) fn survey(facts: &Facts<'_>, recipes: &[&Recipe]) -> Result<BootSurvey, Error> {
    let found = match facts.boot_stores()? {
        Ok(found) => found,
        Err(failure) => {
            return Ok(BootSurvey {
                stores: Vec::new(),
                chosen: Err(failure.take()),
            });
        }
    };
    let chosen = match &found.chosen {
        Err(failure) => Err(failure.take()),
        Ok(chosen) => match read(facts, chosen, recipes) {
            Err(error @ Error::Interrupted(_)) => return Err(error),
            read => read.map_err(Some),
        },
    };
    Ok(BootSurvey {
        stores: found.stores.clone(),
        chosen,
    })
}

fn read(facts: &Facts<'_>, chosen: &Chosen, recipes: &[&Recipe]) -> Result<SurveyedStore, Error> {
    let Chosen { opened, loaders } = chosen;
    let mut status = opened.status();
    if facts.options.check {
        facts.phase(Phase::Checking, opened.path())?;
        status.check = Some(CheckSummary::from(&check(&opened.hive)));
    }
    facts.phase(Phase::Comparing, opened.path())?;
    let unreadable = |source| Error::Store {
        path: opened.path().to_owned(),
        source,
    };
    let store = Store::open(&opened.hive).map_err(unreadable)?;
    let shown = crate::run::on_volume(status.volume.as_deref(), &status.path);
    let elements = compare::compare(&store, &shown, loaders, recipes)?;
    Ok(SurveyedStore {
        elements,
        fingerprints: opened.fingerprints(),
        status,
    })
}

impl SurveyedStore {
    /// Every element that the recipes name.
    pub(crate) fn rows(&self) -> impl Iterator<Item = ElementRow> + '_ {
        self.elements.iter().map(|element| element.row.clone())
    }

    /// What is to be changed: all that is not as desired, or only the faults. An element that
    /// several recipes want is changed once.
    pub(crate) fn changes(&self, auto: bool) -> (Vec<Change>, Vec<StoreChange>) {
        let mut shown: Vec<Change> = Vec::new();
        let mut made = Vec::new();
        for element in &self.elements {
            let wanted = match element.row.state {
                RowState::Ok => false,
                RowState::Fault => true,
                RowState::Differs | RowState::Missing => !auto,
            };
            let change = element.change();
            if wanted
                && shown
                    .iter()
                    .all(|known| known.value.key != change.value.key)
            {
                shown.push(change);
                made.extend(element.edits.iter().cloned());
            }
        }
        (shown, made)
    }
}
