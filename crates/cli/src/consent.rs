//! Asking before something is written.

use crate::exit::Exit;
use crate::failure::Failure;
use crate::output::console;

/// Whether a person agreed to a change, or was not to be asked.
#[derive(Debug, clap::Args)]
pub(crate) struct Consent {
    /// Do it without asking
    #[arg(short, long)]
    yes: bool,
}

impl Consent {
    /// Refuses at once what would have to ask and can't.
    pub(crate) fn can_be_had(&self) -> Result<(), Failure> {
        if self.yes || console::can_ask() {
            return Ok(());
        }
        let message = "there is no terminal to ask on, and nothing is written unasked";
        Err(Failure::new(Exit::Usage, message).hint("add --yes to do it without asking"))
    }

    /// Whether a person has to be asked.
    pub(crate) fn asks(&self) -> bool {
        !self.yes
    }

    /// Asks, where that is still to be done.
    pub(crate) fn given(&self, question: &str) -> Result<bool, Failure> {
        if self.yes {
            return Ok(true);
        }
        let agreed = console::confirm(question)
            .map_err(|error| Failure::of(Exit::Failure, &error).context("cannot ask"))?;
        if !agreed {
            console::note("nothing was changed");
        }
        Ok(agreed)
    }
}
