//! Other programs, to compare with.

use std::process::{Command, Output};

/// Runs a program; if it is missing, prints that and returns `None`.
pub(crate) fn run(program: &str, arguments: &[&str]) -> Option<Output> {
    match Command::new(program).args(arguments).output() {
        Ok(output) => Some(output),
        Err(error) => {
            eprintln!("SKIPPED: {program} cannot be run: {error}");
            assert!(
                std::env::var_os("DISKMEND_NO_SKIP").is_none(),
                "{program} is needed"
            );
            None
        }
    }
}

/// Runs a program that must succeed; `None` if it is not there.
pub(crate) fn succeed(program: &str, arguments: &[&str]) -> Option<String> {
    let output = run(program, arguments)?;
    let text = format!(
        "{}{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    );
    assert!(output.status.success(), "{program} {arguments:?}: {text}");
    Some(text)
}
