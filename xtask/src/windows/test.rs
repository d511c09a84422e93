//! `cargo xtask windows test`: the tests, under Wine.

use anyhow::Result;

use super::{parity, setup};
use crate::{cargo, test_run};

const ALL: [&str; 4] = ["--workspace", "--no-fail-fast", "--", "--show-output"];

/// Runs the tests that `arguments` name; where there are none, all, and then the comparison.
pub(super) fn run(arguments: &[String]) -> Result<String> {
    let compiler = setup::compiler()?;
    let wine = setup::wine()?;
    let named: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let which = if named.is_empty() { &ALL[..] } else { &named };
    let mut test = compiler.cargo("test", which)?;
    wine.run_tests_of(&mut test);
    let counts = test_run::run(&mut test)?;
    if !named.is_empty() {
        return Ok(counts);
    }
    let compared = parity::run(&wine)?;
    Ok(format!("{counts}; {compared}"))
}

/// Runs the lints.
pub(super) fn clippy() -> Result<String> {
    let compiler = setup::compiler()?;
    cargo::run(&mut compiler.clippy()?)?;
    Ok(String::new())
}
