//! A target opened for one command.

use diskmend_disk::{GuardError, Target, guard};

use crate::error::{Error, Refusal};
use crate::facts::{Accounts, Facts, accounts_of};
use crate::progress::{Phase, Watch};
use crate::site::{Options, Site};

/// A target opened for one command. Its root, its folder for undo data and the volume of its boot
/// store are opened once and serve the whole command. Opening writes nothing.
pub struct Engine {
    pub(crate) target: Target,
    pub(crate) options: Options,
    pub(crate) site: Site,
}

impl Engine {
    /// Opens the target for a command.
    ///
    /// # Errors
    /// If a named folder can't be opened; see [`Error`].
    pub fn open(target: Target, options: Options) -> Result<Self, Error> {
        Ok(Self {
            site: Site::of(&target, &options)?,
            target,
            options,
        })
    }

    /// The target.
    #[must_use]
    pub const fn target(&self) -> &Target {
        &self.target
    }

    /// The facts about the target. Each is read when it is first asked for. Nothing is written.
    pub fn facts<'a>(&'a self, watch: &'a mut Watch<'_>) -> Facts<'a> {
        Facts::of(&self.site, &self.options, watch.lend())
    }

    /// Reads the SIDs of the machine and its domain from the hives SAM and SECURITY. A hive that
    /// can't be read is reported as a problem and isn't an error. Nothing is written.
    #[must_use]
    pub fn accounts(&self) -> Accounts {
        accounts_of(&self.site)
    }

    /// True if diskmend has never worked here, and the target isn't a Windows volume: it has neither
    /// the folder of Windows's hives nor a folder for undo data. Nothing is written.
    ///
    /// # Errors
    /// If the folder for undo data can't be opened; see [`Error`].
    pub fn is_not_a_target(&self) -> Result<bool, Error> {
        let windows = guard::windows_volume(&self.target);
        Ok(matches!(windows, Err(GuardError::NotWindows)) && self.site.state.is_missing()?)
    }

    /// Refuses the disk of the running system. A command that changes the target says this before
    /// anything else that is wrong with the target.
    ///
    /// # Errors
    /// The errors of [`guard::not_own_disk`]; see [`Error`].
    pub fn not_own_disk(&self) -> Result<(), Error> {
        Ok(guard::not_own_disk(&self.target)?)
    }

    /// Lets `undo` undo the run that it names, although no known key has sealed it: a person has
    /// seen what that would do.
    pub fn vouch(&mut self) {
        self.site.judge.vouched = true;
    }

    /// Refuses a target before anybody is asked about a change, if it is the disk of the running
    /// system, if the place for undo data isn't known, if somebody else may have written to that
    /// folder, or if the target is in use.
    ///
    /// # Errors
    /// The errors of [`guard::not_own_disk`], [`Refusal::StateFolderNeeded`], [`Refusal::StateFolderOpen`], [`Refusal::NoKey`] if the undo
    /// data couldn't be sealed, and the errors of [`guard::not_in_use`]; see [`Error`].
    pub fn ready_for_changes(&self) -> Result<(), Error> {
        self.not_own_disk()?;
        self.site.state.require_place()?;
        self.site.state.require_private()?;
        self.site.judge.require_key().map_err(Refusal::NoKey)?;
        Ok(guard::not_in_use(&self.target)?)
    }

    /// Checks the guards for writing to the target, and to the volume of its boot store if that was
    /// named.
    pub(crate) fn guard(
        &self,
        guards: fn(&Target) -> Result<(), Error>,
        watch: &mut Watch<'_>,
    ) -> Result<(), Error> {
        self.not_own_disk()?;
        self.site.state.require_place()?;
        watch.phase(Phase::Guards, &self.site.display)?;
        guards(&self.target)?;
        if let Some(volume) = &self.site.boot.volume {
            volume.guards(true)?;
        }
        self.site.state.require_private()
    }
}
