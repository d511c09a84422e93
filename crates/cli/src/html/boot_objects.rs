//! The objects of a boot store that an edit changed.

use maud::{Markup, html};

use super::{List, shown, value};
use crate::commands::bcd::difference::{ElementDifference, Fate, ObjectDifference};

/// A row: what happened to an object, or to an element of it.
type Row<'a> = (&'a ObjectDifference, Option<&'a ElementDifference>);

/// What an edit changed.
pub(crate) fn boot_objects(objects: &[ObjectDifference]) -> Markup {
    let rows: Vec<Row<'_>> = objects.iter().flat_map(of_object).collect();
    let list = List {
        columns: &["Object", "Element", "Old", "New"],
        ..List::default()
    };
    html! {
        @if !rows.is_empty() {
            section aria-labelledby="objects" {
                h2 id="objects" { "Objects of the boot store" }
                (list.table(&rows, row))
            }
        }
    }
}

fn of_object(object: &ObjectDifference) -> impl Iterator<Item = Row<'_>> {
    let fate = match object.fate {
        Fate::Changed => None,
        Fate::Created | Fate::Deleted => Some((object, None)),
    };
    let elements = object.elements.iter();
    fate.into_iter()
        .chain(elements.map(move |element| (object, Some(element))))
}

fn row(&(object, element): &Row<'_>) -> Vec<Markup> {
    let (old, new) = match (element, &object.fate) {
        (Some(element), _) => (element.old.as_deref(), element.new.as_deref()),
        (None, Fate::Deleted) => (Some("(there)"), Some("deleted")),
        (None, _) => (None, Some("created")),
    };
    let name = element.map_or("(object)", |element| element.name.as_str());
    let title = format!("{} {}", object.identifier, object.title);
    let texts = [name, old.unwrap_or("(none)"), new.unwrap_or("(none)")];
    let mut row = vec![html! { code { (shown(&title)) } }];
    row.extend(texts.map(value));
    row
}
