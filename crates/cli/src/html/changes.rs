//! Plans, and what a command changed or took back.

use diskmend_repair::documents::{
    AppliedHive, Change, FileAction, FileChange, Method, Notice, Outcome, PlanReport, RepairReport,
    RestoredFile, Reversal, ReversedChange, SecondReader, SkippedHive, UndoReport, UndoneFiles,
};
use maud::{Markup, html};

use super::acl;
use super::{BYTES_OF_FILES, FEW_BYTES, List, command, shown, value};
use crate::failure::Failure;
use crate::output::{files as text, report};

const JSON: &str = ", which --json lists";

/// What a repair would change. `title` is the heading, and `repair` the command that does it.
pub(crate) fn plan(plan: &PlanReport, title: &str, repair: Option<&str>) -> Markup {
    let permissions = plan.objects_to_change();
    let dirty = plan.hives.iter().filter_map(|hive| {
        let state = hive.dirty.as_ref()?;
        let path = hive.shown_path();
        Some(format!(
            "{path}: to be recovered from its logs, because it was not closed cleanly: {state}"
        ))
    });
    let dirty: Vec<String> = dirty.collect();
    let acls = plan.acls.iter().filter(|acl| !plan.auto || acl.faults > 0);
    html! {
        section aria-labelledby="plan" {
            h2 id="plan" { (title) }
            @if !plan.recipes.is_empty() { p { "Recipes: " (shown(&plan.recipes.join(", "))) } }
            @if plan.has_changes() {
                p {
                    (report::counted(plan.changes.len(), "value")) " to change, "
                    (report::counted(dirty.len(), "hive")) " to recover, "
                    (text::counted(plan.files.len() as u64)) " to change, permissions of "
                    (crate::output::acl::objects(permissions)) " to set."
                }
            } @else { p { "Nothing to do." } }
            @for caution in &plan.cautions { p { span.warn { "Mind: " } (shown(caution)) } }
            (lines(&dirty))
            (changes(&plan.changes))
            (moved(&plan.files))
            (acl::folders(acls))
            (remarks(&plan.skipped, &plan.notices))
            @if let Some(repair) = repair { (command("Carry it out:", repair)) }
        }
    }
}

/// Why there is no plan.
pub(crate) fn no_plan(reason: &Failure) -> Markup {
    html! {
        section aria-labelledby="plan" {
            h2 id="plan" { "What the repair would change" }
            p { span.warn { "Can't be planned: " } (shown(reason.message())) }
        }
    }
}

/// What the user asked for, for the page of a change that was not made.
pub(crate) fn request(question: &str) -> Markup {
    html! {
        section aria-labelledby="request" {
            h2 id="request" { "What was asked for" }
            p { (shown(question)) }
        }
    }
}

/// What a command changed; `undo` is the command that takes it back.
pub(crate) fn applied(done: &RepairReport, undo: Option<&str>) -> Markup {
    let outcome = match done.outcome {
        Outcome::NothingToDo => {
            html! { span.good { "Nothing to do" } ": everything is as wanted, and nothing was written." }
        }
        Outcome::Done => {
            html! { span.good { "Done" } ": every change was made, and read back from the disk." }
        }
        Outcome::PartlyDone => {
            html! { span.warn { "Partly done" } ": some hives or files were not changed; see below." }
        }
    };
    let hives = List {
        columns: &["Hive", "Recovered", "Written", "Checked", "Second reader"],
        rest: JSON,
        ..List::default()
    };
    html! {
        section aria-labelledby="changed" {
            h2 id="changed" { "What was changed" }
            p.verdict { (outcome) }
            dl {
                @if let Some(run) = &done.run { dt { "run" } dd { code { (shown(run)) } } }
                @if !done.recipes.is_empty() {
                    dt { "recipes" } dd { (shown(&done.recipes.join(", "))) }
                }
            }
            (changes(&done.changes))
            (moved(&done.files))
            @if !done.hives.is_empty() {
                h3 { "The hives afterwards" }
                (hives.table(&done.hives, hive))
            }
            @if let Some(descriptors) = &done.descriptors { (acl::applied(descriptors)) }
            (remarks(&done.skipped, &done.notices))
            @if let Some(undo) = undo { (command("Undo it:", undo)) }
        }
    }
}

/// What an undo restored; `redo` is the command that undoes it.
pub(crate) fn undone(undone: &UndoReport, redo: Option<&str>) -> Markup {
    let how = match undone.method {
        Method::Values => {
            "value by value, because something else has changed the hive since the run"
        }
        Method::Bytes if undone.is_partial() => "in part",
        Method::Bytes if undone.differences.is_some() => {
            "byte for byte, over whatever was written there since the run"
        }
        Method::Bytes => "byte for byte, except for what is listed below as changed since",
    };
    let files = List {
        columns: &["File", "State now"],
        rest: JSON,
        ..List::default()
    };
    let values = List {
        columns: &["Key", "Value", "The run had set", "Now", "How"],
        rest: JSON,
        ..List::default()
    };
    html! {
        section aria-labelledby="undone" {
            h2 id="undone" { "What was undone" }
            p.verdict { "Run " code { (shown(&undone.run)) } " is undone, " (how) "." }
            @if !undone.files.is_empty() { (files.table(&undone.files, file)) }
            @if !undone.changes.is_empty() { (values.table(&undone.changes, reversed)) }
            @if let Some(moved) = &undone.moved { (moved_back(moved)) }
            @if let Some(descriptors) = &undone.descriptors { (acl::undone(descriptors)) }
            (remarks(&[], &undone.notices))
            @if let Some(redo) = redo { (command("Undo the undo:", redo)) }
        }
    }
}

fn changes(changes: &[Change]) -> Markup {
    let list = List {
        columns: &["Place", "Name", "Old", "New", "Why"],
        rest: JSON,
        ..List::default()
    };
    html! { @if !changes.is_empty() { (list.table(changes, change)) } }
}

/// The files that are moved away.
fn moved(files: &[FileChange]) -> Markup {
    let list = List {
        columns: &["File", "Old", "New", "Why"],
        bytes: BYTES_OF_FILES,
        rest: JSON,
        ..List::default()
    };
    let row = |file: &FileChange| {
        let old = text::length(file.length, file.modified.as_deref());
        let why = report::because(&file.recipe, &file.why, file.note.as_deref());
        vec![
            html! { code { (shown(&file.path)) } },
            html! { @if file.fault { span.bad { (value(&old)) } } @else { (value(&old)) } },
            value(text::new(file.action)),
            html! { (shown(&why)) },
        ]
    };
    html! { @if !files.is_empty() { (list.table(files, row)) } }
}

/// The files that were moved back, and those that were not.
fn moved_back(undone: &UndoneFiles) -> Markup {
    let back = undone.put_back.iter();
    let back = back.map(|path| format!("{path}: moved back"));
    let removed = undone.removed.iter();
    let back = back.chain(removed.map(|path| format!("{path}: removed; the run had made it")));
    let left = undone.left_alone.listed.iter();
    let left = left.map(|note| format!("{}: left alone: {}", note.path, note.reason));
    let failed = undone.failed.listed.iter();
    let failed = failed.map(|note| format!("{}: not moved back: {}", note.path, note.reason));
    lines(&back.chain(left).chain(failed).collect::<Vec<_>>())
}

fn change(change: &Change) -> Vec<Markup> {
    let (place, name, old, new) = match &change.element {
        Some(element) => (
            format!("{} {}", element.store, element.object_name),
            element.name.as_str(),
            report::words(element.old.as_deref()),
            report::words(element.new.as_deref()),
        ),
        None => {
            let (old, new) = report::old_and_new(change);
            (
                format!("{}\\{}", change.hive, change.value.key),
                report::thing(
                    &change.value.value,
                    change.is_about_key(),
                    change.permissions.as_ref(),
                ),
                old,
                new,
            )
        }
    };
    let why = match change.recipe.as_str() {
        "" => "by hand".to_owned(),
        recipe => report::because(recipe, &change.why, change.note.as_deref()),
    };
    vec![
        html! { code { (shown(&place)) } },
        value(name),
        html! { @if change.fault { span.bad { (value(&old)) } } @else { (value(&old)) } },
        value(&new),
        html! { (shown(&why)) },
    ]
}

fn hive(hive: &AppliedHive) -> Vec<Markup> {
    let recovered = match &hive.recovery {
        Some(recovery) => format!("from its logs, {} pages", recovery.pages),
        None => "no need".to_owned(),
    };
    let checked = match &hive.check {
        Some(check) => format!("{} errors, {} warnings", check.errors, check.warnings),
        None => "no".to_owned(),
    };
    let reader = match &hive.second_reader {
        SecondReader::Agrees => "agrees".to_owned(),
        SecondReader::CannotRead(why) => format!("can't read this hive: {why}"),
        SecondReader::Skipped => "not used".to_owned(),
    };
    let written = format!("{} bytes, read back", hive.bytes_written);
    let mut row = vec![html! { code { (shown(&hive.shown_path())) } }];
    row.extend([recovered, written, checked, reader].map(|text| html! { (shown(&text)) }));
    row
}

fn file(file: &RestoredFile) -> Vec<Markup> {
    let action = match file.action {
        FileAction::Restored => "has its old bytes again",
        FileAction::Removed => "removed; the run had created it",
        FileAction::Unchanged => "already had its old bytes",
    };
    vec![html! { code { (shown(&file.path)) } }, html! { (action) }]
}

fn reversed(change: &ReversedChange) -> Vec<Markup> {
    let changed = &change.change;
    let place = format!("{}\\{}", change.hive, changed.key);
    if let Some(permissions) = &change.permissions {
        let how = match change.reversal {
            Reversal::Reversed => html! { "reversed" },
            Reversal::AlreadyOld => html! { "already as before" },
            Reversal::LeftAlone => html! { span.warn { "left alone, changed since" } },
        };
        return vec![
            html! { code { (shown(&place)) } },
            value(report::PERMISSIONS),
            value(&permissions.new),
            value(&permissions.now(change.reversal)),
            how,
        ];
    }
    let (how, now) = match change.reversal {
        Reversal::Reversed => (html! { "reversed" }, &changed.old),
        Reversal::AlreadyOld => (html! { "already had its old data" }, &changed.old),
        Reversal::LeftAlone => (
            html! { span.warn { "left alone, changed since" } },
            &change.found,
        ),
    };
    vec![
        html! { code { (shown(&place)) } },
        value(report::value_name(&changed.value)),
        value(&report::data(changed.new.as_ref())),
        value(&report::data(now.as_ref())),
        how,
    ]
}

/// What was left out, and what else the reader should know.
fn remarks(skipped: &[SkippedHive], notices: &[Notice]) -> Markup {
    let skipped = skipped.iter();
    let skipped = skipped.map(|hive| format!("{} is left alone: {}", hive.hive, hive.reason));
    let notices = notices.iter().map(|notice| notice.text.clone());
    lines(&skipped.chain(notices).collect::<Vec<_>>())
}

fn lines(lines: &[String]) -> Markup {
    let list = List {
        bytes: FEW_BYTES,
        rest: JSON,
        ..List::default()
    };
    list.lines(lines, |line| html! { (shown(line)) })
}
