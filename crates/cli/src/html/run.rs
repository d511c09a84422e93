//! What diskmend has done to a disk.

use diskmend_repair::documents::{
    RunChange, RunDetails, RunList, RunPermission, RunState, RunSummary, Trust,
};
use maud::{Markup, html};

use super::{most, shown, table, tight};
use crate::output::report;

/// The maximum number of runs, and of changes of one hive.
const MOST: usize = 500;

/// All runs, the newest last.
pub(crate) fn runs(list: &RunList) -> Markup {
    let (first, more) = most(&list.runs, MOST);
    html! {
        section aria-labelledby="runs" {
            h2 id="runs" { "What diskmend has done" }
            @if first.is_empty() {
                p { "diskmend has changed nothing on this disk." }
            } @else {
                (table(&["Run", "State", "By", "Recipes", "Changes"], first.iter().map(row)))
                (more)
            }
        }
    }
}

fn row(run: &RunSummary) -> Vec<Markup> {
    let changes = (run.changes as u64).saturating_add(run.descriptors);
    vec![
        html! { code { (shown(&run.run)) } },
        tight(state(run)),
        html! { (by(run)) },
        html! { (shown(&run.recipes.join(", "))) },
        html! { (changes) },
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

/// What one run changed; `undo` is the command that takes it back, if it can be taken back.
pub(crate) fn details(details: &RunDetails, undo: Option<&str>) -> Markup {
    let run = &details.run;
    let (permissions, more) = most(&details.permissions, MOST);
    let more_permissions = details.more_permissions;
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
            @for hive in &details.hives {
                h3 { (shown(&hive.path)) @if hive.recovered { ", recovered from its logs" } }
                (changes(&hive.changes, hive.change_count))
            }
            @if !permissions.is_empty() {
                h3 { "Permissions" }
                (table(&["Path", "Old", "New"], permissions.iter().map(permission)))
                (more)
                @if more_permissions > 0 { p.soft { "And " (more_permissions) " that are not listed." } }
            }
            @for problem in &details.problems { p { span.warn { "Can't be read: " } (shown(problem)) } }
            @if let Some(undo) = undo {
                p { "Take it back:" }
                pre { (undo) }
            }
        }
    }
}

fn changes(changes: &[RunChange], count: usize) -> Markup {
    let (first, _) = most(changes, MOST);
    html! {
        (table(&["Key", "Value", "Old", "New"], first.iter().map(change)))
        @if count > first.len() { p.soft { "And " (count - first.len()) " more." } }
    }
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
        RunChange::Value(value) => (
            &value.key,
            report::value_name(&value.value),
            report::data(value.old.as_ref()),
            report::data(value.new.as_ref()),
        ),
    };
    vec![
        html! { code { (shown(key)) } },
        html! { (shown(name)) },
        html! { (shown(&old)) },
        html! { (shown(&new)) },
    ]
}

fn permission(one: &RunPermission) -> Vec<Markup> {
    let texts = [&one.path, &one.old, &one.new];
    texts.map(|text| html! { code { (shown(text)) } }).into()
}
