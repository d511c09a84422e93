//! `diskmend runs`: lists the runs on a target.

use std::io;

use diskmend_base::escape::Visible;
use diskmend_repair::documents::{RunKind, RunList, RunState, RunSummary, RunsElsewhere, Trust};
use diskmend_repair::{BootChoice, Engine};

use super::{prune, run_details};
use crate::consent::Consent;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::html;
use crate::output::console::{self, Console};
use crate::output::table::{Align, Cell, Table};
use crate::output::{acl, report, shell, style};
use crate::report_file::{self, ReportArgs};
use crate::target_arg::TargetArgs;

/// List what diskmend has done to a disk, or show what one run changed
///
/// With the name of a run, or the beginning of its name, show every value, key and permission that
/// the run changed, with the old and the new data.
///
/// With --prune, remove undo data that is no longer needed: of runs that were undone or rolled
/// back, that have no valid seal, or that ended before they changed anything.
#[derive(Clone, Debug, clap::Args)]
#[command(after_help = "\
Examples:
  diskmend runs /mnt/f
  diskmend runs F: --json
  diskmend runs /mnt/f 20261123T124100Z
  diskmend runs /mnt/f --prune --keep 3")]
pub(crate) struct Args {
    #[command(flatten)]
    target: TargetArgs,
    /// Show what this run changed; the beginning of its name is enough if no other run's name
    /// begins like this
    #[arg(conflicts_with = "prune")]
    run: Option<String>,
    /// Remove runs that were undone or rolled back, that have no valid seal, or that ended before
    /// they changed anything, after asking
    #[arg(long)]
    prune: bool,
    /// Keep the newest N of the runs that could be removed
    #[arg(long, value_name = "N", requires = "prune", default_value_t = 0)]
    keep: usize,
    #[command(flatten)]
    consent: Consent,
    #[command(flatten)]
    report: ReportArgs,
}

pub(super) fn run(args: &Args, console: &mut Console) -> Result<Exit, Failure> {
    args.report.about_any(&args.target.target, console)?;
    match args.target.of_hive()? {
        None => run_on(args, None, console),
        Some((target, hive)) => {
            let args = Args {
                target,
                ..args.clone()
            };
            run_on(&args, Some(&hive), console)
        }
    }
}

/// `hive` is the path of the hive file that was named as the target: only its runs are listed.
fn run_on(args: &Args, hive: Option<&str>, console: &mut Console) -> Result<Exit, Failure> {
    let mut engine = args.target.engine(BootChoice::default())?;
    report_file::identify(console, &engine);
    // There are no runs, which is a result and not an error.
    if let Some(failure) = args.target.not_a_target(&engine)? {
        console::warn(failure.message());
        failure.hints().iter().for_each(console::hint);
    }
    if args.prune {
        return prune::run(&args.target, &engine, args.keep, &args.consent, console);
    }
    if let Some(text) = &args.run {
        if engine.run_named(text).is_err()
            && let Some(target) = on_image(&args.target, &engine, text)
        {
            let mut engine = target.engine(BootChoice::default())?;
            return run_details::run(&target, &mut engine, text, console);
        }
        return run_details::run(&args.target, &mut engine, text, console);
    }
    let runs = engine.runs();
    let mut runs = runs.map_err(|error| args.target.failure(&error))?;
    if let Some(hive) = hive {
        runs.runs
            .retain(|run| run.hives.iter().any(|path| path == hive));
    }
    let option = args.target.option();
    console.page(|| html::runs(&runs, &option));
    console.show(Exit::Done, |console| {
        if console.json() {
            console.engine_document(&runs)
        } else {
            print(console, &runs, &args.target)
        }
    })
}

fn print(console: &mut Console, runs: &RunList, target: &TargetArgs) -> io::Result<()> {
    report::remarks(&runs.target, &[], &runs.notices);
    if runs.runs.is_empty() {
        writeln!(console.out(), "no runs")?;
    } else {
        table(console, &runs.runs)?;
    }
    if let Some(elsewhere) = &runs.elsewhere {
        let place = match &elsewhere.image {
            Some(image) => format!("made on the image {image}"),
            None => "made while the volume was mounted".to_owned(),
        };
        writeln!(console.out(), "\n{}:", Visible(&place))?;
        table(console, &elsewhere.runs)?;
        console::hint(how_to_undo(elsewhere, "RUN", &runs.target));
    }
    for run in &runs.runs {
        if let Some(note) = &run.note {
            console::note(format_args!("{}: {note}", run.run));
        }
        if run.unfinished && !run.trust.is_given() {
            report::untrusted(run, target);
        } else if run.unfinished {
            console::warn(format_args!("run {} did not end", run.run));
            report::settle(run, target);
        }
    }
    Ok(())
}

/// The target with the folder of the image's runs, if `text` means one of these runs and the volume
/// of the image is mounted as the target. What is not in the volume's own folder is searched there.
pub(super) fn on_image(target: &TargetArgs, engine: &Engine, text: &str) -> Option<TargetArgs> {
    let elsewhere = engine.runs().ok()?.elsewhere?;
    let dir = elsewhere.state_dir()?;
    let is_meant = |run: &&RunSummary| run.run == text;
    let begins = |run: &&RunSummary| run.run.starts_with(text) && !text.contains('Z');
    let run = elsewhere.runs.iter().find(is_meant);
    let run = run.or_else(|| {
        let mut found = elsewhere.runs.iter().filter(begins);
        found.next().filter(|_| found.next().is_none())
    })?;
    // A run that did not end may have left structures of the volume half written, and only the
    // record of the whole image restores these.
    let is_whole = !run.unfinished && run.trust.is_given();
    is_whole.then(|| target.with_state_dir(dir))
}

/// How to undo a run that was made in another way.
pub(super) fn how_to_undo(elsewhere: &RunsElsewhere, run: &str, mounted: &str) -> String {
    match &elsewhere.image {
        Some(image) => {
            let (image, mounted) = (shell::word(image), shell::word(mounted));
            format!(
                "to undo it file by file, on the mounted volume: diskmend undo {mounted} {run}; to \
                 get the identical image, unmount the volume, and then: diskmend undo {image} {run}"
            )
        }
        None => format!("to undo it, mount the volume, and then: diskmend undo FOLDER {run}"),
    }
}

fn table(console: &mut Console, runs: &[RunSummary]) -> io::Result<()> {
    let mut table = Table::new([
        ("RUN", Align::Left),
        ("WHAT", Align::Left),
        ("STATE", Align::Left),
        ("BY", Align::Left),
        ("CHANGES", Align::Right),
        ("UNDO", Align::Left),
        ("DETAILS", Align::Left),
    ]);
    for run in runs {
        let (state, style) = state(run);
        let details = match run.recipes.as_slice() {
            [] if run.hives.is_empty() => acl::objects(run.descriptors),
            [] => run.hives.join(", "),
            recipes => recipes.join(", "),
        };
        let details = match run.partition {
            Some(number) => format!("partition {number}: {details}"),
            None => details,
        };
        let details = match &run.windows.computer_name {
            Some(computer) => format!("{details}; on {computer}"),
            None => details,
        };
        table.row([
            Cell::new(&run.run),
            Cell::new(match run.kind {
                RunKind::Repair => "repair",
                RunKind::HiveEdit => "edit",
                RunKind::AclEdit => "permissions",
                RunKind::Undo => "undo",
            }),
            Cell::styled(state, style),
            by(run),
            Cell::new(changes(run)),
            Cell::new(if run.undoable { "yes" } else { "no" }),
            Cell::new(details),
        ]);
    }
    let width = console.width();
    table.write(console.out(), width)
}

/// The machine that wrote the run.
pub(super) fn by(run: &RunSummary) -> Cell {
    match run.trust {
        Trust::Own => Cell::new("this machine"),
        Trust::Known { key } => Cell::new(format!("key {key}")),
        Trust::Foreign { key } => Cell::styled(format!("UNKNOWN key {key}"), style::WARNING),
        Trust::Unauthenticated { .. } => Cell::styled("NOT TRUSTED", style::BAD),
    }
}

/// The number of changes in the run.
fn changes(run: &RunSummary) -> String {
    let count = run.all_changes();
    if run.unfinished {
        format!("up to {count}")
    } else {
        count.to_string()
    }
}

pub(super) fn state(run: &RunSummary) -> (&'static str, anstyle::Style) {
    match run.state {
        None => ("unreadable", style::BAD),
        Some(RunState::Applying) => ("UNFINISHED", style::BAD),
        Some(RunState::Done) => ("done", style::GOOD),
        Some(RunState::RolledBack) => ("rolled back", style::WARNING),
        Some(RunState::Undoing) => ("UNFINISHED undo", style::BAD),
        Some(RunState::Undone) => ("undone", style::PLAIN),
        Some(RunState::Broken) => ("BROKEN", style::BAD),
    }
}
