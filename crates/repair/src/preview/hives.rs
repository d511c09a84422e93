//! Compares two states of a hive, key by key and value by value.

use std::collections::{BTreeMap, BTreeSet};

use diskmend_base::escape::EscapedUnits;
use diskmend_hive::name::NameBuf;
use diskmend_hive::{Corruption, Hive, Key, Opened, Value};

use super::{Show, WouldChange, words};
use crate::error::chain;
use crate::run::JournalChange;
use crate::value_data::ValueData;

/// The depth of the deepest key that is compared: Windows creates no deeper key.
const MAX_DEPTH: usize = 512;

/// The values after reversing the later changes, by key and name.
type Reversed = BTreeMap<[Vec<u16>; 2], Option<ValueData>>;

type Children<'a> = BTreeMap<Vec<u16>, Key<'a>>;

/// Shows every key and value that differs between two states of a hive.
pub(super) fn compare(path: &str, now: &[u8], then: &[u8], show: Show<'_>) {
    let unknown = |reason: String| WouldChange::Unknown { path, reason };
    let (now, then) = match (open(now), open(then)) {
        (Ok(now), Ok(then)) => (now, then),
        (Err(reason), _) => return show(&unknown(format!("the hive as it is: {reason}"))),
        (_, Err(reason)) => return show(&unknown(format!("the hive as it would be: {reason}"))),
    };
    if let Err(reason) = keys(path, &now, &then, show) {
        show(&unknown(reason));
    }
}

fn open(bytes: &[u8]) -> Result<Hive, String> {
    match diskmend_hive::open(Box::new(bytes.to_vec())) {
        Ok(Opened::Clean(hive)) => Ok(hive),
        Ok(Opened::Dirty(_)) => Err("not closed cleanly, its logs hold the rest".to_owned()),
        Err(error) => Err(chain(&error)),
    }
}

/// Shows what reversing the changes of a run one by one would do to a hive. Values that have been
/// changed again since stay.
pub(super) fn reversals(path: &str, now: &[u8], changes: &[JournalChange], show: Show<'_>) {
    if changes.is_empty() {
        return;
    }
    let told = open(now).and_then(|hive| {
        let mut values = BTreeMap::new();
        let each = changes
            .iter()
            .rev()
            .try_for_each(|change| reversal(path, (&hive, &mut values), change, show));
        each.map_err(|corruption| chain(&corruption))
    });
    if let Err(reason) = told {
        let reason = format!("what {} noted changes would do: {reason}", changes.len());
        show(&WouldChange::Unknown { path, reason });
    }
}

fn reversal(
    path: &str,
    (hive, reversed): (&Hive, &mut Reversed),
    change: &JournalChange,
    show: Show<'_>,
) -> Result<(), Corruption> {
    let there = |key: &str| Ok::<_, Corruption>(hive.key(key)?.map(|_| String::new()));
    match change {
        JournalChange::Value(value) => {
            let name = [&value.key, &value.value].map(|name| NameBuf::new(name).as_name().folded());
            let found = match reversed.get(&name) {
                Some(found) => found.clone(),
                None => crate::reading::value(hive, &value.key, &value.value)?,
            };
            if found == value.new && found != value.old {
                reversed.insert(name, value.old.clone());
                show(&WouldChange::Value {
                    path,
                    key: &value.key,
                    name: &value.value,
                    now: found,
                    then: value.old.clone(),
                });
            }
        }
        JournalChange::KeyPermissions(changed) => {
            let found = hive.key(&changed.key)?;
            let found = found.map(|key| key.security_descriptor()).transpose()?;
            if found == Some(&changed.new) && changed.new != changed.old {
                show(&WouldChange::Key {
                    path,
                    key: &changed.key,
                    now: Some(words(&changed.new)),
                    then: Some(words(&changed.old)),
                });
            }
        }
        JournalChange::KeyCreated(key) => {
            let now = there(&key.key)?;
            if now.is_some() {
                let key = &key.key;
                let then = None;
                show(&WouldChange::Key {
                    path,
                    key,
                    now,
                    then,
                });
            }
        }
        JournalChange::KeyDeleted(key) => {
            let now = there(&key.key)?;
            if now.is_none() {
                let key = &key.key;
                let then = Some(String::new());
                show(&WouldChange::Key {
                    path,
                    key,
                    now,
                    then,
                });
            }
        }
    }
    Ok(())
}

/// One key in both states, as far as it exists.
struct Pair<'a> {
    path: String,
    depth: usize,
    now: Option<Key<'a>>,
    then: Option<Key<'a>>,
}

fn keys(path: &str, now: &Hive, then: &Hive, show: Show<'_>) -> Result<(), String> {
    let told = |corruption: Corruption| chain(&corruption);
    let mut waiting = vec![Pair {
        path: String::new(),
        depth: 0,
        now: Some(now.root().map_err(told)?),
        then: Some(then.root().map_err(told)?),
    }];
    let mut seen = [BTreeSet::new(), BTreeSet::new()];
    while let Some(pair) = waiting.pop() {
        // If a key is below two others, there are more paths than anybody can walk.
        for (seen, key) in seen.iter_mut().zip([&pair.now, &pair.then]) {
            if key.is_some_and(|key| !seen.insert(key.cell())) {
                return Err(format!("corrupt: the key \"{}\" has two places", pair.path));
            }
        }
        waiting.extend(one(path, &pair, show).map_err(told)?);
    }
    Ok(())
}

/// Shows the differences in a key; returns the keys below it.
fn one<'a>(path: &str, pair: &Pair<'a>, show: Show<'_>) -> Result<Vec<Pair<'a>>, Corruption> {
    let mut below = Vec::new();
    let (before, after) = (security(&pair.now)?, security(&pair.then)?);
    if before != after {
        show(&WouldChange::Key {
            path,
            key: &pair.path,
            now: before.map(words),
            then: after.map(words),
        });
    }
    values(path, pair, show)?;
    if pair.depth == MAX_DEPTH {
        return Ok(below);
    }
    let (before, after) = (children(&pair.now)?, children(&pair.then)?);
    let names: BTreeSet<&Vec<u16>> = before.keys().chain(after.keys()).collect();
    for name in names.into_iter().rev() {
        let text = EscapedUnits::new(name.iter().copied())
            .and('\\')
            .to_string();
        below.push(Pair {
            path: match pair.path.as_str() {
                "" => text,
                above => format!("{above}\\{text}"),
            },
            depth: pair.depth + 1,
            now: before.get(name).copied(),
            then: after.get(name).copied(),
        });
    }
    Ok(below)
}

fn security<'a>(key: &Option<Key<'a>>) -> Result<Option<&'a [u8]>, Corruption> {
    key.as_ref().map(Key::security_descriptor).transpose()
}

fn children<'a>(key: &Option<Key<'a>>) -> Result<Children<'a>, Corruption> {
    let mut children = BTreeMap::new();
    if let Some(key) = key {
        for child in key.subkeys()? {
            let child = child?;
            children.insert(child.name().units().collect(), child);
        }
    }
    Ok(children)
}

fn values(path: &str, pair: &Pair<'_>, show: Show<'_>) -> Result<(), Corruption> {
    let (now, then) = (values_of(&pair.now)?, values_of(&pair.then)?);
    let names: BTreeSet<&Vec<u16>> = now.keys().chain(then.keys()).collect();
    for name in names {
        let (before, after) = (now.get(name), then.get(name));
        if before != after {
            show(&WouldChange::Value {
                path,
                key: &pair.path,
                name: &EscapedUnits::new(name.iter().copied()).to_string(),
                now: before.cloned(),
                then: after.cloned(),
            });
        }
    }
    Ok(())
}

fn values_of(key: &Option<Key<'_>>) -> Result<BTreeMap<Vec<u16>, ValueData>, Corruption> {
    let mut values = BTreeMap::new();
    if let Some(key) = key {
        for value in key.values()? {
            let value: Value<'_> = value?;
            let data = ValueData {
                value_type: value.data_type(),
                bytes: value.data()?.into_owned(),
            };
            values.insert(value.name().units().collect(), data);
        }
    }
    Ok(values)
}

#[cfg(test)]
mod tests {
    use diskmend_hive::{Editor, Filetime, ValueType};

    use super::*;

    /// Once half surrogate pairs were shown as one replacement character, and a name that looks
    /// like an escaped line end was shown like one with a line end.
    #[test]
    fn different_names_are_shown_differently() {
        let empty = || Hive::create(5, &[0; 20], Filetime(0)).expect("a hive");
        let (before, mut editor) = (empty(), Editor::new(empty(), Filetime(0)));
        let names = ["a<U+000A>", "a<U+003C>U+000A>", "a<U+D800>", "a<U+DC00>"];
        for name in names {
            editor.create_key(name).expect("a key");
            editor
                .set_value("", name, ValueType::SZ, &[])
                .expect("a value");
        }
        let pair = Pair {
            path: String::new(),
            depth: 0,
            now: Some(before.root().expect("a root")),
            then: Some(editor.root().expect("a root")),
        };
        let mut told = Vec::new();
        let below = one("SYSTEM", &pair, &mut |change| {
            if let WouldChange::Value { name, .. } = change {
                told.push((*name).to_owned());
            }
        });
        told.sort();
        assert_eq!(told, names);
        let mut below: Vec<_> = below
            .expect("sound")
            .into_iter()
            .map(|key| key.path)
            .collect();
        below.sort();
        assert_eq!(below, names);
    }

    /// If two keys share a list, there are more paths than can ever be walked.
    #[test]
    fn keys_that_contain_themselves_end() {
        let fixture = concat!(env!("CARGO_MANIFEST_DIR"), "/../../fixtures/minor-5/hive");
        let mut bytes = std::fs::read(fixture).expect("the fixture");
        let (cell, node) = {
            let hive = open(&bytes).expect("a hive");
            let root = hive.root().expect("a root");
            let child = root.subkeys().expect("a list").next().expect("a key");
            let place = |key: &Key<'_>| 0x1000 + key.cell().get() as usize + 4;
            (place(&child.expect("sound")), place(&root))
        };
        // The number of subkeys, and the offset of their list.
        bytes.copy_within(node + 0x14..node + 0x18, cell + 0x14);
        bytes.copy_within(node + 0x1c..node + 0x20, cell + 0x1c);
        let mut told = Vec::new();
        compare("SYSTEM", &bytes, &bytes, &mut |change| {
            told.push(format!("{change:?}"));
        });
        let unknown = told.iter().any(|line| line.contains("two places"));
        assert!(unknown, "{told:?}");
    }
}
