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
    alerts: BTreeMap<String, String>,
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
    change: bool,
    #[serde(default)]
    fields: Vec<String>,
    #[serde(default)]
    only: BTreeMap<String, Vec<String>>,
}

/// The table.
pub(super) struct Known {
    /// The logs, in the order in which they are read.
    pub(super) logs: Vec<String>,
    errors: BTreeMap<u64, String>,
    alerts: BTreeMap<u64, String>,
    /// By log, ID, and provider in lower case.
    events: BTreeMap<(String, u32), Vec<(String, KnownEvent)>>,
}

/// An event with a known meaning.
pub(super) struct KnownEvent {
    /// What it means, in a few words.
    pub(super) means: String,
    /// True if a healthy Windows writes it all the time.
    pub(super) routine: bool,
    /// True if it tells that something was installed or that a setting was changed.
    pub(super) change: bool,
    /// Its values that are shown.
    pub(super) fields: Vec<ShownField>,
    /// The values that an event must have to be this one; any if there are none.
    only: BTreeMap<String, Vec<String>>,
}

impl KnownEvent {
    /// True if an event with these values is this one.
    fn is<'v>(&self, value: &dyn Fn(&str) -> Option<&'v str>) -> bool {
        self.only.iter().all(|(name, wanted)| {
            value(name).is_some_and(|value| wanted.iter().any(|wanted| same(value, wanted)))
        })
    }
}

/// True for two equal texts or numbers.
fn same(value: &str, wanted: &str) -> bool {
    let numbers = (number(value), number(wanted));
    value.trim().eq_ignore_ascii_case(wanted) || matches!(numbers, (Some(a), Some(b)) if a == b)
}

/// A value that is shown.
pub(super) struct ShownField {
    pub(super) name: String,
    pub(super) label: String,
    /// What the value is a number of, if such numbers have a meaning.
    pub(super) number: Option<NumberOf>,
}

/// What a number is one of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum NumberOf {
    /// Errors of Windows.
    Error,
    /// Alerts of TLS.
    Alert,
}

impl ShownField {
    /// `name=label`, or a name that is its own label.
    fn parse(text: &str) -> Self {
        let (name, label) = text.split_once('=').unwrap_or((text, text));
        Self {
            name: name.to_owned(),
            label: label.to_owned(),
            number: match label {
                "error" | "status" | "reason" => Some(NumberOf::Error),
                "alert" => Some(NumberOf::Alert),
                _ => None,
            },
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
                    change: entry.change,
                    fields: entry.fields.iter().map(|f| ShownField::parse(f)).collect(),
                    only: entry.only,
                };
                events
                    .entry((source.log.clone(), entry.id))
                    .or_default()
                    .push((source.provider.to_lowercase(), known));
            }
        }
        let by_number = |meanings: BTreeMap<String, String>| {
            let meanings = meanings.into_iter();
            let meanings = meanings.filter_map(|(code, text)| Some((number(&code)?, text)));
            meanings.collect()
        };
        Self {
            logs: file.logs,
            errors: by_number(file.errors),
            alerts: by_number(file.alerts),
            events,
        }
    }

    /// True if an event of the log with this ID has a known meaning.
    pub(super) fn has_id(&self, log: &str, id: u32) -> bool {
        self.events.contains_key(&(log.to_owned(), id))
    }

    /// The meaning of an event of a log. `names` are those of its provider, and `value` finds a value
    /// of the event by its name.
    pub(super) fn find<'v>(
        &self,
        log: &str,
        names: impl IntoIterator<Item = &'v str>,
        id: u32,
        value: &dyn Fn(&str) -> Option<&'v str>,
    ) -> Option<&KnownEvent> {
        let of_name = |name| {
            self.of_provider(log, name, id)
                .find(|known| known.is(value))
        };
        names.into_iter().find_map(of_name)
    }

    /// True if some events of a log with this ID have a known meaning, by the name of the provider.
    pub(super) fn has_named(&self, log: &str, provider: &str, id: u32) -> bool {
        self.of_provider(log, provider, id).next().is_some()
    }

    fn of_provider(&self, log: &str, provider: &str, id: u32) -> impl Iterator<Item = &KnownEvent> {
        let provider = provider.to_lowercase();
        let of_id = self.events.get(&(log.to_owned(), id));
        let of_id = of_id.into_iter().flatten();
        of_id.filter_map(move |(name, known)| (*name == provider).then_some(known))
    }

    /// The meaning of a number.
    pub(super) fn meaning(&self, of: NumberOf, code: u64) -> Option<&str> {
        let meanings = match of {
            NumberOf::Error => &self.errors,
            NumberOf::Alert => &self.alerts,
        };
        meanings.get(&code).map(String::as_str)
    }

    /// Each event of the table.
    #[cfg(test)]
    pub(super) fn all(&self) -> impl Iterator<Item = (&str, &str, u32, bool)> {
        self.events.iter().flat_map(|((log, id), events)| {
            let of_id = events.iter();
            of_id.map(|(name, known)| (log.as_str(), name.as_str(), *id, known.routine))
        })
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
            // An entry that fits every event hides those that come later.
            for (at, (name, event)) in events.iter().enumerate() {
                let later = events.iter().skip(at + 1).any(|(other, _)| other == name);
                assert!(
                    !later || !event.only.is_empty(),
                    "{log} {id} is there twice"
                );
            }
            for (_, event) in events {
                assert!(!event.means.is_empty() && !event.means.ends_with('.'));
            }
        }
        let meaning = known.meaning(NumberOf::Error, 1058);
        assert_eq!(meaning, Some("the service is disabled"));
        let alert = known.meaning(NumberOf::Alert, 70);
        assert_eq!(alert, Some("no common TLS version"));
        assert_eq!(known.meaning(NumberOf::Alert, 1058), None);
    }
}
