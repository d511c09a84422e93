//! Microsoft's `chkreg.exe`: Windows's own check of a hive and its own replay of logs.
//!
//! It is published under the MIT licence in Azure/repair-script-library
//! (`src/windows/common/tools/chkreg.exe`) and is not a part of this project; `DISKMEND_CHKREG`
//! names the file. Outside Windows it runs under Debian's wine64.

use std::ffi::OsStr;
use std::io::{Read, Seek};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

const VARIABLE: &str = "DISKMEND_CHKREG";
/// The path of the loader in Debian's wine64 package, which is not on the PATH.
const DEBIAN_WINE: &str = "/usr/lib/wine/wine64";
/// Now and then Wine itself hangs, or fails without any output of chkreg.
const ATTEMPTS: usize = 3;
/// The time limit of a run, which normally takes a second.
const LIMIT: Duration = Duration::from_secs(60);

/// The program.
pub(super) struct Chkreg(PathBuf);

/// chkreg's verdict on a hive.
pub(super) enum Verdict {
    /// Windows loads it.
    Loads,
    /// Windows rejects it, with chkreg's words.
    Rejected(String),
}

impl Chkreg {
    /// The program that the variable names. Without it, a line says what is left out.
    ///
    /// # Errors
    /// If the variable names no file.
    pub(super) fn find() -> Result<Option<Self>> {
        let Some(path) = std::env::var_os(VARIABLE) else {
            println!(
                "\n*** NOT RUN: chkreg. {VARIABLE} is not set: nothing here was compared with \
                 Windows's own checker. ***\n"
            );
            return Ok(None);
        };
        let path = std::path::absolute(path)?;
        if !path.is_file() {
            bail!("{VARIABLE}: {} is not a file", path.display());
        }
        Ok(Some(Self(path)))
    }

    /// Checks a hive in its folder, and replays its logs in memory if it is dirty.
    ///
    /// # Errors
    /// If chkreg does not run to its end.
    pub(super) fn check(&self, hive: &Path) -> Result<Verdict> {
        let folder = hive.parent().context("a hive in a folder")?;
        let name = hive.file_name().context("a file name")?;
        let mut last = String::new();
        for _ in 0..ATTEMPTS {
            // A pipe would stay open for some seconds more, as long as Wine's server lives.
            let mut output = tempfile::tempfile()?;
            let mut child = self
                .command()
                .args([OsStr::new("/F"), name, OsStr::new("/V")])
                .current_dir(folder)
                .env("WINEDEBUG", "-all")
                .stdin(Stdio::null())
                .stdout(output.try_clone()?)
                .stderr(output.try_clone()?)
                .spawn()
                .context("chkreg does not start; install wine64")?;
            wait(&mut child)?;
            let mut said = Vec::new();
            output.rewind()?;
            output.read_to_end(&mut said)?;
            let said = String::from_utf8_lossy(&said).into_owned();
            if said.contains("chkreg exiting successfully") {
                return Ok(Verdict::Loads);
            }
            if said.contains("chkreg exiting with error") {
                let telling = |line: &&str| line.contains("rror") || line.contains("not appl");
                let lines: Vec<_> = said.lines().map(str::trim).filter(telling).collect();
                return Ok(Verdict::Rejected(lines.join("; ")));
            }
            last = said;
        }
        bail!("chkreg came to no end: {last}")
    }

    fn command(&self) -> Command {
        if cfg!(windows) {
            return Command::new(&self.0);
        }
        let debian = Path::new(DEBIAN_WINE);
        let wine = if debian.is_file() {
            debian
        } else {
            Path::new("wine64")
        };
        let mut command = Command::new(wine);
        command.arg(&self.0);
        command
    }
}

/// Waits for the program, and ends it if it takes too long.
fn wait(child: &mut Child) -> Result<()> {
    let start = Instant::now();
    while child.try_wait()?.is_none() {
        if start.elapsed() > LIMIT {
            child.kill()?;
            child.wait()?;
            return Ok(());
        }
        std::thread::sleep(Duration::from_millis(5));
    }
    Ok(())
}
