//! What elements of the boot store should be if that depends on the disk: devices, the default
//! entry, and the loader's file.

use diskmend_bcd::well_known::BOOTMGR;
use diskmend_bcd::{Device, ElementId, ElementValue, Guid, Located, Partition, Target};
use diskmend_disk::testing::FaultyDisk;
use diskmend_disk::{DiskLayout, PartitionId};

use super::boot_evidence::{OTHER_DISK, SIGNATURE, layout, on, store};
use super::boot_fixture::{BIOS, EFI, LOADER, Maker, SECOND, bios, efi, element};
use super::boot_support::{content, repair_at, unchecked};
use super::diagnosis::disk::{Break, disk};
use super::support::{differing, with_watch};
use crate::documents::{InspectReport, Outcome, RowState};
use crate::error::{Error, Refusal};
use crate::inspect::inspect_site;
use crate::plan::Goal;
use crate::recipe::Catalogue;
use crate::site::Site;
use crate::undo::undo_site;

const OS_DEVICE: ElementId = ElementId::OS_DEVICE;
const DEVICE: ElementId = ElementId::APPLICATION_DEVICE;

/// The healthy server with this store, and what is known about its disk.
fn at(disk: &FaultyDisk, layout: Option<DiskLayout>) -> Site {
    Site {
        layout,
        ..super::support::site(disk)
    }
}

fn with_store(path: &str, store: Maker) -> FaultyDisk {
    let mut breaks = vec![Break::File(path.to_owned(), store.bytes())];
    if path != BIOS {
        breaks.push(Break::NoFile(BIOS.to_owned()));
    }
    disk(&breaks)
}

fn inspect(site: &Site, recipe: &str) -> InspectReport {
    let catalogue = Catalogue::built_in().expect("valid");
    let recipes = catalogue.select(&[recipe]).expect("known");
    with_watch(|watch| inspect_site(site, &recipes, &unchecked(), watch)).expect("inspect")
}

/// The states of elements, by their names.
fn states(site: &Site, recipe: &str) -> Vec<(String, RowState)> {
    let found = inspect(site, recipe).elements.into_iter();
    found.map(|row| (row.element.name, row.state)).collect()
}

fn state(site: &Site, recipe: &str, name: &str) -> RowState {
    let mut states = states(site, recipe).into_iter();
    states.find(|(other, _)| other == name).expect("a row").1
}

fn on_gpt(disk: u8, partition: u8) -> ElementValue {
    device(Target::Partition(Partition::Gpt {
        disk: guid(disk),
        partition: guid(partition),
    }))
}

fn guid(number: u8) -> Guid {
    Guid::new(number.into(), 1, 1, [1; 8])
}

fn device(target: Target) -> ElementValue {
    let device = Device {
        options: None,
        target,
    };
    ElementValue::Device(device.encode().expect("a known layout"))
}

/// Partition 2 of a disk with a GUID partition table.
fn gpt() -> DiskLayout {
    let id = |number: u8| PartitionId::Gpt {
        disk: guid(9),
        partition: guid(number),
    };
    DiskLayout {
        own: Some(id(2)),
        partitions: (1..=2)
            .map(|number| (format!("partition {number}"), id(number)))
            .collect(),
    }
}

#[test]
fn devices_of_another_disk_are_set_to_this_one_and_undone_to_the_byte() {
    let cases = [
        (layout(), on(OTHER_DISK, 2), on(SIGNATURE, 2)),
        (layout(), on(SIGNATURE, 9), on(SIGNATURE, 2)),
        (gpt(), on_gpt(8, 2), on_gpt(9, 2)),
        (gpt(), on_gpt(9, 7), on_gpt(9, 2)),
        (gpt(), on(SIGNATURE, 2), on_gpt(9, 2)),
    ];
    for (layout, astray, right) in cases {
        let astray = || astray.clone();
        let store = bios()
            .set(LOADER, OS_DEVICE, astray())
            .set(LOADER, DEVICE, astray())
            .set(BOOTMGR, DEVICE, astray());
        let pristine = with_store(BIOS, store);
        let disk = pristine.fork();
        let site = || at(&disk, Some(layout.clone()));
        let found = inspect(&site(), "bcd-device");
        // The warning about the loader is the same fault.
        assert_eq!(found.summary.faults, 3, "{:?}", astray());
        let done = repair_at(&site(), &["bcd-device"], Goal::Faults, &unchecked());
        assert_eq!(done.expect("repair").1.outcome, Outcome::Done);
        for (object, id) in [(LOADER, OS_DEVICE), (LOADER, DEVICE), (BOOTMGR, DEVICE)] {
            assert_eq!(element(&disk, BIOS, object, id).as_ref(), Some(&right));
        }
        assert!(!inspect(&site(), "bcd-device").has_findings());
        with_watch(|watch| undo_site(&mut site(), None, &unchecked(), watch)).expect("undo");
        assert_eq!(differing(&content(&disk), &content(&pristine)), [""; 0]);
    }
}

/// What somebody has chosen stays, also if the recipe is named.
#[test]
fn devices_that_name_no_partition_are_reported_and_stay() {
    let locate = device(Target::Locate {
        path: Located::Element(ElementId::SYSTEM_ROOT),
        parent: None,
    });
    let disk = with_store(BIOS, store().set(LOADER, OS_DEVICE, locate.clone()));
    let site = || at(&disk, Some(layout()));
    assert_eq!(state(&site(), "bcd-device", "osdevice"), RowState::Reported);
    repair_at(&site(), &["bcd-device"], Goal::Desired, &unchecked()).expect("repair");
    assert_eq!(element(&disk, BIOS, LOADER, OS_DEVICE), Some(locate));
}

#[test]
fn the_boot_managers_own_partition_is_right_if_it_is_the_wanted_one() {
    let boot = device(Target::Boot);
    let store = store()
        .set(LOADER, OS_DEVICE, boot.clone())
        .set(BOOTMGR, DEVICE, boot);
    let disk = with_store(BIOS, store);
    let states = states(&at(&disk, Some(layout())), "bcd-device");
    assert!(
        states.iter().all(|(_, state)| *state == RowState::Ok),
        "{states:?}"
    );
}

/// Somebody may have put the loader on another partition of the disk.
#[test]
fn another_partition_of_the_disk_is_no_fault() {
    let disk = with_store(BIOS, store().set(LOADER, DEVICE, on(SIGNATURE, 1)));
    let site = at(&disk, Some(layout()));
    assert_eq!(state(&site, "bcd-device", "device"), RowState::Differs);
}

#[test]
fn without_a_partition_table_devices_are_not_judged_and_a_repair_is_refused() {
    let pristine = with_store(BIOS, store().set(LOADER, OS_DEVICE, on(OTHER_DISK, 2)));
    let disk = pristine.fork();
    let site = || at(&disk, None);
    let found = inspect(&site(), "bcd-device");
    assert_eq!((found.summary.faults, found.summary.differ), (0, 0));
    let auto = repair_at(&site(), &["bcd-device"], Goal::Faults, &unchecked());
    assert_eq!(auto.expect("repair").1.outcome, Outcome::NothingToDo);
    let error = repair_at(&site(), &["bcd-device"], Goal::Desired, &unchecked());
    let error = error.expect_err("an unknown partition");
    assert!(
        matches!(error, Error::Refused(Refusal::ElementUndetermined { .. })),
        "{error}"
    );
    assert!(error.to_string().contains("osdevice"), "{error}");
    assert_eq!(disk.operations(), 0);
    assert_eq!(differing(&content(&disk), &content(&pristine)), [""; 0]);
}

#[test]
fn the_loader_is_the_one_for_the_firmware_of_the_store() {
    let path = ElementId::APPLICATION_PATH;
    let named = |name: &str| ElementValue::String(name.to_owned());
    let exe = r"\Windows\system32\winload.exe";
    let cases = [
        (EFI, efi(), RowState::Ok),
        (
            EFI,
            efi().set(LOADER, path, named(r"\WINDOWS\SYSTEM32\winload.efi")),
            RowState::Ok,
        ),
        (EFI, efi().set(LOADER, path, named(exe)), RowState::Fault),
        (
            BIOS,
            bios().set(LOADER, path, named(r"\Windows\system32\winload.efi")),
            RowState::Fault,
        ),
        // A file for this firmware that doesn't exist.
        (
            BIOS,
            bios().set(LOADER, path, named(r"\Windows\system32\boot\winload.exe")),
            RowState::Fault,
        ),
        (BIOS, bios(), RowState::Ok),
    ];
    for (place, store, expected) in cases {
        let disk = with_store(place, store);
        let site = at(&disk, Some(layout()));
        assert_eq!(state(&site, "bcd-loader-path", "path"), expected, "{place}");
    }
    // A copy of the loader may be meant.
    let other = r"\Windows\system32\boot\winload.exe";
    let store = bios().set(LOADER, path, named(other));
    let copy = Break::File(
        "Windows/System32/Boot/winload.exe".to_owned(),
        b"MZ".to_vec(),
    );
    let with_copy = disk(&[Break::File(BIOS.to_owned(), store.bytes()), copy]);
    let site = at(&with_copy, Some(layout()));
    assert_eq!(state(&site, "bcd-loader-path", "path"), RowState::Differs);
    // Nothing is made to name a file that isn't there.
    let store = efi().set(LOADER, path, named(exe));
    let breaks = [
        Break::File(EFI.to_owned(), store.bytes()),
        Break::NoFile(BIOS.to_owned()),
        Break::NoFile("Windows/System32/winload.efi".to_owned()),
    ];
    let site = at(&disk(&breaks), Some(layout()));
    assert_eq!(state(&site, "bcd-loader-path", "path"), RowState::Reported);
    let repair = repair_at(&site, &["bcd-loader-path"], Goal::Desired, &unchecked());
    let error = repair.expect_err("no such file").to_string();
    assert!(error.contains("winload.efi is not on the disk"), "{error}");
}

#[test]
fn the_default_entry_is_a_fault_only_if_there_is_none() {
    let path = r"\Windows\system32\winload.exe";
    let default = |guid| ElementValue::Object(guid);
    let two = || {
        let menu = ElementValue::ObjectList(vec![SECOND, LOADER]);
        bios()
            .loader(SECOND, path, r"\Windows.old")
            .set(BOOTMGR, ElementId::DISPLAY_ORDER, menu)
    };
    let cases = [
        (two(), RowState::Ok),
        // Somebody may want the other Windows.
        (
            two().set(BOOTMGR, ElementId::DEFAULT, default(SECOND)),
            RowState::Differs,
        ),
        (
            two().set(BOOTMGR, ElementId::DEFAULT, default(guid(9))),
            RowState::Fault,
        ),
        (two().without_default(), RowState::Fault),
    ];
    for (store, expected) in cases {
        let disk = with_store(BIOS, store);
        let site = at(&disk, Some(layout()));
        assert_eq!(state(&site, "bcd-default", "default"), expected);
        // Other entries stay in the menu.
        assert_eq!(state(&site, "bcd-default", "displayorder"), RowState::Ok);
    }
}

/// A menu without this Windows gets its loader before the others.
#[test]
fn a_menu_keeps_its_other_entries() {
    let path = r"\Windows\system32\winload.exe";
    let menu = |guids: &[Guid]| ElementValue::ObjectList(guids.to_vec());
    let store = bios().loader(SECOND, path, r"\Windows.old").set(
        BOOTMGR,
        ElementId::DISPLAY_ORDER,
        menu(&[SECOND]),
    );
    let disk = with_store(BIOS, store);
    let site = at(&disk, Some(layout()));
    repair_at(&site, &["bcd-default"], Goal::Desired, &unchecked()).expect("repair");
    assert_eq!(
        element(&disk, BIOS, BOOTMGR, ElementId::DISPLAY_ORDER),
        Some(menu(&[LOADER, SECOND]))
    );
}

/// The devices of real stores, written again, have the bytes that Windows has written.
#[test]
fn devices_of_real_stores_are_written_as_windows_does() {
    let Some(corpus) = std::env::var_os("DISKMEND_CORPUS").map(std::path::PathBuf::from) else {
        println!("SKIPPED: DISKMEND_CORPUS names no folder of real stores");
        return;
    };
    let mut same = 0;
    for name in [
        "regipy/BCD",
        "windeploy-linux/BCD",
        "windeploy-linux/BCD-efi",
    ] {
        let bytes = std::fs::read(corpus.join("bcd").join(name)).expect(name);
        let hive = match diskmend_hive::open(Box::new(bytes)).expect(name) {
            diskmend_hive::Opened::Clean(hive) => hive,
            diskmend_hive::Opened::Dirty(_) => continue,
        };
        let store = diskmend_bcd::Store::open(&hive).expect(name);
        for object in store.objects().expect(name).flatten() {
            for id in [OS_DEVICE, DEVICE] {
                let Ok(Some(ElementValue::Device(data))) = object.value(id) else {
                    continue;
                };
                let device = Device::decode(&data).expect("a device");
                if matches!(device.target, Target::Partition(_)) {
                    assert_eq!(device.encode().as_ref(), Some(&data), "{name} {id}");
                    same += 1;
                }
            }
        }
    }
    assert!(same > 2, "{same} devices");
}
