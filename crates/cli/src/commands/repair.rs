//! `diskmend repair`: plans, asks, and applies.

use std::io;
use std::path::{Path, PathBuf};

use diskmend_repair::SavedPlan;
use diskmend_repair::documents::{Outcome, PlanReport, RepairReport};

use super::plan::{self, Choice, Chosen};
use crate::consent::Consent;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::html;
use crate::output::console::{self, Console};
use crate::output::{acl, files, report, shell, volume};
use crate::plan_file;
use crate::progress::Steps;
use crate::report_file::{self, ReportArgs};
use crate::target_arg::TargetArgs;

/// Repair the Windows on a disk
///
/// diskmend shows the plan first, and applies it if you answer yes. It sets every value in the
/// recipes to the documented data, in every control set that exists. It does not write what is
/// already right, so that a second run writes nothing. If a hive was not closed cleanly, it first
/// recovers the hive from its logs.
///
/// It moves files away only if a recipe says so. It never copies and deletes them: the run keeps each
/// file with everything that belongs to it, and undo moves it back.
///
/// It sets permissions of files last; if it can't set the permissions of one file, it still repairs
/// the others. It follows no link. If a repair was killed while it moved files or set permissions, run the same
/// command again to complete it.
///
/// Before it writes anything, diskmend saves the old bytes on the volume (for an image: in the
/// folder next to it) and checks the changed hive, and a second reader must find the new values in
/// it. A repair that fails half way is rolled back.
#[derive(Debug, clap::Args)]
#[command(
    mut_arg("recipes", |recipes| recipes.required_unless_present("plan")),
    after_help = "\
Examples:
  diskmend repair /mnt/f tls nla crash-dump
  diskmend repair F: rdp-internal-error --yes
  diskmend repair F: rdp-port port=33890
  diskmend repair /mnt/f serial-console --boot-volume /mnt/esp
  diskmend repair broken-os-disk.vhd rdp-internal-error
  diskmend repair /mnt/f --auto --yes --json
  diskmend repair /mnt/f --plan server7.plan.json"
)]
pub(crate) struct Args {
    #[command(flatten)]
    target: TargetArgs,
    #[command(flatten)]
    choice: Choice,
    #[command(flatten)]
    consent: Consent,
    /// Carry out exactly the plan that 'diskmend plan --out FILE' has saved, or refuse: if it was
    /// changed, if it is for another target, or if anything that it was made from has changed since
    #[arg(
        long,
        value_name = "FILE",
        conflicts_with_all = [
            "recipes", "auto", "recipe_files", "ems_port", "ems_baud_rate", "boot_volume", "store",
            "loader", "all_loaders",
        ]
    )]
    plan: Option<PathBuf>,
    /// Only show the plan, as 'diskmend plan' does
    #[arg(long)]
    dry_run: bool,
    #[command(flatten)]
    report: ReportArgs,
}

/// What is carried out.
enum Source<'a> {
    /// A plan that was saved in this file.
    Saved(&'a Path, Box<SavedPlan>),
    /// These recipes.
    Chosen(Chosen),
}

pub(super) fn run(args: &Args, console: &mut Console) -> Result<Exit, Failure> {
    args.report.about(&args.target.target, console)?;
    let source = match &args.plan {
        Some(file) => Source::Saved(file, Box::new(plan_file::read(file, &args.target)?)),
        None => Source::Chosen(args.choice.load()?),
    };
    let boot = match &source {
        Source::Saved(_, saved) => saved.boot(),
        Source::Chosen(_) => args.choice.boot(),
    };
    let engine = args.choice.engine(&args.target, boot)?;
    report_file::identify(console, &engine);
    if !args.dry_run {
        let ready = engine.ready_for_changes();
        ready.map_err(|error| args.target.failure(&error))?;
    }
    let plan = match &source {
        Source::Saved(file, saved) => {
            let mut steps = Steps::start();
            let plan = engine.plan_saved(saved, &mut steps.watch());
            plan.map_err(|error| plan_file::failure(&error, file, &args.target))?
        }
        Source::Chosen(chosen) => args.choice.plan(chosen, &args.target, &engine)?,
    };
    if args.dry_run {
        return plan::show(console, plan.report(), &args.target);
    }
    // The page of a repair that is refused, fails or is not wanted.
    console.page(|| html::plan(plan.report(), "What was planned", None));
    // Whatever else is wrong with the command is said first.
    let mut shown = false;
    if plan.report().has_changes() && args.consent.asks() {
        // With --json, the plan goes to stderr.
        shown = !console.json();
        args.consent.can_be_had()?;
        plan::print_for_question(console, plan.report(), &args.target)?;
        if !args.consent.given(&question(plan.report()))? {
            return Ok(Exit::Pending);
        }
    }
    let applied = Steps::while_writing(|watch| plan.apply(watch));
    let report = applied.map_err(|error| args.target.failure(&error))?;
    page(console, &report, &args.target.option());
    console.show(report.outcome.into(), |console| {
        if console.json() {
            console.engine_document(&report)
        } else {
            // The question has shown the list already.
            let print = if shown { print_end } else { print };
            print(console, &report, &args.target.option())
        }
    })
}

/// Sets the page of what was changed. `option` names the folder for undo data.
pub(crate) fn page(console: &mut Console, report: &RepairReport, option: &str) {
    let run = report.run.as_deref();
    let undo = run.map(|run| report::undo_command(&report.target, run, option));
    console.page(|| html::applied(report, undo.as_deref()));
}

fn question(plan: &PlanReport) -> String {
    let mut question = plan.cautions.join(" ");
    if !question.is_empty() {
        question.push(' ');
    }
    question.push_str(&plain_question(plan));
    question
}

fn plain_question(plan: &PlanReport) -> String {
    let permissions = plan.objects_to_change();
    match (plan.changes.len() + plan.files.len(), permissions) {
        (0, 0) => "Recover the hives from their logs?".to_owned(),
        (0, count) => format!("Set the permissions of {}?", acl::objects(count)),
        (1, 0) => "Apply this change?".to_owned(),
        (changes, 0) => format!("Apply these {changes} changes?"),
        (changes, count) => format!(
            "Apply these {changes} changes, and set the permissions of {}?",
            acl::objects(count)
        ),
    }
}

/// Prints the result of a repair as text.
///
/// `state` is the option that names the folder for undo data, if it was given.
pub(crate) fn print(console: &mut Console, report: &RepairReport, state: &str) -> io::Result<()> {
    let width = console.width();
    let out = console.out();
    plan::changes(out, &report.changes, width)?;
    files::changes(out, &report.files, width)?;
    if !report.changes.is_empty() || !report.files.is_empty() {
        writeln!(out)?;
    }
    print_end(console, report, state)
}

/// Prints what follows the list of changes.
pub(crate) fn print_end(
    console: &mut Console,
    report: &RepairReport,
    state: &str,
) -> io::Result<()> {
    let out = console.out();
    for hive in &report.hives {
        report::written(out, hive)?;
    }
    if let Some(applied) = &report.descriptors {
        acl::applied(out, applied)?;
    }
    if report.outcome == Outcome::NothingToDo {
        let elsewhere = report
            .notices
            .iter()
            .any(|notice| notice.kind == "other-recipe");
        if elsewhere {
            writeln!(out, "these recipes have nothing to do")?
        } else {
            writeln!(out, "nothing to do: everything is as wanted")?
        }
    }
    volume::conditions("", &report.conditions);
    report::remarks(&report.target, &report.skipped, &report.notices);
    if let Some(run) = &report.run {
        let target = shell::word(&report.target);
        let run = shell::word(run);
        console::hint(format_args!("to undo: diskmend undo {target} {run}{state}"));
    }
    Ok(())
}
