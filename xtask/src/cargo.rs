//! Runs cargo again, the one that runs this task.

use std::process::Command;

use anyhow::{Context, Result, bail};

use crate::workspace;

/// A run of cargo in the workspace that has not started yet.
///
/// # Errors
/// Never in a checkout.
pub fn command(arguments: &[&str]) -> Result<Command> {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut command = Command::new(cargo);
    command.args(arguments).current_dir(workspace::root()?);
    Ok(command)
}

/// Shows the command, runs it to its end, and expects success.
///
/// # Errors
/// If it does not start or fails.
pub fn run(command: &mut Command) -> Result<()> {
    let shown = shown(command);
    println!("$ {shown}");
    let status = command.status().with_context(|| shown.clone())?;
    if !status.success() {
        bail!("{shown}: {status}");
    }
    Ok(())
}

/// The command as a person would type it, without its variables.
#[must_use]
pub fn shown(command: &Command) -> String {
    let program = std::path::Path::new(command.get_program());
    let program = program.file_stem().unwrap_or_default();
    let mut words = vec![program.to_string_lossy()];
    words.extend(command.get_args().map(|word| word.to_string_lossy()));
    words.join(" ")
}
