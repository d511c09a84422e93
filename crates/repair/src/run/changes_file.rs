//! The part of the run file that holds the changes of a hive in the registry's terms, one JSON
//! object per line (docs/undo-format.md describes the format). There may be many, so they aren't in
//! the journal, which every command reads.

use std::io;

use diskmend_hive::Changes;
use serde::{Deserialize, Serialize};

use super::trust::Mac;
use super::{Content, JournalChange};
use crate::digest::Digest;

/// The greatest number of recorded changes.
pub(crate) const MAX_CHANGES: usize = Changes::MAX;
/// The greatest length of the file in bytes.
pub(crate) const MAX_LEN: u64 = 64 << 20;

/// The journal's entry about the changes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct ChangesEntry {
    /// Their name in the journal.
    pub(crate) file: String,
    /// Their content.
    pub(crate) content: Content,
    /// Their MAC; absent in a run without a seal.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) mac: Option<Mac>,
}

/// The name of the changes of the hive with this number, from 1.
pub(crate) fn name(number: usize) -> String {
    format!("changes-{number}.jsonl")
}

/// The bytes of the file.
///
/// # Errors
/// If it would be too long to be read again.
pub(crate) fn encode(changes: &[JournalChange]) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    for change in changes {
        crate::json::write_line(&mut bytes, change)?;
        bytes.push(b'\n');
    }
    if bytes.len() as u64 <= MAX_LEN && changes.len() <= MAX_CHANGES {
        Ok(bytes)
    } else {
        Err(io::Error::from(io::ErrorKind::FileTooLarge))
    }
}

/// Reads the file.
///
/// # Errors
/// What is wrong with it, for a person.
pub(crate) fn decode(bytes: &[u8], content: &Content) -> Result<Vec<JournalChange>, String> {
    if bytes.len() as u64 != content.length || Digest::of(bytes) != content.xxh3 {
        return Err("not what the journal says".to_owned());
    }
    let Some(text) = bytes.strip_suffix(b"\n") else {
        return match bytes {
            [] => Ok(Vec::new()),
            _ => Err("it does not end with a line".to_owned()),
        };
    };
    let mut changes = Vec::new();
    for line in text.split(|byte| *byte == b'\n') {
        if changes.len() == MAX_CHANGES {
            return Err(format!("more than {MAX_CHANGES} changes"));
        }
        changes.push(serde_json::from_slice(line).map_err(|error| error.to_string())?);
    }
    Ok(changes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::finding::{ChangedKey, ChangedValue};
    use crate::value_data::ValueData;

    #[test]
    fn changes_come_back_line_by_line() {
        let changes = [
            JournalChange::KeyCreated(ChangedKey {
                key: "A\nB".to_owned(),
            }),
            JournalChange::Value(ChangedValue {
                key: "A".to_owned(),
                value: "V".to_owned(),
                old: None,
                new: Some(ValueData::dword(1)),
            }),
        ];
        for changes in [&changes[..], &[]] {
            let bytes = encode(changes).expect("few");
            let content = Content {
                length: bytes.len() as u64,
                xxh3: Digest::of(&bytes),
            };
            assert_eq!(decode(&bytes, &content).expect("sound"), changes);
            let lines = bytes.iter().filter(|byte| **byte == b'\n').count();
            assert_eq!(lines, changes.len());
            let short = bytes.get(..bytes.len().saturating_sub(1));
            assert!(short.is_none_or(|b| b.is_empty() || decode(b, &content).is_err()));
        }
    }
}
