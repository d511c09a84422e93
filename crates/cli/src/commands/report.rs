//! `diskmend report`: everything about a disk on one page.

use std::io::Write as _;
use std::path::PathBuf;

use diskmend_repair::documents::{DiagnoseReport, PlanReport};
use diskmend_repair::recipe::Catalogue;
use diskmend_repair::{Engine, EventQuery, Goal};
use maud::html;

use super::inspect::repair_together;
use super::{diagnose, run_details};
use crate::boot_arg::BootArgs;
use crate::disk_map::Document;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::html::{self, Versions};
use crate::new_file;
use crate::output::console::{Console, note};
use crate::progress::Steps;
use crate::recipe_file::RecipeFiles;
use crate::report_file;
use crate::rule_file::RuleFiles;
use crate::target_arg::TargetArgs;

/// Write a page about a disk, for a ticket; nothing is written to the disk
///
/// The page says what the Windows is, which cause is most likely and from which evidence, what
/// differs from the recipes, and what diskmend has done to the disk; with the name of a run, also
/// what this run changed and how to take it back. It is one file of HTML without scripts, which
/// loads nothing: you can attach it to a ticket or print it.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Exit code 0: nothing on the disk is a fault. 3: there is a likely cause.

Examples:
  diskmend report /mnt/f -o ticket-4711.html
  diskmend report broken-os-disk.vhd 20261123T124100Z -o repaired.html
  diskmend report F: > ticket-4711.html")]
pub(crate) struct Args {
    #[command(flatten)]
    target: TargetArgs,
    /// Also show what this run changed; the beginning of its name is enough if no other run's name
    /// begins like this
    run: Option<String>,
    /// Write the page to this new file; by default to standard output
    #[arg(short, long, value_name = "FILE")]
    out: Option<PathBuf>,
    #[command(flatten)]
    rules: RuleFiles,
    #[command(flatten)]
    files: RecipeFiles,
    #[command(flatten)]
    boot: BootArgs,
}

pub(super) fn run(args: &Args, console: &mut Console) -> Result<Exit, Failure> {
    if let Some(out) = &args.out {
        new_file::can_be_made(out)?;
        report_file::refuse_on(out, &args.target.target)?;
    }
    let loaded = args.files.load()?;
    let recipes = &loaded.catalogue;
    let rules = args.rules.load(recipes)?;
    let mut engine = args.target.engine(args.boot.choice())?;
    let failure = |error| args.target.failure(&error);
    let details = match &args.run {
        Some(text) => {
            let name = engine.run_named(text).map_err(failure)?;
            Some(engine.show_run(&name).map_err(failure)?)
        }
        None => None,
    };
    let mut steps = Steps::start();
    let found = engine.diagnose(&rules, recipes, &mut steps.watch());
    let found = found.map_err(failure)?;
    let all = recipes.select(&loaded.names(&[]))?;
    let inspected = engine.inspect(&all, &mut steps.watch()).map_err(failure)?;
    let events = engine.events(&EventQuery::default(), &mut steps.watch());
    let events = events.map_err(failure)?;
    let runs = engine.runs().map_err(failure)?;
    let plan = plan(args, &engine, recipes, &found, &mut steps);
    drop(steps);
    let undo = details.as_ref();
    let undo = undo.and_then(|details| run_details::undo(details, &args.target));
    let option = args.target.option();
    let target = engine.target();
    let disk = match target.disk() {
        Some(disk) => html::disk(&Document::of(disk, target.path()), target.partition()),
        None => html::mounted(target),
    };
    let versions = Versions {
        recipes: recipes.iter().count(),
        rules: rules.iter().count(),
        identity: &found.identity,
    };
    let content = html! {
        (html::identity(&found.identity))
        (html::diagnosis(&found, |cause| diagnose::command(cause, &found.target, &args.target)))
        @match plan {
            Some(Ok(planned)) => {
                (html::plan(&planned.plan, "What the repair would change", Some(&planned.command)))
            },
            Some(Err(reason)) => (html::no_plan(&reason)),
            None => {}
        }
        (html::events(&events))
        @if let Some(details) = &details { (html::details(details, undo.as_deref())) }
        (html::inspection(&inspected))
        (disk)
        (html::boot_stores(&inspected.stores))
        (html::runs(&runs, &option))
        (html::versions(&versions))
    };
    let page = html::page(&format!("diskmend report: {}", found.target), &content).into_string();
    let exit = if found.has_faults() {
        Exit::Pending
    } else {
        Exit::Done
    };
    match &args.out {
        Some(path) => {
            new_file::write_whole(path, page.as_bytes())?;
            note(format_args!("wrote {}", path.display()));
            Ok(exit)
        }
        None => console.show(exit, |console| {
            let mut out = console.bytes();
            out.write_all(page.as_bytes())?;
            out.flush()
        }),
    }
}

/// A plan, and the command that carries it out.
struct Planned {
    plan: PlanReport,
    command: String,
}

/// The plan of the recipes that repair the most likely cause, and those that are as certain, or why
/// there is none; `None` if no recipe repairs them.
fn plan(
    args: &Args,
    engine: &Engine,
    recipes: &Catalogue,
    found: &DiagnoseReport,
    steps: &mut Steps,
) -> Option<Result<Planned, Failure>> {
    let certainty = found.causes.first()?.certainty;
    let causes = found.causes.iter();
    let causes = causes.filter(|cause| cause.certainty == certainty);
    let mut names: Vec<String> = Vec::new();
    for name in causes.flat_map(|cause| &cause.repair) {
        if !names.contains(name) {
            names.push(name.clone());
        }
    }
    let names = repair_together(&names, recipes);
    if names.is_empty() {
        return None;
    }
    let chosen = match recipes.select_to_repair(&names) {
        Ok(chosen) => chosen,
        Err(error) => return Some(Err(error.into())),
    };
    let plan = engine.plan(&chosen, Goal::Desired, &mut steps.watch());
    let command = diagnose::repair_command(&names, &found.target, &args.target);
    Some(match plan {
        Ok(plan) => Ok(Planned {
            plan: plan.report().clone(),
            command,
        }),
        Err(error) => Err(args.target.failure(&error)),
    })
}
