//! `diskmend runs TARGET RUN`: shows what a run changed.

use std::io;

use diskmend_base::escape::Visible;
use diskmend_repair::Engine;
use diskmend_repair::documents::{RunChange, RunDetails, RunHive};

use super::runs;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::html;
use crate::output::console::{self, Console};
use crate::output::table::{Cell, Table};
use crate::output::{files, report, style};
use crate::target_arg::TargetArgs;

/// The greatest number of changes of a hive, and of permissions, that are shown as text.
const MOST_SHOWN: usize = 1000;

/// Shows what the run with this name changed.
pub(super) fn run(
    target: &TargetArgs,
    engine: &mut Engine,
    text: &str,
    console: &mut Console,
) -> Result<Exit, Failure> {
    let named = engine.run_named(text);
    let name = named.map_err(|error| target.failure(&error))?;
    let details = engine.show_run(&name);
    let details = details.map_err(|error| target.failure(&error))?;
    let undo = undo(&details, target);
    console.page(|| html::details(&details, undo.as_deref()));
    console.show(Exit::Done, |console| {
        if console.json() {
            console.engine_document(&details)?;
        } else {
            print(console, &details)?;
        }
        details.problems.iter().for_each(console::warn);
        if let Some(undo) = &undo {
            console::hint(format_args!("to undo: {undo}"));
        }
        Ok(())
    })
}

/// The command that undoes a run, if that can be undone and is believed.
pub(super) fn undo(details: &RunDetails, target: &TargetArgs) -> Option<String> {
    let run = &details.run;
    let undo = || report::undo_command(&details.target, &run.run, &target.option());
    (run.trust.is_given() && run.undoable).then(undo)
}

fn print(console: &mut Console, details: &RunDetails) -> io::Result<()> {
    let width = console.width();
    let run = &details.run;
    let (state, of_state) = runs::state(run);
    let mut table = Table::untitled(2, 0);
    let mut row = |label: &str, cell: Cell| table.row([Cell::new(label), cell]);
    row("run", Cell::styled(&run.run, style::HEADING));
    row("state", Cell::styled(state, of_state));
    row("by", runs::by(run));
    row("started", Cell::new(&run.started));
    row("updated", Cell::new(&run.updated));
    if !run.recipes.is_empty() {
        row("recipes", Cell::new(run.recipes.join(", ")));
    }
    let windows = &run.windows;
    let build = windows.build.map(|build| match windows.ubr {
        Some(ubr) => format!("build {build}.{ubr}"),
        None => format!("build {build}"),
    });
    let computer = windows.computer_name.as_deref();
    let computer = computer.map(|name| format!("computer {name}"));
    let domain = windows
        .domain
        .as_deref()
        .map(|name| format!("domain {name}"));
    let names = [windows.product_name.clone(), build, computer, domain];
    let names: Vec<String> = names.into_iter().flatten().collect();
    if !names.is_empty() {
        row("Windows", Cell::new(names.join(", ")));
    }
    if let Some(note) = &run.note {
        row("note", Cell::new(note));
    }
    table.write(console.out(), width)?;
    for hive in &details.hives {
        print_hive(console, hive)?;
    }
    moved(console, details)?;
    permissions(console, details)
}

fn moved(console: &mut Console, details: &RunDetails) -> io::Result<()> {
    let width = console.width();
    let out = console.out();
    if !details.files.is_empty() {
        let heading = style::HEADING;
        writeln!(out, "\n{heading}files{heading:#}")?;
    }
    let mut table = Table::untitled(3, 2);
    for file in &details.files {
        table.row([
            Cell::new(&file.path),
            Cell::new(files::length(file.length, None)),
            new(&files::moved_to(file)),
        ]);
    }
    table.write(out, width)
}

fn print_hive(console: &mut Console, hive: &RunHive) -> io::Result<()> {
    let width = console.width();
    let out = console.out();
    let heading = style::HEADING;
    write!(out, "\n{heading}{}{heading:#}", Visible(&hive.path))?;
    if hive.recovered {
        write!(out, "  recovered from its logs")?;
    }
    writeln!(out)?;
    let shown = hive.changes.get(..MOST_SHOWN).unwrap_or(&hive.changes);
    for (place, group) in report::by_key(shown, |change| ("", key(change))) {
        writeln!(out, "{}", Visible(place.1))?;
        let mut table = Table::untitled(3, 2);
        for change in group {
            table.row(match change {
                RunChange::KeyCreated(_) => {
                    [Cell::new("(key)"), Cell::new("(none)"), new("created")]
                }
                RunChange::KeyDeleted(_) => {
                    [Cell::new("(key)"), Cell::new("(there)"), new("deleted")]
                }
                RunChange::KeyPermissions(key) => [
                    Cell::new(report::PERMISSIONS),
                    Cell::new(&key.old),
                    new(&key.new),
                ],
                RunChange::Value(value) => [
                    Cell::new(report::value_name(&value.value)),
                    Cell::new(report::data(value.old.as_ref())),
                    new(&report::data(value.new.as_ref())),
                ],
            });
        }
        table.write(out, width)?;
    }
    match hive.change_count.saturating_sub(shown.len()) {
        0 => Ok(()),
        more => writeln!(out, "{}", not_shown(more as u64, "change")),
    }
}

fn permissions(console: &mut Console, details: &RunDetails) -> io::Result<()> {
    let out = console.out();
    let all = &details.permissions;
    let shown = all.get(..MOST_SHOWN).unwrap_or(all);
    if !shown.is_empty() {
        let heading = style::HEADING;
        writeln!(out, "\n{heading}permissions{heading:#}")?;
    }
    for permission in shown {
        writeln!(out, "{}", Visible(&permission.path))?;
        writeln!(out, "  {}", Visible(&permission.old))?;
        let good = style::GOOD;
        writeln!(out, "  {good}-> {}{good:#}", Visible(&permission.new))?;
    }
    let more = all.len().saturating_sub(shown.len()) as u64;
    match more.saturating_add(details.more_permissions) {
        0 => Ok(()),
        more => writeln!(out, "{}", not_shown(more, "permission")),
    }
}

fn not_shown(count: u64, what: &str) -> String {
    let plural = if count == 1 { "" } else { "s" };
    format!("{count} more {what}{plural} not shown; --json shows more")
}

fn new(text: &str) -> Cell {
    Cell::styled(format!("-> {text}"), style::GOOD)
}

fn key(change: &RunChange) -> &str {
    match change {
        RunChange::KeyCreated(key) | RunChange::KeyDeleted(key) => &key.key,
        RunChange::KeyPermissions(key) => &key.key,
        RunChange::Value(value) => &value.key,
    }
}
