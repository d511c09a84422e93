//! Boot configuration data: the objects, elements and typed values of a boot store, on top of its
//! hive. This crate opens no file and knows no partition.
//!
//! ```
//! use diskmend_bcd::{Change, ElementId, ElementValue, ObjectType, Store, well_known};
//! use diskmend_hive::{Editor, Filetime, Hive};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let mut editor = Editor::new(Hive::create(5, &[0; 20], Filetime(0))?, Filetime(0));
//! # editor.create_key("Objects")?;
//! let changes = [
//!     Change::CreateObject { object: well_known::EMSSETTINGS, object_type: ObjectType::SETTINGS },
//!     Change::SetElement {
//!         object: well_known::EMSSETTINGS,
//!         element: ElementId::EMS_PORT,
//!         value: ElementValue::Integer(1),
//!     },
//! ];
//! for change in &changes {
//!     change.apply(&mut editor)?;
//! }
//! let store = Store::new(editor.root()?)?;
//! let settings = store.object(well_known::EMSSETTINGS)?.ok_or("just made")?;
//! assert_eq!(settings.value(ElementId::EMS_PORT)?, Some(ElementValue::Integer(1)));
//! # Ok(())
//! # }
//! ```
//!
//! | module | what it contains |
//! |---|---|
//! | [`Store`], [`Object`], [`Element`] | reading |
//! | [`ElementId`], [`ObjectType`], [`Guid`] | numeric identifiers |
//! | [`elements`], [`well_known`] | names: `bcdedit`'s and Microsoft's |
//! | [`ElementValue`] | typed values and their bytes |
//! | [`Device`] | what a device element names |
//! | [`loader`] | the loader that boots a Windows folder |
//! | [`Change`] | changes as data, and the registry edits that they need |
//! | [`inherit`] | what an object inherits |
//! | [`check`] | a check of a store for problems |
//! | [`Listing`] | a store as `bcdedit /enum all` lists it |
//! | [`text`] | a store as text from which it can be made again |
//! | [`parse_value`] | a value as typed |

#![forbid(unsafe_code)]

mod change;
pub mod check;
mod device;
mod element_id;
pub mod elements;
mod error;
pub mod inherit;
pub mod loader;
mod object_type;
mod parse_value;
mod show;
mod store;
#[cfg(test)]
mod testing;
pub mod text;
mod value;
pub mod well_known;

pub use change::{Change, ChangeError, Edit};
pub use device::{Device, FileDevice, FileUse, Located, Partition, Target};
pub use diskmend_base::{Guid, GuidError};
pub use element_id::{Class, ElementId, Format};
pub use error::StoreError;
pub use object_type::{Application, ObjectType};
pub use parse_value::{ParseValueError, parse_value};
pub use show::{Listing, Row, Section, words};
pub use store::{Element, MAX_ELEMENTS, MAX_OBJECTS, Object, Store};
pub use value::{ElementValue, MAX_DATA_LEN, ValueError};
