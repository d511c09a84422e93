//! Results for programs: one JSON document on stdout.

use std::io::{self, Write};

use diskmend_repair::json;
use serde::Serialize;

/// The version of all documents. It increases if a field changes its meaning or is removed.
pub(crate) const SCHEMA: u32 = 1;

#[derive(Serialize)]
struct Document<'a, T> {
    schema: u32,
    #[serde(flatten)]
    body: &'a T,
}

/// Writes a result as one document.
pub(crate) fn write<T: Serialize>(out: &mut dyn Write, body: &T) -> io::Result<()> {
    let schema = SCHEMA;
    whole(out, &Document { schema, body })
}

/// Writes a result that already contains its schema, such as those of the engine.
pub(crate) fn whole<T: Serialize>(out: &mut dyn Write, document: &T) -> io::Result<()> {
    json::write_pretty(out, document)?;
    writeln!(out)
}

/// Writes a document with a last field that is a list too long for memory.
pub(crate) struct Stream<'a> {
    out: &'a mut dyn Write,
    items: usize,
}

impl<'a> Stream<'a> {
    /// Begins the document with its list `field`.
    pub(crate) fn begin(out: &'a mut dyn Write, field: &'static str) -> io::Result<Self> {
        write!(out, "{{\"schema\":{SCHEMA},\"{field}\":[")?;
        Ok(Self { out, items: 0 })
    }

    /// Adds one item to the list.
    pub(crate) fn item<T: Serialize>(&mut self, item: &T) -> io::Result<()> {
        let separator = if self.items == 0 { "\n" } else { ",\n" };
        self.out.write_all(separator.as_bytes())?;
        self.items += 1;
        json::write_line(self.out, item)
    }

    /// Ends the list and the document.
    pub(crate) fn end(self) -> io::Result<()> {
        self.out.write_all(b"\n]}\n")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_forms_are_json_with_the_schema() {
        #[derive(Serialize)]
        struct Body {
            answer: u32,
        }
        let mut whole = Vec::new();
        write(&mut whole, &Body { answer: 42 }).expect("memory");
        let mut streamed = Vec::new();
        let mut stream = Stream::begin(&mut streamed, "list").expect("memory");
        stream.item(&1).expect("memory");
        stream.item(&"two").expect("memory");
        stream.end().expect("memory");
        let value =
            |bytes: &[u8]| serde_json::from_slice::<serde_json::Value>(bytes).expect("JSON");
        let expected = serde_json::json!({"schema": 1, "answer": 42});
        assert_eq!(value(&whole), expected);
        let expected = serde_json::json!({"schema": 1, "list": [1, "two"]});
        assert_eq!(value(&streamed), expected);
    }
}
