//! What diskmend has done to a disk.

use diskmend_repair::documents::{
    PrunableRun, PruneReport, RunChange, RunDetails, RunFile, RunList, RunPermission, RunState,
    RunSummary, Trust,
};
use maud::{Markup, html};

use super::{BYTES_OF_FILES, FEW_BYTES, List, command, shown, tight, value};
use crate::output::{files, report, shell};

/// The maximum number of hives.
const MOST_HIVES: usize = 4;
/// The maximum number of bytes for the changes of a hive.
const BYTES_OF_HIVE: usize = 40_000;

/// All runs, the newest first, with the command that undoes each. `options` name the undo data.
pub(crate) fn runs(list: &RunList, options: &str) -> Markup {
    let newest_first: Vec<&RunSummary> = list.runs.iter().rev().collect();
    let table = List {
        columns: &["Run", "State", "By", "Recipes", "Changes", "Undo"],
        rest: "; 'diskmend runs' lists all",
        ..List::default()
    };
    html! {
        section aria-labelledby="runs" {
            h2 id="runs" { "What diskmend has done" }
            @if list.runs.is_empty() {
                p { "diskmend has changed nothing on this disk." }
            } @else {
                (table.table(&newest_first, |run| row(run, &list.target, options)))
            }
        }
    }
}

fn row(run: &RunSummary, target: &str, options: &str) -> Vec<Markup> {
    let undo = if run.undoable && run.trust.is_given() {
        html! { code { (report::undo_command(target, &run.run, options)) } }
    } else {
        html! { "can't be undone" }
    };
    let changes = run.all_changes();
    vec![
        html! { code { (shown(&run.run)) } },
        tight(state(run)),
        html! { (by(run)) },
        html! { (shown(&run.recipes.join(", "))) },
        html! { (changes) },
        undo,
    ]
}

fn state(run: &RunSummary) -> &'static str {
    match run.state {
        None => "unreadable",
        Some(RunState::Applying) => "unfinished",
        Some(RunState::Done) => "done",
        Some(RunState::RolledBack) => "rolled back",
        Some(RunState::Undoing) => "unfinished undo",
        Some(RunState::Undone) => "undone",
        Some(RunState::Broken) => "broken",
    }
}

fn by(run: &RunSummary) -> String {
    match run.trust {
        Trust::Own => "this machine".to_owned(),
        Trust::Known { key } => format!("key {key}"),
        Trust::Foreign { key } => format!("unknown key {key}"),
        Trust::Unauthenticated { .. } => "not trusted".to_owned(),
    }
}

/// The runs that were removed.
pub(crate) fn pruned(report: &PruneReport) -> Markup {
    let removed = List {
        columns: &["Run", "Files", "Bytes"],
        ..List::default()
    };
    let row = |run: &PrunableRun| {
        vec![
            html! { code { (shown(&run.run)) } },
            html! { (run.files) },
            html! { (run.bytes) },
        ]
    };
    html! {
        section aria-labelledby="removed" {
            h2 id="removed" { "Undo data that was removed" }
            p { "The changes of these runs can't be undone any more." }
            @if !report.removed.is_empty() { (removed.table(&report.removed, row)) }
            (List::default().lines(&report.failed, |run| html! {
                span.bad { "Not removed: " } code { (shown(&run.run)) } ": " (shown(&run.reason))
            }))
        }
    }
}

/// What one run changed; `undo` is the command that takes it back, if it can be taken back.
pub(crate) fn details(details: &RunDetails, undo: Option<&str>) -> Markup {
    let run = &details.run;
    let target = shell::word(&details.target);
    let json = format!("; 'diskmend runs {target} {} --json' shows more", run.run);
    let json = shown(&json);
    let listed = details.permissions.len() as u64;
    let permissions = List {
        columns: &["Path", "Old", "New"],
        total: Some(listed.saturating_add(details.more_permissions)),
        rest: &json,
        ..List::default()
    };
    let moved = List {
        columns: &["Old path", "Length", "New place"],
        bytes: BYTES_OF_FILES,
        rest: &json,
        ..List::default()
    };
    let more_hives = details.hives.len().saturating_sub(MOST_HIVES);
    html! {
        section aria-labelledby="run" {
            h2 id="run" { "Run " (shown(&run.run)) }
            dl {
                dt { "state" } dd { (state(run)) }
                dt { "by" } dd { (by(run)) }
                dt { "started" } dd { (shown(&run.started)) }
                dt { "updated" } dd { (shown(&run.updated)) }
                @if !run.recipes.is_empty() {
                    dt { "recipes" } dd { (shown(&run.recipes.join(", "))) }
                }
            }
            @for hive in details.hives.iter().take(MOST_HIVES) {
                h3 { (shown(&hive.path)) @if hive.recovered { ", recovered from its logs" } }
                (changes(&hive.changes, hive.change_count, &json))
            }
            @if more_hives > 0 { p.soft { "And " (more_hives) " more hives" (json) "." } }
            @if !details.files.is_empty() {
                h3 { "Files" }
                (moved.table(&details.files, file))
            }
            @if !details.permissions.is_empty() {
                h3 { "Permissions" }
                (permissions.table(&details.permissions, permission))
            }
            (List { bytes: FEW_BYTES, ..List::default() }.lines(&details.problems, |problem| html! {
                span.warn { "Can't be read: " } (shown(problem))
            }))
            @if let Some(undo) = undo { (command("Undo it:", undo)) }
        }
    }
}

fn changes(changes: &[RunChange], count: usize, rest: &str) -> Markup {
    let list = List {
        columns: &["Key", "Value", "Old", "New"],
        bytes: BYTES_OF_HIVE,
        total: Some(count as u64),
        rest,
        ..List::default()
    };
    list.table(changes, change)
}

fn change(change: &RunChange) -> Vec<Markup> {
    let (key, name, old, new) = match change {
        RunChange::KeyCreated(key) => {
            (&key.key, "(key)", "(none)".to_owned(), "created".to_owned())
        }
        RunChange::KeyDeleted(key) => (
            &key.key,
            "(key)",
            "(there)".to_owned(),
            "deleted".to_owned(),
        ),
        RunChange::KeyPermissions(key) => (
            &key.key,
            report::PERMISSIONS,
            key.old.clone(),
            key.new.clone(),
        ),
        RunChange::Value(value) => (
            &value.key,
            report::value_name(&value.value),
            report::data(value.old.as_ref()),
            report::data(value.new.as_ref()),
        ),
    };
    vec![
        html! { code { (shown(key)) } },
        value(name),
        value(&old),
        value(&new),
    ]
}

fn file(file: &RunFile) -> Vec<Markup> {
    vec![
        html! { code { (shown(&file.path)) } },
        html! { (file.length) },
        value(&files::moved_to(file)),
    ]
}

fn permission(one: &RunPermission) -> Vec<Markup> {
    let texts = [&one.path, &one.old, &one.new];
    texts.map(|text| html! { code { (shown(text)) } }).into()
}
