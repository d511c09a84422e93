//! The events with a known meaning, from `known.toml`.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use serde::Deserialize;

static TABLE: LazyLock<Known> = LazyLock::new(|| {
    #[expect(
        clippy::expect_used,
        reason = "the table is part of the program, and a test reads it"
    )]
    let file: File = toml::from_str(include_str!("known.toml")).expect("the table is valid");
    Known::of(file)
});

/// The table as written.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    logs: Vec<String>,
    errors: BTreeMap<String, String>,
    source: Vec<Source>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Source {
    log: String,
    provider: String,
    events: Vec<Entry>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Entry {
    id: u32,
    means: String,
    #[serde(default)]
    routine: bool,
    #[serde(default)]
    fields: Vec<String>,
}

/// The table.
pub(super) struct Known {
    /// The logs, in the order in which they are read.
    pub(super) logs: Vec<String>,
    errors: BTreeMap<u64, String>,
    /// By log, ID, and provider in lower case.
    events: BTreeMap<(String, u32), Vec<(String, KnownEvent)>>,
}

/// An event with a known meaning.
pub(super) struct KnownEvent {
    /// What it means, in a few words.
    pub(super) means: String,
    /// True if a healthy Windows writes it all the time.
    pub(super) routine: bool,
    /// Its values that are shown.
    pub(super) fields: Vec<ShownField>,
}

/// A value that is shown.
pub(super) struct ShownField {
    pub(super) name: String,
    pub(super) label: String,
    /// True if the value is the number of an error, whose meaning may be known.
    pub(super) is_error: bool,
}

impl ShownField {
    /// `name=label`, or a name that is its own label.
    fn parse(text: &str) -> Self {
        let (name, label) = text.split_once('=').unwrap_or((text, text));
        Self {
            name: name.to_owned(),
            label: label.to_owned(),
            is_error: label == "error",
        }
    }
}

impl Known {
    pub(super) fn table() -> &'static Self {
        &TABLE
    }

    fn of(file: File) -> Self {
        let mut events: BTreeMap<(String, u32), Vec<(String, KnownEvent)>> = BTreeMap::new();
        for source in file.source {
            for entry in source.events {
                let known = KnownEvent {
                    means: entry.means,
                    routine: entry.routine,
                    fields: entry.fields.iter().map(|f| ShownField::parse(f)).collect(),
                };
                events
                    .entry((source.log.clone(), entry.id))
                    .or_default()
                    .push((source.provider.to_lowercase(), known));
            }
        }
        let errors = file.errors.into_iter();
        Self {
            logs: file.logs,
            errors: errors
                .filter_map(|(code, text)| Some((number(&code)?, text)))
                .collect(),
            events,
        }
    }

    /// True if an event of the log with this ID has a known meaning.
    pub(super) fn has_id(&self, log: &str, id: u32) -> bool {
        self.events.contains_key(&(log.to_owned(), id))
    }

    /// The meaning of an event of a log; `names` are those of its provider.
    pub(super) fn find<'n>(
        &self,
        log: &str,
        mut names: impl Iterator<Item = &'n str>,
        id: u32,
    ) -> Option<&KnownEvent> {
        names.find_map(|name| self.find_named(log, name, id))
    }

    /// The meaning of an event of a log, by the name of its provider.
    pub(super) fn find_named(&self, log: &str, provider: &str, id: u32) -> Option<&KnownEvent> {
        let provider = provider.to_lowercase();
        let of_id = self.events.get(&(log.to_owned(), id))?;
        let (_, known) = of_id.iter().find(|(name, _)| *name == provider)?;
        Some(known)
    }

    /// The meaning of an error's number.
    pub(super) fn error(&self, code: u64) -> Option<&str> {
        self.errors.get(&code).map(String::as_str)
    }

    /// The logs that an event of the table is in.
    #[cfg(test)]
    fn logs_of_events(&self) -> std::collections::BTreeSet<&str> {
        self.events.keys().map(|(log, _)| log.as_str()).collect()
    }
}

/// A number, decimal or hexadecimal with `0x`, maybe with `%%` before it.
pub(super) fn number(text: &str) -> Option<u64> {
    let text = text.trim();
    let text = text.strip_prefix("%%").unwrap_or(text);
    match text.strip_prefix("0x").or_else(|| text.strip_prefix("0X")) {
        Some(digits) => u64::from_str_radix(digits, 16).ok(),
        None => text.parse().ok(),
    }
}

/// The name of a log's file.
pub(super) fn file_name(log: &str) -> String {
    format!("{}.evtx", log.replace('/', "%4"))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn numbers_are_read_in_every_form_of_an_event() {
        assert_eq!(number("%%1058"), Some(1058));
        assert_eq!(number("0x7B"), Some(0x7b));
        assert_eq!(number(" 10048 "), Some(10048));
        assert_eq!(number("x"), None);
    }

    #[test]
    fn every_event_of_the_table_is_in_a_log_that_is_read_and_is_there_once() {
        let known = Known::table();
        let logs: BTreeSet<&str> = known.logs.iter().map(String::as_str).collect();
        assert_eq!(logs.len(), known.logs.len(), "a log is named twice");
        assert_eq!(known.logs_of_events(), logs);
        for ((log, id), events) in &known.events {
            let names: BTreeSet<&String> = events.iter().map(|(name, _)| name).collect();
            assert_eq!(names.len(), events.len(), "{log} {id} is there twice");
            for (_, event) in events {
                assert!(!event.means.is_empty() && !event.means.ends_with('.'));
            }
        }
        assert_eq!(known.error(1058), Some("the service is disabled"));
    }
}
