//! Measurements that don't depend on the machine's load: requests to the driver, and instructions.

use std::path::Path;
use std::process::{Command, Stdio};
use std::thread;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use rustix::process::{Pid, Signal, kill_process};

use super::contender::Contender;
use super::volume::Volume;
use crate::program;

/// The time that strace gets to attach to the driver.
const ATTACHING: Duration = Duration::from_millis(500);

/// Prints the requests that each contender makes of the driver, and the instructions of diskmend.
pub(super) fn print(volume: &mut Volume, files: usize, diskmend: &Path) -> Result<()> {
    for needed in ["strace", "valgrind"] {
        if !program::exists(needed) {
            bail!("counting needs {needed}");
        }
    }
    let files = files.max(1) as f64;
    println!("\n| program | requests to the driver for each file |\n|---|---|");
    for contender in Contender::ALL {
        if !contender.is_ntfssecaudit() {
            contender.prepare(volume)?;
            let mut command = contender.command(volume, diskmend)?;
            let requests = requests(volume, &mut command)? as f64;
            println!("| {} | {:.2} |", contender.name(), requests / files);
        }
    }
    volume.reset()?;
    let instructions = instructions(&Contender::Repair.command(volume, diskmend)?)? as f64;
    let each = instructions / files / 1000.0;
    println!("\nthousands of instructions of diskmend for each file, where all change: {each:.1}");
    Ok(())
}

/// Runs a command and counts the driver's answers.
fn requests(volume: &Volume, command: &mut Command) -> Result<u64> {
    let counts = volume.beside("strace.txt");
    let driver = volume.driver()?.context("the driver is not found")?;
    // The driver answers with `writev`. It reads and writes its device with other calls.
    let mut strace = Command::new("strace")
        .args(["-f", "-c", "-e", "trace=writev", "-p", &driver.to_string()])
        .arg("-o")
        .arg(&counts)
        .stderr(Stdio::null())
        .spawn()
        .context("strace")?;
    thread::sleep(ATTACHING);
    let status = command.stdout(Stdio::null()).stderr(Stdio::null()).status();
    kill_process(Pid::from_child(&strace), Signal::INT)?;
    strace.wait()?;
    let status = status?;
    if !status.success() {
        bail!("{command:?}: {status}");
    }
    let text = std::fs::read_to_string(counts)?;
    let line = text.lines().find(|line| line.ends_with(" writev"));
    // The columns: share of the time, seconds, microseconds for each call, calls.
    let calls = line.and_then(|line| line.split_whitespace().nth(3));
    Ok(calls.context("strace has counted nothing")?.parse()?)
}

/// Runs a command under valgrind and returns the number of instructions of all its threads, without
/// the kernel's.
fn instructions(command: &Command) -> Result<u64> {
    let options = ["--tool=callgrind", "--callgrind-out-file=/dev/null"].map(AsRef::as_ref);
    let arguments = [&options[..], &[command.get_program()]].concat();
    let arguments = [arguments, command.get_args().collect()].concat();
    let output = program::run(Path::new("valgrind"), &arguments)?;
    let text = String::from_utf8_lossy(&output.stderr);
    if !output.status.success() {
        bail!("valgrind: {}: {}", output.status, text.trim());
    }
    let line = text
        .lines()
        .find_map(|line| line.split_once("Collected : "));
    let (_, number) = line.context("valgrind gives no number of instructions")?;
    Ok(number.trim().parse()?)
}
