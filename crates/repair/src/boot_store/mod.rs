//! The boot store that starts a target's Windows: finding it, comparing it with recipes, and
//! changing it.

mod compare;
mod edit;

use diskmend_bcd::{Change as StoreChange, Store};
use diskmend_hive::check::check;

pub(crate) use compare::{JudgedElement, OpenStore, WantedElement};
pub(crate) use edit::make;
pub use edit::{NewErrors, StoreEdit, edit_file, store_in};

use crate::documents::{Change, CheckSummary, ElementRow, HiveStatus, StoreStatus};
use crate::error::Error;
use crate::facts::Facts;
use crate::facts::boot_stores::Chosen;
pub(crate) use crate::facts::boot_stores::{NAME, place};
use crate::finding::RowState;
use crate::hive_on_disk::Fingerprint;
use crate::progress::Phase;
use crate::recipe::Recipe;
use crate::rows::About;

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
    elements: Vec<FoundElement>,
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
    let store = OpenStore::new(store, shown, loaders);
    let mut elements = Vec::new();
    for recipe in recipes {
        for row in &recipe.rows {
            let About::Elements(judge) = row.about() else {
                continue;
            };
            let judged = judge.judge(&store, facts)?.into_iter();
            elements.extend(judged.map(|judged| FoundElement {
                recipe: recipe.name.clone(),
                why: row.why().to_owned(),
                judged,
            }));
        }
    }
    Ok(SurveyedStore {
        elements,
        fingerprints: opened.fingerprints(),
        status,
    })
}

/// An element that a row of a recipe is about.
struct FoundElement {
    recipe: String,
    why: String,
    judged: JudgedElement,
}

impl FoundElement {
    /// The change that makes it as desired.
    fn change(&self) -> Change {
        Change {
            recipe: self.recipe.clone(),
            hive: NAME.to_owned(),
            fault: self.judged.state == RowState::Fault,
            why: self.why.clone(),
            element: Some(self.judged.element.clone()),
            value: self.judged.value.clone(),
        }
    }
}

impl SurveyedStore {
    /// Every element that the recipes name.
    pub(crate) fn rows(&self) -> impl Iterator<Item = ElementRow> + '_ {
        self.elements.iter().map(|element| ElementRow {
            recipe: element.recipe.clone(),
            element: element.judged.element.clone(),
            state: element.judged.state,
            why: element.why.clone(),
        })
    }

    /// What is to be changed: all that is not as desired, or only the faults. An element that
    /// several recipes want is changed once.
    pub(crate) fn changes(&self, auto: bool) -> (Vec<Change>, Vec<StoreChange>) {
        let mut shown: Vec<Change> = Vec::new();
        let mut made = Vec::new();
        for element in &self.elements {
            let wanted = match element.judged.state {
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
                made.extend(element.judged.edits.iter().cloned());
            }
        }
        (shown, made)
    }
}
