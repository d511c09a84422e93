//! A boot store that is missing or can't be read, and the elements of the one to build in its place.

use diskmend_bcd::new_store::NewObject;
use diskmend_bcd::new_store::NewStore;
use diskmend_bcd::{Change, Guid, elements, well_known, words};

use super::{Survey, SurveyedHive};
use crate::changes::Findings;
use crate::error::{Error, Refusal, chain};
use crate::examined::Examined;
use crate::facts::Facts;
use crate::facts::boot::lost::{self, LostStore};
use crate::finding::{ChangedValue, ElementWords, Goal, JudgedElement, Notice, RowState};
use crate::place::{HiveId, Place, on_volume};
use crate::recipe::{Asked, Asking, Recipe};
use crate::rows::About;
use crate::value_data::ValueData;

/// Looks if the boot store is lost. Returns true if it is built anew or can't be, so that no single
/// element of it can be judged.
///
/// # Errors
/// If the caller interrupts.
pub(super) fn survey(
    survey: &mut Survey,
    facts: &Facts<'_>,
    asking: &Asking<'_, '_>,
    recipes: &[&Recipe],
    goal: Goal,
) -> Result<bool, Error> {
    let rows = asking.rows(recipes, About::new_store);
    let Some(row) = rows.first() else {
        return Ok(false);
    };
    match lost::read(facts)? {
        None => Ok(false),
        Some(Ok(lost)) => {
            survey.hives.push(surveyed(asking, row, lost)?);
            Ok(true)
        }
        // Nobody has asked for a new store, and most disks have theirs on a partition that can't be
        // seen from a mount.
        Some(Err(error)) if goal == Goal::Faults => {
            survey.notices.push(Notice {
                kind: "no-new-store",
                text: chain(&error),
            });
            Ok(false)
        }
        Some(Err(error)) => {
            survey.skipped.push((Place::Hive(HiveId::BootStore), error));
            Ok(true)
        }
    }
}

fn surveyed(
    asking: &Asking<'_, '_>,
    row: &Asked<'_, ()>,
    lost: LostStore,
) -> Result<SurveyedHive, Error> {
    let LostStore {
        volume,
        path,
        old,
        new,
    } = lost;
    let shown = on_volume(volume.as_deref(), &path);
    let objects = new.objects().ok_or_else(|| Refusal::NoNewStore {
        place: shown.clone(),
        reason: "diskmend can't write a device of this kind".to_owned(),
    })?;
    let mut found = Vec::new();
    for judged in judged(&shown, &new, &objects) {
        found.push(asking.finding(row, judged)?);
    }
    let length = old.as_ref().map_or(0, |old| old.content.length);
    Ok(SurveyedHive {
        examined: Examined {
            hive: HiveId::BootStore,
            volume,
            path,
            length,
            minor_version: 0,
            dirty: None,
            recovery: None,
            check: None,
            control_sets: None,
            is_new: true,
        },
        findings: Findings::Elements(found),
        fingerprints: old.into_iter().collect(),
    })
}

/// Every element of the new store, as one that is missing.
fn judged(store: &str, new: &NewStore, objects: &[NewObject]) -> Vec<JudgedElement> {
    // Some objects have no elements.
    let mut create: Vec<Change> = objects
        .iter()
        .map(|(object, object_type, _)| Change::CreateObject {
            object: *object,
            object_type: *object_type,
        })
        .collect();
    let mut judged = Vec::new();
    for (object, object_type, elements) in objects {
        for (element, value) in elements {
            let mut edits = std::mem::take(&mut create);
            edits.push(Change::SetElement {
                object: *object,
                element: *element,
                value: value.clone(),
            });
            judged.push(JudgedElement {
                element: ElementWords {
                    store: store.to_owned(),
                    object: object.to_string(),
                    object_name: name(*object, new),
                    element: format!("0x{element}"),
                    name: elements::display_name(*element, *object_type),
                    old: None,
                    new: Some(words(value, *element, *object_type)),
                },
                state: RowState::Missing,
                edits,
                value: ChangedValue {
                    key: format!(r"Objects\{object}\Elements\{element}"),
                    value: "Element".to_owned(),
                    old: None,
                    new: Some(ValueData {
                        value_type: element.format().value_type(),
                        bytes: value.encode(),
                    }),
                },
            });
        }
    }
    judged
}

/// `bcdedit`'s name for an object of a new store, as it will be.
fn name(object: Guid, new: &NewStore) -> String {
    match well_known::by_guid(object) {
        Some(known) => known.alias.to_owned(),
        None if object == new.loader => format!("{{default}} ({})", new.description),
        None => object.to_string(),
    }
}
