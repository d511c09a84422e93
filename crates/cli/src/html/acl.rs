//! Permissions of files.

use diskmend_repair::documents::{
    AclGroup, AclPlanReport, AclReport, AppliedDescriptors, DescriptorWords, ObjectNote,
    ObjectNotes, RowState, UndoneDescriptors,
};
use maud::{Markup, html};

use super::{FEW_BYTES, List, shown};
use crate::output::acl::objects;
use crate::output::report;

/// The maximum number of folders.
const MOST_FOLDERS: usize = 4;
/// The maximum number of bytes for the groups of a folder.
const BYTES_OF_GROUPS: usize = 30_000;

/// What would be changed by hand, or how permissions differ from a save file.
pub(crate) fn plan(plan: &AclPlanReport, title: &str) -> Markup {
    html! {
        section aria-labelledby="permissions" {
            h2 id="permissions" { (title) }
            p { "Permissions of " (objects(plan.acl.to_change)) " to set." }
            (folders(std::iter::once(&plan.acl)))
        }
    }
}

/// The permissions in folders, compared with what is wanted.
pub(super) fn folders<'a>(folders: impl Iterator<Item = &'a AclReport>) -> Markup {
    let folders: Vec<&AclReport> = folders.collect();
    let more = folders.len().saturating_sub(MOST_FOLDERS);
    html! {
        @for folder in folders.into_iter().take(MOST_FOLDERS) { (self::folder(folder)) }
        @if more > 0 { p.soft { "And " (more) " more folders." } }
    }
}

fn folder(folder: &AclReport) -> Markup {
    let list = List {
        columns: &["State", "Files and folders", "Found", "Old", "New"],
        bytes: BYTES_OF_GROUPS,
        ..List::default()
    };
    html! {
        h3 { "Permissions in " (shown(&folder.path)) }
        p {
            (objects(folder.objects)) ": " (folder.faults) " faults, " (folder.differ) " differ, "
            (folder.ok) " as wanted"
            @if folder.in_no_group > 0 { "; " (folder.in_no_group) " of them are not listed" }
            "."
        }
        @if !folder.groups.is_empty() { (list.table(&folder.groups, group)) }
        (notes("Left alone", &folder.left_alone))
        (notes("Could not be looked at", &folder.failed))
    }
}

fn group(group: &AclGroup) -> Vec<Markup> {
    let state = match group.state {
        RowState::Fault => html! { span.bad { "fault" } },
        RowState::Differs | RowState::Missing | RowState::Reported => html! { "differs" },
        RowState::Ok => html! { "ok" },
    };
    let first = group.examples.first().map_or("", String::as_str);
    let what = match group.objects {
        1 => first.to_owned(),
        more => format!("{first} and {} more", more - 1),
    };
    let mut found = group.reasons.clone();
    if !group.why.is_empty() {
        found.push(report::because(
            &group.recipe,
            &group.why,
            group.note.as_deref(),
        ));
    }
    let after = group.after.as_ref().map(words);
    vec![
        state,
        html! { code { (shown(&what)) } },
        html! { (shown(&found.join("; "))) },
        html! { code { (shown(&words(&group.before))) } },
        html! { code { (shown(&after.unwrap_or_else(|| "not changed".to_owned()))) } },
    ]
}

fn words(words: &DescriptorWords) -> String {
    let owner = words.owner.as_deref().unwrap_or("none");
    match (&words.sddl, &words.entries) {
        (Some(sddl), _) => sddl.clone(),
        (None, Some(entries)) => format!("owner {owner}: {}", entries.join(", ")),
        (None, None) => format!("owner {owner}: everyone may do everything"),
    }
}

/// What was set.
pub(super) fn applied(applied: &AppliedDescriptors) -> Markup {
    html! {
        h3 { "Permissions" }
        p {
            "Permissions of " (objects(applied.changed)) " were set and read back; "
            (objects(applied.already)) " already had them."
        }
        (notes("Left alone", &applied.left_alone))
        (notes("Not repaired", &applied.failed))
    }
}

/// What was restored.
pub(super) fn undone(undone: &UndoneDescriptors) -> Markup {
    html! {
        h3 { "Permissions" }
        p {
            "Permissions of " (objects(undone.restored)) " were restored; "
            (objects(undone.already)) " already had their old ones."
        }
        (notes("Left alone, because changed since", &undone.changed_since))
        (notes("Not restored", &undone.failed))
    }
}

fn notes(title: &str, notes: &ObjectNotes) -> Markup {
    let list = List {
        columns: &["Path", "Why"],
        bytes: FEW_BYTES,
        total: Some(notes.count),
        ..List::default()
    };
    let row = |note: &ObjectNote| {
        vec![
            html! { code { (shown(&note.path)) } },
            html! { (shown(&note.reason)) },
        ]
    };
    html! {
        @if notes.count > 0 {
            h4 { (title) }
            (list.table(&notes.listed, row))
        }
    }
}
