//! The reports in a run's folder: the permissions before and after the run as icacls prints them,
//! as its save files, and as JSON. They are for people and for icacls, and nothing here reads them.
//! So if one can't be written, the repair is made nevertheless.

use std::io;

use diskmend_base::escape::Visible;
use diskmend_disk::{Change, Changed, File, ObjectError};
use serde::Serialize;
use serde_json::value::RawValue;

use super::forms::{Before, Forms, Printed, json};
use crate::error::{Error, chain};
use crate::json::{SCHEMA, write_line};
use crate::run::file_names::{AFTER_TEXT, BEFORE_OWNERS, BEFORE_SAVED, BEFORE_TEXT, REPORT_JSON};
use crate::run::{RecordsEntry, RunFolder};

/// The number of bytes that are collected before they are written.
const BUFFER: usize = 1 << 18;

/// One of the reports.
struct Report {
    name: &'static str,
    /// Absent after something went wrong.
    file: Option<Box<dyn File>>,
    at: u64,
    buffer: Vec<u8>,
}

impl Report {
    fn create(run: &RunFolder, name: &'static str) -> Self {
        let file = run.create_anew(name, "create the report");
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
        match file.write_all_at(&self.buffer, self.at) {
            Ok(()) => self.at = self.at.saturating_add(self.buffer.len() as u64),
            Err(error) => self.give_up(&error),
        }
        self.buffer.clear();
    }

    fn give_up(&mut self, error: &io::Error) {
        tracing::warn!(report = self.name, "not written: {error}");
        if let Some(mut file) = self.file.take() {
            // Other files need the space more. An incomplete report does no harm.
            let _ = file.set_len(0);
        }
    }

    /// Writes the rest. Returns the report's name if all of it was written.
    fn finish(mut self) -> Option<String> {
        self.write();
        self.file.map(|_| self.name.to_owned())
    }
}

/// Writes everything that a run changes, as it was before.
pub(crate) struct BeforeFiles {
    text: Report,
    saved: Report,
    owners: Report,
    forms: Forms<Before>,
}

impl BeforeFiles {
    pub(crate) fn create(run: &RunFolder) -> Self {
        Self {
            text: Report::create(run, BEFORE_TEXT),
            saved: Report::create(run, BEFORE_SAVED),
            owners: Report::create(run, BEFORE_OWNERS),
            forms: Forms::default(),
        }
    }

    pub(crate) fn add(&mut self, change: &Change) {
        let form = self.forms.of(&change.before, Before::new);
        self.text
            .push(form.printed.lines(&shown(change)).as_bytes());
        let Some(path) = change.path.with_backslashes() else {
            return;
        };
        for (saved, report) in form.saved.iter().zip([&mut self.saved, &mut self.owners]) {
            let mut bytes = Vec::new();
            // What the save file can't express is in the other reports.
            if let Some(saved) = saved
                && saved.write(&path, &mut bytes).is_ok()
            {
                report.push(&bytes);
            }
        }
    }

    /// The names of the written reports.
    pub(crate) fn finish(self) -> Vec<String> {
        let all = [self.text, self.saved, self.owners];
        all.into_iter().filter_map(Report::finish).collect()
    }
}

/// Writes everything that a run changes, as it is afterwards.
pub(super) struct AfterFiles {
    text: Report,
    json: Report,
    first: bool,
    printed: Forms<Printed>,
    states: Forms<Option<Box<RawValue>>>,
}

#[derive(Serialize)]
struct Row<'a> {
    path: &'a str,
    outcome: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
    before: Option<&'a RawValue>,
    after: Option<&'a RawValue>,
}

impl AfterFiles {
    pub(super) fn create(run: &RunFolder, name: &str) -> Self {
        let mut json = Report::create(run, REPORT_JSON);
        json.push(format!("{{\"schema\":{SCHEMA},\"run\":\"{name}\",\"objects\":[").as_bytes());
        Self {
            text: Report::create(run, AFTER_TEXT),
            json,
            first: true,
            printed: Forms::default(),
            states: Forms::default(),
        }
    }

    pub(super) fn add(&mut self, change: &Change, result: &Result<Changed, ObjectError>) {
        let (outcome, reason) = match result {
            Ok(Changed::Set) => ("changed", None),
            Ok(Changed::AlreadyThere) => ("already", None),
            Err(error) => ("failed", Some(chain(error))),
        };
        let path = shown(change);
        let text = match &reason {
            None => self.printed.of(&change.after, Printed::new).lines(&path),
            Some(reason) => format!("{path} (not changed: {})\n", Visible(reason)),
        };
        self.text.push(text.as_bytes());
        let before = self.states.of(&change.before, json);
        let after = self.states.of(&change.after, json);
        let row = Row {
            path: &path,
            outcome,
            reason,
            before: before.as_ref().as_deref(),
            after: after.as_ref().as_deref(),
        };
        self.json.push(if std::mem::take(&mut self.first) {
            b"\n"
        } else {
            b",\n"
        });
        let mut line = Vec::new();
        match write_line(&mut line, &row) {
            Ok(()) => self.json.push(&line),
            Err(error) => self.json.give_up(&error),
        }
    }

    /// The names of the written reports.
    pub(super) fn finish(mut self) -> Vec<String> {
        self.json.push(b"\n]}\n");
        let all = [self.text, self.json];
        all.into_iter().filter_map(Report::finish).collect()
    }
}

/// The path as Windows writes it. Characters that can't be shown are escaped.
fn shown(change: &Change) -> String {
    change.path.windows()
}

/// Creates the reports about the state before the run, from its records.
///
/// # Errors
/// If the records can't be read back.
pub(crate) fn before(run: &RunFolder, entry: &RecordsEntry) -> Result<Vec<String>, Error> {
    let mut files = BeforeFiles::create(run);
    run.for_each_frame(entry, |changes| {
        changes.iter().for_each(|change| files.add(change));
    })?;
    Ok(files.finish())
}
