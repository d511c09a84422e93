//! A plan that was reviewed is carried out as a whole or not at all.

use super::boot_fixture::{BIOS, bios};
use super::boot_support::{ALL, content, disk};
use super::support::{FaultyHive as _, differing, site, with_watch};
use crate::error::{Error, Refusal};
use crate::plan::{Goal, plan_site};
use crate::recipe::Catalogue;
use crate::repair::repair_site;
use crate::site::Options;

/// The hive changes after the saved plan was compared, and before it is written.
#[test]
fn a_change_after_the_comparison_stops_all_of_an_exact_plan() {
    let catalogue = Catalogue::built_in().expect("valid");
    let recipes = catalogue.select(&ALL).expect("known");
    let options = Options::default();
    for exact in [false, true] {
        let disk = disk(&[(BIOS, bios().bytes())]);
        let site = site(&disk);
        let plan = with_watch(|watch| plan_site(&site, &recipes, Goal::Desired, &options, watch));
        let mut plan = plan.expect("a plan");
        plan.exact = exact;
        disk.set_all(&[("Other", "Value", 1)]);
        let before = content(&disk);
        let result = with_watch(|watch| repair_site(&site, plan, &options, watch));
        let changed = differing(&before, &content(&disk));
        if exact {
            let refusal = matches!(result, Err(Error::Refused(Refusal::Changed { .. })));
            assert!(refusal && changed.is_empty(), "{changed:?}");
        } else {
            // An ordinary repair makes what it still can.
            assert!(
                result.is_ok() && changed.contains(&BIOS.to_owned()),
                "{changed:?}"
            );
        }
    }
}
