//! A store as `bcdedit /enum all` lists it: objects by type, elements by id, `bcdedit`'s names.

use std::fmt;

use diskmend_base::Guid;
use diskmend_base::escape::Escaped;
use diskmend_base::hex;
use diskmend_hive::ValueType;

use crate::device::Device;
use crate::element_id::{Class, ElementId};
use crate::elements::{self, ElementInfo, NumberStyle};
use crate::error::StoreError;
use crate::object_type::ObjectType;
use crate::store::{Budget, Element, Object, Store};
use crate::value::ElementValue;
use crate::well_known;

#[cfg(test)]
mod tests;

/// The width of the name column.
const NAME_WIDTH: usize = 24;

/// A store's objects, ready to be printed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listing {
    /// The objects, the boot managers first.
    pub sections: Vec<Section>,
    /// Keys that are not objects, with their problems.
    pub problems: Vec<StoreError>,
}

/// An object, ready to be printed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Section {
    /// The heading.
    pub title: String,
    /// The object's GUID.
    pub guid: Guid,
    /// `bcdedit`'s name for it, or its GUID.
    pub identifier: String,
    /// Its type, if it can be read.
    pub object_type: Option<ObjectType>,
    /// Its elements in the order of their keys.
    pub rows: Vec<Row>,
    /// The parts that can't be read.
    pub problems: Vec<StoreError>,
}

/// An element, ready to be printed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    /// `bcdedit`'s name for it.
    pub name: String,
    /// Its id.
    pub id: ElementId,
    /// Its value; lists have one line for each item.
    pub lines: Vec<String>,
    /// The registry type of its data.
    pub data_type: ValueType,
    /// Its data as stored.
    pub data: Vec<u8>,
    /// Its value, if the data match the format.
    pub value: Option<ElementValue>,
    /// True if `bcdedit` leaves it out without `/v`, as it does with the templates of Windows
    /// setup.
    pub is_hidden: bool,
}

impl Listing {
    /// Lists a store. If `verbose`, objects are named only by their GUIDs, as with `bcdedit /v`.
    ///
    /// # Errors
    /// If the store's list of objects can't be read, or the store exceeds the limits.
    pub fn new(store: &Store<'_>, verbose: bool) -> Result<Self, StoreError> {
        let names = Names {
            // If the boot manager can't be read, no object is called {default}.
            default: store.default_entry().ok().flatten(),
            verbose,
        };
        let mut listing = Self {
            sections: Vec::new(),
            problems: Vec::new(),
        };
        let mut budget = Budget::new();
        for object in store.objects()? {
            match object {
                Ok(object) => listing
                    .sections
                    .push(Section::of(&object, &names, &mut budget)?),
                Err(error @ StoreError::TooMany { .. }) => return Err(error),
                Err(error) => listing.problems.push(error),
            }
        }
        listing.sections.sort_by_key(|section| {
            // Objects without a type come last.
            (section.object_type.is_none(), section.object_type)
        });
        Ok(listing)
    }
}

impl Section {
    fn of(object: &Object<'_>, names: &Names, budget: &mut Budget) -> Result<Self, StoreError> {
        let guid = object.guid();
        let mut problems = Vec::new();
        let object_type = object
            .object_type()
            .map_err(|error| problems.push(error))
            .ok();
        let mut section = Self {
            title: title(guid, object_type),
            guid,
            identifier: names.of(guid),
            object_type,
            rows: Vec::new(),
            problems,
        };
        let elements = match object.elements() {
            Ok(elements) => elements,
            Err(error) => {
                section.problems.push(error);
                return Ok(section);
            }
        };
        for element in elements {
            budget.take(&element)?;
            match element {
                Ok(element) => section.rows.push(Row::of(
                    &element,
                    object_type.unwrap_or(ObjectType::UNKNOWN),
                    names,
                )),
                Err(error) => section.problems.push(error),
            }
        }
        Ok(section)
    }
}

impl Row {
    fn of(element: &Element<'_>, object_type: ObjectType, names: &Names) -> Self {
        let id = element.id();
        let info = elements::lookup(id, object_type);
        let (lines, value) = match element.decoded() {
            Ok(value) => (lines(&value, info, names), Some(value)),
            Err(error) => (
                vec![format!("({error}) {}", hex::encode(element.data()))],
                None,
            ),
        };
        Self {
            name: elements::display_name(id, object_type),
            id,
            lines,
            data_type: element.data_type(),
            data: element.data().to_vec(),
            value,
            is_hidden: id.class() == Class::Template && !names.verbose,
        }
    }
}

/// The names of objects in `bcdedit`.
struct Names {
    default: Option<Guid>,
    verbose: bool,
}

impl Names {
    fn of(&self, guid: Guid) -> String {
        if self.verbose {
            return guid.to_string();
        }
        if self.default == Some(guid) {
            return "{default}".into();
        }
        match well_known::by_guid(guid) {
            Some(object) => object.alias.into(),
            None => guid.to_string(),
        }
    }
}

fn title(guid: Guid, object_type: Option<ObjectType>) -> String {
    match (well_known::by_guid(guid), object_type) {
        (Some(known), Some(found)) if known.object_type == found => known.title.into(),
        (_, Some(found)) => found.title(),
        (_, None) => "Unknown Object".into(),
    }
}

/// A value on one line, as `bcdedit` writes it in an object of a type, with the names or GUIDs of
/// objects.
#[must_use]
pub fn words(value: &ElementValue, element: ElementId, object_type: ObjectType) -> String {
    let names = Names {
        default: None,
        verbose: false,
    };
    lines(value, elements::lookup(element, object_type), &names).join(" ")
}

fn lines(value: &ElementValue, info: Option<&ElementInfo>, names: &Names) -> Vec<String> {
    let one = |text: String| vec![text];
    match value {
        ElementValue::Device(data) => one(match Device::decode(data) {
            Some(device) => safe(&device.to_string()),
            None => format!("unknown device {}", hex::encode(data)),
        }),
        ElementValue::String(text) => one(safe(text)),
        ElementValue::Object(guid) => one(names.of(*guid)),
        ElementValue::ObjectList(guids) => guids.iter().map(|guid| names.of(*guid)).collect(),
        ElementValue::Integer(number) => one(integer(*number, info)),
        ElementValue::Boolean(yes) => one(if *yes { "Yes" } else { "No" }.into()),
        ElementValue::IntegerList(numbers) => numbers
            .iter()
            .map(|number| integer(*number, info))
            .collect(),
        ElementValue::Unknown(data) => one(hex::encode(data)),
    }
}

fn integer(number: u64, info: Option<&ElementInfo>) -> String {
    let named = |names: &[&str]| {
        let index = usize::try_from(number).ok()?;
        names.get(index).map(|name| (*name).to_owned())
    };
    match info.map(|info| info.style) {
        Some(NumberStyle::Hex) => format!("{number:#x}"),
        Some(NumberStyle::Ipv4) => match u32::try_from(number) {
            Ok(address) => std::net::Ipv4Addr::from_bits(address).to_string(),
            Err(_) => number.to_string(),
        },
        Some(NumberStyle::Names(names)) => named(names).unwrap_or_else(|| number.to_string()),
        Some(NumberStyle::Decimal) | None => number.to_string(),
    }
}

/// The text without characters that control a terminal.
fn safe(text: &str) -> String {
    Escaped(text).to_string()
}

impl fmt::Display for Listing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, section) in self.sections.iter().enumerate() {
            if index > 0 {
                writeln!(f)?;
            }
            section.fmt(f)?;
        }
        Ok(())
    }
}

impl fmt::Display for Section {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}", self.title)?;
        writeln!(f, "{}", "-".repeat(self.title.chars().count()))?;
        writeln!(f, "{:<NAME_WIDTH$}{}", "identifier", self.identifier)?;
        let mut shown = self.rows.iter().filter(|row| !row.is_hidden);
        shown.try_for_each(|row| row.fmt(f))
    }
}

impl fmt::Display for Row {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // A name that fills the column is still separated from its value.
        write!(f, "{:<width$} ", self.name, width = NAME_WIDTH - 1)?;
        let mut lines = self.lines.iter();
        writeln!(f, "{}", lines.next().map_or("", String::as_str))?;
        lines.try_for_each(|line| writeln!(f, "{:NAME_WIDTH$}{line}", ""))
    }
}
