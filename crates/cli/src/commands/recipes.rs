//! `diskmend recipes`: lists the repairs.

use std::io;

use diskmend_base::escape::Visible;
use diskmend_repair::documents::RecipeEntry;
use diskmend_repair::recipe::{Catalogue, Recipe, RecipeError};
use diskmend_repair::rows::Row;
use serde::Serialize;

use crate::exit::Exit;
use crate::failure::Failure;
use crate::output::console::Console;
use crate::output::style;
use crate::output::table::{Align, Cell, Table};
use crate::recipe_file::RecipeFiles;

/// List the repairs, or show one of them
///
/// A recipe is a list of desired settings, each with the reason and the source. Some settings say
/// when the current value is a fault, that is, evidence of a broken system; '--auto' repairs only
/// faults.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  diskmend recipes
  diskmend recipes tls
  diskmend recipes --recipe my-repair.toml my-repair")]
pub(crate) struct Args {
    /// Show this recipe completely
    name: Option<String>,
    #[command(flatten)]
    files: RecipeFiles,
}

#[derive(Serialize)]
struct Document<'a> {
    recipes: Vec<RecipeEntry<'a>>,
}

pub(super) fn run(args: &Args, console: &mut Console) -> Result<Exit, Failure> {
    let catalogue = args.files.load()?.catalogue;
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
            (Some(_), [recipe]) => show(console, recipe),
            _ => list(console, &recipes),
        }
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

fn show(console: &mut Console, recipe: &Recipe) -> io::Result<()> {
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
    rows(out, &recipe.rows)?;
    if recipe.on_request {
        writeln!(
            out,
            "\nRuns only if you name it or its file: inspect and --auto skip it otherwise"
        )?;
    }
    writeln!(out, "\nSources")?;
    for source in &recipe.sources {
        writeln!(out, "  {}", Visible(source))?;
    }
    Ok(())
}

/// The rows, each below the place that it is about.
fn rows(out: &mut dyn io::Write, rows: &[Row]) -> io::Result<()> {
    let mut place = None;
    for row in rows {
        let shown = row.shown();
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
