//! Objects that a person should know of.

use serde::Serialize;

/// Most objects that are listed one by one; all are counted.
const MOST_NOTES: usize = 1000;

/// Objects that a person should know of.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct ObjectNotes {
    /// How many.
    pub count: u64,
    /// The first thousand of them.
    pub listed: Vec<ObjectNote>,
}

/// An object, and what to know about it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ObjectNote {
    /// Its path below the target's root, with `/`, and with what can't be shown escaped.
    pub path: String,
    /// What there is to know.
    pub reason: String,
}

impl ObjectNotes {
    /// Takes note of one more.
    pub fn add(&mut self, path: &impl std::fmt::Display, reason: impl Into<String>) {
        self.count = self.count.saturating_add(1);
        if self.listed.len() < MOST_NOTES {
            self.listed.push(ObjectNote {
                path: path.to_string(),
                reason: reason.into(),
            });
        }
    }

    /// Takes note of all of another list.
    pub fn append(&mut self, other: Self) {
        self.count = self.count.saturating_add(other.count);
        let room = MOST_NOTES.saturating_sub(self.listed.len());
        self.listed.extend(other.listed.into_iter().take(room));
    }
}
