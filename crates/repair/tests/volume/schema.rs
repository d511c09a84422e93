//! The JSON Schema of recipes: it is shipped, it accepts every recipe, and it finds mistakes.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use diskmend_repair::recipe;
use serde_json::{Value, json};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

fn schema() -> &'static Value {
    static SCHEMA: OnceLock<Value> = OnceLock::new();
    SCHEMA.get_or_init(|| recipe::schema().expect("a schema"))
}

/// What is wrong with a value, as JSON Schema has it. Only what the schema uses is known here: any
/// other word in a schema is an error of its own.
fn wrong(schema: &Value, value: &Value, whole: &Value, at: &str) -> Vec<String> {
    let schema = match schema {
        Value::Bool(true) => return Vec::new(),
        Value::Object(schema) => schema,
        other => return vec![format!("{at}: {other} is no schema")],
    };
    let mut found = Vec::new();
    for (word, says) in schema {
        let len = value.as_object().map(|object| object.len() as u64);
        let holds = match word.as_str() {
            "$schema" | "title" | "$defs" => true,
            "$ref" => {
                let path = says.as_str().expect("a path").trim_start_matches('#');
                let target = whole.pointer(path).expect("a definition");
                found.extend(wrong(target, value, whole, at));
                true
            }
            "type" => {
                let is = |kind: &Value| match kind.as_str().expect("a word") {
                    "object" => value.is_object(),
                    "array" => value.is_array(),
                    "string" => value.is_string(),
                    "integer" => value.is_i64() || value.is_u64(),
                    "boolean" => value.is_boolean(),
                    other => panic!("{other}"),
                };
                says.as_array()
                    .map_or_else(|| is(says), |kinds| kinds.iter().any(is))
            }
            "enum" => says.as_array().expect("a list").contains(value),
            "pattern" => {
                value
                    .as_str()
                    .is_none_or(|text| match says.as_str().expect("a pattern") {
                        pattern if pattern.starts_with(r"^\{") => {
                            text.starts_with('{') && text.ends_with('}')
                        }
                        _ => text.contains(".."),
                    })
            }
            "anyOf" => {
                let forms = says.as_array().expect("a list");
                forms
                    .iter()
                    .any(|form| wrong(form, value, whole, at).is_empty())
            }
            "items" => {
                for (number, item) in value.as_array().into_iter().flatten().enumerate() {
                    found.extend(wrong(says, item, whole, &format!("{at}[{number}]")));
                }
                true
            }
            "required" => {
                let names = says.as_array().expect("a list");
                names
                    .iter()
                    .all(|name| value.get(name.as_str().expect("a name")).is_some())
            }
            "properties" => {
                for (name, property) in says.as_object().expect("a table") {
                    if let Some(value) = value.get(name) {
                        found.extend(wrong(property, value, whole, &format!("{at}/{name}")));
                    }
                }
                true
            }
            "additionalProperties" => {
                let known = schema.get("properties").and_then(Value::as_object);
                let fields = value.as_object().into_iter().flatten();
                let others =
                    fields.filter(|(name, _)| known.is_none_or(|all| !all.contains_key(*name)));
                for (name, value) in others {
                    let at = format!("{at}/{name}");
                    match says {
                        Value::Bool(false) => found.push(format!("{at}: unknown")),
                        says => found.extend(wrong(says, value, whole, &at)),
                    }
                }
                true
            }
            "minItems" => value
                .as_array()
                .is_none_or(|list| list.len() as u64 >= says.as_u64().expect("a number")),
            "minProperties" => len.is_none_or(|len| Some(len) >= says.as_u64()),
            "maxProperties" => len.is_none_or(|len| Some(len) <= says.as_u64()),
            other => panic!("{at}: {other}"),
        };
        if !holds {
            found.push(format!("{at}: {word} {says}"));
        }
    }
    found
}

fn mistakes(text: &str) -> Vec<String> {
    let recipe: toml::Value = toml::from_str(text).expect("TOML");
    let recipe = serde_json::to_value(recipe).expect("JSON");
    let schema = schema();
    wrong(schema, &recipe, schema, "")
}

fn files(folder: &str, end: &str) -> Vec<PathBuf> {
    let entries = fs::read_dir(root().join(folder)).expect("a folder");
    let paths = entries.map(|entry| entry.expect("readable").path());
    paths
        .filter(|path| path.extension().is_some_and(|found| found == end))
        .collect()
}

#[test]
fn the_file_for_editors_is_the_schema() {
    let path = root().join("docs/recipes/recipe.schema.json");
    let text = serde_json::to_string_pretty(schema()).expect("JSON") + "\n";
    if std::env::var_os("DISKMEND_UPDATE").is_some() {
        fs::write(&path, text).expect("writable");
        return;
    }
    let stored = fs::read_to_string(&path)
        .expect("the schema")
        .replace("\r\n", "\n");
    assert!(
        stored == text,
        "docs/recipes/recipe.schema.json is not what the program reads: run the tests with \
         DISKMEND_UPDATE=1"
    );
}

#[test]
fn every_recipe_has_the_shape() {
    let recipes = files("crates/repair/recipes", "toml");
    assert!(recipes.len() > 10);
    for path in recipes {
        let text = fs::read_to_string(&path).expect("UTF-8");
        assert_eq!(mistakes(&text), [""; 0], "{}", path.display());
    }
    for page in files("docs/recipes", "md") {
        let text = fs::read_to_string(&page).expect("UTF-8");
        for block in text.split("```toml\nschema").skip(1) {
            let example = format!("schema{}", block.split("```").next().expect("an end"));
            assert_eq!(mistakes(&example), [""; 0], "{}", page.display());
        }
    }
}

#[test]
fn every_kind_of_row_is_closed_and_mistakes_are_found() {
    let schema = schema();
    let head =
        "schema = 1\nname = 'own'\ntitle = 't'\nsummary = 's'\nsources = ['https://e.org']\n";
    let fields = schema["properties"].as_object().expect("a table");
    let rows = fields
        .iter()
        .filter(|(_, field)| field["items"]["properties"]["builds"].is_object());
    let mut kinds = 0;
    for (table, field) in rows {
        kinds += 1;
        assert_eq!(
            field["items"]["additionalProperties"],
            json!(false),
            "{table}"
        );
        let needed = field["items"]["required"].as_array().expect(table);
        assert!(needed.contains(&json!("why")), "{table}: {needed:?}");
        let found = mistakes(&format!("{head}[[{table}]]\nnonsense = 1\nwhy = 2\n")).join("\n");
        for say in [
            format!("/{table}[0]/nonsense: unknown"),
            format!("/{table}[0]/why: type"),
        ] {
            assert!(found.contains(&say), "{say}: {found}");
        }
    }
    assert!(kinds >= 3, "{kinds}");
    for (text, say) in [
        ("include = ['tls']", "/include: unknown"),
        ("on_request = 'yes'", "/on_request: type"),
        (
            "[[condition]]\nplatform = ['azure']",
            "/condition[0]: required",
        ),
        (
            "[[condition]]\nname = 'x'\nany = [{ file = { path = 'x' } }]",
            "any[0]/file: required",
        ),
        (
            "[[condition]]\nname = 'x'\nany = [{ files = 1 }]",
            "any[0]/files: unknown",
        ),
        (
            "[[condition]]\nname = 'x'\nany = []\nall = []",
            "maxProperties",
        ),
        (
            "[parameters]\np = { type = 'u8', default = 1, about = 'x' }",
            "/parameters/p/type: enum",
        ),
        (
            "[parameters]\np = { type = 'u16', default = 1 }",
            "/parameters/p: required",
        ),
        (
            "[[acl]]\npath = 'x'\napplies_to = 'folder'\nwhy = 'w'\nproduct = 'home'",
            "/acl[0]/product: enum",
        ),
        (
            "[[registry]]\nwhy = 'w'\nfault = { equals = [1], or = ['x'] }",
            "/registry[0]/fault: anyOf",
        ),
    ] {
        let found = mistakes(&format!("{head}{text}\n")).join("\n");
        assert!(found.contains(say), "{text}: {found}");
    }
}
