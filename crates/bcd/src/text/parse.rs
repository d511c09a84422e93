//! Parses text to a tree.

use diskmend_base::hex;
use diskmend_hive::ValueType;
use diskmend_hive::name::NameBuf;

use super::literal::unquote;
use super::tree::{MAX_DEPTH, Node, RawValue};
use super::write::terminated_data;
use super::{FIRST_LINE, MAX_TEXT_LEN};
use crate::element_id::{ElementId, Format};
use crate::elements;
use crate::object_type::ObjectType;
use crate::store::{DESCRIPTION, ELEMENT, ELEMENTS, OBJECTS, TYPE};
use crate::value::ElementValue;

/// An error in a line of a store's text.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("line {line}: {problem}")]
pub struct ParseError {
    /// The line, counted from 1.
    pub line: usize,
    /// The problem.
    pub problem: String,
}

type Parsed<T> = Result<T, String>;

/// The section to which the current lines belong.
enum Section {
    None,
    /// The values of a key.
    Key(Vec<NameBuf>),
    Object {
        name: NameBuf,
        object_type: ObjectType,
    },
}

pub(super) fn parse(text: &str) -> Result<Node, ParseError> {
    let fail = |line: usize, problem: String| ParseError { line, problem };
    if text.len() > MAX_TEXT_LEN {
        let problem = format!(
            "text of {} bytes: expected at most {MAX_TEXT_LEN}",
            text.len()
        );
        return Err(fail(1, problem));
    }
    let mut parser = Parser {
        root: Node::new(NameBuf::new("")),
        section: Section::None,
        sections: 0,
    };
    let mut lines = text.trim_start_matches('\u{feff}').lines().zip(1..);
    let first = lines.next().map_or("", |(line, _)| line.trim());
    if first != FIRST_LINE {
        return Err(fail(1, format!("expected \"{FIRST_LINE}\"")));
    }
    for (line, number) in lines {
        parser
            .line(line.trim())
            .map_err(|problem| fail(number, problem))?;
    }
    Ok(parser.root)
}

struct Parser {
    root: Node,
    section: Section,
    sections: usize,
}

impl Parser {
    fn line(&mut self, line: &str) -> Parsed<()> {
        if line.is_empty() || line.starts_with('#') {
            return Ok(());
        }
        if let Some(rest) = line.strip_prefix('[') {
            return self.begin(rest);
        }
        match &self.section {
            Section::None => Err("expected a section such as [store]".into()),
            Section::Key(path) => {
                let value = generic_value(line)?;
                let path = path.clone();
                self.add_value(&path, value)
            }
            Section::Object { name, object_type } => {
                let name = name.clone();
                let object_type = *object_type;
                self.object_line(name, object_type, line)
            }
        }
    }

    fn begin(&mut self, rest: &str) -> Parsed<()> {
        let (head, tail) = rest
            .split_once([' ', ']'])
            .ok_or("expected ] at the end of the section's name")?;
        let closed = |tail: &str| match trailing(tail).strip_suffix(']') {
            Some(inner) => Ok(inner.trim().to_owned()),
            None => Err("expected ] at the end of the section's name"),
        };
        self.sections += 1;
        let objects = || NameBuf::new(OBJECTS);
        self.section = match head {
            "store" if trailing(tail).is_empty() => Section::Key(vec![NameBuf::new(DESCRIPTION)]),
            "key" if rest.starts_with("key]") && trailing(tail).is_empty() => {
                Section::Key(Vec::new())
            }
            "key" => Section::Key(path(tail)?),
            "object" => {
                let name = closed(tail)?;
                if name.parse::<crate::Guid>().is_err() {
                    return Err(format!("object \"{name}\": expected a GUID in braces"));
                }
                let name = NameBuf::new(&name);
                self.make(&[objects(), name.clone(), NameBuf::new(DESCRIPTION)])?;
                self.make(&[objects(), name.clone(), NameBuf::new(ELEMENTS)])?;
                Section::Object {
                    name,
                    object_type: ObjectType::UNKNOWN,
                }
            }
            _ => return Err(format!("section \"{head}\": expected store, object or key")),
        };
        if let Section::Key(path) = &self.section {
            let path = path.clone();
            self.make(&path)?;
        }
        Ok(())
    }

    /// The node at a path, which is created if it is missing.
    fn make(&mut self, path: &[NameBuf]) -> Parsed<&mut Node> {
        if path.len() >= MAX_DEPTH {
            return Err(format!(
                "key at level {}: expected less than {MAX_DEPTH}",
                path.len()
            ));
        }
        let mut node = &mut self.root;
        for name in path {
            name.as_name()
                .check_key()
                .map_err(|error| error.to_string())?;
            node = node.child(name).ok_or_else(|| {
                format!(
                    "key \"{}\" exists in another case",
                    name.as_name().escaped()
                )
            })?;
        }
        Ok(node)
    }

    fn add_value(&mut self, path: &[NameBuf], value: RawValue) -> Parsed<()> {
        let name = value.name.as_name();
        name.check_value().map_err(|error| error.to_string())?;
        let node = self.make(path)?;
        if node.has_value(name) {
            return Err(format!("value \"{}\" occurs twice", name.escaped()));
        }
        node.values.push(value);
        Ok(())
    }

    fn object_line(&mut self, name: NameBuf, object_type: ObjectType, line: &str) -> Parsed<()> {
        let objects = NameBuf::new(OBJECTS);
        let description = [objects.clone(), name.clone(), NameBuf::new(DESCRIPTION)];
        if line.starts_with('"') {
            let value = generic_value(line)?;
            return self.add_value(&description, value);
        }
        let (key, value) = line
            .split_once('=')
            .ok_or("expected a name, =, and a value")?;
        let mut names = key.split_whitespace();
        let first = names.next().ok_or("expected the name of an element")?;
        if first == "type" && names.next().is_none() {
            let number = number(trailing(value))?;
            let number = u32::try_from(number).map_err(|_| "type of more than 32 bits")?;
            self.section = Section::Object {
                name,
                object_type: ObjectType(number),
            };
            let value = RawValue {
                name: NameBuf::new(TYPE),
                value_type: ValueType::DWORD,
                data: number.to_le_bytes().to_vec(),
            };
            return self.add_value(&description, value);
        }
        let (id, key_name) = element_name(key, object_type)?;
        let (value_type, data) = element_value(id, value)?;
        let path = [
            objects,
            name,
            NameBuf::new(ELEMENTS),
            NameBuf::new(&key_name),
        ];
        let value = RawValue {
            name: NameBuf::new(ELEMENT),
            value_type,
            data,
        };
        self.add_value(&path, value)
    }
}

/// The id and the key's name of an element, from one or both of its names.
fn element_name(text: &str, object_type: ObjectType) -> Parsed<(ElementId, String)> {
    let names: Vec<&str> = text.split_whitespace().collect();
    let by_key = |name: &str| ElementId::from_key_name(NameBuf::new(name).as_name());
    let by_alias = |alias: &str| {
        elements::by_name(alias, object_type).ok_or_else(|| {
            format!("element \"{alias}\" is not known in objects of type {object_type}")
        })
    };
    match names.as_slice() {
        [name] => match by_key(name) {
            Some(id) => Ok((id, (*name).to_owned())),
            None => by_alias(name).map(|id| (id, id.to_string())),
        },
        [key, alias] => {
            let id = by_key(key)
                .ok_or_else(|| format!("key \"{key}\": expected eight hexadecimal digits"))?;
            if elements::display_name(id, object_type).eq_ignore_ascii_case(alias)
                || by_alias(alias)? == id
            {
                Ok((id, (*key).to_owned()))
            } else {
                Err(format!("element {id} is not \"{alias}\""))
            }
        }
        _ => Err("expected the name of an element's key, bcdedit's name, or both".into()),
    }
}

fn element_value(id: ElementId, text: &str) -> Parsed<(ValueType, Vec<u8>)> {
    let text = text.trim();
    let (kind, rest) = text.split_once(' ').unwrap_or((text, ""));
    let format = id.format();
    let expect = |wanted: Format| {
        if format == wanted {
            Ok(())
        } else {
            Err(format!(
                "element {id} takes a value of type {format}, not {wanted}"
            ))
        }
    };
    let plain = trailing(rest);
    let value = match kind {
        "raw" => {
            let (name, digits) = plain.split_once(' ').unwrap_or((plain, ""));
            return Ok((value_type(name)?, hex_data(digits)?));
        }
        "string" => {
            expect(Format::String)?;
            let (units, after) = unquote(rest.trim_start()).ok_or("expected a string in quotes")?;
            end(after)?;
            return Ok((ValueType::SZ, terminated_data(&units)));
        }
        "device" => {
            expect(Format::Device)?;
            ElementValue::Device(hex_data(plain)?)
        }
        "object" => {
            expect(Format::Object)?;
            ElementValue::Object(guid(plain)?)
        }
        "objects" => {
            expect(Format::ObjectList)?;
            let guids = plain.split_whitespace().map(guid);
            ElementValue::ObjectList(guids.collect::<Result<_, _>>()?)
        }
        "integer" => {
            expect(Format::Integer)?;
            ElementValue::Integer(number(plain)?)
        }
        "integers" => {
            expect(Format::IntegerList)?;
            let numbers = plain.split_whitespace().map(number);
            ElementValue::IntegerList(numbers.collect::<Result<_, _>>()?)
        }
        "boolean" => {
            expect(Format::Boolean)?;
            ElementValue::Boolean(match plain {
                "yes" => true,
                "no" => false,
                _ => return Err(format!("boolean \"{plain}\": expected yes or no")),
            })
        }
        _ => {
            return Err(format!(
                "value of type \"{kind}\": expected {format}, or raw"
            ));
        }
    };
    Ok((format.value_type(), value.encode()))
}

/// `"name" = TYPE data`
fn generic_value(line: &str) -> Parsed<RawValue> {
    let (name, rest) = unquote(line).ok_or("expected the name of a value in quotes")?;
    let rest = rest
        .trim_start()
        .strip_prefix('=')
        .ok_or("expected = after the name")?;
    let rest = rest.trim_start();
    let (kind, rest) = rest.split_once(' ').unwrap_or((rest, ""));
    let value_type = value_type(kind)?;
    let rest = rest.trim_start();
    let data = if rest.starts_with('"') {
        let (units, after) = unquote(rest).ok_or("expected a string in quotes")?;
        end(after)?;
        terminated_data(&units)
    } else if rest.starts_with("0x") {
        let number = number(trailing(rest))?;
        let number = u32::try_from(number).map_err(|_| "number of more than 32 bits")?;
        number.to_le_bytes().to_vec()
    } else {
        hex_data(trailing(rest))?
    };
    Ok(RawValue {
        name: NameBuf::from_units(&name),
        value_type,
        data,
    })
}

/// The names in quotes up to the closing bracket.
fn path(text: &str) -> Parsed<Vec<NameBuf>> {
    let mut names = Vec::new();
    let mut rest = text.trim_start();
    while rest.starts_with('"') {
        let (units, after) = unquote(rest).ok_or("expected the name of a key in quotes")?;
        names.push(NameBuf::from_units(&units));
        rest = after.trim_start();
    }
    match rest.strip_prefix(']') {
        Some(after) => end(after).map(|()| names),
        None => Err("expected names of keys in quotes, then ]".into()),
    }
}

/// The text without a trailing comment, for text that can't contain quotes.
fn trailing(text: &str) -> &str {
    let text = text.split_once('#').map_or(text, |(before, _)| before);
    text.trim()
}

fn end(text: &str) -> Parsed<()> {
    match trailing(text) {
        "" => Ok(()),
        rest => Err(format!("expected the end of the line, found \"{rest}\"")),
    }
}

fn value_type(name: &str) -> Parsed<ValueType> {
    ValueType::parse(name)
        .ok_or_else(|| format!("\"{name}\": expected a registry type such as REG_BINARY"))
}

fn hex_data(text: &str) -> Parsed<Vec<u8>> {
    hex::decode(text).ok_or_else(|| "expected pairs of hexadecimal digits".into())
}

fn guid(text: &str) -> Parsed<crate::Guid> {
    text.parse()
        .map_err(|error: crate::GuidError| error.to_string())
}

fn number(text: &str) -> Parsed<u64> {
    let number = match text.strip_prefix("0x") {
        Some(hex) if !hex.starts_with('+') => u64::from_str_radix(hex, 16).ok(),
        Some(_) => None,
        None if text.starts_with('+') => None,
        None => text.parse().ok(),
    };
    number.ok_or_else(|| format!("\"{text}\": expected a number of 64 bits"))
}
