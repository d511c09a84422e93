//! Each rule finds its cause on a disk made for it, healthy disks have none, and the page about the
//! diagnosis shows the results.

mod cases;
pub(super) mod disk;
pub(super) mod event_cases;
pub(super) mod healthy;
mod left_cases;
mod logon_cases;
mod machine_cases;
mod sources;

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use diskmend_disk::testing::FaultyDisk;

use super::boot_evidence;
use super::boot_sector;
use super::support::{site, with_watch};
use super::volume_evidence;
use crate::diagnose::diagnose_site;
use crate::diagnosis::Rules;
use crate::documents::DiagnoseReport;
use crate::facts::known_events;
use crate::place::HiveName;
use crate::plan::{Goal, plan_site};
use crate::recipe::Catalogue;
use crate::repair::repair_site;
use crate::site::{Options, Site};
use crate::value_data::ValueData;

/// The line before the generated part of the page.
const MARK: &str = "<!-- made by 'cargo xtask diagnosis-table' -->\n";

fn diagnose(disk: &FaultyDisk) -> DiagnoseReport {
    diagnose_at(&site(disk))
}

/// Diagnoses a site with all rules.
pub(super) fn diagnose_at(site: &Site) -> DiagnoseReport {
    static DATA: OnceLock<(Rules, Catalogue)> = OnceLock::new();
    let (rules, recipes) = DATA.get_or_init(|| {
        let rules = Rules::built_in().expect("valid");
        let recipes = Catalogue::built_in().expect("valid");
        rules.check_recipes(&recipes).expect("known recipes");
        (rules, recipes)
    });
    let diagnosed =
        with_watch(|watch| diagnose_site(site, rules, recipes, &Options::default(), watch));
    diagnosed.expect("a diagnosis")
}

/// A rule of the firewall that is switched off.
pub(super) fn closed_port() -> Vec<disk::Break> {
    let mut cases = cases::firewall().into_iter();
    let case = cases.find(|(name, _)| *name == "firewall-no-rule");
    case.expect("the case").1
}

pub(super) use disk::disk;

/// On the disk that is made for it, a cause is the most likely one. `DISKMEND_UPDATE=1` rewrites
/// the table in the page.
#[test]
fn every_cause_is_found_first_on_its_disk() {
    let rules = Rules::built_in().expect("valid");
    let known: BTreeSet<&str> = rules.iter().map(|rule| rule.name.as_str()).collect();
    let cases = cases::cases().into_iter();
    let cases = cases.map(|(name, disk)| (name, site(&disk)));
    let cases = cases.chain(boot_evidence::cases());
    let cases = cases.chain(boot_sector::cases());
    let cases: Vec<(&str, Site)> = cases.chain(volume_evidence::cases()).collect();
    let tested: BTreeSet<&str> = cases.iter().map(|(name, _)| *name).collect();
    let unknown: Vec<_> = tested.difference(&known).collect();
    assert!(unknown.is_empty(), "no rules: {unknown:?}");
    let untested: Vec<_> = known.difference(&tested).collect();
    assert!(untested.is_empty(), "rules without a disk: {untested:?}");
    let mut table = String::from(
        "| the disk is broken by | found first | certainty | score | repaired by | also found |\n\
         |---|---|---|---|---|---|\n",
    );
    let repairs = |name: &str| {
        let rule = rules.iter().find(|rule| rule.name == name);
        rule.is_some_and(|rule| !rule.recipes.is_empty())
    };
    let mut confused = Vec::new();
    for (name, site) in &cases {
        let found = diagnose_at(site);
        let others = found.causes.iter().skip(1);
        let others: Vec<_> = others.map(|cause| format!("`{}`", cause.name)).collect();
        match found.causes.first() {
            Some(first) => {
                let repair: Vec<_> = first
                    .repair
                    .iter()
                    .map(|name| format!("`{name}`"))
                    .collect();
                let _ = writeln!(
                    table,
                    "| `{name}` | `{}` | {} | {} | {} | {} |",
                    first.name,
                    first.certainty,
                    first.score,
                    repair.join(", "),
                    others.join(", ")
                );
                if repair.is_empty() && repairs(&first.name) {
                    confused.push(format!("{name}: its recipes would change nothing"));
                }
                if first.name != *name {
                    confused.push(format!("{name}: {} was found", first.name));
                }
            }
            None => confused.push(format!("{name}: nothing was found")),
        }
    }
    assert!(confused.is_empty(), "{confused:#?}");
    let _ = writeln!(table, "| nothing (the healthy server) | nothing | | | | |");
    compare_with_page(&table);
}

/// Each event that diskmend knows is evidence, or is one that a healthy Windows writes all the time.
#[test]
fn every_event_that_is_not_routine_is_evidence() {
    let rules = Rules::built_in().expect("valid");
    let used: BTreeSet<String> = rules
        .iter()
        .flat_map(|rule| rule.supporting.iter().chain(&rule.opposing))
        .map(|weighed| weighed.evidence.shown())
        .collect();
    let is_used = |log: &str, provider: &str, id: u32| {
        let place = format!(" of {provider} in the log {log}").to_lowercase();
        let ids = used.iter().filter_map(|shown| {
            let shown = shown.to_lowercase();
            let (ids, rest) = shown.strip_prefix("event ")?.split_once(&place)?;
            (rest.is_empty() || rest.starts_with(',')).then(|| ids.to_owned())
        });
        let mut ids = ids;
        ids.any(|ids| ids.split(" or ").any(|one| one == id.to_string()))
    };
    let unused: Vec<_> = known_events()
        .filter(|(log, provider, id, is_routine)| !is_routine && !is_used(log, provider, *id))
        .map(|(_, provider, id, _)| format!("{provider} {id}"))
        .collect();
    // A logon ends what counts, and the older name of a provider tells what its newer name tells.
    let exceptions = [
        "microsoft-windows-terminalservices-localsessionmanager 21",
        "bugcheck 1001",
    ];
    assert_eq!(unused, exceptions);
}

/// A cause that events tell is still told after the repair.
const TOLD_BY_EVENTS: [&str; 12] = [
    "profile-not-loaded",
    "crash-dump-not-written",
    "applocker",
    "ntlm-refused",
    "ports-exhausted",
    "stop-csagent",
    "stop-verifier",
    "update-transaction-log",
    "registry-pol-damaged",
    "remote-desktop-service-fails",
    "tls-no-agreement",
    "remote-desktop-private-key",
];

/// The recipes that a rule names repair what it is about.
#[test]
fn the_recipes_of_a_rule_remove_its_cause() {
    let rules = Rules::built_in().expect("valid");
    let catalogue = Catalogue::built_in().expect("valid");
    let mut left = Vec::new();
    let mut tried = 0;
    for (name, disk) in cases::cases() {
        let rule = rules.iter().find(|rule| rule.name == name).expect(name);
        if rule.recipes.is_empty() || TOLD_BY_EVENTS.contains(&name) {
            continue;
        }
        tried += 1;
        let recipes = catalogue.select_to_repair(&rule.recipes).expect(name);
        let options = Options::default();
        let repaired = with_watch(|watch| {
            let plan = plan_site(&site(&disk), &recipes, Goal::Desired, &options, watch)?;
            repair_site(&site(&disk), plan, &options, watch)
        });
        if let Err(error) = repaired {
            left.push(format!("{name}: {error}"));
            continue;
        }
        let found = diagnose(&disk);
        if found.causes.iter().any(|cause| cause.name == name) {
            left.push(format!("{name}: {:?} leave it", rule.recipes));
        }
    }
    assert!(left.is_empty(), "{left:#?}");
    assert!(tried > 20, "{tried} rules");
}

/// A driver in place of partmgr that doesn't exist: the list has a name too many, and one too few.
#[test]
fn a_filter_that_is_missing_and_one_that_is_not_listed_are_two_causes() {
    let class = r"Control\Class\{4d36e967-e325-11ce-bfc1-08002be10318}";
    let filters = ValueData::list(&["removed".to_owned()]);
    let found = diagnose(&disk(&cases::data(
        HiveName::System,
        class,
        "UpperFilters",
        filters,
    )));
    let causes: Vec<_> = found.causes.iter().map(|cause| &*cause.name).collect();
    assert_eq!(causes, ["class-filter-missing", "disk-filter-lost"]);
    assert!(found.causes[0].check.contains("Remove the name"));
    assert!(found.causes[1].check.contains("Add partmgr"));
}

fn compare_with_page(table: &str) {
    let page: PathBuf =
        Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/diagnosis-results.md");
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
        "docs/diagnosis-results.md does not show these results: run cargo xtask diagnosis-table"
    );
}
