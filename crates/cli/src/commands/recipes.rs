//! `diskmend recipes`: lists the repairs, and checks the files of one's own.

mod check;

use std::io;

use diskmend_base::escape::Visible;
use diskmend_repair::diagnosis::{Rule, RuleError, Rules, Weighed};
use diskmend_repair::documents::{RecipeEntry, RuleEntry};
use diskmend_repair::recipe::{Catalogue, Recipe, RecipeError};
use serde::Serialize;

use crate::exit::Exit;
use crate::failure::Failure;
use crate::output::console::Console;
use crate::output::style;
use crate::output::table::{Align, Cell, Table};
use crate::recipe_file::RecipeFiles;
use crate::rule_file::RuleFiles;

/// List the repairs, or show one of them
///
/// A recipe is a list of desired settings, each with the reason and the source. Some settings say
/// when the current value is a fault, that is, evidence of a broken system; '--auto' repairs only
/// faults.
#[derive(Debug, clap::Args)]
#[command(
    args_conflicts_with_subcommands = true,
    after_help = "\
Examples:
  diskmend recipes
  diskmend recipes tls
  diskmend recipes --causes
  diskmend recipes --causes remote-desktop-off
  diskmend recipes --recipe my-repair.toml my-repair
  diskmend recipes check my-repair.toml
  diskmend recipes schema"
)]
pub(crate) struct Args {
    #[command(subcommand)]
    command: Option<RecipesCommand>,
    /// Show this recipe completely; with --causes, this cause
    name: Option<String>,
    /// List the causes that 'diskmend diagnose' knows instead, or show one of them with its
    /// evidence
    #[arg(long)]
    causes: bool,
    #[command(flatten)]
    files: RecipeFiles,
    #[command(flatten)]
    rules: RuleFiles,
}

/// What else can be done with recipes.
#[derive(Debug, clap::Subcommand)]
enum RecipesCommand {
    Check(check::Args),
    /// Print the JSON Schema of a recipe's file, for editors
    Schema,
}

#[derive(Serialize)]
struct Document<'a> {
    recipes: Vec<RecipeEntry<'a>>,
}

pub(super) fn run(args: &Args, console: &mut Console) -> Result<Exit, Failure> {
    match &args.command {
        Some(RecipesCommand::Check(args)) => return check::run(args, console),
        Some(RecipesCommand::Schema) => return schema(console),
        None => {}
    }
    let catalogue = args.files.load()?.catalogue;
    let rules = args.rules.load(&catalogue)?;
    if args.causes {
        return causes(args.name.as_deref(), &rules, console);
    }
    let recipes: Vec<&Recipe> = match &args.name {
        None => catalogue.iter().collect(),
        Some(name) => vec![find(&catalogue, name)?],
    };
    console.show(Exit::Done, |console| {
        if console.json() {
            let recipes = recipes
                .iter()
                .map(|recipe| RecipeEntry::from(*recipe))
                .collect();
            return console.document(&Document { recipes });
        }
        match (&args.name, recipes.as_slice()) {
            (Some(_), [recipe]) => show(console, recipe, &rules),
            _ => list(console, &recipes),
        }
    })
}

fn schema(console: &mut Console) -> Result<Exit, Failure> {
    let schema = diskmend_repair::recipe::schema();
    let schema =
        schema.ok_or_else(|| Failure::new(Exit::Failure, "the shape of a recipe is not known"))?;
    console.show(Exit::Done, |console| {
        // It is a document by itself, with or without --json.
        writeln!(console.out(), "{schema:#}")
    })
}

fn find<'a>(catalogue: &'a Catalogue, name: &str) -> Result<&'a Recipe, RecipeError> {
    catalogue.get(name).ok_or_else(|| RecipeError::Unknown {
        name: name.to_owned(),
        known: catalogue.iter().map(|recipe| recipe.name.clone()).collect(),
    })
}

fn list(console: &mut Console, recipes: &[&Recipe]) -> io::Result<()> {
    let mut table = Table::new([("RECIPE", Align::Left), ("REPAIRS", Align::Left)]);
    for recipe in recipes {
        table.row([Cell::new(&recipe.name), Cell::new(&recipe.title)]);
    }
    let width = console.width();
    table.write(console.out(), width)
}

fn show(console: &mut Console, recipe: &Recipe, rules: &Rules) -> io::Result<()> {
    let out = console.out();
    let heading = style::HEADING;
    let (name, title) = (Visible(&recipe.name), Visible(&recipe.title));
    writeln!(out, "{heading}{name}{heading:#}: {title}\n")?;
    for line in recipe.summary.trim().lines() {
        writeln!(out, "{}", Visible(line))?;
    }
    if !recipe.includes.is_empty() {
        writeln!(out, "\nIncludes {}", Visible(&recipe.includes.join(", ")))?;
    }
    if !recipe.conflicts.is_empty() {
        let names = recipe.conflicts.join(", ");
        writeln!(out, "\nNot together with {}", Visible(&names))?;
    }
    parameters(out, recipe)?;
    rows(out, recipe)?;
    conditions(out, recipe)?;
    let mut causes = rules.repaired_by(&recipe.name).peekable();
    if causes.peek().is_some() {
        writeln!(
            out,
            "\nRepairs these causes, which 'diskmend diagnose' finds"
        )?;
    }
    for rule in causes {
        writeln!(out, "  {}: {}", Visible(&rule.name), Visible(&rule.title))?;
    }
    if recipe.on_request {
        writeln!(
            out,
            "\nRuns only if you name it or its file: inspect and --auto skip it otherwise"
        )?;
    }
    if recipe.all_or_nothing {
        writeln!(
            out,
            "\nAll or nothing: if a part of it can't be changed, nothing is"
        )?;
    }
    writeln!(out, "\nSources")?;
    for source in &recipe.sources {
        writeln!(out, "  {}", Visible(source))?;
    }
    Ok(())
}

#[derive(Serialize)]
struct CausesDocument<'a> {
    causes: Vec<RuleEntry<'a>>,
}

/// Lists the causes, or shows one.
fn causes(name: Option<&str>, rules: &Rules, console: &mut Console) -> Result<Exit, Failure> {
    let chosen: Vec<&Rule> = match name {
        None => rules.iter().collect(),
        Some(name) => vec![rules.get(name).ok_or_else(|| RuleError::Unknown {
            name: name.to_owned(),
            known: rules.iter().map(|rule| rule.name.clone()).collect(),
        })?],
    };
    console.show(Exit::Done, |console| {
        if console.json() {
            let causes = chosen.iter().map(|rule| RuleEntry::from(*rule)).collect();
            return console.document(&CausesDocument { causes });
        }
        match (name, chosen.as_slice()) {
            (Some(_), [rule]) => show_cause(console, rule),
            _ => list_causes(console, &chosen),
        }
    })
}

fn list_causes(console: &mut Console, rules: &[&Rule]) -> io::Result<()> {
    let columns = ["CAUSE", "WHAT IT IS", "REPAIRED BY"];
    let mut table = Table::new(columns.map(|title| (title, Align::Left)));
    for rule in rules {
        let recipes = rule.recipes.join(", ");
        table.row([
            Cell::new(&rule.name),
            Cell::new(&rule.title),
            Cell::new(recipes),
        ]);
    }
    let width = console.width();
    table.write(console.out(), width)
}

fn show_cause(console: &mut Console, rule: &Rule) -> io::Result<()> {
    let out = console.out();
    let heading = style::HEADING;
    let (name, title) = (Visible(&rule.name), Visible(&rule.title));
    writeln!(out, "{heading}{name}{heading:#}: {title}")?;
    for (what, all) in [
        ("Evidence for it", &rule.supporting),
        ("Evidence against it", &rule.opposing),
    ] {
        evidence(out, what, all)?;
    }
    if !rule.recipes.is_empty() {
        writeln!(out, "\nRepaired by {}", Visible(&rule.recipes.join(", ")))?;
    }
    writeln!(out, "\nBy hand\n  {}\n\nSources", Visible(&rule.check))?;
    for source in &rule.sources {
        writeln!(out, "  {}", Visible(source))?;
    }
    Ok(())
}

fn evidence(out: &mut dyn io::Write, what: &str, all: &[Weighed]) -> io::Result<()> {
    if all.is_empty() {
        return Ok(());
    }
    let faint = style::FAINT;
    writeln!(out, "\n{what}")?;
    for one in all {
        let needed = if one.needed { ", needed" } else { "" };
        let (weight, shown) = (one.weight, one.evidence.shown());
        writeln!(out, "  {weight:>3}{needed}  {}", Visible(&shown))?;
        writeln!(out, "       {faint}{}{faint:#}", Visible(&one.says))?;
    }
    Ok(())
}

/// The values that the user may choose.
fn parameters(out: &mut dyn io::Write, recipe: &Recipe) -> io::Result<()> {
    if !recipe.parameters.is_empty() {
        writeln!(out, "\nParameters")?;
    }
    for one in &recipe.parameters {
        let (name, value, kind) = (Visible(&one.name), Visible(&one.default), one.kind);
        let about = Visible(&one.about);
        writeln!(out, "  {name}={value}  {about} ({kind})")?;
    }
    Ok(())
}

/// The conditions on which faults and notes depend.
fn conditions(out: &mut dyn io::Write, recipe: &Recipe) -> io::Result<()> {
    if !recipe.conditions.is_empty() {
        writeln!(out, "\nConditions")?;
    }
    for condition in &recipe.conditions {
        let (name, shown) = (Visible(&condition.name), condition.shown());
        writeln!(out, "  {name}: {}", Visible(&shown))?;
    }
    if let Some(note) = &recipe.note_if {
        let (condition, text) = (Visible(&note.condition), Visible(&note.text));
        writeln!(out, "\nIf {condition} holds: {text}")?;
    }
    Ok(())
}

/// The rows, each below the place that it is about.
fn rows(out: &mut dyn io::Write, recipe: &Recipe) -> io::Result<()> {
    let mut place = None;
    for (row, shown) in recipe.rows.iter().zip(recipe.shown_rows()) {
        if place.as_ref() != Some(&shown.place) {
            writeln!(out, "\n{}", Visible(&shown.place))?;
            place = Some(shown.place);
        }
        for (number, line) in shown.lines.iter().enumerate() {
            let indent = if number == 0 { 2 } else { 6 };
            writeln!(out, "{:indent$}{}", "", Visible(line))?;
        }
        let faint = style::FAINT;
        writeln!(out, "      {faint}{}{faint:#}", Visible(row.why()))?;
    }
    Ok(())
}
