//! Stores the key that seals this machine's runs. The key is off every disk that is repaired, and
//! only the user who runs diskmend can read it.

#[cfg(unix)]
mod unix;
#[cfg(windows)]
mod windows;

use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};

use diskmend_repair::{Key, KeyError, KeyStore};

#[cfg(unix)]
use unix as system;
#[cfg(windows)]
use windows as system;

/// The variable that names another file for the key.
pub(crate) const VARIABLE: &str = "DISKMEND_KEY_FILE";
/// The name of the folder and of the file in it.
const FOLDER: &str = "diskmend";
const FILE: &str = "key";
/// The maximum length of a key file in bytes.
const MAX_LEN: u64 = 4096;

/// The file with this machine's key.
#[derive(Debug)]
pub(crate) struct KeyFile {
    place: Result<Place, KeyError>,
}

/// The place of the file.
#[derive(Clone, Debug)]
struct Place {
    path: PathBuf,
    /// True if the folder is diskmend's own, and is created if it is missing.
    own_folder: bool,
}

impl KeyFile {
    /// The key file of this machine, or of this user if the user is not the administrator.
    pub(crate) fn of_this_machine() -> Self {
        Self { place: place() }
    }

    /// The path of the key file.
    pub(crate) fn path(&self) -> Result<&Path, KeyError> {
        match &self.place {
            Ok(place) => Ok(&place.path),
            Err(error) => Err(error.clone()),
        }
    }
}

impl KeyStore for KeyFile {
    fn load(&self) -> Result<Option<Key>, KeyError> {
        match &self.place {
            Ok(place) => place.load(),
            Err(error) => Err(error.clone()),
        }
    }

    fn obtain(&self) -> Result<Key, KeyError> {
        let place = self.place.as_ref().map_err(KeyError::clone)?;
        if let Some(key) = place.load()? {
            return Ok(key);
        }
        place.create()?;
        // Another diskmend may have created the key first; in any case the file is checked like any
        // other.
        let gone = || KeyError::new(format!("{}: gone again", place.path.display()));
        place.load()?.ok_or_else(gone)
    }
}

/// Reads the key of another machine from a file that the user named.
pub(crate) fn read(path: &str) -> Result<KnownKey, String> {
    let file = File::open(path).map_err(|error| error.to_string())?;
    let is_file = file.metadata().is_ok_and(|metadata| metadata.is_file());
    if !is_file {
        return Err("not a regular file".to_owned());
    }
    let key = parse(file).map_err(|error| error.to_string())?;
    Ok(KnownKey {
        path: path.to_owned(),
        key,
    })
}

/// The key of another machine, and the file that contains it.
#[derive(Clone, Debug)]
pub(crate) struct KnownKey {
    pub(crate) path: String,
    pub(crate) key: Key,
}

fn place() -> Result<Place, KeyError> {
    if let Some(path) = std::env::var_os(VARIABLE).filter(|path| !path.is_empty()) {
        return Ok(Place {
            path: path.into(),
            own_folder: false,
        });
    }
    let folder = system::state_folder().ok_or_else(|| {
        KeyError::new(format!(
            "there is no folder for it: neither XDG_STATE_HOME nor HOME is set; {VARIABLE} names a \
             file"
        ))
    })?;
    Ok(Place {
        path: folder.join(FOLDER).join(FILE),
        own_folder: true,
    })
}

fn parse(file: File) -> Result<Key, KeyError> {
    let mut text = String::new();
    file.take(MAX_LEN)
        .read_to_string(&mut text)
        .map_err(|error| KeyError::new(error.to_string()))?;
    Key::from_line(&text)
}

impl Place {
    fn folder(&self) -> &Path {
        match self.path.parent() {
            Some(folder) if !folder.as_os_str().is_empty() => folder,
            _ => Path::new("."),
        }
    }

    fn told(&self, what: &str) -> impl FnOnce(io::Error) -> KeyError {
        let path = self.path.display().to_string();
        let what = what.to_owned();
        move |error| KeyError::new(format!("{path}: cannot {what}: {error}"))
    }

    fn load(&self) -> Result<Option<Key>, KeyError> {
        let file = match system::open(&self.path) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(self.told("open it")(error)),
        };
        self.check(&file)?;
        let shown = self.path.display();
        let key = parse(file).map_err(|error| KeyError::new(format!("{shown}: {error}")))?;
        Ok(Some(key))
    }

    fn create(&self) -> Result<(), KeyError> {
        if self.own_folder {
            self.create_folder()?;
        }
        let key = Key::generate().map_err(self.told("make a key"))?;
        // Written under a temporary name first, so that nobody sees a half written key file.
        let new = self
            .folder()
            .join(format!("{FILE}.new-{}-{}", std::process::id(), key.id()));
        let made = self.create_at(&new, &key);
        let gone = fs::remove_file(&new);
        made.and(gone).map_err(self.told("write it"))?;
        system::sync_folder(self.folder()).map_err(self.told("flush its folder"))
    }

    fn create_at(&self, new: &Path, key: &Key) -> io::Result<()> {
        let mut file = system::create_new(new)?;
        file.write_all(key.to_line().as_bytes())?;
        file.sync_all()?;
        match fs::hard_link(new, &self.path) {
            // Another diskmend created the key first, and that is this machine's key.
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
            linked => linked,
        }
    }
}

/// Writes a key to a new file that only its owner may read.
pub(crate) fn export(key: &Key, path: &Path) -> io::Result<()> {
    let mut file = system::create_new(path)?;
    file.write_all(key.to_line().as_bytes())?;
    file.sync_all()
}

#[cfg(test)]
#[cfg(unix)]
mod tests {
    use std::os::unix::fs::{PermissionsExt as _, symlink};

    use super::*;

    fn store(folder: &Path) -> KeyFile {
        KeyFile {
            place: Ok(Place {
                path: folder.join(FOLDER).join(FILE),
                own_folder: true,
            }),
        }
    }

    fn mode(path: &Path) -> u32 {
        let metadata = fs::metadata(path).expect("there");
        metadata.permissions().mode() & 0o7777
    }

    fn set_mode(path: &Path, mode: u32) {
        fs::set_permissions(path, fs::Permissions::from_mode(mode)).expect("own");
    }

    #[test]
    fn a_key_is_made_once_for_its_owner_alone() {
        let folder = tempfile::tempdir().expect("a folder");
        let store = store(folder.path());
        assert_eq!(store.load(), Ok(None));
        assert!(
            !folder.path().join(FOLDER).exists(),
            "loading creates nothing"
        );
        // All threads that start at once must get the same key.
        let keys: Vec<Key> = std::thread::scope(|scope| {
            let all: Vec<_> = (0..8).map(|_| scope.spawn(|| store.obtain())).collect();
            let all = all.into_iter().map(|one| one.join().expect("no panic"));
            all.collect::<Result<_, _>>().expect("a key")
        });
        assert!(keys.iter().all(|key| *key == keys[0]));
        assert_eq!(store.load(), Ok(Some(keys[0].clone())));
        let path = store.path().expect("known");
        assert_eq!(
            (mode(path), mode(path.parent().expect("one"))),
            (0o600, 0o700)
        );
        let names = fs::read_dir(folder.path().join(FOLDER)).expect("a folder");
        assert_eq!(names.count(), 1, "no other file is left");
    }

    #[test]
    fn a_key_that_somebody_else_could_have_put_there_is_refused() {
        let folder = tempfile::tempdir().expect("a folder");
        let store = store(folder.path());
        store.obtain().expect("a key");
        let path = store.path().expect("known").to_path_buf();
        set_mode(&path, 0o640);
        let error = store.load().expect_err("readable to others");
        assert!(error.to_string().contains("chmod 600"), "{error}");
        set_mode(&path, 0o600);
        set_mode(&folder.path().join(FOLDER), 0o777);
        assert!(store.obtain().is_err(), "a folder that everybody can write");
        set_mode(&folder.path().join(FOLDER), 0o700);
        assert!(store.load().is_ok());
        let elsewhere = folder.path().join("elsewhere");
        fs::rename(&path, &elsewhere).expect("own");
        symlink(&elsewhere, &path).expect("own");
        assert!(store.obtain().is_err(), "a link");
        fs::remove_file(&path).expect("own");
        for bytes in ["", "diskmend-key-1 x y", "\u{0}"] {
            fs::write(&path, bytes).expect("own");
            set_mode(&path, 0o600);
            assert!(store.obtain().is_err(), "{bytes:?}");
            assert_eq!(fs::read_to_string(&path).expect("own"), bytes);
            fs::remove_file(&path).expect("own");
        }
        rustix::fs::mknodat(
            rustix::fs::CWD,
            &path,
            rustix::fs::FileType::Fifo,
            0o600.into(),
            0,
        )
        .expect("own");
        assert!(store.obtain().is_err(), "does not wait for a FIFO");
    }
}
