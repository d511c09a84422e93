//! The JSON Schema of a recipe's file, for editors. It is made from the types that read the file.

use serde_json::{Map, Value, json};

use super::condition::{self, ConditionFile, Quantity};
use super::parameter::{self, ParameterFile, ParameterKind};
use crate::evidence;
use crate::rows::{RecipeFile, TABLES, TermsFile};
use crate::written::shape;

/// What a field may be beside its number: the name of a parameter in braces.
const PLACE: &str = r"^\{[a-z][a-z0-9-]*\}$";
/// A range of builds.
const BUILDS: &str = r"^([0-9]+\.\.[0-9]*|\.\.[0-9]*)$";

/// The JSON Schema (draft 2020-12) of a recipe's file; `None` if a kind of row reads its fields in a
/// way that hides them.
#[must_use]
pub fn schema() -> Option<Value> {
    let mut recipe = shape::schema::<RecipeFile>()?;
    let terms = properties(shape::schema::<TermsFile>()?)?;
    let fields = recipe.get_mut("properties")?.as_object_mut()?;
    for table in TABLES {
        let rows = fields.get_mut(*table)?;
        let row = rows.get_mut("items")?;
        let properties = row.get_mut("properties")?.as_object_mut()?;
        if let Some(fault) = properties.get_mut("fault") {
            add_conditions(fault);
        }
        for (name, term) in &terms {
            properties.insert(name.clone(), term.clone());
        }
        properties.insert(
            "builds".to_owned(),
            json!({ "type": "string", "pattern": BUILDS }),
        );
        let products = ["workstation", "server", "domain-controller"];
        properties.insert("product".to_owned(), json!({ "enum": products }));
        let_parameters_stand(row);
    }
    let name = properties(shape::schema::<ParameterFile>()?)?;
    fields.insert(parameter::TABLE.to_owned(), parameters(name));
    fields.insert(
        condition::TABLE.to_owned(),
        json!({ "type": "array", "items": { "$ref": "#/$defs/condition" } }),
    );
    let mut kinds: Map<String, Value> = evidence::schemas()?.into_iter().collect();
    for kind in kinds.values_mut() {
        let_parameters_stand(kind);
    }
    let mut of_condition = properties(shape::schema::<ConditionFile>()?)?;
    let list = json!({ "type": "array", "minItems": 1, "items": { "$ref": "#/$defs/evidence" } });
    let lists = Quantity::ALL.map(|quantity| (quantity.field().to_owned(), list.clone()));
    of_condition.extend(lists);
    of_condition.extend(kinds.clone());
    let whole = json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "A recipe of diskmend",
        "$defs": {
            "evidence": {
                "type": "object",
                "minProperties": 1,
                "maxProperties": 1,
                "properties": kinds,
                "additionalProperties": false,
            },
            "condition": {
                "type": "object",
                "minProperties": 2,
                "maxProperties": 2,
                "required": ["name"],
                "properties": of_condition,
                "additionalProperties": false,
            },
        },
    });
    let mut whole = whole;
    whole.as_object_mut()?.append(recipe.as_object_mut()?);
    Some(whole)
}

fn properties(mut table: Value) -> Option<Map<String, Value>> {
    match table.get_mut("properties").map(Value::take)? {
        Value::Object(properties) => Some(properties),
        _ => None,
    }
}

/// The table of parameters: any name, with these fields.
fn parameters(mut fields: Map<String, Value>) -> Value {
    let kinds = ParameterKind::ALL.map(|kind| kind.to_string());
    fields.insert("type".to_owned(), json!({ "enum": kinds }));
    fields.insert(
        "default".to_owned(),
        json!({ "type": ["integer", "string"] }),
    );
    let names: Vec<&String> = fields.keys().collect();
    json!({
        "type": "object",
        "additionalProperties": {
            "type": "object",
            "required": names,
            "properties": fields,
            "additionalProperties": false,
        },
    })
}

/// Lets a fault that is a table name conditions.
fn add_conditions(fault: &mut Value) {
    if let Some(forms) = fault.get_mut("anyOf").and_then(Value::as_array_mut) {
        forms.iter_mut().for_each(add_conditions);
    }
    if let Some(properties) = fault.get_mut("properties").and_then(Value::as_object_mut) {
        let names = json!({ "type": "array", "items": { "type": "string" } });
        properties.insert("and".to_owned(), names);
    }
}

/// Lets a parameter stand in the place of a number.
fn let_parameters_stand(schema: &mut Value) {
    match schema {
        Value::Object(fields) if fields.get("type") == Some(&json!("integer")) => {
            *schema = json!({
                "anyOf": [{ "type": "integer" }, { "type": "string", "pattern": PLACE }],
            });
        }
        Value::Object(fields) => fields.values_mut().for_each(let_parameters_stand),
        Value::Array(list) => list.iter_mut().for_each(let_parameters_stand),
        _ => {}
    }
}
