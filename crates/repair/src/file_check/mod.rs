//! Checks of a file that may be damaged, and of one that is to take its place. Nothing is written.

mod age;
mod hive;
mod pe;

use diskmend_disk::{Access, Dir, Found};

use crate::digest::Content;
use crate::error::{Error, chain};
use crate::facts::Facts;
use crate::finding::{BadSource, Source};
use crate::rows::{CopyFrom, FileCheck};

pub(crate) use hive::{HEAD_LEN, close, is_log_of, logs_of};

/// What is wrong with a file; `None` if it is what it must be.
///
/// # Errors
/// If it can't be read.
pub(crate) fn damage(check: FileCheck, found: &Found) -> Result<Option<String>, Error> {
    match check {
        FileCheck::Hive => hive::damage(found),
        FileCheck::Pe => {
            let file = found.open(Access::Read);
            let file = file.map_err(Error::io(&found.path, "open the file"))?;
            Ok(pe::machine(file.as_ref()).err())
        }
        FileCheck::Nonempty => Ok((found.metadata.len == 0).then(|| EMPTY.to_owned())),
    }
}

/// What is said of a file without content.
const EMPTY: &str = "it is empty";

/// The place of a damaged or missing file.
#[derive(Clone, Copy)]
pub(crate) struct Damaged<'a> {
    pub(crate) folder: &'a dyn Dir,
    pub(crate) name: &'a str,
    /// The file; `None` if it is missing.
    pub(crate) file: Option<&'a Found>,
}

/// The file that is to take the place of a damaged one, if it can.
///
/// # Errors
/// If the caller interrupts.
pub(crate) fn source(
    facts: &Facts<'_>,
    copy: &CopyFrom,
    place: Damaged<'_>,
) -> Result<Result<Source, BadSource>, Error> {
    let names = copy.path.names();
    let path = names.join("/");
    let bad = |expected: &str, found: String| BadSource {
        path: path.clone(),
        expected: expected.to_owned(),
        found,
    };
    let expected = copy.check.expected();
    let found = match facts.site.root.as_ref().find(&names) {
        Ok(Some(found)) => found,
        Ok(None) => return Ok(Err(bad(expected, "no such file".to_owned()))),
        Err(error) => return Ok(Err(bad(expected, chain(&Error::from(error))))),
    };
    if found.kind() != diskmend_disk::Kind::File {
        return Ok(Err(bad(expected, found.kind().to_string())));
    }
    match same_volume(&found, place.folder) {
        Ok(true) => {}
        Ok(false) => {
            return Ok(Err(bad(
                "a file on the same volume",
                "a file on another volume".to_owned(),
            )));
        }
        Err(error) => return Ok(Err(bad(expected, error.to_string()))),
    }
    if found.metadata.len == 0 {
        return Ok(Err(bad(expected, "an empty file".to_owned())));
    }
    let read = match copy.check {
        FileCheck::Hive => hive::source(&found, place.name),
        FileCheck::Pe => pe_source(&found, place.file),
        FileCheck::Nonempty => plain(&found),
    };
    match read {
        Err(Wrong::Unread(error)) => Ok(Err(bad(expected, chain(&error)))),
        Err(Wrong::Content(what)) => Ok(Err(bad(expected, what))),
        Ok(source) if copy.check == FileCheck::Hive => {
            let expected_and_found = age::too_old(facts, place.name, source.written)?;
            Ok(match expected_and_found {
                None => Ok(source),
                Some((expected, found)) => Err(bad(&expected, found)),
            })
        }
        Ok(source) => Ok(Ok(source)),
    }
}

/// Why a file can't take the place of another one.
enum Wrong {
    /// It can't be read.
    Unread(Error),
    /// Its content isn't what it should be.
    Content(String),
}

impl From<Error> for Wrong {
    fn from(error: Error) -> Self {
        Self::Unread(error)
    }
}

fn same_volume(file: &Found, folder: &dyn Dir) -> std::io::Result<bool> {
    let volume = |dir: &dyn Dir| Ok::<_, std::io::Error>(dir.own_metadata()?.identity.device);
    Ok(volume(file.dir.as_ref())? == volume(folder)?)
}

fn plain(found: &Found) -> Result<Source, Wrong> {
    let io = || Error::io(&found.path, "read the file");
    let file = found.open(Access::Read).map_err(io())?;
    Ok(Source {
        path: found.path.clone(),
        content: Content::of_file(file.as_ref()).map_err(io())?,
        is_to_be_closed: false,
        written: None,
    })
}

fn pe_source(found: &Found, damaged: Option<&Found>) -> Result<Source, Wrong> {
    let open = |found: &Found| {
        let file = found.open(Access::Read);
        file.map_err(Error::io(&found.path, "open the file"))
    };
    let machine = pe::machine(open(found)?.as_ref()).map_err(Wrong::Content)?;
    // The headers of a damaged file often are still there.
    let before = match damaged {
        Some(damaged) => pe::stated_machine(open(damaged)?.as_ref()),
        None => None,
    };
    if before.is_some_and(|before| before != machine) {
        return Err(Wrong::Content(format!(
            "a file for {machine}, but the damaged one is for another machine"
        )));
    }
    plain(found)
}
