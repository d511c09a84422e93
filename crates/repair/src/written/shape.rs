//! The shape of what a type reads from a file: its fields, which of them are needed, and what each
//! may be. It is found by reading made-up content with the type's own code, so it can't differ from
//! what is accepted.

mod tracer;

use std::collections::{BTreeMap, BTreeSet};

use serde::de::DeserializeOwned;
use serde_json::{Map, Value, json};

use tracer::{Form, Run, Told};

/// The most runs that a type needs. A type that needs more has no shape.
const MOST_RUNS: usize = 5000;

/// The shape of a type.
#[derive(Default)]
struct Shape {
    nodes: BTreeMap<String, Node>,
    needed: BTreeSet<String>,
}

/// What may stand at one place.
#[derive(Clone, Default)]
struct Node {
    forms: BTreeSet<Form>,
    fields: Vec<&'static str>,
    words: &'static [&'static str],
}

/// The JSON Schema of what a type reads; `None` if that can't be found out.
pub(crate) fn schema<T: DeserializeOwned>() -> Option<Value> {
    let shape = Shape::of::<T>()?;
    Some(shape.schema(""))
}

impl Shape {
    fn of<T: DeserializeOwned>() -> Option<Self> {
        let mut run = Run::default();
        // First one way through the type is found.
        let mut left = MOST_RUNS;
        while let Err(told) = run.go::<T>() {
            left = left.checked_sub(1)?;
            if !run.learn(&told) {
                return None;
            }
        }
        // Then every other form of each place that has several, which may open more places.
        let mut tried = BTreeSet::new();
        loop {
            let places: Vec<String> = run.open_places();
            let next = places.into_iter().find_map(|place| {
                // A type may contain itself, so tables within such tables are not looked into.
                let within = run.is_within_open_table(&place);
                let forms = Form::ALL.into_iter();
                let forms = forms.filter(|form| !within || *form != Form::Table);
                let mut forms = forms.map(|form| (place.clone(), form));
                forms.find(|way| !tried.contains(way))
            });
            let Some((place, form)) = next else {
                break;
            };
            tried.insert((place.clone(), form));
            let mut other = run.with(&place, form);
            loop {
                left = left.checked_sub(1)?;
                match other.go::<T>() {
                    Ok(()) => break,
                    Err(told) => {
                        let settled = other.chosen(&place) == Some(form);
                        if !settled || !other.learn_but(&place, &told) {
                            break;
                        }
                    }
                }
            }
            run.take_from(other, &place, form);
        }
        let mut shape = Self {
            nodes: run.nodes(),
            needed: BTreeSet::new(),
        };
        let fields: Vec<(String, String)> = shape.fields().collect();
        for (place, field) in fields {
            left = left.checked_sub(1)?;
            let whole = format!("{place}/{field}");
            if matches!(run.without(&whole).go::<T>(), Err(Told::MissingField)) {
                shape.needed.insert(whole);
            }
        }
        Some(shape)
    }

    /// Each place of a table, with its fields.
    fn fields(&self) -> impl Iterator<Item = (String, String)> + '_ {
        self.nodes.iter().flat_map(|(place, node)| {
            let fields = node.fields.iter();
            fields.map(|field| (place.clone(), (*field).to_owned()))
        })
    }

    fn schema(&self, place: &str) -> Value {
        let Some(node) = self.nodes.get(place) else {
            return json!(true);
        };
        let forms = node.forms.iter().map(|form| match form {
            Form::Bool => json!({ "type": "boolean" }),
            Form::Number => json!({ "type": "integer" }),
            Form::Text if node.words.is_empty() => json!({ "type": "string" }),
            Form::Text => json!({ "type": "string", "enum": node.words }),
            Form::List => json!({ "type": "array", "items": self.schema(&format!("{place}[]")) }),
            Form::Named => json!({
                "type": "object",
                "additionalProperties": self.schema(&format!("{place}{{}}")),
            }),
            Form::Table if node.fields.is_empty() => json!({ "type": "object" }),
            Form::Table => self.table(place, node),
        });
        let mut forms: Vec<Value> = forms.collect();
        match (forms.pop(), forms.is_empty()) {
            (None, _) => json!(true),
            (Some(one), true) => one,
            (Some(last), false) => {
                forms.push(last);
                json!({ "anyOf": forms })
            }
        }
    }

    fn table(&self, place: &str, node: &Node) -> Value {
        let whole = |field: &str| format!("{place}/{field}");
        let properties: Map<String, Value> = node
            .fields
            .iter()
            .map(|field| ((*field).to_owned(), self.schema(&whole(field))))
            .collect();
        let table = json!({
            "type": "object",
            "properties": properties,
            "additionalProperties": false,
        });
        let needed = node.fields.iter();
        let needed: Vec<_> = needed
            .filter(|field| self.needed.contains(&whole(field)))
            .collect();
        match table {
            Value::Object(mut table) if !needed.is_empty() => {
                table.insert("required".to_owned(), json!(needed));
                Value::Object(table)
            }
            table => table,
        }
    }
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;
    use toml::Spanned;

    use super::super::Written;
    use super::*;

    #[expect(dead_code, reason = "only read")]
    #[derive(Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Inner {
        one: u32,
        #[serde(default)]
        list: Vec<Spanned<String>>,
        any: Spanned<Written>,
    }

    /// A word, several words, or a table with words.
    struct Words;

    impl<'de> Deserialize<'de> for Words {
        fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
            use serde::de::{Error, MapAccess, SeqAccess, Visitor};

            #[expect(dead_code, reason = "only read")]
            #[derive(Deserialize)]
            #[serde(deny_unknown_fields)]
            struct Table {
                is: Words,
                more: Option<u32>,
            }
            struct All;
            impl<'de> Visitor<'de> for All {
                type Value = Words;

                fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                    f.write_str("words")
                }

                fn visit_str<E: Error>(self, word: &str) -> Result<Words, E> {
                    Err(E::invalid_value(serde::de::Unexpected::Str(word), &self))
                }

                fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Words, A::Error> {
                    while seq.next_element::<String>()?.is_some() {}
                    Ok(Words)
                }

                fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Words, A::Error> {
                    let map = serde::de::value::MapAccessDeserializer::new(map);
                    Table::deserialize(map).map(|_| Words)
                }
            }
            deserializer.deserialize_any(All)
        }
    }

    #[expect(dead_code, reason = "only read")]
    #[derive(Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Outer {
        #[serde(rename = "type")]
        name: Spanned<String>,
        #[serde(default)]
        rows: Vec<Spanned<Inner>>,
        flag: Option<bool>,
        words: Option<Words>,
        names: Option<BTreeMap<String, Vec<String>>>,
    }

    #[test]
    fn a_type_says_itself_what_it_reads() {
        let list = json!({ "type": "array", "items": { "type": "string" } });
        let expected = json!({
            "type": "object",
            "additionalProperties": false,
            "required": ["type"],
            "properties": {
                "type": { "type": "string" },
                "flag": { "type": "boolean" },
                "words": { "anyOf": [{ "type": "string" }, list, {
                    "type": "object",
                    "additionalProperties": false,
                    "required": ["is"],
                    "properties": {
                        "is": { "anyOf": [{ "type": "string" }, list] },
                        "more": { "type": "integer" },
                    },
                }] },
                "names": {
                    "type": "object",
                    "additionalProperties": { "type": "array", "items": { "type": "string" } },
                },
                "rows": { "type": "array", "items": {
                    "type": "object",
                    "additionalProperties": false,
                    "required": ["one", "any"],
                    "properties": {
                        "one": { "type": "integer" },
                        "list": { "type": "array", "items": { "type": "string" } },
                        "any": { "anyOf": [
                            { "type": "boolean" },
                            { "type": "integer" },
                            { "type": "string" },
                            { "type": "array", "items": { "type": "string" } },
                        ] },
                    },
                } },
            },
        });
        assert_eq!(schema::<Outer>(), Some(expected));
    }
}
