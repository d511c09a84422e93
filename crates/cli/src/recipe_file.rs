//! The user's own recipes, in files.

use std::fs::File;
use std::io::Read as _;
use std::path::{Path, PathBuf};

use diskmend_repair::recipe::{Catalogue, Recipe};

use crate::exit::Exit;
use crate::failure::Failure;
use crate::output::console;

/// The largest number of bytes to read. It exceeds the limit for a recipe, so that a recipe that is
/// too long is recognized.
const MAX_READ: u64 = 1 << 20;

/// The user's own recipes.
#[derive(Debug, clap::Args)]
pub(crate) struct RecipeFiles {
    /// Also load the recipe in this file, under the name in the file; may be repeated. 'inspect',
    /// 'plan' and 'repair' use exactly the recipes of these files if you name no recipe
    #[arg(id = "recipe_files", long = "recipe", value_name = "FILE")]
    files: Vec<PathBuf>,
}

impl RecipeFiles {
    /// All recipes that the user can name.
    pub(crate) fn load(&self) -> Result<Recipes, Failure> {
        let mut catalogue = Catalogue::built_in()?;
        let mut own = Vec::new();
        for path in &self.files {
            let recipe = read(path)?;
            own.push(recipe.name.clone());
            catalogue.add(recipe)?;
        }
        Ok(Recipes { catalogue, own })
    }
}

/// All recipes that the user can name.
pub(crate) struct Recipes {
    pub(crate) catalogue: Catalogue,
    /// The names of the recipes in the user's own files.
    own: Vec<String>,
}

impl Recipes {
    /// The names of the recipes to use if the user has named these, as [`names`](Self::names) says.
    /// A word such as `port=33890` is no name: it gives a value to a parameter of the recipe before
    /// it, or of all recipes if none is named.
    pub(crate) fn choose(&mut self, words: &[String]) -> Result<Vec<String>, Failure> {
        let mut named: Vec<String> = Vec::new();
        let mut given = Vec::new();
        for word in words {
            match word.split_once('=') {
                None => named.push(word.clone()),
                Some((name, value)) => given.push((named.last().cloned(), name, value)),
            }
        }
        let names: Vec<String> = self.names(&named).into_iter().map(str::to_owned).collect();
        for (recipe, name, value) in given {
            match (recipe, self.own.as_slice()) {
                (Some(recipe), _) => self.catalogue.set_parameter(&recipe, name, value)?,
                (None, [own]) if named.is_empty() => {
                    let own = own.clone();
                    self.catalogue.set_parameter(&own, name, value)?;
                }
                (None, _) => {
                    let message = format!("{name}={value}: it follows no recipe");
                    let hint = "write it after the name of the recipe that it is for";
                    return Err(Failure::new(Exit::Usage, message).hint(hint));
                }
            }
        }
        Ok(names)
    }

    /// The names of the recipes to use if the user has named these. If the user has named none:
    /// those of the user's own files, and if there are no such files, the default.
    pub(crate) fn names<'a>(&'a self, named: &'a [String]) -> Vec<&'a str> {
        let names = match (named, self.own.as_slice()) {
            ([], []) => return self.catalogue.by_default(),
            ([], own) => own,
            (named, _) => named,
        };
        names.iter().map(String::as_str).collect()
    }

    /// Says which recipes of the user's own files are not among those that are used.
    pub(crate) fn tell_unused(&self, used: &[&Recipe]) {
        for name in &self.own {
            let has_rows = self.catalogue.get(name).is_some_and(Recipe::has_rows);
            if has_rows && used.iter().all(|recipe| recipe.name != *name) {
                console::note(format_args!(
                    "recipe {name} is not used: to use it, name it too, or name no recipe"
                ));
            }
        }
    }
}

/// Reads the recipe at `path`.
fn read(path: &Path) -> Result<Recipe, Failure> {
    let (shown, text) = text(path)?;
    Ok(Recipe::parse(&shown, &text)?)
}

/// The text of the file at `path`, and its name for display.
pub(crate) fn text(path: &Path) -> Result<(String, String), Failure> {
    let shown = path.display().to_string();
    let mut text = String::new();
    File::open(path)
        .and_then(|file| file.take(MAX_READ).read_to_string(&mut text))
        .map_err(|error| {
            Failure::of(Exit::Usage, &error).context(format_args!("recipe file {shown}"))
        })?;
    Ok((shown, text))
}
