//! A path on a volume, and the volume's root.

use std::ffi::OsStr;
use std::path::{Component, Path, PathBuf};

use diskmend_disk::Target;
use diskmend_repair::Engine;

use crate::exit::Exit;
use crate::failure::Failure;
use crate::hints;
use crate::target_arg::{StateArgs, VolumeArgs};
use crate::volume_root::volume_root;

/// A file or folder on a volume.
#[derive(Debug, clap::Args)]
pub(crate) struct PathArgs {
    /// The file or folder
    pub(crate) path: PathBuf,
    /// The mount point of the volume, or its drive letter; or an unmounted disk: an image file
    /// (raw, VHD, VHDX) or a block device; PATH may then be relative to its root
    #[arg(long, value_name = "TARGET")]
    target: Option<PathBuf>,
    #[command(flatten)]
    volume: VolumeArgs,
    #[command(flatten)]
    state: StateArgs,
}

/// A path on an open volume.
pub(crate) struct Located {
    pub(crate) target: Target,
    /// The root, as hints name it.
    pub(crate) root: PathBuf,
    /// The names from the root on; empty for the root itself.
    names: Vec<String>,
}

impl Located {
    pub(crate) fn names(&self) -> Vec<&str> {
        self.names.iter().map(String::as_str).collect()
    }
}

impl PathArgs {
    /// Finds the volume's root and opens it.
    pub(crate) fn locate(&self) -> Result<Located, Failure> {
        let (root, names) = match &self.target {
            Some(target) => {
                let target = volume_root(target);
                let names = below(&self.path, &target)?;
                (target, names)
            }
            None => split(&self.path)?,
        };
        let target = self.volume.open(&root)?;
        Ok(Located {
            target,
            root,
            names,
        })
    }

    /// Opens the volume for changes of permissions.
    pub(crate) fn engine(&self, located: &Located) -> Result<Engine, Failure> {
        let again = located.target.try_clone();
        let target = again.map_err(|error| Failure::of(Exit::Failure, &error))?;
        let engine = Engine::open(target, self.state.options());
        engine.map_err(|error| self.failure(located, &error))
    }

    /// The options as typed, to be repeated in hints.
    pub(crate) fn option(&self) -> String {
        format!("{}{}", self.volume.option(), self.state.option())
    }

    /// The nearest folder above PATH that contains `name`, as the user would type it, if PATH does
    /// not contain it. `None` too if a folder can't be searched.
    pub(crate) fn above_with(&self, located: &Located, name: &str) -> Option<String> {
        let names = located.names();
        let contains = |folder: &[&str]| {
            let wanted = [folder, &[name]].concat();
            Some(located.target.root().find(&wanted).ok()?.is_some())
        };
        if contains(&names)? {
            return None;
        }
        for len in (0..names.len()).rev() {
            let folder = names.get(..len)?;
            if contains(folder)? {
                let below: PathBuf = folder.iter().collect();
                return Some(match (&self.target, folder) {
                    (Some(_), []) => ".".to_owned(),
                    (Some(_), _) => below.display().to_string(),
                    (None, _) => located.root.join(below).display().to_string(),
                });
            }
        }
        None
    }

    /// Turns an error of the engine into a failure with hints that name the target.
    pub(crate) fn failure(&self, located: &Located, error: &diskmend_repair::Error) -> Failure {
        hints::engine_failure(error, &located.root, &self.option())
    }
}

/// The names of a path that is below a root, or relative to it. The path may have the notation of
/// Windows.
fn below(path: &Path, target: &Path) -> Result<Vec<String>, Failure> {
    let path = path.strip_prefix(target).unwrap_or(path);
    // Not only an absolute path: on Windows, a path from the root of the current drive, or from the
    // current folder of a drive, is not absolute, and is not below the target either.
    let is_elsewhere = |first| {
        matches!(
            first,
            Component::Prefix(_) | Component::RootDir | Component::ParentDir
        )
    };
    if path.components().next().is_some_and(is_elsewhere) {
        let message = format!("{} is not in {}", path.display(), target.display());
        return Err(Failure::new(Exit::Usage, message));
    }
    let text = text(path.as_os_str())?;
    let names = text.split(['/', '\\']).filter(|name| !name.is_empty());
    Ok(names
        .filter(|name| *name != ".")
        .map(str::to_owned)
        .collect())
}

/// The root of the volume that contains a path, and the names from there on.
///
/// A link on the way could come from the disk, and lead out of it.
fn split(path: &Path) -> Result<(PathBuf, Vec<String>), Failure> {
    let failed = |at: &Path, error: &std::io::Error| {
        Failure::of(Exit::Failure, error)
            .context(at.display())
            .maybe_hint(hints::drive_letter(path))
    };
    let whole = std::path::absolute(path).map_err(|error| failed(path, &error))?;
    let mut at = PathBuf::new();
    let mut root = PathBuf::new();
    let mut device = None;
    let mut names = Vec::new();
    for component in whole.components() {
        at.push(component);
        let Component::Normal(name) = component else {
            if component == Component::ParentDir {
                let message = format!("{}: '..' is not allowed here", path.display());
                return Err(Failure::new(Exit::Usage, message));
            }
            root.clone_from(&at);
            continue;
        };
        let metadata = at.symlink_metadata().map_err(|error| failed(&at, &error))?;
        if metadata.is_symlink() {
            let message = format!("{}: a link, which is not followed here", at.display());
            return Err(Failure::new(Exit::Refused, message)
                .hint("name the volume's root with --target DIR, and give the path from there"));
        }
        let here = device_of(&at, &metadata);
        if device.is_none() {
            device = device_of(
                &root,
                &root.symlink_metadata().map_err(|e| failed(&root, &e))?,
            );
        }
        if here == device {
            names.push(text(name)?);
        } else {
            device = here;
            root.clone_from(&at);
            names.clear();
        }
    }
    Ok((root, names))
}

#[cfg(unix)]
#[expect(clippy::unnecessary_wraps, reason = "not every system can tell")]
fn device_of(_path: &Path, metadata: &std::fs::Metadata) -> Option<u64> {
    use std::os::unix::fs::MetadataExt;
    Some(metadata.dev())
}

/// On Windows a volume is mounted in a folder by a reparse point, which counts as a link.
#[cfg(not(unix))]
fn device_of(_path: &Path, _metadata: &std::fs::Metadata) -> Option<u64> {
    None
}

fn text(name: &OsStr) -> Result<String, Failure> {
    name.to_str().map(str::to_owned).ok_or_else(|| {
        let message = format!("{}: not valid Unicode", name.display());
        Failure::new(Exit::Usage, message).hint("name the folder that contains it, with --tree")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_below_the_target_is_accepted_in_every_notation() {
        let target = Path::new("/mnt/f");
        for path in [
            "/mnt/f/ProgramData/Microsoft",
            "ProgramData/Microsoft",
            r"ProgramData\Microsoft",
            "./ProgramData//Microsoft/",
        ] {
            let names = below(Path::new(path), target).expect(path);
            assert_eq!(names, ["ProgramData", "Microsoft"], "{path}");
        }
        assert!(below(target, target).expect("the root").is_empty());
        for path in ["/mnt/g/x", "../g/x"] {
            assert!(below(Path::new(path), target).is_err(), "{path}");
        }
    }

    #[cfg(windows)]
    #[test]
    fn a_path_on_another_drive_is_refused_in_every_notation() {
        let target = Path::new(r"F:\");
        let names = below(Path::new(r"F:\ProgramData"), target).expect("below");
        assert_eq!(names, ["ProgramData"]);
        for path in [r"G:\x", "G:x", r"\x", r"..\x", r"\\server\share\x"] {
            assert!(below(Path::new(path), target).is_err(), "{path}");
        }
    }

    #[cfg(unix)]
    #[test]
    fn a_link_on_the_way_is_not_followed() {
        let folder = tempfile::tempdir().expect("a folder");
        std::fs::create_dir(folder.path().join("real")).expect("writable");
        std::os::unix::fs::symlink("real", folder.path().join("link")).expect("writable");
        let (_, names) = split(&folder.path().join("real")).expect("no link");
        assert_eq!(names.last().map(String::as_str), Some("real"));
        split(&folder.path().join("link")).expect_err("a link");
        split(&folder.path().join("real/../real")).expect_err("leads up");
    }
}
