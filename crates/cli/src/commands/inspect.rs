//! `diskmend inspect`: compares a target with recipes.

use std::io::{self, Write};

use diskmend_repair::documents::{ElementRow, InspectReport, Row, RowState};
use diskmend_repair::recipe::Catalogue;
use maud::html;

use crate::boot_arg::BootArgs;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::html;
use crate::output::console::Console;
use crate::output::table::{Cell, Table};
use crate::output::{acl, files, identity, report, shell, style, volume};
use crate::progress::Steps;
use crate::recipe_file::RecipeFiles;
use crate::report_file::ReportArgs;
use crate::target_arg::TargetArgs;

/// Show what is wrong with the Windows on a disk; nothing is written
///
/// diskmend first says what the Windows is: its version, the names of the computer and its domain,
/// and when and on which machine it ran last. Then it compares every value that the recipes name,
/// in every control set, and checks the hives themselves. It replays the logs of a hive that was
/// not closed cleanly in memory, and looks at the result.
///
/// A value is a fault if it is evidence of a broken system. Otherwise it may merely differ from the
/// recipe, or be missing.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Exit code 0: nothing is a fault. 3: there are faults, or something could not be read. What merely
differs from a recipe or is missing is no fault.

Examples:
  diskmend inspect /mnt/f
  diskmend inspect F: tls nla
  diskmend inspect /mnt/f --json | jq '.rows[] | select(.state == \"fault\")'")]
pub(crate) struct Args {
    #[command(flatten)]
    target: TargetArgs,
    /// Recipes to compare with ('diskmend recipes' lists them); by default those of --recipe, or
    /// else all
    #[arg(value_name = "RECIPE")]
    recipes: Vec<String>,
    #[command(flatten)]
    files: RecipeFiles,
    #[command(flatten)]
    boot: BootArgs,
    #[command(flatten)]
    report: ReportArgs,
}

pub(super) fn run(args: &Args, console: &mut Console) -> Result<Exit, Failure> {
    args.report.about(&args.target.target, console)?;
    let mut loaded = args.files.load()?;
    let names = loaded.choose(&args.recipes)?;
    let recipes = loaded.catalogue.select(&names)?;
    loaded.tell_unused(&recipes);
    let engine = args.target.engine(args.boot.choice())?;
    let mut steps = Steps::start();
    let found = engine.inspect(&recipes, &mut steps.watch());
    let found = found.map_err(|error| args.target.failure(&error))?;
    drop(steps);
    let exit = if found.has_faults() {
        Exit::Pending
    } else {
        Exit::Done
    };
    console.page(|| html! { (html::identity(&found.identity)) (html::inspection(&found)) });
    console.show(exit, |console| {
        if console.json() {
            console.engine_document(&found)
        } else {
            print(console, &found, &args.target, &loaded.catalogue)
        }
    })
}

fn print(
    console: &mut Console,
    found: &InspectReport,
    target: &TargetArgs,
    catalogue: &Catalogue,
) -> io::Result<()> {
    let width = console.width();
    let out = console.out();
    identity::identity(out, &found.identity, &found.skipped)?;
    for status in &found.hives {
        report::hive(out, status)?;
    }
    report::stores(out, &found.stores)?;
    for (place, group) in report::by_key(&found.rows, |row| (&row.hive, &row.key)) {
        let current = group.iter().any(|row| row.in_current_set == Some(true));
        let mark = if current { " (current)" } else { "" };
        report::key(out, place, mark)?;
        rows(out, &group, width)?;
    }
    let objects = report::by_key(&found.elements, |row| {
        (&row.element.store, &row.element.object_name)
    });
    for (place, group) in objects {
        report::object(out, place)?;
        elements(out, &group, width)?;
    }
    files::rows(out, &found.files, width, |row| state(row.state))?;
    for acl in &found.acls {
        acl::report(out, acl)?;
    }
    verdict(out, found, target, catalogue)?;
    let volume = found.identity.volume.as_ref();
    volume
        .iter()
        .for_each(|volume| volume::conditions("", &volume.conditions));
    report::remarks(&found.target, &found.skipped, &found.notices);
    report::unfinished(&found.unfinished, target);
    Ok(())
}

/// The counts, the verdict, and the command to run next.
fn verdict(
    out: &mut dyn Write,
    found: &InspectReport,
    target: &TargetArgs,
    catalogue: &Catalogue,
) -> io::Result<()> {
    let summary = &found.summary;
    let (faults, differ, missing, ok) =
        (summary.faults, summary.differ, summary.missing, summary.ok);
    let reported = match summary.reported {
        0 => String::new(),
        reported => format!(", {reported} reported"),
    };
    writeln!(
        out,
        "\n{faults} faults, {differ} differ, {missing} missing, {ok} as they should be{reported}"
    )?;
    let (good, bad) = (style::GOOD, style::BAD);
    let path = shell::word(&found.target);
    let options = target.option();
    if !summary.fault {
        writeln!(
            out,
            "{good}Verdict: nothing here is a fault.{good:#} Look for another cause: diskmend \
             diagnose {path}{options}"
        )?;
        return Ok(());
    }
    let what = match faults {
        0 => "not everything could be read".to_owned(),
        1 => "1 fault".to_owned(),
        faults => format!("{faults} faults"),
    };
    write!(out, "{bad}Verdict: {what}.{bad:#} ")?;
    let recipes = repair_together(&summary.repair, catalogue);
    if recipes.is_empty() {
        writeln!(out, "Look for the cause: diskmend diagnose {path}{options}")
    } else {
        let words: Vec<_> = recipes.iter().map(|name| shell::word(name)).collect();
        let recipes = words.join(" ");
        writeln!(
            out,
            "Repair it: diskmend repair {path} {recipes} --auto{options}"
        )
    }
}

/// The recipes that one repair can apply: two that set the permissions of the same folder can't.
pub(super) fn repair_together<'a>(recipes: &'a [String], catalogue: &Catalogue) -> Vec<&'a str> {
    let mut chosen: Vec<&str> = Vec::new();
    for recipe in recipes {
        chosen.push(recipe);
        if catalogue.select_to_repair(&chosen).is_err() {
            chosen.pop();
        }
    }
    chosen
}

fn rows(out: &mut dyn Write, rows: &[&Row], width: Option<usize>) -> io::Result<()> {
    let mut table = Table::untitled(4, 2);
    for row in rows {
        let (state, style) = state(row.state);
        let (now, wanted) = match &row.permissions {
            Some(permissions) => report::permissions(permissions),
            None => (
                report::found(row.current.as_ref(), row.subtree),
                report::wanted(&row.desired),
            ),
        };
        let (now, remark) = match row.state {
            RowState::Ok => (now, String::new()),
            _ if row.only_reports => (now, format!("{}: {}", row.recipe, row.why)),
            _ => (
                format!("{now}, wanted {wanted}"),
                report::because(&row.recipe, &row.why, row.note.as_deref()),
            ),
        };
        table.row([
            Cell::styled(state, style),
            Cell::new(report::thing(
                &row.value,
                row.is_about_key(),
                row.permissions.as_ref(),
            )),
            Cell::new(now),
            Cell::styled(remark, style::FAINT),
        ]);
    }
    table.write(out, width)
}

fn elements(out: &mut dyn Write, rows: &[&ElementRow], width: Option<usize>) -> io::Result<()> {
    let mut table = Table::untitled(4, 2);
    for row in rows {
        let (state, style) = state(row.state);
        let now = report::words(row.element.old.as_deref());
        let (now, remark) = match row.state {
            RowState::Ok => (now, String::new()),
            RowState::Reported => (
                now,
                report::because(&row.recipe, &row.why, row.note.as_deref()),
            ),
            _ => (
                format!(
                    "{now}, wanted {}",
                    report::words(row.element.new.as_deref())
                ),
                report::because(&row.recipe, &row.why, row.note.as_deref()),
            ),
        };
        table.row([
            Cell::styled(state, style),
            Cell::new(&row.element.name),
            Cell::new(now),
            Cell::styled(remark, style::FAINT),
        ]);
    }
    table.write(out, width)
}

fn state(state: RowState) -> (&'static str, anstyle::Style) {
    match state {
        RowState::Ok => ("ok", style::GOOD),
        RowState::Differs => ("differs", style::WARNING),
        RowState::Missing => ("missing", style::WARNING),
        RowState::Fault => ("FAULT", style::BAD),
        RowState::Reported => ("report", style::WARNING),
    }
}
