//! The security descriptors that Windows has written to real registry hives.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use diskmend_acl::{Domains, SddlParts, SecurityDescriptor};

/// The offset of the descriptor in a security cell, from its signature `sk`.
const DESCRIPTOR: usize = 20;

#[test]
fn descriptors_of_real_hives_come_back_byte_for_byte() {
    let Some(corpus) = std::env::var_os("DISKMEND_CORPUS") else {
        println!("SKIPPED: DISKMEND_CORPUS is not set, no real hives were read");
        return;
    };
    let mut descriptors = BTreeSet::new();
    for file in files(&Path::new(&corpus).join("hives")) {
        // A log contains pages of a hive, and a page can end within a descriptor.
        let is_log = file.to_string_lossy().contains(".LOG");
        let bytes = std::fs::read(file).unwrap();
        if !is_log && bytes.starts_with(b"regf") {
            descriptors.extend(security_cells(&bytes).map(<[u8]>::to_vec));
        }
    }
    for bytes in &descriptors {
        let descriptor = SecurityDescriptor::from_bytes(bytes).unwrap();
        assert!(descriptor.is_exact(bytes));
        let sddl = descriptor.to_sddl(SddlParts::All).unwrap();
        let read = SecurityDescriptor::from_sddl(&sddl, &Domains::default()).unwrap();
        assert!(read.means_the_same(&descriptor), "{sddl}");
    }
    println!("{} descriptors", descriptors.len());
    assert!(descriptors.len() > 500);
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(files(&path));
        } else {
            found.push(path);
        }
    }
    found
}

/// The descriptors of everything that looks like an allocated security cell.
fn security_cells(hive: &[u8]) -> impl Iterator<Item = &[u8]> {
    let number = |at: usize| Some(u32::from_le_bytes(*hive.get(at..)?.first_chunk()?));
    (4100..hive.len()).step_by(8).filter_map(move |at| {
        let cell = number(at - 4)?.cast_signed();
        let len = number(at + 16)? as usize;
        let starts = hive.get(at..)?.starts_with(b"sk");
        let allocated = cell < 0 && len <= cell.unsigned_abs() as usize;
        (starts && allocated && len >= DESCRIPTOR)
            .then(|| hive.get(at + DESCRIPTOR..at + DESCRIPTOR + len))
            .flatten()
    })
}
