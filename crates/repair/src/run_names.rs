//! The names of runs in an error.

use std::fmt;

use crate::run_id::RunId;

/// The maximum number of names that an error lists.
const MOST_LISTED: usize = 5;

/// The names of runs, for display; a disk can contain very many.
#[derive(Debug, Default)]
pub struct RunNames {
    /// The newest ones, newest first.
    listed: Vec<String>,
    /// The number of others.
    more: usize,
}

impl RunNames {
    /// The names of these runs, which are in order.
    pub(crate) fn of(ids: &[RunId]) -> Self {
        let newest = ids.iter().rev().take(MOST_LISTED);
        let listed: Vec<String> = newest.map(ToString::to_string).collect();
        Self {
            more: ids.len().saturating_sub(listed.len()),
            listed,
        }
    }

    /// True if there are no runs.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.listed.is_empty()
    }
}

impl fmt::Display for RunNames {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.listed.join(", "))?;
        match self.more {
            0 => Ok(()),
            more => write!(f, " and {more} more"),
        }
    }
}
