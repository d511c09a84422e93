//! The boots of Windows as a picture, and the events that matter.

use diskmend_repair::documents::EventReport;
use diskmend_repair::{Boot, BootEnd, Event};
use jiff::Timestamp;
use maud::{Markup, html};

use super::{List, shown, tight};
use crate::output::events;

/// The maximum number of boots, and of events.
const MOST_BOOTS: usize = 100;
const MOST_EVENTS: usize = 300;

/// The width of the picture, in its own units.
const WIDTH: i64 = 1000;
/// The width of a boot that would be too short to be seen.
const MIN_WIDTH: i64 = 3;

/// The boots and the events.
pub(crate) fn events(found: &EventReport) -> Markup {
    let newest_boots = found.boots.len().saturating_sub(MOST_BOOTS);
    let boots = found.boots.get(newest_boots..).unwrap_or_default();
    let events: Vec<&Event> = found.events.iter().filter(|event| !event.routine).collect();
    let newest_first: Vec<&Boot> = boots.iter().rev().collect();
    let of_boots = List {
        columns: &["Started", "Ended", "How", "Why"],
        ..List::default()
    };
    let of_events = List {
        columns: &["Time", "Log", "Record", "Id", "Meaning"],
        most: MOST_EVENTS,
        ..List::default()
    };
    html! {
        section aria-labelledby="events" {
            h2 id="events" { "Boots and events" }
            @if boots.is_empty() && events.is_empty() {
                p { "No event log tells of a start of Windows, or of an event that matters." }
            }
            @if !boots.is_empty() {
                (picture(boots))
                @if newest_boots > 0 { p.soft { "And " (newest_boots) " earlier boots." } }
                (of_boots.table(&newest_first, |one| boot(one)))
            }
            @if !events.is_empty() {
                h3 { "Events" }
                (of_events.table(&events, |event| row(event)))
            }
        }
    }
}

/// The boots on a line of time: one bar each, from its start to its end.
fn picture(boots: &[Boot]) -> Markup {
    let start = boots.iter().map(|boot| boot.started).min();
    let ends = boots.iter().map(|boot| boot.ended.unwrap_or(boot.started));
    let (Some(start), Some(end)) = (start, ends.max()) else {
        return html! {};
    };
    let seconds = end.as_second().saturating_sub(start.as_second()).max(1);
    let at = |time: Timestamp| {
        let since = time.as_second().saturating_sub(start.as_second());
        let at = i128::from(since.clamp(0, seconds)) * i128::from(WIDTH) / i128::from(seconds);
        i64::try_from(at).unwrap_or(WIDTH)
    };
    let bars = boots.iter().map(|boot| {
        let from = at(boot.started).min(WIDTH - MIN_WIDTH);
        let to = at(boot.ended.unwrap_or(boot.started));
        (boot, from, (to - from).max(MIN_WIDTH))
    });
    html! {
        svg viewBox="0 0 1000 48" role="img" aria-labelledby="boots-title" {
            title id="boots-title" {
                (boots.len()) " boots between " (events::time(start)) " and " (events::time(end))
            }
            line.axis x1="0" y1="40" x2="1000" y2="40" {}
            @for (boot, from, width) in bars {
                rect class=(class(boot)) x=(from) y="10" width=(width) height="28" {}
            }
        }
        p.ends { span { (events::time(start)) } span { (events::time(end)) } }
    }
}

const fn class(boot: &Boot) -> &'static str {
    match boot.end {
        Some(BootEnd::Clean) => "clean",
        Some(BootEnd::Unclean) => "unclean",
        None => "unknown",
    }
}

fn boot(boot: &Boot) -> Vec<Markup> {
    let (how, _) = events::how(boot);
    let how = match boot.end {
        Some(BootEnd::Clean) => html! { (how) },
        Some(BootEnd::Unclean) => html! { span.bad { (how) } },
        None => html! { span.warn { (how) } },
    };
    vec![
        tight(events::started(boot)),
        tight(boot.ended.map(events::time).unwrap_or_default()),
        how,
        html! { (shown(events::why(boot))) },
    ]
}

fn row(event: &Event) -> Vec<Markup> {
    vec![
        tight(events::time(event.time)),
        html! { (shown(events::short_name(&event.log))) },
        tight(event.record),
        tight(event.id),
        html! { (shown(&events::meaning(event))) },
    ]
}
