//! Looking up a path as Windows does: one name at a time, ignoring case.

use std::io;
use std::path::{Path, PathBuf};

use crate::dir::{Access, Dir};
use crate::error::{LookupError, not_a_folder};
use crate::file::File;
use crate::metadata::{Kind, Metadata};
use crate::name;

/// The number of names read from a folder if none has the wanted spelling. The largest folders of a
/// Windows volume hold some tens of thousands.
const MAX_NAMES: usize = 1 << 20;

/// The file or folder that a lookup found.
#[derive(Debug)]
pub struct Found {
    /// The folder that holds it, kept open. The file's siblings are found through it.
    pub dir: Box<dyn Dir>,
    /// Its name as spelled on disk. On Unix, a file system that ignores case itself gives the name
    /// as it was asked for.
    pub name: String,
    /// Its path from the start of the lookup, with `/`.
    pub path: String,
    /// Its metadata at the time of the lookup.
    pub metadata: Metadata,
}

impl Found {
    /// Its kind. It is never [`Kind::Link`].
    #[must_use]
    pub const fn kind(&self) -> Kind {
        self.metadata.kind
    }

    /// Opens it as a file.
    ///
    /// # Errors
    /// The errors of [`Dir::open`].
    pub fn open(&self, access: Access) -> io::Result<Box<dyn File>> {
        self.dir.open(&self.name, access)
    }

    /// Opens it as a folder.
    ///
    /// # Errors
    /// [`io::ErrorKind::NotADirectory`], or the errors of [`Dir::open_dir`].
    pub fn open_dir(&self) -> io::Result<Box<dyn Dir>> {
        match self.kind() {
            Kind::Folder => self.dir.open_dir(&self.name),
            kind => Err(not_a_folder(kind)),
        }
    }
}

impl dyn Dir + '_ {
    /// Finds the file or folder that `components` lead to; `None` if there is none.
    ///
    /// A name with exactly this spelling wins, except on Windows, which could open another one.
    /// Otherwise case is ignored, as NTFS does. No link is followed, neither on the way nor at the
    /// end.
    ///
    /// # Errors
    /// [`LookupError::Link`] if a link is on the way or at the end, [`LookupError::Ambiguous`] if
    /// two names differ only in case, [`LookupError::NotAFolder`] if something else is on the way.
    pub fn find(&self, components: &[&str]) -> Result<Option<Found>, LookupError> {
        find(self.try_clone(), components)
    }
}

fn io_at(path: PathBuf) -> impl FnOnce(io::Error) -> LookupError {
    move |source| LookupError::Io { path, source }
}

/// Finds the file or folder that `components` lead to from a folder; see `find` of [`Dir`].
pub(crate) fn find(
    start: io::Result<Box<dyn Dir>>,
    components: &[&str],
) -> Result<Option<Found>, LookupError> {
    let mut path = PathBuf::new();
    let Some((last, parents)) = components.split_last() else {
        let source = io::Error::new(io::ErrorKind::InvalidInput, "no name was given");
        return Err(io_at(path)(source));
    };
    let mut dir = start.map_err(io_at(path.clone()))?;
    let mut names = Vec::with_capacity(components.len());
    for parent in parents {
        let Some((name, metadata)) = child(dir.as_ref(), parent, &path)? else {
            return Ok(None);
        };
        path.push(&name);
        if metadata.kind != Kind::Folder {
            let kind = metadata.kind;
            return Err(LookupError::NotAFolder { path, kind });
        }
        dir = dir.open_dir(&name).map_err(io_at(path.clone()))?;
        names.push(name);
    }
    let Some((name, metadata)) = child(dir.as_ref(), last, &path)? else {
        return Ok(None);
    };
    names.push(name.clone());
    Ok(Some(Found {
        dir,
        name,
        path: names.join("/"),
        metadata,
    }))
}

/// One step of a lookup. `at` is the folder's path.
fn child(
    dir: &dyn Dir,
    wanted: &str,
    at: &Path,
) -> Result<Option<(String, Metadata)>, LookupError> {
    let (name, metadata) = match dir.metadata(wanted) {
        Ok(metadata) => {
            let spellings = dir.spellings(wanted).map_err(io_at(at.join(wanted)))?;
            match only(spellings, at)? {
                Some(spelled) => (spelled, metadata),
                None => return Ok(None),
            }
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            let Some(similar) = similar(dir, wanted, at)? else {
                return Ok(None);
            };
            let metadata = dir.metadata(&similar).map_err(io_at(at.join(&similar)))?;
            (similar, metadata)
        }
        Err(error) => return Err(io_at(at.join(wanted))(error)),
    };
    if metadata.kind == Kind::Link {
        let path = at.join(name);
        return Err(LookupError::Link { path });
    }
    Ok(Some((name, metadata)))
}

/// The only name in a folder that equals `wanted` if case is ignored.
fn similar(dir: &dyn Dir, wanted: &str, at: &Path) -> Result<Option<String>, LookupError> {
    let names = dir.names(MAX_NAMES).map_err(|source| match source.kind() {
        io::ErrorKind::FileTooLarge => LookupError::TooManyNames {
            folder: at.to_path_buf(),
            limit: MAX_NAMES,
        },
        _ => io_at(at.to_path_buf())(source),
    })?;
    let same = |name: &String| name::same(name.as_ref(), wanted.as_ref());
    only(names.into_iter().filter(same), at)
}

/// The only one of these names; an error if there are two.
fn only(names: impl IntoIterator<Item = String>, at: &Path) -> Result<Option<String>, LookupError> {
    let mut names = names.into_iter();
    match (names.next(), names.next()) {
        (Some(first), Some(second)) => Err(LookupError::Ambiguous {
            folder: at.to_path_buf(),
            first: first.clone().min(second.clone()).into(),
            second: first.max(second).into(),
        }),
        (only, _) => Ok(only),
    }
}
