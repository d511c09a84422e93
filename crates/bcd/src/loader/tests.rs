use diskmend_hive::Editor;

use super::*;
use crate::device::{FileDevice, FileUse, Partition, Target};
use crate::testing::{create, empty, guid, set, store};

const PARTITION: Partition = Partition::Mbr {
    signature: 7,
    offset: 0x10_0000,
};

fn device(target: Target) -> ElementValue {
    let device = Device {
        options: None,
        target,
    };
    ElementValue::Device(device.encode().unwrap())
}

fn loader(editor: &mut Editor, number: u32, root: &str, file: &str) -> Guid {
    let object = guid(number);
    create(editor, object, ObjectType::LOADER);
    let text = |text: &str| ElementValue::String(text.into());
    set(editor, object, ElementId::SYSTEM_ROOT, text(root));
    set(editor, object, ElementId::APPLICATION_PATH, text(file));
    object
}

fn menu(editor: &mut Editor, default: Option<Guid>, order: &[Guid]) {
    create(editor, BOOTMGR, ObjectType::BOOT_MANAGER);
    if let Some(guid) = default {
        set(
            editor,
            BOOTMGR,
            ElementId::DEFAULT,
            ElementValue::Object(guid),
        );
    }
    let order = ElementValue::ObjectList(order.to_vec());
    set(editor, BOOTMGR, ElementId::DISPLAY_ORDER, order);
}

fn wanted(partition: Option<Partition>) -> Wanted {
    Wanted {
        system_root: "\\Windows".into(),
        partition,
        ..Wanted::default()
    }
}

const EFI: &str = "\\Windows\\system32\\winload.efi";

#[test]
fn the_default_entry_is_taken_if_it_boots_this_windows_in_any_case() {
    let mut editor = empty();
    let first = loader(
        &mut editor,
        1,
        "\\windows",
        "\\WINDOWS\\system32\\Winload.exe",
    );
    let second = loader(&mut editor, 2, "\\WINDOWS\\", EFI);
    menu(&mut editor, Some(second), &[first, second]);
    let found = find(&store(&editor), &wanted(None)).unwrap();
    assert_eq!(found.loader.guid, second);
    assert_eq!(found.chosen, Chosen::Default);
    assert_eq!(found.loader.is_efi(), Some(true));
    assert_eq!(found.others.len(), 1);
    assert_eq!(found.others[0].guid, first);
}

#[test]
fn a_default_entry_of_another_windows_is_not_taken() {
    let mut editor = empty();
    let other = loader(&mut editor, 1, "\\Windows.old", EFI);
    let ours = loader(&mut editor, 2, "\\Windows", EFI);
    menu(&mut editor, Some(other), &[other, ours]);
    let found = find(&store(&editor), &wanted(None)).unwrap();
    assert_eq!(
        (found.loader.guid, found.chosen),
        (ours, Chosen::OnlyInMenu)
    );
}

#[test]
fn a_loader_whose_windows_is_on_another_partition_is_not_taken() {
    let mut editor = empty();
    let there = loader(&mut editor, 1, "\\Windows", EFI);
    let here = loader(&mut editor, 2, "\\Windows", EFI);
    let other = Partition::Mbr {
        signature: 7,
        offset: 0x20_0000,
    };
    set(
        &mut editor,
        there,
        ElementId::OS_DEVICE,
        device(Target::Partition(other)),
    );
    set(
        &mut editor,
        here,
        ElementId::OS_DEVICE,
        device(Target::Partition(PARTITION)),
    );
    menu(&mut editor, Some(there), &[there, here]);
    let found = find(&store(&editor), &wanted(Some(PARTITION))).unwrap();
    assert_eq!(found.loader.guid, here);
    assert_eq!(
        find(&store(&editor), &wanted(None)).unwrap().loader.guid,
        there
    );
}

#[test]
fn several_without_a_default_are_refused_with_a_list() {
    let mut editor = empty();
    let first = loader(&mut editor, 1, "\\Windows", EFI);
    let second = loader(&mut editor, 2, "\\Windows", EFI);
    let absent = guid(9);
    menu(&mut editor, Some(absent), &[first, second]);
    let error = find(&store(&editor), &wanted(None)).unwrap_err();
    assert_eq!(
        error.to_string(),
        format!(
            "2 loaders boot \\Windows and none of them is the default: \
             {first}: it fits; {second}: it fits"
        )
    );
}

#[test]
fn none_that_fits_is_refused_with_the_reasons() {
    let mut editor = empty();
    let old = loader(&mut editor, 1, "\\WINNT", EFI);
    let pe = loader(&mut editor, 2, "\\Windows", EFI);
    set(
        &mut editor,
        pe,
        ElementId::WINPE,
        ElementValue::Boolean(true),
    );
    let hidden = loader(&mut editor, 3, "\\Windows", EFI);
    let resume = loader(&mut editor, 4, "\\Windows", "\\Windows\\winresume.efi");
    menu(&mut editor, Some(pe), &[old, pe, resume]);
    let error = find(&store(&editor), &wanted(None)).unwrap_err();
    assert_eq!(
        error.to_string(),
        format!(
            "no loader in the boot menu boots \\Windows: {old}: its systemroot is \\WINNT; \
             {pe}: it loads Windows PE or a memory disk; \
             {hidden}: it fits, but is not in the boot menu; \
             {resume}: its path is \\Windows\\winresume.efi"
        )
    );
}

#[test]
fn a_store_without_boot_manager_or_loaders_is_refused() {
    let error = find(&store(&empty()), &wanted(None)).unwrap_err();
    assert!(error.to_string().ends_with("the store has no loaders"));
}

const DISK: Guid = Guid::new(1, 1, 1, [1; 8]);

fn gpt(disk: Guid, partition: u32) -> Partition {
    Partition::Gpt {
        disk,
        partition: guid(partition),
    }
}

/// A disk with partitions 1 to 3: the store is on the first, Windows on the second.
fn on_disk() -> Wanted {
    Wanted {
        system_root: "\\Windows".into(),
        partition: Some(gpt(DISK, 2)),
        disk: (1..=3)
            .map(|number| (format!("partition {number}"), gpt(DISK, number)))
            .collect(),
        store: Some(gpt(DISK, 1)),
    }
}

/// Loaders 10 and up, all in the menu, with these devices; the first is the default.
fn with_devices(targets: &[Option<Target>]) -> (Editor, Vec<Guid>) {
    let mut editor = empty();
    let mut guids = Vec::new();
    for (number, target) in (10..).zip(targets) {
        let guid = loader(&mut editor, number, "\\Windows", EFI);
        if let Some(target) = target {
            set(
                &mut editor,
                guid,
                ElementId::OS_DEVICE,
                device(target.clone()),
            );
        }
        guids.push(guid);
    }
    menu(&mut editor, guids.first().copied(), &guids);
    (editor, guids)
}

#[test]
fn a_loader_that_names_the_partition_is_taken_before_all_others() {
    let on = |disk, number| Some(Target::Partition(gpt(disk, number)));
    let other_disk = Guid::new(9, 9, 9, [9; 8]);
    let astray = on(other_disk, 2);
    let targets = [astray, None, on(DISK, 3), on(DISK, 2)];
    let (editor, guids) = with_devices(&targets);
    let store = store(&editor);
    let found = find(&store, &on_disk()).unwrap();
    assert_eq!((found.loader.guid, found.others.len()), (guids[3], 0));
    assert_eq!(found.loader.shown_place(&on_disk()).unwrap(), "partition 2");
    let all = loaders(&store).unwrap();
    let told = |guid: Guid| {
        let loader = all.iter().find(|loader| loader.guid == guid).unwrap();
        (
            loader.mismatch(&on_disk()).map(|reason| reason.to_string()),
            loader.astray(&on_disk()),
        )
    };
    let (mismatch, astray) = told(guids[0]);
    let astray = astray.unwrap();
    assert!(
        mismatch.is_none() && astray.contains("on no partition of this disk"),
        "{astray}"
    );
    assert!(
        astray.contains("partition 2 if this were the disk"),
        "{astray}"
    );
    assert!(
        told(guids[2])
            .0
            .unwrap()
            .contains("partition 3 of this disk")
    );
}

#[test]
fn a_loader_of_no_windows_on_the_disk_comes_last_with_a_reason() {
    let on = |disk, number| Some(Target::Partition(gpt(disk, number)));
    let mbr = |signature, offset| Some(Target::Partition(Partition::Mbr { signature, offset }));
    let other_disk = Guid::new(9, 9, 9, [9; 8]);
    for astray in [on(other_disk, 2), on(DISK, 7), mbr(7, 1 << 20)] {
        let (editor, guids) = with_devices(std::slice::from_ref(&astray));
        let found = find(&store(&editor), &on_disk()).unwrap();
        assert_eq!(found.loader.guid, guids[0]);
        assert!(found.loader.astray(&on_disk()).is_some());
        // Here the boot manager's own partition is not the partition of Windows, except if the
        // store is on that partition.
        let (editor, guids) = with_devices(&[astray.clone(), None, Some(Target::Boot)]);
        let found = find(&store(&editor), &on_disk()).map(|found| found.loader);
        assert_eq!(found.unwrap().guid, guids[1]);
        let mut beside = on_disk();
        beside.store = beside.partition;
        let found = find(&store(&editor), &beside).map(|found| found.loader);
        assert_eq!(found.unwrap().guid, guids[2]);
    }
    // A loader that names another Windows of the disk never counts.
    let (editor, _) = with_devices(&[on(DISK, 3)]);
    let error = find(&store(&editor), &on_disk()).unwrap_err().to_string();
    assert!(error.contains("partition 3 of this disk"), "{error}");
    let (editor, guids) = with_devices(&[on(DISK, 3), Some(Target::Boot)]);
    let found = find(&store(&editor), &on_disk())
        .map(|found| found.loader)
        .unwrap();
    assert_eq!(found.guid, guids[1]);
    let astray = found.astray(&on_disk()).unwrap();
    assert!(
        astray.contains("boot") && astray.contains("partition 1 of this disk"),
        "{astray}"
    );
    // The setup of the test above, on a disk with an MBR.
    let partition = |offset| Partition::Mbr {
        signature: 7,
        offset,
    };
    let wanted = Wanted {
        partition: Some(partition(2 << 20)),
        disk: vec![
            ("partition 1".into(), partition(1 << 20)),
            ("partition 2".into(), partition(2 << 20)),
        ],
        ..wanted(None)
    };
    for (signature, offset, place) in [
        (7, 2 << 20, "partition 2"),
        (7, 3 << 20, "on no partition"),
        (8, 2 << 20, "on no partition"),
        (7, 1 << 20, "partition 1 of this disk"),
    ] {
        let (editor, _) = with_devices(&[mbr(signature, offset)]);
        let all = loaders(&store(&editor)).unwrap();
        let shown = all[0].shown_place(&wanted).unwrap();
        assert!(shown.starts_with(place), "{shown}");
        assert_eq!(all[0].astray(&wanted).is_some(), place == "on no partition");
        assert_eq!(all[0].mismatch(&wanted).is_some(), offset == 1 << 20);
    }
}

/// A Windows in a virtual disk is in a file on the partition, and is not the Windows of the
/// partition itself.
#[test]
fn a_loader_of_a_virtual_disk_on_this_disk_is_of_another_windows() {
    let file = |disk| {
        Some(Target::File(FileDevice {
            file_use: FileUse::VirtualDisk,
            place: Some((
                Box::new(Target::Partition(gpt(disk, 2))),
                "\\disk.vhdx".into(),
            )),
        }))
    };
    let target = |target: Option<Target>| Loader {
        guid: guid(1),
        description: None,
        path: Some(EFI.into()),
        system_root: Some("\\Windows".into()),
        os_device: target.map(|target| Device {
            options: None,
            target,
        }),
        is_winpe: false,
        in_menu: true,
        is_default: true,
    };
    assert_eq!(target(file(DISK)).place(&on_disk()), Place::InFile);
    assert!(target(file(DISK)).mismatch(&on_disk()).is_some());
    let elsewhere = target(file(Guid::new(9, 9, 9, [9; 8])));
    assert_eq!(elsewhere.place(&on_disk()), Place::Unknown);
}
