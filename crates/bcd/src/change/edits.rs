//! Converts changes to registry edits.

use diskmend_base::Guid;
use diskmend_hive::ValueType;

use super::{ChangeError, Edit};
use crate::device::Device;
use crate::element_id::{ElementId, Format};
use crate::error::StoreError;
use crate::object_type::ObjectType;
use crate::store::{Budget, DESCRIPTION, ELEMENT, ELEMENTS, OBJECTS, Object, Store, TYPE};
use crate::value::{ElementValue, MAX_DATA_LEN};

type Edits = Result<Vec<Edit>, ChangeError>;

pub(super) fn set_element(
    store: &Store<'_>,
    object: Guid,
    element: ElementId,
    value: &ElementValue,
) -> Edits {
    check_value(element, value)?;
    let found = store.object(object)?;
    let found = found.ok_or(ChangeError::NoObject { object })?;
    let elements = format!("{}\\{ELEMENTS}", path_of(&found));
    let key = match found.elements_key()? {
        Some(key) => key.subkey(&element.to_string()).map_err(StoreError::from)?,
        None => None,
    };
    if key.is_some()
        && let Ok(Some(old)) = found.value(element)
        && old == *value
    {
        return Ok(Vec::new());
    }
    let mut edits = Vec::new();
    let name = key.map_or_else(
        || element.to_string(),
        |key| key.name().in_path().to_string(),
    );
    let path = format!("{elements}\\{name}");
    if key.is_none() {
        edits.push(Edit::CreateKey { path: path.clone() });
    }
    edits.push(Edit::SetValue {
        path,
        name: ELEMENT,
        value_type: element.format().value_type(),
        data: value.encode(),
    });
    Ok(edits)
}

fn check_value(element: ElementId, value: &ElementValue) -> Result<(), ChangeError> {
    let expected = element.format();
    if value.format() != Some(expected) {
        return Err(ChangeError::Format {
            element,
            expected,
            found: value.format(),
        });
    }
    if let ElementValue::String(text) = value
        && let Some(index) = text.chars().position(|character| character == '\0')
    {
        return Err(ChangeError::Nul { element, index });
    }
    let len = value.encode().len();
    if let ElementValue::Device(data) = value
        && Device::decode(data).is_none()
    {
        return Err(ChangeError::Device { element, len });
    }
    if len > MAX_DATA_LEN {
        return Err(ChangeError::TooLong {
            element,
            len,
            limit: MAX_DATA_LEN,
        });
    }
    Ok(())
}

pub(super) fn delete_element(store: &Store<'_>, object: Guid, element: ElementId) -> Edits {
    let Some(found) = store.object(object)? else {
        return Ok(Vec::new());
    };
    let Some(elements) = found.elements_key()? else {
        return Ok(Vec::new());
    };
    let key = elements
        .subkey(&element.to_string())
        .map_err(StoreError::from)?;
    Ok(key
        .map(|key| Edit::DeleteKey {
            path: format!("{}\\{ELEMENTS}\\{}", path_of(&found), key.name()),
        })
        .into_iter()
        .collect())
}

pub(super) fn create_object(store: &Store<'_>, object: Guid, object_type: ObjectType) -> Edits {
    let Some(found) = store.object(object)? else {
        return Ok(new_object(object, object_type));
    };
    let found_type = found.object_type()?;
    if found_type != object_type {
        return Err(ChangeError::ObjectType {
            object,
            expected: object_type,
            found: found_type,
        });
    }
    Ok(match found.elements_key()? {
        Some(_) => Vec::new(),
        None => vec![Edit::CreateKey {
            path: format!("{}\\{ELEMENTS}", path_of(&found)),
        }],
    })
}

fn new_object(object: Guid, object_type: ObjectType) -> Vec<Edit> {
    let path = format!("{OBJECTS}\\{object}");
    let description = format!("{path}\\{DESCRIPTION}");
    vec![
        Edit::CreateKey {
            path: description.clone(),
        },
        Edit::SetValue {
            path: description,
            name: TYPE,
            value_type: ValueType::DWORD,
            data: object_type.0.to_le_bytes().to_vec(),
        },
        Edit::CreateKey {
            path: format!("{path}\\{ELEMENTS}"),
        },
    ]
}

/// The description's other values are not copied: `FirmwareVariable` is the firmware's entry for
/// this one object.
pub(super) fn copy_object(
    store: &Store<'_>,
    from: Guid,
    to: Guid,
    description: Option<&str>,
) -> Edits {
    if store.object(to)?.is_some() {
        return Err(ChangeError::Exists { object: to });
    }
    let found = store.object(from)?;
    let found = found.ok_or(ChangeError::NoObject { object: from })?;
    let mut edits = new_object(to, found.object_type()?);
    let mut set = |name: String, value_type, data: Vec<u8>| {
        let path = format!("{OBJECTS}\\{to}\\{ELEMENTS}\\{name}");
        edits.push(Edit::CreateKey { path: path.clone() });
        edits.push(Edit::SetValue {
            path,
            name: ELEMENT,
            value_type,
            data,
        });
    };
    let mut budget = Budget::new();
    for element in found.elements()? {
        budget.take(&element)?;
        let element = element?;
        if description.is_none() || element.id() != ElementId::DESCRIPTION {
            let name = element.key().name().in_path().to_string();
            set(name, element.data_type(), element.data().to_vec());
        }
    }
    if let Some(text) = description {
        let value = ElementValue::String(text.into());
        check_value(ElementId::DESCRIPTION, &value)?;
        let name = ElementId::DESCRIPTION.to_string();
        set(name, Format::String.value_type(), value.encode());
    }
    Ok(edits)
}

pub(super) fn delete_object(store: &Store<'_>, object: Guid, references: bool) -> Edits {
    let mut edits = Vec::new();
    if references {
        let mut budget = Budget::new();
        for other in store.objects()? {
            let other = match other {
                Err(error @ StoreError::TooMany { .. }) => return Err(error.into()),
                // A reference that can't be read can't be removed.
                Err(_) => continue,
                Ok(other) => other,
            };
            if other.guid() != object {
                edits.extend(without_references(&other, object, &mut budget)?);
            }
        }
    }
    if let Some(found) = store.object(object)? {
        edits.push(Edit::DeleteKey {
            path: path_of(&found),
        });
    }
    Ok(edits)
}

fn without_references(holder: &Object<'_>, object: Guid, budget: &mut Budget) -> Edits {
    let mut edits = Vec::new();
    for element in holder.elements()? {
        budget.take(&element)?;
        let Ok(element) = element else {
            continue;
        };
        let path = || {
            let name = element.key().name();
            format!("{}\\{ELEMENTS}\\{name}", path_of(holder))
        };
        match element.decoded() {
            Ok(ElementValue::Object(named)) if named == object => {
                edits.push(Edit::DeleteKey { path: path() });
            }
            Ok(ElementValue::ObjectList(mut named)) if named.contains(&object) => {
                named.retain(|guid| *guid != object);
                edits.push(if named.is_empty() {
                    Edit::DeleteKey { path: path() }
                } else {
                    Edit::SetValue {
                        path: path(),
                        name: ELEMENT,
                        value_type: ValueType::MULTI_SZ,
                        data: ElementValue::ObjectList(named).encode(),
                    }
                });
            }
            _ => {}
        }
    }
    Ok(edits)
}

/// The path of an object's key, with the key's own spelling.
fn path_of(object: &Object<'_>) -> String {
    format!("{OBJECTS}\\{}", object.key().name())
}
