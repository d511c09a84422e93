//! Security descriptors are walked and changed, and those of other objects are left alone.

use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::symlink;
use std::path::Path;

use diskmend_disk::{Change, Changed, Descriptors, Kind, NtPath, Object, ObjectError, Target};
use rustix::fs::{XattrFlags, getxattr, setxattr};

use crate::common::{Mount, run};
use crate::image::{NtfsImage, make_junction};

/// `O:BAG:BAD:P(A;;FA;;;SY)`, self-relative.
fn descriptor(mask: u32) -> Vec<u8> {
    const ADMINISTRATORS: [u8; 16] = [1, 2, 0, 0, 0, 0, 0, 5, 32, 0, 0, 0, 32, 2, 0, 0];
    const SYSTEM: [u8; 12] = [1, 1, 0, 0, 0, 0, 0, 5, 18, 0, 0, 0];
    let mut bytes = vec![1, 0, 0x04, 0x90];
    for offset in [48u32, 64, 0, 20] {
        bytes.extend(offset.to_le_bytes());
    }
    bytes.extend([2, 0, 28, 0, 1, 0, 0, 0, 0, 0, 20, 0]);
    bytes.extend(mask.to_le_bytes());
    bytes.extend(SYSTEM);
    bytes.extend(ADMINISTRATORS);
    bytes.extend(ADMINISTRATORS);
    bytes
}

fn attribute(path: &Path) -> Vec<u8> {
    let mut bytes = vec![0; 1 << 16];
    let len = getxattr(path, "system.ntfs_acl", &mut bytes[..]).unwrap();
    bytes.truncate(len);
    bytes
}

fn mounted() -> Option<(NtfsImage, Mount)> {
    let image = NtfsImage::new(64)?;
    let mount = image.mount()?;
    Some((image, mount))
}

fn descriptors(mount: &Mount) -> Box<dyn Descriptors> {
    let target = Target::open(mount.path()).unwrap();
    target.root().descriptors().unwrap().expect("NTFS")
}

fn walked(volume: &dyn Descriptors, path: &str) -> Vec<Object> {
    volume.walk(&NtPath::from(path)).flatten().collect()
}

fn find<'a>(objects: &'a [Object], path: &str) -> &'a Object {
    let mut found = objects
        .iter()
        .filter(|object| object.path.to_string() == path);
    let object = found.next().unwrap_or_else(|| panic!("{path} is missing"));
    assert!(found.next().is_none(), "{path} twice");
    object
}

fn change(path: &str, kind: Kind, before: Vec<u8>, mask: u32) -> Change {
    Change {
        path: NtPath::from(path),
        kind,
        before,
        after: descriptor(mask),
    }
}

#[test]
fn descriptors_are_walked_changed_and_read_back() {
    let Some((image, mount)) = mounted() else {
        return;
    };
    let keys = mount.path().join("Keys");
    fs::create_dir_all(keys.join("a/b")).unwrap();
    for number in 0..600 {
        fs::write(keys.join(format!("a/b/{number}")), "key").unwrap();
    }
    let lone = std::ffi::OsStr::from_bytes(b"a/lone \xED\xA0\x80");
    fs::write(keys.join(lone), "key").unwrap();
    let volume = descriptors(&mount);
    let (path, kind) = volume.find(&["KEYS"]).unwrap().expect("the folder");
    assert_eq!((path, kind), (NtPath::from("Keys"), Kind::Folder));
    assert_eq!(volume.find(&["KEYS", "c"]).unwrap(), None);

    let objects = walked(volume.as_ref(), "Keys");
    assert_eq!(objects.len(), 604);
    assert_eq!(objects[0].path, NtPath::from("Keys"));
    let changes: Vec<Change> = objects
        .into_iter()
        .map(|object| Change {
            kind: object.kind.unwrap(),
            before: object.descriptor.unwrap(),
            after: descriptor(0x12_0089),
            path: object.path,
        })
        .collect();
    assert!(
        changes
            .iter()
            .any(|change| change.path.to_string() == "Keys/a/lone <U+D800>")
    );
    for expected in [Changed::Set, Changed::AlreadyThere] {
        for result in volume.change(&changes) {
            assert_eq!(result.unwrap(), expected);
        }
    }
    volume.flush().unwrap();
    drop((volume, mount));

    let Some(mount) = image.mount() else { return };
    for path in ["Keys", "Keys/a", "Keys/a/b", "Keys/a/b/599"] {
        assert_eq!(
            attribute(&mount.path().join(path)),
            descriptor(0x12_0089),
            "{path}"
        );
    }
    assert_eq!(
        attribute(&keys_path(&mount).join(lone)),
        descriptor(0x12_0089)
    );
}

/// The first attempt has a short buffer.
#[test]
fn a_long_descriptor_is_read_whole() {
    let Some((_image, mount)) = mounted() else {
        return;
    };
    fs::create_dir(keys_path(&mount)).unwrap();
    // One entry is repeated; the owner and the group come before the DACL.
    let short = descriptor(0x12_0089);
    let (entries, dacl_len) = (300u16, 8 + 300 * 20u16);
    let mut long = short[..20].to_vec();
    for (at, offset) in [(4, 20u32), (8, 36), (16, 52)] {
        long[at..at + 4].copy_from_slice(&offset.to_le_bytes());
    }
    long.extend(&short[48..80]);
    long.extend([2, 0]);
    long.extend(dacl_len.to_le_bytes());
    long.extend(entries.to_le_bytes());
    long.extend([0, 0]);
    long.extend(short[28..48].repeat(entries.into()));
    let volume = descriptors(&mount);
    let found = volume.object(&NtPath::from("Keys"));
    let to_long = Change {
        path: NtPath::from("Keys"),
        kind: Kind::Folder,
        before: found.descriptor.unwrap(),
        after: long.clone(),
    };
    for result in volume.change(&[to_long]) {
        assert_eq!(result.unwrap(), Changed::Set);
    }
    let found = volume.object(&NtPath::from("Keys"));
    assert_eq!(found.descriptor.unwrap(), long);
}

fn keys_path(mount: &Mount) -> std::path::PathBuf {
    mount.path().join("Keys")
}

/// The folder contains links of every kind, a mount and a FIFO. The objects to which they lead must
/// not change.
#[test]
fn nothing_leads_out_of_the_folder() {
    let Some((image, mount)) = mounted() else {
        return;
    };
    let Some((_other, elsewhere)) = mounted() else {
        return;
    };
    let outside = mount.path().join("Outside");
    let keys = keys_path(&mount);
    for folder in [&outside, &keys, &keys.join("deep"), &keys.join("mounted")] {
        fs::create_dir_all(folder).unwrap();
    }
    fs::write(outside.join("secret"), "secret").unwrap();
    fs::write(elsewhere.path().join("secret"), "secret").unwrap();
    fs::write(keys.join("key"), "key").unwrap();
    fs::write(keys.join("short"), "key").unwrap();
    setxattr(
        keys.join("short"),
        "system.ntfs_dos_name",
        b"SH~1",
        XattrFlags::empty(),
    )
    .unwrap();
    symlink(&outside, keys.join("to folder")).unwrap();
    symlink("../Outside/secret", keys.join("deep/to file")).unwrap();
    symlink("/etc/passwd", keys.join("to passwd")).unwrap();
    symlink("nowhere", keys.join("dangling")).unwrap();
    fs::hard_link(outside.join("secret"), keys.join("hard")).unwrap();
    make_junction(&keys.join("junction"), "\\??\\C:\\Outside");
    run("mkfifo", &[keys.join("fifo").to_str().unwrap()]).unwrap();
    // The kernel still has the junction in its cache as the folder that it was before.
    drop(mount);
    let Some(mount) = image.mount() else { return };
    let keys = keys_path(&mount);
    let mounted = keys.join("mounted");
    let mounted = mounted.to_str().unwrap();
    let bind = ["--bind", elsewhere.path().to_str().unwrap(), mounted];
    run("mount", &bind).unwrap();
    let volume = descriptors(&mount);
    let objects = walked(volume.as_ref(), "Keys");
    run("umount", &[mounted]).unwrap();

    let left_alone = |path: &str| match &find(&objects, path).descriptor {
        Err(error) => {
            let has_other_names = matches!(error, ObjectError::HardLinked { .. });
            assert!(error.is_by_nature() != has_other_names, "{path}: {error}");
            error
        }
        Ok(_) => panic!("{path} was read"),
    };
    for link in [
        "to folder",
        "deep/to file",
        "to passwd",
        "dangling",
        "junction",
    ] {
        assert!(
            matches!(left_alone(&format!("Keys/{link}")), ObjectError::Link),
            "{link}"
        );
    }
    assert!(matches!(
        left_alone("Keys/hard"),
        ObjectError::HardLinked { names: 2 }
    ));
    assert!(matches!(left_alone("Keys/fifo"), ObjectError::Special));
    assert!(matches!(
        left_alone("Keys/mounted"),
        ObjectError::OtherVolume
    ));
    for sound in ["Keys", "Keys/key", "Keys/short", "Keys/deep"] {
        assert!(find(&objects, sound).descriptor.is_ok(), "{sound}");
    }
    assert_eq!(objects.len(), 12, "nothing else was entered: {objects:?}");

    // A link that replaces an object, or a folder on the way, between look-up and use.
    let before = attribute(&mount.path().join("Outside/secret"));
    let key = find(&objects, "Keys/key")
        .descriptor
        .as_ref()
        .unwrap()
        .clone();
    fs::remove_file(keys.join("key")).unwrap();
    symlink("../Outside/secret", keys.join("key")).unwrap();
    fs::remove_dir_all(keys.join("deep")).unwrap();
    symlink("../Outside", keys.join("deep")).unwrap();
    let results = volume.change(&[
        change("Keys/key", Kind::File, before.clone(), 1),
        change("Keys/deep/secret", Kind::File, before.clone(), 1),
        change("Keys/deep", Kind::Folder, before.clone(), 1),
        change("Keys/hard", Kind::File, before.clone(), 1),
        change("Keys/../Outside/secret", Kind::File, before.clone(), 1),
        change("Keys/short", Kind::Folder, key.clone(), 1),
        change("Keys/gone", Kind::File, key, 1),
        change("Keys/short", Kind::File, descriptor(7), 1),
    ]);
    let told: Vec<String> = results
        .iter()
        .map(|result| match result {
            Ok(changed) => format!("{changed:?}"),
            Err(error) => format!("{error:?}")
                .chars()
                .take_while(|c| c.is_alphanumeric())
                .collect(),
        })
        .collect();
    assert_eq!(
        told,
        [
            "Link",
            "Link",
            "Link",
            "HardLinked",
            "Io",
            "Other",
            "Io",
            "ChangedMeanwhile"
        ]
    );
    assert_eq!(attribute(&mount.path().join("Outside/secret")), before);
}

#[test]
fn a_file_system_without_descriptors_says_so() {
    let folder = tempfile::tempdir().unwrap();
    let target = Target::open(folder.path()).unwrap();
    assert!(target.root().descriptors().unwrap().is_none());
}

#[test]
fn endless_depth_is_not_followed() {
    let Some((_image, mount)) = mounted() else {
        return;
    };
    let mut path = keys_path(&mount);
    for _ in 0..70 {
        path.push("d");
    }
    fs::create_dir_all(&path).unwrap();
    let objects = walked(descriptors(&mount).as_ref(), "Keys");
    assert_eq!(objects.len(), 66);
    let last = objects.last().unwrap();
    assert!(matches!(
        last.descriptor,
        Err(ObjectError::TooDeep { depth: 64 })
    ));
}
