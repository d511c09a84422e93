//! The exit codes, on which scripts rely.

use std::fmt::Write as _;
use std::process::ExitCode;

use diskmend_repair::documents::Outcome;

/// How a run of the program ended. The numbers never change.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[repr(u8)]
pub enum Exit {
    /// All that was asked for is done, or there was nothing to do.
    Done = 0,
    /// It failed, and nothing was changed.
    Failure = 1,
    /// The command line is wrong; nothing was looked at.
    Usage = 2,
    /// Something was found, or changes are pending: from `inspect`, `plan` and the checks.
    Pending = 3,
    /// Some repairs failed, the others are done.
    Partial = 4,
    /// A guard refused; nothing was changed.
    Refused = 5,
    /// It failed half way, and what had been changed was put back.
    RolledBack = 6,
    /// It failed half way, and what had been changed was not put back.
    NotRolledBack = 7,
    /// Interrupted by a signal or Ctrl-C.
    Interrupted = 130,
}

impl Exit {
    /// All of them, in order.
    pub const ALL: [Self; 9] = [
        Self::Done,
        Self::Failure,
        Self::Usage,
        Self::Pending,
        Self::Partial,
        Self::Refused,
        Self::RolledBack,
        Self::NotRolledBack,
        Self::Interrupted,
    ];

    /// The number that the program ends with.
    #[must_use]
    pub const fn code(self) -> u8 {
        self as u8
    }

    /// What it means, in one line for the manual.
    #[must_use]
    pub const fn meaning(self) -> &'static str {
        match self {
            Self::Done => "done, or nothing to do",
            Self::Failure => "failed; nothing was changed",
            Self::Usage => "wrong usage; nothing was looked at",
            Self::Pending => {
                "something was found or changes are pending (inspect, plan, hive check, bcd check)"
            }
            Self::Partial => "some repairs failed, the others are done",
            Self::Refused => "refused by a guard; nothing was changed",
            Self::RolledBack => "failed, and what had been changed was put back",
            Self::NotRolledBack => "failed, and what had been changed was not put back",
            Self::Interrupted => "interrupted",
        }
    }

    /// All codes with their meanings, a line each, for help texts.
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
        assert_eq!(codes, [0, 1, 2, 3, 4, 5, 6, 7, 130]);
    }
}
