//! The examples in the documentation.

use std::fs;
use std::path::{Path, PathBuf};

use diskmend_repair::recipe::{Catalogue, Recipe};

/// The pages that teach how recipes are written: the overview, then a page for each kind of row.
fn pages() -> Vec<PathBuf> {
    let docs = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs");
    let entries = fs::read_dir(docs.join("recipes")).expect("a folder");
    let mut pages: Vec<PathBuf> = entries
        .map(|entry| entry.expect("readable").path())
        .collect();
    pages.retain(|page| page.extension().is_some_and(|end| end == "md"));
    pages.sort();
    pages.insert(0, docs.join("recipes.md"));
    pages
}

/// The examples of a page that are whole recipes, or rows of one.
fn examples(page: &str) -> Vec<&str> {
    let blocks = page.split("```toml\n").skip(1);
    let blocks = blocks.map(|block| block.split_once("```").expect("the end of the block").0);
    blocks
        .filter(|example| is_whole(example) || example.starts_with('['))
        .collect()
}

fn is_whole(example: &str) -> bool {
    let mut lines = example.lines();
    lines.any(|line| line == "schema = 1")
}

#[test]
fn the_recipes_of_the_documentation_are_valid() {
    let mut catalogue = Catalogue::built_in().expect("valid");
    let mut names = Vec::new();
    for path in pages() {
        let page = fs::read_to_string(&path).expect("UTF-8");
        let shown = path.display().to_string();
        let examples = examples(&page);
        assert!(!examples.is_empty(), "{shown} has no example");
        for (number, example) in examples.into_iter().enumerate() {
            let text = if is_whole(example) {
                example.to_owned()
            } else {
                format!(
                    "schema = 1\nname = 'rows'\ntitle = 't'\nsummary = 's'\n\
                     sources = ['https://example.org']\n{example}"
                )
            };
            let recipe = Recipe::parse(&shown, &text)
                .unwrap_or_else(|error| panic!("example {number}: {error}\n{text}"));
            if is_whole(example) {
                names.push(recipe.name.clone());
                catalogue.add(recipe).expect("a new name");
            }
        }
    }
    for name in &names {
        catalogue.select(&[name]).expect("consistent");
    }
}
