//! One event: what `evtx` renders of a record, reduced to what is needed.

use diskmend_base::{hex, utf16};
use jiff::Timestamp;
use serde::Serialize;
use serde_json::Value;

use super::known::{Known, KnownEvent, number};
use super::limits::{MOST_CHARS, MOST_DEPTH, MOST_FIELDS};

/// The provider whose events are about services.
pub(super) const SERVICE_CONTROL_MANAGER: &str = "Service Control Manager";
/// The number of characters that the name of a service's key can have.
const MOST_SERVICE_CHARS: usize = 256;

/// An event of a log.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Event {
    /// The log, such as `System`.
    pub log: String,
    /// The number of its record in the log (`EventRecordID`).
    pub record: u64,
    /// Its time, UTC.
    pub time: Timestamp,
    /// The name of its provider.
    pub provider: String,
    /// Its ID.
    pub id: u32,
    /// What it means, if it is a known event.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub meaning: Option<&'static str>,
    /// True if a healthy Windows writes it all the time.
    pub routine: bool,
    /// The key of the service that it is about, from the event's binary data. The names in its
    /// texts are in the language of the Windows.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub service: Option<String>,
    /// Its own values, in its order.
    pub fields: Vec<Field>,
}

/// A value of an event.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Field {
    /// Its name; values without a name are numbered from 1.
    pub name: String,
    /// Its text.
    pub value: String,
}

impl Event {
    pub(super) fn of(log: &str, rendered: Rendered) -> Self {
        let known = Known::table().find(log, rendered.names(), rendered.id, &|name| {
            rendered.field(name)
        });
        Self {
            log: log.to_owned(),
            record: rendered.record,
            time: rendered.time,
            id: rendered.id,
            meaning: known.map(|known| known.means.as_str()),
            routine: known.is_some_and(|known| known.routine),
            service: rendered.service(),
            provider: rendered.provider,
            fields: rendered.fields,
        }
    }

    /// The value with a name; case is ignored.
    #[must_use]
    pub fn field(&self, name: &str) -> Option<&str> {
        field(&self.fields, name)
    }

    /// A value as a number, decimal or hexadecimal with `0x`. The number of a message (`%%1058`) is
    /// one too.
    #[must_use]
    pub fn number(&self, name: &str) -> Option<u64> {
        number(self.field(name)?)
    }

    /// A text as a number, as [`number`](Self::number) reads it.
    pub(crate) fn to_number(text: &str) -> Option<u64> {
        number(text)
    }

    /// True if it is of this provider; case is ignored.
    #[must_use]
    pub fn is_of(&self, provider: &str) -> bool {
        self.provider.eq_ignore_ascii_case(provider)
    }

    /// True if it tells that something was installed or that a setting was changed.
    pub(crate) fn is_change(&self) -> bool {
        self.known().is_some_and(|known| known.change)
    }

    fn known(&self) -> Option<&'static KnownEvent> {
        let provider = [self.provider.as_str()];
        Known::table().find(&self.log, provider, self.id, &|name| self.field(name))
    }

    /// Its values that matter, with labels, for a person.
    #[must_use]
    pub fn details(&self) -> String {
        let known = self.known();
        let service = self.service.as_ref().map(|key| format!("service {key}"));
        let shown: Vec<String> = match known {
            Some(known) => known.shown(self).collect(),
            None => {
                let fields = self.fields.iter();
                fields
                    .map(|field| format!("{} {}", field.name, one_line(&field.value)))
                    .collect()
            }
        };
        let parts: Vec<String> = service.into_iter().chain(shown).collect();
        parts.join(", ")
    }
}

impl KnownEvent {
    /// The values that matter, each with its label.
    fn shown<'a>(&'a self, event: &'a Event) -> impl Iterator<Item = String> + 'a {
        let with_value = self.fields.iter().filter_map(|shown| {
            let value = one_line(event.field(&shown.name)?);
            (!value.is_empty()).then_some((shown, value))
        });
        with_value.map(|(shown, value)| {
            let code = shown.number.zip(number(&value));
            let meaning = code.and_then(|(of, code)| Known::table().meaning(of, code));
            match meaning {
                Some(meaning) => format!("{} {value} ({meaning})", shown.label),
                None => format!("{} {value}", shown.label),
            }
        })
    }
}

/// The value with a name; case is ignored.
fn field<'f>(fields: &'f [Field], name: &str) -> Option<&'f str> {
    let mut fields = fields.iter();
    let field = fields.find(|field| field.name.eq_ignore_ascii_case(name))?;
    Some(&field.value)
}

/// The words of a text in one line.
fn one_line(text: &str) -> String {
    let words: Vec<&str> = text.split_whitespace().collect();
    words.join(" ")
}

/// A record as `evtx` renders it.
pub(super) struct Rendered {
    pub(super) record: u64,
    pub(super) time: Timestamp,
    pub(super) provider: String,
    /// The name under which a provider with a manifest wrote events before it had one.
    pub(super) source: Option<String>,
    pub(super) id: u32,
    pub(super) fields: Vec<Field>,
    binary: Option<String>,
}

impl Rendered {
    /// Reads the JSON of a record; `None` if it is no event.
    pub(super) fn read(json: &[u8], record: u64, time: Timestamp) -> Option<Self> {
        let document: Value = serde_json::from_slice(json).ok()?;
        let event = document.get("Event")?;
        let system = event.get("System")?;
        let provider = system.get("Provider")?.get("#attributes")?;
        let id = system.get("EventID")?;
        let id = id.get("#text").unwrap_or(id);
        let id = id
            .as_u64()
            .or_else(|| number(id.as_str()?))
            .and_then(|id| u32::try_from(id).ok())?;
        let name = |name: &str| Some(bounded(provider.get(name)?.as_str()?));
        let mut own = Own::default();
        for data in ["EventData", "UserData"] {
            if let Some(data) = event.get(data) {
                own.add(data, "", MOST_DEPTH);
            }
        }
        Some(Self {
            record,
            time,
            provider: name("Name").or_else(|| name("EventSourceName"))?,
            source: name("EventSourceName"),
            id,
            fields: own.fields,
            binary: own.binary,
        })
    }

    /// The value with a name; case is ignored.
    pub(super) fn field(&self, name: &str) -> Option<&str> {
        field(&self.fields, name)
    }

    /// The names of its provider.
    pub(super) fn names(&self) -> impl Iterator<Item = &str> {
        [Some(&self.provider), self.source.as_ref()]
            .into_iter()
            .flatten()
            .map(String::as_str)
    }

    /// The key of the service that the event is about.
    fn service(&self) -> Option<String> {
        if !self.provider.eq_ignore_ascii_case(SERVICE_CONTROL_MANAGER) {
            return None;
        }
        let bytes = hex::decode(self.binary.as_deref()?)?;
        service_key(&bytes)
    }
}

/// The name of a service's key in the binary data of an event: UTF-16, then maybe a slash and a
/// number, then NUL.
fn service_key(bytes: &[u8]) -> Option<String> {
    let text = utf16::decode_to_nul(bytes)?;
    let key = match text.rsplit_once('/') {
        Some((key, digits)) if digits.bytes().all(|digit| digit.is_ascii_digit()) => key,
        _ => &text,
    };
    let is_name = !key.is_empty()
        && key.chars().nth(MOST_SERVICE_CHARS).is_none()
        && !key.contains(['\\', '/'])
        && !key.chars().any(char::is_control);
    is_name.then(|| key.to_owned())
}

/// An event's own values.
#[derive(Default)]
struct Own {
    fields: Vec<Field>,
    binary: Option<String>,
    /// The number of values without a name.
    unnamed: usize,
}

impl Own {
    /// Adds the values in an element and the elements below it.
    fn add(&mut self, value: &Value, name: &str, depth: usize) {
        let Some(depth) = depth.checked_sub(1) else {
            return;
        };
        match value {
            Value::Object(elements) => {
                for (inner, value) in elements {
                    match inner.as_str() {
                        "#attributes" => {}
                        "#text" => self.add(value, name, depth),
                        inner => self.add(value, inner, depth),
                    }
                }
            }
            Value::Array(values) => {
                for value in values {
                    self.add(value, name, depth);
                }
            }
            Value::Null => self.field(name, ""),
            Value::String(text) => self.field(name, text),
            other => self.field(name, &other.to_string()),
        }
    }

    fn field(&mut self, name: &str, text: &str) {
        if name == "Binary" {
            self.binary = Some(text.to_owned());
            return;
        }
        if self.fields.len() == MOST_FIELDS {
            return;
        }
        let name = if matches!(name, "Data" | "") {
            self.unnamed += 1;
            self.unnamed.to_string()
        } else {
            bounded(name)
        };
        let value = bounded(text);
        self.fields.push(Field { name, value });
    }
}

/// The text, up to the number of characters that are kept.
fn bounded(text: &str) -> String {
    text.chars().take(MOST_CHARS).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The name in an event's text is in the language of the Windows. The key is not.
    #[test]
    fn the_key_of_a_service_is_what_the_binary_data_say() {
        for (text, key) in [
            ("TermService/4\0", Some("TermService")),
            ("CldFlt\0", Some("CldFlt")),
            ("W32Time", Some("W32Time")),
            ("MSSQL$X/12\0rest", Some("MSSQL$X")),
            ("..\\x/4\0", None),
            ("a/b/4", None),
            ("/4", None),
            ("", None),
            ("a\u{1b}b", None),
        ] {
            let found = service_key(&utf16::encode(text));
            assert_eq!(found.as_deref(), key, "{text:?}");
        }
        assert_eq!(service_key(&[0x41]), None);
        assert_eq!(service_key(&[0x00, 0xd8]), None);
    }

    #[test]
    fn values_without_names_are_numbered_and_nesting_is_bounded() {
        let mut json = serde_json::json!({"Data": {"#text": ["a", "b"]}, "Binary": "41", "x": 5});
        let mut own = Own::default();
        own.add(&json, "", MOST_DEPTH);
        let fields: Vec<_> = own.fields.iter().map(|f| (&*f.name, &*f.value)).collect();
        assert_eq!(fields, [("1", "a"), ("2", "b"), ("x", "5")]);
        assert_eq!(own.binary.as_deref(), Some("41"));
        for _ in 0..1000 {
            json = serde_json::json!({ "a": json });
        }
        let mut own = Own::default();
        own.add(&json, "", MOST_DEPTH);
        assert!(own.fields.is_empty());
    }
}
