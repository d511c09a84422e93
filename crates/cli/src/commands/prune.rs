//! `diskmend runs --prune`: removes runs that are no longer needed.

use std::io;

use diskmend_repair::Engine;
use diskmend_repair::documents::{PruneList, PruneReason, PruneReport};

use crate::consent::Consent;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::html;
use crate::output::console::{self, Console};
use crate::output::table::{Align, Cell, Table};
use crate::target_arg::TargetArgs;

/// Removes all of these runs except for the newest `keep`, if the user agrees.
pub(super) fn run(
    args: &TargetArgs,
    engine: &Engine,
    keep: usize,
    consent: &Consent,
    console: &mut Console,
) -> Result<Exit, Failure> {
    let list = engine.prunable(keep);
    let list = list.map_err(|error| args.failure(&error))?;
    if !list.runs.is_empty() && consent.asks() {
        consent.can_be_had()?;
        tell(&list).map_err(|error| Failure::of(Exit::Failure, &error))?;
        let question = format!(
            "Remove {} ({} bytes)? You can't restore them.",
            runs(list.runs.len()),
            list.bytes()
        );
        if !consent.given(&question)? {
            return Ok(Exit::Pending);
        }
    }
    let report = engine.prune(&list);
    let report = report.map_err(|error| args.failure(&error))?;
    let exit = if report.failed.is_empty() {
        Exit::Done
    } else {
        Exit::Partial
    };
    console.page(|| html::pruned(&report));
    console.show(exit, |console| {
        if console.json() {
            console.engine_document(&report)
        } else {
            print(console, &report)
        }
    })
}

/// Lists the runs before the question.
fn tell(list: &PruneList) -> io::Result<()> {
    let mut table = Table::new([
        ("RUN", Align::Left),
        ("WHY", Align::Left),
        ("FILES", Align::Right),
        ("BYTES", Align::Right),
    ]);
    for run in &list.runs {
        table.row([
            Cell::new(&run.run),
            Cell::new(match run.why {
                PruneReason::Undone => "undone",
                PruneReason::RolledBack => "rolled back",
                PruneReason::NotTrusted => "NOT TRUSTED",
                PruneReason::NeverBegan => "never began",
                PruneReason::HalfRemoved => "half removed",
            }),
            Cell::new(run.files.to_string()),
            Cell::new(run.bytes.to_string()),
        ]);
    }
    table.write(&mut anstream::stderr(), None)
}

fn print(console: &mut Console, report: &PruneReport) -> io::Result<()> {
    let out = console.out();
    if report.removed.is_empty() && report.failed.is_empty() {
        writeln!(out, "there are no runs to remove")?;
    } else {
        let removed = runs(report.removed.len());
        writeln!(out, "{removed} removed, {} bytes", report.bytes())?;
    }
    for run in &report.failed {
        console::warn(format_args!(
            "run {} is not removed: {}",
            run.run, run.reason
        ));
    }
    Ok(())
}

fn runs(count: usize) -> String {
    match count {
        1 => "1 run".to_owned(),
        count => format!("{count} runs"),
    }
}
