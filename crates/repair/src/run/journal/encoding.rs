//! Encoding a journal as JSON, and decoding it.

use std::io;

use serde::Deserialize;

use super::{HiveEntry, Journal, JournalChange, SCHEMA};
use crate::json;
use crate::run::RunId;
use crate::run::bounded::list;
use crate::run::changes_file::MAX_CHANGES;

/// The version without seals. Its journal held the changes of hives itself.
const OLD_SCHEMA: u32 = 1;
/// The longest journal in bytes.
const MAX_LEN: usize = 4 << 20;
/// The longest journal of the old version that is read, in bytes.
pub(crate) const MAX_OLD_LEN: u64 = 32 << 20;

impl Journal {
    /// The journal as JSON, without a seal.
    ///
    /// # Errors
    /// If it would be too long to be read again, or if it holds what no journal may hold.
    pub(crate) fn encode(&self) -> io::Result<Vec<u8>> {
        let told = |what: String| io::Error::new(io::ErrorKind::InvalidInput, what);
        self.validate().map_err(told)?;
        let mut text = Vec::new();
        match self.schema {
            OLD_SCHEMA => json::write_pretty(&mut text, self)?,
            _ => {
                let short = Self {
                    hives: self.hives.iter().map(HiveEntry::without_changes).collect(),
                    // The large parts are left out before the copy.
                    ..self.without_hives()
                };
                json::write_pretty(&mut text, &short)?;
            }
        }
        text.push(b'\n');
        if self.schema == OLD_SCHEMA || text.len() <= MAX_LEN {
            Ok(text)
        } else {
            Err(io::ErrorKind::FileTooLarge.into())
        }
    }

    fn without_hives(&self) -> Self {
        Self {
            schema: self.schema,
            tool: self.tool.clone(),
            run: self.run.clone(),
            kind: self.kind,
            state: self.state,
            started: self.started.clone(),
            updated: self.updated.clone(),
            target: self.target.clone(),
            identity: self.identity.clone(),
            windows: self.windows.clone(),
            recipes: self.recipes.clone(),
            hives: Vec::new(),
            way: self.way,
            files: self.files.clone(),
            descriptors: self.descriptors.clone(),
            disk: self.disk.clone(),
            reverses: self.reverses.clone(),
            reversed_by: self.reversed_by.clone(),
            note: self.note.clone(),
        }
    }

    /// Reads the journal of a run, except for the changes of its hives.
    ///
    /// # Errors
    /// What is wrong with it, for display.
    pub(crate) fn decode(bytes: &[u8], run: &RunId) -> Result<Self, String> {
        Self::check_schema(bytes)?;
        let read: Result<Self, _> = serde_json::from_slice(bytes);
        let mut journal = read.map_err(|error| error.to_string())?;
        if !journal.is_old() && bytes.len() > MAX_LEN {
            return Err(format!("{} bytes long", bytes.len()));
        }
        journal.validate()?;
        // The folder's name counts, because the seal is for that name.
        journal.run = run.to_string();
        Ok(journal)
    }

    /// True if a version that didn't seal runs wrote it.
    pub(crate) const fn is_old(&self) -> bool {
        self.schema == OLD_SCHEMA
    }

    /// Reads the changes of the hives from a journal of the old version.
    ///
    /// # Errors
    /// What is wrong with them, for display.
    pub(crate) fn decode_old_changes(bytes: &[u8]) -> Result<Vec<Vec<JournalChange>>, String> {
        #[derive(Deserialize)]
        struct Old {
            #[serde(deserialize_with = "list::<16, _, _>")]
            hives: Vec<Hive>,
        }
        #[derive(Deserialize)]
        struct Hive {
            #[serde(deserialize_with = "list::<MAX_CHANGES, _, _>")]
            changes: Vec<JournalChange>,
        }
        let old: Old = serde_json::from_slice(bytes).map_err(|error| error.to_string())?;
        Ok(old.hives.into_iter().map(|hive| hive.changes).collect())
    }

    fn check_schema(bytes: &[u8]) -> Result<(), String> {
        #[derive(Deserialize)]
        struct Version {
            schema: u32,
        }
        let version: Version = serde_json::from_slice(bytes).map_err(|error| error.to_string())?;
        if ![OLD_SCHEMA, SCHEMA].contains(&version.schema) {
            return Err(format!(
                "it has schema {}, this program reads {OLD_SCHEMA} and {SCHEMA}: use the version \
                 that wrote it",
                version.schema
            ));
        }
        Ok(())
    }
}
