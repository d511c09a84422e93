//! The programs that are compared, each setting the same 20 values.

use std::fmt::Write;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::Result;

use super::hive::target;
use crate::program;

const PREFIX: &str = r"HKEY_LOCAL_MACHINE\SYSTEM";
/// The number of values that are set.
pub(super) const VALUES: usize = 20;

fn name(number: usize) -> String {
    format!("Value {number}")
}

/// A program under measurement.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Contender {
    Diskmend,
    DiskmendNoCheck,
    HivexRegedit,
    Hivexsh,
    Reged,
}

/// The files that say which values each program sets.
pub(super) struct Scripts {
    diskmend: PathBuf,
    reg: PathBuf,
    hivexsh: PathBuf,
    state: PathBuf,
    keys: usize,
}

impl Scripts {
    /// Writes the scripts. They set the values in `keys` keys, the same number in each.
    pub(super) fn write(folder: &Path, diskmend: PathBuf, keys: usize) -> Result<Self> {
        let mut reg = String::from("Windows Registry Editor Version 5.00\r\n");
        let mut commands = String::new();
        for key in 0..keys {
            let path = target(key);
            write!(reg, "\r\n[{PREFIX}\\{path}]\r\n")?;
            // The target keys hold no values: setval replaces all that there are.
            writeln!(commands, "cd \\{path}\nsetval {}", VALUES / keys)?;
            for value in 0..VALUES / keys {
                let name = name(value);
                write!(reg, "\"{name}\"=dword:00000001\r\n")?;
                writeln!(commands, "{name}\ndword:1")?;
            }
        }
        commands.push_str("commit\nquit\n");
        let scripts = Self {
            diskmend,
            reg: folder.join("edit.reg"),
            hivexsh: folder.join("edit.hivexsh"),
            state: folder.join("state"),
            keys,
        };
        std::fs::write(&scripts.reg, reg)?;
        std::fs::write(&scripts.hivexsh, commands)?;
        Ok(scripts)
    }

    /// The folder for diskmend's undo data.
    pub(super) fn state(&self) -> &Path {
        &self.state
    }
}

impl Contender {
    pub(super) const ALL: [Self; 5] = [
        Self::Diskmend,
        Self::DiskmendNoCheck,
        Self::HivexRegedit,
        Self::Hivexsh,
        Self::Reged,
    ];

    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Diskmend => "diskmend hive import",
            Self::DiskmendNoCheck => "diskmend hive import --no-check",
            Self::HivexRegedit => "hivexregedit --merge",
            Self::Hivexsh => "hivexsh setval, commit",
            Self::Reged => "reged -I -C",
        }
    }

    /// True if it is installed.
    pub(super) fn exists(self) -> bool {
        match self {
            Self::Diskmend | Self::DiskmendNoCheck => true,
            Self::HivexRegedit => program::exists("hivexregedit"),
            Self::Hivexsh => program::exists("hivexsh"),
            Self::Reged => program::exists("reged"),
        }
    }

    /// Its exit code for success. reged's is 2 if it has written.
    pub(super) fn success(self) -> i32 {
        if self == Self::Reged { 2 } else { 0 }
    }

    pub(super) fn command(self, scripts: &Scripts, hive: &Path) -> Command {
        let mut command = match self {
            Self::Diskmend | Self::DiskmendNoCheck => Command::new(&scripts.diskmend),
            Self::HivexRegedit => Command::new("hivexregedit"),
            Self::Hivexsh => Command::new("hivexsh"),
            Self::Reged => Command::new("/usr/sbin/reged"),
        };
        match self {
            Self::Diskmend | Self::DiskmendNoCheck => {
                command.args(["hive", "import"]).arg(hive).arg(&scripts.reg);
                command.args(["--prefix", PREFIX, "--yes", "--state-dir"]);
                command.arg(&scripts.state);
                if self == Self::DiskmendNoCheck {
                    command.arg("--no-check");
                }
            }
            Self::HivexRegedit => {
                command.args(["--merge", "--prefix", PREFIX]);
                command.arg(hive).arg(&scripts.reg);
            }
            Self::Hivexsh => {
                command.args(["-w", "-f"]).arg(&scripts.hivexsh).arg(hive);
            }
            Self::Reged => {
                command
                    .args(["-C", "-I"])
                    .arg(hive)
                    .arg(PREFIX)
                    .arg(&scripts.reg);
            }
        }
        command
    }

    /// True if the hive holds the values.
    pub(super) fn verify(scripts: &Scripts, hive: &Path) -> Result<bool> {
        let last = name(VALUES / scripts.keys - 1);
        for key in [0, scripts.keys - 1] {
            let hive = hive.to_string_lossy();
            let path = target(key);
            let arguments = ["hive", "get", &*hive, &*path, &*last];
            if !program::run(&scripts.diskmend, &arguments)?
                .status
                .success()
            {
                return Ok(false);
            }
        }
        Ok(true)
    }
}
