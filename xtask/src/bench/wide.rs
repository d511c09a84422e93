//! `cargo xtask bench-wide`: adding keys to a key with very many subkeys, and deleting as many.

use std::fmt::Write;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use diskmend_hive::{Opened, open};

use super::hive::{self, Shape, WIDE};
use super::measure::{self, Usage};
use super::settled;
use crate::{program, workspace};

const PREFIX: &str = r"HKEY_LOCAL_MACHINE\SYSTEM";

/// What to measure.
#[derive(clap::Args)]
pub struct Options {
    /// Subkeys of the key
    #[arg(long, default_value_t = 100_000)]
    subkeys: usize,
    /// Keys that are added, and keys that are deleted, spread over all of them
    #[arg(long, default_value_t = 4000)]
    changes: usize,
    /// Runs of each
    #[arg(long, default_value_t = 5)]
    rounds: usize,
}

/// One of the two changes, with its times.
struct Side {
    name: &'static str,
    reg: PathBuf,
    /// The number of subkeys afterwards.
    expected: usize,
    times: Vec<Duration>,
    usage: Usage,
}

/// Measures both alternately on copies of one hive, and prints the ratio.
///
/// # Errors
/// If diskmend fails or doesn't make the change.
pub fn run(options: &Options) -> Result<()> {
    let (subkeys, changes) = (options.subkeys, options.changes);
    if changes == 0 || changes > subkeys || options.rounds == 0 {
        bail!("1 to {subkeys} changes and at least one round");
    }
    let folder = workspace::output("bench")?;
    let diskmend = program::diskmend(true)?;
    let original = hive::build(subkeys, Shape::Wide)?;
    let (copy, state) = (folder.join("SYSTEM"), folder.join("state"));
    println!(
        "{changes} keys below one with {subkeys}, in a hive of {} bytes, median of {} rounds, page \
         cache warm\n",
        original.len(),
        options.rounds
    );
    let apart = subkeys / changes;
    let paths = |after: &str| -> Vec<String> {
        let path = |number: usize| format!("{WIDE}{:06}{after}", number * apart);
        (0..changes).map(path).collect()
    };
    let mut sides = [
        Side::write(&folder, "add", "", &paths(" new"), subkeys + changes)?,
        Side::write(&folder, "delete", "-", &paths(""), subkeys - changes)?,
    ];
    // The first round isn't timed. It shows if the program works at all, and how much it writes.
    for round in 0..=options.rounds {
        for side in &mut sides {
            settled(&original, &copy, &state)?;
            let mut command = Command::new(&diskmend);
            command.args(["hive", "import"]).arg(&copy).arg(&side.reg);
            command.args(["--prefix", PREFIX, "--yes", "--state-dir"]);
            command.arg(&state);
            if round == 0 {
                side.usage = measure::usage(&mut command)?;
                let code = side.usage.code;
                ensure!(code == 0, "{} fails: exit code {code}", side.name);
                let found = count(&copy)?;
                let expected = side.expected;
                ensure!(
                    found == expected,
                    "{}: {found} keys, not {expected}",
                    side.name
                );
            } else {
                let (time, code) = measure::time(&mut command)?;
                ensure!(code == 0, "{} fails: exit code {code}", side.name);
                side.times.push(time);
            }
        }
    }
    println!("| | wall ms | MiB written |");
    println!("|---|---|---|");
    let [adding, deleting] = sides.each_mut().map(Side::report);
    println!("\ndelete/add: {:.2}", deleting / adding);
    Ok(())
}

impl Side {
    fn write(
        folder: &Path,
        name: &'static str,
        sign: &str,
        paths: &[String],
        expected: usize,
    ) -> Result<Self> {
        let mut reg = String::from("Windows Registry Editor Version 5.00\r\n");
        for path in paths {
            write!(reg, "\r\n[{sign}{PREFIX}\\{path}]\r\n")?;
        }
        let place = folder.join(format!("{name}.reg"));
        std::fs::write(&place, reg)?;
        Ok(Self {
            name,
            reg: place,
            expected,
            times: Vec::new(),
            usage: Usage::default(),
        })
    }

    /// Prints the median time, and gives it in seconds.
    fn report(&mut self) -> f64 {
        let time = measure::median(&mut self.times).as_secs_f64();
        let mib = self.usage.written as f64 / f64::from(1 << 20);
        println!("| {} | {:.1} | {mib:.1} |", self.name, time * 1000.0);
        time
    }
}

/// The number of subkeys of the wide key.
fn count(hive: &Path) -> Result<usize> {
    let Opened::Clean(hive) = open(Box::new(std::fs::read(hive)?))? else {
        bail!("a dirty hive");
    };
    let (key, _) = WIDE.rsplit_once('\\').context("a path")?;
    let key = hive.key(key)?.context("the key")?;
    Ok(key.subkeys()?.count())
}
