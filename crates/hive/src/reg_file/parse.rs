//! Text to operations.

use std::sync::Arc;

use super::cursor::Cursor;
use super::data::{BackslashEscapes, Dialect, parse_data, parse_string};
use super::decode::{HEADER_4, decode};
use super::{MAX_FILE_LEN, MAX_OPERATIONS, Operation, ParseError, RegFile};

/// First line of a version 5 file.
pub(super) const HEADER_5: &str = "Windows Registry Editor Version 5.00";

/// Either character makes a whole line a comment. After something else, only `;` starts one.
const COMMENTS: [char; 2] = [';', '#'];

impl RegFile {
    /// Reads the bytes of a registry text file.
    ///
    /// # Errors
    /// What is wrong with the file, with the line.
    pub fn parse(bytes: &[u8]) -> Result<Self, ParseError> {
        if bytes.len() > MAX_FILE_LEN {
            return Err(ParseError::TooLong { len: bytes.len() });
        }
        let text = decode(bytes)?;
        let mut cursor = Cursor::new(&text);
        let dialect = parse_header(&mut cursor)?;
        let mut operations = Vec::new();
        let mut key = None;
        loop {
            cursor.skip_empty_lines(&COMMENTS);
            if cursor.is_at_end() {
                return Ok(Self { operations });
            }
            if operations.len() >= MAX_OPERATIONS {
                return Err(ParseError::TooMany {
                    line: cursor.line(),
                });
            }
            let operation = match (cursor.peek(), &key) {
                (Some('['), _) => {
                    let operation = parse_key(&mut cursor)?;
                    key = match &operation {
                        Operation::CreateKey { path, .. } => Some(Arc::clone(path)),
                        _ => None,
                    };
                    operation
                }
                (Some('"' | '@'), Some(path)) => parse_value(&mut cursor, path, dialect)?,
                (Some('"' | '@'), None) => {
                    return Err(cursor.error("a key in brackets, to hold the values below"));
                }
                _ => {
                    return Err(cursor.error("a key in brackets, a value name in quotes or '@'"));
                }
            };
            operations.push(operation);
        }
    }
}

fn parse_header(cursor: &mut Cursor<'_>) -> Result<Dialect, ParseError> {
    cursor.skip_empty_lines(&COMMENTS);
    let dialect = if cursor.take_exact(HEADER_5) {
        Dialect::Unicode
    } else if cursor.take_exact(HEADER_4) {
        Dialect::Ansi
    } else if cursor.is_at_end() || cursor.peek() == Some('[') {
        return Ok(Dialect::Unicode);
    } else {
        return Err(cursor.error("'Windows Registry Editor Version 5.00' or 'REGEDIT4'"));
    };
    cursor.skip_blanks();
    if !cursor.is_at_line_end() {
        return Err(cursor.error("nothing after the header"));
    }
    Ok(dialect)
}

/// A line with a key. The last bracket of the line ends the path, since a key's name may hold
/// one.
fn parse_key(cursor: &mut Cursor<'_>) -> Result<Operation, ParseError> {
    let start = cursor.clone();
    let line = cursor.line();
    cursor.take('[');
    let deletes = cursor.take('-');
    let (path, after) = cursor
        .take_line()
        .rsplit_once(']')
        .ok_or_else(|| start.error("a key path that ends in ']'"))?;
    let mut after = Cursor::new(after);
    after.end_line().map_err(|error| on_line(error, line))?;
    if path.is_empty() {
        return Err(ParseError::Syntax {
            line,
            expected: "a key path",
            found: "empty brackets".into(),
        });
    }
    let path = Arc::from(path);
    Ok(if deletes {
        Operation::DeleteKey { path, line }
    } else {
        Operation::CreateKey { path, line }
    })
}

fn parse_value(
    cursor: &mut Cursor<'_>,
    path: &Arc<str>,
    dialect: Dialect,
) -> Result<Operation, ParseError> {
    let line = cursor.line();
    let path = Arc::clone(path);
    let name = if cursor.take('@') {
        String::new()
    } else {
        parse_string(cursor, BackslashEscapes::Both)?
    };
    cursor.skip_blanks();
    if !cursor.take('=') {
        return Err(cursor.error("'=' after the value's name"));
    }
    cursor.skip_blanks();
    let operation = if cursor.take('-') {
        Operation::DeleteValue { path, name, line }
    } else {
        let (value_type, data) = parse_data(cursor, dialect)?;
        Operation::SetValue {
            path,
            name,
            value_type,
            data,
            line,
        }
    };
    cursor.end_line()?;
    Ok(operation)
}

fn on_line(error: ParseError, line: usize) -> ParseError {
    match error {
        ParseError::Syntax {
            expected, found, ..
        } => ParseError::Syntax {
            line,
            expected,
            found,
        },
        other => other,
    }
}
