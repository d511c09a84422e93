//! All recipes that can be used in one run, on one disk.

use std::path::PathBuf;

#[cfg(target_os = "linux")]
use super::super::{image, image_fixture::image_like};
#[cfg(target_os = "linux")]
use super::catalogue;
use super::kept::keep_hives;
use super::{groups, in_state, inspect, repair, same_content, site};
use crate::documents::{Outcome, RowState};
use crate::engine_tests::catalogue::cases;
use crate::engine_tests::diagnosis::disk::{Break, CONFIG, disk};
use crate::engine_tests::support::undo;
use crate::plan::Goal;

/// What is broken for these recipes. A certificate to which the listener is pinned stays although it
/// is expired, so nothing is pinned here.
fn breaks(group: &[&str]) -> Vec<Break> {
    let cases = cases::all().into_iter();
    let cases = cases.filter(|case| group.contains(&case.recipe) && case.recipe != "rdp-cert-pin");
    cases.flat_map(|case| case.breaks).collect()
}

#[test]
fn all_recipes_in_one_run_are_undone_to_the_byte() {
    for (index, group) in groups().iter().enumerate() {
        let pristine = disk(&breaks(group));
        let disk = pristine.fork();
        let report = repair(&site(&disk), group, Goal::Desired).expect("repair");
        assert_eq!(report.outcome, Outcome::Done, "{group:?}: {report:?}");
        let after = inspect(&site(&disk), group);
        let faults = in_state(&after, |state| state == RowState::Fault);
        assert!(faults.is_empty(), "{group:?}: {faults:?}");
        keep_hives(&format!("together-{index}"), &disk, &pristine);
        undo(&disk, None).expect("undo");
        same_content(&disk, &pristine, "undone");
    }
}

/// The same in the SYSTEM hives of real machines.
#[test]
fn all_recipes_in_one_run_on_real_hives_are_undone_to_the_byte() {
    let Some(corpus) = std::env::var_os("DISKMEND_CORPUS").map(PathBuf::from) else {
        println!("SKIPPED: DISKMEND_CORPUS names no folder of real hives");
        return;
    };
    let folders = std::fs::read_dir(corpus.join("hives")).expect("a folder of hives");
    let hives = folders.map(|folder| folder.expect("an entry").path().join("SYSTEM"));
    let hives: Vec<_> = hives.filter(|hive| hive.is_file()).collect();
    assert!(hives.len() > 1, "{hives:?}");
    for (index, group) in groups().iter().enumerate() {
        for (number, hive) in hives.iter().enumerate() {
            let what = format!("{}: {group:?}", hive.display());
            let pristine = disk(&breaks(group));
            let bytes = std::fs::read(hive).expect("readable");
            pristine.put(&format!("{CONFIG}/SYSTEM"), bytes);
            let disk = pristine.fork();
            let report = repair(&site(&disk), group, Goal::Desired);
            let report = report.unwrap_or_else(|error| panic!("{what}: {error}"));
            assert_eq!(
                report.outcome,
                Outcome::Done,
                "{what}: {:?}",
                report.skipped
            );
            keep_hives(&format!("real-{number}-{index}"), &disk, &pristine);
            undo(&disk, None).expect("undo");
            same_content(&disk, &pristine, &what);
        }
    }
}

/// As above, on an unmounted disk.
#[cfg(target_os = "linux")]
#[test]
fn all_recipes_in_one_run_on_an_image_are_undone_to_the_byte() {
    let mut groups = groups().to_vec();
    for group in &mut groups {
        // There, no folder is renamed.
        group.retain(|name| {
            let recipe = catalogue().get(name).expect("known");
            let mut files = recipe.rows.iter().filter_map(|row| row.about().files());
            !files.any(|row| row.is_folder())
        });
    }
    let group = groups.iter().max_by_key(|group| group.len());
    let group = group.expect("recipes");
    let Some(bytes) = image_like(&disk(&breaks(group))) else {
        return;
    };
    let pristine = image::with_image(bytes);
    let disk = pristine.fork();
    let at = |disk| image::whole_site(disk).expect("an image");
    let report = repair(&at(&disk), group, Goal::Desired).expect("repair");
    assert_eq!(report.outcome, Outcome::Done, "{report:?}");
    assert!(!report.files.is_empty(), "no file was moved");
    let after = inspect(&at(&disk), group);
    assert!(after.skipped.is_empty(), "{:?}", after.skipped);
    let faults = in_state(&after, |state| state == RowState::Fault);
    assert!(faults.is_empty(), "{faults:?}");
    let again = disk.fork();
    let report = repair(&at(&again), group, Goal::Desired).expect("again");
    // Nothing is known about the last good control set, so rows for servers have no place in it.
    assert!(report.run.is_none(), "{report:?}");
    image::undo(&disk).expect("undo");
    image::same_image(&disk, &pristine, "undone");
}
