//! `diskmend undo`: undoes a run.

mod force;

use std::io;
use std::path::PathBuf;

use diskmend_base::escape::Visible;

use diskmend_repair::documents::{
    FileAction, Method, Reversal, RunSummary, UndoReport, UndoneDescriptors, UndoneFiles,
};
use diskmend_repair::{BootChoice, Engine};

use super::runs;
use crate::consent::Consent;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::html;
use crate::output::console::{self, Console};
use crate::output::table::{Cell, Table};
use crate::output::{acl, files, preview, report, shell, style};
use crate::progress::Steps;
use crate::report_file::{self, ReportArgs};
use crate::target_arg::TargetArgs;
use crate::volume_root::volume_root;

/// Undo a repair
///
/// If nothing else has changed the files since, undo restores exactly the bytes from before the
/// run. Otherwise it reverses each value that the run has changed separately, and leaves alone what
/// somebody has changed again. It says which of the two it did.
///
/// A run that was killed half way is undone in the same way.
///
/// If the target is a hive file or the file of a boot store, the last run that changed only this
/// file is undone.
#[derive(Clone, Debug, clap::Args)]
#[command(after_help = "\
Examples:
  diskmend undo /mnt/f
  diskmend undo F: 20261123T124100Z --yes
  diskmend undo /mnt/f 20261123
  diskmend undo disk.vhd --force-bytes
  diskmend undo NTUSER.DAT")]
pub(crate) struct Args {
    #[command(flatten)]
    target: TargetArgs,
    /// The run ('diskmend runs' lists them), or the beginning of its name if no other run's name
    /// begins like this; by default the last run that can be undone
    run: Option<String>,
    /// The mount point of the volume with the run's boot store, if the store is on another mounted
    /// volume
    #[arg(long, value_name = "DIR")]
    boot_volume: Option<PathBuf>,
    /// Restore only the run's old bytes, over whatever was written to these places since; diskmend
    /// shows first what differs
    #[arg(long)]
    force_bytes: bool,
    /// Undo the run although it has no valid seal; diskmend shows first what that would change
    #[arg(long, requires = "run")]
    trust: bool,
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

/// The last run that can be undone and changed this hive. It must have changed nothing else,
/// because nobody has asked to undo that.
fn last_of_hive(args: &Args, engine: &Engine, hive: &str) -> Result<String, Failure> {
    let runs = engine.runs();
    let runs = runs.map_err(|error| args.target.failure(&error))?;
    let about = |run: &&RunSummary| run.hives.iter().any(|path| path == hive);
    let mut undoable = runs.runs.iter().rev().filter(about);
    let root = runs.target.as_str();
    let (root, option) = (shell::word(root), args.target.option());
    match undoable.find(|run| run.is_undone_unasked() && run.is_of(engine.target().partition())) {
        None => {
            let message = format_args!("there is no run to undo that changed {hive}");
            let list = format!("'diskmend runs {root}{option}' lists the runs");
            Err(Failure::new(Exit::Failure, message).hint(list))
        }
        Some(run) if run.hives.len() == 1 && run.descriptors == 0 && run.files == 0 => {
            Ok(run.run.clone())
        }
        Some(run) => {
            let name = &run.run;
            let message = format_args!("run {name} changed not only {hive}");
            let undo = format!("to undo all of it: diskmend undo {root} {name}{option}");
            Err(Failure::new(Exit::Refused, message).hint(undo))
        }
    }
}

/// `hive` is the path of the hive file that was named as the target.
fn run_on(args: &Args, hive: Option<&str>, console: &mut Console) -> Result<Exit, Failure> {
    let mut engine = args.target.engine(BootChoice {
        volume: args.boot_volume.as_deref().map(volume_root),
        ..BootChoice::default()
    })?;
    report_file::identify(console, &engine);
    let own = engine.not_own_disk();
    own.map_err(|error| args.target.failure(&error))?;
    if let Some(failure) = args.target.not_a_target(&engine)? {
        return Err(failure);
    }
    let named = match (&args.run, hive) {
        (Some(text), _) => match engine.run_named(text) {
            Ok(run) => Some(run),
            Err(error) => {
                let Some(target) = runs::on_image(&args.target, &engine, text) else {
                    return Err(failure(args, &engine, Some(text), &error));
                };
                console::note(
                    "this run was made on the image of this volume; it is undone file by file",
                );
                let args = Args {
                    target,
                    ..args.clone()
                };
                return run_on(&args, hive, console);
            }
        },
        (None, Some(hive)) => Some(last_of_hive(args, &engine, hive)?),
        (None, None) => None,
    };
    args.consent.can_be_had()?;
    let mut vouched = false;
    if let Some(name) = named.as_deref().filter(|_| args.trust) {
        match vouching(args, &mut engine, name, console)? {
            Vouching::Refused => return Ok(Exit::Pending),
            Vouching::Given => vouched = true,
            Vouching::NotNeeded => {}
        }
    }
    let run = match (&named, args.consent.asks() && !vouched) {
        (named, false) => named.clone(),
        (named, true) => {
            let runs = engine.runs();
            let runs = runs.map_err(|error| args.target.failure(&error))?;
            let chosen = runs.runs.iter().rev().find(|run| match named {
                Some(name) => run.run == *name,
                None => run.is_undone_unasked() && run.is_of(engine.target().partition()),
            });
            match chosen {
                // The engine refuses this run, and says why.
                Some(chosen) if !chosen.trust.is_given() => named.clone(),
                // The differences are shown before the question.
                Some(chosen) if args.force_bytes => Some(chosen.run.clone()),
                Some(chosen) => {
                    if !args.consent.given(&question(chosen))? {
                        return Ok(Exit::Pending);
                    }
                    Some(chosen.run.clone())
                }
                // The engine says what is wrong with the run.
                None => named.clone(),
            }
        }
    };
    let run = if !args.force_bytes {
        run
    } else {
        match force::allowed(args, &engine, run.as_deref())? {
            None => return Ok(Exit::Pending),
            allowed => allowed,
        }
    };
    let undone = Steps::while_writing(|watch| {
        if !args.force_bytes {
            engine.undo(run.as_deref(), watch)
        } else {
            engine.undo_by_force(run.as_deref(), watch)
        }
    });
    let report = undone.map_err(|error| failure(args, &engine, None, &error))?;
    let exit = if report.is_partial() {
        Exit::Partial
    } else {
        Exit::Done
    };
    let option = args.target.option();
    let redo = report.recorded_as.as_deref();
    let redo = redo.map(|run| report::undo_command(&report.target, run, &option));
    console.page(|| html::undone(&report, redo.as_deref()));
    console.show(exit, |console| {
        if console.json() {
            console.engine_document(&report)
        } else {
            print(console, &report, &args.target.option())
        }
    })
}

/// The failure with a hint if the wanted run was made in another way, on the same volume.
fn failure(
    args: &Args,
    engine: &Engine,
    wanted: Option<&str>,
    error: &diskmend_repair::Error,
) -> Failure {
    use diskmend_repair::Error;

    let failure = args.target.failure(error);
    if !matches!(error, Error::NoRun { .. } | Error::NothingToUndo) {
        return failure;
    }
    let elsewhere = engine.runs().ok().and_then(|runs| runs.elsewhere);
    let hint = elsewhere.and_then(|elsewhere| {
        let mut runs = elsewhere.runs.iter().rev();
        let run = runs.find(|run| match wanted {
            Some(text) => run.run.starts_with(text),
            None => run.is_undone_unasked(),
        })?;
        let place = match &elsewhere.image {
            Some(_) => "on the image of this volume",
            None => "while the volume was mounted",
        };
        let target = args.target.target.display().to_string();
        let how = runs::how_to_undo(&elsewhere, &run.run, &target);
        Some(format!("run {} was made {place}; {how}", run.run))
    });
    failure.maybe_hint(hint)
}

/// Whether the user must vouch for a run.
enum Vouching {
    /// The run has a valid seal, and needs no more than any other.
    NotNeeded,
    Given,
    Refused,
}

/// Shows what undoing a run without a valid seal would change, and asks the user to vouch for the
/// run.
fn vouching(
    args: &Args,
    engine: &mut Engine,
    name: &str,
    console: &mut Console,
) -> Result<Vouching, Failure> {
    let failed = |error: &diskmend_repair::Error| args.target.failure(error);
    let runs = engine.runs().map_err(|error| failed(&error))?;
    let run = runs.runs.iter().find(|run| run.run == name);
    let Some(run) = run.filter(|run| !run.trust.is_given()) else {
        return Ok(Vouching::NotNeeded);
    };
    let mut told = Ok(());
    let mut stderr = anstream::stderr();
    let json = console.json();
    let shown = engine.preview_undo(name, &mut |change| {
        if told.is_ok() {
            told = if json {
                preview::line(&mut stderr, change)
            } else {
                preview::line(console.out(), change)
            };
        }
    });
    shown.map_err(|error| failed(&error))?;
    // The user can't vouch for changes that were not shown.
    told.and_then(|()| console.flush())?;
    console::warn(format_args!(
        "this machine did not write the data of run {name}: {}",
        run.trust
    ));
    let question = format!("Undo run {name} nevertheless, and make all changes listed above?");
    if !args.consent.given(&question)? {
        return Ok(Vouching::Refused);
    }
    engine.vouch();
    Ok(Vouching::Given)
}

fn question(run: &RunSummary) -> String {
    let what = match run.recipes.as_slice() {
        [] if run.hives.is_empty() => acl::objects(run.descriptors),
        [] => run.hives.join(", "),
        recipes => recipes.join(", "),
    };
    let count = run.all_changes();
    let most = if run.unfinished { "up to " } else { "" };
    format!(
        "Undo run {} of {} ({what}, {most}{count} changes)?",
        run.run, run.started
    )
}

fn print(console: &mut Console, report: &UndoReport, state: &str) -> io::Result<()> {
    let width = console.width();
    let out = console.out();
    match report.method {
        Method::Bytes => {
            let left = |undone: &UndoneDescriptors| undone.changed_since.count > 0;
            let files_left = |undone: &UndoneFiles| undone.left_alone.count > 0;
            let how = if report.is_partial() {
                " in part"
            } else if report.differences.is_some() {
                ": its old bytes are restored over whatever was there"
            } else if report.descriptors.as_ref().is_some_and(left)
                || report.moved.as_ref().is_some_and(files_left)
            {
                ", except for later changes"
            } else {
                ", byte for byte"
            };
            writeln!(out, "run {} is undone{how}", Visible(&report.run))?;
            let mut table = Table::untitled(2, 2);
            for file in &report.files {
                let action = match file.action {
                    FileAction::Restored => "restored",
                    FileAction::Removed => "removed; the run had created it",
                    FileAction::Unchanged => "already had its old bytes",
                };
                table.row([Cell::new(&file.path), Cell::new(action)]);
            }
            table.write(out, width)?;
        }
        Method::Values => {
            let warning = style::WARNING;
            writeln!(
                out,
                "run {} is undone {warning}value by value{warning:#}: something else has changed \
                 the hive since",
                Visible(&report.run)
            )?;
            values(out, report, width)?;
        }
    }
    if let Some(undone) = &report.moved {
        files::undone(out, undone, width)?;
    }
    if let Some(undone) = &report.descriptors {
        acl::undone(out, undone)?;
    }
    report::remarks(&report.target, &[], &report.notices);
    if report.is_partial() {
        console::hint("find out why these can't be written, then undo the run again");
    }
    if let Some(run) = &report.recorded_as {
        let (target, run) = (shell::word(&report.target), shell::word(run));
        console::hint(format_args!(
            "to undo the undo: diskmend undo {target} {run}{state}"
        ));
    }
    Ok(())
}

fn values(out: &mut dyn io::Write, report: &UndoReport, width: Option<usize>) -> io::Result<()> {
    for (place, group) in report::by_key(&report.changes, |c| (&c.hive, &c.change.key)) {
        report::key(out, place, "")?;
        let mut table = Table::untitled(3, 2);
        for change in group {
            let (state, style) = match change.reversal {
                Reversal::Reversed => ("reversed", style::GOOD),
                Reversal::AlreadyOld => ("already had its old data", style::PLAIN),
                Reversal::LeftAlone => ("LEFT ALONE, changed since", style::WARNING),
            };
            let now = match change.reversal {
                Reversal::LeftAlone => report::data(change.found.as_ref()),
                _ => report::data(change.change.old.as_ref()),
            };
            let (name, now) = match &change.permissions {
                None => (report::value_name(&change.change.value), now),
                Some(permissions) => (report::PERMISSIONS, permissions.now(change.reversal)),
            };
            table.row([Cell::new(name), Cell::new(now), Cell::styled(state, style)]);
        }
        table.write(out, width)?;
    }
    Ok(())
}
