//! What a key has besides its values and subkeys, to bring a deleted key back.

use crate::check::descriptor_fault;
use crate::error::Corruption;
use crate::format::KeyNode;
use crate::key::Key;
use crate::offset::CellOffset;
use crate::time::Filetime;

use super::heap::Heap;
use super::{EditError, descriptor};

/// The flags of a key that are its own. Others say how it is stored, or belong to a root.
const OWN_FLAGS: u16 = KeyNode::FLAG_SYMLINK;

/// What a key has besides its name, its values and its subkeys.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyState {
    /// Its self-relative security descriptor (MS-DTYP 2.4.6).
    pub descriptor: Vec<u8>,
    /// Its class name as stored (UTF-16LE); empty if it has none.
    pub class: Vec<u8>,
    /// Its last-written time.
    pub last_written: Filetime,
    /// Its flags, as far as they don't say how it is stored (regf spec, Key node).
    pub flags: u16,
    /// Its virtualization and user flags.
    pub user_flags: u8,
}

impl KeyState {
    /// The state of a key.
    ///
    /// # Errors
    /// If its class name or its security descriptor can't be read.
    pub fn of(key: &Key<'_>) -> Result<Self, Corruption> {
        let node = key.node();
        Ok(Self {
            descriptor: key.security_descriptor()?.to_vec(),
            class: key.class()?.unwrap_or_default().to_vec(),
            last_written: Filetime(node.last_written.get()),
            flags: node.flags.get() & OWN_FLAGS,
            user_flags: node.user_flags,
        })
    }

    /// The number of bytes of data that it contains.
    pub(super) fn weight(&self) -> usize {
        self.descriptor.len().saturating_add(self.class.len())
    }

    /// Refuses a state that no key can have.
    pub(super) fn check(&self) -> Result<(), EditError> {
        if let Some((expected, found)) = descriptor_fault(&self.descriptor) {
            return Err(EditError::Descriptor { expected, found });
        }
        if !self.class.len().is_multiple_of(2) || u16::try_from(self.class.len()).is_err() {
            let len = self.class.len();
            return Err(EditError::Class { len });
        }
        Ok(())
    }
}

/// Gives a key a state, except for the time: later edits would change it again.
pub(super) fn restore(
    heap: &mut Heap,
    (parent, key): (CellOffset, CellOffset),
    state: &KeyState,
) -> Result<(), EditError> {
    descriptor::set(heap, key, &state.descriptor)?;
    let node = Key::at(heap.bins(), key)?.node().clone();
    let old = CellOffset::new(node.class.get());
    if !old.is_nil() && node.class_len.get() > 0 {
        heap.free(old)?;
    }
    let class = match state.class.as_slice() {
        [] => CellOffset::NIL,
        class => heap.store(class)?,
    };
    // The length was checked.
    let class_len = state.class.len() as u16;
    heap.update(key, "key node", |node: &mut KeyNode| {
        node.class = class.get().into();
        node.class_len = class_len.into();
        let others = node.flags.get() & !OWN_FLAGS;
        node.flags = (others | (state.flags & OWN_FLAGS)).into();
        node.user_flags = state.user_flags;
    })?;
    heap.update(parent, "key node", |node: &mut KeyNode| {
        let longest = node.max_class_len.get().max(u32::from(class_len));
        node.max_class_len = longest.into();
    })
}

#[cfg(test)]
mod tests {
    use super::super::{Change, Editor};
    use super::*;
    use crate::check::check;
    use crate::hive::Hive;
    use crate::value_type::ValueType;

    const NOW: Filetime = Filetime(2000);

    /// A descriptor with nothing in it but a control flag, so that several differ.
    fn descriptor(flag: u8) -> Vec<u8> {
        let mut bytes = vec![0; 20];
        bytes.splice(..4, [1, 0, flag, 0x80]);
        bytes
    }

    fn state(flag: u8, class: &[u8]) -> KeyState {
        KeyState {
            descriptor: descriptor(flag),
            class: class.to_vec(),
            last_written: Filetime(77),
            flags: KeyNode::FLAG_SYMLINK,
            user_flags: 0x20,
        }
    }

    fn editor() -> Editor {
        let hive = Hive::create(5, &descriptor(0), Filetime(1000)).expect("valid");
        let mut editor = Editor::new(hive, NOW);
        for key in [r"A\B\C", r"A\D"] {
            editor.create_key(key).expect("valid");
        }
        editor
            .set_value(r"A\B", "V", ValueType::DWORD, &[1, 2, 3, 4])
            .expect("valid");
        editor
            .restore_key(r"A\B", &state(4, b"c\0l\0"))
            .expect("valid");
        editor.restore_key(r"A\B\C", &state(8, b"")).expect("valid");
        for key in [r"A\B", r"A\B\C"] {
            editor.set_last_written(key, Filetime(77)).expect("valid");
        }
        editor
    }

    fn of(editor: &Editor, path: &str) -> KeyState {
        let key = editor.key(path).expect("sound").expect(path);
        KeyState::of(&key).expect("sound")
    }

    fn is_sound(editor: Editor) -> Hive {
        let hive = editor.finish().expect("valid").hive;
        let report = check(&hive);
        assert!(report.problems.is_empty(), "{:?}", report.problems);
        hive
    }

    #[test]
    fn a_key_gets_the_state_that_it_had() {
        let mut editor = editor();
        assert_eq!(of(&editor, r"A\B"), state(4, b"c\0l\0"));
        assert_eq!(of(&editor, r"A\B\C"), state(8, b""));
        assert_eq!(of(&editor, r"A\D").descriptor, descriptor(0));
        // A key that already has the state keeps its cells.
        let cell = |editor: &Editor| {
            editor
                .key(r"A\B")
                .expect("sound")
                .expect("there")
                .node()
                .security
                .get()
        };
        let before = cell(&editor);
        editor
            .restore_key(r"A\B", &state(4, b"c\0l\0"))
            .expect("valid");
        editor.restore_key(r"A\D", &state(4, b"")).expect("valid");
        assert_eq!(cell(&editor), before);
        let shared = editor.key(r"A\D").expect("sound").expect("there");
        assert_eq!(shared.node().security.get(), before);
        is_sound(editor);
    }

    #[test]
    fn a_deleted_key_is_noted_with_everything_it_had() {
        let hive = is_sound(editor());
        let mut editor = Editor::new(hive, NOW);
        // Names in other letters are the same names, but they come back as they were.
        editor.delete_value(r"A\B", "v").expect("valid");
        editor.delete_key(r"a\b").expect("valid");
        let noted: Vec<_> = editor.changes().list().iter().rev().cloned().collect();
        let deleted = |key: &str, state| Change::KeyDeleted {
            key: key.to_owned(),
            state: Some(Box::new(state)),
        };
        let touched = KeyState {
            last_written: NOW,
            ..state(4, b"c\0l\0")
        };
        assert_eq!(noted.first(), Some(&deleted(r"A\B", touched)));
        assert!(noted.contains(&deleted(r"A\B\C", state(8, b""))));
        let is_value =
            |change: &Change| matches!(change, Change::Value { name, .. } if name == "V");
        assert!(noted.iter().any(is_value), "{noted:?}");
        // Their descriptors are gone with them, and come back with them.
        let mut editor = Editor::new(is_sound(editor), Filetime(3000));
        for change in &noted {
            if let Change::KeyDeleted {
                key,
                state: Some(state),
            } = change
            {
                editor.create_key(key).expect("valid");
                editor.restore_key(key, state).expect("valid");
            }
        }
        editor
            .set_last_written(r"A\B", Filetime(77))
            .expect("valid");
        editor
            .set_last_written(r"A\B\C", Filetime(77))
            .expect("valid");
        assert_eq!(of(&editor, r"A\B"), state(4, b"c\0l\0"));
        assert_eq!(of(&editor, r"A\B\C"), state(8, b""));
        is_sound(editor);
    }

    #[test]
    fn a_state_that_no_key_can_have_changes_nothing() {
        let mut editor = editor();
        let bad = [
            KeyState {
                descriptor: vec![1; 19],
                ..state(4, b"")
            },
            KeyState {
                descriptor: vec![2; 20],
                ..state(4, b"")
            },
            KeyState {
                class: vec![0; 3],
                ..state(4, b"")
            },
            KeyState {
                class: vec![0; 1 << 16],
                ..state(4, b"")
            },
        ];
        for state in bad {
            editor.restore_key(r"A\D", &state).expect_err("refused");
        }
        editor
            .restore_key(r"A\none", &state(4, b""))
            .expect_err("no such key");
        editor
            .restore_key("", &state(4, b""))
            .expect_err("the root");
        assert_eq!(of(&editor, r"A\D").descriptor, descriptor(0));
        is_sound(editor);
    }
}
