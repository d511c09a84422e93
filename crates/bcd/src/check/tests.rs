use diskmend_hive::{Editor, ValueType};

use super::*;
use crate::inherit::precedence;
use crate::testing::{create, empty, guid, set, store};
use crate::well_known::{EMSSETTINGS, GLOBALSETTINGS};

fn sound() -> Editor {
    let mut editor = empty();
    create(&mut editor, BOOTMGR, ObjectType::BOOT_MANAGER);
    create(&mut editor, GLOBALSETTINGS, ObjectType::SETTINGS);
    create(&mut editor, EMSSETTINGS, ObjectType::SETTINGS);
    inherit(&mut editor, BOOTMGR, &[GLOBALSETTINGS]);
    inherit(&mut editor, GLOBALSETTINGS, &[EMSSETTINGS]);
    editor
}

fn inherit(editor: &mut Editor, object: Guid, from: &[Guid]) {
    let list = ElementValue::ObjectList(from.to_vec());
    set(editor, object, ElementId::INHERIT, list);
}

fn problems(editor: &Editor) -> Vec<String> {
    let report = check(editor.root().unwrap());
    report.problems.iter().map(Problem::to_string).collect()
}

fn raw(editor: &mut Editor, path: &str, value_type: ValueType, data: &[u8]) {
    editor.create_key(path).unwrap();
    editor.set_value(path, "Element", value_type, data).unwrap();
}

#[test]
fn a_sound_store_has_no_problems_and_its_parts_are_counted() {
    let report = check(sound().root().unwrap());
    assert_eq!(report.problems, []);
    assert!(report.is_sound());
    assert_eq!((report.objects, report.elements), (3, 2));
}

#[test]
fn a_hive_that_is_not_a_store_is_an_error() {
    let mut editor = empty();
    editor.delete_key("Objects").unwrap();
    assert_eq!(
        problems(&editor),
        ["Objects: no key Objects below the root: this hive is not a boot store"]
    );
}

#[test]
fn every_fault_is_listed_with_its_place() {
    let mut editor = sound();
    editor.create_key("Objects\\junk").unwrap();
    let typeless = guid(1);
    editor
        .create_key(&format!("Objects\\{typeless}\\Elements"))
        .unwrap();
    let elements = format!("Objects\\{BOOTMGR}\\Elements");
    raw(
        &mut editor,
        &format!("{elements}\\junk"),
        ValueType::BINARY,
        &[],
    );
    raw(
        &mut editor,
        &format!("{elements}\\25000004"),
        ValueType::DWORD,
        &[5, 0, 0, 0],
    );
    raw(
        &mut editor,
        &format!("{elements}\\26000020"),
        ValueType::BINARY,
        &[1, 0],
    );
    raw(
        &mut editor,
        &format!("{elements}\\28000001"),
        ValueType::BINARY,
        &[1, 0],
    );
    raw(
        &mut editor,
        &format!("{elements}\\11000001"),
        ValueType::BINARY,
        &[0xff; 40],
    );
    editor.create_key(&format!("{elements}\\26000021")).unwrap();
    set(
        &mut editor,
        BOOTMGR,
        ElementId::DEFAULT,
        ElementValue::Object(guid(9)),
    );
    let report = check(editor.root().unwrap());
    assert!(!report.is_sound());
    let at = format!("Objects\\{BOOTMGR}");
    let expected = [
        "Objects: the name of key Objects\\junk is not a GUID".to_owned(),
        format!("Objects\\{typeless}: object {typeless} has no key Description"),
        format!("{at}\\Elements\\11000001: device of 40 bytes holds no device descriptor"),
        format!("{at}\\Elements\\25000004: integer of type REG_DWORD: expected REG_BINARY"),
        format!("{at}\\Elements\\26000020: boolean of 2 bytes: expected 1"),
        format!("{at}: element 26000021 of {BOOTMGR} has no value Element"),
        format!("{at}\\Elements\\28000001: unknown format 8"),
        format!("{at}: key junk in Elements of {BOOTMGR}: expected eight hexadecimal digits"),
        format!(
            "{at}\\Elements\\23000003: object {} does not exist",
            guid(9)
        ),
    ];
    assert_eq!(problems(&editor), expected);
}

#[test]
fn an_object_that_inherits_from_itself_is_found_and_reading_it_ends() {
    let mut editor = sound();
    inherit(&mut editor, EMSSETTINGS, &[GLOBALSETTINGS, EMSSETTINGS]);
    let found = problems(&editor);
    assert_eq!(found.len(), 2, "{found:?}");
    assert!(
        found
            .iter()
            .all(|problem| problem.contains("inherits from itself through"))
    );
    let order = precedence(&store(&editor), BOOTMGR).unwrap();
    assert_eq!(order, [BOOTMGR, GLOBALSETTINGS, EMSSETTINGS]);
    assert_eq!(
        effective(&store(&editor), BOOTMGR, ElementId::EMS_PORT).unwrap(),
        None
    );
    set(
        &mut editor,
        EMSSETTINGS,
        ElementId::EMS_PORT,
        ElementValue::Integer(2),
    );
    assert_eq!(
        effective(&store(&editor), BOOTMGR, ElementId::EMS_PORT).unwrap(),
        Some((EMSSETTINGS, ElementValue::Integer(2)))
    );
}

#[test]
fn an_inherited_loader_and_a_boot_manager_of_another_type_are_errors() {
    let mut editor = empty();
    create(&mut editor, BOOTMGR, ObjectType::LOADER);
    create(&mut editor, guid(1), ObjectType::LOADER);
    inherit(&mut editor, BOOTMGR, &[guid(1)]);
    assert_eq!(
        problems(&editor),
        [
            format!("Objects\\{BOOTMGR}: type 0x10200003: expected 0x10100002"),
            format!(
                "Objects\\{BOOTMGR}\\Elements\\14000006: inherits {} of type 0x10200003, which is not a settings object",
                guid(1)
            ),
        ]
    );
}

#[test]
fn the_list_of_problems_ends() {
    let mut editor = empty();
    for number in 0..MAX_PROBLEMS + 10 {
        editor.create_key(&format!("Objects\\{number}")).unwrap();
    }
    let report = check(editor.root().unwrap());
    assert_eq!(report.problems.len(), MAX_PROBLEMS + 1);
    assert_eq!(report.problems.last().unwrap().kind, ProblemKind::TooMany);
}

/// The value of an element that applies to an object, and the object that contains it.
fn effective(
    store: &Store<'_>,
    object: Guid,
    element: ElementId,
) -> Result<Option<(Guid, ElementValue)>, StoreError> {
    for guid in precedence(store, object)? {
        if let Some(found) = store.object(guid)?
            && let Some(value) = found.value(element)?
        {
            return Ok(Some((guid, value)));
        }
    }
    Ok(None)
}
