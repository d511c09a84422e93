//! Writes a tree as text.

use std::fmt;

use diskmend_base::Guid;
use diskmend_base::bytes::u32_at;
use diskmend_base::escape::Escaped;
use diskmend_base::hex::Hex;
use diskmend_base::utf16;
use diskmend_hive::ValueType;
use diskmend_hive::name::NameBuf;

use super::literal::quote;
use super::tree::{Node, RawValue};
use super::{Document, FIRST_LINE};
use crate::device::Device;
use crate::element_id::{ElementId, Format};
use crate::elements::{self, NumberStyle};
use crate::object_type::ObjectType;
use crate::store::{DESCRIPTION, ELEMENT, ELEMENTS, OBJECTS, TYPE, object_guid};
use crate::value::ElementValue;
use crate::well_known;

impl fmt::Display for Document {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{FIRST_LINE}")?;
        let mut path = Vec::new();
        if !self.root.values.is_empty() {
            generic_key(f, &path, &self.root)?;
        }
        for child in &self.root.children {
            if child.name == NameBuf::new(DESCRIPTION) && child.children.is_empty() {
                writeln!(f, "\n[store]")?;
                write_values(f, child)?;
            } else if child.name == NameBuf::new(OBJECTS) {
                write_objects(f, child)?;
            } else {
                generic(f, &mut path, child)?;
            }
        }
        Ok(())
    }
}

fn write_objects(f: &mut fmt::Formatter<'_>, objects: &Node) -> fmt::Result {
    let mut path = vec![&objects.name];
    if objects.children.is_empty() || !objects.values.is_empty() {
        generic_key(f, &path, objects)?;
    }
    for object in &objects.children {
        match ObjectView::of(object) {
            Some(view) => view.write(f)?,
            None => generic(f, &mut path, object)?,
        }
    }
    Ok(())
}

/// An object that has the keys that Windows creates.
struct ObjectView<'a> {
    node: &'a Node,
    guid: Guid,
    object_type: ObjectType,
    description: &'a Node,
    elements: Vec<(ElementId, &'a NameBuf, &'a RawValue)>,
}

impl<'a> ObjectView<'a> {
    fn of(node: &'a Node) -> Option<Self> {
        let guid = object_guid(node.name.as_name())?;
        let description = node.exact(DESCRIPTION)?;
        let elements = node.exact(ELEMENTS)?;
        let is_plain = node.values.is_empty()
            && node.children.len() == 2
            && description.children.is_empty()
            && elements.values.is_empty();
        if !is_plain {
            return None;
        }
        let elements = elements.children.iter().map(|element| {
            let id = ElementId::from_key_name(element.name.as_name())?;
            match element.values.as_slice() {
                [value] if value.name == NameBuf::new(ELEMENT) && element.children.is_empty() => {
                    Some((id, &element.name, value))
                }
                _ => None,
            }
        });
        let object_type = description.values.iter().find_map(type_of);
        Some(Self {
            node,
            guid,
            object_type: object_type.unwrap_or(ObjectType::UNKNOWN),
            description,
            elements: elements.collect::<Option<_>>()?,
        })
    }

    fn write(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f)?;
        match well_known::by_guid(self.guid) {
            Some(object) => writeln!(f, "# {}: {}", object.alias, object.title)?,
            None => writeln!(f, "# {}", self.object_type.title())?,
        }
        writeln!(f, "[object {}]", self.node.name)?;
        for value in &self.description.values {
            match type_of(value) {
                Some(object_type) => writeln!(f, "type = {object_type}")?,
                None => write_value(f, value)?,
            }
        }
        for (id, name, value) in &self.elements {
            self.write_element(f, *id, name, value)?;
        }
        Ok(())
    }

    fn write_element(
        &self,
        f: &mut fmt::Formatter<'_>,
        id: ElementId,
        name: &NameBuf,
        value: &RawValue,
    ) -> fmt::Result {
        let info = elements::lookup(id, self.object_type);
        write!(f, "{name}")?;
        if let Some(alias) = info.and_then(|info| info.alias) {
            write!(f, " {alias}")?;
        }
        let Some(typed) = lossless(id, value) else {
            return writeln!(f, " = raw {} {}", value.value_type, Hex(&value.data));
        };
        write!(f, " = {typed}")?;
        match (
            ElementValue::decode(id.format(), value.value_type, &value.data),
            info,
        ) {
            (Ok(ElementValue::Device(data)), _) => {
                if let Some(device) = Device::decode(&data) {
                    // A path on the device may contain any character, and a comment ends with its
                    // line.
                    write!(f, " # {}", Escaped(&device.to_string()))?;
                }
            }
            (Ok(ElementValue::Integer(number)), Some(info)) => {
                if let NumberStyle::Names(names) = info.style
                    && let Some(name) = usize::try_from(number).ok().and_then(|n| names.get(n))
                {
                    write!(f, " # {name}")?;
                }
            }
            _ => {}
        }
        writeln!(f)
    }
}

fn type_of(value: &RawValue) -> Option<ObjectType> {
    let is_type = value.name == NameBuf::new(TYPE)
        && value.value_type == ValueType::DWORD
        && value.data.len() == 4;
    is_type.then(|| u32_at(&value.data, 0).map(ObjectType))?
}

/// The element's value as text, if parsing the text gives the same bytes.
fn lossless(id: ElementId, value: &RawValue) -> Option<String> {
    let format = id.format();
    if value.value_type != format.value_type() {
        return None;
    }
    let data = &value.data;
    let typed = ElementValue::decode(format, value.value_type, data).ok();
    match format {
        Format::Device => Some(format!("device {}", Hex(data))),
        Format::String => Some(format!("string {}", terminated(data)?)),
        // GUIDs in upper case would not be written in this way.
        _ if typed.as_ref().map(ElementValue::encode).as_ref() != Some(data) => None,
        Format::Object
        | Format::ObjectList
        | Format::Integer
        | Format::Boolean
        | Format::IntegerList => typed.map(|typed| typed_text(&typed)),
        Format::Unknown(_) => None,
    }
}

fn typed_text(value: &ElementValue) -> String {
    let list = |name: &str, items: Vec<String>| {
        std::iter::once(name.to_owned())
            .chain(items)
            .collect::<Vec<_>>()
            .join(" ")
    };
    match value {
        ElementValue::Object(guid) => format!("object {guid}"),
        ElementValue::ObjectList(guids) => {
            list("objects", guids.iter().map(Guid::to_string).collect())
        }
        ElementValue::Integer(number) => format!("integer {number}"),
        ElementValue::Boolean(true) => "boolean yes".into(),
        ElementValue::Boolean(false) => "boolean no".into(),
        ElementValue::IntegerList(numbers) => list(
            "integers",
            numbers
                .iter()
                .map(|number| format!("{number:#x}"))
                .collect(),
        ),
        ElementValue::String(text) => format!("string {}", quote(text.encode_utf16())),
        ElementValue::Device(data) | ElementValue::Unknown(data) => format!("device {}", Hex(data)),
    }
}

/// The string, in quotes, from data with a terminator; the text before the terminator may contain
/// other terminators.
fn terminated(data: &[u8]) -> Option<String> {
    let mut units = utf16::units(data)?;
    (units.pop()? == 0).then(|| quote(units))
}

/// A key that is not an object, with everything below it.
fn generic<'a>(
    f: &mut fmt::Formatter<'_>,
    path: &mut Vec<&'a NameBuf>,
    node: &'a Node,
) -> fmt::Result {
    path.push(&node.name);
    generic_key(f, path, node)?;
    for child in &node.children {
        generic(f, path, child)?;
    }
    path.pop();
    Ok(())
}

fn generic_key(f: &mut fmt::Formatter<'_>, path: &[&NameBuf], node: &Node) -> fmt::Result {
    write!(f, "\n[key")?;
    for name in path {
        write!(f, " {}", quote(name.as_name().units()))?;
    }
    writeln!(f, "]")?;
    write_values(f, node)
}

fn write_values(f: &mut fmt::Formatter<'_>, node: &Node) -> fmt::Result {
    node.values
        .iter()
        .try_for_each(|value| write_value(f, value))
}

fn write_value(f: &mut fmt::Formatter<'_>, value: &RawValue) -> fmt::Result {
    let name = quote(value.name.as_name().units());
    write!(f, "{name} = {}", value.value_type)?;
    let data = &value.data;
    let text = match value.value_type {
        ValueType::SZ | ValueType::EXPAND_SZ => terminated(data),
        ValueType::DWORD if data.len() == 4 => {
            u32_at(data, 0).map(|number| format!("{number:#010x}"))
        }
        _ => None,
    };
    writeln!(f, " {}", text.unwrap_or_else(|| Hex(data).to_string()))
}

/// The data of a string in quotes.
pub(super) fn terminated_data(units: &[u16]) -> Vec<u8> {
    utf16::bytes(units.iter().copied().chain([0]))
}
