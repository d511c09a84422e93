//! The failure of a command: its exit code, its message, and hints what to do.

use std::error::Error;
use std::ffi::OsStr;
use std::fmt::Display;
use std::io;
use std::path::Path;

use diskmend_base::chain;
use serde::ser::{Serialize, SerializeStruct as _, Serializer};

use crate::exit::Exit;

/// A command that failed.
#[derive(Debug)]
pub(crate) struct Failure {
    exit: Exit,
    message: String,
    hints: Vec<String>,
    closed_pipe: bool,
}

impl Failure {
    /// A failure with this message.
    pub(crate) fn new(exit: Exit, message: impl Display) -> Self {
        Self {
            exit,
            message: message.to_string(),
            hints: Vec::new(),
            closed_pipe: false,
        }
    }

    /// A failure from an error with all its causes.
    pub(crate) fn of(exit: Exit, error: &dyn Error) -> Self {
        Self::new(exit, chain(error))
    }

    /// Prepends what the program was doing, as a fragment.
    pub(crate) fn context(mut self, what: impl Display) -> Self {
        self.message = format!("{what}: {}", self.message);
        self
    }

    /// Inserts the file's path as typed, if the message has only the file's name or no name.
    pub(crate) fn about(mut self, path: &Path) -> Self {
        let typed = path.display().to_string();
        if self.message.contains(&typed) {
            return self;
        }
        let name = path.file_name().map(OsStr::to_string_lossy);
        let bare = name.and_then(|name| self.message.strip_prefix(&*name));
        if let Some(rest) = bare.and_then(|rest| rest.strip_prefix(": ")) {
            self.message = rest.to_owned();
        }
        self.context(typed)
    }

    /// Changes the exit code.
    pub(crate) fn with_exit(mut self, exit: Exit) -> Self {
        self.exit = exit;
        self
    }

    /// Adds a hint.
    pub(crate) fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hints.push(hint.into());
        self
    }

    /// Adds a hint if there is one.
    pub(crate) fn maybe_hint(self, hint: Option<impl Into<String>>) -> Self {
        match hint {
            Some(hint) => self.hint(hint),
            None => self,
        }
    }

    pub(crate) fn exit(&self) -> Exit {
        self.exit
    }

    pub(crate) fn message(&self) -> &str {
        &self.message
    }

    pub(crate) fn hints(&self) -> &[String] {
        &self.hints
    }

    /// True if the reader of the output has closed it.
    pub(crate) fn is_closed_pipe(&self) -> bool {
        self.closed_pipe
    }
}

impl Serialize for Failure {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut document = serializer.serialize_struct("Failure", 3)?;
        document.serialize_field("exit", &self.exit.code())?;
        document.serialize_field("error", &self.message)?;
        document.serialize_field("hints", &self.hints)?;
        document.end()
    }
}

/// The output could not be written. A closed pipe is the reader's choice, not an error.
impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Self {
        let closed_pipe = error.kind() == io::ErrorKind::BrokenPipe;
        let exit = if closed_pipe {
            Exit::Done
        } else {
            Exit::Failure
        };
        Self {
            closed_pipe,
            ..Self::of(exit, &error).context("cannot write the result")
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, thiserror::Error)]
    #[error("outer")]
    struct Outer {
        source: Transparent,
    }

    #[derive(Debug, thiserror::Error)]
    #[error(transparent)]
    struct Transparent(#[from] io::Error);

    #[test]
    fn every_cause_is_named_once() {
        let source = Transparent(io::Error::other("inner"));
        let failure = Failure::of(Exit::Failure, &Outer { source });
        assert_eq!(failure.message, "outer: inner");
        assert_eq!(failure.context("read").message, "read: outer: inner");
    }

    #[test]
    fn the_file_is_named_once_as_it_was_typed() {
        let about = |message: &str| {
            let failure = Failure::new(Exit::Failure, message);
            failure.about("some/where/SYSTEM".as_ref()).message
        };
        let named = "some/where/SYSTEM: not found";
        assert_eq!(about("SYSTEM: not found"), named);
        assert_eq!(about("not found"), named);
        assert_eq!(about(named), named);
    }

    #[test]
    fn a_closed_pipe_is_no_failure() {
        let failure = Failure::from(io::Error::from(io::ErrorKind::BrokenPipe));
        assert!(failure.closed_pipe);
        assert_eq!(failure.exit, Exit::Done);
        let failure = Failure::from(io::Error::from(io::ErrorKind::StorageFull));
        assert_eq!(failure.exit, Exit::Failure);
    }
}
