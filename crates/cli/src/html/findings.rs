//! What an inspection found.

use diskmend_repair::documents::{AclReport, InspectReport, RowState};
use maud::{Markup, html};

use super::{FEW_BYTES, List, shown, tight, value};
use crate::output::{files, report};

/// A value, an element or permissions that are not as a recipe wants them.
struct Finding {
    state: RowState,
    place: String,
    name: String,
    now: String,
    wanted: String,
    why: String,
}

/// Everything that is not as the recipes want it.
pub(crate) fn inspection(found: &InspectReport) -> Markup {
    let mut findings = findings(found);
    // A fault before everything else; the sort is stable.
    findings.sort_by_key(|finding| finding.state != RowState::Fault);
    let list = List {
        columns: &["State", "Place", "Name", "Now", "Wanted", "Why"],
        ..List::default()
    };
    html! {
        section aria-labelledby="findings" {
            h2 id="findings" { "Compared with the recipes" }
            @if findings.is_empty() {
                p { "Everything is as the recipes want it." }
            } @else {
                (list.table(&findings, row))
            }
            (remarks(found))
        }
    }
}

fn findings(found: &InspectReport) -> Vec<Finding> {
    let values = found.rows.iter().map(|row| {
        let (now, wanted) = match &row.permissions {
            Some(permissions) => report::permissions(permissions),
            None => (
                report::found(row.current.as_ref(), row.subtree),
                report::wanted(&row.desired),
            ),
        };
        Finding {
            state: row.state,
            place: format!("{}\\{}", row.hive, row.key),
            name: report::thing(&row.value, row.is_about_key(), row.permissions.as_ref())
                .to_owned(),
            now,
            wanted,
            why: report::because(&row.recipe, &row.why, row.note.as_deref()),
        }
    });
    let elements = found.elements.iter().map(|row| Finding {
        state: row.state,
        place: format!("{} {}", row.element.store, row.element.object_name),
        name: row.element.name.clone(),
        now: report::words(row.element.old.as_deref()),
        wanted: match row.state {
            RowState::Reported => String::new(),
            _ => report::words(row.element.new.as_deref()).to_string(),
        },
        why: report::because(&row.recipe, &row.why, row.note.as_deref()),
    });
    let permissions = found.acls.iter().flat_map(permissions);
    let files = found.files.iter().map(|row| Finding {
        state: row.state,
        place: row.path.clone(),
        name: "file".to_owned(),
        now: files::found(row),
        wanted: files::action(row.action).to_owned(),
        why: report::because(&row.recipe, &row.why, row.note.as_deref()),
    });
    let all = values.chain(elements).chain(files).chain(permissions);
    all.filter(|finding| finding.state != RowState::Ok)
        .collect()
}

fn permissions(acl: &AclReport) -> impl Iterator<Item = Finding> {
    acl.groups.iter().map(|group| Finding {
        state: group.state,
        place: match group.examples.first() {
            Some(first) if group.objects > 1 => format!("{first} and {} more", group.objects - 1),
            Some(first) => first.clone(),
            None => acl.path.clone(),
        },
        name: "permissions".to_owned(),
        now: group.reasons.join("; "),
        wanted: group.edits.join("; "),
        why: report::because(&group.recipe, &group.why, group.note.as_deref()),
    })
}

fn row(finding: &Finding) -> Vec<Markup> {
    let state = match finding.state {
        RowState::Fault => html! { span.bad { "fault" } },
        RowState::Missing => tight("missing"),
        RowState::Reported => tight("reported"),
        RowState::Differs | RowState::Ok => tight("differs"),
    };
    let texts = [&finding.name, &finding.now, &finding.wanted, &finding.why];
    let mut row = vec![state, html! { code { (shown(&finding.place)) } }];
    row.extend(texts.map(|text| value(text)));
    row
}

/// The state of the hives, what was left out, and what else the user should know.
fn remarks(found: &InspectReport) -> Markup {
    let dirty = found.hives.iter().filter_map(|hive| {
        let state = hive.dirty.as_ref()?;
        Some(format!(
            "{}: not closed cleanly: {state}",
            hive.shown_path()
        ))
    });
    let unsound = found.hives.iter().filter_map(|hive| {
        let check = hive.check.as_ref().filter(|check| check.errors > 0)?;
        Some(format!(
            "{}: {} errors in its structure",
            hive.shown_path(),
            check.errors
        ))
    });
    let skipped = found.skipped.iter();
    let skipped =
        skipped.map(|skipped| format!("{} is left out: {}", skipped.hive, skipped.reason));
    let notices = found.notices.iter().map(|notice| notice.text.clone());
    let lines: Vec<String> = dirty.chain(unsound).chain(skipped).chain(notices).collect();
    let list = List {
        bytes: FEW_BYTES,
        ..List::default()
    };
    list.lines(&lines, |line| html! { (shown(line)) })
}
