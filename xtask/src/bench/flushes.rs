//! Counts how often each command reads, writes and flushes, and measures how long it takes if each
//! flush takes some milliseconds more, as on a disk in a cloud.
//!
//! The program is unchanged: strace counts its system calls and delays the flushes. Memory maps,
//! such as those of hives, are read without a system call, so these reads are not counted.

use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

use super::measure;
use crate::crash::{Holder, KEY};
use crate::{program, workspace};

const FLUSHES: [&str; 4] = ["fsync", "fdatasync", "syncfs", "sync_file_range"];
const WRITES: [&str; 4] = ["pwrite64", "write", "writev", "pwritev"];
const READS: [&str; 4] = ["pread64", "read", "readv", "preadv"];

/// What to measure.
#[derive(clap::Args)]
pub struct Options {
    /// Milliseconds added to each flush
    #[arg(long, default_value_t = 5)]
    delay: u32,
    /// Runs of each command for the times
    #[arg(long, default_value_t = 5)]
    rounds: usize,
}

/// The commands without the target. Each finds what the commands before it have left.
const COMMANDS: [&[&str]; 7] = [
    &["inspect", "nla"],
    &["plan", "nla"],
    // The hive is dirty, and there is no folder for undo data yet.
    &["repair", "nla", "--yes"],
    &["repair", "crash-dump", "--yes"],
    &["runs"],
    &["undo", "--yes"],
    &["undo", "--yes"],
];
/// The data that `hive set` writes the first and the second time.
const SETS: [&str; 2] = ["1", "2"];

/// The calls of a command that concern files below its target.
#[derive(Clone, Copy, Debug, Default)]
struct Calls {
    flushes: u64,
    writes: u64,
    written: u64,
    reads: u64,
    read: u64,
}

struct Row {
    name: String,
    calls: Calls,
    times: Vec<Duration>,
    slow: Vec<Duration>,
}

/// Measures and prints a table for a folder and for an image.
///
/// # Errors
/// If diskmend itself fails, or strace is missing.
pub fn run(options: &Options) -> Result<()> {
    if !program::exists("strace") {
        bail!("this needs strace (Debian package strace)");
    }
    let diskmend = program::diskmend(true)?;
    for (holder, what) in [(Holder::Folder, "mount"), (Holder::Vhdx, "image (.vhdx)")] {
        let mut rows: Vec<Row> = Vec::new();
        for round in 0..=options.rounds {
            let folder = tempfile::tempdir_in(workspace::output("bench")?)?;
            let folder = folder.path().canonicalize()?.join("all");
            std::fs::create_dir_all(folder.join(KEY).parent().context("a folder")?)?;
            holder.make(&folder)?;
            let slow = folder.with_file_name("slow");
            copy(&folder, &slow)?;
            for (number, arguments) in commands(holder).into_iter().enumerate() {
                let command = |folder: &Path, tool: Option<Command>| {
                    command(&diskmend, holder, folder, &arguments, tool)
                };
                if round == 0 {
                    rows.push(Row {
                        name: arguments.join(" "),
                        calls: count(|tool| command(&folder, Some(tool)), &folder)?,
                        times: Vec::new(),
                        slow: Vec::new(),
                    });
                    continue;
                }
                let row = rows.get_mut(number).context("a row")?;
                row.times.push(time(&mut command(&folder, None))?);
                let tool = delayed(options.delay);
                row.slow.push(time(&mut command(&slow, Some(tool)))?);
            }
        }
        print(what, options, &mut rows);
    }
    Ok(())
}

/// The commands with the target inserted.
fn commands(holder: Holder) -> Vec<Vec<String>> {
    let words = |arguments: &[&str]| -> Vec<String> {
        let (verb, rest) = arguments.split_first().unwrap_or((&"", &[]));
        let all = [verb, holder.target()]
            .into_iter()
            .chain(rest.iter().copied());
        all.map(str::to_owned).collect()
    };
    let mut all: Vec<Vec<String>> = COMMANDS.iter().map(|command| words(command)).collect();
    if holder == Holder::Folder {
        for data in SETS {
            let file = format!("{}/Windows/System32/config/SYSTEM", holder.target());
            let set = [
                "hive",
                "set",
                &file,
                r"ControlSet001\Bench",
                "A",
                "REG_DWORD",
                data,
            ];
            let set = set.iter().chain(&["--yes"]);
            all.push(set.map(|word| (*word).to_owned()).collect());
        }
    }
    all
}

/// A command in a folder, either by itself or as the argument of a tool.
fn command(
    diskmend: &Path,
    holder: Holder,
    folder: &Path,
    arguments: &[String],
    tool: Option<Command>,
) -> Command {
    debug_assert!(folder.join(holder.target()).exists());
    let mut command = match tool {
        Some(mut tool) => {
            tool.arg(diskmend);
            tool
        }
        None => Command::new(diskmend),
    };
    command.args(arguments).current_dir(folder);
    command.env("DISKMEND_KEY_FILE", folder.join(KEY));
    command
}

/// strace as a tool that delays each flush and traces nothing else.
fn delayed(milliseconds: u32) -> Command {
    let mut strace = Command::new("strace");
    let flushes = FLUSHES.join(",");
    strace.args(["-f", "--seccomp-bpf", "-o", "/dev/null"]);
    strace.args(["-e", &format!("trace={flushes}"), "-e"]);
    strace.arg(format!("inject={flushes}:delay_exit={milliseconds}ms"));
    strace
}

fn time(command: &mut Command) -> Result<Duration> {
    let start = Instant::now();
    succeeds(command)?;
    Ok(start.elapsed())
}

/// Runs a command that must succeed or report findings.
fn succeeds(command: &mut Command) -> Result<()> {
    command.stdin(Stdio::null());
    let output = command.output().with_context(|| format!("{command:?}"))?;
    match output.status.code() {
        Some(0 | 3) => Ok(()),
        code => bail!(
            "{command:?} ends with {code:?}: {}",
            String::from_utf8_lossy(&output.stderr)
        ),
    }
}

/// Counts the calls of a command on files in a folder.
fn count(command: impl FnOnce(Command) -> Command, folder: &Path) -> Result<Calls> {
    let log = tempfile::NamedTempFile::new()?;
    let mut strace = Command::new("strace");
    let all = [FLUSHES, WRITES, READS].concat().join(",");
    strace.args(["-f", "-y", "-s", "0", "-e", "signal=none", "-e"]);
    strace.arg(format!("trace={all}")).arg("-o").arg(log.path());
    succeeds(&mut command(strace))?;
    let text = std::fs::read_to_string(log.path())?;
    let folder = format!("<{}", folder.display());
    Ok(tally(&text, &folder))
}

/// Counts the calls in a log of strace that concern files with this start of their path.
fn tally(log: &str, folder: &str) -> Calls {
    let mut calls = Calls::default();
    // strace writes a call that another thread interrupts in two lines; this is the first line by
    // process.
    let mut begun: Vec<(&str, &str)> = Vec::new();
    for line in log.lines() {
        let Some((process, rest)) = line.split_once(' ') else {
            continue;
        };
        let rest = rest.trim_start();
        let (start, end) = match rest.strip_prefix("<... ") {
            Some(resumed) => match begun.iter().position(|(other, _)| *other == process) {
                Some(at) => (begun.swap_remove(at).1, resumed),
                None => continue,
            },
            None if rest.ends_with("<unfinished ...>") => {
                begun.push((process, rest));
                continue;
            }
            None => (rest, rest),
        };
        let Some((name, arguments)) = start.split_once('(') else {
            continue;
        };
        let first = arguments.split(',').next().unwrap_or_default();
        if !first.contains(folder) {
            continue;
        }
        let result = end.rsplit_once("= ").map_or("", |(_, result)| result);
        let bytes: u64 = result
            .split(' ')
            .next()
            .unwrap_or_default()
            .parse()
            .unwrap_or(0);
        if FLUSHES.contains(&name) {
            calls.flushes += 1;
        } else if WRITES.contains(&name) {
            calls.writes += 1;
            calls.written += bytes;
        } else if READS.contains(&name) {
            calls.reads += 1;
            calls.read += bytes;
        }
    }
    calls
}

fn copy(from: &Path, to: &Path) -> Result<()> {
    let arguments = ["-a".as_ref(), from.as_os_str(), to.as_os_str()];
    program::stdout(Path::new("cp"), &arguments).map(drop)
}

fn print(what: &str, options: &Options, rows: &mut [Row]) {
    let delay = options.delay;
    println!(
        "\n| on a {what} | flushes | writes | KiB written | reads | KiB read | ms | ms if a flush takes {delay} more |"
    );
    println!("|---|---|---|---|---|---|---|---|");
    let kib = |bytes: u64| bytes.div_ceil(1024);
    let ms = |times: &mut [Duration]| measure::median(times).as_secs_f64() * 1000.0;
    for row in rows {
        let calls = row.calls;
        println!(
            "| `{}` | {} | {} | {} | {} | {} | {:.1} | {:.1} |",
            row.name,
            calls.flushes,
            calls.writes,
            kib(calls.written),
            calls.reads,
            kib(calls.read),
            ms(&mut row.times),
            ms(&mut row.slow),
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn calls_on_other_files_and_interrupted_calls_are_told_apart() {
        let log = "\
7 pread64(3</lib/libc.so>, \"\"..., 784, 64) = 784
7 pwrite64(5</disk/a>, \"\"..., 512, 0) = 512
8 fsync(5</disk/a> <unfinished ...>
7 pread64(5</disk/a>, \"\"..., 100, 0) = 60
8 <... fsync resumed>) = 0
7 fsync(5</other>) = 0
7 +++ exited with 0 +++
";
        let calls = tally(log, "</disk");
        assert_eq!((calls.flushes, calls.writes, calls.written), (1, 1, 512));
        assert_eq!((calls.reads, calls.read), (1, 60));
    }
}
