//! Reading the files of `icacls /save`.

#![expect(
    clippy::panic,
    reason = "a fuzz target tells what is wrong by panicking"
)]

use diskmend_acl::{SavedEntries, SavedEntry, SavedPart, write_saved};

use crate::descriptor::same_entries;
use crate::sddl::domains;

/// Reads a save file despite its errors. Each object that was read must be equal after it is
/// written and read again.
///
/// # Panics
/// If it is not equal.
pub fn acl_save(data: &[u8]) {
    let Ok(entries) = SavedEntries::new(data, domains()) else {
        return;
    };
    let mut count = 0;
    let mut last_line = 0;
    for entry in entries {
        count += 1;
        let Ok(entry) = entry else {
            continue;
        };
        assert!(entry.line > last_line, "lines go backwards");
        last_line = entry.line;
        comes_back(&entry, SavedPart::Dacl);
        comes_back(&entry, SavedPart::Owners);
    }
    assert!(count <= data.len() / 2, "more objects than characters");
}

fn comes_back(entry: &SavedEntry, part: SavedPart) {
    let mut bytes = Vec::new();
    if write_saved(&entry.path, &entry.descriptor, part, &mut bytes).is_err() {
        assert!(bytes.is_empty(), "written in part");
        return;
    }
    let read = SavedEntries::new(&bytes, domains()).map(Iterator::collect::<Vec<_>>);
    let Ok([Ok(read)]) = read.as_deref() else {
        panic!("{entry:?} does not come back: {read:?}");
    };
    assert_eq!(read.path, entry.path);
    let (read, saved) = (&read.descriptor, &entry.descriptor);
    match part {
        SavedPart::Owners => assert_eq!((read.owner, read.group), (saved.owner, saved.group)),
        // An absent DACL is saved as a NULL DACL.
        SavedPart::Dacl if saved.dacl.list().is_none() => assert!(read.dacl.list().is_none()),
        SavedPart::Dacl => assert!(same_entries(&read.dacl, &saved.dacl)),
    }
}
