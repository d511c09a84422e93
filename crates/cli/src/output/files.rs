//! Files that are moved out of the way, as text.

use std::io::{self, Write};

use diskmend_repair::documents::{FileChange, FileChangeKind, FileRow, RunFile, UndoneFiles};

use super::report;
use super::style;
use super::table::{Cell, Table};

/// What a repair does with a file.
pub(crate) const fn action(action: FileChangeKind) -> &'static str {
    match action {
        FileChangeKind::Remove => "to be removed",
        FileChangeKind::Rename => "to be renamed",
        FileChangeKind::Copy => "to be replaced",
        FileChangeKind::Create => "to be made",
    }
}

/// What a repair does with a file, before or after it has.
pub(crate) const fn new(change: FileChangeKind) -> &'static str {
    match change {
        FileChangeKind::Remove => "-> removed, kept in the run",
        FileChangeKind::Rename => "-> renamed",
        FileChangeKind::Copy => "-> replaced, the old one kept in the run",
        FileChangeKind::Create => "-> made",
    }
}

/// Where a run has moved a file.
pub(crate) fn moved_to(file: &RunFile) -> String {
    match file.action {
        FileChangeKind::Remove => format!("removed, kept in the run as {}", file.name),
        FileChangeKind::Rename => format!("renamed to {}", file.name),
        FileChangeKind::Create => format!(
            "made from {}",
            file.from.as_deref().unwrap_or("another file")
        ),
        FileChangeKind::Copy => format!(
            "replaced by {}, the old one kept in the run as {}",
            file.from.as_deref().unwrap_or("another file"),
            file.name
        ),
    }
}

/// A number of files, in words.
pub(crate) fn counted(count: u64) -> String {
    match count {
        1 => "1 file".to_owned(),
        count => format!("{count} files"),
    }
}

/// The length of a file, and when it was last changed.
pub(crate) fn length(length: u64, modified: Option<&str>) -> String {
    match modified {
        Some(modified) => format!("{length} bytes, last changed {modified}"),
        None => format!("{length} bytes"),
    }
}

/// What an inspection found.
pub(crate) fn found(row: &FileRow) -> String {
    match (row.length, &row.problem) {
        (None, _) => "no such file".to_owned(),
        (Some(_), Some(problem)) => match &row.damage {
            Some(damage) => format!("{damage}; it can't be replaced: {problem}"),
            None => problem.clone(),
        },
        (Some(bytes), None) => {
            let length = length(bytes, row.modified.as_deref());
            match &row.damage {
                Some(damage) if row.action == FileChangeKind::Create => damage.clone(),
                Some(damage) => format!("{damage} ({length})"),
                None => length,
            }
        }
    }
}

/// The heading of a list of files, if it isn't empty.
fn heading(out: &mut dyn Write, is_empty: bool) -> io::Result<()> {
    let heading = style::HEADING;
    if is_empty {
        return Ok(());
    }
    writeln!(out, "\n{heading}files{heading:#}")
}

/// The files that recipes want to be gone. `state` gives the words for a state.
pub(crate) fn rows(
    out: &mut dyn Write,
    rows: &[FileRow],
    width: Option<usize>,
    state: impl Fn(&FileRow) -> (&'static str, anstyle::Style),
) -> io::Result<()> {
    heading(out, rows.is_empty())?;
    let mut table = Table::untitled(4, 2);
    for row in rows {
        let (state, style) = state(row);
        let remark = match row.length {
            None => String::new(),
            Some(_) => report::because(&row.recipe, &row.why, row.note.as_deref()),
        };
        table.row([
            Cell::styled(state, style),
            Cell::new(&row.path),
            Cell::new(found(row)),
            Cell::styled(remark, style::FAINT),
        ]);
    }
    table.write(out, width)
}

/// The files that are moved.
pub(crate) fn changes(
    out: &mut dyn Write,
    changes: &[FileChange],
    width: Option<usize>,
) -> io::Result<()> {
    heading(out, changes.is_empty())?;
    let mut table = Table::untitled(4, 2);
    for change in changes {
        let old = length(change.length, change.modified.as_deref());
        let old = match &change.damage {
            Some(damage) if change.action == FileChangeKind::Create => damage.clone(),
            Some(damage) => format!("{old}: {damage}"),
            None => old,
        };
        let style = if change.fault {
            style::BAD
        } else {
            style::PLAIN
        };
        let why = report::because(&change.recipe, &change.why, change.note.as_deref());
        table.row([
            Cell::new(&change.path),
            Cell::styled(old, style),
            Cell::styled(new(change.action), style::GOOD),
            Cell::styled(why, style::FAINT),
        ]);
    }
    table.write(out, width)
}

/// The files that an undo has moved back, and those that it has not.
pub(crate) fn undone(
    out: &mut dyn Write,
    undone: &UndoneFiles,
    width: Option<usize>,
) -> io::Result<()> {
    let mut table = Table::untitled(2, 2);
    for path in &undone.put_back {
        table.row([Cell::new(path), Cell::styled("moved back", style::GOOD)]);
    }
    for path in &undone.removed {
        let what = "removed; the run had made it";
        table.row([Cell::new(path), Cell::styled(what, style::GOOD)]);
    }
    for note in &undone.left_alone.listed {
        let what = format!("LEFT ALONE: {}", note.reason);
        table.row([Cell::new(&note.path), Cell::styled(what, style::WARNING)]);
    }
    for note in &undone.failed.listed {
        let what = format!("NOT moved back: {}", note.reason);
        table.row([Cell::new(&note.path), Cell::styled(what, style::BAD)]);
    }
    table.write(out, width)
}
