//! The security descriptors of keys (regf spec, Key security).

use crate::check::descriptor_fault;
use crate::error::Corruption;
use crate::format::{KeyNode, KeySecurity};
use crate::key::Key;
use crate::offset::CellOffset;

use super::changes::plain;
use super::heap::{self, Heap};
use super::{Change, EditError, Editor, Outcome, keys, security};

/// Computes the self-relative security descriptor of a new key from that of its parent. If the
/// result is `None`, or no descriptor that a key can have, the new key has the parent's.
pub type NewDescriptor = fn(parent: &[u8]) -> Option<Vec<u8>>;

impl Editor {
    /// From now on, each new key gets the security descriptor that is computed from its parent's,
    /// instead of the parent's own.
    #[must_use]
    pub fn with_new_descriptors(mut self, compute: NewDescriptor) -> Self {
        self.new_descriptor = compute;
        self
    }

    /// Sets a key's security descriptor: self-relative (MS-DTYP 2.4.6), and to the byte as it is to
    /// be stored. Keys with equal descriptors share a security cell. The key must exist; the keys
    /// below it don't change.
    ///
    /// # Errors
    /// [`EditError::Descriptor`] if no key can have it, and see [`EditError`].
    pub fn set_descriptor(&mut self, path: &str, descriptor: &[u8]) -> Result<Outcome, EditError> {
        if let Some((expected, found)) = fault(descriptor) {
            return Err(EditError::Descriptor { expected, found });
        }
        self.attempt(|editor| {
            let key = editor.existing(path)?;
            let old = Key::at(editor.heap.bins(), key)?.security_descriptor()?;
            if old == descriptor {
                return Ok(Outcome::Unchanged);
            }
            let old = old.to_vec();
            set(&mut editor.heap, key, descriptor)?;
            keys::touch(&mut editor.heap, key, editor.now)?;
            editor.changes.note(Change::Descriptor {
                key: plain(path),
                old,
                new: descriptor.to_vec(),
            });
            Ok(Outcome::Changed)
        })
    }

    /// The descriptor of a key that is created below this one; `None` if it is the parent's.
    pub(super) fn descriptor_below(&self, parent: &Key<'_>) -> Result<Option<Vec<u8>>, Corruption> {
        let parent = parent.security_descriptor()?;
        let own = (self.new_descriptor)(parent);
        Ok(own.filter(|own| own != parent && fault(own).is_none()))
    }
}

/// Why no key can have a descriptor: expected and found.
fn fault(descriptor: &[u8]) -> Option<(&'static str, String)> {
    descriptor_fault(descriptor).or_else(|| {
        let cell = KeySecurity::LEN.saturating_add(descriptor.len());
        let len = || {
            (
                "a descriptor that fits one cell",
                descriptor.len().to_string(),
            )
        };
        heap::cell_size(cell).is_err().then(len)
    })
}

/// Gives a key a security descriptor that was checked: it shares the cell of another key if one has
/// the descriptor.
pub(super) fn set(heap: &mut Heap, key: CellOffset, descriptor: &[u8]) -> Result<(), EditError> {
    let old = Key::at(heap.bins(), key)?.node().security.get();
    let old = CellOffset::new(old);
    let cell = match security::find(heap, old, descriptor)? {
        Some(cell) if cell == old => return Ok(()),
        Some(cell) => cell,
        None => security::add(heap, old, descriptor)?,
    };
    security::share(heap, cell)?;
    heap.update(key, "key node", |node: &mut KeyNode| {
        node.security = cell.get().into();
    })?;
    security::release(heap, old)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::check;
    use crate::hive::Hive;
    use crate::time::Filetime;
    use crate::verify::VerifyError;

    const NOW: Filetime = Filetime(2000);

    /// A descriptor with nothing in it but a control flag, so that several differ.
    fn descriptor(flag: u8) -> Vec<u8> {
        let mut bytes = vec![0; 20];
        bytes.splice(..4, [1, 0, flag, 0x80]);
        bytes
    }

    fn editor() -> Editor {
        let hive = Hive::create(5, &descriptor(0), Filetime(1000)).expect("valid");
        let mut editor = Editor::new(hive, NOW);
        for key in [r"A\B", r"A\C"] {
            editor.create_key(key).expect("valid");
        }
        editor
    }

    /// The security cell of a key, and the number of its users that the cell counts.
    fn cell(editor: &Editor, path: &str) -> (u32, u32) {
        let key = editor.key(path).expect("sound").expect(path);
        let at = CellOffset::new(key.node().security.get());
        let bins = editor.heap.bins();
        let (raw, _) = bins.structure::<KeySecurity>(at, "cell").expect("a cell");
        (at.get(), raw.reference_count.get())
    }

    /// The number of cells in the ring.
    fn ring(editor: &Editor) -> usize {
        let (start, _) = cell(editor, "");
        let mut at = start;
        for len in 1.. {
            let bins = editor.heap.bins();
            let raw = bins.structure::<KeySecurity>(CellOffset::new(at), "cell");
            at = raw.expect("a cell").0.flink.get();
            if at == start {
                return len;
            }
        }
        unreachable!("the ring ends")
    }

    #[test]
    fn keys_with_equal_descriptors_share_a_cell_that_counts_them() {
        let mut editor = editor();
        assert_eq!(cell(&editor, "A").1, 4);
        let set = |editor: &mut Editor, key, flag| {
            editor
                .set_descriptor(key, &descriptor(flag))
                .expect("valid")
        };
        assert_eq!(set(&mut editor, "A", 0), Outcome::Unchanged);
        assert_eq!(set(&mut editor, r"a\b", 4), Outcome::Changed);
        assert_eq!(set(&mut editor, r"A\C", 4), Outcome::Changed);
        assert_eq!(cell(&editor, r"A\B"), cell(&editor, r"A\C"));
        assert_eq!(
            (cell(&editor, r"A\B").1, cell(&editor, "A").1, ring(&editor)),
            (2, 2, 2)
        );
        let noted = editor.changes().list().last();
        let (old, new) = (descriptor(0), descriptor(4));
        let key = r"A\C".to_owned();
        assert_eq!(noted, Some(&Change::Descriptor { key, old, new }));
        // The root can have another one, too.
        assert_eq!(set(&mut editor, "", 8), Outcome::Changed);
        let report = check(editor.finish().expect("valid").hive());
        assert_eq!(report.problems, []);
    }

    #[test]
    fn a_cell_that_no_key_uses_any_more_leaves_the_ring() {
        let mut editor = editor();
        for (flag, key) in [
            (4, r"A\B"),
            (8, r"A\B"),
            (4, r"A\B"),
            (0, r"A\B"),
            (8, r"A\C"),
        ] {
            editor
                .set_descriptor(key, &descriptor(flag))
                .expect("valid");
        }
        let hive = editor.finish().expect("valid").hive;
        assert_eq!(check(&hive).problems, []);
        assert_eq!(ring(&Editor::new(hive, NOW)), 2);
    }

    #[test]
    fn what_no_key_can_have_is_refused_and_changes_nothing() {
        let mut editor = editor();
        let long = {
            let mut bytes = descriptor(0);
            bytes.resize(1 << 20, 0);
            bytes
        };
        for bad in [&[][..], &[1; 19], &[2; 20], &long] {
            let error = editor.set_descriptor("A", bad).expect_err("refused");
            assert!(matches!(error, EditError::Descriptor { .. }), "{error}");
        }
        let error = editor
            .set_descriptor("Z", &descriptor(4))
            .expect_err("refused");
        assert!(matches!(error, EditError::NoSuchKey { .. }), "{error}");
        assert_eq!(ring(&editor), 1);
        editor
            .set_descriptor("A", &descriptor(4))
            .expect("not poisoned");
    }

    #[test]
    fn a_descriptor_that_is_not_there_after_the_edit_is_noticed() {
        let mut editor = editor();
        editor.set_descriptor("A", &descriptor(4)).expect("valid");
        let cell = editor.key("A").expect("sound").expect("there").cell();
        set(&mut editor.heap, cell, &descriptor(0)).expect("valid");
        match editor.finish().expect("valid").verify() {
            Err(VerifyError::OtherThanEdited { found }) => {
                assert_eq!(found, "another descriptor of key A");
            }
            _ => panic!("not noticed"),
        }
    }

    #[test]
    fn a_new_key_gets_the_computed_descriptor() {
        // Counts in the control flags, so that each level differs; it stops at 8.
        let compute: NewDescriptor = |parent| {
            let flag = parent.get(2).copied()?;
            (flag < 8).then(|| descriptor(flag + 4))
        };
        let mut editor = editor().with_new_descriptors(compute);
        editor.create_key(r"A\B\1\2\3").expect("valid");
        let flag = |path: &str| {
            let key = editor.key(path).expect("sound").expect(path);
            key.security_descriptor().expect("sound")[2]
        };
        assert_eq!(
            [r"A\B", r"A\B\1", r"A\B\1\2", r"A\B\1\2\3"].map(flag),
            [0, 4, 8, 8]
        );
        assert_eq!(cell(&editor, r"A\B\1\2\3"), cell(&editor, r"A\B\1\2"));
        // What no key can have is not used, and what the parent has is shared.
        let mut editor = editor.with_new_descriptors(|_| Some(vec![9; 30]));
        editor.create_key(r"A\B\4").expect("valid");
        assert_eq!(cell(&editor, r"A\B\4"), cell(&editor, r"A\B"));
        assert_eq!(check(editor.finish().expect("valid").hive()).problems, []);
    }
}
