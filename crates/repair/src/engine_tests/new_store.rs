//! A boot store that is built anew: what it says, when it is refused, and what happens if the process
//! is killed.

use diskmend_bcd::loader;
use diskmend_bcd::{Device, ElementId, ElementValue, Store, Target, well_known::BOOTMGR};
use diskmend_disk::testing::{Fault, FaultyDisk, Loss};
use diskmend_disk::{DiskLayout, PartitionId};
use diskmend_hive::{Hive, Opened};

use super::boot_evidence::layout;
use super::boot_fixture::{BIOS, EFI, efi};
use super::diagnosis::diagnose_at;
use super::diagnosis::disk::{Break, disk};
use super::siblings::{Volume, beside, open, volume};
use super::support::{differing, is_unfinished, one_in, undo, with_watch};
use crate::documents::{
    InspectReport, Method, Outcome, PlanReport, RepairReport, RowState, SkippedHint,
};
use crate::error::{Class, Error, Refusal, chain};
use crate::inspect::inspect_site;
use crate::plan::{Goal, plan_site};
use crate::recipe::Catalogue;
use crate::repair::repair_site;
use crate::site::{Options, Site};
use crate::undo::undo_site;

const MANAGER: &str = "EFI/Microsoft/Boot/bootmgfw.efi";
const ESP: &str = "partition 1";

fn repair(site: &Site) -> Result<RepairReport, Error> {
    repair_with(site, &["bcd-rebuild"], &Options::default())
}

fn repair_with(site: &Site, names: &[&str], options: &Options) -> Result<RepairReport, Error> {
    let catalogue = Catalogue::built_in().expect("valid");
    let recipes = catalogue.select_to_repair(names).expect("known");
    with_watch(|watch| {
        let plan = plan_site(site, &recipes, Goal::Desired, options, watch)?;
        repair_site(site, plan, options, watch)
    })
}

fn inspect(site: &Site, names: &[&str]) -> InspectReport {
    let catalogue = Catalogue::built_in().expect("valid");
    let recipes = catalogue.select(names).expect("known");
    let options = Options::default();
    with_watch(|watch| inspect_site(site, &recipes, &options, watch)).expect("readable")
}

/// The target with these other volumes, on a disk with a partition table.
fn with(target: &FaultyDisk, others: &[(&'static str, Volume)], layout: DiskLayout) -> Site {
    let mut site = beside(target, others);
    site.layout = Some(layout);
    site
}

/// A disk with a GPT: the EFI system partition, and Windows.
fn gpt() -> DiskLayout {
    let id = |number: u8| PartitionId::Gpt {
        disk: diskmend_bcd::Guid::new(9, 1, 1, [1; 8]),
        partition: diskmend_bcd::Guid::new(number.into(), 2, 2, [2; 8]),
    };
    DiskLayout {
        own: Some(id(2)),
        partitions: vec![(ESP.to_owned(), id(1)), ("partition 2".to_owned(), id(2))],
    }
}

/// The server without a store of its own.
fn without(more: &[&str]) -> FaultyDisk {
    let paths = ["Boot/BCD", "Boot/memtest.exe", "bootmgr"];
    let gone = paths.iter().chain(more);
    let gone: Vec<_> = gone.map(|path| Break::NoFile((*path).to_owned())).collect();
    disk(&gone)
}

/// An EFI system partition without a store, or with this one.
fn esp(store: Option<Vec<u8>>) -> FaultyDisk {
    let mut files = vec![(MANAGER, b"MZ".to_vec())];
    files.extend(store.map(|store| (EFI, store)));
    volume(&files)
}

fn read(bytes: Vec<u8>) -> Hive {
    match diskmend_hive::open(Box::new(bytes)) {
        Ok(Opened::Clean(hive)) => hive,
        _ => panic!("not a clean hive"),
    }
}

/// Nothing that recipes or rules know is wrong with the store.
#[track_caller]
fn is_right(site: &Site) {
    let all = [
        "bcd-rebuild",
        "bcd-device",
        "bcd-default",
        "bcd-loader-path",
        "safe-mode-off",
    ];
    let found = inspect(site, &all);
    assert!(found.skipped.is_empty(), "{:?}", found.skipped);
    let wrong = found
        .elements
        .iter()
        .filter(|row| row.state != RowState::Ok);
    assert_eq!(wrong.count(), 0, "{:#?}", found.elements);
    assert_eq!(found.elements.len(), 8, "{:#?}", found.elements);
    let causes = diagnose_at(site).causes;
    let causes: Vec<_> = causes.iter().map(|cause| &cause.name).collect();
    assert!(causes.is_empty(), "{causes:?}");
}

#[test]
fn a_store_for_efi_is_built_on_the_partition_that_the_firmware_starts() {
    for old in [None, Some(Vec::new()), Some(b"no hive".repeat(9000))] {
        let target = without(&["Windows/System32/winload.exe"]);
        let esp = esp(old.clone());
        esp.put(&format!("{EFI}.LOG1"), vec![7; 512]);
        let before = esp.files();
        let site = || with(&target, &[(ESP, open(&esp))], gpt());
        let report = repair(&site()).expect("built");
        assert_eq!(report.outcome, Outcome::Done, "{report:#?}");
        is_right(&site());

        let hive = read(esp.files()[EFI].clone());
        let store = Store::open(&hive).expect("a store");
        let device = |object, element| {
            let object = store.object(object).expect("readable").expect("there");
            match object.value(element).expect("readable").expect("there") {
                ElementValue::Device(data) => Device::decode(&data).expect("known").target,
                other => panic!("{other:?}"),
            }
        };
        let loaders = loader::loaders(&store).expect("readable");
        let [loader] = loaders.as_slice() else {
            panic!("{loaders:?}");
        };
        let partition = |target: Target| match target {
            Target::Partition(partition) => partition.to_string(),
            other => panic!("{other:?}"),
        };
        let (windows, of_store) = (
            "gpt disk {00000009-0001-0001-0101-010101010101} partition \
             {00000002-0002-0002-0202-020202020202}",
            "gpt disk {00000009-0001-0001-0101-010101010101} partition \
             {00000001-0002-0002-0202-020202020202}",
        );
        for (object, element, expected) in [
            (BOOTMGR, ElementId::APPLICATION_DEVICE, of_store),
            (loader.guid, ElementId::APPLICATION_DEVICE, windows),
            (loader.guid, ElementId::OS_DEVICE, windows),
        ] {
            assert_eq!(partition(device(object, element)), expected);
        }
        let path = loader.path.as_deref();
        assert_eq!(path, Some(r"\Windows\system32\winload.efi"));
        assert_eq!(
            loader.description.as_deref(),
            Some("Windows Server 2019 Datacenter")
        );

        // A second run has nothing to do.
        let operations = (target.operations(), esp.operations());
        let again = repair(&site()).expect("nothing to do");
        assert_eq!(again.outcome, Outcome::NothingToDo);
        assert_eq!((target.operations(), esp.operations()), operations);

        let options = Options::default();
        let undone = with_watch(|watch| undo_site(&mut site(), None, &options, watch));
        assert_eq!(undone.expect("undone").method, Method::Bytes);
        assert_eq!(differing(&before, &esp.files()), [""; 0]);
    }
}

/// Another row about the store has nothing to say while it is built anew, and is right afterwards.
#[test]
fn a_new_store_needs_no_other_recipe() {
    let target = disk(&[Break::File(BIOS.to_owned(), b"no hive".to_vec())]);
    let site = || with(&target, &[], layout());
    let names = ["bcd-rebuild", "bcd-device", "bcd-default", "tls"];
    let report = repair_with(&site(), &names, &Options::default()).expect("built");
    assert_eq!(report.outcome, Outcome::Done, "{report:#?}");
    is_right(&site());
}

/// The bundle for machines that don't start includes the recipe: it builds a lost store, but not with
/// `--auto`. If the place of the store isn't seen, a person is told what to mount.
#[test]
fn a_bundle_builds_a_lost_store_if_it_is_named() {
    let target = disk(&[Break::File(BIOS.to_owned(), b"no hive".to_vec())]);
    let site = || with(&target, &[], layout());
    let plan = |site: &Site, goal| {
        let catalogue = Catalogue::built_in().expect("valid");
        let recipes = catalogue.select_to_repair(&["boot-loop"]).expect("known");
        let options = Options::default();
        let plan = with_watch(|watch| plan_site(site, &recipes, goal, &options, watch));
        PlanReport::of(&plan.expect("planned"))
    };
    assert!(plan(&site(), Goal::Faults).changes.is_empty());
    let report = repair_with(&site(), &["boot-loop"], &Options::default()).expect("built");
    assert_eq!(report.outcome, Outcome::Done, "{report:#?}");
    is_right(&site());

    let elsewhere = with(&without(&[]), &[], layout());
    let planned = plan(&elsewhere, Goal::Desired);
    assert!(planned.changes.is_empty(), "{:#?}", planned.changes);
    let hints: Vec<_> = planned.skipped.iter().map(|one| one.hint).collect();
    assert_eq!(
        hints,
        [Some(SkippedHint::BootStore)],
        "{:?}",
        planned.skipped
    );
}

/// The language of the boot manager is the one of Windows, if it is known.
#[test]
fn the_boot_manager_speaks_the_language_of_windows() {
    for (number, expected) in [("0405", "cs-CZ"), ("0c0A", "es-ES"), ("ffff", "en-US")] {
        let text = crate::value_data::ValueData::text(diskmend_hive::ValueType::SZ, number);
        let target = disk(&[
            Break::NoFile(BIOS.to_owned()),
            Break::Data(
                crate::place::HiveName::System,
                r"ControlSet001\Control\Nls\Language".to_owned(),
                "InstallLanguage",
                text,
            ),
        ]);
        let found = inspect(&with(&target, &[], layout()), &["bcd-rebuild"]);
        let elements = found.elements.iter().map(|row| &row.element);
        let locales = elements.filter(|element| element.name == "locale");
        let locales: Vec<_> = locales
            .filter_map(|element| element.new.as_deref())
            .collect();
        assert_eq!(locales, [expected; 3], "{number}");
    }
}

/// What the refusal says, the target, the other volumes, and the partition table.
type Refused = (
    &'static str,
    FaultyDisk,
    Vec<(&'static str, Volume)>,
    Option<DiskLayout>,
);

#[test]
fn what_is_not_known_or_not_there_is_refused_before_anything_is_written() {
    let missing_store = || without(&[]);
    let both = || {
        let esp = esp(None);
        esp.put("bootmgr", b"MZ".to_vec());
        esp.put("Boot/x", b"MZ".to_vec());
        esp
    };
    let damaged = || disk(&[Break::File(BIOS.to_owned(), Vec::new())]);
    let cases: Vec<Refused> = vec![
        ("partition table", damaged(), vec![], None),
        (
            "winload.exe, is missing",
            disk(&[
                Break::File(BIOS.to_owned(), Vec::new()),
                Break::NoFile("Windows/System32/winload.exe".to_owned()),
            ]),
            vec![],
            Some(layout()),
        ),
        (
            "winload.efi, is missing",
            without(&["Windows/System32/winload.efi"]),
            vec![(ESP, open(&esp(None)))],
            Some(gpt()),
        ),
        (
            "bootmgr, is missing",
            disk(&[
                Break::File(BIOS.to_owned(), Vec::new()),
                Break::NoFile("bootmgr".to_owned()),
            ]),
            vec![],
            Some(layout()),
        ),
        ("no boot manager", missing_store(), vec![], Some(layout())),
        (
            "in which of these places",
            missing_store(),
            vec![(ESP, open(&both()))],
            Some(gpt()),
        ),
        (
            "which of several files",
            missing_store(),
            vec![
                (ESP, open(&esp(Some(Vec::new())))),
                ("partition 3", open(&esp(Some(Vec::new())))),
            ],
            Some(gpt()),
        ),
        (
            "denied",
            missing_store(),
            vec![(ESP, open(&esp(None))), ("partition 3", Volume::Denied)],
            Some(gpt()),
        ),
    ];
    for (say, target, others, layout) in cases {
        let mut site = beside(&target, &others);
        site.layout = layout;
        let before = target.files();
        let error = repair(&site).expect_err(say);
        assert_eq!(error.class(), Class::Refused, "{say}: {error}");
        let said = chain(&error);
        assert!(said.to_lowercase().contains(say), "{say}: {said}");
        assert_eq!(target.operations(), 0, "{say}");
        assert_eq!(differing(&before, &target.files()), [""; 0]);
    }
}

/// Without being asked for it, that no new store can be built is only told: most disks have their
/// store on a partition that can't be seen from a mount.
#[test]
fn that_no_store_can_be_built_hinders_nothing_else() {
    let target = without(&[]);
    let found = inspect(&beside(&target, &[]), &["bcd-rebuild", "bcd-device", "tls"]);
    assert!(found.skipped.is_empty(), "{:?}", found.skipped);
    let kinds: Vec<_> = found.notices.iter().map(|notice| notice.kind).collect();
    assert!(kinds.contains(&"no-new-store"), "{kinds:?}");
    assert!(kinds.contains(&"no-boot-store"), "{kinds:?}");
}

/// A store that can be read is left alone, whatever it says and whatever else is wrong.
#[test]
fn a_store_that_can_be_read_is_left_alone() {
    let own = disk(&[]);
    let other = esp(Some(efi().bytes()));
    for site in [
        with(&own, &[], layout()),
        with(&without(&[]), &[(ESP, open(&other))], gpt()),
        with(&own, &[(ESP, open(&esp(Some(Vec::new()))))], gpt()),
    ] {
        let report = repair(&site).expect("nothing to do");
        assert_eq!(report.outcome, Outcome::NothingToDo, "{report:#?}");
    }
    assert_eq!((own.operations(), other.operations()), (0, 0));
}

/// The plan is for the file that was there.
#[test]
fn a_store_that_has_changed_since_the_plan_is_not_replaced() {
    let target = disk(&[Break::File(BIOS.to_owned(), Vec::new())]);
    let site = with(&target, &[], layout());
    let catalogue = Catalogue::built_in().expect("valid");
    let recipes = catalogue.select_to_repair(&["bcd-rebuild"]).expect("known");
    let options = Options::default();
    let plan = with_watch(|watch| plan_site(&site, &recipes, Goal::Desired, &options, watch));
    let plan = plan.expect("a plan");
    target.put(BIOS, b"another".to_vec());
    let error = with_watch(|watch| repair_site(&site, plan, &options, watch));
    let error = error.expect_err("another file");
    assert!(
        matches!(error, Error::Refused(Refusal::Changed { .. })),
        "{error}"
    );
    assert_eq!(target.files()[BIOS], b"another");
}

/// The machine stops at any operation: the old file is there, or can be brought back.
#[test]
fn a_build_that_is_killed_anywhere_can_be_undone_or_repeated() {
    let unchecked = Options {
        check: false,
        ..Options::default()
    };
    let build = |disk: &FaultyDisk| {
        let site = with(disk, &[], layout());
        repair_with(&site, &["bcd-rebuild"], &unchecked)
    };
    for old in [None, Some(b"no hive".repeat(4000))] {
        let pristine = match old {
            None => disk(&[Break::NoFile(BIOS.to_owned())]),
            Some(bytes) => disk(&[Break::File(BIOS.to_owned(), bytes)]),
        };
        let store = |disk: &FaultyDisk| disk.files().get(BIOS).cloned();
        let counted = pristine.fork();
        build(&counted).expect("built");
        for at in one_in(3, counted.operations()) {
            for loss in [
                Loss::Nothing,
                Loss::Unflushed,
                Loss::Some(0x9e37_79b9_7f4a_7c15),
            ] {
                let what = format!("{:?} ({at}), {loss:?}", counted.log()[at]);
                let disk = pristine.fork();
                disk.fail_at(at, Fault::Kill);
                build(&disk).expect_err(&what);
                disk.restart(loss);
                if is_unfinished(&disk) {
                    undo(&disk, None).unwrap_or_else(|error| panic!("{what}: {error}"));
                    assert!(store(&disk) == store(&pristine), "{what}: another file");
                }
                build(&disk).unwrap_or_else(|error| panic!("{what}: {error}"));
                read(store(&disk).expect("a store"));
                undo(&disk, None).unwrap_or_else(|error| panic!("{what}: {error}"));
                assert!(store(&disk) == store(&pristine), "{what}: another file");
            }
        }
    }
}

/// After somebody has changed the new store, only its bytes could be undone, and they aren't.
#[test]
fn a_new_store_that_was_changed_is_not_undone_by_parts() {
    let target = disk(&[Break::NoFile(BIOS.to_owned())]);
    repair(&with(&target, &[], layout())).expect("built");
    let changed = efi().bytes();
    target.put(BIOS, changed.clone());
    let error = undo(&target, None).expect_err("changed since");
    assert!(matches!(error, Error::NotReversible { .. }), "{error}");
    assert_eq!(target.files()[BIOS], changed);
}

/// On unmounted disks, on FAT and on NTFS.
#[cfg(target_os = "linux")]
mod image {
    use super::super::image::{same_image, undo, whole_site, with_image};
    use super::super::image_fixture::{efi_image, image_like};
    use super::*;

    #[track_caller]
    fn builds(bytes: Vec<u8>, what: &str) {
        let pristine = with_image(bytes);
        let disk = pristine.fork();
        let report = repair(&whole_site(&disk).expect("an image"));
        let report = report.unwrap_or_else(|error| panic!("{what}: {}", chain(&error)));
        assert_eq!(report.outcome, Outcome::Done, "{what}: {report:#?}");
        let found = inspect(
            &whole_site(&disk).expect("an image"),
            &["bcd-device", "bcd-default", "bcd-loader-path"],
        );
        assert!(found.skipped.is_empty(), "{what}: {:?}", found.skipped);
        let wrong = found
            .elements
            .iter()
            .filter(|row| row.state != RowState::Ok);
        assert_eq!(wrong.count(), 0, "{what}: {:#?}", found.elements);
        undo(&disk).unwrap_or_else(|error| panic!("{what}: {error}"));
        same_image(&disk, &pristine, what);
    }

    #[test]
    fn a_store_is_built_on_an_efi_system_partition() {
        let Some(image) = efi_image("system-001-002") else {
            return;
        };
        let at = |name: &[u8]| image.windows(name.len()).position(|part| part == name);
        let entry = at(b"BCD        ").expect("the entry of the store");
        // The first byte of a deleted entry of a FAT folder.
        let mut deleted = image.clone();
        deleted[entry] = 0xe5;
        builds(deleted, "missing");
        let mut empty = image.clone();
        // The number of the first cluster, and the length.
        empty[entry + 26..entry + 32].fill(0);
        builds(empty, "empty");
        let mut damaged = image.clone();
        let hive = at(b"regf").map(|_| {
            let mut hives = image.windows(4).enumerate();
            hives.find(|(at, part)| *part == b"regf" && at % 512 == 0)
        });
        let (hive, _) = hive.flatten().expect("the store");
        damaged[hive..hive + 4].fill(0);
        builds(damaged, "damaged");
    }

    /// The fixture's boot partition has a store, which is looked for only if the target has none.
    #[test]
    fn a_store_is_built_on_an_ntfs_volume() {
        for (what, broken) in [
            ("empty", Break::File(BIOS.to_owned(), Vec::new())),
            (
                "damaged",
                Break::File(BIOS.to_owned(), b"no hive".repeat(4000)),
            ),
        ] {
            let Some(image) = image_like(&disk(&[broken])) else {
                return;
            };
            builds(image, what);
        }
    }
}
