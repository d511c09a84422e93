//! The verdict, and the causes that the evidence speaks for.

use diskmend_repair::diagnosis::{Certainty, Source, SourceState};
use diskmend_repair::documents::{CauseReport, DiagnoseReport, EvidenceReport};
use maud::{Markup, html};

use super::{FEW_BYTES, List, command as line, shown};

/// The maximum number of causes, and of lines that couldn't be read.
const MOST: usize = 50;

/// The verdict and the causes. `command` gives the command that repairs a cause.
pub(crate) fn diagnosis(
    found: &DiagnoseReport,
    command: impl Fn(&CauseReport) -> Option<String>,
) -> Markup {
    let list = List {
        most: MOST,
        ..List::default()
    };
    let (causes, more) = list.within(&found.causes, |found| cause(found, command(found)));
    html! {
        section aria-labelledby="verdict" {
            h2 id="verdict" { "The verdict" }
            @match found.causes.first() {
                Some(first) => p.verdict {
                    "Most likely: " strong { (shown(&first.title)) } " (" (certainty(first.certainty)) ")"
                },
                None => p.verdict {
                    @if found.unread.is_empty() {
                        span.good { "Nothing on this disk explains why the machine does not work." }
                    } @else {
                        span.warn {
                            "Nothing on this disk explains why the machine does not work, as far as it \
                             could be read."
                        }
                    }
                    " Check what is not on the disk: network security groups, routes and firewalls in \
                     front of the machine, the state of the platform, and the screenshot of the boot."
                },
            }
            (causes)
            (more)
            @if !found.recent_changes.is_empty() {
                h3 { "Changed since somebody last logged on over the network" }
                (changes(found))
            }
            h3 { "The evidence on this disk" }
            (few().lines(&found.sources, source))
            @if !found.unread.is_empty() {
                h3 { "What could not be read, and so says nothing" }
                (few().lines(&found.unread, |reason| html! { (shown(reason)) }))
            }
        }
    }
}

fn changes(found: &DiagnoseReport) -> Markup {
    let list = List {
        total: Some(found.recent_changes.len() as u64 + found.more_changes as u64),
        ..few()
    };
    list.lines(&found.recent_changes, |change| {
        html! {
            @if let Some(time) = &change.time { (shown(time)) ": " }
            (shown(&change.found))
        }
    })
}

fn source(source: &Source) -> Markup {
    html! {
        (source.evidence) ": "
        @if source.state == SourceState::Unknown { span.warn { "not known: " } }
        (shown(&source.found))
    }
}

fn certainty(certainty: Certainty) -> Markup {
    html! {
        @match certainty {
            Certainty::Certain => span.bad { "certain" },
            Certainty::Likely => span.bad { "likely" },
            Certainty::Possible => span.warn { "possible" },
        }
    }
}

fn cause(cause: &CauseReport, command: Option<String>) -> Markup {
    html! {
        h3 { (shown(&cause.title)) ", " (certainty(cause.certainty)) }
        (few().lines(&cause.evidence, |found| evidence("", found)))
        (few().lines(&cause.against, |found| evidence("Against it: ", found)))
        @if let Some(command) = command { (line("Repair it:", &command)) }
        p { "By hand: " (shown(&cause.check)) }
    }
}

fn evidence(mark: &str, evidence: &EvidenceReport) -> Markup {
    let seen = List {
        total: Some(evidence.seen.len() as u64 + evidence.more as u64),
        ..few()
    };
    html! {
        (mark) (shown(&evidence.says))
        (seen.lines(&evidence.seen, |seen| html! {
            code { (shown(&seen.place)) } ": " (shown(&seen.found))
            @if let Some(time) = &seen.time { ", " (shown(time)) }
        }))
    }
}

/// A short list.
fn few() -> List<'static> {
    List {
        bytes: FEW_BYTES,
        ..List::default()
    }
}
