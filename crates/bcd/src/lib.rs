//! Reads, checks and edits the boot configuration data (BCD) of Windows: the objects, elements and
//! typed values of a boot store.
//!
//! A boot store is a registry hive; [`diskmend_hive`] opens it and writes it back. This crate knows
//! what is in it. It opens no file, and it does not know where the partitions are that a store
//! names.
//!
//! ```
//! use diskmend_bcd::{Change, ElementId, ElementValue, Listing, Store, check, well_known};
//! use diskmend_hive::{Editor, Filetime, Opened, open};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let file = concat!(env!("CARGO_MANIFEST_DIR"), "/../../fixtures/bcd-efi/BCD");
//! let hive = match open(Box::new(std::fs::read(file)?))? {
//!     Opened::Clean(hive) => hive,
//!     Opened::Dirty(dirty) => return Err(format!("recover it first: {}", dirty.state()).into()),
//! };
//!
//! // Read.
//! let store = Store::open(&hive)?;
//! let default = store.default_entry()?.ok_or("no default entry")?;
//! let entry = store.object(default)?.ok_or("the default entry is missing")?;
//! let path = entry.value(ElementId::APPLICATION_PATH)?;
//! assert_eq!(path, Some(ElementValue::String(r"\Windows\system32\winload.efi".into())));
//!
//! // Print it as `bcdedit /enum all` does.
//! assert!(Listing::new(&store, false)?.to_string().contains("{bootmgr}"));
//!
//! // Change it in memory, and check the result.
//! let mut editor = Editor::new(hive, Filetime(133_800_000_000_000_000));
//! let change = Change::SetElement {
//!     object: well_known::EMSSETTINGS,
//!     element: ElementId::EMS_PORT,
//!     value: ElementValue::Integer(1),
//! };
//! change.apply(&mut editor)?;
//! assert!(check::check(editor.root()?).is_sound());
//! # Ok(())
//! # }
//! ```
//!
//! # Where to go next
//!
//! | item | purpose |
//! |---|---|
//! | [`Store`], [`Object`], [`Element`] | read a store |
//! | [`ElementId`], [`ObjectType`], [`Guid`] | the numbers that identify elements and objects |
//! | [`elements`], [`well_known`] | their names, as `bcdedit` and Microsoft write them |
//! | [`ElementValue`], [`Device`] | typed values and their bytes |
//! | [`parse_value`] | read a value as a person types it |
//! | [`Change`] | edit a store |
//! | [`mod@check`] | find problems in a store |
//! | [`Listing`] | list a store as `bcdedit /enum all` does |
//! | [`loader`] | find the loader that boots the Windows in a folder |
//! | [`inherit`] | find out what an object inherits |
//! | [`new_store`] | make a store for one Windows |
//! | [`text`] | export a store as text, and import the text again without loss |
//!
//! `examples/list_entries.rs` is a small program that lists a store.
//!
//! # Limits
//!
//! - A store may have [`MAX_OBJECTS`] objects of [`MAX_ELEMENTS`] elements. Larger ones are
//!   refused.
//! - Microsoft documents no layout for devices. A device without a completely known layout can be
//!   listed, copied and exported, but not made anew.

#![forbid(unsafe_code)]

mod change;
pub mod check;
mod device;
mod element_id;
pub mod elements;
mod error;
pub mod inherit;
pub mod loader;
pub mod new_store;
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
pub use element_id::{ElementId, Format};
pub use error::StoreError;
pub use object_type::ObjectType;
pub use parse_value::{ParseValueError, parse_value};
pub use show::{Listing, Row, Section, words};
pub use store::{Element, MAX_ELEMENTS, MAX_OBJECTS, Object, Store};
pub use value::{ElementValue, ValueError};
