//! Every recipe that comes with the program, on a disk made for it and on healthy disks.
//!
//! A new recipe needs a line in `cases`: what is broken, and what `inspect` says about it. The disk
//! is the healthy server of `diagnosis::disk` with these things broken.

mod cases;
mod comparison;
mod healthy;
mod kept;
mod repaired;
mod together;

pub(super) use cases::profile;

use std::collections::BTreeMap;
use std::sync::OnceLock;

use diskmend_disk::testing::FaultyDisk;

use super::boot_evidence::layout;
use super::diagnosis::disk::{Break, disk};
use super::support::{Files, with_watch};
use crate::documents::{InspectReport, PlanReport, RepairReport, RowState};
use crate::error::Error;
use crate::inspect::inspect_site;
use crate::plan::{Goal, plan_site};
use crate::recipe::{Catalogue, Recipe};
use crate::repair::repair_site;
use crate::site::{Options, Site};

/// A recipe, and a disk on which it has something to do.
pub(super) struct Case {
    /// The recipe.
    recipe: &'static str,
    /// What is broken.
    breaks: Vec<Break>,
    /// What `inspect` calls a fault: the ends of `HIVE\key\value`, `{object} element`, or the paths
    /// of folders.
    faults: &'static [&'static str],
    /// What differs or is missing without being a fault, in the same form.
    others: &'static [&'static str],
    /// What a repair leaves as it is, because the recipe only reports it.
    left: &'static [&'static str],
}

impl Case {
    /// A disk on which `inspect` finds these faults.
    fn broken(recipe: &'static str, breaks: Vec<Break>, faults: &'static [&'static str]) -> Self {
        Self {
            recipe,
            breaks,
            faults,
            others: &[],
            left: &[],
        }
    }

    /// A disk on which these things differ without being a fault.
    fn other(recipe: &'static str, breaks: Vec<Break>, others: &'static [&'static str]) -> Self {
        Self::broken(recipe, breaks, &[]).and(others)
    }

    /// These things differ, too.
    fn and(mut self, others: &'static [&'static str]) -> Self {
        self.others = others;
        self
    }

    fn disk(&self) -> FaultyDisk {
        disk(&self.breaks)
    }
}

/// What is broken on the first disk of a recipe.
pub(super) fn breaks_for(recipe: &str) -> Vec<Break> {
    let mut cases = cases::all().into_iter();
    let case = cases.find(|case| case.recipe == recipe);
    case.expect("a case of the recipe").breaks
}

fn catalogue() -> &'static Catalogue {
    static CATALOGUE: OnceLock<Catalogue> = OnceLock::new();
    CATALOGUE.get_or_init(|| Catalogue::built_in().expect("valid"))
}

/// All recipes with rows, in groups that can be used in one run.
fn groups() -> &'static [Vec<&'static str>] {
    static GROUPS: OnceLock<Vec<Vec<&str>>> = OnceLock::new();
    GROUPS.get_or_init(grouped)
}

fn grouped() -> Vec<Vec<&'static str>> {
    let mut groups: Vec<Vec<&str>> = Vec::new();
    for recipe in catalogue().iter().filter(|recipe| recipe.has_rows()) {
        let name = recipe.name.as_str();
        let fits = |group: &&mut Vec<&'static str>| {
            let with: Vec<&str> = group.iter().copied().chain([name]).collect();
            catalogue().select_to_repair(&with).is_ok()
        };
        match groups.iter_mut().find(fits) {
            Some(group) => group.push(name),
            None => groups.push(vec![name]),
        }
    }
    groups
}

/// The site of a disk in memory: the second partition of a disk with an MBR.
fn site(disk: &FaultyDisk) -> Site {
    Site {
        layout: Some(layout()),
        ..super::support::site(disk)
    }
}

fn options() -> Options {
    Options {
        check: false,
        ..Options::default()
    }
}

fn inspect(site: &Site, names: &[&str]) -> InspectReport {
    let recipes = catalogue().select(names).expect("known");
    let found = with_watch(|watch| inspect_site(site, &recipes, &options(), watch));
    found.unwrap_or_else(|error| panic!("{names:?}: {error}"))
}

fn plan(site: &Site, names: &[&str], goal: Goal) -> Result<PlanReport, Error> {
    let recipes: Vec<&Recipe> = catalogue().select_to_repair(names).expect("known");
    let planned = with_watch(|watch| plan_site(site, &recipes, goal, &options(), watch))?;
    Ok(PlanReport::of(&planned))
}

fn repair(site: &Site, names: &[&str], goal: Goal) -> Result<RepairReport, Error> {
    let recipes: Vec<&Recipe> = catalogue().select_to_repair(names).expect("known");
    with_watch(|watch| {
        let planned = plan_site(site, &recipes, goal, &options(), watch)?;
        repair_site(site, planned, &options(), watch)
    })
}

/// The things that an inspection found in this state.
fn in_state(report: &InspectReport, is_wanted: impl Fn(RowState) -> bool) -> Vec<String> {
    let rows = report.rows.iter().filter(|row| is_wanted(row.state));
    let rows = rows.map(|row| format!(r"{}\{}\{}", row.hive, row.key, row.value));
    let elements = report.elements.iter().filter(|row| is_wanted(row.state));
    let elements = elements.map(|row| {
        let object = row.element.object_name.split(" (").next();
        format!("{} {}", object.unwrap_or_default(), row.element.name)
    });
    let acls = report.acls.iter().flat_map(|acl| &acl.groups);
    let acls = acls.filter(|group| is_wanted(group.state));
    let acls = acls.flat_map(|group| group.examples.clone());
    let files = report.files.iter().filter(|row| is_wanted(row.state));
    let files = files.map(|row| row.path.clone());
    rows.chain(elements).chain(files).chain(acls).collect()
}

/// Checks that the things found end in the expected ones, each in another.
#[track_caller]
fn same_things(found: &[String], expected: &[&str], what: &str) {
    let is_end = |found: &String, end: &&str| found == end || found.ends_with(&format!(r"\{end}"));
    let mut left: Vec<&&str> = expected.iter().collect();
    let mut unexpected = Vec::new();
    for one in found {
        match left.iter().position(|end| is_end(one, end)) {
            Some(at) => drop(left.remove(at)),
            None => unexpected.push(one),
        }
    }
    assert!(
        left.is_empty() && unexpected.is_empty(),
        "{what}: found {unexpected:#?}, expected {left:#?}"
    );
}

/// The files and descriptors of a disk, except for those of the engine itself.
fn content(disk: &FaultyDisk) -> (Files, BTreeMap<String, Vec<u8>>) {
    let mut files = disk.files();
    files.retain(|path, _| !path.starts_with("diskmend/"));
    let mut descriptors = disk.descriptors();
    descriptors.retain(|path, _| !path.starts_with("diskmend"));
    (files, descriptors)
}

#[track_caller]
fn same_content(one: &FaultyDisk, other: &FaultyDisk, what: &str) {
    let ((files, descriptors), (others, other_descriptors)) = (content(one), content(other));
    let differ = super::support::differing(&files, &others);
    assert!(differ.is_empty(), "{what}: {differ:?} differ");
    assert!(descriptors == other_descriptors, "{what}: descriptors");
}
