//! The reports in a run's folder: the permissions before and after it as icacls prints them, as its
//! save files, and as JSON. They are for people and for icacls; nothing here depends on them, so
//! that one that can't be written does not keep the repair from being made.

use diskmend_acl::{SavedPart, SecurityDescriptor, icacls_lines, write_saved};
use diskmend_disk::{Change, Changed, ObjectError};
use serde::Serialize;

use crate::documents::{DescriptorWords, SCHEMA};
use crate::error::{Error, chain};
use crate::hex;
use crate::run::RunFolder;
use crate::store::OpenFile;

const BEFORE_TEXT: &str = "permissions-before.txt";
const AFTER_TEXT: &str = "permissions-after.txt";
const BEFORE_SAVED: &str = "permissions-before.icacls";
const BEFORE_OWNERS: &str = "owners-before.icacls";
const JSON: &str = "permissions.json";

/// Bytes that are gathered before they are written.
const BUFFER: usize = 1 << 18;

/// One of the reports.
struct Report {
    name: &'static str,
    /// Gone once something went wrong.
    file: Option<Box<dyn OpenFile>>,
    at: u64,
    buffer: Vec<u8>,
}

impl Report {
    fn create(run: &RunFolder, name: &'static str) -> Self {
        let file = run.create_anew(name);
        if let Err(error) = &file {
            tracing::warn!(report = name, "not written: {}", chain(error));
        }
        Self {
            name,
            file: file.ok(),
            at: 0,
            buffer: Vec::new(),
        }
    }

    fn push(&mut self, bytes: &[u8]) {
        if self.file.is_some() {
            self.buffer.extend(bytes);
            if self.buffer.len() >= BUFFER {
                self.write();
            }
        }
    }

    fn write(&mut self) {
        let Some(file) = &mut self.file else {
            return;
        };
        let bytes = std::mem::take(&mut self.buffer);
        match file.write_all_at(&bytes, self.at) {
            Ok(()) => self.at = self.at.saturating_add(bytes.len() as u64),
            Err(error) => {
                tracing::warn!(report = self.name, "not written: {error}");
                // What it took is needed for what matters more.
                let _ = file.set_len(0);
                self.file = None;
            }
        }
    }

    /// Writes the rest; its name where all of it was written.
    fn finish(mut self) -> Option<String> {
        self.write();
        self.file.map(|_| self.name.to_owned())
    }
}

/// Writes how all that a run changes was before it.
pub(crate) struct BeforeFiles {
    text: Report,
    saved: Report,
    owners: Report,
}

impl BeforeFiles {
    pub(crate) fn create(run: &RunFolder) -> Self {
        Self {
            text: Report::create(run, BEFORE_TEXT),
            saved: Report::create(run, BEFORE_SAVED),
            owners: Report::create(run, BEFORE_OWNERS),
        }
    }

    pub(crate) fn add(&mut self, change: &Change) {
        self.text.push(&lines(change, &change.before));
        let Ok(descriptor) = SecurityDescriptor::from_bytes(&change.before) else {
            return;
        };
        let Some(path) = change.path.with_backslashes() else {
            return;
        };
        for (part, report) in [
            (SavedPart::Dacl, &mut self.saved),
            (SavedPart::Owners, &mut self.owners),
        ] {
            let mut bytes = Vec::new();
            // What the file has no words for is in the other reports.
            if write_saved(&path, &descriptor, part, &mut bytes).is_ok() {
                report.push(&bytes);
            }
        }
    }

    /// The names of those that were written.
    pub(crate) fn finish(self) -> Vec<String> {
        let all = [self.text, self.saved, self.owners];
        all.into_iter().filter_map(Report::finish).collect()
    }
}

/// Writes what became of all that a run changes.
pub(super) struct AfterFiles {
    text: Report,
    json: Report,
    first: bool,
}

#[derive(Serialize)]
struct Row<'a> {
    path: String,
    outcome: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
    before: State<'a>,
    after: State<'a>,
}

#[derive(Serialize)]
struct State<'a> {
    #[serde(flatten)]
    words: DescriptorWords,
    #[serde(serialize_with = "as_hex")]
    hex: &'a [u8],
}

fn as_hex<S: serde::Serializer>(bytes: &&[u8], serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(&hex::encode(bytes))
}

impl AfterFiles {
    pub(super) fn create(run: &RunFolder, name: &str) -> Self {
        let mut json = Report::create(run, JSON);
        json.push(format!("{{\"schema\":{SCHEMA},\"run\":\"{name}\",\"objects\":[").as_bytes());
        Self {
            text: Report::create(run, AFTER_TEXT),
            json,
            first: true,
        }
    }

    pub(super) fn add(&mut self, change: &Change, result: &Result<Changed, ObjectError>) {
        let (outcome, reason) = match result {
            Ok(Changed::Set) => ("changed", None),
            Ok(Changed::AlreadyThere) => ("already", None),
            Err(error) => ("failed", Some(chain(error))),
        };
        match &reason {
            None => self.text.push(&lines(change, &change.after)),
            Some(reason) => {
                let path = shown(change);
                self.text
                    .push(format!("{path} (not changed: {reason})\n").as_bytes());
            }
        }
        let row = Row {
            path: shown(change),
            outcome,
            reason,
            before: state(&change.before),
            after: state(&change.after),
        };
        self.json.push(match std::mem::take(&mut self.first) {
            true => b"\n",
            false => b",\n",
        });
        self.json
            .push(&serde_json::to_vec(&row).unwrap_or_default());
    }

    /// The names of those that were written.
    pub(super) fn finish(mut self) -> Vec<String> {
        self.json.push(b"\n]}\n");
        let all = [self.text, self.json];
        all.into_iter().filter_map(Report::finish).collect()
    }
}

fn state(bytes: &[u8]) -> State<'_> {
    State {
        words: DescriptorWords::of(bytes),
        hex: bytes,
    }
}

/// The path as Windows writes it, with what can't be shown escaped.
fn shown(change: &Change) -> String {
    change.path.to_string().replace('/', "\\")
}

/// What `icacls PATH` would print.
fn lines(change: &Change, bytes: &[u8]) -> Vec<u8> {
    let path = shown(change);
    match SecurityDescriptor::from_bytes(bytes) {
        Ok(descriptor) => icacls_lines(&path, &descriptor).into_bytes(),
        Err(corruption) => format!("{path} (corrupt: {corruption})\n").into_bytes(),
    }
}

/// Creates the reports of what was before the run from its records.
///
/// # Errors
/// Where the records can't be read back.
pub(crate) fn before(run: &RunFolder, entry: &super::RecordsEntry) -> Result<Vec<String>, Error> {
    let file = run.open_records(entry)?;
    let mut files = BeforeFiles::create(run);
    let frames = super::RecordsReader::new(file.as_ref()).map_err(run.bad_records(entry))?;
    for frame in frames {
        for change in frame.map_err(run.bad_records(entry))? {
            files.add(&change);
        }
    }
    Ok(files.finish())
}
