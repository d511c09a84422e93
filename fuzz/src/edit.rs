//! Edits of hives that may be corrupt, and commits of those that are sound.

#![expect(
    clippy::expect_used,
    clippy::panic,
    reason = "a fuzz target tells what is wrong by panicking"
)]

use diskmend_hive::check::check;
use diskmend_hive::commit::{CommitError, Options, execute, plan};
use diskmend_hive::{Committable, Editor, Filetime, Logs, Opened, ValueType, VerifyError, open};
use xtask::memory_file::MemoryHive;

use crate::hive_input::HiveInput;
use crate::{settled, walk};

/// The maximum number of edits; each takes four bytes of the input.
const MAX_STEPS: usize = 16;
const MAX_PATHS: usize = 200;

/// Edits a hive. A sound hive must stay sound; for another, any error is allowed.
///
/// # Panics
/// If a sound hive does not stay sound.
pub fn edit(data: &[u8]) {
    let input = HiveInput::parse(data);
    let [bytes, ..] = input.files;
    let Some(hive) = settled(bytes.clone()) else {
        return;
    };
    let report = check(&hive);
    let (was_sound, was_spotless) = (report.is_sound(), report.problems.is_empty());
    let paths = walk::paths(&hive, MAX_PATHS);
    let mut editor = Editor::new(hive, Filetime(1)).with_new_descriptors(below);
    for step in input.rest.as_chunks::<4>().0.iter().take(MAX_STEPS) {
        apply(&mut editor, &paths, *step, was_spotless);
    }
    let Ok(edited) = editor.finish() else {
        // A warning can prevent an edit, for example a reference count at its maximum.
        assert!(!was_spotless, "a hive without problems could not be edited");
        return;
    };
    if was_sound {
        match edited.verify() {
            Ok((verified, _)) => commits(&verified.into(), &bytes),
            // Because of a warning, such as two keys of one name, a look-up can find another place.
            Err(VerifyError::OtherThanEdited { .. }) if !was_spotless => {}
            Err(error) => panic!("after edits: {error:?}"),
        }
    }
}

/// Makes one edit. The step's bytes choose the kind of edit, the key, the name and the length of
/// the data.
fn apply(editor: &mut Editor, paths: &[String], step: [u8; 4], was_spotless: bool) {
    let [kind, place, name, amount] = step;
    let known = paths.get(usize::from(place) % paths.len().max(1));
    let path = known.map_or("", String::as_str);
    let name = format!("v{}", name % 8);
    let result = match kind % 7 {
        0 => editor.create_key(&format!("{path}\\{name}\\{name}")),
        1 => editor.delete_key(path),
        2 | 3 => {
            let longest = 16_u32.pow(u32::from(kind / 7 % 4) + 1);
            let len = (u32::from(amount) * longest / 256) as usize;
            let data = vec![amount; len];
            editor.set_value(path, &name, ValueType(u32::from(kind)), &data)
        }
        4 => editor.delete_value(path, &name),
        6 => editor.set_descriptor(path, &descriptor(name.len(), amount)),
        _ => (0..u16::from(amount) * 2).try_fold(diskmend_hive::Outcome::Unchanged, |_, index| {
            editor.create_key(&format!("{path}\\many{index}"))
        }),
    };
    if let Err(error) = result
        && was_spotless
    {
        use diskmend_hive::EditError;
        let is_about_arguments = matches!(
            error,
            EditError::NoSuchKey { .. }
                | EditError::NotDeletable { .. }
                | EditError::Unsupported { .. }
                | EditError::Name { .. }
                | EditError::Descriptor { .. }
                | EditError::TooDeep { .. }
                | EditError::DataTooLong { .. }
        );
        assert!(
            is_about_arguments,
            "a hive without problems refused an edit: {error}"
        );
    }
}

/// A descriptor without parts; now and then one that no key can have. Some are as long as others but
/// have other control flags.
fn descriptor(len: usize, amount: u8) -> Vec<u8> {
    let mut bytes = vec![0; 20 + usize::from(amount / 16) * 4];
    bytes.truncate(if amount == 255 { len } else { bytes.len() });
    bytes.splice(
        ..4.min(bytes.len()),
        [1, 0, amount & 0x0C, 0x80].into_iter().take(bytes.len()),
    );
    bytes
}

/// Computes the descriptor of a new key: that of its parent with another control flag.
fn below(parent: &[u8]) -> Option<Vec<u8>> {
    let mut own = parent.to_vec();
    *own.get_mut(2)? ^= 0x04;
    Some(own)
}

/// Commits the hive to its file. The file must then open as clean, with the same bins.
fn commits(hive: &Committable, file: &[u8]) {
    let options = Options {
        now: Filetime(2),
        format: None,
        with_log: true,
    };
    let mut files = MemoryHive::new(file.to_vec());
    let plan = match plan(hive, &Logs::default(), &options) {
        // No sequence number is left, and an old log could apply if numbers started again.
        Err(CommitError::NoSequence { .. }) => return,
        plan => plan.expect("a sound hive can be committed"),
    };
    execute(&plan, &mut files).expect("memory does not fail");
    match open(Box::new(files.primary().to_vec())) {
        Ok(Opened::Clean(committed)) => {
            // The first bin has a new timestamp; nothing else may have changed.
            let bins = [&committed, &**hive].map(|hive| hive.image().bins().get(32..));
            assert!(bins[0] == bins[1], "committed bins differ");
        }
        Ok(Opened::Dirty(dirty)) => panic!("dirty after a commit: {}", dirty.state()),
        Err(error) => panic!("does not open after a commit: {error}"),
    }
}
