use super::*;
use crate::testing::{create, empty, guid, set, store};
use crate::well_known::{BOOTMGR, EMSSETTINGS, FWBOOTMGR, MEMDIAG};

#[test]
fn a_store_is_listed_as_bcdedit_lists_it() {
    let mut editor = empty();
    let loader = guid(1);
    create(&mut editor, EMSSETTINGS, ObjectType::SETTINGS);
    create(&mut editor, loader, ObjectType::LOADER);
    create(&mut editor, BOOTMGR, ObjectType::BOOT_MANAGER);
    create(&mut editor, FWBOOTMGR, ObjectType::FIRMWARE_BOOT_MANAGER);
    create(&mut editor, guid(2), ObjectType(0x101f_ffff));
    create(&mut editor, guid(3), ObjectType::DEVICE);
    let text = |text: &str| ElementValue::String(text.into());
    for (object, element, value) in [
        (BOOTMGR, ElementId::TIMEOUT, ElementValue::Integer(30)),
        (BOOTMGR, ElementId::DEFAULT, ElementValue::Object(loader)),
        (
            BOOTMGR,
            ElementId::DISPLAY_ORDER,
            ElementValue::ObjectList(vec![loader, MEMDIAG]),
        ),
        (
            BOOTMGR,
            ElementId::DISPLAY_BOOT_MENU,
            ElementValue::Boolean(true),
        ),
        (loader, ElementId::DESCRIPTION, text("Windows\u{1b}[31m")),
        (loader, ElementId(0x2500_0020), ElementValue::Integer(0)),
        (loader, ElementId(0x2500_00c2), ElementValue::Integer(9)),
        (
            loader,
            ElementId(0x1500_001a),
            ElementValue::Integer(0xc0a8_0101),
        ),
        (
            loader,
            ElementId(0x1700_0077),
            ElementValue::IntegerList(vec![0x1500_0075, 16]),
        ),
        (loader, ElementId(0x2500_00fb), ElementValue::Integer(4)),
        (loader, ElementId(0x2500_0999), ElementValue::Integer(16)),
        (loader, ElementId(0x4600_0010), ElementValue::Boolean(true)),
        (
            EMSSETTINGS,
            ElementId::BOOT_EMS,
            ElementValue::Boolean(false),
        ),
    ] {
        set(&mut editor, object, element, value);
    }
    let listing = Listing::new(&store(&editor), false).unwrap();
    let expected = "\
Firmware Boot Manager
---------------------
identifier              {fwbootmgr}

Windows Boot Manager
--------------------
identifier              {bootmgr}
default                 {default}
displayorder            {default}
                        {memdiag}
timeout                 30
displaybootmenu         Yes

Firmware Application (101fffff)
-------------------------------
identifier              {00000002-0002-0003-0404-040404040404}

Windows Boot Loader
-------------------
identifier              {default}
description             Windows<U+001B>[31m
hostip                  192.168.1.1
allowedinmemorysettings 0x15000075
                        0x10
nx                      OptIn
bootmenupolicy          9
hypervisorrootprocpernode 4
custom:25000999         16

EMS Settings
------------
identifier              {emssettings}
bootems                 No

Device options
--------------
identifier              {00000003-0002-0003-0404-040404040404}
";
    assert_eq!(listing.to_string(), expected);
    let verbose = Listing::new(&store(&editor), true).unwrap().to_string();
    assert!(verbose.contains("identifier              {9dea862c-5cdd-4e70-acc1-f32b344d4795}\n"));
    assert!(!verbose.contains("{default}"));
    assert!(verbose.contains("recoveryos              Yes\n"));
}

#[test]
fn unreadable_elements_are_listed_with_their_bytes_or_as_problems() {
    let mut editor = empty();
    create(&mut editor, BOOTMGR, ObjectType::BOOT_MANAGER);
    let elements = format!("Objects\\{BOOTMGR}\\Elements");
    let path = format!("{elements}\\26000020");
    editor.create_key(&path).unwrap();
    editor
        .set_value(&path, "Element", ValueType::DWORD, &[1, 0, 0, 0])
        .unwrap();
    editor.create_key(&format!("{elements}\\x")).unwrap();
    editor.create_key("Objects\\y").unwrap();
    editor.create_key(&format!("Objects\\{}", guid(1))).unwrap();
    let listing = Listing::new(&store(&editor), false).unwrap();
    assert_eq!(listing.problems.len(), 1);
    let [manager, unknown] = listing.sections.as_slice() else {
        panic!("{listing:?}");
    };
    assert_eq!(manager.problems.len(), 1);
    assert_eq!(manager.rows[0].value, None);
    assert_eq!(manager.rows[0].data, [1, 0, 0, 0]);
    assert_eq!(
        manager.rows[0].lines,
        ["(boolean of type REG_DWORD: expected REG_BINARY) 01000000"]
    );
    assert_eq!(unknown.title, "Unknown Object");
    assert_eq!(unknown.object_type, None);
}
