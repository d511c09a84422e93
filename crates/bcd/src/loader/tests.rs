use diskmend_hive::Editor;

use super::*;
use crate::device::{Partition, Target};
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
    }
}

const EFI: &str = "\\Windows\\system32\\winload.efi";

#[test]
fn the_default_entry_is_taken_where_it_boots_this_windows_whatever_the_case() {
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
    assert!(
        error
            .to_string()
            .ends_with("the store has no loader at all")
    );
}
