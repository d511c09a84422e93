//! A TOML document before its fields are read: parts of it can be taken out and read apart, and
//! every error keeps its place in the text.

use std::ops::Range;

use serde::de::DeserializeOwned;
use toml::Spanned;
use toml::de::{DeTable, DeValue, Deserializer, ValueDeserializer};

use super::{Wrong, wrong, wrong_at};

/// Reads the text of a document.
///
/// # Errors
/// The text isn't TOML.
pub(crate) fn parse(text: &str) -> Result<Spanned<DeTable<'_>>, Wrong> {
    DeTable::parse(text).map_err(|error| of_toml(&error))
}

/// Reads the fields of a whole document.
///
/// # Errors
/// A field is missing, unknown, or of the wrong type.
pub(crate) fn read_all<T: DeserializeOwned>(document: Spanned<DeTable<'_>>) -> Result<T, Wrong> {
    T::deserialize(Deserializer::from(document)).map_err(|error| of_toml(&error))
}

/// Reads a part of a document.
///
/// # Errors
/// As for [`read_all`].
pub(crate) fn read<T: DeserializeOwned>(part: Spanned<DeValue<'_>>) -> Result<T, Wrong> {
    T::deserialize(ValueDeserializer::from(part)).map_err(|error| of_toml(&error))
}

/// Takes the array of tables of this name out of a table; none if there is no such field.
///
/// # Errors
/// The field is something else.
pub(crate) fn take_tables<'i>(
    table: &mut DeTable<'i>,
    name: &str,
) -> Result<Vec<Spanned<DeTable<'i>>>, Wrong> {
    match table.remove(name) {
        None => Ok(Vec::new()),
        Some(part) => tables(part),
    }
}

/// The tables of an array.
///
/// # Errors
/// It isn't an array of tables.
pub(crate) fn tables(part: Spanned<DeValue<'_>>) -> Result<Vec<Spanned<DeTable<'_>>>, Wrong> {
    let at = wrong_at(part.span());
    let DeValue::Array(array) = part.into_inner() else {
        return Err(at("expected a list of tables"));
    };
    array.into_iter().map(table).collect()
}

/// The content of a table.
///
/// # Errors
/// It isn't a table.
pub(crate) fn table(part: Spanned<DeValue<'_>>) -> Result<Spanned<DeTable<'_>>, Wrong> {
    let span = part.span();
    match part.into_inner() {
        DeValue::Table(table) => Ok(Spanned::new(span, table)),
        other => Err(wrong(&Spanned::new(span, ()))(format!(
            "expected a table, not {}",
            other.type_str()
        ))),
    }
}

/// The rest of a table, to be read.
pub(crate) fn rest(table: Spanned<DeTable<'_>>) -> Spanned<DeValue<'_>> {
    Spanned::new(table.span(), DeValue::Table(table.into_inner()))
}

/// The line and column of a byte of the text, from 1. The column counts characters.
pub(crate) fn line_and_column(text: &str, at: usize) -> (usize, usize) {
    let (mut line, mut column) = (1, 1);
    for (_, character) in text.char_indices().take_while(|(offset, _)| *offset < at) {
        if character == '\n' {
            (line, column) = (line + 1, 1);
        } else {
            column += 1;
        }
    }
    (line, column)
}

fn of_toml(error: &toml::de::Error) -> Wrong {
    Wrong {
        // An error without a place is about the whole file.
        span: error.span().unwrap_or(0..0),
        message: error.message().to_owned(),
    }
}

/// The place of a field, if the table has it.
pub(crate) fn place(table: &DeTable<'_>, name: &str) -> Option<Range<usize>> {
    table.get(name).map(Spanned::span)
}
