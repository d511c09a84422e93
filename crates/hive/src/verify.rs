//! Verifies an edited hive, so that it may be committed.

use std::ops::Deref;

use crate::check::{Report, check};
use crate::edit::{Changes, Edited};
use crate::error::Corruption;
use crate::expectation::Expectation;
use crate::hive::Hive;

/// A hive that contains the results of its edit, with a structure that was checked completely and
/// is sound.
pub struct Verified {
    hive: Hive,
    report: Report,
}

/// A hive that contains the results of its edit. Its structure was checked only as far as the edit
/// has read it.
pub struct Unverified {
    hive: Hive,
}

/// A hive that may be committed.
pub enum Committable {
    /// The whole hive was checked.
    Verified(Verified),
    /// The caller skipped the check.
    Unverified(Unverified),
}

/// The reason why an edited hive must not be committed.
#[derive(Debug, thiserror::Error)]
pub enum VerifyError {
    /// An edited key or value can't be read.
    #[error(transparent)]
    Corrupt(#[from] Corruption),
    /// The hive does not contain the result of the edit.
    #[error("found {found}")]
    OtherThanEdited {
        /// What was found instead, and its place.
        found: String,
    },
    /// The check finds errors.
    #[error("the check finds {} errors", .0.errors)]
    Unsound(Box<Report>),
}

impl Verified {
    /// The result of the check.
    #[must_use]
    pub const fn report(&self) -> &Report {
        &self.report
    }
}

impl Deref for Committable {
    type Target = Hive;

    fn deref(&self) -> &Hive {
        match self {
            Self::Verified(Verified { hive, .. }) | Self::Unverified(Unverified { hive }) => hive,
        }
    }
}

impl From<Verified> for Committable {
    fn from(hive: Verified) -> Self {
        Self::Verified(hive)
    }
}

impl From<Unverified> for Committable {
    fn from(hive: Unverified) -> Self {
        Self::Unverified(hive)
    }
}

/// A hive that a test has changed page by page.
#[cfg(test)]
impl From<Hive> for Committable {
    fn from(hive: Hive) -> Self {
        Self::Unverified(Unverified { hive })
    }
}

impl Edited {
    /// The changes of the edit.
    #[must_use]
    pub const fn changes(&self) -> &Changes {
        &self.changes
    }

    /// The hive as it would be committed, for reading.
    #[must_use]
    pub const fn hive(&self) -> &Hive {
        &self.hive
    }

    /// Looks up every change, and checks the structure of the whole hive. Returns the changes too.
    ///
    /// # Errors
    /// See [`VerifyError`].
    pub fn verify(self) -> Result<(Verified, Changes), VerifyError> {
        self.look_up()?;
        let report = check(&self.hive);
        if report.is_sound() {
            let hive = self.hive;
            return Ok((Verified { hive, report }, self.changes));
        }
        Err(VerifyError::Unsound(Box::new(report)))
    }

    /// Looks up every change, but does not check the rest of the hive: damage that no edit has read
    /// stays unnoticed. Returns the changes too.
    ///
    /// # Errors
    /// See [`VerifyError`].
    pub fn skip_verification(self) -> Result<(Unverified, Changes), VerifyError> {
        self.look_up()?;
        Ok((Unverified { hive: self.hive }, self.changes))
    }

    fn look_up(&self) -> Result<(), VerifyError> {
        for expectation in Expectation::of_all(self.changes.list()) {
            if let Some(found) = expectation.differs(&self.hive)? {
                return Err(VerifyError::OtherThanEdited { found });
            }
        }
        Ok(())
    }
}
