//! What is told about rows that don't count on a Windows, or may not count.

use super::Survey;
use crate::error::Error;
use crate::facts::Facts;
use crate::finding::{Goal, Notice};
use crate::place::Place;
use crate::recipe::{Asking, Recipe};
use crate::rows::{Standing, UnknownWindows};

/// Adds what a person must know about the rows that were asked.
pub(super) fn tell(
    survey: &mut Survey,
    facts: &Facts<'_>,
    asking: &Asking<'_, '_>,
    recipes: &[&Recipe],
    goal: Goal,
) {
    for unknown in asking.unknown_windows() {
        let (kind, error) = match unknown {
            UnknownWindows::Build(reason) => ("build-unknown", Error::BuildUnknown { reason }),
            UnknownWindows::Product(reason) => {
                ("product-unknown", Error::ProductUnknown { reason })
            }
        };
        match goal {
            Goal::Desired => survey.skipped.push((Place::Windows, error)),
            Goal::Faults => survey.notices.push(Notice {
                kind,
                text: error.to_string(),
            }),
        }
    }
    for unknown in asking.unknown_conditions() {
        let (recipe, condition, reason) = (unknown.recipe, unknown.condition, unknown.reason);
        survey.notices.push(Notice {
            kind: "condition-unknown",
            text: format!(
                "{recipe}: it is not known if {condition} holds ({reason}): what depends on it \
                 counts as no fault"
            ),
        });
    }
    if goal == Goal::Desired {
        let others = recipes
            .iter()
            .filter(|recipe| is_for_another(recipe, facts));
        survey.notices.extend(others.map(|recipe| Notice {
            kind: "another-windows",
            text: format!("{}: none of its rows is for this Windows", recipe.name),
        }));
    }
}

/// True if no row of a recipe counts on this Windows.
fn is_for_another(recipe: &Recipe, facts: &Facts<'_>) -> bool {
    let mut terms = recipe.terms.iter();
    terms.all(|terms| terms.standing(facts) == Ok(Standing::DoesNot))
}
