//! Asks the user before something is written.

use crate::exit::Exit;
use crate::failure::Failure;
use crate::output::console;

/// The `--yes` option, and the question that it replaces.
#[derive(Clone, Copy, Debug, clap::Args)]
pub(crate) struct Consent {
    /// Do not ask
    #[arg(short, long)]
    yes: bool,
}

impl Consent {
    /// Fails if the command would have to ask and can't. Whatever else is wrong is said first.
    pub(crate) fn can_be_had(&self) -> Result<(), Failure> {
        if self.yes || console::can_ask() {
            return Ok(());
        }
        let message = "there is no terminal to ask on, and diskmend writes nothing without asking";
        Err(Failure::new(Exit::Usage, message).hint("add --yes if you do not want to be asked"))
    }

    /// True if the command has to ask.
    pub(crate) fn asks(&self) -> bool {
        !self.yes
    }

    /// Asks, unless the user has agreed already.
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
