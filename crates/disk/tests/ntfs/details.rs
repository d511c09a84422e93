//! A removed file comes back with everything that it had, through ntfs-3g.

use std::fs;
use std::io::ErrorKind;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use diskmend_disk::{Dir, Target};
use rustix::fs::{XattrFlags, getxattr, setxattr};

use crate::common::Mount;
use crate::image::NtfsImage;

const CONTENT: &[u8] = b"MZ, and more";

fn set(path: &Path, name: &str, value: &[u8]) {
    setxattr(path, name, value, XattrFlags::empty()).unwrap_or_else(|e| panic!("{name}: {e}"));
}

fn get(path: &Path, name: &str) -> Vec<u8> {
    let mut value = vec![0; 1 << 16];
    let len = getxattr(path, name, &mut value[..]).unwrap_or_else(|e| panic!("{name}: {e}"));
    value.truncate(len);
    value
}

/// A mounted volume with a file in a folder.
fn mounted() -> Option<(NtfsImage, Mount)> {
    let image = NtfsImage::new(16)?;
    let mount = image.mount()?;
    let folder = mount.path().join("drivers");
    fs::create_dir(&folder).unwrap();
    fs::write(folder.join("bad.sys"), CONTENT).unwrap();
    Some((image, mount))
}

fn drivers(mount: &Mount) -> Box<dyn Dir> {
    let target = Target::open(mount.path()).unwrap();
    target.root().open_dir("drivers").unwrap()
}

#[test]
fn a_file_comes_back_with_attributes_times_descriptor_and_streams() {
    let Some((_image, mount)) = mounted() else {
        return;
    };
    let path = mount.path().join("drivers/bad.sys");
    let mut descriptor = get(&path, "system.ntfs_acl");
    set(
        &path,
        "user.Zone.Identifier",
        b"[ZoneTransfer]\r\nZoneId=3\r\n",
    );
    set(&path, "user.other", &[7; 5000]);
    set(&path, "system.ntfs_attrib", &0x2027_u32.to_le_bytes());
    // Another owner: S-1-5-32-545.
    let owner = u32::from_le_bytes(descriptor[4..8].try_into().unwrap()) as usize;
    assert_eq!(descriptor[owner + 1], 2, "{descriptor:02x?}");
    descriptor[owner + 12..owner + 16].copy_from_slice(&545_u32.to_le_bytes());
    set(&path, "system.ntfs_acl", &descriptor);
    let times = [1_u64, 2, 3, 4].map(|day| 130_000_000_000_000_000 + day * 864_000_000_000);
    let times: Vec<u8> = times.into_iter().flat_map(u64::to_le_bytes).collect();
    set(&path, "system.ntfs_times", &times);

    let folder = drivers(&mount);
    folder.can_remove("bad.sys").unwrap();
    let details = folder.details("bad.sys").unwrap();
    assert_eq!(details.attributes, Some(0x2027));
    assert_eq!(details.descriptor, Some(descriptor.clone()));
    assert_eq!(details.streams.len(), 2);
    let inode = fs::metadata(&path).unwrap().ino();
    folder.remove_file("bad.sys").unwrap();
    // Another file gets the record.
    fs::write(mount.path().join("drivers/between"), b"").unwrap();
    let mut file = folder.create("bad.sys").unwrap();
    file.write_all_at(CONTENT, 0).unwrap();
    file.sync().unwrap();
    drop(file);
    assert_ne!(fs::metadata(&path).unwrap().ino(), inode);
    folder.set_details("bad.sys", &details).unwrap();

    assert_eq!(folder.details("bad.sys").unwrap(), details);
    assert_eq!(fs::read(&path).unwrap(), CONTENT);
    // Reading may have changed the time of the last access.
    let found = get(&path, "system.ntfs_times");
    assert_eq!(found[..16], times[..16]);
    assert_eq!(get(&path, "system.ntfs_acl"), descriptor);
    assert_eq!(get(&path, "user.other"), [7; 5000]);
    let attributes = get(&path, "system.ntfs_attrib");
    assert_eq!(attributes, 0x2027_u32.to_le_bytes());
}

#[test]
fn what_could_not_come_back_is_not_removed() {
    let Some((_image, mount)) = mounted() else {
        return;
    };
    let path = mount.path().join("drivers");
    fs::hard_link(path.join("bad.sys"), mount.path().join("elsewhere")).unwrap();
    std::os::unix::fs::symlink("bad.sys", path.join("link")).unwrap();
    fs::create_dir(path.join("packed")).unwrap();
    set(
        &path.join("packed"),
        "system.ntfs_attrib",
        &0x810_u32.to_le_bytes(),
    );
    fs::write(path.join("packed/file"), [1; 100_000]).unwrap();
    let sparse = fs::File::create(path.join("sparse")).unwrap();
    sparse.set_len(10 << 20).unwrap();
    drop(sparse);
    let folder = drivers(&mount);
    let packed = folder.open_dir("packed").unwrap();
    for (folder, name, why) in [
        (&folder, "bad.sys", "2 names"),
        (&folder, "link", "link"),
        (&packed, "file", "compressed"),
        (&folder, "sparse", "sparse"),
    ] {
        let error = folder.can_remove(name).unwrap_err();
        assert!(error.to_string().contains(why), "{name}: {error}");
        assert_ne!(error.kind(), ErrorKind::NotFound);
    }
}

/// A mount option can hide named streams, and removing the file would lose them.
#[test]
fn a_file_with_streams_that_the_driver_hides_is_not_removed() {
    let Some((image, mount)) = mounted() else {
        return;
    };
    set(
        &mount.path().join("drivers/bad.sys"),
        "user.hidden",
        b"data",
    );
    drop(mount);
    let hiding = "permissions,streams_interface=none";
    let options = ["-t", "ntfs-3g", "-o", hiding, image.device()];
    let Some(mount) = Mount::new(&options) else {
        return;
    };
    let error = drivers(&mount).can_remove("bad.sys").unwrap_err();
    assert!(error.to_string().contains("named streams"), "{error}");
}
