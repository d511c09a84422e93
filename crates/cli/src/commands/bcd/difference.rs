//! The changes that an edit made to a store, with bcdedit's names.

use std::collections::BTreeMap;
use std::io::{self, Write};

use diskmend_base::escape::Visible;
use diskmend_bcd::{ElementId, Guid, Listing, Row, Section};

use crate::output::style;
use crate::output::table::{Cell, Table};

/// What happened to an object.
pub(crate) enum Fate {
    Created,
    Deleted,
    Changed,
}

/// An object that was changed.
pub(crate) struct ObjectDifference {
    pub(crate) identifier: String,
    pub(crate) title: String,
    pub(crate) fate: Fate,
    pub(crate) elements: Vec<ElementDifference>,
}

/// An element that was changed; `None` if it does not exist.
pub(crate) struct ElementDifference {
    pub(crate) name: String,
    pub(crate) old: Option<String>,
    pub(crate) new: Option<String>,
}

/// The differences between two listings of a store, in the order of the second listing; removed
/// objects come last.
pub(super) fn between(before: &Listing, after: &Listing) -> Vec<ObjectDifference> {
    let mut old: BTreeMap<Guid, &Section> = sections(before).collect();
    let mut differences = Vec::new();
    for section in &after.sections {
        match old.remove(&section.guid) {
            None => differences.push(object(section, Fate::Created, elements(&[], &section.rows))),
            Some(old) => {
                let elements = elements(&old.rows, &section.rows);
                if !elements.is_empty() || old.object_type != section.object_type {
                    differences.push(object(section, Fate::Changed, elements));
                }
            }
        }
    }
    let gone = before
        .sections
        .iter()
        .filter(|section| old.contains_key(&section.guid));
    differences.extend(gone.map(|section| object(section, Fate::Deleted, Vec::new())));
    differences
}

fn sections(listing: &Listing) -> impl Iterator<Item = (Guid, &Section)> {
    listing
        .sections
        .iter()
        .map(|section| (section.guid, section))
}

fn object(section: &Section, fate: Fate, elements: Vec<ElementDifference>) -> ObjectDifference {
    ObjectDifference {
        identifier: section.identifier.clone(),
        title: section.title.clone(),
        fate,
        elements,
    }
}

fn elements(old: &[Row], new: &[Row]) -> Vec<ElementDifference> {
    let by_id = |rows: &'_ [Row]| -> BTreeMap<ElementId, Row> {
        rows.iter().map(|row| (row.id, row.clone())).collect()
    };
    let mut old = by_id(old);
    let shown = |row: &Row| row.lines.join(", ");
    let mut differences = Vec::new();
    for row in new {
        let before = old.remove(&row.id);
        let same = before
            .as_ref()
            .is_some_and(|old| old.data == row.data && old.data_type == row.data_type);
        if !same {
            differences.push(ElementDifference {
                name: row.name.clone(),
                old: before.as_ref().map(shown),
                new: Some(shown(row)),
            });
        }
    }
    differences.extend(old.values().map(|row| ElementDifference {
        name: row.name.clone(),
        old: Some(shown(row)),
        new: None,
    }));
    differences
}

/// Prints differences as text.
pub(super) fn print(
    out: &mut dyn Write,
    differences: &[ObjectDifference],
    width: Option<usize>,
) -> io::Result<()> {
    const NONE: &str = "(none)";
    for (index, object) in differences.iter().enumerate() {
        if index > 0 {
            writeln!(out)?;
        }
        let (mark, marked) = match object.fate {
            Fate::Created => (": created", style::GOOD),
            Fate::Deleted => (": deleted", style::WARNING),
            Fate::Changed => ("", style::PLAIN),
        };
        let heading = style::HEADING;
        writeln!(
            out,
            "{heading}{}{heading:#}  {}{marked}{mark}{marked:#}",
            Visible(&object.identifier),
            Visible(&object.title)
        )?;
        let mut table = Table::untitled(3, 2);
        for element in &object.elements {
            let new = element.new.as_deref().unwrap_or(NONE);
            table.row([
                Cell::new(&element.name),
                Cell::new(element.old.as_deref().unwrap_or(NONE)),
                Cell::styled(format!("-> {new}"), style::GOOD),
            ]);
        }
        table.write(out, width)?;
    }
    Ok(())
}
