//! Evidence of the kind `bug_check`: the newest crash dump has one of these codes or names one of
//! these files, and Windows was not shut down cleanly since.

use serde::Deserialize;
use toml::Spanned;

use super::words::{self, fits};
use super::{EvidenceKind, Looked, Sighting};
use crate::facts::{BugCheck, Facts, FaultingImage};
use crate::progress::Interrupted;
use crate::written::{Numbers, Written, Wrong, wrong};

/// The greatest number of codes or files in one piece of evidence.
const MOST: usize = 50;
/// The bit that Windows sets in the code of a minidump if the parameters are those of an exception.
const OF_EXCEPTION: u32 = 0x1000_0000;

/// The newest dump has one of these codes, and Windows stopped in one of these files.
#[derive(Clone, Debug)]
pub(crate) struct BugCheckEvidence {
    /// Any code counts if there is none.
    codes: Vec<Numbers>,
    /// Any file counts, known or not, if there is none.
    files: Vec<String>,
}

/// The fields in a rule.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct BugCheckFile {
    codes: Spanned<Vec<Spanned<Written>>>,
    #[serde(default)]
    files: Vec<Spanned<String>>,
}

impl EvidenceKind for BugCheckEvidence {
    type Written = BugCheckFile;

    fn read(written: BugCheckFile) -> Result<Self, Wrong> {
        let (codes, files) = (written.codes.get_ref().len(), written.files.len());
        if codes.max(files) > MOST || codes + files == 0 {
            return Err(wrong(&written.codes)(format!(
                "name 1 to {MOST} codes or files"
            )));
        }
        if let Some(empty) = written.files.iter().find(|name| name.get_ref().is_empty()) {
            return Err(wrong(empty)("a file has a name".to_owned()));
        }
        let code = |code: &Spanned<Written>| {
            let expected = "expected a code, or a range such as \"0xc0..0xc9\"";
            words::numbers(code)?.ok_or_else(|| wrong(code)(expected.to_owned()))
        };
        let codes = written.codes.get_ref().iter().map(code);
        let codes = codes.collect::<Result<_, _>>()?;
        let files = written.files.into_iter().map(Spanned::into_inner);
        Ok(Self {
            codes,
            files: files.collect(),
        })
    }

    fn look(&self, facts: &Facts<'_>) -> Result<Looked, Interrupted> {
        let dumps = match facts.bug_checks() {
            Ok(dumps) => dumps,
            Err(reason) => return Ok(Looked::Unknown(reason)),
        };
        // What stopped Windows before a clean shutdown, or before another stop, it has survived.
        // Both times are in UTC and in one form, so their order is that of the text.
        let shutdown = facts.identity().last_shutdown.as_deref();
        let newest = dumps.first().filter(|dump| {
            let later = dump.time.as_deref() > shutdown || dump.time.is_none();
            later && self.has_code(dump.code)
        });
        let Some(dump) = newest else {
            return Ok(Looked::NotSeen);
        };
        let is_wanted = match &dump.image {
            _ if self.files.is_empty() => true,
            FaultingImage::Named(name) => self.files.iter().any(|pattern| fits(name, pattern)),
            FaultingImage::Untold => false,
            FaultingImage::Unreadable(reason) => {
                let text = format!("{}: {reason}", dump.path);
                return Ok(Looked::Unknown(text));
            }
        };
        let seen = is_wanted.then(|| Sighting {
            place: dump.path.clone(),
            found: found(dump),
            time: dump.time.clone(),
        });
        Ok(Looked::of(seen.into_iter().collect()))
    }

    fn shown(&self) -> String {
        let codes: Vec<String> = self.codes.iter().map(|code| shown_code(*code)).collect();
        let (codes, files) = (codes.join(" or "), self.files.join(" or "));
        match (codes.is_empty(), files.is_empty()) {
            (_, true) => format!("the newest crash dump has the code {codes}"),
            (true, false) => format!("the newest crash dump names {files}"),
            (false, false) => {
                format!("the newest crash dump has the code {codes} and names {files}")
            }
        }
    }
}

impl BugCheckEvidence {
    fn has_code(&self, code: u32) -> bool {
        let is =
            |known: &Numbers| known.has(code.into()) || known.has((code & !OF_EXCEPTION).into());
        self.codes.is_empty() || self.codes.iter().any(is)
    }
}

fn shown_code(codes: Numbers) -> String {
    if codes.from == codes.to {
        format!("{:#x}", codes.from)
    } else {
        format!("{:#x} to {:#x}", codes.from, codes.to)
    }
}

/// What a dump tells, for display.
fn found(dump: &BugCheck) -> String {
    let [one, two, three, four] = dump.parameters;
    let code = dump.code;
    let image = match &dump.image {
        FaultingImage::Named(name) => format!(", in {name}"),
        FaultingImage::Untold => String::new(),
        FaultingImage::Unreadable(reason) => format!("; the file is unknown: {reason}"),
    };
    format!("bug check {code:#x} ({one:#x}, {two:#x}, {three:#x}, {four:#x}){image}")
}
