//! `diskmend events`: what the event logs of a target tell.

use std::io;

use diskmend_base::escape::Visible;
use diskmend_repair::documents::EventReport;
use diskmend_repair::{Boot, Event, EventQuery, Since};

use crate::exit::Exit;
use crate::failure::Failure;
use crate::html;
use crate::output::console::{self, Console};
use crate::output::table::{Align, Cell, Table};
use crate::output::{events, style};
use crate::progress::Steps;
use crate::report_file::{self, ReportArgs};
use crate::since_arg::SinceArg;
use crate::target_arg::TargetArgs;

/// Show what the event logs on a disk tell: the boots of Windows, and the events that matter;
/// nothing is written
///
/// diskmend reads the logs that tell of boots, services, drivers, Remote Desktop, certificates,
/// profiles, the network, the firewall and updates. It shows the events that it knows, with what
/// they mean. A log that was not closed cleanly is read as far as possible.
///
/// Events that a healthy Windows writes all the time are left out, unless you ask for IDs, a
/// provider or more output (-v); --json always has them.
///
/// By default it shows the events that count: those since the last logon over the network, but at
/// most those of the last 10 boots. All times are UTC.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Exit code 0: the logs were read, or there are none. 1: the target can't be read.

Examples:
  diskmend events /mnt/f
  diskmend events disk.vhd --since 7d
  diskmend events F: --since all --id 7040,7045 --provider 'service control'
  diskmend events /mnt/f --json | jq '.boots[] | select(.end == \"unclean\")'")]
pub(crate) struct Args {
    #[command(flatten)]
    target: TargetArgs,
    /// Show the events since this time: a date or time (2026-05-01, 2026-05-01T13:00:00Z), a span
    /// back from the newest event on the disk (7d, 12h, 30m), or 'all'
    #[arg(long, value_name = "TIME")]
    since: Option<SinceArg>,
    /// Show only events with this ID, also if diskmend does not know what they mean; may be
    /// repeated
    #[arg(long = "id", value_name = "ID", value_delimiter = ',')]
    ids: Vec<u32>,
    /// Show only events of providers whose names contain this text, also if diskmend does not know
    /// what they mean
    #[arg(long, value_name = "TEXT")]
    provider: Option<String>,
    #[command(flatten)]
    report: ReportArgs,
}

impl Args {
    fn query(&self) -> EventQuery {
        EventQuery {
            since: self.since.map_or(Since::Counted, |since| since.0),
            ids: self.ids.clone(),
            provider: self.provider.clone(),
        }
    }
}

pub(super) fn run(args: &Args, console: &mut Console) -> Result<Exit, Failure> {
    args.report.about(&args.target.target, console)?;
    let engine = args.target.engine(diskmend_repair::BootChoice::default())?;
    report_file::identify(console, &engine);
    let query = args.query();
    let mut steps = Steps::start();
    let found = engine.events(&query, &mut steps.watch());
    let found = found.map_err(|error| args.target.failure(&error))?;
    drop(steps);
    console.page(|| html::events(&found));
    console.show(Exit::Done, |console| {
        if console.json() {
            console.engine_document(&found)
        } else {
            print(console, &found, &query)
        }
    })
}

fn print(console: &mut Console, found: &EventReport, query: &EventQuery) -> io::Result<()> {
    if !found.has_logs {
        let text =
            "This Windows has no event logs: there is no folder Windows/System32/winevt/Logs.";
        return writeln!(console.out(), "{text}");
    }
    if let Some(problem) = &found.problem {
        let problem = Visible(problem);
        writeln!(console.out(), "The event logs can't be read: {problem}")?;
        return Ok(());
    }
    if found.logs.is_empty() {
        let text =
            "The folder Windows/System32/winevt/Logs has none of the logs that diskmend reads.";
        return writeln!(console.out(), "{text}");
    }
    boots(console, &found.boots)?;
    listed(console, found, query)?;
    for log in &found.logs {
        for problem in &log.problems {
            console::warn(format_args!("{}: {problem}", log.path));
        }
    }
    Ok(())
}

fn boots(console: &mut Console, boots: &[Boot]) -> io::Result<()> {
    if boots.is_empty() {
        return writeln!(
            console.out(),
            "No start of Windows is in the events that were read."
        );
    }
    let mut table = Table::new([
        ("STARTED", Align::Left),
        ("ENDED", Align::Left),
        ("HOW", Align::Left),
        ("WHY", Align::Left),
    ]);
    for boot in boots {
        let (how, how_style) = events::how(boot);
        table.row([
            Cell::new(events::started(boot)),
            Cell::new(boot.ended.map(events::time).unwrap_or_default()),
            Cell::styled(how, how_style),
            Cell::new(events::why(boot)),
        ]);
    }
    let width = console.width();
    table.write(console.out(), width)?;
    writeln!(console.out())
}

fn listed(console: &mut Console, found: &EventReport, query: &EventQuery) -> io::Result<()> {
    let heading = style::HEADING;
    let since = match query.since {
        Since::Always => String::new(),
        Since::Time(since) => format!(" since {}", events::time(since)),
        Since::Before(_) => " of that time".to_owned(),
        Since::Counted => match (found.counted_since, found.logons.remote) {
            (Some(since), Some(logon)) if since == logon => {
                format!(
                    " since the last logon over the network, {}",
                    events::time(since)
                )
            }
            (Some(since), _) => format!(" of the last boots, since {}", events::time(since)),
            (None, _) => String::new(),
        },
    };
    if found.events.is_empty() {
        return writeln!(console.out(), "The logs have no such event{since}.");
    }
    let asked = console.verbose() || !query.ids.is_empty() || query.provider.is_some();
    let listed = found.events.iter().filter(|event| asked || !event.routine);
    let listed: Vec<&Event> = listed.collect();
    let (count, all) = (listed.len(), found.events.len());
    let noun = if count == 1 { "event" } else { "events" };
    let routine = match all - count {
        0 => String::new(),
        left => format!("; {left} that every Windows writes are not shown (-v shows them)"),
    };
    writeln!(
        console.out(),
        "{heading}{count} {noun}{since}{heading:#}{routine}"
    )?;
    if listed.is_empty() {
        return Ok(());
    }
    let mut table = Table::new([
        ("TIME", Align::Left),
        ("LOG", Align::Left),
        ("RECORD", Align::Right),
        ("ID", Align::Right),
        ("MEANING", Align::Left),
    ]);
    let width = console.width();
    for event in listed {
        table.row([
            Cell::new(events::time(event.time)),
            Cell::new(events::short_name(&event.log)),
            Cell::new(event.record.to_string()),
            Cell::new(event.id.to_string()),
            Cell::new(events::meaning(event)),
        ]);
        table.write_long(console.out(), width)?;
    }
    table.write(console.out(), width)
}
