//! Reads a store: its objects and their elements.
//!
//! The hive contains `Objects\{guid}\Description` with the value `Type`, and
//! `Objects\{guid}\Elements\xxxxxxxx` with the value `Element`.

use std::borrow::Cow;

use diskmend_base::Guid;
use diskmend_base::bytes::u32_at;
use diskmend_hive::name::Name;
use diskmend_hive::{Hive, Key, ValueType};

use crate::element_id::ElementId;
use crate::error::StoreError;
use crate::object_type::ObjectType;
use crate::value::{ElementValue, MAX_DATA_LEN, ValueError};
use crate::well_known;

/// The maximum number of objects to read. Faulty firmware is known to add thousands of entries.
pub const MAX_OBJECTS: usize = 1 << 14;
/// The maximum number of elements to read in one object; Windows knows a few hundred.
pub const MAX_ELEMENTS: usize = 1 << 12;

pub(crate) const OBJECTS: &str = "Objects";
pub(crate) const DESCRIPTION: &str = "Description";
pub(crate) const ELEMENTS: &str = "Elements";
pub(crate) const TYPE: &str = "Type";
pub(crate) const ELEMENT: &str = "Element";

/// A boot store in a hive.
#[derive(Clone, Copy)]
pub struct Store<'a> {
    root: Key<'a>,
    objects: Key<'a>,
}

/// An object of a store.
#[derive(Clone, Copy)]
pub struct Object<'a> {
    guid: Guid,
    key: Key<'a>,
}

/// An element of an object, with its data as stored.
#[derive(Clone)]
pub struct Element<'a> {
    object: Guid,
    id: ElementId,
    key: Key<'a>,
    data_type: ValueType,
    data: Cow<'a, [u8]>,
}

impl<'a> Store<'a> {
    /// Reads the store below a hive's root, or below the root of a hive that is being edited.
    ///
    /// # Errors
    /// [`StoreError::NoObjects`] if the hive contains no store, [`StoreError::Corrupt`] if it is
    /// corrupt.
    pub fn new(root: Key<'a>) -> Result<Self, StoreError> {
        let objects = root.subkey(OBJECTS)?.ok_or(StoreError::NoObjects)?;
        Ok(Self { root, objects })
    }

    /// Reads the store in a hive.
    ///
    /// # Errors
    /// As [`Store::new`].
    pub fn open(hive: &'a Hive) -> Result<Self, StoreError> {
        Self::new(hive.root()?)
    }

    /// The root of its hive.
    #[must_use]
    pub fn root(&self) -> Key<'a> {
        self.root
    }

    /// The objects in the order of their keys.
    ///
    /// # Errors
    /// If the list of keys is corrupt. The iterator yields an error for each key that can't be read
    /// or is not named by a GUID, and ends with an error if there are too many keys.
    pub fn objects(
        &self,
    ) -> Result<impl Iterator<Item = Result<Object<'a>, StoreError>> + use<'a>, StoreError> {
        let limited = limit(self.objects.subkeys()?, MAX_OBJECTS, "objects");
        Ok(limited.map(|key| {
            let key = key?;
            let guid = object_guid(key.name()).ok_or_else(|| StoreError::ObjectName {
                name: key.name().escaped().to_string(),
            })?;
            Ok(Object { guid, key })
        }))
    }

    /// The object with this GUID.
    ///
    /// # Errors
    /// If the hive is corrupt on the way.
    pub fn object(&self, guid: Guid) -> Result<Option<Object<'a>>, StoreError> {
        let key = self.objects.subkey(&guid.to_string())?;
        Ok(key.map(|key| Object { guid, key }))
    }

    /// The entry that the boot manager starts when nobody chooses.
    ///
    /// # Errors
    /// If the boot manager or its element can't be read.
    pub fn default_entry(&self) -> Result<Option<Guid>, StoreError> {
        let Some(boot_manager) = self.object(well_known::BOOTMGR)? else {
            return Ok(None);
        };
        match boot_manager.value(ElementId::DEFAULT)? {
            Some(ElementValue::Object(guid)) => Ok(Some(guid)),
            _ => Ok(None),
        }
    }

    /// The GUID for a name: a GUID, a well-known name, or `{default}`. `{current}` is the default
    /// entry too, because no Windows of this store is running.
    ///
    /// # Errors
    /// If the boot manager can't be read.
    pub fn resolve(&self, name: &str) -> Result<Option<Guid>, StoreError> {
        if let Ok(guid) = name.parse() {
            return Ok(Some(guid));
        }
        let bare = well_known::bare(name);
        if bare.eq_ignore_ascii_case("default") || bare.eq_ignore_ascii_case("current") {
            return self.default_entry();
        }
        Ok(well_known::by_alias(name).map(|object| object.guid))
    }
}

impl<'a> Object<'a> {
    /// Its GUID.
    #[must_use]
    pub fn guid(&self) -> Guid {
        self.guid
    }

    /// Its key.
    #[must_use]
    pub fn key(&self) -> Key<'a> {
        self.key
    }

    /// Its type.
    ///
    /// # Errors
    /// If the type is missing or not a `REG_DWORD`.
    pub fn object_type(&self) -> Result<ObjectType, StoreError> {
        let missing = |what| StoreError::Missing {
            object: self.guid,
            what,
        };
        let description = self.key.subkey(DESCRIPTION)?;
        let description = description.ok_or_else(|| missing("key Description"))?;
        let value = description.value(TYPE)?;
        let value = value.ok_or_else(|| missing("value Type in its description"))?;
        let wrong = StoreError::ObjectType {
            object: self.guid,
            found: value.data_type(),
            len: value.data_len(),
        };
        if value.data_type() != ValueType::DWORD || value.data_len() != 4 {
            return Err(wrong);
        }
        let data = value.data()?;
        let number = u32_at(&data, 0);
        number.map(ObjectType).ok_or(wrong)
    }

    /// The key that contains its elements.
    ///
    /// # Errors
    /// If this part of the hive is corrupt.
    pub fn elements_key(&self) -> Result<Option<Key<'a>>, StoreError> {
        Ok(self.key.subkey(ELEMENTS)?)
    }

    /// The elements in the order of their keys; none if there is no key `Elements`.
    ///
    /// # Errors
    /// If the list of keys is corrupt. The iterator yields an error for each element that can't be
    /// read, and ends with an error if there are too many.
    pub fn elements(
        &self,
    ) -> Result<impl Iterator<Item = Result<Element<'a>, StoreError>> + use<'a>, StoreError> {
        let object = self.guid;
        let keys = match self.elements_key()? {
            Some(key) => Some(key.subkeys()?),
            None => None,
        };
        let limited = limit(keys.into_iter().flatten(), MAX_ELEMENTS, "elements");
        Ok(limited.map(move |key| Element::at(object, key?)))
    }

    /// The element with this id.
    ///
    /// # Errors
    /// If the hive is corrupt on the way or the element has no value.
    pub fn element(&self, id: ElementId) -> Result<Option<Element<'a>>, StoreError> {
        let Some(elements) = self.elements_key()? else {
            return Ok(None);
        };
        match elements.subkey(&id.to_string())? {
            Some(key) => Element::at(self.guid, key).map(Some),
            None => Ok(None),
        }
    }

    /// The value of the element with this id.
    ///
    /// # Errors
    /// If it can't be read or its data do not match its format.
    pub fn value(&self, id: ElementId) -> Result<Option<ElementValue>, StoreError> {
        match self.element(id)? {
            Some(element) => element.value().map(Some),
            None => Ok(None),
        }
    }
}

impl<'a> Element<'a> {
    fn at(object: Guid, key: Key<'a>) -> Result<Self, StoreError> {
        let id = ElementId::from_key_name(key.name());
        let id = id.ok_or_else(|| StoreError::ElementName {
            object,
            name: key.name().escaped().to_string(),
        })?;
        let missing = StoreError::NoElementValue {
            object,
            element: id,
        };
        let value = key.value(ELEMENT)?.ok_or(missing)?;
        if value.data_len() > MAX_DATA_LEN {
            return Err(StoreError::Value {
                object,
                element: id,
                source: ValueError::too_long(id.format(), value.data_len()),
            });
        }
        Ok(Self {
            object,
            id,
            key,
            data_type: value.data_type(),
            data: value.data()?,
        })
    }

    /// Its id.
    #[must_use]
    pub fn id(&self) -> ElementId {
        self.id
    }

    /// Its key.
    #[must_use]
    pub fn key(&self) -> Key<'a> {
        self.key
    }

    /// The registry type of its data.
    #[must_use]
    pub fn data_type(&self) -> ValueType {
        self.data_type
    }

    /// Its data as stored.
    #[must_use]
    pub fn data(&self) -> &[u8] {
        &self.data
    }

    /// Its value.
    ///
    /// # Errors
    /// If the data do not match the format of the id.
    pub fn value(&self) -> Result<ElementValue, StoreError> {
        self.decoded().map_err(|source| StoreError::Value {
            object: self.object,
            element: self.id,
            source,
        })
    }

    pub(crate) fn decoded(&self) -> Result<ElementValue, ValueError> {
        ElementValue::decode(self.id.format(), self.data_type, &self.data)
    }
}

/// The remaining limits of a walk over all elements of a store. The keys of a hostile hive can
/// share cells, so that a small file contains more elements than fit into memory.
pub(crate) struct Budget {
    elements: usize,
    data: usize,
}

impl Budget {
    const ELEMENTS: usize = 1 << 18;
    const DATA: usize = 64 << 20;

    pub(crate) fn new() -> Self {
        Self {
            elements: Self::ELEMENTS,
            data: Self::DATA,
        }
    }

    /// Counts one item, and replaces it by an error if it exceeds the limits.
    pub(crate) fn take(
        &mut self,
        element: &Result<Element<'_>, StoreError>,
    ) -> Result<(), StoreError> {
        let len = element.as_ref().map_or(0, |element| element.data.len());
        let too_many = |what, limit| StoreError::TooMany { what, limit };
        self.elements = self
            .elements
            .checked_sub(1)
            .ok_or_else(|| too_many("elements of all objects", Self::ELEMENTS))?;
        self.data = self
            .data
            .checked_sub(len)
            .ok_or_else(|| too_many("bytes in all elements", Self::DATA))?;
        Ok(())
    }
}

/// The GUID in the name of an object's key.
pub(crate) fn object_guid(name: Name<'_>) -> Option<Guid> {
    // A GUID has 38 characters; other lengths are rejected without an allocation.
    (name.len() == 38).then(|| name.to_string().parse().ok())?
}

/// Yields at most `limit` items, then one error if there are more.
fn limit<'a, E>(
    keys: impl Iterator<Item = Result<Key<'a>, E>>,
    limit: usize,
    what: &'static str,
) -> impl Iterator<Item = Result<Key<'a>, StoreError>>
where
    StoreError: From<E>,
{
    keys.take(limit + 1).enumerate().map(move |(index, key)| {
        if index < limit {
            Ok(key?)
        } else {
            Err(StoreError::TooMany { what, limit })
        }
    })
}
