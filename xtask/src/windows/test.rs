//! `cargo xtask windows test`: the tests, under Wine.

use std::process::Command;

use anyhow::Result;

use super::wine::{Volume, Wine};
use super::{parity, setup};
use crate::{cargo, test_run, workspace};

const VOLUME: &str = "volume{6469736b-6d65-6e64-0000-746573747300}";
const ALL: [&str; 4] = ["--workspace", "--no-fail-fast", "--", "--show-output"];

/// Runs the tests that `arguments` name; where there are none, all, and then the comparison.
pub(super) fn run(arguments: &[String]) -> Result<String> {
    let compiler = setup::compiler()?;
    let wine = setup::wine()?;
    let named: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let which = if named.is_empty() { &ALL[..] } else { &named };
    let mut test = compiler.cargo("test", which)?;
    wine.run_tests_of(&mut test);
    let _volumes = volumes(&wine, &mut test)?;
    let counts = test_run::run(&mut test);
    if !named.is_empty() {
        return counts;
    }
    // Worth knowing also where a test has failed.
    let compared = parity::run(&wine);
    Ok(format!("{}; {}", counts?, compared?))
}

/// Volumes for the tests that need some, which they find in variables.
fn volumes(wine: &Wine, test: &mut Command) -> Result<[Volume; 3]> {
    let folder = workspace::output("windows-volume")?;
    let own = wine.system_drive();
    let by_path = format!("Z:{}", own.display());
    test.env(
        "DISKMEND_TEST_DRIVES",
        format!(r"R:\|\\?\R:\|\\?\{VOLUME}\"),
    );
    test.env("DISKMEND_TEST_OWN", format!(r"S:\|{by_path}"));
    Ok([
        wine.volume("r:", &folder)?,
        wine.volume("s:", &own)?,
        wine.volume(VOLUME, &folder)?,
    ])
}

/// Runs the lints.
pub(super) fn clippy() -> Result<String> {
    let compiler = setup::compiler()?;
    cargo::run(&mut compiler.clippy()?)?;
    Ok(String::new())
}
