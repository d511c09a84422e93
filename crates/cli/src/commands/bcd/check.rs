//! `diskmend bcd check`: checks the structure of the hive, and the objects of the store in it.

use std::io;

use diskmend_base::chain;
use diskmend_bcd::check::{self, Level, Problem, Report};
use diskmend_bcd::{ElementId, Guid, ObjectType, Store, elements, well_known};
use diskmend_hive::check as structure;
use diskmend_repair::hive_file::OpenHive;
use serde::Serialize;

use super::store_arg::StoreArg;
use crate::commands::hive::{self, reading};
use crate::exit::Exit;
use crate::failure::Failure;
use crate::hive_arg::shown;
use crate::html;
use crate::output::console::Console;
use crate::output::style;
use crate::output::table::{Align, Cell, Table};
use crate::report_file::ReportArgs;

/// Check a boot store: the structure of its hive, and its objects and elements
///
/// The hive is checked as by 'diskmend hive check'. In the store, errors are, among others, objects
/// that can't be read, elements with data of the wrong type, and a missing boot manager. Notes are
/// deviations that Windows's own stores contain too, such as references to objects that do not
/// exist.
///
/// If a store was not closed cleanly, diskmend replays its logs in memory, and checks the result.
/// That it was not closed cleanly is a finding too (exit code 3).
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Exit code 0: no problems, except for notes. 3: errors or warnings, or the store was not closed
cleanly. 1: STORE is not a hive, or it was not closed cleanly and can't be recovered.

Examples:
  diskmend bcd check /mnt/f
  diskmend bcd check /mnt/esp/EFI/Microsoft/Boot/BCD --json")]
pub(crate) struct Args {
    #[command(flatten)]
    store: StoreArg,
    #[command(flatten)]
    report: ReportArgs,
}

#[derive(Serialize)]
struct Document<'a> {
    #[serde(flatten)]
    hive: hive::check::Document<'a>,
    store: StoreEntry,
}

#[derive(Serialize)]
struct StoreEntry {
    objects: usize,
    elements: usize,
    errors: usize,
    notes: usize,
    problems: Vec<ProblemEntry>,
}

#[derive(Serialize)]
struct ProblemEntry {
    level: &'static str,
    object: Option<String>,
    element: Option<String>,
    problem: String,
}

pub(super) fn run(args: &Args, console: &mut Console) -> Result<Exit, Failure> {
    args.store.begin(&args.report, console)?;
    let file = args.store.file()?;
    let OpenHive { hive, status } = reading::open(&file)?;
    let structure = structure::check(&hive);
    let root = hive
        .root()
        .map_err(|error| reading::corrupt(&error).about(&shown(&file)))?;
    let report = check::check(root);
    let problems = structure.errors + structure.warnings + count(&report, Level::Error);
    let exit = hive::check::exit(&status, problems);
    console.page(|| {
        maud::html! {
            (html::hive_check(&status, &structure))
            (html::store_check(&report))
        }
    });
    console.show(exit, |console| {
        if console.json() {
            console.document(&Document {
                hive: hive::check::document(&file, &status, &structure),
                store: entry(&report),
            })
        } else {
            hive::check::print(console, &file, &status, &structure)?;
            print(console, &report, Store::new(root).ok().as_ref())
        }
    })
}

fn count(report: &Report, level: Level) -> usize {
    let of_level = |problem: &&Problem| problem.level == level;
    report.problems.iter().filter(of_level).count()
}

fn entry(report: &Report) -> StoreEntry {
    let problem = |problem: &Problem| ProblemEntry {
        level: level(problem.level),
        object: problem.object.map(|guid| guid.to_string()),
        element: problem.element.map(|id| format!("0x{id}")),
        problem: chain(&problem.kind),
    };
    StoreEntry {
        objects: report.objects,
        elements: report.elements,
        errors: count(report, Level::Error),
        notes: count(report, Level::Note),
        problems: report.problems.iter().map(problem).collect(),
    }
}

fn level(level: Level) -> &'static str {
    match level {
        Level::Error => "error",
        Level::Note => "note",
    }
}

fn print(console: &mut Console, report: &Report, store: Option<&Store<'_>>) -> io::Result<()> {
    let width = console.width();
    let out = console.out();
    let (objects, elements) = (report.objects, report.elements);
    writeln!(out, "\nboot store: {objects} objects, {elements} elements")?;
    if report.problems.is_empty() {
        let good = style::GOOD;
        return writeln!(out, "{good}no problems{good:#}");
    }
    let mut table = Table::new([
        ("LEVEL", Align::Left),
        ("OBJECT", Align::Left),
        ("ELEMENT", Align::Left),
        ("PROBLEM", Align::Left),
    ]);
    for problem in &report.problems {
        let style = match problem.level {
            Level::Error => style::BAD,
            Level::Note => style::FAINT,
        };
        let object = problem.object.map(object_name);
        let element = problem.element.map(|id| {
            let object = problem.object.zip(store);
            let object = object.and_then(|(guid, store)| store.object(guid).ok()?);
            element_name(id, object.and_then(|object| object.object_type().ok()))
        });
        table.row([
            Cell::styled(level(problem.level), style),
            Cell::lines(object, style::PLAIN),
            Cell::lines(element, style::PLAIN),
            Cell::new(chain(&problem.kind)),
        ]);
    }
    table.write(out, width)?;
    let (errors, notes) = (count(report, Level::Error), count(report, Level::Note));
    writeln!(out, "{errors} errors, {notes} notes")
}

fn object_name(guid: Guid) -> String {
    match well_known::by_guid(guid) {
        Some(known) => known.alias.to_owned(),
        None => guid.to_string(),
    }
}

/// The element's id, and its name if it has one in objects of this type.
fn element_name(id: ElementId, object_type: Option<ObjectType>) -> String {
    let info = elements::lookup(id, object_type.unwrap_or(ObjectType(0)));
    match info.and_then(|info| info.alias) {
        Some(alias) => format!("{alias} (0x{id})"),
        None => format!("0x{id}"),
    }
}
