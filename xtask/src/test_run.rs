//! Runs `cargo test` and counts the results.

use std::fmt;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::process::{Command, Stdio};
use std::thread;

use anyhow::{Context, Result, bail};

use crate::cargo;

/// The maximum number of lines about failures that are shown again at the end.
const MAX_LINES: usize = 200;

/// The error for tests that have failed.
#[derive(Debug)]
pub struct Failed {
    summary: String,
    /// Their output.
    lines: Vec<String>,
    targets: Vec<String>,
}

impl fmt::Display for Failed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}\n{}", self.summary, self.lines.join("\n"))
    }
}

impl std::error::Error for Failed {}

impl Failed {
    /// The names of the tests.
    #[must_use]
    pub fn names(&self) -> Vec<&str> {
        let mut names: Vec<&str> = self.lines.iter().filter_map(|line| name(line)).collect();
        names.sort_unstable();
        names.dedup();
        names
    }

    #[cfg(test)]
    pub(crate) fn of(targets: &[&str], names: &[&str]) -> Self {
        Self {
            summary: String::new(),
            lines: names.iter().map(|name| format!("    {name}")).collect(),
            targets: targets.iter().map(|&target| target.to_owned()).collect(),
        }
    }

    /// The options of `cargo test` for each test program that has failed: a test in it has failed,
    /// or it has crashed without naming a test.
    #[must_use]
    pub fn targets(&self) -> &[String] {
        &self.targets
    }
}

/// The options by which Cargo names a test program that has failed.
fn target(line: &str) -> Option<&str> {
    let rest = line.strip_prefix("error: ")?;
    let (_, rest) = rest.split_once("to rerun pass `")?;
    rest.strip_suffix('`')
}

/// Shows Cargo's own messages, and returns the test programs that have failed.
fn failed_targets(errors: impl Read) -> io::Result<Vec<String>> {
    let mut targets = Vec::new();
    for line in BufReader::new(errors).split(b'\n') {
        let line = line?;
        let line = String::from_utf8_lossy(&line);
        writeln!(io::stderr(), "{line}")?;
        targets.extend(target(line.trim_end()).map(str::to_owned));
    }
    Ok(targets)
}

/// The name of a test in the list of failed tests.
fn name(line: &str) -> Option<&str> {
    let name = line.strip_prefix("    ")?;
    let is_path = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | ':');
    (!name.is_empty() && name.chars().all(is_path)).then_some(name)
}

/// Runs the tests, shows their output, and returns the counts.
///
/// # Errors
/// [`Failed`] if a test fails; another error if no test is run.
pub fn run(test: &mut Command) -> Result<String> {
    println!("$ {}", cargo::shown(test));
    let mut child = test.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn()?;
    let output = child.stdout.take().context("output of cargo test")?;
    let errors = child.stderr.take().context("errors of cargo test")?;
    let targets = thread::spawn(|| failed_targets(errors));
    let (mut passed, mut failed, mut ignored, mut skipped) = (0, 0, 0, 0);
    let mut failures = Failures::default();
    for line in BufReader::new(output).split(b'\n') {
        let line = line?;
        let line = String::from_utf8_lossy(&line);
        println!("{line}");
        failures.note(&line);
        passed += number_before(&line, " passed;");
        failed += number_before(&line, " failed;");
        ignored += number_before(&line, " ignored;");
        skipped += u64::from(line.contains("SKIPPED: "));
    }
    let status = child.wait()?;
    let targets = targets.join().unwrap_or_else(|_| Ok(Vec::new()))?;
    let counts = format!("{passed} passed, {failed} failed, {ignored} ignored");
    if !status.success() {
        return Err(Failed {
            summary: format!("cargo test: {status}; {counts}"),
            lines: failures.lines,
            targets,
        }
        .into());
    }
    if passed == 0 {
        bail!("no test was run");
    }
    Ok(match skipped {
        0 => counts,
        _ => format!("{counts}, {skipped} skipped loudly"),
    })
}

/// The output of the failed tests.
#[derive(Default)]
struct Failures {
    lines: Vec<String>,
    inside: bool,
}

impl Failures {
    fn note(&mut self, line: &str) {
        match line {
            "failures:" => self.inside = true,
            _ if line.starts_with("test result:") => self.inside = false,
            _ if self.inside && self.lines.len() < MAX_LINES && !line.is_empty() => {
                self.lines.push(line.to_owned());
            }
            _ => {}
        }
    }
}

/// The number before `label` in a line of results.
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
    use super::{Failed, Failures, failed_targets, number_before};

    #[test]
    fn results_of_cargo_test_are_counted() {
        let line = "test result: ok. 12 passed; 3 failed; 1 ignored; 0 measured; 0 filtered out";
        assert_eq!(number_before(line, " passed;"), 12);
        assert_eq!(number_before(line, " failed;"), 3);
        assert_eq!(number_before(line, " ignored;"), 1);
        assert_eq!(number_before("12 passed; of another line", " passed;"), 0);
    }

    #[test]
    fn what_failed_tests_say_is_kept() {
        let output = [
            "test a ... FAILED",
            "",
            "successes:",
            "---- b stdout ----",
            "quiet",
            "failures:",
            "",
            "---- a stdout ----",
            "it broke",
            "failures:",
            "    a",
            "test result: FAILED. 1 passed; 1 failed",
            "later",
        ];
        let mut failures = Failures::default();
        output.iter().for_each(|line| failures.note(line));
        assert_eq!(failures.lines, ["---- a stdout ----", "it broke", "    a"]);
        let failed = Failed {
            lines: failures.lines,
            ..Failed::of(&[], &[])
        };
        assert_eq!(failed.names(), ["a"]);
    }

    /// Such a program once counted as passed.
    #[test]
    fn a_program_that_names_no_test_is_noticed() {
        let errors = "     Running tests/recover.rs (recover.exe)\n\
                      wine client error:0: recvmsg: Connection reset by peer\n\
                      error: test failed, to rerun pass `-p diskmend-hive --test recover`\n\
                      \n\
                      error: doctest failed, to rerun pass `-p diskmend-acl --doc`\n\
                      error: 2 targets failed:\n    `-p diskmend-hive --test recover`\n";
        let targets = failed_targets(errors.as_bytes()).expect("read");
        assert_eq!(
            targets,
            ["-p diskmend-hive --test recover", "-p diskmend-acl --doc"]
        );
    }
}
