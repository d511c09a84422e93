//! All recipes that can be used in one run, on one disk.

use std::path::{Path, PathBuf};

use diskmend_disk::Target;

#[cfg(target_os = "linux")]
use super::super::{image, image_fixture::image_like};
use super::healthy::files_below;
use super::kept::keep_hives;
use super::{catalogue, groups, in_state, inspect, options, repair, same_content, site};
use crate::documents::{Outcome, RowState};
use crate::engine::Engine;
use crate::engine_tests::catalogue::cases;
use crate::engine_tests::diagnosis::disk::{Break, CONFIG, disk};
use crate::engine_tests::support::{Files, differing, undo, with_watch};
use crate::plan::Goal;
use crate::site::Options;
use crate::trust::{Key, Keys};

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

/// The files of a folder of the system, except for those of the engine itself.
fn files_of(root: &Path) -> Files {
    let files = files_below(root).into_iter().map(|file| {
        let path = file.strip_prefix(root).expect("below the root");
        let path = path.to_string_lossy().replace('\\', "/");
        (path, std::fs::read(&file).expect("readable"))
    });
    files
        .filter(|(path, _)| !path.starts_with("diskmend/"))
        .collect()
}

/// The same in a folder of the system, as on a mounted drive.
#[test]
fn all_recipes_in_one_run_in_a_folder_are_undone_to_the_byte() {
    for group in groups() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        for (path, bytes) in disk(&breaks(group)).files() {
            let path = folder.path().join(path);
            std::fs::create_dir_all(path.parent().expect("a folder")).expect("folders");
            std::fs::write(path, bytes).expect("a file");
        }
        let before = files_of(folder.path());
        let options = Options {
            keys: Keys::own(Key::from_bytes([5; 32])),
            ..options()
        };
        let target = Target::open(folder.path()).expect("a folder");
        let mut engine = Engine::open(target, options).expect("an engine");
        let recipes = catalogue().select_to_repair(group).expect("known");
        let plan = with_watch(|watch| engine.plan(&recipes, Goal::Desired, watch)).expect("a plan");
        let report = match with_watch(|watch| plan.apply(watch)) {
            Err(error) if cfg!(windows) && format!("{error:?}").contains("flush the volume") => {
                println!("SKIPPED: Wine can't flush a volume, as after a change of permissions");
                continue;
            }
            report => report.expect("a repair"),
        };
        assert_ne!(report.outcome, Outcome::NothingToDo, "{group:?}");
        let changed = files_of(folder.path());
        assert!(changed != before, "{group:?}");
        with_watch(|watch| engine.undo(None, watch)).expect("undo");
        let undone = files_of(folder.path());
        let differ = differing(&undone, &before);
        assert!(differ.is_empty(), "{group:?}: {differ:?} differ");
    }
}

/// The folder of the local group policy.
#[cfg(target_os = "linux")]
const POLICY: &str = "Windows/System32/GroupPolicy";

/// As above, on an unmounted disk.
#[cfg(target_os = "linux")]
#[test]
fn all_recipes_in_one_run_on_an_image_are_undone_to_the_byte() {
    let groups = groups();
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
    let has_policy = report.files.iter().any(|file| file.path == POLICY);
    assert!(has_policy, "{:?}", report.files);
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
