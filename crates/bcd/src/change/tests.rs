use diskmend_hive::{Editor, Filetime, Hive};

use super::*;
use crate::well_known::{BOOTMGR, EMSSETTINGS};

const LOADER: Guid = Guid::new(1, 2, 3, [4; 8]);
const COPY: Guid = Guid::new(9, 9, 9, [9; 8]);

fn store() -> Editor {
    let hive = Hive::create(5, &[0; 20], Filetime(0)).unwrap();
    let mut editor = Editor::new(hive, Filetime(0));
    editor.create_key("Objects").unwrap();
    for (object, object_type) in [
        (BOOTMGR, ObjectType::BOOT_MANAGER),
        (LOADER, ObjectType::LOADER),
    ] {
        let create = Change::CreateObject {
            object,
            object_type,
        };
        assert_eq!(create.apply(&mut editor).unwrap(), Outcome::Changed);
        assert_eq!(create.apply(&mut editor).unwrap(), Outcome::Unchanged);
    }
    editor
}

fn set(object: Guid, element: ElementId, value: ElementValue) -> Change {
    Change::SetElement {
        object,
        element,
        value,
    }
}

fn value(editor: &Editor, object: Guid, element: ElementId) -> Option<ElementValue> {
    let store = Store::new(editor.root().unwrap()).unwrap();
    store.object(object).unwrap()?.value(element).unwrap()
}

#[test]
fn a_second_setting_edits_nothing() {
    let mut editor = store();
    let change = set(BOOTMGR, ElementId::TIMEOUT, ElementValue::Integer(5));
    assert_eq!(change.apply(&mut editor).unwrap(), Outcome::Changed);
    let changes = editor.changes().len();
    assert_eq!(change.apply(&mut editor).unwrap(), Outcome::Unchanged);
    assert_eq!(editor.changes().len(), changes);
    let store = Store::new(editor.root().unwrap()).unwrap();
    let timeout = store.object(BOOTMGR).unwrap().unwrap();
    let timeout = timeout.element(ElementId::TIMEOUT).unwrap().unwrap();
    assert_eq!(timeout.key().name().to_string(), "25000004");
    assert_eq!(timeout.data_type(), ValueType::BINARY);
    assert_eq!(timeout.data(), [5, 0, 0, 0, 0, 0, 0, 0]);
}

#[test]
fn an_equal_value_of_another_length_and_the_spelling_of_keys_stay() {
    let mut editor = store();
    let path = format!("Objects\\{BOOTMGR}\\Elements\\1600000B");
    editor.create_key(&path).unwrap();
    editor
        .set_value(&path, "element", ValueType::BINARY, &[1])
        .unwrap();
    let timeout = format!("Objects\\{BOOTMGR}\\Elements\\25000004");
    editor.create_key(&timeout).unwrap();
    editor
        .set_value(&timeout, "Element", ValueType::BINARY, &[5, 0, 0, 0])
        .unwrap();
    let same = set(BOOTMGR, ElementId::TIMEOUT, ElementValue::Integer(5));
    assert_eq!(same.apply(&mut editor).unwrap(), Outcome::Unchanged);

    let off = set(
        BOOTMGR,
        ElementId(0x1600_000b),
        ElementValue::Boolean(false),
    );
    assert_eq!(off.apply(&mut editor).unwrap(), Outcome::Changed);
    let key = editor.key(&path).unwrap().unwrap();
    assert_eq!(key.name().to_string(), "1600000B");
    let names: Vec<_> = key
        .values()
        .unwrap()
        .map(|value| value.unwrap().name().to_string())
        .collect();
    assert_eq!(names, ["element"]);
}

#[test]
fn a_value_of_the_wrong_type_is_refused_with_the_type_expected() {
    let mut editor = store();
    let before = editor.changes().len();
    let error = set(LOADER, ElementId::EMS, ElementValue::Integer(1))
        .apply(&mut editor)
        .unwrap_err();
    assert_eq!(
        error.to_string(),
        "element 260000b0 takes a value of type boolean, not integer"
    );
    let error = set(
        LOADER,
        ElementId(0x2800_0001),
        ElementValue::Unknown(vec![1]),
    )
    .apply(&mut editor)
    .unwrap_err();
    assert!(matches!(error, ChangeError::Format { .. }));
    let error = set(
        LOADER,
        ElementId::DESCRIPTION,
        ElementValue::String("a\0".into()),
    )
    .apply(&mut editor)
    .unwrap_err();
    assert!(matches!(error, ChangeError::Nul { index: 1, .. }));
    let error = set(
        LOADER,
        ElementId::OS_DEVICE,
        ElementValue::Device(vec![0xff; 40]),
    )
    .apply(&mut editor)
    .unwrap_err();
    assert!(matches!(error, ChangeError::Device { len: 40, .. }));
    let error = set(EMSSETTINGS, ElementId::EMS_PORT, ElementValue::Integer(1))
        .apply(&mut editor)
        .unwrap_err();
    assert!(matches!(error, ChangeError::NoObject { .. }));
    assert_eq!(editor.changes().len(), before);
}

#[test]
fn an_object_of_another_type_is_not_taken_for_the_wanted_one() {
    let mut editor = store();
    let create = Change::CreateObject {
        object: LOADER,
        object_type: ObjectType::RESUME,
    };
    assert_eq!(
        create.apply(&mut editor).unwrap_err().to_string(),
        format!("object {LOADER} is of type 0x10200003: expected 0x10200004")
    );
}

#[test]
fn a_copy_has_all_elements_and_its_own_description() {
    let mut editor = store();
    for change in [
        set(LOADER, ElementId::EMS, ElementValue::Boolean(true)),
        set(
            LOADER,
            ElementId::DESCRIPTION,
            ElementValue::String("Windows".into()),
        ),
    ] {
        change.apply(&mut editor).unwrap();
    }
    let copy = Change::CopyObject {
        from: LOADER,
        to: COPY,
        description: Some("Windows (safe mode)".into()),
    };
    copy.apply(&mut editor).unwrap();
    assert_eq!(
        value(&editor, COPY, ElementId::EMS),
        Some(ElementValue::Boolean(true))
    );
    assert_eq!(
        value(&editor, COPY, ElementId::DESCRIPTION),
        Some(ElementValue::String("Windows (safe mode)".into()))
    );
    assert_eq!(
        value(&editor, LOADER, ElementId::DESCRIPTION),
        Some(ElementValue::String("Windows".into()))
    );
    assert!(matches!(
        copy.apply(&mut editor),
        Err(ChangeError::Exists { .. })
    ));
}

#[test]
fn a_deleted_object_is_no_longer_named() {
    let mut editor = store();
    for change in [
        set(BOOTMGR, ElementId::DEFAULT, ElementValue::Object(LOADER)),
        set(
            BOOTMGR,
            ElementId::DISPLAY_ORDER,
            ElementValue::ObjectList(vec![LOADER, COPY]),
        ),
        set(
            BOOTMGR,
            ElementId(0x2400_0002),
            ElementValue::ObjectList(vec![LOADER]),
        ),
    ] {
        change.apply(&mut editor).unwrap();
    }
    let delete = Change::DeleteObject {
        object: LOADER,
        references: true,
    };
    assert_eq!(delete.apply(&mut editor).unwrap(), Outcome::Changed);
    assert_eq!(delete.apply(&mut editor).unwrap(), Outcome::Unchanged);
    assert_eq!(value(&editor, BOOTMGR, ElementId::DEFAULT), None);
    assert_eq!(value(&editor, BOOTMGR, ElementId(0x2400_0002)), None);
    assert_eq!(
        value(&editor, BOOTMGR, ElementId::DISPLAY_ORDER),
        Some(ElementValue::ObjectList(vec![COPY]))
    );
    let store = Store::new(editor.root().unwrap()).unwrap();
    assert!(store.object(LOADER).unwrap().is_none());
}

#[test]
fn a_deleted_element_is_gone_and_deleting_it_again_edits_nothing() {
    let mut editor = store();
    set(LOADER, ElementId::SAFE_BOOT, ElementValue::Integer(1))
        .apply(&mut editor)
        .unwrap();
    let delete = Change::DeleteElement {
        object: LOADER,
        element: ElementId::SAFE_BOOT,
    };
    assert_eq!(delete.apply(&mut editor).unwrap(), Outcome::Changed);
    assert_eq!(delete.apply(&mut editor).unwrap(), Outcome::Unchanged);
    assert_eq!(value(&editor, LOADER, ElementId::SAFE_BOOT), None);
    let nowhere = Change::DeleteElement {
        object: COPY,
        element: ElementId::SAFE_BOOT,
    };
    assert_eq!(nowhere.apply(&mut editor).unwrap(), Outcome::Unchanged);
}
