//! Edits of hives that may be corrupt.

use diskmend_hive::check::check;
use diskmend_hive::{Editor, Filetime, Opened, ValueType};

use super::{settled, walk};

/// Bytes at the end of the input that say what to edit: four for each edit.
const SCRIPT_LEN: usize = 64;
const MAX_PATHS: usize = 200;

/// Edits a hive. What was sound before must be sound after; what was not may give any error.
///
/// # Panics
/// Where a sound hive does not stay sound.
pub fn edit(data: &[u8]) {
    let Some((bytes, script)) = data.split_last_chunk::<SCRIPT_LEN>() else {
        return;
    };
    let Some(hive) = settled(bytes) else {
        return;
    };
    let was_sound = check(&hive).is_sound();
    let paths = walk::paths(&hive, MAX_PATHS);
    let mut editor = Editor::new(hive, Filetime(1));
    for step in script.as_chunks::<4>().0 {
        apply(&mut editor, &paths, *step, was_sound);
    }
    let Ok(edited) = editor.finish() else {
        assert!(!was_sound, "a sound hive could not be edited");
        return;
    };
    if was_sound {
        let report = check(edited.hive());
        assert!(
            report.is_sound(),
            "unsound after edits: {:#?}",
            report.problems
        );
        reopens(edited.hive().image().file());
    }
}

/// One edit; the step's bytes say which, of which key, of which name, with how much data.
fn apply(editor: &mut Editor, paths: &[String], step: [u8; 4], was_sound: bool) {
    let [kind, place, name, amount] = step;
    let known = paths.get(usize::from(place) % paths.len().max(1));
    let path = known.map_or("", String::as_str);
    let name = format!("v{}", name % 8);
    let result = match kind % 6 {
        0 => editor.create_key(&format!("{path}\\{name}\\{name}")),
        1 => editor.delete_key(path),
        2 | 3 => {
            let longest = 16_u32.pow(u32::from(kind / 6 % 4) + 1);
            let len = (u32::from(amount) * longest / 256) as usize;
            let data = vec![amount; len];
            editor.set_value(path, &name, ValueType(u32::from(kind)), &data)
        }
        4 => editor.delete_value(path, &name),
        _ => (0..u16::from(amount) * 2).try_fold(diskmend_hive::Outcome::Unchanged, |_, index| {
            editor.create_key(&format!("{path}\\many{index}"))
        }),
    };
    if let Err(error) = result
        && was_sound
    {
        use diskmend_hive::EditError;
        let is_about_arguments = matches!(
            error,
            EditError::NoSuchKey { .. }
                | EditError::NotDeletable { .. }
                | EditError::Unsupported { .. }
                | EditError::Name { .. }
                | EditError::TooDeep { .. }
                | EditError::DataTooLong { .. }
        );
        assert!(is_about_arguments, "a sound hive refused an edit: {error}");
    }
}

/// The base block of an edited hive is not sealed yet, so it opens as clean or as dirty.
fn reopens(file: &[u8]) {
    let opened = diskmend_hive::open(Box::new(file.to_vec()));
    let hive = match opened {
        Ok(Opened::Clean(hive)) => Ok(hive),
        Ok(Opened::Dirty(hive)) => hive.assume_clean(),
        Err(error) => Err(error),
    };
    assert!(hive.is_ok(), "does not open after edits: {:?}", hive.err());
}
