//! `diskmend hive check`: checks the whole structure of a hive.

use std::io;

use diskmend_base::escape::Visible;
use diskmend_hive::check::{self, Content, Report, Severity};
use diskmend_repair::documents::{CheckSummary, HiveStatus, RecoverySummary};
use diskmend_repair::hive_file::{HivePath, OpenHive};
use serde::Serialize;

use super::reading;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::hive_arg::HiveArgs;
use crate::html;
use crate::output::console::Console;
use crate::output::style;
use crate::output::table::{Align, Cell, Table};
use crate::progress::Spinner;
use crate::report_file::ReportArgs;

/// Check the structure of a hive
///
/// diskmend checks every bin, cell, key, list, value and security descriptor, and lists every
/// problem with its offset in the file. An error is a problem that keeps Windows from loading the
/// hive, or hides part of it; diskmend does not edit a hive with errors. A warning is a problem
/// that Windows tolerates.
///
/// If a hive was not closed cleanly, diskmend replays its logs in memory, and checks the result. It
/// says that the hive is dirty. That is a finding (exit code 3), but not a problem of its structure.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Exit code 0: no problems. 3: errors or warnings, or the hive was not closed cleanly. 1: FILE is not a
hive, or it was not closed cleanly and can't be recovered.

Examples:
  diskmend hive check /mnt/f/Windows/System32/config/SYSTEM
  diskmend hive check SYSTEM --json")]
pub(crate) struct Args {
    #[command(flatten)]
    hive: HiveArgs,
    #[command(flatten)]
    report: ReportArgs,
}

/// The result of a check, as a document.
#[derive(Serialize)]
pub(crate) struct Document<'a> {
    file: String,
    version: &'a str,
    length: u64,
    dirty: Option<&'a str>,
    recovery: Option<&'a RecoverySummary>,
    #[serde(flatten)]
    check: CheckSummary,
    content: ContentEntry,
}

#[derive(Serialize)]
struct ContentEntry {
    bins: usize,
    cells: usize,
    keys: usize,
    values: usize,
    security_cells: usize,
    free_bytes: usize,
}

pub(super) fn run(args: &Args, console: &mut Console) -> Result<Exit, Failure> {
    let file = args.hive.path()?;
    args.report.about_file(&file, console)?;
    let spinner = Spinner::start("checking");
    let OpenHive { hive, status } = reading::open(&file)?;
    let report = check::check(&hive);
    drop(spinner);
    let exit = exit(&status, report.errors + report.warnings);
    console.page(|| html::hive_check(&status, &report));
    console.show(exit, |console| {
        if console.json() {
            console.document(&document(&file, &status, &report))
        } else {
            print(console, &file, &status, &report)
        }
    })
}

/// The exit code for a hive in this state with so many problems. A dirty hive is a finding.
pub(crate) fn exit(status: &HiveStatus, problems: usize) -> Exit {
    if status.dirty.is_none() && problems == 0 {
        Exit::Done
    } else {
        Exit::Pending
    }
}

/// Makes the document.
pub(crate) fn document<'a>(
    path: &HivePath,
    status: &'a HiveStatus,
    report: &Report,
) -> Document<'a> {
    Document {
        file: path.to_string(),
        version: &status.version,
        length: status.length,
        dirty: status.dirty.as_deref(),
        recovery: status.recovery.as_ref(),
        check: report.into(),
        content: content(&report.content),
    }
}

fn content(content: &Content) -> ContentEntry {
    ContentEntry {
        bins: content.bins,
        cells: content.cells,
        keys: content.keys,
        values: content.values,
        security_cells: content.security_cells,
        free_bytes: content.free_bytes,
    }
}

/// Prints the result of a check as text.
pub(crate) fn print(
    console: &mut Console,
    path: &HivePath,
    status: &HiveStatus,
    report: &Report,
) -> io::Result<()> {
    let width = console.width();
    let out = console.out();
    let path = path.to_string();
    let Content { keys, values, .. } = report.content;
    writeln!(
        out,
        "{}: regf {}, {} bytes, {keys} keys, {values} values",
        Visible(&path),
        Visible(&status.version),
        status.length,
    )?;
    if let Some(dirty) = &status.dirty {
        let warning = style::WARNING;
        writeln!(
            out,
            "{warning}not closed cleanly{warning:#}: {}; checked after replaying its logs in memory",
            Visible(dirty)
        )?;
        let logs = status.recovery.iter().flat_map(|recovery| &recovery.logs);
        for log in logs {
            writeln!(out, "  {}", Visible(log))?;
        }
    }
    if report.problems.is_empty() {
        let good = style::GOOD;
        let other = if status.dirty.is_some() { "other " } else { "" };
        return writeln!(out, "{good}no {other}problems{good:#}");
    }
    let mut table = Table::new([
        ("OFFSET", Align::Right),
        ("SEVERITY", Align::Left),
        ("PROBLEM", Align::Left),
        ("KEY", Align::Left),
        ("DETAILS", Align::Left),
    ]);
    for problem in &report.problems {
        let style = match problem.severity() {
            Severity::Error => style::BAD,
            Severity::Warning => style::WARNING,
        };
        let details = format!("expected {}, found {}", problem.expected, problem.actual);
        table.row([
            Cell::new(format!("{:#x}", problem.offset.0)),
            Cell::styled(problem.severity().to_string(), style),
            Cell::new(problem.kind.code()),
            Cell::lines(problem.path.as_deref(), style::PLAIN),
            Cell::new(details),
        ]);
    }
    table.write(out, width)?;
    let (errors, warnings) = (report.errors, report.warnings);
    write!(out, "{errors} errors, {warnings} warnings")?;
    match report.omitted {
        0 => writeln!(out),
        omitted => writeln!(out, "; {omitted} of them are not listed"),
    }
}
