//! Files and folders that Windows starts from: each has one place, whatever a forged index says.

use std::collections::HashMap;

use crate::folder::Folder;
use crate::nt_path::NtPath;

/// Folders whose own files are known too.
const FILLED: [&[&str]; 3] = [
    &["Windows", "System32", "config"],
    &["Boot"],
    &["EFI", "Microsoft", "Boot"],
];
/// Others, and files.
const KNOWN: [&[&str]; 14] = [
    &["Windows"],
    &["Windows", "System32"],
    &["Windows", "System32", "drivers"],
    &["ProgramData"],
    &["ProgramData", "Microsoft"],
    &["Users"],
    &["Program Files"],
    &["Program Files (x86)"],
    &["System Volume Information"],
    &["EFI"],
    &["bootmgr"],
    &["pagefile.sys"],
    &["swapfile.sys"],
    &["hiberfil.sys"],
];
/// Most names that are looked at in a folder.
const MAX_NAMES: usize = 4096;

/// The paths of what Windows starts from, by inode. What can't be looked up is left out: it can't be
/// mistaken for something else either, unless the driver is asked for it there.
pub(super) fn known(root: &Folder, device: u64) -> HashMap<u64, NtPath> {
    let mut known = HashMap::new();
    let mut note = |path: NtPath, found: crate::metadata::Metadata| {
        if found.identity.device == device {
            known.entry(found.identity.inode).or_insert(path);
        }
    };
    if let Ok(metadata) = root.own_metadata() {
        note(NtPath::default(), metadata);
    }
    for path in KNOWN.iter().chain(&FILLED) {
        let Ok(Some(found)) = root.find(path) else {
            continue;
        };
        let Some(at) = super::spelled(found.path()) else {
            continue;
        };
        note(at.clone(), *found.metadata());
        if !FILLED.contains(path) {
            continue;
        }
        let listed = found
            .folder()
            .open_dir(found.name())
            .and_then(|folder| folder.list(MAX_NAMES));
        for entry in listed.unwrap_or_default() {
            if let Some(path) = at.join(&entry.name) {
                note(path, entry.metadata);
            }
        }
    }
    known
}
