//! A run of `cargo test` whose results are counted.

use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail};

use crate::cargo;

/// Runs the tests, shows their output and counts them.
///
/// # Errors
/// Where a test fails, or none is run.
pub fn run(test: &mut Command) -> Result<String> {
    println!("$ {}", cargo::shown(test));
    let mut child = test.stdout(Stdio::piped()).spawn()?;
    let output = child.stdout.take().context("output of cargo test")?;
    let (mut passed, mut failed, mut ignored, mut skipped) = (0, 0, 0, 0);
    for line in BufReader::new(output).split(b'\n') {
        let line = line?;
        let line = String::from_utf8_lossy(&line);
        println!("{line}");
        passed += number_before(&line, " passed;");
        failed += number_before(&line, " failed;");
        ignored += number_before(&line, " ignored;");
        skipped += u64::from(line.contains("SKIPPED: "));
    }
    let status = child.wait()?;
    let counts = format!("{passed} passed, {failed} failed, {ignored} ignored");
    if !status.success() {
        bail!("cargo test: {status}; {counts}");
    }
    if passed == 0 {
        bail!("no test was run");
    }
    Ok(match skipped {
        0 => counts,
        _ => format!("{counts}, {skipped} skipped loudly"),
    })
}

/// The number that a line of results has before `label`.
fn number_before(line: &str, label: &str) -> u64 {
    let before = line
        .starts_with("test result:")
        .then(|| line.split_once(label))
        .flatten();
    before
        .and_then(|(before, _)| before.rsplit(' ').next())
        .and_then(|number| number.parse().ok())
        .unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::number_before;

    #[test]
    fn results_of_cargo_test_are_counted() {
        let line = "test result: ok. 12 passed; 3 failed; 1 ignored; 0 measured; 0 filtered out";
        assert_eq!(number_before(line, " passed;"), 12);
        assert_eq!(number_before(line, " failed;"), 3);
        assert_eq!(number_before(line, " ignored;"), 1);
        assert_eq!(number_before("12 passed; of another line", " passed;"), 0);
    }
}
