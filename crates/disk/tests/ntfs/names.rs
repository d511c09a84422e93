//! Names on a volume that is not mounted.

use std::ffi::OsStr;
use std::fs;
use std::process::Command;

use diskmend_disk::{Access, LookupError, Target};

use crate::image::NtfsImage;

#[test]
fn names_on_a_disk_that_nobody_mounted_are_found_as_on_a_mount() {
    let Some(image) = NtfsImage::new(16) else {
        return;
    };
    let Some(mount) = image.mount() else {
        return;
    };
    for name in ["SYSTEM", "System", "Software"] {
        fs::write(mount.path().join(name), name).unwrap();
    }
    let long = mount.path().join("A long name.text");
    fs::write(&long, "long").unwrap();
    let set = Command::new("setfattr")
        .args(["-n", "system.ntfs_dos_name", "-v", "ALONGN~1.TEX"])
        .arg(&long)
        .status();
    assert!(set.unwrap().success(), "setfattr");
    let on_mount = look(&Target::open(mount.path()).unwrap());
    drop(mount);
    let on_disk = look(&Target::open(image.device().as_ref()).unwrap());
    assert_eq!(on_disk, on_mount);

    let target = Target::open(image.device().as_ref()).unwrap();
    let found = target.find(&["alongn~1.tex"]).unwrap().unwrap();
    assert_eq!(found.name(), OsStr::new("A long name.text"));
    let file = found.open_file(Access::Read).unwrap();
    let mut content = [0; 4];
    file.read_exact_at(&mut content, 0).unwrap();
    assert_eq!(&content, b"long");
}

/// What several names lead to.
fn look(target: &Target) -> Vec<String> {
    let names = [
        "SYSTEM",
        "System",
        "system",
        "SOFTWARE",
        "software",
        "none",
        "a LONG name.TEXT",
    ];
    let look = |name: &str| match target.find(&[name]) {
        Ok(None) => "nothing".to_owned(),
        Ok(Some(found)) => format!("{:?}", found.name()),
        Err(LookupError::Ambiguous { first, second, .. }) => format!("{first:?} or {second:?}"),
        Err(error) => panic!("{name}: {error}"),
    };
    names.iter().map(|name| look(name)).collect()
}
