//! The hives that the recipes write, for other programs to judge.

use std::path::{Path, PathBuf};

use diskmend_disk::testing::FaultyDisk;

use super::content;

/// Writes the hives and boot stores in which a disk differs from `pristine` below
/// `$DISKMEND_KEEP_HIVES/NAME`, if that is set, and what they were before below `NAME.before`.
pub(super) fn keep_hives(name: &str, disk: &FaultyDisk, pristine: &FaultyDisk) {
    let Some(folder) = std::env::var_os("DISKMEND_KEEP_HIVES").map(PathBuf::from) else {
        return;
    };
    let (before, _) = content(pristine);
    for (path, bytes) in content(disk).0 {
        let old = before.get(&path);
        if !bytes.starts_with(b"regf") || old == Some(&bytes) {
            continue;
        }
        write(&folder.join(name).join(&path), &bytes);
        if let Some(old) = old {
            write(&folder.join(format!("{name}.before")).join(&path), old);
        }
    }
}

fn write(file: &Path, bytes: &[u8]) {
    std::fs::create_dir_all(file.parent().expect("a folder")).expect("folder");
    std::fs::write(file, bytes).expect("hive");
}
