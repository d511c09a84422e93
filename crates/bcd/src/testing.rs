//! Stores for tests.

use diskmend_hive::{Editor, Filetime, Hive};

use crate::{Change, ElementId, ElementValue, Guid, ObjectType, Store};

/// A store without objects.
pub(crate) fn empty() -> Editor {
    let hive = Hive::create(5, &[0; 20], Filetime(0)).unwrap();
    let mut editor = Editor::new(hive, Filetime(0));
    editor.create_key("Objects").unwrap();
    editor
}

pub(crate) fn create(editor: &mut Editor, object: Guid, object_type: ObjectType) {
    let change = Change::CreateObject {
        object,
        object_type,
    };
    change.apply(editor).unwrap();
}

pub(crate) fn set(editor: &mut Editor, object: Guid, element: ElementId, value: ElementValue) {
    let change = Change::SetElement {
        object,
        element,
        value,
    };
    change.apply(editor).unwrap();
}

pub(crate) fn store(editor: &Editor) -> Store<'_> {
    Store::new(editor.root().unwrap()).unwrap()
}

/// A GUID that is not well known.
pub(crate) fn guid(number: u32) -> Guid {
    Guid::new(number, 2, 3, [4; 8])
}
