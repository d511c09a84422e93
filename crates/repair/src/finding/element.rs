//! Comparing a store's elements with the rows.

use diskmend_bcd::loader::{Loader, Wanted};
use diskmend_bcd::{
    Change as StoreChange, ChangeError, ElementId, ElementValue, Guid, Object, ObjectType, Store,
    StoreError, elements, well_known, words,
};
use serde::Serialize;

use super::{ChangedValue, Goal, MayBeFault, RowState};
use crate::error::{Error, Refusal};
use crate::value_data::ValueData;

/// The value that holds an element's data, in the key of the element.
const ELEMENT: &str = "Element";

/// An element of a boot store before and after, under `bcdedit`'s names.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ElementWords {
    /// The store's path; the whole path if its volume isn't the target.
    pub store: String,
    /// The object's GUID.
    pub object: String,
    /// The object for display: `bcdedit`'s name, or its GUID and description.
    pub object_name: String,
    /// The element's id, such as `0x16000020`.
    pub element: String,
    /// `bcdedit`'s name for it.
    pub name: String,
    /// Its value now; absent if it doesn't exist.
    pub old: Option<String>,
    /// The value it should have; absent if it shouldn't exist.
    pub new: Option<String>,
}

/// A boot store that is open for judging.
pub(crate) struct OpenStore<'h> {
    store: Store<'h>,
    /// Its path, for messages.
    path: String,
    /// The loaders that rows about the loader mean.
    loaders: &'h [Loader],
    /// The target's Windows and its disk, as the store would name them.
    disk: &'h Wanted,
    /// True for the store of EFI firmware, false for that of a BIOS; `None` if that isn't known.
    is_efi: Option<bool>,
    goal: Goal,
}

/// The element that a row wants.
pub(crate) struct WantedElement<'r> {
    pub(crate) object: Guid,
    /// The object's name in the row.
    pub(crate) named: &'r str,
    /// The object's type, as far as the row shows it.
    pub(crate) object_type: ObjectType,
    /// The type with which a missing object is created; `None` if it must exist.
    pub(crate) create_as: Option<ObjectType>,
    pub(crate) element: ElementId,
    /// The value it should have; `None` if it shouldn't exist.
    pub(crate) desired: Option<&'r ElementValue>,
}

/// An element and a row's judgement.
#[derive(Clone, Debug)]
pub(crate) struct JudgedElement {
    pub(crate) element: ElementWords,
    /// The result of comparing it with the wanted value.
    pub(crate) state: RowState,
    /// The edits that give it the wanted value, in the store's terms.
    pub(crate) edits: Vec<StoreChange>,
    /// The edit in the registry's terms.
    pub(crate) value: ChangedValue,
}

impl MayBeFault for JudgedElement {
    fn is_fault(&self) -> bool {
        self.state == RowState::Fault
    }

    fn is_no_fault(&mut self) {
        self.state = match self.element.old {
            None => RowState::Missing,
            Some(_) => RowState::Differs,
        };
    }
}

impl<'h> OpenStore<'h> {
    /// The store at a path. `loaders` are those that rows about the loader mean, and `disk` is the
    /// target's Windows and its disk. `is_efi` is true for the store of EFI firmware.
    pub(crate) fn new(
        (store, path): (Store<'h>, String),
        (loaders, disk): (&'h [Loader], &'h Wanted),
        is_efi: Option<bool>,
        goal: Goal,
    ) -> Self {
        Self {
            store,
            path,
            loaders,
            disk,
            is_efi,
            goal,
        }
    }

    /// The store's path, for messages.
    pub(crate) fn path(&self) -> &str {
        &self.path
    }

    /// The target's Windows and its disk, as the store would name them.
    pub(crate) const fn disk(&self) -> &Wanted {
        self.disk
    }

    /// True for the store of EFI firmware, false for that of a BIOS; `None` if that isn't known.
    pub(crate) const fn is_efi(&self) -> Option<bool> {
        self.is_efi
    }

    /// The goal for which elements are judged.
    pub(crate) const fn goal(&self) -> Goal {
        self.goal
    }

    /// True if the store has this object.
    ///
    /// # Errors
    /// If the store can't be read.
    pub(crate) fn has(&self, guid: Guid) -> Result<bool, Error> {
        let found = self.store.object(guid);
        Ok(found.map_err(|source| self.unreadable(source))?.is_some())
    }

    /// The value of an element. It is `None` if the element doesn't exist, and an inner `None` if
    /// its data aren't a value of its format.
    ///
    /// # Errors
    /// If the store can't be read.
    pub(crate) fn value(
        &self,
        guid: Guid,
        element: ElementId,
    ) -> Result<Option<Option<ElementValue>>, Error> {
        let unreadable = |source| self.unreadable(source);
        let Some(object) = self.store.object(guid).map_err(unreadable)? else {
            return Ok(None);
        };
        let found = object.element(element).map_err(unreadable)?;
        Ok(found.map(|element| element.value().ok()))
    }

    fn unreadable(&self, source: StoreError) -> Error {
        Error::Store {
            path: self.path.clone(),
            source,
        }
    }

    /// The loaders that a row about the loader means.
    pub(crate) fn loaders(&self) -> Vec<Guid> {
        self.loaders.iter().map(|loader| loader.guid).collect()
    }

    /// Compares an element with a row. `state` says what it is. It gets `None` if the element
    /// doesn't exist, and an inner `None` if its data aren't a value of its format.
    ///
    /// # Errors
    /// If the store can't be read, or if it lacks an object that isn't to be created.
    pub(crate) fn judge(
        &self,
        wanted: &WantedElement<'_>,
        state: impl FnOnce(Option<Option<&ElementValue>>) -> RowState,
    ) -> Result<JudgedElement, Error> {
        let (store, guid) = (&self.store, wanted.object);
        let unreadable = |source: StoreError| self.unreadable(source);
        let mut edits = Vec::new();
        let object = store.object(guid).map_err(unreadable)?;
        if let Some(object_type) = wanted.create_as {
            let create = StoreChange::CreateObject {
                object: guid,
                object_type,
            };
            // An object of the wrong type is reported before anything else.
            create
                .edits(store)
                .map_err(|source: ChangeError| Error::StoreChange {
                    path: self.path.clone(),
                    source,
                })?;
            edits.push(create);
        } else if object.is_none() && wanted.desired.is_some() {
            return Err(Refusal::NoObject {
                path: self.path.clone(),
                object: wanted.named.to_owned(),
            }
            .into());
        }
        let found = match &object {
            Some(object) => object.element(wanted.element).map_err(unreadable)?,
            None => None,
        };
        // The type only decides about the words.
        let object_type = object.and_then(|object| object.object_type().ok());
        let object_type = object_type.unwrap_or(wanted.object_type);
        // Data that aren't a value of the element's format are never as wanted.
        let current: Option<Option<ElementValue>> =
            found.as_ref().map(|element| element.value().ok());
        let old = found.as_ref().map(|element| ValueData {
            value_type: element.data_type(),
            bytes: element.data().to_vec(),
        });
        let new = wanted.desired.map(|value| ValueData {
            value_type: wanted.element.format().value_type(),
            bytes: value.encode(),
        });
        edits.push(match wanted.desired {
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
        Ok(JudgedElement {
            element: ElementWords {
                store: self.path.clone(),
                object: guid.to_string(),
                object_name: object_name(store, guid, object.as_ref()),
                element: format!("0x{}", wanted.element),
                name: elements::display_name(wanted.element, object_type),
                old: current.as_ref().map(|value| match value {
                    Some(value) => say(value),
                    None => "(not readable)".to_owned(),
                }),
                new: wanted.desired.map(say),
            },
            state: state(current.as_ref().map(Option::as_ref)),
            edits,
            value: ChangedValue {
                key: element_key(guid, object.as_ref(), wanted.element).map_err(unreadable)?,
                value: ELEMENT.to_owned(),
                old,
                new,
            },
        })
    }
}

/// `bcdedit`'s name for an object, or the boot menu's text if it has no fixed name; for display. An
/// element that can't be read doesn't count.
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

/// The path of an element's key, in the existing or the future spelling of its names.
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
