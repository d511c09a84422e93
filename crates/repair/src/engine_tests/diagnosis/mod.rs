//! Each rule finds its cause on a disk made for it, healthy disks have none, and the page about the
//! diagnosis shows the results.

mod cases;
mod disk;
mod healthy;

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use diskmend_disk::testing::FaultyDisk;

use super::support::{site, with_watch};
use crate::diagnose::diagnose_site;
use crate::diagnosis::Rules;
use crate::documents::DiagnoseReport;
use crate::recipe::Catalogue;
use crate::site::Options;

/// The line before the generated part of the page.
const MARK: &str = "<!-- made by 'cargo xtask diagnosis-table' -->\n";

fn diagnose(disk: &FaultyDisk) -> DiagnoseReport {
    static DATA: OnceLock<(Rules, Catalogue)> = OnceLock::new();
    let (rules, recipes) = DATA.get_or_init(|| {
        let rules = Rules::built_in().expect("valid");
        let recipes = Catalogue::built_in().expect("valid");
        rules.check_recipes(&recipes).expect("known recipes");
        (rules, recipes)
    });
    let diagnosed =
        with_watch(|watch| diagnose_site(&site(disk), rules, recipes, &Options::default(), watch));
    diagnosed.expect("a diagnosis")
}

/// On the disk that is made for it, a cause is the most likely one. `DISKMEND_UPDATE=1` rewrites
/// the table in the page.
#[test]
fn every_cause_is_found_first_on_its_disk() {
    let rules = Rules::built_in().expect("valid");
    let known: BTreeSet<&str> = rules.iter().map(|rule| rule.name.as_str()).collect();
    let cases = cases::cases();
    let tested: BTreeSet<&str> = cases.iter().map(|(name, _)| *name).collect();
    let unknown: Vec<_> = tested.difference(&known).collect();
    assert!(unknown.is_empty(), "no rules: {unknown:?}");
    let mut table = String::from(
        "| the disk is broken by | found first | certainty | score | also found |\n\
         |---|---|---|---|---|\n",
    );
    let mut confused = Vec::new();
    for (name, disk) in &cases {
        let found = diagnose(disk);
        let others = found.causes.iter().skip(1);
        let others: Vec<_> = others.map(|cause| format!("`{}`", cause.name)).collect();
        match found.causes.first() {
            Some(first) => {
                let _ = writeln!(
                    table,
                    "| `{name}` | `{}` | {} | {} | {} |",
                    first.name,
                    first.certainty,
                    first.score,
                    others.join(", ")
                );
                if first.name != *name {
                    confused.push(format!("{name}: {} was found", first.name));
                }
            }
            None => confused.push(format!("{name}: nothing was found")),
        }
    }
    assert!(confused.is_empty(), "{confused:#?}");
    let _ = writeln!(table, "| nothing (the healthy server) | nothing | | | |");
    for name in known.difference(&tested) {
        let _ = writeln!(table, "| (`{name}` has a test of its own) | | | | |");
    }
    compare_with_page(&table);
}

fn compare_with_page(table: &str) {
    let page: PathBuf = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/diagnosis.md");
    let text = std::fs::read_to_string(&page).expect("the page");
    let text = text.replace("\r\n", "\n");
    let (before, stored) = text.split_once(MARK).expect("the mark");
    if std::env::var_os("DISKMEND_UPDATE").is_some() {
        std::fs::write(&page, format!("{before}{MARK}\n{table}")).expect("a writable checkout");
        return;
    }
    assert_eq!(
        stored.trim(),
        table.trim(),
        "docs/diagnosis.md does not show these results: run cargo xtask diagnosis-table"
    );
}
