//! Looking a path up as Windows does: one name at a time, without regard to case.

use std::ffi::{OsStr, OsString};
use std::io;
use std::path::{Path, PathBuf};

use crate::error::{LookupError, NotRegular};
use crate::file::File;
use crate::folder::{Access, Folder};
use crate::metadata::{Kind, Metadata};
use crate::name;

/// Names read of one folder when no name is spelled as asked for. The fullest folders of a Windows
/// volume hold some tens of thousands.
const MAX_NAMES: usize = 1 << 20;

/// A file or folder that a lookup ended at.
#[derive(Debug)]
pub struct Found {
    folder: Folder,
    name: OsString,
    path: PathBuf,
    metadata: Metadata,
}

impl Found {
    /// The folder that holds it, held open: the file's siblings are found here.
    #[must_use]
    pub fn folder(&self) -> &Folder {
        &self.folder
    }

    /// Its name as spelled on disk. On Unix a file system that disregards case itself finds the
    /// name as it was asked for.
    #[must_use]
    pub fn name(&self) -> &OsStr {
        &self.name
    }

    /// Its path from where the lookup started, for messages.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// What it is; never [`Kind::Link`].
    #[must_use]
    pub fn kind(&self) -> Kind {
        self.metadata.kind
    }

    /// Its metadata at the time of the lookup.
    #[must_use]
    pub fn metadata(&self) -> &Metadata {
        &self.metadata
    }

    /// Opens it as a file.
    ///
    /// # Errors
    /// As [`Folder::open_file`].
    pub fn open_file(&self, access: Access) -> io::Result<File> {
        self.folder.open_file(&self.name, access)
    }

    /// Opens it as a folder.
    ///
    /// # Errors
    /// [`io::ErrorKind::NotADirectory`], or as [`Folder::open_dir`].
    pub fn open_dir(&self) -> io::Result<Folder> {
        match self.metadata.kind {
            Kind::Folder => self.folder.open_dir(&self.name),
            kind => Err(io::Error::new(
                io::ErrorKind::NotADirectory,
                NotRegular { kind },
            )),
        }
    }
}

impl Folder {
    /// Finds the file or folder that `components` lead to, or `None` where there is none.
    ///
    /// A name that is spelled as asked for wins, but for Windows, which could open another one;
    /// otherwise case is disregarded as NTFS does. No link is followed, neither on the way nor at the end.
    ///
    /// # Errors
    /// [`LookupError::Link`] where a link stands on the way or at the end,
    /// [`LookupError::Ambiguous`] where only case tells two names apart,
    /// [`LookupError::NotAFolder`] where something else stands on the way.
    pub fn find<S: AsRef<str>>(&self, components: &[S]) -> Result<Option<Found>, LookupError> {
        let mut path = PathBuf::new();
        let io_at = |path: &Path| {
            let path = path.to_path_buf();
            move |source| LookupError::Io { path, source }
        };
        let Some((last, parents)) = components.split_last() else {
            let source = io::Error::new(io::ErrorKind::InvalidInput, "no name was given");
            return Err(io_at(&path)(source));
        };
        let mut folder = self.try_clone().map_err(io_at(&path))?;
        for parent in parents {
            let Some((name, metadata)) = folder.child(parent.as_ref(), &path)? else {
                return Ok(None);
            };
            path.push(&name);
            if metadata.kind != Kind::Folder {
                let kind = metadata.kind;
                return Err(LookupError::NotAFolder { path, kind });
            }
            folder = folder.open_dir(&name).map_err(io_at(&path))?;
        }
        Ok(folder.child(last.as_ref(), &path)?.map(|(name, metadata)| {
            path.push(&name);
            Found {
                folder,
                name,
                path,
                metadata,
            }
        }))
    }

    /// One step of a lookup; `at` is this folder's path.
    fn child(&self, wanted: &str, at: &Path) -> Result<Option<(OsString, Metadata)>, LookupError> {
        let io_at = |name: &OsStr| {
            let path = at.join(name);
            move |source| LookupError::Io { path, source }
        };
        let mut name = OsString::from(wanted);
        let metadata = match self.metadata(&name) {
            Ok(metadata) => match self.spelled(&name, at)? {
                Some(spelled) => {
                    name = spelled;
                    metadata
                }
                None => return Ok(None),
            },
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                match self.similar(&name, at)? {
                    Some(similar) => name = similar,
                    None => return Ok(None),
                }
                self.metadata(&name).map_err(io_at(&name))?
            }
            Err(error) => return Err(io_at(&name)(error)),
        };
        if metadata.kind == Kind::Link {
            let path = at.join(name);
            return Err(LookupError::Link { path });
        }
        Ok(Some((name, metadata)))
    }

    /// How the name that the file system found for `wanted` is spelled, where that is it but for
    /// case.
    fn spelled(&self, wanted: &OsStr, at: &Path) -> Result<Option<OsString>, LookupError> {
        let spellings = self.spellings(wanted).map_err(|source| LookupError::Io {
            path: at.join(wanted),
            source,
        })?;
        let mut spellings = spellings.into_iter();
        match (spellings.next(), spellings.next()) {
            (Some(first), Some(second)) => Err(LookupError::Ambiguous {
                folder: at.to_path_buf(),
                first: first.clone().min(second.clone()),
                second: first.max(second),
            }),
            (only, _) => Ok(only),
        }
    }

    /// The only name here that equals `wanted` but for case.
    fn similar(&self, wanted: &OsStr, at: &Path) -> Result<Option<OsString>, LookupError> {
        let io_error = |source| LookupError::Io {
            path: at.to_path_buf(),
            source,
        };
        let mut similar: Option<OsString> = None;
        for (count, name) in self.names().map_err(io_error)?.enumerate() {
            if count == MAX_NAMES {
                return Err(LookupError::TooManyNames {
                    folder: at.to_path_buf(),
                    limit: MAX_NAMES,
                });
            }
            let name = name.map_err(io_error)?;
            if !name::same(&name, wanted) {
                continue;
            }
            if let Some(first) = similar {
                return Err(LookupError::Ambiguous {
                    folder: at.to_path_buf(),
                    first: first.clone().min(name.clone()),
                    second: first.max(name),
                });
            }
            similar = Some(name);
        }
        Ok(similar)
    }
}
