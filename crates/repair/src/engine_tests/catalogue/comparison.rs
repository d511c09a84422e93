//! The page that compares the catalogue with other tools names each recipe, and none that doesn't
//! exist.

use std::collections::BTreeSet;
use std::path::Path;

use super::catalogue;

/// The beginning of the part with a table of troubles.
const TABLE: &str = "\n## Row by row\n";

/// What is written between backticks.
fn quoted(text: &str) -> impl Iterator<Item = &str> {
    text.split('`').skip(1).step_by(2)
}

#[test]
fn the_comparison_names_every_recipe() {
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/comparison.md");
    let page = std::fs::read_to_string(page).expect("the page");
    let page = page.replace("\r\n", "\n");
    let (_, part) = page.split_once(TABLE).expect("the table");
    let part = part.split("\n## ").next().unwrap_or(part);
    let known: BTreeSet<&str> = catalogue().iter().map(|recipe| &*recipe.name).collect();

    let named: BTreeSet<&str> = quoted(part).collect();
    let unnamed: Vec<_> = known.difference(&named).collect();
    assert!(
        unnamed.is_empty(),
        "docs/comparison.md lacks these recipes: {unnamed:?}"
    );

    // The second column, without the heading and the line below it.
    let rows = part.lines().filter(|line| line.starts_with("| "));
    let rows: Vec<&str> = rows.skip(1).collect();
    assert!(rows.len() > 20, "{} rows", rows.len());
    let own = rows.iter().filter_map(|row| row.split(" | ").nth(1));
    let own = own.flat_map(quoted).filter(|name| !name.contains(' '));
    let unknown: Vec<_> = own.filter(|name| !known.contains(name)).collect();
    assert!(
        unknown.is_empty(),
        "docs/comparison.md names what is no recipe: {unknown:?}"
    );
}
