//! Each kind of row on generated disks: what it finds, what `--auto` changes, what a named repair
//! changes, and that undo gives the old bytes back.

mod binding;
mod certificate;
mod driver;
mod firewall_rule;
mod list;
mod numbers;
mod profile;
mod registry;
mod registry_acl;
mod route;
mod select;
mod service;
mod values;

use diskmend_disk::testing::FaultyDisk;
use diskmend_hive::ValueType;

use super::evidence::{disk, number, text};
use super::support::{hives, same_hives, site, undo, with_watch};
use crate::documents::{PlanReport, RowState};
use crate::inspect::inspect_site;
use crate::plan::{Goal, plan_site};
use crate::recipe::{Catalogue, Recipe};
use crate::repair::repair_site;
use crate::site::Options;
use crate::value_data::ValueData;

/// A recipe with these rows.
fn recipe(rows: &str) -> Recipe {
    Recipe::parse("own.toml", &whole(rows)).unwrap_or_else(|error| panic!("{error}"))
}

fn whole(rows: &str) -> String {
    format!("schema = 1\nname = 'own'\ntitle = 't'\nsummary = 's'\nsources = ['x']\n{rows}")
}

/// Checks that rows are refused, with line and column (the first line of `rows` is 6).
fn refused(rows: &str, place: &str, say: &str) {
    let error = Recipe::parse("own.toml", &whole(rows)).expect_err(rows);
    let error = error.to_string();
    let place = format!("own.toml:{place}: ");
    assert!(
        error.contains(&place) && error.contains(say),
        "{rows}: {error}"
    );
}

/// A change: the key, the value, and the new data for display.
type Changes = Vec<(String, String, String)>;

/// The changes that recipes plan.
fn planned(disk: &FaultyDisk, recipes: &[&Recipe], goal: Goal) -> Changes {
    let options = Options::default();
    let plan = with_watch(|watch| plan_site(&site(disk), recipes, goal, &options, watch));
    let report = PlanReport::of(&plan.expect("a plan"));
    let changes = report.changes.into_iter().map(|change| {
        let new = change.value.new;
        let new = new.map_or("deleted".to_owned(), |new| new.to_string());
        (change.value.key, change.value.value, new)
    });
    changes.collect()
}

/// The states that `inspect` shows.
fn states(disk: &FaultyDisk, recipe: &Recipe) -> Vec<(String, RowState)> {
    let options = Options::default();
    let report = with_watch(|watch| inspect_site(&site(disk), &[recipe], &options, watch));
    let rows = report.expect("inspect").rows.into_iter();
    rows.map(|row| (format!(r"{}\{}", row.key, row.value), row.state))
        .collect()
}

/// Repairs by these recipes, checks that nothing is left to do, and undoes the run, which gives the
/// old bytes back. Returns the disk as it was after the repair.
fn repaired(disk: &FaultyDisk, recipes: &[&Recipe], goal: Goal) -> FaultyDisk {
    let options = Options::default();
    let work = disk.fork();
    let report = with_watch(|watch| {
        let plan = plan_site(&site(&work), recipes, goal, &options, watch)?;
        repair_site(&site(&work), plan, &options, watch)
    });
    report.expect("a repair");
    assert_ne!(hives(&work), hives(disk), "nothing was repaired");
    assert_eq!(planned(&work, recipes, goal), [], "something is left");
    let after = work.fork();
    undo(&work, None).expect("an undo");
    same_hives(&work, disk, "undo");
    after
}

/// A recipe that comes with diskmend, alone or with what it includes.
fn built_in<T>(name: &str, with: impl FnOnce(&[&Recipe]) -> T) -> T {
    let catalogue = Catalogue::built_in().expect("valid");
    with(&catalogue.select(&[name]).expect(name))
}

fn change(key: &str, value: &str, new: &str) -> (String, String, String) {
    (key.to_owned(), value.to_owned(), new.to_owned())
}
