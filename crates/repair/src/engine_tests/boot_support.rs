//! Shared by the tests of the boot store: disks, repairs of them, and their content afterwards.

use diskmend_bcd::{ElementId, ElementValue, Guid, well_known};
use diskmend_disk::testing::FaultyDisk;

use super::boot_fixture::element;
use super::support::{Files, differing, site, volume, with_watch};
use crate::documents::{InspectReport, PlanReport, RepairReport};
use crate::error::Error;
use crate::inspect::inspect_site;
use crate::plan::{Goal, plan_site};
use crate::recipe::Catalogue;
use crate::repair::repair_site;
use crate::site::{Options, Site};

pub(super) const ALL: [&str; 4] = ["tls", "nla", "crash-dump", "serial-console"];
pub(super) const CONSOLE: [&str; 1] = ["serial-console"];
pub(super) const YES: Option<ElementValue> = Some(ElementValue::Boolean(true));

/// A volume with a SYSTEM hive and these boot stores.
pub(super) fn disk(stores: &[(&str, Vec<u8>)]) -> FaultyDisk {
    let disk = volume("system-001-002");
    for (path, bytes) in stores {
        disk.put(path, bytes.clone());
    }
    disk
}

pub(super) fn repair_at(
    site: &Site,
    names: &[&str],
    goal: Goal,
    options: &Options,
) -> Result<(PlanReport, RepairReport), Error> {
    let catalogue = Catalogue::built_in().expect("valid");
    let recipes = catalogue.select(names).expect("known");
    with_watch(|watch| {
        let plan = plan_site(site, &recipes, goal, options, watch)?;
        let planned = PlanReport::of(&plan);
        Ok((planned, repair_site(site, plan, options, watch)?))
    })
}

pub(super) fn repair(disk: &FaultyDisk, names: &[&str]) -> Result<RepairReport, Error> {
    let done = repair_at(&site(disk), names, Goal::Desired, &Options::default())?;
    Ok(done.1)
}

pub(super) fn unchecked() -> Options {
    Options {
        check: false,
        ..Options::default()
    }
}

pub(super) fn repair_unchecked(disk: &FaultyDisk, names: &[&str]) -> Result<RepairReport, Error> {
    Ok(repair_at(&site(disk), names, Goal::Desired, &unchecked())?.1)
}

pub(super) fn inspect(disk: &FaultyDisk, names: &[&str]) -> InspectReport {
    let catalogue = Catalogue::built_in().expect("valid");
    let recipes = catalogue.select(names).expect("known");
    let options = Options::default();
    with_watch(|watch| inspect_site(&site(disk), &recipes, &options, watch)).expect("inspect")
}

/// All files except for those of the engine itself.
pub(super) fn content(disk: &FaultyDisk) -> Files {
    let mut files = disk.files();
    files.retain(|path, _| !path.starts_with("diskmend/"));
    files
}

pub(super) fn same(disk: &FaultyDisk, other: &FaultyDisk, what: &str) {
    assert_eq!(
        differing(&content(disk), &content(other)),
        [""; 0],
        "{what}"
    );
}

pub(super) fn has_console(disk: &FaultyDisk, path: &str, loader: Guid) {
    let get = |object, id| element(disk, path, object, id);
    let number = |number| Some(ElementValue::Integer(number));
    assert_eq!(get(well_known::BOOTMGR, ElementId::DISPLAY_BOOT_MENU), YES);
    assert_eq!(get(well_known::BOOTMGR, ElementId::TIMEOUT), number(5));
    assert_eq!(get(well_known::BOOTMGR, ElementId::BOOT_EMS), YES);
    assert_eq!(get(loader, ElementId::EMS), YES);
    let settings = well_known::EMSSETTINGS;
    assert_eq!(get(settings, ElementId::EMS_PORT), number(1));
    assert_eq!(get(settings, ElementId::EMS_BAUD_RATE), number(115_200));
}
