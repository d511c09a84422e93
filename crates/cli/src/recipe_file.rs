//! Reading a recipe file of the user's.

use std::fs::File;
use std::io::Read as _;
use std::path::Path;

use diskmend_repair::recipe::Recipe;

use crate::exit::Exit;
use crate::failure::Failure;

/// Most bytes that are read; more than any recipe may have, so that a longer one is seen to be one.
const MAX_READ: u64 = 1 << 20;

/// Reads the recipe at `path`.
pub(crate) fn read(path: &Path) -> Result<Recipe, Failure> {
    let shown = path.display().to_string();
    let mut text = String::new();
    File::open(path)
        .and_then(|file| file.take(MAX_READ).read_to_string(&mut text))
        .map_err(|error| {
            Failure::of(Exit::Usage, &error).context(format_args!("recipe file {shown}"))
        })?;
    Ok(Recipe::parse(&shown, &text)?)
}
