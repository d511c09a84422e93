//! The user's own recipes, in files.

use std::fs::File;
use std::io::Read as _;
use std::path::{Path, PathBuf};

use diskmend_repair::recipe::{Catalogue, Recipe};

use crate::exit::Exit;
use crate::failure::Failure;

/// The largest number of bytes to read. It exceeds the limit for a recipe, so that a recipe that is
/// too long is recognized.
const MAX_READ: u64 = 1 << 20;

/// The user's own recipes.
#[derive(Debug, clap::Args)]
pub(crate) struct RecipeFiles {
    /// Also load the recipe in this file, under the name in the file; may be repeated
    #[arg(long = "recipe", value_name = "FILE")]
    files: Vec<PathBuf>,
}

impl RecipeFiles {
    /// All recipes that the user can name.
    pub(crate) fn catalogue(&self) -> Result<Catalogue, Failure> {
        let mut catalogue = Catalogue::built_in()?;
        for path in &self.files {
            catalogue.add(read(path)?)?;
        }
        Ok(catalogue)
    }
}

/// Reads the recipe at `path`.
fn read(path: &Path) -> Result<Recipe, Failure> {
    let shown = path.display().to_string();
    let mut text = String::new();
    File::open(path)
        .and_then(|file| file.take(MAX_READ).read_to_string(&mut text))
        .map_err(|error| {
            Failure::of(Exit::Usage, &error).context(format_args!("recipe file {shown}"))
        })?;
    Ok(Recipe::parse(&shown, &text)?)
}
