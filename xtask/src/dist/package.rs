//! The package for the users of one platform.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, SystemTime};

use anyhow::{Context, Result};

use super::{licences, man};
use crate::{cargo, debian, program, workspace};

/// The archive's file format.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Form {
    TarGz,
    Zip,
}

/// The parts of a package.
pub(super) struct Package {
    pub(super) program: PathBuf,
    /// Rust's name for the platform.
    pub(super) target: &'static str,
    pub(super) form: Form,
}

impl Package {
    /// Makes the archive in `output` and returns its name.
    pub(super) fn make(&self, output: &Path) -> Result<String> {
        let name = format!("diskmend-{}-{}", env!("CARGO_PKG_VERSION"), self.target);
        let folder = output.join(&name);
        self.fill(&folder)?;
        let archive = match self.form {
            Form::TarGz => format!("{name}.tar.gz"),
            Form::Zip => format!("{name}.zip"),
        };
        let mut pack = match self.form {
            Form::TarGz => {
                let mut tar = Command::new("tar");
                tar.args(["--sort=name", "--owner=0", "--group=0", "--numeric-owner"]);
                // `-n` leaves out the time of packing, so that the same files give the same
                // archive.
                tar.args(["--use-compress-program", "gzip -n"]);
                tar.args(["-cf", &archive, &name]);
                tar
            }
            Form::Zip => {
                debian::install(&[("zip", "zip")])?;
                let mut zip = Command::new("zip");
                zip.args(["--quiet", "-X", &archive]);
                zip.args(files(output, Path::new(&name))?);
                zip
            }
        };
        cargo::run(pack.current_dir(output))?;
        fs::remove_dir_all(folder)?;
        Ok(archive)
    }

    /// Copies everything that belongs into the package to a folder.
    fn fill(&self, folder: &Path) -> Result<()> {
        let completions = folder.join("completions");
        fs::create_dir_all(&completions)?;
        man::write_completions(&completions)?;
        let man = folder.join("man");
        fs::create_dir_all(&man)?;
        man::write_pages(&man)?;
        let program = self.program.file_name().context("the program's name")?;
        fs::copy(&self.program, folder.join(program))?;
        let root = workspace::root()?;
        for file in ["LICENSE", "README.md", "CHANGELOG.md"] {
            fs::copy(root.join(file), folder.join(file))?;
        }
        fs::write(
            folder.join("LICENSES.txt"),
            licences::document(self.target)?,
        )?;
        set_times(folder, commit_time()?)
    }
}

/// The files in a folder below `root`, in order.
fn files(root: &Path, folder: &Path) -> Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    for entry in fs::read_dir(root.join(folder))? {
        let path = folder.join(entry?.file_name());
        if root.join(&path).is_dir() {
            files.extend(self::files(root, &path)?)
        } else {
            files.push(path)
        }
    }
    files.sort();
    Ok(files)
}

/// The time of the last commit. Used for all files, it makes the archive of a commit reproducible.
fn commit_time() -> Result<SystemTime> {
    let root = workspace::root()?;
    let root = root.to_str().context("the workspace's path is not UTF-8")?;
    let ask = ["-C", root, "log", "-1", "--format=%ct"];
    let seconds = program::stdout(Path::new("git"), &ask)?;
    let seconds = String::from_utf8_lossy(&seconds).trim().parse()?;
    Ok(SystemTime::UNIX_EPOCH + Duration::from_secs(seconds))
}

/// Sets the time of a folder and of everything in it.
fn set_times(path: &Path, time: SystemTime) -> Result<()> {
    if path.is_dir() {
        for entry in fs::read_dir(path)? {
            set_times(&entry?.path(), time)?;
        }
    }
    Ok(File::open(path)?.set_modified(time)?)
}
