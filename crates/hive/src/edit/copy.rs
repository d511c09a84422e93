//! Copies a key with everything in it.

use diskmend_base::escape::Visible;

use crate::error::Corruption;
use crate::key::{Key, components};
use crate::offset::FileOffset;

use super::{Changes, EditError, Editor, KeyState, MAX_DEPTH, Outcome, ValueContent};

/// A key of the copy: its path below the copied key, its state and its values.
struct CopiedKey {
    /// Empty for the copied key itself.
    below: String,
    state: KeyState,
    values: Vec<(String, ValueContent)>,
}

impl Editor {
    /// Copies a key with its values, subkeys, security descriptors and class names to a path at which
    /// there is no key; if there is one, that is [`Outcome::Unchanged`]. The time of the edit becomes
    /// the last-written time of the new keys. Missing keys above the path are created.
    ///
    /// # Errors
    /// [`EditError::NoSuchKey`] if there is nothing to copy, [`EditError::CopyTooLarge`] if the change
    /// could not be recorded, and see [`EditError`].
    pub fn copy_key(&mut self, from: &str, to: &str) -> Result<Outcome, EditError> {
        if self.poisoned {
            return Err(EditError::Poisoned);
        }
        if self.key(to)?.is_some() {
            return Ok(Outcome::Unchanged);
        }
        let depth = components(to).count();
        for CopiedKey {
            below,
            state,
            values,
        } in self.read_tree(from, depth)?
        {
            let path = format!("{to}{below}");
            self.create_key(&path)?;
            self.restore_key(&path, &state)?;
            for (name, content) in values {
                self.set_value(&path, &name, content.value_type, &content.bytes)?;
            }
        }
        Ok(Outcome::Changed)
    }

    /// A key and everything in it, each key before its subkeys. `depth` is that of the copy.
    fn read_tree(&self, from: &str, depth: usize) -> Result<Vec<CopiedKey>, EditError> {
        let no_key = || EditError::NoSuchKey { path: from.into() };
        let too_large = || EditError::CopyTooLarge { path: from.into() };
        let mut copied = Vec::new();
        let (mut things, mut bytes) = (0_usize, 0_usize);
        let mut pending = vec![(String::new(), depth, self.key(from)?.ok_or_else(no_key)?)];
        while let Some((below, depth, key)) = pending.pop() {
            super::refuse_special(&key, from)?;
            if depth > MAX_DEPTH {
                return Err(EditError::TooDeep { path: from.into() });
            }
            let state = KeyState::of(&key)?;
            state.check()?;
            bytes = bytes.saturating_add(state.weight());
            let mut values = Vec::new();
            for value in key.values()? {
                let value = value?;
                things += 1;
                bytes = bytes.saturating_add(value.data_len());
                if things > Changes::MAX || bytes > Changes::MAX_BYTES {
                    return Err(too_large());
                }
                values.push((value.name().to_string(), ValueContent::of(&value)?));
            }
            for child in key.subkeys()? {
                let child = child?;
                things += 1;
                if things > Changes::MAX {
                    return Err(too_large());
                }
                let name = child.name();
                name.check_key().map_err(|_| not_a_name(&child))?;
                pending.push((format!(r"{below}\{}", name.in_path()), depth + 1, child));
            }
            copied.push(CopiedKey {
                below,
                state,
                values,
            });
        }
        Ok(copied)
    }
}

fn not_a_name(key: &Key<'_>) -> Corruption {
    Corruption::new(
        "name of a key",
        FileOffset::from(key.cell()),
        "1 to 255 UTF-16 units without a backslash",
        format!("\"{}\"", Visible(&key.name().to_string())),
    )
}

#[cfg(test)]
mod tests {
    use super::super::Change;
    use super::*;
    use crate::Filetime;
    use crate::hive::Hive;
    use crate::value_type::ValueType;

    const NOW: Filetime = Filetime(2000);

    fn state(flag: u8, class: &[u8]) -> KeyState {
        let mut descriptor = vec![0; 20];
        descriptor.splice(..4, [1, 0, flag, 0x80]);
        KeyState {
            descriptor,
            class: class.to_vec(),
            last_written: Filetime(1),
            flags: 0,
            user_flags: 3,
        }
    }

    /// `A` with a value, a subkey with another descriptor and a class, and one below it.
    fn with_source() -> Hive {
        let hive = Hive::create(5, &state(0, b"").descriptor, Filetime(1)).expect("valid");
        let mut editor = Editor::new(hive, Filetime(1));
        for (key, flag) in [(r"A", 4), (r"A\b", 8), (r"A\b\C d", 12)] {
            editor.create_key(key).expect("created");
            editor
                .set_value(key, "V", ValueType(0xffff_0012), &vec![flag; 3000])
                .expect("set");
            editor
                .restore_key(key, &state(flag, b"c\0"))
                .expect("restored");
        }
        editor.finish().expect("finished").hive
    }

    fn content(hive: &Hive, key: &str) -> (KeyState, Vec<(String, ValueContent)>, Vec<String>) {
        let key = hive.key(key).expect("sound").expect("there");
        let values = key.values().expect("sound").map(|value| {
            let value = value.expect("sound");
            let content = ValueContent::of(&value).expect("sound");
            (value.name().to_string(), content)
        });
        let subkeys = key.subkeys().expect("sound");
        let subkeys = subkeys.map(|key| key.expect("sound").name().to_string());
        let state = KeyState {
            last_written: Filetime(0),
            ..KeyState::of(&key).expect("sound")
        };
        (state, values.collect(), subkeys.collect())
    }

    #[test]
    fn a_copy_has_everything_of_its_source() {
        let mut editor = Editor::new(with_source(), NOW);
        assert_eq!(
            editor.copy_key("a", r"X\New").expect("copied"),
            Outcome::Changed
        );
        assert_eq!(
            editor.copy_key("a", r"X\new").expect("there"),
            Outcome::Unchanged
        );
        let created = editor
            .changes()
            .list()
            .iter()
            .filter_map(|change| match change {
                Change::KeyCreated { key } => Some(key.as_str()),
                _ => None,
            });
        assert_eq!(
            created.collect::<Vec<_>>(),
            ["X", r"X\New", r"X\New\b", r"X\New\b\C d"]
        );
        let (hive, changes) = editor.finish().expect("finished").verify().expect("sound");
        assert_eq!(changes.len(), 7);
        let hive = crate::verify::Committable::from(hive);
        for below in ["", r"\b", r"\b\C d"] {
            let [from, to] = ["A", r"X\New"].map(|key| content(&hive, &format!("{key}{below}")));
            assert_eq!(from, to, "{below}");
        }
    }

    #[test]
    fn a_copy_below_its_source_is_one_of_what_was_there_before() {
        let mut editor = Editor::new(with_source(), NOW);
        editor.copy_key("A", r"A\b\Copy").expect("copied");
        let (hive, _) = editor.finish().expect("finished").verify().expect("sound");
        let hive = crate::verify::Committable::from(hive);
        assert!(hive.key(r"A\b\Copy\b\C d").expect("sound").is_some());
        assert!(hive.key(r"A\b\Copy\b\Copy").expect("sound").is_none());
    }

    #[test]
    fn what_can_not_be_copied_changes_nothing() {
        let mut editor = Editor::new(with_source(), NOW);
        let refused = editor.copy_key("None", "X").expect_err("missing");
        assert!(matches!(refused, EditError::NoSuchKey { .. }), "{refused}");
        let deep = vec!["d"; MAX_DEPTH - 1].join(r"\");
        let refused = editor.copy_key("A", &deep).expect_err("too deep");
        assert!(matches!(refused, EditError::TooDeep { .. }), "{refused}");
        assert!(editor.changes().is_empty());
        for number in 0..9 {
            let large = vec![1; 1 << 20];
            editor
                .set_value("A", &format!("L{number}"), ValueType::BINARY, &large)
                .expect("set");
        }
        let before = editor.changes().len();
        let refused = editor.copy_key("A", "X").expect_err("too large");
        assert!(
            matches!(refused, EditError::CopyTooLarge { .. }),
            "{refused}"
        );
        assert_eq!(editor.changes().len(), before);
        assert!(editor.key("X").expect("sound").is_none());
    }
}
