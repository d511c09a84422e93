//! Forged index entries that lead to files in other folders, on an unmounted disk.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use crate::image_disk::{ImageDisk, Layout};
use crate::ntfs_disk::{KEYS, OTHER_KEY, RDP_KEY, REPAIRED_KEY, descriptor, key_path, sddl};
use crate::program::diskmend;

const CONFIG: &str = "Windows/System32/config";

/// The reference of a file; ntfs-3g shows the number of its record.
fn reference(path: &Path) -> u64 {
    let metadata = fs::metadata(path).expect("there");
    metadata.ino() | 1 << 48
}

/// Makes the entry of `file` in the index of `folder` lead to another file.
fn forge(disk: &ImageDisk, file: u64, folder: u64, other: u64) {
    let len = usize::try_from(disk.windows.len).expect("small");
    let bytes = disk.read_at(len, disk.windows.start);
    let mut forged = 0;
    for at in (0..len - 32).step_by(8) {
        let number = |at: usize| u64::from_le_bytes(bytes[at..at + 8].try_into().expect("8 bytes"));
        if number(at) == file && number(at + 16) == folder {
            disk.write_at(&other.to_le_bytes(), disk.windows.start + at as u64);
            forged += 1;
        }
    }
    assert!(forged > 0, "no entry of {file:#x} in {folder:#x}");
}

/// A disk, and the references of the folder of keys, of a key, and of another hive.
fn disk() -> Option<(ImageDisk, [u64; 3])> {
    let disk = ImageDisk::new(Layout::Mbr)?;
    let volume = disk.mount(disk.windows)?;
    let at = |path: &str| volume.path().join(path);
    fs::write(at(&format!("{CONFIG}/SAM")), [7; 5000]).expect("writable");
    let paths = [
        KEYS.to_owned(),
        key_path(OTHER_KEY),
        format!("{CONFIG}/SAM"),
    ];
    let references = paths.map(|path| reference(&at(&path)));
    drop(volume);
    Some((disk, references))
}

/// The descriptors of the files to which a forged entry leads, and of those below them.
fn descriptors(disk: &ImageDisk) -> Vec<Vec<u8>> {
    let volume = disk.mount_with(disk.windows, "ro,permissions,show_sys_files");
    let volume = volume.expect("mounted before");
    let config = ["SAM", "SYSTEM"].map(|hive| format!("{CONFIG}/{hive}"));
    let paths = ["", "$Boot", "Windows", CONFIG].map(str::to_owned);
    let paths = paths.into_iter().chain(config);
    paths
        .map(|path| descriptor(&volume.path().join(path)))
        .collect()
}

/// With one changed entry in the folder of keys, `repair machine-keys` once gave NETWORK SERVICE
/// access to SAM. With `$Boot` or the root in the entry, it changed the volume's own files or
/// everything below the root.
#[test]
fn a_forged_entry_does_not_lead_to_a_file_in_another_folder() {
    let Some((disk, [keys, key, sam])) = disk() else {
        return;
    };
    let others = descriptors(&disk);
    let at = |record: u64, sequence: u64| record | sequence << 48;
    for (what, other) in [
        ("SAM", sam),
        ("SAM as it was before", sam + (1 << 48)),
        ("the root", at(5, 5)),
        ("$Boot", at(7, 7)),
        ("the folder itself", keys),
    ] {
        let disk = disk.raw().expect("copied");
        forge(&disk, key, keys, other);
        let before = disk.snapshot();
        let run = diskmend(["repair", disk.path(), "machine-keys", "--yes"]).ends(4);
        assert!(run.stderr.contains(OTHER_KEY), "{what}: {}", run.stderr);
        assert_eq!(descriptors(&disk), others, "{what}");
        {
            let volume = disk.mount_with(disk.windows, "ro,permissions");
            let volume = volume.expect("mounted before");
            let found = sddl(&volume.path().join(key_path(RDP_KEY)));
            assert_eq!(found, REPAIRED_KEY, "{what}");
        }
        // The whole tree is walked, and the walk ends.
        diskmend(["acl", "show", KEYS, "--target", disk.path(), "--tree"]).ends(4);
        diskmend(["undo", disk.path(), "--yes"]).ends(0);
        disk.has_bytes_of(&before);
    }
}

/// If the name of a hive leads to another file, that file is neither read nor written.
#[test]
fn a_forged_name_of_a_hive_is_refused() {
    let Some((disk, [_, _, sam])) = disk() else {
        return;
    };
    let (system, config) = {
        let volume = disk.mount(disk.windows).expect("mounted before");
        let config = volume.path().join(CONFIG);
        let hive = fs::read(config.join("SYSTEM")).expect("a hive");
        fs::write(config.join("SAM"), hive).expect("writable");
        (reference(&config.join("SYSTEM")), reference(&config))
    };
    forge(&disk, system, config, sam);
    let before = disk.snapshot();
    for verb in ["inspect", "plan"] {
        let run = diskmend([verb, disk.path(), "tls"]);
        assert!(![0, 3].contains(&run.code), "{verb} ends with {}", run.code);
        assert!(
            run.stderr.contains("according to its own record"),
            "{}",
            run.stderr
        );
    }
    let run = diskmend(["repair", disk.path(), "tls", "--yes"]);
    assert!([1, 5].contains(&run.code), "{}", run.code);
    disk.has_bytes_of(&before);
}
