//! The table of results in docs/diagnosis-results.md, which a test makes.

use anyhow::Result;

use crate::cargo;

/// Diagnoses a broken disk for each rule, and writes the results to docs/diagnosis-results.md.
///
/// # Errors
/// If a cause is not found first on its disk.
pub fn run() -> Result<()> {
    let test = "engine_tests::diagnosis::every_cause_is_found_first_on_its_disk";
    let arguments = ["test", "--package", "diskmend-repair", "--lib", "--", test];
    cargo::run(cargo::command(&arguments)?.env("DISKMEND_UPDATE", "1"))
}
