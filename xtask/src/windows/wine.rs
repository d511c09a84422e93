//! Wine with a prefix of its own, in which programs written in Rust run.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail};

use super::cache::Cache;
use super::{COMPILER_OF_C, TARGET};
use crate::{cargo, debian, program};

/// The path of Wine's programs in Debian's package. The programs on the PATH print a warning about
/// 32 bits at each start.
const FOLDER: &str = "/usr/lib/wine";
const LOADER: &str = "wine64";
const SERVER: &str = "wineserver";
const PACKAGE: &str = "wine64";
/// Seconds for which Wine's server stays after the last program, and before the first: meanwhile the
/// tests are built.
const SERVER_SECONDS: u32 = 900;
const SHIM: &str = include_str!("bcryptprimitives.c");

/// Wine, ready to run programs.
#[derive(Debug)]
pub(super) struct Wine {
    loader: PathBuf,
    prefix: PathBuf,
    cache: Cache,
}

impl Wine {
    /// Opens the prefix. It is made first if there is none for this version of Wine.
    pub(super) fn get(cache: &Cache) -> Result<Self> {
        let loader = Path::new(FOLDER).join(LOADER);
        if !loader.is_file() {
            debian::install_packages(&[PACKAGE])?;
        }
        let version = program::stdout(&loader, &["--version"])?;
        let version = String::from_utf8_lossy(&version);
        let version = version.split_whitespace().next().unwrap_or("wine");
        let prefix = cache.made_once(version, |prefix| {
            println!("Making a prefix for {version} (once)...");
            boot(&loader, prefix)
        })?;
        let wine = Self {
            loader,
            prefix,
            cache: cache.clone(),
        };
        wine.add_shim()?;
        Ok(wine)
    }

    /// Starts Wine's server and services anew, so that they know all volumes, and so that they stay
    /// between programs. Otherwise Debian's script ends them with the last program, and each start
    /// takes more than a second.
    pub(super) fn keep_server(&self) -> Result<()> {
        Self::aside(self.server("-k"))?;
        Self::aside(self.server("-w"))?;
        let persistent = format!("--persistent={SERVER_SECONDS}");
        Self::aside(self.server(&persistent))?;
        // The first program starts the services.
        let mut first = self.command(Path::new("cmd.exe"));
        first.args(["/c", "exit"]);
        Self::aside(first)
    }

    fn server(&self, option: &str) -> Command {
        let mut server = Command::new(self.loader.with_file_name(SERVER));
        server.arg(option);
        self.prepare(&mut server);
        server
    }

    /// Runs a command. What it leaves running doesn't hold open a pipe that somebody reads to its
    /// end.
    fn aside(mut command: Command) -> Result<()> {
        command.stdin(Stdio::null());
        command.stdout(Stdio::null()).stderr(Stdio::null());
        // The exit code says whether a server was there, which doesn't matter.
        command.status().with_context(|| format!("{command:?}"))?;
        Ok(())
    }

    /// A description for a person.
    pub(super) fn version(&self) -> Result<String> {
        let version = program::stdout(&self.loader, &["--version"])?;
        Ok(String::from_utf8_lossy(&version).trim().to_owned())
    }

    /// A command that runs a program of Windows; it has not started yet.
    pub(super) fn command(&self, program: &Path) -> Command {
        let mut command = Command::new(&self.loader);
        command.arg(program);
        self.prepare(&mut command);
        command
    }

    /// Sets up cargo to run what it builds for Windows in Wine.
    pub(super) fn run_tests_of(&self, cargo: &mut Command) {
        let target = TARGET.replace('-', "_").to_uppercase();
        cargo.env(format!("CARGO_TARGET_{target}_RUNNER"), &self.loader);
        self.prepare(cargo);
    }

    /// The folder that is drive C:, the volume of the running system.
    pub(super) fn system_drive(&self) -> PathBuf {
        self.prefix.join("drive_c")
    }

    /// Makes a folder a volume with this name (`f:` or `volume{...}`, in lower case), as long as
    /// the result exists. Meanwhile no other task can make a volume with this name.
    pub(super) fn volume(&self, name: &str, folder: &Path) -> Result<Volume> {
        let lock = self
            .cache
            .lock(&format!("volume-{}", name.trim_end_matches(':')))?;
        let link = self.prefix.join("dosdevices").join(name);
        // A task that was killed has left it behind.
        if link.symlink_metadata().is_ok() {
            fs::remove_file(&link)?;
        }
        symlink(folder, &link).with_context(|| link.display().to_string())?;
        Ok(Volume { link, _lock: lock })
    }

    fn prepare(&self, command: &mut Command) {
        environment(command, &self.prefix);
    }

    fn add_shim(&self) -> Result<()> {
        let folder = self.prefix.join("drive_c/windows/system32");
        let source = folder.join("bcryptprimitives.c");
        if fs::read_to_string(&source).is_ok_and(|there| there == SHIM) {
            return Ok(());
        }
        let part = folder.join("bcryptprimitives.part.c");
        fs::write(&part, SHIM)?;
        let library = folder.join("bcryptprimitives.dll");
        let mut compile = Command::new(COMPILER_OF_C);
        compile.args(["-shared", "-O2", "-Wall", "-Werror", "-o"]);
        compile.arg(library).arg(&part).arg("-ladvapi32");
        cargo::run(&mut compile)?;
        Ok(fs::rename(part, source)?)
    }
}

/// A volume. Its name is free again when this is dropped.
#[derive(Debug)]
pub(super) struct Volume {
    link: PathBuf,
    _lock: fs::File,
}

impl Drop for Volume {
    fn drop(&mut self) {
        // If the link can't be removed, the next volume with this name replaces it.
        let _ = fs::remove_file(&self.link);
    }
}

fn environment(command: &mut Command, prefix: &Path) {
    command
        .env("WINEPREFIX", prefix)
        .env("WINEDEBUG", "-all")
        // This prevents offers to download .NET and a browser.
        .env("WINEDLLOVERRIDES", "mscoree,mshtml=")
        .env_remove("DISPLAY");
}

fn boot(loader: &Path, prefix: &Path) -> Result<()> {
    let mut boot = Command::new(loader);
    boot.args(["wineboot", "--init"]);
    environment(&mut boot, prefix);
    cargo::run(&mut boot)?;
    let mut wait = Command::new(loader.with_file_name(SERVER));
    wait.arg("--wait");
    environment(&mut wait, prefix);
    cargo::run(&mut wait)?;
    if !prefix
        .join("drive_c/windows/system32/kernel32.dll")
        .is_file()
    {
        bail!("wineboot made no prefix in {}", prefix.display());
    }
    Ok(())
}
