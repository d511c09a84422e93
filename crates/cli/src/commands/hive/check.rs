//! `diskmend hive check`: the whole structure of a hive.

use std::io;
use std::path::{Path, PathBuf};

use diskmend_hive::check::{self, Content, Report, Severity};
use diskmend_repair::documents::CheckSummary;
use serde::Serialize;

use crate::exit::Exit;
use crate::failure::Failure;
use crate::hive_file::{self, HiveFile, Recovered};
use crate::output::console::Console;
use crate::output::escape::Escaped;
use crate::output::style;
use crate::output::table::{Align, Cell, Table};
use crate::progress::Spinner;

/// Check the structure of a hive
///
/// Every bin, cell, key, list, value and security descriptor is looked at, and every problem is
/// listed with its offset in the file. An error is a problem with which Windows would not load the
/// hive, or not see part of it; a hive with errors is not edited. A warning is something that
/// Windows lives with.
///
/// A hive that was not closed cleanly is checked in the state that its logs recover it to, in
/// memory; that it is dirty is said and is no problem of its structure.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Exit code 0 means no problem, 3 that there are errors or warnings, 1 that FILE is no hive or can't
be recovered.

Examples:
  diskmend hive check /mnt/f/Windows/System32/config/SYSTEM
  diskmend hive check SYSTEM --json")]
pub(crate) struct Args {
    /// The hive file
    file: PathBuf,
}

#[derive(Serialize)]
struct Document<'a> {
    file: String,
    version: String,
    dirty: Option<&'a str>,
    recovery: Option<Replay>,
    #[serde(flatten)]
    check: CheckSummary,
    content: ContentEntry,
}

/// What replaying the logs did.
#[derive(Serialize)]
struct Replay {
    applied: Vec<AppliedLog>,
    skipped: Vec<Skipped>,
    pages: usize,
    base_block_restored: bool,
}

#[derive(Serialize)]
struct AppliedLog {
    log: &'static str,
    format: String,
    entries: usize,
    first_sequence: u32,
    last_sequence: u32,
}

#[derive(Serialize)]
struct Skipped {
    log: &'static str,
    reason: String,
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
    let spinner = Spinner::start("checking");
    let file = hive_file::read(&args.file)?;
    let report = check::check(&file.hive);
    drop(spinner);
    let exit = match report.errors + report.warnings {
        0 => Exit::Done,
        _ => Exit::Pending,
    };
    console.show(exit, |console| match console.json() {
        true => console.document(&document(&args.file, &file, &report)),
        false => print(console, &args.file, &file, &report),
    })
}

fn document<'a>(path: &Path, file: &'a HiveFile, report: &Report) -> Document<'a> {
    Document {
        file: path.display().to_string(),
        version: version(file),
        dirty: file.recovered.as_ref().map(|r| r.state.as_str()),
        recovery: file.recovered.as_ref().map(replay),
        check: report.into(),
        content: content(&report.content),
    }
}

fn replay(recovered: &Recovered) -> Replay {
    let recovery = &recovered.recovery;
    Replay {
        applied: recovery
            .applied
            .iter()
            .map(|applied| AppliedLog {
                log: applied.log.suffix(),
                format: applied.format.to_string(),
                entries: applied.entries,
                first_sequence: applied.first_sequence,
                last_sequence: applied.last_sequence,
            })
            .collect(),
        skipped: recovery
            .skipped
            .iter()
            .map(|skipped| Skipped {
                log: skipped.log.suffix(),
                reason: skipped.fault.to_string(),
            })
            .collect(),
        pages: recovery.pages,
        base_block_restored: recovery.base_block_restored,
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

fn version(file: &HiveFile) -> String {
    format!("1.{}", file.hive.minor_version())
}

fn print(console: &mut Console, path: &Path, file: &HiveFile, report: &Report) -> io::Result<()> {
    let width = console.width();
    let out = console.out();
    let path = path.display().to_string();
    let Content { keys, values, .. } = report.content;
    writeln!(
        out,
        "{}: regf {}, {} bytes of bins, {keys} keys, {values} values",
        Escaped(&path),
        version(file),
        file.hive.image().bins_len(),
    )?;
    if let Some(recovered) = &file.recovered {
        let warning = style::WARNING;
        writeln!(
            out,
            "{warning}dirty{warning:#}: {}; checked as its logs recover it ({} pages)",
            recovered.state, recovered.recovery.pages
        )?;
    }
    if report.problems.is_empty() {
        let good = style::GOOD;
        return writeln!(out, "{good}no problems{good:#}");
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
            Cell::new(problem.path.as_deref().unwrap_or_default()),
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
