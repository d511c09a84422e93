//! Elements, names and values in binary XML.

use diskmend_base::utf16;

use super::chunk::Chunk;
use super::{Form, Record};

/// The header of a fragment.
pub(super) const FRAGMENT: [u8; 4] = [0x0f, 1, 1, 0];
pub(super) const TEMPLATE_INSTANCE: u8 = 0x0c;
pub(super) const END_OF_STREAM: u8 = 0;
pub(super) const TYPE_BINXML: u8 = 0x21;

const OPEN: u8 = 0x01;
const OPEN_WITH_ATTRIBUTES: u8 = 0x41;
const CLOSE_START: u8 = 0x02;
const CLOSE_EMPTY: u8 = 0x03;
const END: u8 = 0x04;
const VALUE: u8 = 0x05;
const ATTRIBUTE: u8 = 0x06;
const MORE_ATTRIBUTES: u8 = 0x46;
const SUBSTITUTION: u8 = 0x0d;
const OPTIONAL_SUBSTITUTION: u8 = 0x0e;

const TYPE_TEXT: u8 = 0x01;
const TYPE_BYTE: u8 = 0x04;
const TYPE_WORD: u8 = 0x06;
const TYPE_DWORD: u8 = 0x08;
const TYPE_QWORD: u8 = 0x0a;
const TYPE_BINARY: u8 = 0x0e;
const TYPE_GUID: u8 = 0x0f;
const TYPE_FILETIME: u8 = 0x11;
const TYPE_SID: u8 = 0x13;
const TYPE_HEX64: u8 = 0x15;

/// A value of an instance of a template.
pub(super) struct Value {
    pub(super) bytes: Vec<u8>,
    value_type: u8,
}

impl Value {
    fn of(value_type: u8, bytes: &[u8]) -> Self {
        Self {
            bytes: bytes.to_vec(),
            value_type,
        }
    }

    pub(super) fn null() -> Self {
        Self::of(0, &[])
    }

    pub(super) fn text(text: &str) -> Self {
        Self::of(TYPE_TEXT, &utf16::encode(text))
    }

    pub(super) fn binary(bytes: &[u8]) -> Self {
        Self::of(TYPE_BINARY, bytes)
    }

    pub(super) fn byte(number: u8) -> Self {
        Self::of(TYPE_BYTE, &[number])
    }

    pub(super) fn word(number: u16) -> Self {
        Self::of(TYPE_WORD, &number.to_le_bytes())
    }

    pub(super) fn dword(number: u32) -> Self {
        Self::of(TYPE_DWORD, &number.to_le_bytes())
    }

    pub(super) fn qword(number: u64) -> Self {
        Self::of(TYPE_QWORD, &number.to_le_bytes())
    }

    pub(super) fn hex64(number: u64) -> Self {
        Self::of(TYPE_HEX64, &number.to_le_bytes())
    }

    pub(super) fn filetime(number: u64) -> Self {
        Self::of(TYPE_FILETIME, &number.to_le_bytes())
    }

    pub(super) fn descriptor(&self) -> [u8; 4] {
        let [l0, l1] = (self.bytes.len() as u16).to_le_bytes();
        [l0, l1, self.value_type, 0]
    }
}

/// What an attribute or an element contains in a template.
enum Content<'a> {
    Text(&'a str),
    /// The value with this number, of this type; left out if it is null.
    Optional(u16, u8),
    /// The value with this number, of this type.
    Normal(u16, u8),
}

/// The hash of a name.
pub(super) fn hash(name: &str) -> u32 {
    let units = name.encode_utf16();
    units.fold(0, |hash: u32, unit| {
        hash.wrapping_mul(65599).wrapping_add(u32::from(unit))
    })
}

/// The template of an event, as Windows makes it: value 3 is its ID, value 13 its own data.
pub(super) fn event(chunk: &mut Chunk, channel: &str, record: &Record) {
    use Content::{Normal, Optional, Text};
    let xmlns = "http://schemas.microsoft.com/win/2004/08/events/event";
    let mut provider = vec![("Name", Text(&record.provider))];
    if let Some(source) = &record.source {
        provider.push(("Guid", Text("{555908d1-a6d7-4695-8e1e-26931d2012f4}")));
        provider.push(("EventSourceName", Text(source)));
    }
    element(chunk, "Event", &[("xmlns", Text(xmlns))], |chunk| {
        element(chunk, "System", &[], |chunk| {
            empty(chunk, "Provider", &provider);
            let qualifiers = [("Qualifiers", Optional(4, TYPE_WORD))];
            leaf(chunk, "EventID", &qualifiers, &Normal(3, TYPE_WORD));
            leaf(chunk, "Version", &[], &Optional(11, TYPE_BYTE));
            leaf(chunk, "Level", &[], &Normal(0, TYPE_BYTE));
            leaf(chunk, "Task", &[], &Normal(2, TYPE_WORD));
            leaf(chunk, "Opcode", &[], &Optional(1, TYPE_BYTE));
            leaf(chunk, "Keywords", &[], &Normal(5, TYPE_HEX64));
            let time = [("SystemTime", Normal(6, TYPE_FILETIME))];
            empty(chunk, "TimeCreated", &time);
            leaf(chunk, "EventRecordID", &[], &Normal(10, TYPE_QWORD));
            let activity = [("ActivityID", Optional(7, TYPE_GUID))];
            empty(chunk, "Correlation", &activity);
            let execution = [
                ("ProcessID", Normal(8, TYPE_DWORD)),
                ("ThreadID", Normal(9, TYPE_DWORD)),
            ];
            empty(chunk, "Execution", &execution);
            leaf(chunk, "Channel", &[], &Text(channel));
            leaf(chunk, "Computer", &[], &Text("VM1"));
            let user = [("UserID", Optional(12, TYPE_SID))];
            empty(chunk, "Security", &user);
        });
        content(chunk, &Optional(13, TYPE_BINXML));
    });
}

/// The template of an event's own data.
pub(super) fn own_data(chunk: &mut Chunk, record: &Record) {
    let fields = &record.fields;
    let binary = record.binary.as_ref().map(|_| fields.len() as u16);
    match record.form {
        Form::EventData => element(chunk, "EventData", &[], |chunk| {
            for (number, (name, _)) in fields.iter().enumerate() {
                let attributes = name.iter().map(|name| ("Name", Content::Text(name)));
                let attributes: Vec<_> = attributes.collect();
                let value = Content::Normal(number as u16, TYPE_TEXT);
                leaf(chunk, "Data", &attributes, &value);
            }
            if let Some(number) = binary {
                let value = Content::Optional(number, TYPE_BINARY);
                leaf(chunk, "Binary", &[], &value);
            }
        }),
        Form::UserData => element(chunk, "UserData", &[], |chunk| {
            let xmlns = [("xmlns", Content::Text("Event_NS"))];
            element(chunk, "EventXML", &xmlns, |chunk| {
                for (number, (name, _)) in fields.iter().enumerate() {
                    let name = name.as_deref().unwrap_or("Data");
                    leaf(chunk, name, &[], &Content::Normal(number as u16, TYPE_TEXT));
                }
            });
        }),
    }
}

fn leaf(chunk: &mut Chunk, name: &str, attributes: &[(&str, Content<'_>)], value: &Content<'_>) {
    element(chunk, name, attributes, |chunk| content(chunk, value));
}

/// An element with content.
fn element(
    chunk: &mut Chunk,
    name: &str,
    attributes: &[(&str, Content<'_>)],
    inner: impl FnOnce(&mut Chunk),
) {
    let size = start(chunk, name, attributes);
    chunk.data.push(CLOSE_START);
    inner(chunk);
    chunk.data.push(END);
    patch(chunk, size);
}

/// An element without content.
fn empty(chunk: &mut Chunk, name: &str, attributes: &[(&str, Content<'_>)]) {
    let size = start(chunk, name, attributes);
    chunk.data.push(CLOSE_EMPTY);
    patch(chunk, size);
}

/// Writes an element up to its attributes, and returns the offset of its length.
fn start(chunk: &mut Chunk, name: &str, attributes: &[(&str, Content<'_>)]) -> usize {
    let has_attributes = !attributes.is_empty();
    chunk.data.push(if has_attributes {
        OPEN_WITH_ATTRIBUTES
    } else {
        OPEN
    });
    // It depends on no value.
    chunk.data.extend(u16::MAX.to_le_bytes());
    let size = chunk.data.len();
    chunk.data.extend(0_u32.to_le_bytes());
    self::name(chunk, name);
    if has_attributes {
        let list = chunk.data.len();
        chunk.data.extend(0_u32.to_le_bytes());
        for (number, (name, value)) in attributes.iter().enumerate() {
            let last = number + 1 == attributes.len();
            chunk
                .data
                .push(if last { ATTRIBUTE } else { MORE_ATTRIBUTES });
            self::name(chunk, name);
            content(chunk, value);
        }
        patch(chunk, list);
    }
    size
}

/// Writes the number of bytes since a length.
fn patch(chunk: &mut Chunk, at: usize) {
    let len = chunk.data.len() - at - 4;
    chunk.put(at, &(len as u32).to_le_bytes());
}

fn name(chunk: &mut Chunk, name: &str) {
    if let Some(offset) = chunk.names.get(name) {
        let offset = offset.to_le_bytes();
        chunk.data.extend(offset);
        return;
    }
    let offset = chunk.data.len() as u32 + 4;
    chunk.data.extend(offset.to_le_bytes());
    chunk.names.insert(name.to_owned(), offset);
    chunk.data.extend(0_u32.to_le_bytes());
    chunk.data.extend((hash(name) as u16).to_le_bytes());
    let units = name.encode_utf16().count() as u16;
    chunk.data.extend(units.to_le_bytes());
    chunk.data.extend(utf16::encode_terminated(name));
}

fn content(chunk: &mut Chunk, content: &Content<'_>) {
    match content {
        Content::Text(text) => {
            chunk.data.extend([VALUE, TYPE_TEXT]);
            let units = text.encode_utf16().count() as u16;
            chunk.data.extend(units.to_le_bytes());
            chunk.data.extend(utf16::encode(text));
        }
        Content::Normal(number, value_type) => {
            chunk.data.push(SUBSTITUTION);
            chunk.data.extend(number.to_le_bytes());
            chunk.data.push(*value_type);
        }
        Content::Optional(number, value_type) => {
            chunk.data.push(OPTIONAL_SUBSTITUTION);
            chunk.data.extend(number.to_le_bytes());
            chunk.data.push(*value_type);
        }
    }
}
