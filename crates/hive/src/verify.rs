//! From an edited hive to one that may be committed: two readers must agree on it.

use std::ops::Deref;

use crate::edit::Edited;
use crate::hive::Hive;

/// A hive that may be committed: edited and verified, or recovered only.
pub struct Verified {
    hive: Hive,
}

impl Deref for Verified {
    type Target = Hive;

    fn deref(&self) -> &Hive {
        &self.hive
    }
}

impl Edited {
    /// Number of edits that changed something.
    #[must_use]
    pub fn changes(&self) -> usize {
        self.changes
    }

    /// The hive as it would be committed, to read from.
    #[must_use]
    pub fn hive(&self) -> &Hive {
        &self.hive
    }

    /// Lets the hive be committed without any check. What the edits themselves have read was
    /// checked; damage elsewhere in the hive stays unnoticed.
    #[must_use]
    pub fn unverified(self) -> Verified {
        Verified { hive: self.hive }
    }
}
