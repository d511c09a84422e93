//! `diskmend plan`: shows what a repair would change.

use std::io::{self, Write};
use std::path::PathBuf;

use diskmend_repair::documents::{Change, PlanReport};
use diskmend_repair::{BootChoice, Engine, Goal, Plan};

use crate::boot_arg::{BootArgs, SerialArgs};
use crate::exit::Exit;
use crate::failure::Failure;
use crate::html;
use crate::output::console::Console;
use crate::output::table::{Cell, Table};
use crate::output::{acl, files, report, style, volume};
use crate::progress::Steps;
use crate::recipe_file::{RecipeFiles, Recipes};
use crate::report_file::{self, ReportArgs};
use crate::target_arg::TargetArgs;
use crate::{new_file, plan_file};

/// The maximum number of changes that are shown as text; an import can have a hundred thousand.
const MOST_CHANGES: usize = 200;

/// Show what a repair would change; nothing is written
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Exit code 0: there is nothing to do. 3: there are changes to make.

Examples:
  diskmend plan /mnt/f rdp-internal-error
  diskmend plan F: --auto
  diskmend plan /mnt/f --recipe my-repair.toml
  diskmend plan /mnt/f rdp-internal-error --out server7.plan.json")]
pub(crate) struct Args {
    #[command(flatten)]
    target: TargetArgs,
    #[command(flatten)]
    choice: Choice,
    /// Also save the plan in this new file, for a review: 'diskmend repair --plan FILE' carries out
    /// exactly this plan, or refuses. The file is JSON, and sealed with this machine's key
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
    #[command(flatten)]
    report: ReportArgs,
}

/// The recipes to apply, and the names of those that were chosen.
pub(crate) struct Chosen {
    loaded: Recipes,
    names: Vec<String>,
}

/// The recipes to apply.
#[derive(Debug, clap::Args)]
pub(crate) struct Choice {
    /// Recipes to apply ('diskmend recipes' lists them), each with the values of its parameters,
    /// such as 'port=33890'; by default those of --recipe, or else, with --auto, all
    #[arg(
        value_name = "RECIPE",
        required_unless_present_any = ["auto", "recipe_files"]
    )]
    recipes: Vec<String>,
    /// Repair only what is evidence of a fault; do not change a healthy disk
    #[arg(long)]
    auto: bool,
    #[command(flatten)]
    files: RecipeFiles,
    #[command(flatten)]
    serial: SerialArgs,
    #[command(flatten)]
    boot: BootArgs,
    /// Change nothing on an unmounted volume that Windows did not dismount or that is marked dirty;
    /// without this option, hives are changed in place there if that is safe
    #[arg(long)]
    no_dirty_volume: bool,
}

impl Choice {
    /// The chosen boot store.
    pub(crate) fn boot(&self) -> BootChoice {
        self.boot.choice()
    }

    /// Opens the target with these choices.
    pub(crate) fn engine(&self, args: &TargetArgs, boot: BootChoice) -> Result<Engine, Failure> {
        args.engine_with(|options| {
            options.boot = boot;
            options.in_place = !self.no_dirty_volume;
        })
    }

    /// Reads the recipes, before anything else is read.
    pub(crate) fn load(&self) -> Result<Chosen, Failure> {
        let mut loaded = self.files.load()?;
        let names = loaded.choose(&self.recipes)?;
        self.serial.apply(&mut loaded.catalogue);
        Ok(Chosen { loaded, names })
    }

    /// Makes the plan.
    pub(crate) fn plan<'e>(
        &self,
        chosen: &Chosen,
        args: &TargetArgs,
        engine: &'e Engine,
    ) -> Result<Plan<'e>, Failure> {
        let Chosen { loaded, names } = chosen;
        let recipes = loaded.catalogue.select_to_repair(names)?;
        loaded.tell_unused(&recipes);
        self.serial.must_matter(&recipes)?;
        let goal = if self.auto {
            Goal::Faults
        } else {
            Goal::Desired
        };
        let mut steps = Steps::start();
        let plan = engine.plan(&recipes, goal, &mut steps.watch());
        plan.map_err(|error| args.failure(&error))
    }
}

pub(super) fn run(args: &Args, console: &mut Console) -> Result<Exit, Failure> {
    args.report.about(&args.target.target, console)?;
    if let Some(out) = &args.out {
        new_file::must_be_new(out)?;
    }
    let chosen = args.choice.load()?;
    let engine = args.choice.engine(&args.target, args.choice.boot())?;
    report_file::identify(console, &engine);
    let plan = args.choice.plan(&chosen, &args.target, &engine)?;
    if let Some(out) = &args.out {
        plan_file::save(out, &plan, &args.target)?;
    }
    let exit = show(console, plan.report(), &args.target)?;
    if let Some(out) = &args.out {
        plan_file::tell_saved(out, &args.target);
    }
    Ok(exit)
}

/// Shows a plan as the result of a command.
pub(crate) fn show(
    console: &mut Console,
    report: &PlanReport,
    target: &TargetArgs,
) -> Result<Exit, Failure> {
    let unread = report.acls.iter().any(|acl| acl.failed.count > 0);
    let nothing = !report.has_changes()
        && !unread
        && report.skipped.is_empty()
        && report.unfinished.is_empty();
    let exit = if nothing { Exit::Done } else { Exit::Pending };
    console.page(|| html::plan(report, "What a repair would change", None));
    console.show(exit, |console| {
        if console.json() {
            console.engine_document(report)
        } else {
            let width = console.width();
            print(console.out(), report, width, target)
        }
    })
}

/// Shows a plan before the question. If the result is JSON, the plan goes to stderr, because stdout
/// is for the result.
pub(crate) fn print_for_question(
    console: &mut Console,
    report: &PlanReport,
    target: &TargetArgs,
) -> io::Result<()> {
    let width = console.width();
    if console.json() {
        print(&mut anstream::stderr(), report, width, target)
    } else {
        print(console.out(), report, width, target).and_then(|()| console.flush())
    }
}

fn print(
    out: &mut dyn Write,
    report: &PlanReport,
    width: Option<usize>,
    target: &TargetArgs,
) -> io::Result<()> {
    for status in &report.hives {
        report::hive(out, status)?;
    }
    report::stores(out, &report.stores)?;
    changes(out, &report.changes, width)?;
    files::changes(out, &report.files, width)?;
    // With --auto, what differs without being a fault is not changed, and not shown.
    for acl in report
        .acls
        .iter()
        .filter(|acl| !report.auto || acl.faults > 0)
    {
        acl::report(out, acl)?;
    }
    let left_alone = |name: &str| report.skipped.iter().any(|skipped| skipped.hive == name);
    let dirty = report.hives.iter();
    let dirty = dirty.filter(|hive| hive.dirty.is_some() && !left_alone(&hive.hive));
    let recovered = match dirty.count() {
        0 => None,
        1 => Some("1 hive to recover from its logs".to_owned()),
        hives => Some(format!("{hives} hives to recover from their logs")),
    };
    let changed = match report.changes.len() {
        0 => None,
        1 => Some("1 value to change".to_owned()),
        values => Some(format!("{values} values to change")),
    };
    let moved = match report.files.len() {
        0 => None,
        count => Some(format!("{} to change", files::counted(count as u64))),
    };
    let permissions = match report.objects_to_change() {
        0 => None,
        count => Some(format!("permissions of {} to set", acl::objects(count))),
    };
    let pending = recovered
        .into_iter()
        .chain(changed)
        .chain(moved)
        .chain(permissions);
    let pending: Vec<String> = pending.collect();
    let unread = report.acls.iter().any(|acl| acl.failed.count > 0);
    match pending.as_slice() {
        [] if unread || !report.skipped.is_empty() => writeln!(out, "\nnothing can be done")?,
        [] => writeln!(out, "\nnothing to do")?,
        pending => writeln!(out, "\n{}", pending.join(", "))?,
    }
    volume::conditions("", &report.conditions);
    report::remarks(&report.target, &report.skipped, &report.notices);
    report::unfinished(&report.unfinished, target);
    Ok(())
}

/// The recipe that makes a change, and why; a change by hand needs no reason.
fn remark(change: &Change) -> String {
    match change.recipe.as_str() {
        "" => String::new(),
        recipe => report::because(recipe, &change.why, change.note.as_deref()),
    }
}

/// The key, or the object of a boot store, that contains a change.
fn place(change: &Change) -> (&str, &str) {
    match &change.element {
        Some(element) => (&element.store, &element.object_name),
        None => (&change.hive, &change.value.key),
    }
}

/// Prints changes of values, grouped by key.
pub(crate) fn changes(
    out: &mut dyn Write,
    changes: &[Change],
    width: Option<usize>,
) -> io::Result<()> {
    let listed = changes.get(..MOST_CHANGES).unwrap_or(changes);
    for (place, group) in report::by_key(listed, place) {
        if group.iter().any(|change| change.element.is_some()) {
            report::object(out, place)?
        } else {
            report::key(out, place, "")?
        }
        let mut table = Table::untitled(4, 2);
        for change in group {
            let (name, old, new) = match &change.element {
                Some(element) => (
                    element.name.as_str(),
                    report::words(element.old.as_deref()),
                    report::words(element.new.as_deref()),
                ),
                None => {
                    let (old, new) = report::old_and_new(change);
                    let permissions = change.permissions.as_ref();
                    let name =
                        report::thing(&change.value.value, change.is_about_key(), permissions);
                    (name, old, new)
                }
            };
            let style = if change.fault {
                style::BAD
            } else {
                style::PLAIN
            };
            table.row([
                Cell::new(name),
                Cell::styled(old, style),
                Cell::styled(format!("-> {new}"), style::GOOD),
                Cell::styled(remark(change), style::FAINT),
            ]);
        }
        table.write(out, width)?;
    }
    match changes.len() - listed.len() {
        0 => Ok(()),
        more => writeln!(out, "\nand {more} more changes, which --json lists"),
    }
}
