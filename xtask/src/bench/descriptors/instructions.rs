//! Instructions of a process: what does not depend on the machine's mood.

use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result, bail};

use crate::program;

/// Runs a command under valgrind and gives the number of instructions of all its threads. The
/// kernel's are not among them.
pub(super) fn count(command: &Command) -> Result<u64> {
    if !program::exists("valgrind") {
        bail!("counting instructions needs valgrind");
    }
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
