//! The exit codes. Scripts rely on them.

use std::fmt::Write as _;
use std::process::ExitCode;

use diskmend_repair::documents::Outcome;

/// How the program ended. The numbers never change.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[repr(u8)]
pub enum Exit {
    /// Everything that was requested is done, or there was nothing to do.
    Done = 0,
    /// The command failed and changed nothing.
    Failure = 1,
    /// The command line is wrong; nothing was changed.
    Usage = 2,
    /// There are faults, or changes that were only shown: by `diagnose`, `inspect`, `plan`, a check, `acl
    /// diff` or a dry run, or because the user answered no.
    Pending = 3,
    /// Some repairs failed, the others succeeded.
    Partial = 4,
    /// A guard refused; nothing was changed.
    Refused = 5,
    /// The command failed half way, and its changes were rolled back.
    RolledBack = 6,
    /// The command failed half way, and its changes could not be rolled back.
    NotRolledBack = 7,
    /// The command ended with 0 or 3, and its changes stay, but the page of `--report` could not
    /// be written.
    NoReport = 8,
    /// A signal or Ctrl-C interrupted the command.
    Interrupted = 130,
}

impl Exit {
    /// All exit codes, in order.
    pub const ALL: [Self; 10] = [
        Self::Done,
        Self::Failure,
        Self::Usage,
        Self::Pending,
        Self::Partial,
        Self::Refused,
        Self::RolledBack,
        Self::NotRolledBack,
        Self::NoReport,
        Self::Interrupted,
    ];

    /// The number of the exit code.
    #[must_use]
    pub const fn code(self) -> u8 {
        self as u8
    }

    /// The meaning of the exit code, in one line for the manual.
    #[must_use]
    pub const fn meaning(self) -> &'static str {
        match self {
            Self::Done => "done, or nothing to do",
            Self::Failure => "failed; nothing was changed",
            Self::Usage => "wrong usage; nothing was changed",
            Self::Pending => {
                "faults, or changes not made (inspect, plan, check, acl diff, --dry-run, or you \
                 answered no)"
            }
            Self::Partial => "some repairs failed, the others succeeded",
            Self::Refused => "refused by a guard; nothing was changed",
            Self::RolledBack => "failed, and the changes were rolled back",
            Self::NotRolledBack => "failed, and the changes could not be rolled back",
            Self::NoReport => {
                "done, and all changes stay, but the page of --report was not written"
            }
            Self::Interrupted => "interrupted",
        }
    }

    /// The exit code of a command that would have ended with this one, but could not write the page
    /// of `--report`. A code that says that something else went wrong stays.
    pub(crate) const fn without_report(self) -> Self {
        match self {
            Self::Done | Self::Pending => Self::NoReport,
            other => other,
        }
    }

    /// All exit codes with their meanings, one line each, for help texts.
    #[must_use]
    pub fn table() -> String {
        Self::ALL.iter().fold(String::new(), |mut text, exit| {
            let _ = writeln!(text, "  {:>3}  {}", exit.code(), exit.meaning());
            text
        })
    }
}

impl From<Outcome> for Exit {
    fn from(outcome: Outcome) -> Self {
        match outcome {
            Outcome::NothingToDo | Outcome::Done => Self::Done,
            Outcome::PartlyDone => Self::Partial,
        }
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit.code())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_numbers_are_those_that_scripts_know() {
        let codes = Exit::ALL.map(Exit::code);
        assert_eq!(codes, [0, 1, 2, 3, 4, 5, 6, 7, 8, 130]);
    }
}
