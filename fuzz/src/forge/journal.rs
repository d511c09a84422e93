//! Forged journals: valid JSON with other content.

use std::path::Path;

use serde_json::Value;

use crate::image::Script;

/// Words that have a meaning in a journal, and paths that a journal may not name.
const WORDS: [&str; 34] = [
    "",
    ".",
    "..",
    "/",
    "../outside/canary",
    "../../outside/canary",
    "../../../outside/canary",
    "Windows/System32/config/SAM",
    "Windows/System32/config/SYSTEM",
    "Windows/System32/config/SYSTEM.LOG1",
    "Windows/System32/config/SAM.LOG1",
    "Windows/System32/../../Users/a",
    "Windows",
    "Users/a",
    "Boot/BCD",
    "EFI/Microsoft/Boot/BCD",
    "SYSTEM",
    "SAM",
    "BCD",
    "C:\\Users\\a",
    "journal.json",
    "undo-1.bin",
    "undo-2.bin",
    "descriptors.bin",
    "sectors.bin",
    "repair",
    "hive-edit",
    "acl-edit",
    "undo",
    "applying",
    "done",
    "undoing",
    "broken",
    "values",
];
const NUMBERS: [u64; 10] = [
    0,
    1,
    2,
    511,
    4096,
    65_536,
    0xFFFF_FFFF,
    1 << 40,
    u64::MAX >> 1,
    u64::MAX,
];

/// The place of a value in a document.
type Place = Vec<Step>;

#[derive(Clone, Debug)]
enum Step {
    Member(String),
    Item(usize),
}

/// A journal with one change; `None` if it is not JSON.
pub(super) fn forged(journal: &[u8], script: &mut Script<'_>, outside: &Path) -> Option<Vec<u8>> {
    let mut document: Value = serde_json::from_slice(journal).ok()?;
    let mut places = Vec::new();
    collect(&document, &mut Vec::new(), &mut places);
    let at = script.number() as usize % places.len().max(1);
    let place = places.get(at)?;
    let kind = script.byte();
    match kind % 8 {
        0 => remove(&mut document, place)?,
        1 => repeat(&mut document, place)?,
        _ => *find(&mut document, place)? = value(kind, script, outside),
    }
    serde_json::to_vec_pretty(&document).ok()
}

fn value(kind: u8, script: &mut Script<'_>, outside: &Path) -> Value {
    let which = usize::from(script.byte());
    match kind % 8 {
        2 => Value::from(NUMBERS.get(which % NUMBERS.len()).copied()),
        3 => Value::from(which % 2 == 0),
        4 => match which % 4 {
            0 => Value::Null,
            1 => Value::Array(Vec::new()),
            2 => Value::from(outside.join("canary").display().to_string()),
            _ => Value::from(outside.display().to_string()),
        },
        _ => Value::from(WORDS.get(which % WORDS.len()).copied()),
    }
}

/// Collects the places of all values, except for the document itself.
fn collect(value: &Value, above: &mut Place, places: &mut Vec<Place>) {
    let mut visit = |step: Step, value: &Value| {
        above.push(step);
        places.push(above.clone());
        collect(value, above, places);
        above.pop();
    };
    match value {
        Value::Object(members) => {
            for (name, value) in members {
                visit(Step::Member(name.clone()), value);
            }
        }
        Value::Array(items) => {
            for (index, value) in items.iter().enumerate() {
                visit(Step::Item(index), value);
            }
        }
        _ => {}
    }
}

fn find<'a>(document: &'a mut Value, place: &[Step]) -> Option<&'a mut Value> {
    place.iter().try_fold(document, |value, step| match step {
        Step::Member(name) => value.get_mut(name),
        Step::Item(index) => value.get_mut(index),
    })
}

fn remove(document: &mut Value, place: &[Step]) -> Option<()> {
    let (last, above) = place.split_last()?;
    match (find(document, above)?, last) {
        (Value::Object(members), Step::Member(name)) => drop(members.remove(name)),
        (Value::Array(items), Step::Item(index)) => drop(items.remove(*index)),
        _ => {}
    }
    Some(())
}

/// Inserts an item of a list a second time.
fn repeat(document: &mut Value, place: &[Step]) -> Option<()> {
    let (last, above) = place.split_last()?;
    if let (Value::Array(items), Step::Item(index)) = (find(document, above)?, last) {
        let item = items.get(*index)?.clone();
        items.push(item);
    }
    Some(())
}
