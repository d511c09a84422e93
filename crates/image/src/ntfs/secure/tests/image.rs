//! Files with chosen descriptors, made and read through ntfs-3g.

use std::ffi::OsStr;
use std::fs::File;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use rustix::fs::{XattrFlags, getxattr, setxattr};

use crate::ntfs::tests::image::{Image, run};

const XATTR: &str = "system.ntfs_acl";

/// Makes a file for each of the descriptors, and returns the numbers of their records.
pub(super) fn make_files(image: &Image, descriptors: &[Vec<u8>]) -> Option<Vec<u64>> {
    image.mounted("permissions", |folder| {
        let mut records = Vec::new();
        for (number, descriptor) in descriptors.iter().enumerate() {
            let path = folder.join(format!("f{number}"));
            let file = File::create(&path).expect("a file");
            records.push(file.metadata().expect("metadata").ino());
            setxattr(&path, XATTR, descriptor, XattrFlags::empty()).expect("set");
        }
        records
    })
}

/// Sets the descriptors of the first files.
pub(super) fn set_files(image: &Image, descriptors: &[Vec<u8>]) {
    image.mounted("permissions", |folder| {
        for (number, descriptor) in descriptors.iter().enumerate() {
            let path = folder.join(format!("f{number}"));
            setxattr(&path, XATTR, descriptor, XattrFlags::empty()).expect("set");
        }
    });
}

/// Checks that the first files have these descriptors.
pub(super) fn compare(image: &Image, descriptors: &[&[u8]]) {
    image.mounted("permissions", |folder| {
        for (number, expected) in descriptors.iter().enumerate() {
            let found = descriptor_of(&folder.join(format!("f{number}")));
            assert!(found == *expected, "file {number}");
        }
    });
}

/// The descriptor of a file or folder, read through ntfs-3g.
pub(super) fn descriptor_of(path: &Path) -> Vec<u8> {
    // If the buffer is too small, ntfs-3g returns EIO.
    let mut found = vec![0; 1 << 16];
    let len = getxattr(path, XATTR, found.as_mut_slice()).expect("a descriptor");
    found.truncate(len);
    found
}

/// Has other programs check the volume, and $Secure in particular.
pub(super) fn check(image: &Image) {
    image.check();
    let path = image.path();
    let Some(output) = run("ntfssecaudit", &[OsStr::new("-a"), path.as_os_str()]) else {
        return;
    };
    let found = String::from_utf8_lossy(&output.stdout).into_owned();
    // The check reads on behind the second copies of $SDS, where it may find data of other files.
    for part in ["$SDS-1", "$SII", "$SDH"] {
        let sound = format!("\n0 errors in {part}\n");
        assert!(found.contains(&sound), "{found}");
    }
    let complete = "All keys are present in all lists";
    assert!(found.contains(complete), "{found}");
}

/// A descriptor with `more` entries after the first, different for each number.
pub(super) fn descriptor(number: u32, more: u32) -> Vec<u8> {
    // This spreads the hashes like those of real descriptors.
    let number = number.wrapping_mul(0x9E37_79B1);
    let sid = |parts: &[u32]| {
        let mut sid = vec![1, parts.len() as u8, 0, 0, 0, 0, 0, 5];
        sid.extend(parts.iter().flat_map(|part| part.to_le_bytes()));
        sid
    };
    let mut entries = Vec::new();
    for entry in 0..=more {
        let sid = sid(&[21, number, entry, 7, number % 1000]);
        let len = (8 + sid.len()) as u8;
        entries.extend([0, 0, len, 0, 0xFF, 1, 0x1F, 0]);
        entries.extend(sid);
    }
    let owner = sid(&[32, 544]);
    let acl_len = 8 + entries.len() as u32;
    let owner_at = 20 + acl_len;
    let mut bytes = vec![1, 0, 4, 0x80];
    for offset in [owner_at, owner_at + owner.len() as u32, 0, 20] {
        bytes.extend(offset.to_le_bytes());
    }
    bytes.extend([2, 0]);
    bytes.extend((acl_len as u16).to_le_bytes());
    bytes.extend((more as u16 + 1).to_le_bytes());
    bytes.extend([0, 0]);
    bytes.extend(entries);
    bytes.extend(&owner);
    bytes.extend(&owner);
    bytes
}
