//! Operations to text.

use std::fmt::Write as _;
use std::io::Write;

use diskmend_base::escape::{EscapedUnits, unescape};
use diskmend_base::utf16;

use super::parse::HEADER_5;
use super::{Operation, WriteError};
use crate::ValueType;

/// Column from which a line of bytes goes on in the next one; the last byte, its comma and the
/// backslash then end at column 80.
const WRAP_COLUMN: usize = 77;
const BACKSLASH: u16 = b'\\' as u16;

/// Encoding and line ends of a registry text file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Encoding {
    /// UTF-16LE with byte order mark and CR LF, as Windows writes it.
    Utf16,
    /// UTF-8 without byte order mark, with LF, for a terminal and for `hivexregedit --merge`.
    ///
    /// Strings beyond ASCII are written as bytes: hivexregedit takes the text of strings for
    /// Latin-1.
    Utf8,
}

/// Writes a registry text file, a key and its values at a time.
///
/// What is written reads back as the same operations, whatever the data. UTF-16 takes half
/// surrogate pairs as they are, as Windows writes them. [`WriteError`] names the few keys and
/// values that can't be written to a registry file.
#[derive(Debug)]
pub struct Writer<W> {
    out: W,
    encoding: Encoding,
    /// The unfinished line, with half surrogate pairs in the form of [`diskmend_base::escape`].
    line: String,
    encoded: Vec<u8>,
    key: Option<String>,
}

impl<W: Write> Writer<W> {
    /// Starts a file with its header.
    ///
    /// # Errors
    /// The output failed.
    pub fn start(out: W, encoding: Encoding) -> Result<Self, WriteError> {
        let mut writer = Self {
            out,
            encoding,
            line: String::new(),
            encoded: Vec::new(),
            key: None,
        };
        if encoding == Encoding::Utf16 {
            writer.line.push('\u{FEFF}');
        }
        writer.line.push_str(HEADER_5);
        writer.end_line()?;
        Ok(writer)
    }

    /// Writes a key, for the values that follow.
    ///
    /// # Errors
    /// If the path can't be written to a registry file, or the output failed.
    pub fn key(&mut self, path: &str) -> Result<(), WriteError> {
        self.key_line("", path)?;
        self.key = Some(path.into());
        Ok(())
    }

    /// Writes the line that deletes a key.
    ///
    /// # Errors
    /// If the path can't be written to a registry file, or the output failed.
    pub(crate) fn delete_key(&mut self, path: &str) -> Result<(), WriteError> {
        self.key_line("-", path)?;
        self.key = None;
        Ok(())
    }

    /// Writes a value of the last key; an empty name means the default value.
    ///
    /// # Errors
    /// If the name can't be written to a registry file, no key was written before, or the output
    /// failed.
    pub fn value(&mut self, name: &str, value_type: u32, data: &[u8]) -> Result<(), WriteError> {
        self.start_value(name)?;
        let value_type = ValueType(value_type);
        let text = string_of(value_type, data).filter(|text| {
            self.encoding == Encoding::Utf16 || text.iter().all(|unit| *unit < 0x80)
        });
        match (value_type, text, data.first_chunk()) {
            (_, Some(text), _) => push_quoted(&mut self.line, &text),
            (ValueType::DWORD, None, Some(bytes)) if data.len() == bytes.len() => {
                // Writing to a String does not fail.
                let _ = write!(self.line, "dword:{:08x}", u32::from_le_bytes(*bytes));
            }
            (ValueType::BINARY, None, _) => {
                self.line.push_str("hex:");
                self.bytes(data)?;
            }
            (ValueType(number), None, _) => {
                let _ = write!(self.line, "hex({number:x}):");
                self.bytes(data)?;
            }
        }
        self.end_line()
    }

    /// Writes the line that deletes a value of the last key.
    ///
    /// # Errors
    /// If the name can't be written to a registry file, no key was written before, or the output
    /// failed.
    pub(crate) fn delete_value(&mut self, name: &str) -> Result<(), WriteError> {
        self.start_value(name)?;
        self.line.push('-');
        self.end_line()
    }

    /// Writes an operation, preceded by its key if that is not the last key.
    ///
    /// # Errors
    /// The errors of the method that writes this kind of operation.
    pub fn operation(&mut self, operation: &Operation) -> Result<(), WriteError> {
        match operation {
            Operation::CreateKey { path, .. } => self.key(path),
            Operation::DeleteKey { path, .. } => self.delete_key(path),
            Operation::SetValue {
                path,
                name,
                value_type,
                data,
                ..
            } => {
                self.go_to(path)?;
                self.value(name, *value_type, data)
            }
            Operation::DeleteValue { path, name, .. } => {
                self.go_to(path)?;
                self.delete_value(name)
            }
        }
    }

    /// Ends the file, flushes the output and returns it.
    ///
    /// # Errors
    /// The output failed.
    pub fn finish(mut self) -> Result<W, WriteError> {
        self.end_line()?;
        self.out.flush()?;
        Ok(self.out)
    }

    fn go_to(&mut self, path: &str) -> Result<(), WriteError> {
        if self.key.as_deref() == Some(path) {
            return Ok(());
        }
        self.key(path)
    }

    fn key_line(&mut self, sign: &str, path: &str) -> Result<(), WriteError> {
        let names: Vec<Vec<u16>> = path.split('\\').map(unescape).collect();
        let units = names.join(&BACKSLASH);
        // A path is a whole line: a line break would end it, and '-' at the start would delete the
        // key.
        let breaks = |unit: &u16| [0, 0xa, 0xd].contains(unit);
        let parts = names.iter().flatten().any(|unit| *unit == BACKSLASH);
        if units.is_empty()
            || units.first() == Some(&u16::from(b'-'))
            || units.iter().any(breaks)
            || parts
            || !self.takes(&units)
        {
            return Err(WriteError::Path { path: path.into() });
        }
        self.end_line()?;
        self.line.push('[');
        self.line.push_str(sign);
        push_units(&mut self.line, &units);
        self.line.push(']');
        self.end_line()
    }

    fn start_value(&mut self, name: &str) -> Result<(), WriteError> {
        if self.key.is_none() {
            return Err(WriteError::NoKey);
        }
        let units = unescape(name);
        if units.contains(&0) || !self.takes(&units) {
            return Err(WriteError::ValueName { name: name.into() });
        }
        if units.is_empty() {
            self.line.push('@');
        } else {
            push_quoted(&mut self.line, &units);
        }
        self.line.push('=');
        Ok(())
    }

    /// True if the encoding can express these units: UTF-8 can't express half a surrogate pair.
    fn takes(&self, units: &[u16]) -> bool {
        self.encoding == Encoding::Utf16
            || char::decode_utf16(units.iter().copied()).all(|found| found.is_ok())
    }

    fn bytes(&mut self, data: &[u8]) -> Result<(), WriteError> {
        let mut column = self.line.chars().count();
        for (index, byte) in data.iter().enumerate() {
            if index > 0 {
                self.line.push(',');
                column = column.saturating_add(1);
                if column >= WRAP_COLUMN {
                    self.line.push('\\');
                    self.end_line()?;
                    self.line.push_str("  ");
                    column = self.line.len();
                }
            }
            let _ = write!(self.line, "{byte:02x}");
            column = column.saturating_add(2);
        }
        Ok(())
    }

    fn end_line(&mut self) -> Result<(), WriteError> {
        match self.encoding {
            Encoding::Utf16 => {
                self.line.push_str("\r\n");
                self.encoded.clear();
                let units = unescape(&self.line);
                self.encoded
                    .extend(units.into_iter().flat_map(u16::to_le_bytes));
                self.out.write_all(&self.encoded)?;
            }
            Encoding::Utf8 => {
                self.line.push('\n');
                // Only valid text was pushed: see `takes`.
                let text = String::from_utf16_lossy(&unescape(&self.line));
                self.out.write_all(text.as_bytes())?;
            }
        }
        self.line.clear();
        Ok(())
    }
}

fn push_units(line: &mut String, units: &[u16]) {
    // Writing to a String does not fail.
    let _ = write!(line, "{}", EscapedUnits::new(units.iter().copied()).raw());
}

fn push_quoted(line: &mut String, text: &[u16]) {
    let mut quoted = Vec::with_capacity(text.len());
    for &unit in text {
        if unit == BACKSLASH || unit == u16::from(b'"') {
            quoted.push(BACKSLASH);
        }
        quoted.push(unit);
    }
    line.push('"');
    push_units(line, &quoted);
    line.push('"');
}

/// The text of a string that can be written in quotes without loss: UTF-16LE with one terminator,
/// at the end, and without control characters.
fn string_of(value_type: ValueType, data: &[u8]) -> Option<Vec<u16>> {
    if value_type != ValueType::SZ {
        return None;
    }
    let mut units = utf16::units(data)?;
    let is_control = |unit: &u16| char::from_u32((*unit).into()).is_some_and(char::is_control);
    (units.pop()? == 0 && !units.iter().any(is_control)).then_some(units)
}
