//! `cargo xtask cross-check`: other programs must read the same as diskmend in every healthy
//! fixture, both before and after edits.

mod chkreg;
mod content;
mod corpus;
mod crashes;
mod edits;
mod event_logs;
mod python;
mod recipes;
pub(crate) mod regipy;
mod tools;

use std::path::Path;

use anyhow::{Context, Result, bail};

pub use self::corpus::{CorpusOptions, run_corpus};

use self::content::{Content, differences};
use self::tools::Tool;
use crate::fixtures::{self, Fixture};
use crate::program;

/// The maximum number of differences that are printed for one fixture and program.
const MAX_SHOWN: usize = 10;

/// Which programs to compare with.
#[derive(clap::Args)]
pub struct Options {
    /// Fail if a program is missing, instead of leaving it out
    #[arg(long)]
    pub strict: bool,
    /// Also read the edited fixtures with regipy from the Python Package Index
    #[arg(long)]
    pub regipy: bool,
}

/// Compares diskmend with each program on each healthy fixture.
///
/// # Errors
/// If programs disagree, or a program is missing with `strict`.
pub fn run(options: &Options) -> Result<()> {
    let mut tools = Vec::new();
    for tool in Tool::ALL {
        if program::exists(tool.name()) {
            tools.push(tool);
            continue;
        }
        let missing = format!("{} (package {})", tool.name(), tool.package());
        let is_ci = std::env::var_os("CI").is_some_and(|value| value == "true");
        if options.strict || is_ci {
            bail!("{missing} is not installed");
        }
        println!("SKIPPED: {missing} is not installed");
    }
    let regipy = options.regipy.then(regipy::install).transpose()?;
    let diskmend = program::diskmend(false)?;
    let folder = tempfile::tempdir()?;
    let mut failures = 0;
    let mut compared = 0;
    for fixture in fixtures::all()?
        .iter()
        .filter(|fixture| fixture.is_healthy())
    {
        let hive = folder.path().join(&fixture.name);
        std::fs::copy(fixture.hive(), &hive)?;
        let mut check = Check {
            fixture,
            hive: &hive,
            failures: 0,
            compared: 0,
        };

        let before = tools::ours(&diskmend, &hive).with_context(|| fixture.name.clone())?;
        check.compare(&tools, &before, "as it is")?;
        let mut expected = before;
        edits::edit(&diskmend, &hive, &mut expected)?;
        let after = tools::ours(&diskmend, &hive)?;
        let wrong = differences(&after, &expected, |a, b| a == b);
        check.report("diskmend", "after edits", &wrong);
        check.compare(&tools, &after, "after edits")?;
        program::stdout(&diskmend, &["hive", "check", &*hive.to_string_lossy()])?;
        if let Some(regipy) = &regipy {
            let wrong = regipy::compare(regipy, &hive, &after)?;
            check.report("regipy", "after edits", &wrong);
        }
        failures += check.failures;
        compared += check.compared;
    }
    println!("{compared} comparisons, {failures} of them differ");
    if failures > 0 {
        bail!("{failures} comparisons differ");
    }
    Ok(())
}

struct Check<'a> {
    fixture: &'a Fixture,
    hive: &'a Path,
    failures: usize,
    compared: usize,
}

impl Check<'_> {
    fn compare(&mut self, tools: &[Tool], ours: &Content, when: &str) -> Result<()> {
        for tool in tools {
            if let Some(reason) = tool.unable(ours) {
                println!("SKIPPED: {} {when}: {reason}", self.fixture.name);
                continue;
            }
            let mut ours = ours.clone();
            if let Some((count, reason)) = tool.leave_out(&mut ours) {
                println!(
                    "SKIPPED: {count} values of {} {when}: {reason}",
                    self.fixture.name
                );
            }
            let wrong = tool
                .compare(self.hive, &ours)
                .with_context(|| format!("{} {when}", self.fixture.name))?;
            self.report(tool.name(), when, &wrong);
        }
        Ok(())
    }

    fn report(&mut self, program: &str, when: &str, wrong: &[String]) {
        self.compared += 1;
        if wrong.is_empty() {
            return;
        }
        self.failures += 1;
        println!(
            "DIFFERENT: {} {when}, {program}: {} differences",
            self.fixture.name,
            wrong.len()
        );
        for line in wrong.iter().take(MAX_SHOWN) {
            println!("    {line}");
        }
    }
}
