//! Recipes that are used as a whole or not at all.

use crate::error::{Error, Refusal};
use crate::place::{HiveId, Place};
use crate::recipe::Recipe;
use crate::rows::About;

/// Refuses everything if a part of a recipe that is all or nothing can't be changed.
///
/// # Errors
/// [`Refusal::NotWhole`], with the first reason.
pub(crate) fn check(recipes: &[&Recipe], refused: &mut Vec<(Place, Error)>) -> Result<(), Error> {
    for recipe in recipes.iter().filter(|recipe| recipe.all_or_nothing) {
        let part = refused
            .iter()
            .position(|(place, _)| is_about(recipe, place));
        if let Some(part) = part {
            let (place, source) = refused.swap_remove(part);
            return Err(Refusal::NotWhole {
                recipe: recipe.name.clone(),
                place: place.to_string(),
                source: Box::new(source),
            }
            .into());
        }
    }
    Ok(())
}

/// True if a row of the recipe is about something in this place.
fn is_about(recipe: &Recipe, place: &Place) -> bool {
    recipe.rows.iter().any(|row| match (row.about(), place) {
        (_, Place::Windows) => true,
        (about, Place::Hive(HiveId::Windows(hive))) => about.values(*hive).is_some(),
        (About::Elements(_), Place::Hive(HiveId::BootStore | HiveId::File(_))) => true,
        (About::Files(_), Place::Files) => true,
        (About::Files(files), Place::File(path)) => {
            let names: Vec<&str> = path.split('/').collect();
            let above = names.split_last().map(|(_, above)| above);
            above.is_some_and(|above| files.folder().is_names(above))
        }
        (About::Files(files), Place::Folder(path)) => {
            let names: Vec<&str> = path.split('/').collect();
            files.folder().is_names(&names)
        }
        (About::Descriptors(..), Place::Permissions) => true,
        (About::Descriptors(folder, _), Place::Folder(path)) => {
            let names: Vec<&str> = path.split('/').collect();
            folder.is_names(&names)
        }
        _ => false,
    })
}
