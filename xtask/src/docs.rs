//! Tests that hold for every page of the documentation.

use std::collections::HashSet;
use std::fs;
use std::path::{Path, PathBuf};

use crate::workspace;

/// The longest page that a person has to read as prose, in lines.
const LONGEST: usize = 300;
/// Pages in which people only look things up.
const REFERENCE: [&str; 2] = ["commands.md", "bcd-elements.md"];

fn pages_in(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).expect("a folder");
    let paths = entries.map(|entry| entry.expect("readable").path());
    paths
        .filter(|path| path.extension().is_some_and(|end| end == "md"))
        .collect()
}

fn pages() -> Vec<PathBuf> {
    let root = workspace::root().expect("a checkout");
    let folders = ["", "docs", "docs/recipes", "docs/runbooks"].map(|folder| root.join(folder));
    folders.iter().flat_map(|folder| pages_in(folder)).collect()
}

/// The anchors of the headings of a page.
fn anchors(page: &str) -> HashSet<String> {
    let headings = page.lines().filter(|line| line.starts_with('#'));
    let anchor = |line: &str| {
        let text = line.trim_start_matches('#').trim().to_lowercase();
        let kept = text
            .chars()
            .filter(|c| c.is_alphanumeric() || " -_".contains(*c));
        kept.map(|c| if c == ' ' { '-' } else { c }).collect()
    };
    headings.map(anchor).collect()
}

/// The targets of the links of a page, without links to other sites.
fn links(page: &str) -> Vec<&str> {
    let starts = page.match_indices("](").map(|(at, _)| at + 2);
    let links = starts.filter_map(|at| page.get(at..)?.split(')').next());
    links.filter(|link| !link.contains("://")).collect()
}

#[test]
fn every_link_leads_somewhere() {
    for path in pages() {
        let page = fs::read_to_string(&path).expect("UTF-8");
        for link in links(&page) {
            let (file, anchor) = link.split_once('#').unwrap_or((link, ""));
            let folder = path.parent().expect("a folder");
            let to = if file.is_empty() {
                path.clone()
            } else {
                folder.join(file)
            };
            let shown = path.display();
            assert!(to.exists(), "{shown}: {link} leads nowhere");
            if !anchor.is_empty() {
                let target = fs::read_to_string(&to).expect("UTF-8");
                assert!(
                    anchors(&target).contains(anchor),
                    "{shown}: {link}: no such heading"
                );
            }
        }
    }
}

#[test]
fn every_page_says_whom_it_is_for_is_listed_and_can_be_read() {
    let docs = workspace::root().expect("a checkout").join("docs");
    // The overview of recipes lists the pages about what is in them.
    let contents = ["README.md", "recipes.md"].map(|page| docs.join(page));
    let contents = contents
        .map(|page| fs::read_to_string(page).expect("UTF-8"))
        .concat();
    let kinds_of_row = pages_in(&docs.join("recipes"));
    for path in pages_in(&docs).into_iter().chain(kinds_of_row) {
        let name = path.strip_prefix(&docs).expect("below docs");
        let name = name.to_str().expect("UTF-8").replace('\\', "/");
        let page = fs::read_to_string(&path).expect("UTF-8");
        let first = page.lines().nth(2).unwrap_or_default();
        assert!(
            first.starts_with("This page is "),
            "{name} does not say whom it is for: {first:?}"
        );
        let is_listed = name == "README.md" || contents.contains(&format!("({name})"));
        assert!(is_listed, "no table of contents lists {name}");
        let lines = page.lines().count();
        assert!(
            lines <= LONGEST || REFERENCE.contains(&name.as_str()),
            "{name} has {lines} lines"
        );
    }
}
