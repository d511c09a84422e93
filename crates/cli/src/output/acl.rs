//! Permissions of files as text.

use std::io::{self, Write};

use diskmend_base::escape::Visible;
use diskmend_repair::documents::{
    AclGroup, AclReport, AppliedDescriptors, ObjectNotes, RowState, UndoneDescriptors,
};

use super::style;
use super::{console, report};

/// The maximum number of objects that are listed one by one; `--json` and the run's reports list
/// more.
const MOST_NOTES: usize = 20;

/// The content of a folder, and the planned changes.
pub(crate) fn report(out: &mut dyn Write, report: &AclReport) -> io::Result<()> {
    let heading = style::HEADING;
    writeln!(
        out,
        "\n{heading}{}{heading:#}  permissions of {}: {} faults, {} differ",
        Visible(&report.path),
        objects(report.objects),
        report.faults,
        report.differ
    )?;
    for found in &report.groups {
        group(out, found)?;
    }
    if report.in_no_group > 0 {
        writeln!(
            out,
            "  and {} with permissions that differ in other ways",
            objects(report.in_no_group)
        )?;
    }
    notes(&report.left_alone, "is left alone");
    notes(&report.failed, "could not be looked at");
    Ok(())
}

/// Objects with equal permissions.
fn group(out: &mut dyn Write, group: &AclGroup) -> io::Result<()> {
    let (state, style) = match group.state {
        RowState::Fault => ("FAULT  ", style::BAD),
        RowState::Differs | RowState::Missing | RowState::Reported => ("differs", style::WARNING),
        RowState::Ok => ("ok     ", style::GOOD),
    };
    let example = group.examples.first().map_or("", String::as_str);
    let what = match group.objects {
        1 => Visible(example).to_string(),
        count => format!("{}, the first is {}", objects(count), Visible(example)),
    };
    writeln!(out, "  {style}{state}{style:#}  {what}")?;
    for reason in &group.reasons {
        writeln!(out, "           {}", Visible(reason))?;
    }
    let (faint, good) = (style::FAINT, style::GOOD);
    if !group.why.is_empty() {
        let because = report::because(&group.recipe, &group.why, group.note.as_deref());
        writeln!(out, "           {faint}{}{faint:#}", Visible(&because))?;
    }
    for edit in &group.edits {
        writeln!(out, "           {good}-> {}{good:#}", Visible(edit))?;
    }
    match &group.repaired_by {
        Some(recipe) => writeln!(out, "           repaired by {}", Visible(recipe)),
        None => Ok(()),
    }
}

/// The result of a repair.
pub(crate) fn applied(out: &mut dyn Write, applied: &AppliedDescriptors) -> io::Result<()> {
    let heading = style::HEADING;
    if applied.changed + applied.already > 0 {
        write!(
            out,
            "{heading}permissions{heading:#}  of {} set and read back",
            objects(applied.changed)
        )?;
        match applied.already {
            0 => writeln!(out)?,
            already => writeln!(out, ", {} already had them", objects(already))?,
        }
    }
    notes(&applied.left_alone, "is left alone");
    notes(&applied.failed, "is not repaired");
    Ok(())
}

/// The result of an undo.
pub(crate) fn undone(out: &mut dyn Write, undone: &UndoneDescriptors) -> io::Result<()> {
    writeln!(
        out,
        "  permissions of {} restored, {} already had their old ones",
        objects(undone.restored),
        objects(undone.already)
    )?;
    notes(
        &undone.changed_since,
        "is left alone, because it was changed since",
    );
    notes(&undone.failed, "is not restored");
    Ok(())
}

/// A number of files and folders, in words.
pub(crate) fn objects(count: u64) -> String {
    match count {
        1 => "1 file or folder".to_owned(),
        count => format!("{count} files and folders"),
    }
}

fn notes(notes: &ObjectNotes, what: &str) {
    for note in notes.listed.iter().take(MOST_NOTES) {
        console::warn(format_args!("{} {what}: {}", note.path, note.reason));
    }
    let listed = notes.listed.len().min(MOST_NOTES) as u64;
    match notes.count.saturating_sub(listed) {
        0 => {}
        more => console::warn(format_args!(
            "and {more} more, of which --json lists a thousand"
        )),
    }
}
