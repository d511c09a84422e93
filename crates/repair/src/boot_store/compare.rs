//! Comparing a store's elements with what recipes want.

use diskmend_bcd::loader::Loader;
use diskmend_bcd::{
    Change as StoreChange, ChangeError, ElementId, ElementValue, Guid, Object, Store, StoreError,
    elements, well_known, words,
};

use crate::documents::{Change, ChangedValue, ElementRow, ElementWords, RowState};
use crate::error::{Error, Refusal};
use crate::recipe::{BcdObject, BcdRow, Recipe};
use crate::value_data::ValueData;

/// The value that holds an element's data, in the key of the element.
const ELEMENT: &str = "Element";

/// An element beside what a recipe wants it to be.
pub(super) struct Compared {
    pub(super) row: ElementRow,
    /// What brings it about, in the store's terms.
    pub(super) edits: Vec<StoreChange>,
    /// The same in the registry's terms.
    value: ChangedValue,
}

/// Compares every element that the recipes name. `path` is the store's, for messages.
pub(super) fn compare(
    store: &Store<'_>,
    path: &str,
    loaders: &[Loader],
    recipes: &[&Recipe],
) -> Result<Vec<Compared>, Error> {
    let mut compared = Vec::new();
    for recipe in recipes {
        for wanted in &recipe.bcd {
            let objects = match wanted.object {
                BcdObject::Fixed(guid) => vec![guid],
                BcdObject::Loader => loaders.iter().map(|loader| loader.guid).collect(),
            };
            for guid in objects {
                compared.push(element(store, path, &recipe.name, wanted, guid)?);
            }
        }
    }
    Ok(compared)
}

fn element(
    store: &Store<'_>,
    path: &str,
    recipe: &str,
    wanted: &BcdRow,
    guid: Guid,
) -> Result<Compared, Error> {
    let unreadable = |source: StoreError| Error::Store {
        path: path.to_owned(),
        source,
    };
    let mut edits = Vec::new();
    let object = store.object(guid).map_err(unreadable)?;
    if let Some(object_type) = wanted.create_as {
        let create = StoreChange::CreateObject {
            object: guid,
            object_type,
        };
        // An object of another type is found out before anything else is.
        create
            .edits(store)
            .map_err(|source: ChangeError| Error::StoreChange {
                path: path.to_owned(),
                source,
            })?;
        edits.push(create);
    } else if object.is_none() && wanted.desired.is_some() {
        return Err(Refusal::NoObject {
            path: path.to_owned(),
            object: wanted.object.to_string(),
        }
        .into());
    }
    let found = match &object {
        Some(object) => object.element(wanted.element).map_err(unreadable)?,
        None => None,
    };
    let object_type = object.and_then(|object| object.object_type().ok());
    let object_type = object_type.unwrap_or(wanted.object_type());
    // Data that are no value of the element's format are not as desired, whatever they are.
    let current: Option<Option<ElementValue>> = found.as_ref().map(|element| element.value().ok());
    let old = found.as_ref().map(|element| ValueData {
        value_type: element.data_type(),
        bytes: element.data().to_vec(),
    });
    let new = wanted.desired.as_ref().map(|value| ValueData {
        value_type: wanted.element.format().value_type(),
        bytes: value.encode(),
    });
    edits.push(match &wanted.desired {
        Some(value) => StoreChange::SetElement {
            object: guid,
            element: wanted.element,
            value: value.clone(),
        },
        None => StoreChange::DeleteElement {
            object: guid,
            element: wanted.element,
        },
    });
    let say = |value: &ElementValue| words(value, wanted.element, object_type);
    Ok(Compared {
        row: ElementRow {
            recipe: recipe.to_owned(),
            element: ElementWords {
                store: path.to_owned(),
                object: guid.to_string(),
                object_name: object_name(store, guid, object.as_ref()),
                element: format!("0x{}", wanted.element),
                name: elements::display_name(wanted.element, object_type),
                old: current.as_ref().map(|value| match value {
                    Some(value) => say(value),
                    None => "(not readable)".to_owned(),
                }),
                new: wanted.desired.as_ref().map(say),
            },
            state: state(wanted, current),
            why: wanted.why.clone(),
        },
        edits,
        value: ChangedValue {
            key: element_key(guid, object.as_ref(), wanted.element).map_err(unreadable)?,
            value: ELEMENT.to_owned(),
            old,
            new,
        },
    })
}

fn state(wanted: &BcdRow, current: Option<Option<ElementValue>>) -> RowState {
    let exists = current.is_some();
    let current = current.flatten();
    if exists == wanted.desired.is_some() && current == wanted.desired {
        return RowState::Ok;
    }
    let fault = wanted.fault.as_ref();
    if fault.is_some_and(|fault| match (exists, &current) {
        (true, None) => fault.different,
        (_, current) => fault.holds(current.as_ref()),
    }) {
        return RowState::Fault;
    }
    match exists {
        true => RowState::Differs,
        false => RowState::Missing,
    }
}

/// `bcdedit`'s name for an object; what the boot menu shows for one without a fixed name.
fn object_name(store: &Store<'_>, guid: Guid, object: Option<&Object<'_>>) -> String {
    let is_default = store.default_entry().ok().flatten() == Some(guid);
    let name = match well_known::by_guid(guid) {
        Some(known) => return known.alias.to_owned(),
        None if is_default => "{default}".to_owned(),
        None => guid.to_string(),
    };
    let description = object.and_then(|object| object.value(ElementId::DESCRIPTION).ok()?);
    match description {
        Some(ElementValue::String(text)) => format!("{name} ({text})"),
        _ => name,
    }
}

/// The path of an element's key, as the keys are spelled or will be.
fn element_key(
    guid: Guid,
    object: Option<&Object<'_>>,
    element: ElementId,
) -> Result<String, StoreError> {
    let spelled = match object {
        Some(object) => object.key().name().in_path().to_string(),
        None => guid.to_string(),
    };
    let key = match object.map(Object::elements_key).transpose()?.flatten() {
        Some(elements) => elements.subkey(&element.to_string())?,
        None => None,
    };
    let name = key.map_or_else(
        || element.to_string(),
        |key| key.name().in_path().to_string(),
    );
    Ok(format!(r"Objects\{spelled}\Elements\{name}"))
}

impl Compared {
    /// The change that makes it as desired.
    pub(super) fn change(&self) -> Change {
        Change {
            recipe: self.row.recipe.clone(),
            hive: super::NAME.to_owned(),
            fault: self.row.state == RowState::Fault,
            why: self.row.why.clone(),
            element: Some(self.row.element.clone()),
            value: self.value.clone(),
        }
    }
}
