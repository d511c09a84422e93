//! Faults of boot stores and entries that depend on the partitions of a disk.

use diskmend_bcd::{Device, ElementId, ElementValue, Guid, Partition, Target, well_known::BOOTMGR};
use diskmend_disk::testing::FaultyDisk;
use diskmend_disk::{DiskLayout, PartitionId};

use super::boot_fixture::{BIOS, EFI, LOADER, Maker, SECOND, bios, efi};
use super::diagnosis::diagnose_at;
use super::diagnosis::disk::{Break, disk};
#[cfg(target_os = "linux")]
use super::image;
#[cfg(target_os = "linux")]
use super::image_fixture::{Boot, Container, image as image_of};
use super::siblings::{Volume, beside, open, volume};
use crate::documents::DiagnoseReport;
use crate::site::Site;

pub(super) const SIGNATURE: u32 = 0x1a2b_3c4d;
pub(super) const OTHER_DISK: u32 = 7;

/// Partition `number` of a disk with an MBR.
pub(super) fn on(signature: u32, number: u64) -> ElementValue {
    let device = Device {
        options: None,
        target: Target::Partition(Partition::Mbr {
            signature,
            offset: number << 20,
        }),
    };
    ElementValue::Device(device.encode().expect("a known layout"))
}

/// The healthy server with this store, on partition 2 of a disk with these other volumes.
fn server(store: Maker, others: &[(&'static str, Volume)]) -> Site {
    let disk = disk(&[Break::File(BIOS.to_owned(), store.bytes())]);
    let mut site = beside(&disk, others);
    site.layout = Some(layout());
    site
}

/// A disk with three partitions; Windows is on the second.
pub(super) fn layout() -> DiskLayout {
    let id = |number: u64| PartitionId::Mbr {
        signature: SIGNATURE,
        offset: number << 20,
    };
    DiskLayout {
        own: Some(id(2)),
        partitions: (1..=3)
            .map(|number| (format!("partition {number}"), id(number)))
            .collect(),
    }
}

/// The healthy store, with both devices on partition 2.
pub(super) fn store() -> Maker {
    let own = || on(SIGNATURE, 2);
    bios().set(LOADER, ElementId::OS_DEVICE, own()).set(
        LOADER,
        ElementId::APPLICATION_DEVICE,
        own(),
    )
}

fn causes(found: &DiagnoseReport) -> Vec<&str> {
    found
        .causes
        .iter()
        .map(|cause| cause.name.as_str())
        .collect()
}

fn windows() -> FaultyDisk {
    volume(&[("Windows/System32/config/SYSTEM", Vec::new())])
}

/// The server with this store, on a disk with a third partition without Windows.
fn with_data(store: Maker) -> Site {
    let data = volume(&[("data.txt", Vec::new())]);
    server(store, &[("partition 3", open(&data))])
}

/// A disk for each rule about partitions.
pub(super) fn cases() -> Vec<(&'static str, Site)> {
    let (os_device, device) = (ElementId::OS_DEVICE, ElementId::APPLICATION_DEVICE);
    let astray = store().set(LOADER, os_device, on(OTHER_DISK, 2));
    let elsewhere =
        store()
            .set(LOADER, os_device, on(SIGNATURE, 3))
            .set(LOADER, device, on(SIGNATURE, 3));
    let loader = store().set(LOADER, device, on(SIGNATURE, 1));
    let entries = [
        ("boot-entry-astray", astray),
        ("boot-entry-elsewhere", elsewhere),
        ("boot-entry-device", loader),
    ];
    // A new store needs to know the partitions.
    let stores = [
        ("boot-store-missing", Break::NoFile(BIOS.to_owned())),
        ("boot-store-empty", Break::File(BIOS.to_owned(), Vec::new())),
        (
            "boot-store-damaged",
            Break::File(BIOS.to_owned(), b"no hive".to_vec()),
        ),
    ];
    let entries = entries.map(|(name, store)| (name, with_data(store)));
    let stores = stores.map(|(name, broken)| {
        let mut site = beside(&disk(&[broken]), &[]);
        site.layout = Some(layout());
        (name, site)
    });
    entries.into_iter().chain(stores).collect()
}

/// Which cause a store gives.
fn causes_of(store: Maker) -> Vec<String> {
    let found = diagnose_at(&with_data(store));
    causes(&found).into_iter().map(str::to_owned).collect()
}

#[test]
fn devices_that_lead_to_no_windows_are_found() {
    let device = ElementId::APPLICATION_DEVICE;
    assert_eq!(causes_of(store()), [""; 0]);
    for (name, site) in cases() {
        let found = diagnose_at(&site);
        assert_eq!(causes(&found), [name]);
        assert_eq!(found.causes[0].repair.len(), 1, "{name}");
    }
    for place in [on(SIGNATURE, 1), on(OTHER_DISK, 2)] {
        let store = store().set(LOADER, device, place);
        assert_eq!(causes_of(store), ["boot-entry-device"]);
    }
    // What is found at the start of the machine can't be judged here.
    let locate = ElementValue::Device(
        Device {
            options: None,
            target: Target::Locate {
                path: diskmend_bcd::Located::Element(ElementId::APPLICATION_PATH),
                parent: None,
            },
        }
        .encode()
        .expect("a known layout"),
    );
    assert_eq!(causes_of(store().set(LOADER, device, locate)), [""; 0]);
}

#[test]
fn the_evidence_names_the_partition_that_would_be_right() {
    let astray = store().set(LOADER, ElementId::OS_DEVICE, on(OTHER_DISK, 2));
    let found = diagnose_at(&server(astray, &[]));
    let seen = &found.causes[0].evidence[0].seen[0];
    assert_eq!(seen.place, format!("{BIOS} {LOADER} \"Windows Server\""));
    assert_eq!(
        seen.found,
        "osdevice is on no partition of this disk (mbr disk 0x00000007 offset 0x200000); it would \
         be partition 2 if this were the disk it names; this Windows is on mbr disk 0x1a2b3c4d \
         offset 0x200000"
    );
}

/// Somebody wants both to be started.
#[test]
fn another_windows_on_the_disk_may_be_the_default() {
    let winload = r"\Windows\system32\winload.exe";
    let two = || {
        store()
            .loader(SECOND, winload, r"\Windows")
            .set(SECOND, ElementId::OS_DEVICE, on(SIGNATURE, 3))
            .set(
                BOOTMGR,
                ElementId::DISPLAY_ORDER,
                ElementValue::ObjectList(vec![LOADER, SECOND]),
            )
            .set(BOOTMGR, ElementId::DEFAULT, ElementValue::Object(SECOND))
    };
    for other in [open(&windows()), Volume::Locked] {
        let found = diagnose_at(&server(two(), &[("partition 3", other)]));
        assert_eq!(causes(&found), [""; 0]);
    }
    // Through a mount, the other partition can't be seen.
    let found = diagnose_at(&server(two(), &[]));
    assert_eq!(causes(&found), [""; 0]);
    let unread = found.unread.join("\n");
    assert!(unread.contains("can't be seen from here"), "{unread}");
    // Without a Windows there, the machine does not start, although the other entry is right.
    let data = volume(&[]);
    let found = diagnose_at(&server(two(), &[("partition 3", open(&data))]));
    assert_eq!(causes(&found), ["boot-entry-elsewhere"]);
}

/// A folder with some files of a Windows says nothing about the loader that it lacks.
#[test]
fn a_loader_is_not_missed_in_a_copy_of_some_files() {
    let loader = || Break::NoFile("Windows/System32/winload.exe".to_owned());
    let kernel = Break::NoFile("Windows/System32/ntoskrnl.exe".to_owned());
    let other = Break::NoFile("Windows/System32/winload.efi".to_owned());
    for also in [kernel, other] {
        let found = diagnose_at(&super::support::site(&disk(&[loader(), also])));
        assert_eq!(causes(&found), [""; 0]);
        let unread = found.unread.join("\n");
        assert!(unread.contains("winload.exe does not exist"), "{unread}");
    }
    let empty = Break::File("Windows/System32/winload.exe".to_owned(), Vec::new());
    let found = diagnose_at(&super::support::site(&disk(&[empty])));
    assert_eq!(causes(&found), ["boot-loader-missing"]);
}

/// Whoever reads the report need not look for the file to copy.
#[test]
fn the_copies_that_windows_keeps_are_named() {
    let put = |path: &str| Break::File(path.to_owned(), b"MZcopy".to_vec());
    let gone = |path: &str| Break::NoFile(path.to_owned());
    let found = |breaks: &[Break]| {
        let found = diagnose_at(&super::support::site(&disk(breaks)));
        found.causes[0].evidence[0].seen[0].found.clone()
    };
    assert_eq!(
        found(&[gone("bootmgr"), put("Windows/Boot/PCAT/bootmgr")]),
        "no boot manager: bootmgr is missing or empty; Windows keeps a copy: \
         Windows/Boot/PCAT/bootmgr (6 bytes)"
    );
    let loader = "Windows/System32/winload.exe";
    let copy = "Windows/System32/Boot/winload.exe";
    let said = "; Windows keeps a copy: Windows/System32/Boot/winload.exe (6 bytes)";
    assert!(found(&[gone(loader), put(copy)]).ends_with(said));
    // An empty copy is none.
    let empty = Break::File(copy.to_owned(), Vec::new());
    assert!(found(&[gone(loader), empty]).ends_with("which does not exist"));
}

/// A mount shows no other partition, and a store may be on another disk.
#[test]
fn a_store_is_missed_only_on_the_volume_that_the_firmware_starts() {
    let breaks = ["Boot/BCD", "Boot/memtest.exe", "bootmgr"].map(|path| Break::NoFile(path.into()));
    let target = disk(&breaks);
    let found = diagnose_at(&beside(&target, &[]));
    assert_eq!(causes(&found), [""; 0]);
    let unread = found.unread.join("\n");
    assert!(unread.contains("no boot store"), "{unread}");

    let esp = |files: &[(&str, Vec<u8>)]| {
        let esp = volume(files);
        diagnose_at(&beside(&target, &[("ESP", open(&esp))]))
    };
    let manager = || ("EFI/Microsoft/Boot/bootmgfw.efi", b"MZ".to_vec());
    let found = esp(&[manager()]);
    assert_eq!(causes(&found), ["boot-store-missing"]);
    assert_eq!(found.causes[0].evidence[0].seen[0].place, "ESP");
    let found = esp(&[manager(), (EFI, efi().bytes())]);
    assert_eq!(causes(&found), [""; 0]);
    let found = esp(&[manager(), (EFI, Vec::new())]);
    assert_eq!(causes(&found), ["boot-store-empty"]);
    // One store that can be read is enough.
    let found = esp(&[manager(), (EFI, efi().bytes()), (BIOS, Vec::new())]);
    assert_eq!(causes(&found), [""; 0]);
    // A volume that can't be read may have the store.
    let esp = volume(&[manager(), (EFI, Vec::new())]);
    let site = beside(&target, &[("ESP", open(&esp)), ("other", Volume::Denied)]);
    assert_eq!(causes(&diagnose_at(&site)), [""; 0]);
}

#[test]
fn a_boot_manager_is_missed_only_beside_other_boot_files() {
    let names = ["bootmgr", "Boot/memtest.exe"].map(|path| Break::NoFile(path.into()));
    let found = diagnose_at(&super::support::site(&disk(&names)));
    assert_eq!(causes(&found), [""; 0]);
}

/// The EFI system partition of a whole disk is known by its type.
#[cfg(target_os = "linux")]
#[test]
fn an_unmounted_disk_without_a_store_on_its_system_partition_is_found() {
    let Some(mut bytes) = image_of("system-001-002", Boot::Fat, Container::Raw) else {
        return;
    };
    let boot_causes = |bytes: &[u8]| -> Vec<String> {
        let disk = image::with_image(bytes.to_vec());
        let found = diagnose_at(&image::site(&disk).expect("an image"));
        let boot = causes(&found)
            .into_iter()
            .filter(|name| name.starts_with("boot-"));
        boot.map(str::to_owned).collect()
    };
    assert_eq!(boot_causes(&bytes), [""; 0]);
    // The first byte of a deleted entry of a FAT folder.
    let entry = b"BCD        ";
    let at = bytes
        .windows(entry.len())
        .position(|window| window == entry);
    bytes[at.expect("the entry of the store")] = 0xe5;
    assert_eq!(boot_causes(&bytes), ["boot-store-missing"]);
}

/// The identifiers of GPT count as those of an MBR do.
#[test]
fn a_partition_of_another_gpt_disk_is_not_this_one() {
    let guid = |number: u8| Guid::new(number.into(), 1, 1, [1; 8]);
    let on = |disk: u8, partition: u8| {
        let device = Device {
            options: None,
            target: Target::Partition(Partition::Gpt {
                disk: guid(disk),
                partition: guid(partition),
            }),
        };
        ElementValue::Device(device.encode().expect("a known layout"))
    };
    for (disk, wanted) in [(9, &[][..]), (8, &["boot-entry-astray"][..])] {
        let store = bios().set(LOADER, ElementId::OS_DEVICE, on(disk, 2));
        let mut site = server(store, &[]);
        let id = |number: u8| PartitionId::Gpt {
            disk: guid(9),
            partition: guid(number),
        };
        site.layout = Some(DiskLayout {
            own: Some(id(2)),
            partitions: vec![
                ("partition 1".to_owned(), id(1)),
                ("partition 2".to_owned(), id(2)),
            ],
        });
        assert_eq!(causes(&diagnose_at(&site)), wanted);
    }
}
