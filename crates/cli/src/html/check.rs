//! The checks of a hive and of a boot store.

use diskmend_base::chain;
use diskmend_bcd::check as store;
use diskmend_hive::check as structure;
use diskmend_repair::documents::HiveStatus;
use maud::{Markup, html};

use super::{List, shown, tight};

/// The structure of a hive.
pub(crate) fn hive_check(status: &HiveStatus, report: &structure::Report) -> Markup {
    let content = &report.content;
    let total = report.problems.len().saturating_add(report.omitted);
    let list = List {
        columns: &["Offset", "Severity", "Problem", "Key", "Details"],
        total: Some(total as u64),
        rest: "; 'diskmend hive check' lists more",
        ..List::default()
    };
    html! {
        section aria-labelledby="structure" {
            h2 id="structure" { "The hive" }
            p.verdict {
                @if report.errors + report.warnings == 0 {
                    span.good { "No problems" } " in its structure."
                } @else {
                    span.bad { (report.errors) " errors, " (report.warnings) " warnings" }
                    " in its structure."
                }
            }
            dl {
                dt { "file" } dd { (shown(&status.shown_path())) }
                dt { "format" } dd { "regf " (shown(&status.version)) }
                dt { "length" } dd { (status.length) " bytes" }
                dt { "content" } dd { (content.keys) " keys, " (content.values) " values" }
                dt { "closed" }
                dd {
                    @match &status.dirty {
                        Some(state) => {
                            span.warn { "not cleanly: " } (shown(state))
                            "; checked after replaying its logs in memory"
                        },
                        None => "cleanly",
                    }
                }
            }
            @if !report.problems.is_empty() { (list.table(&report.problems, structural)) }
        }
    }
}

fn structural(problem: &structure::Problem) -> Vec<Markup> {
    let severity = match problem.severity() {
        structure::Severity::Error => html! { span.bad { "error" } },
        structure::Severity::Warning => html! { span.warn { "warning" } },
    };
    let details = format!("expected {}, found {}", problem.expected, problem.actual);
    let key = problem.path.as_ref().map(ToString::to_string);
    vec![
        tight(format_args!("{:#x}", problem.offset.0)),
        severity,
        html! { (problem.kind.code()) },
        html! { code { (shown(&key.unwrap_or_default())) } },
        html! { (shown(&details)) },
    ]
}

/// The objects of a boot store.
pub(crate) fn store_check(report: &store::Report) -> Markup {
    let list = List {
        columns: &["Level", "Object", "Element", "Problem"],
        rest: "; 'diskmend bcd check' lists more",
        ..List::default()
    };
    html! {
        section aria-labelledby="store" {
            h2 id="store" { "The boot store" }
            p { (report.objects) " objects, " (report.elements) " elements." }
            @if report.problems.is_empty() {
                p { span.good { "No problems" } "." }
            } @else {
                (list.table(&report.problems, of_store))
            }
        }
    }
}

fn of_store(problem: &store::Problem) -> Vec<Markup> {
    let level = match problem.level {
        store::Level::Error => html! { span.bad { "error" } },
        store::Level::Note => html! { "note" },
    };
    let object = problem.object.map(|guid| guid.to_string());
    let element = problem.element.map(|id| format!("0x{id}"));
    vec![
        level,
        html! { code { (shown(&object.unwrap_or_default())) } },
        html! { code { (shown(&element.unwrap_or_default())) } },
        html! { (shown(&chain(&problem.kind))) },
    ]
}
