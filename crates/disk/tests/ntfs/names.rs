//! Names on a volume that is not mounted.

use std::fs;
use std::process::Command;

use diskmend_disk::{Access, LookupError, Target};

use crate::image::NtfsImage;

#[test]
fn names_on_an_unmounted_disk_are_found_as_on_a_mount() {
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
    let found = target.root().find(&["alongn~1.tex"]).unwrap().unwrap();
    assert_eq!(found.name, "A long name.text");
    let file = found.open(Access::Read).unwrap();
    let mut content = [0; 4];
    file.read_exact_at(&mut content, 0).unwrap();
    assert_eq!(&content, b"long");
}

#[test]
fn a_short_name_is_not_a_second_name_of_a_file() {
    let Some(image) = NtfsImage::new(16) else {
        return;
    };
    let Some(mount) = image.mount() else {
        return;
    };
    for (name, short) in [
        ("SYSTEM.LOG1", Some("SYSTEM~1.LOG")),
        ("SYSTEM.LOG2", None),
        ("SYSTEM", Some("SYSTEM")),
        ("SOFTWARE", Some("SOFTWARE")),
        ("linked.LOG1", Some("LINKED~1.LOG")),
    ] {
        let path = mount.path().join(name);
        fs::write(&path, name).unwrap();
        if let Some(short) = short {
            let set = Command::new("setfattr")
                .args(["-n", "system.ntfs_dos_name", "-v", short])
                .arg(&path)
                .status();
            assert!(set.unwrap().success(), "setfattr");
        }
    }
    for (name, second) in [("SOFTWARE", "BCD.LOG1"), ("linked.LOG1", "other")] {
        let name = mount.path().join(name);
        fs::hard_link(name, mount.path().join(second)).unwrap();
    }
    let expected = [
        ("SYSTEM.LOG1", 1),
        ("SYSTEM.LOG2", 1),
        ("SYSTEM", 1),
        ("SOFTWARE", 2),
        ("BCD.LOG1", 2),
    ];
    let names = |target: &Target| {
        let found = |name: &str| target.root().find(&[name]).unwrap().unwrap();
        let names = |name: &str| found(name).open(Access::Read).unwrap().names();
        for (name, count) in expected {
            assert_eq!(names(name).unwrap(), count, "{name}");
        }
        assert!(names("linked.LOG1").unwrap() > 1);
    };
    names(&Target::open(mount.path()).unwrap());
    drop(mount);
    names(&Target::open(image.device().as_ref()).unwrap());
}

/// The results of looking up several names.
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
    let look = |name: &str| match target.root().find(&[name]) {
        Ok(None) => "nothing".to_owned(),
        Ok(Some(found)) => format!("{:?}", found.name),
        Err(LookupError::Ambiguous { first, second, .. }) => format!("{first:?} or {second:?}"),
        Err(error) => panic!("{name}: {error}"),
    };
    names.iter().map(|name| look(name)).collect()
}
