//! The common parts of the commands that read a boot store.

use diskmend_bcd::well_known::WELL_KNOWN;
use diskmend_bcd::{
    ElementId, Guid, Listing, Object, ObjectType, Section, Store, StoreError, elements,
};
use diskmend_repair::hive_file::HivePath;

use super::store_arg::StoreArg;
use crate::commands::hive::reading as hive;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::hive_arg::shown;

const NO_STORE: &str = "boot stores are \\Boot\\BCD and \\EFI\\Microsoft\\Boot\\BCD; other hives \
                        are for 'diskmend hive'";
const NAMES: &str = "name elements as bcdedit does, by id as in 0x26000020, or as \
                     custom:26000020";

/// The types of objects that have their own names for application elements.
const APPLICATIONS: [ObjectType; 5] = [
    ObjectType::BOOT_MANAGER,
    ObjectType::LOADER,
    ObjectType::RESUME,
    ObjectType::MEMORY_TESTER,
    ObjectType::LEGACY_LOADER,
];

/// A boot store that is open for reading.
pub(crate) struct Source {
    /// The file of the store.
    pub(crate) file: HivePath,
    source: hive::Source,
}

impl Source {
    /// Opens the store. If its hive is dirty, it is recovered in memory, and a note says so.
    pub(crate) fn open(store: &StoreArg) -> Result<Self, Failure> {
        let named = store.file()?;
        let file = named.clone().resolved();
        let file = file.map_err(|error| hive::failure(&error, &named))?;
        let source = hive::Source::open(&file)?;
        Ok(Self { file, source })
    }

    /// Opens the store for a listing. If it is dirty and no log applies, it is shown as it is in the
    /// file, and a warning says so.
    pub(crate) fn open_listed(store: &StoreArg) -> Result<Self, Failure> {
        let file = store.file()?;
        let source = hive::Source::open_listed(&file)?;
        Ok(Self { file, source })
    }

    /// The store in it.
    pub(crate) fn store(&self) -> Result<Store<'_>, Failure> {
        Store::open(self.source.hive())
            .map_err(|error| unreadable(&error).about(&shown(&self.file)))
    }
}

/// The failure for a store, or a part of it, that can't be read.
pub(crate) fn unreadable(error: &StoreError) -> Failure {
    match error {
        StoreError::Corrupt(error) => hive::corrupt(error),
        StoreError::NoObjects => Failure::of(Exit::Failure, error).hint(NO_STORE),
        _ => Failure::of(Exit::Failure, error).hint("'diskmend bcd check STORE' shows more"),
    }
}

/// The GUID of the object with this name, even if the object does not exist.
pub(crate) fn guid(store: &Store<'_>, name: &str) -> Result<Guid, Failure> {
    let resolved = store.resolve(name).map_err(|error| unreadable(&error))?;
    let bare = || format!("{{{name}}}").parse().ok();
    if let Some(guid) = resolved.or_else(bare) {
        return Ok(guid);
    }
    let plain = name.trim_matches(['{', '}']);
    if ["default", "current"]
        .iter()
        .any(|virtual_name| plain.eq_ignore_ascii_case(virtual_name))
    {
        let message = "the boot manager names no default entry";
        return Err(Failure::new(Exit::Failure, message));
    }
    let known: Vec<&str> = WELL_KNOWN.iter().map(|object| object.alias).collect();
    let message = format_args!("\"{name}\" is not an object");
    Err(Failure::new(Exit::Usage, message).hint(format!(
        "name it by its GUID, or as one of {{default}}, {}",
        known.join(", ")
    )))
}

/// The object with this GUID.
pub(crate) fn object<'a>(store: &Store<'a>, guid: Guid) -> Result<Object<'a>, Failure> {
    let found = store.object(guid).map_err(|error| unreadable(&error))?;
    found.ok_or_else(|| {
        Failure::new(
            Exit::Failure,
            format_args!("object {guid} does not exist in this store"),
        )
        .hint("'diskmend bcd show STORE' lists the objects")
    })
}

/// The element with this name in objects of this type.
pub(crate) fn element(name: &str, object_type: ObjectType) -> Result<ElementId, Failure> {
    elements::by_name(name, object_type).ok_or_else(|| {
        let message = format_args!("\"{name}\" is not an element of a {}", object_type.title());
        let elsewhere = APPLICATIONS
            .into_iter()
            .find_map(|other| elements::by_name(name, other).map(|id| (other, id)));
        let hint = match elsewhere {
            Some((other, id)) => format!(
                "a {} has an element of this name; if you mean that: 0x{id}",
                other.title()
            ),
            None => NAMES.to_owned(),
        };
        Failure::new(Exit::Usage, message).hint(hint)
    })
}

/// An object as `bcdedit` lists it.
pub(crate) fn section(store: &Store<'_>, guid: Guid) -> Option<Section> {
    let listing = Listing::new(store, false).ok()?;
    listing
        .sections
        .into_iter()
        .find(|section| section.guid == guid)
}

/// The object's name, type and description, as text.
pub(crate) fn named(section: &Section) -> String {
    let description = section
        .rows
        .iter()
        .find(|row| row.id == ElementId::DESCRIPTION);
    match description {
        Some(row) => format!(
            "{} ({}, \"{}\")",
            section.identifier,
            section.title,
            row.lines.join(" ")
        ),
        None => format!("{} ({})", section.identifier, section.title),
    }
}
