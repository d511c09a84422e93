//! Evidence of the kind `file`: a file of the target that is there, is empty, or is missing.

use diskmend_disk::{Kind, LookupError};
use serde::Deserialize;
use toml::Spanned;

use super::{EvidenceKind, Looked, Sighting};
use crate::error::chain;
use crate::facts::Facts;
use crate::progress::Interrupted;
use crate::written::{FolderPath, Wrong, wrong};

/// A file in this state.
#[derive(Clone, Debug)]
pub(crate) struct FileEvidence {
    path: FolderPath,
    is: State,
}

/// The state of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// It isn't there.
    Missing,
    /// It has no content.
    Empty,
    /// It is there, and has content.
    Present,
}

/// The fields in a rule.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct FileFile {
    path: Spanned<String>,
    is: Spanned<String>,
}

impl EvidenceKind for FileEvidence {
    type Written = FileFile;

    fn read(written: FileFile) -> Result<Self, Wrong> {
        let path = FolderPath::parse(written.path.get_ref()).map_err(wrong(&written.path))?;
        let is = match written.is.get_ref().as_str() {
            "missing" => State::Missing,
            "empty" => State::Empty,
            "present" => State::Present,
            other => {
                return Err(wrong(&written.is)(format!(
                    "\"{other}\" is none of \"missing\", \"empty\" and \"present\""
                )));
            }
        };
        Ok(Self { path, is })
    }

    /// No link is followed, so nothing outside of the target is looked at.
    fn look(&self, facts: &Facts<'_>) -> Result<Looked, Interrupted> {
        let shown = self.path.names().join("/");
        let found = match facts.site.root.as_ref().find(&self.path.names()) {
            Ok(found) => found,
            // Something else than a folder is on the way.
            Err(LookupError::NotAFolder { .. }) => None,
            Err(error) => return Ok(Looked::Unknown(chain(&error))),
        };
        let Some(found) = found else {
            return Ok(match self.is {
                State::Missing => Looked::Seen(vec![Sighting::new(shown, "missing")]),
                State::Empty | State::Present => Looked::NotSeen,
            });
        };
        let len = found.metadata.len;
        let is_empty = found.kind() == Kind::File && len == 0;
        let said = match (self.is, found.kind()) {
            (State::Empty, _) if is_empty => "empty".to_owned(),
            (State::Present, Kind::File) if !is_empty => format!("{len} bytes"),
            (State::Present, kind) if !is_empty => kind.to_string(),
            _ => return Ok(Looked::NotSeen),
        };
        Ok(Looked::Seen(vec![Sighting::new(found.path, said)]))
    }

    fn shown(&self) -> String {
        let is = match self.is {
            State::Missing => "missing",
            State::Empty => "empty",
            State::Present => "present",
        };
        format!("{} is {is}", self.path)
    }
}
