//! Evidence of the kind `bug_check`: the newest crash dump has one of these codes, and Windows was
//! not shut down cleanly since.

use serde::Deserialize;
use toml::Spanned;

use super::{EvidenceKind, Looked, Sighting};
use crate::diagnosis::disk::Disk;
use crate::progress::Interrupted;
use crate::rows::{Wrong, wrong};

/// The greatest number of codes in one piece of evidence.
const MAX_CODES: usize = 50;

/// The newest dump has one of these codes.
#[derive(Clone, Debug)]
pub(crate) struct BugCheckEvidence {
    codes: Vec<u32>,
}

/// The fields in a rule.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct BugCheckFile {
    codes: Spanned<Vec<u32>>,
}

impl EvidenceKind for BugCheckEvidence {
    type Written = BugCheckFile;

    fn read(written: BugCheckFile) -> Result<Self, Wrong> {
        let count = written.codes.get_ref().len();
        if count == 0 || count > MAX_CODES {
            return Err(wrong(&written.codes)(format!(
                "name 1 to {MAX_CODES} codes"
            )));
        }
        Ok(Self {
            codes: written.codes.into_inner(),
        })
    }

    fn look(&self, disk: &Disk<'_, '_>) -> Result<Looked, Interrupted> {
        let dumps = match disk.facts.bug_checks() {
            Ok(dumps) => dumps,
            Err(reason) => return Ok(Looked::Unknown(reason)),
        };
        // What stopped Windows before a clean shutdown, or before another stop, it has survived.
        // Both times are in UTC and in one form, so their order is that of the text.
        let shutdown = disk.facts.identity().last_shutdown.as_deref();
        let newest = dumps.first().filter(|dump| {
            let later = dump.time.as_deref() > shutdown || dump.time.is_none();
            later && self.codes.contains(&dump.code)
        });
        let seen = newest.map(|dump| {
            let [one, two, three, four] = dump.parameters;
            let found = format!(
                "bug check {:#x} ({one:#x}, {two:#x}, {three:#x}, {four:#x})",
                dump.code
            );
            Sighting {
                place: dump.path.clone(),
                found,
                time: dump.time.clone(),
            }
        });
        Ok(Looked::of(seen.into_iter().collect()))
    }

    fn shown(&self) -> String {
        let codes: Vec<String> = self.codes.iter().map(|code| format!("{code:#x}")).collect();
        format!("the newest crash dump has the code {}", codes.join(" or "))
    }
}
