//! Objects that a person should know of.

use serde::Serialize;

/// The greatest number of objects that are listed. All objects are counted.
const MOST_NOTES: usize = 1000;

/// Objects that a person should know of.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct ObjectNotes {
    /// The number of objects.
    pub count: u64,
    /// The first thousand objects.
    pub listed: Vec<ObjectNote>,
}

/// An object and a note about it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ObjectNote {
    /// Its path below the target's root, with `/`. Characters that can't be shown are escaped.
    pub path: String,
    /// The note.
    pub reason: String,
}

impl ObjectNotes {
    /// Adds an object.
    pub fn add(&mut self, path: &impl std::fmt::Display, reason: impl Into<String>) {
        self.count = self.count.saturating_add(1);
        if self.listed.len() < MOST_NOTES {
            self.listed.push(ObjectNote {
                path: path.to_string(),
                reason: reason.into(),
            });
        }
    }

    /// Adds all objects of another list.
    pub fn append(&mut self, other: Self) {
        self.count = self.count.saturating_add(other.count);
        let room = MOST_NOTES.saturating_sub(self.listed.len());
        self.listed.extend(other.listed.into_iter().take(room));
    }
}
