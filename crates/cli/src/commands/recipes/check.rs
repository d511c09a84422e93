//! `diskmend recipes check`: says what is wrong in the files of recipes.

use std::path::PathBuf;

use diskmend_base::escape::Visible;
use diskmend_repair::recipe::{Catalogue, Recipe, RecipeError};
use serde::Serialize;

use crate::exit::Exit;
use crate::failure::Failure;
use crate::output::console::Console;
use crate::recipe_file;

/// Check files of recipes, without a disk
///
/// Each file is read as 'plan' and 'repair' read it, and its recipe is put together with those that
/// come with diskmend and those in the other files. The first mistake in each file is shown with
/// its line and column. The exit code is 2 if a file has one.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The files
    #[arg(value_name = "FILE", required = true)]
    files: Vec<PathBuf>,
}

#[derive(Serialize)]
struct Document {
    files: Vec<Checked>,
}

/// What was found in a file.
#[derive(Serialize)]
struct Checked {
    file: String,
    /// The name of its recipe; absent if it can't be read.
    recipe: Option<String>,
    /// What is wrong; absent if nothing is.
    mistake: Option<Mistake>,
}

#[derive(Serialize)]
struct Mistake {
    /// The line, from 1; absent if the mistake isn't in one place.
    line: Option<usize>,
    /// The column in characters, from 1.
    column: Option<usize>,
    message: String,
}

pub(super) fn run(args: &Args, console: &mut Console) -> Result<Exit, Failure> {
    let mut catalogue = Catalogue::built_in()?;
    let mut files = Vec::new();
    for path in &args.files {
        let (file, text) = recipe_file::text(path)?;
        let read = Recipe::parse(&file, &text).and_then(|recipe| {
            let name = recipe.name.clone();
            catalogue.add(recipe).map(|()| name)
        });
        let (recipe, mistake) = match read {
            Ok(name) => (Some(name), None),
            Err(error) => (None, Some(Mistake::from(error))),
        };
        files.push(Checked {
            file,
            recipe,
            mistake,
        });
    }
    // What a recipe includes may be in a file after it.
    for checked in &mut files {
        if let Some(name) = &checked.recipe {
            let selected = catalogue.select_to_repair(&[name]);
            checked.mistake = selected.err().map(Mistake::from);
        }
    }
    let exit = if files.iter().any(|checked| checked.mistake.is_some()) {
        Exit::Usage
    } else {
        Exit::Done
    };
    console.show(exit, |console| {
        if console.json() {
            return console.document(&Document { files });
        }
        let out = console.out();
        for checked in &files {
            let file = Visible(&checked.file);
            match (&checked.mistake, &checked.recipe) {
                (Some(mistake), _) => {
                    write!(out, "{file}")?;
                    for number in [mistake.line, mistake.column].into_iter().flatten() {
                        write!(out, ":{number}")?;
                    }
                    writeln!(out, ": {}", Visible(&mistake.message))?;
                }
                (None, name) => {
                    let name = name.as_deref().unwrap_or("");
                    writeln!(out, "{file}: recipe {} has no mistake", Visible(name))?;
                }
            }
        }
        Ok(())
    })
}

impl From<RecipeError> for Mistake {
    fn from(error: RecipeError) -> Self {
        match error {
            RecipeError::Syntax {
                line,
                column,
                message,
                ..
            } => Self {
                line: Some(line),
                column: Some(column),
                message,
            },
            other => Self {
                line: None,
                column: None,
                message: other.to_string(),
            },
        }
    }
}
