//! `diskmend recipes`: lists the repairs.

use std::io;

use diskmend_acl::SddlParts;
use diskmend_base::escape::Visible;
use diskmend_repair::recipe::{
    AclRow, BcdRow, Catalogue, DesiredAcl, IfMissing, Origin, Recipe, RecipeError, RegistryRow,
};
use serde::Serialize;

use crate::exit::Exit;
use crate::failure::Failure;
use crate::output::console::Console;
use crate::output::style;
use crate::output::table::{Align, Cell, Table};
use crate::recipe_file::RecipeFiles;

/// List the repairs, or show one of them
///
/// A recipe is a list of desired settings, each with the reason and the source. Some settings have
/// a condition under which the current value is a fault, that is, evidence of a broken system;
/// '--auto' repairs only faults.
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

#[derive(Serialize)]
struct RecipeEntry<'a> {
    name: &'a str,
    title: &'a str,
    summary: &'a str,
    sources: &'a [String],
    includes: &'a [String],
    /// The file that contains the recipe; absent for a recipe of the program's own.
    file: Option<&'a str>,
    /// True if the recipe runs only if the user names it.
    on_request: bool,
    registry: Vec<RowEntry<'a>>,
    bcd: Vec<ElementEntry<'a>>,
    acl: Vec<AclEntry<'a>>,
}

#[derive(Serialize)]
struct RowEntry<'a> {
    hive: &'static str,
    key: String,
    value: &'a str,
    desired: &'a diskmend_repair::ValueData,
    create_if_missing: bool,
    can_be_fault: bool,
    why: &'a str,
}

#[derive(Serialize)]
struct ElementEntry<'a> {
    object: String,
    /// The id, such as `0x16000020`.
    element: String,
    name: String,
    /// In `bcdedit`'s notation; absent if the element should not exist.
    desired: Option<String>,
    create_object: bool,
    can_be_fault: bool,
    why: &'a str,
}

#[derive(Serialize)]
struct AclEntry<'a> {
    path: String,
    applies_to: String,
    /// The builds of Windows for which the row holds, first and last; absent for all builds.
    builds: Option<(u32, u32)>,
    /// What the row sets, as text; empty for a row that only checks.
    sets: Vec<String>,
    /// The rights that accounts must have; otherwise it is a fault.
    fault_unless: Vec<String>,
    /// The recipe that repairs the fault, if this recipe does not.
    repaired_by: Option<&'a str>,
    why: &'a str,
}

pub(super) fn run(args: &Args, console: &mut Console) -> Result<Exit, Failure> {
    let catalogue = args.files.catalogue()?;
    let recipes: Vec<&Recipe> = match &args.name {
        None => catalogue.iter().collect(),
        Some(name) => vec![find(&catalogue, name)?],
    };
    console.show(Exit::Done, |console| {
        if console.json() {
            let recipes = recipes.iter().map(|recipe| entry(recipe)).collect();
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

fn entry(recipe: &Recipe) -> RecipeEntry<'_> {
    RecipeEntry {
        name: &recipe.name,
        title: &recipe.title,
        summary: recipe.summary.trim(),
        sources: &recipe.sources,
        includes: &recipe.includes,
        file: match &recipe.origin {
            Origin::BuiltIn => None,
            Origin::File(file) => Some(file),
        },
        on_request: recipe.on_request,
        registry: recipe.registry.iter().map(row_entry).collect(),
        bcd: recipe.bcd.iter().map(element_entry).collect(),
        acl: recipe.acl.iter().map(acl_entry).collect(),
    }
}

fn row_entry(row: &RegistryRow) -> RowEntry<'_> {
    RowEntry {
        hive: row.hive.file_name(),
        key: row.key.to_string(),
        value: &row.value,
        desired: &row.desired,
        create_if_missing: row.if_missing == IfMissing::Create,
        can_be_fault: row.fault.is_some(),
        why: &row.why,
    }
}

fn element_entry(row: &BcdRow) -> ElementEntry<'_> {
    ElementEntry {
        object: row.object.to_string(),
        element: format!("0x{}", row.element),
        name: row.name(),
        desired: row.desired_words(),
        create_object: row.create_as.is_some(),
        can_be_fault: row.fault.is_some(),
        why: &row.why,
    }
}

fn acl_entry(row: &AclRow) -> AclEntry<'_> {
    let sets = match &row.desired {
        None => Vec::new(),
        Some(DesiredAcl::Parts(descriptor)) => {
            vec![descriptor.to_sddl(SddlParts::All).unwrap_or_default()]
        }
        Some(DesiredAcl::Grants(wanted)) => {
            let owner = wanted
                .owner
                .map(|owner| format!("owner {}", owner.display_name()));
            let grants = wanted.grants.iter().map(|grant| format!("allow {grant}"));
            owner.into_iter().chain(grants).collect()
        }
    };
    let blocked = row.fault.iter().flat_map(|fault| &fault.blocked);
    AclEntry {
        path: row.path.to_string(),
        applies_to: row.applies_to.to_string(),
        builds: row
            .builds
            .as_ref()
            .map(|builds| (*builds.start(), *builds.end())),
        sets,
        fault_unless: blocked.map(ToString::to_string).collect(),
        repaired_by: row.repaired_by.as_deref(),
        why: &row.why,
    }
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
    let mut key = None;
    for row in &recipe.registry {
        let place = format!("{}\\{}", row.hive, row.key);
        if key.as_ref() != Some(&place) {
            writeln!(out, "\n{}", Visible(&place))?;
            key = Some(place);
        }
        let missing = match row.if_missing {
            IfMissing::Create => "",
            IfMissing::Leave => " (if it exists)",
        };
        let value_type = row.desired.value_type;
        let (value, desired) = (row.value.as_str(), row.desired.to_string());
        let (value, desired) = (Visible(shown_value(value)), Visible(&desired));
        writeln!(out, "  {value} = {value_type} {desired}{missing}")?;
        let faint = style::FAINT;
        writeln!(out, "      {faint}{}{faint:#}", Visible(&row.why))?;
    }
    elements(out, &recipe.bcd)?;
    permissions(out, &recipe.acl)?;
    if recipe.on_request {
        writeln!(
            out,
            "\nRuns only if you name it: inspect and --auto skip it otherwise"
        )?;
    }
    writeln!(out, "\nSources")?;
    for source in &recipe.sources {
        writeln!(out, "  {}", Visible(source))?;
    }
    Ok(())
}

fn elements(out: &mut dyn io::Write, rows: &[BcdRow]) -> io::Result<()> {
    let mut object = None;
    for row in rows {
        if object != Some(row.object) {
            writeln!(out, "\nBoot store {}", Visible(&row.object.to_string()))?;
            object = Some(row.object);
        }
        let (name, desired) = (row.name(), row.desired_words());
        let name = Visible(&name);
        match &desired {
            Some(desired) => writeln!(out, "  {name} = {}", Visible(desired))?,
            None => writeln!(out, "  {name} is removed")?,
        }
        let faint = style::FAINT;
        writeln!(out, "      {faint}{}{faint:#}", Visible(&row.why))?;
    }
    Ok(())
}

fn permissions(out: &mut dyn io::Write, rows: &[AclRow]) -> io::Result<()> {
    let mut path = None;
    for row in rows {
        let entry = acl_entry(row);
        if path.as_ref() != Some(&entry.path) {
            writeln!(out, "\nPermissions of {}", Visible(&entry.path))?;
            path = Some(entry.path);
        }
        let builds = match entry.builds {
            None => String::new(),
            Some((first, u32::MAX)) => format!(" (from build {first} on)"),
            Some((0, last)) => format!(" (up to build {last})"),
            Some((first, last)) => format!(" (builds {first} to {last})"),
        };
        writeln!(out, "  {}{builds}", Visible(&entry.applies_to))?;
        for set in &entry.sets {
            writeln!(out, "      {}", Visible(set))?;
        }
        if !entry.fault_unless.is_empty() {
            let accounts = entry.fault_unless.join(", ");
            writeln!(
                out,
                "      a fault unless these have their rights: {}",
                Visible(&accounts)
            )?;
        }
        if let Some(recipe) = entry.repaired_by {
            writeln!(out, "      repaired by {}", Visible(recipe))?;
        }
        let faint = style::FAINT;
        writeln!(out, "      {faint}{}{faint:#}", Visible(entry.why))?;
    }
    Ok(())
}

fn shown_value(name: &str) -> &str {
    match name {
        "" => "(Default)",
        name => name,
    }
}
