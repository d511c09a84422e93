//! A Windows volume on real NTFS, mounted with ntfs-3g on a loop device, with a hive, a boot store
//! and keys.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use diskmend_acl::{Domains, SddlParts, SecurityDescriptor};
use rustix::fs::{XattrFlags, getxattr, setxattr};

use crate::common::{Mount, run};
use crate::fixture::copy_fixture;
use crate::image::NtfsImage;

/// The folder of the machine's keys.
pub(crate) const KEYS: &str = "ProgramData/Microsoft/Crypto/RSA/MachineKeys";
/// The names of Remote Desktop's key and of another key.
pub(crate) const RDP_KEY: &str =
    "f686aace6942fb7f7ceb231212eef4a4_7d2fb2f2-6f3a-4a52-9d0d-0d2c6e3c5a11";
pub(crate) const OTHER_KEY: &str =
    "76944fb33636aeddb9590521c2e8815a_7d2fb2f2-6f3a-4a52-9d0d-0d2c6e3c5a11";
/// The descriptors that Windows sets on the folder, and up to build 14393 on Remote Desktop's key.
pub(crate) const DEFAULT_FOLDER: &str = "O:SYG:SYD:PAI(A;;0x12019f;;;WD)(A;;FA;;;BA)";
pub(crate) const DEFAULT_KEY: &str = "O:SYG:SYD:(A;;FA;;;SY)(A;;FR;;;NS)(A;;FR;;;BA)";

/// The descriptors after a failed hardening: whatever icacls grants, the entries that deny stay.
pub(crate) const BROKEN_FOLDER: &str = "O:SYG:SYD:P(D;OICI;FA;;;SY)(A;;0x12019f;;;WD)(A;;FA;;;BA)";
pub(crate) const BROKEN_KEY: &str =
    "O:S-1-5-21-1-2-3-500G:SYD:P(D;;FR;;;NS)(D;;FA;;;SY)(A;;FR;;;NS)";
/// The descriptor of a key after the repair.
pub(crate) const REPAIRED_KEY: &str = "O:BAG:SYD:P(A;;FR;;;NS)(A;;FA;;;SY)(A;;FA;;;BA)";

/// The path of a key.
pub(crate) fn key_path(name: &str) -> String {
    format!("{KEYS}/{name}")
}

/// The content of the volume: the bytes of each file, and the security descriptor of each object.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Content {
    pub(crate) files: BTreeMap<PathBuf, Vec<u8>>,
    pub(crate) descriptors: BTreeMap<PathBuf, Vec<u8>>,
}

pub(crate) struct NtfsDisk {
    image: NtfsImage,
    mount: Option<Mount>,
}

impl NtfsDisk {
    /// A volume with a dirty SYSTEM hive, a boot store and two sound keys. If it can't be made,
    /// reports that and returns `None`.
    pub(crate) fn new() -> Option<Self> {
        let image = NtfsImage::new(96)?;
        let mount = image.mount()?;
        let disk = Self {
            image,
            mount: Some(mount),
        };
        windows(disk.mounted());
        fs::create_dir_all(disk.path("Boot")).expect("writable");
        fs::write(disk.path("Boot/BCD"), fixture_store("bcd-bios")).expect("writable");
        Some(disk)
    }

    /// Such a volume with keys that nobody can use.
    pub(crate) fn broken() -> Option<Self> {
        let disk = Self::new()?;
        break_keys(disk.mounted());
        Some(disk)
    }

    pub(crate) fn image(&self) -> &NtfsImage {
        &self.image
    }

    fn mounted(&self) -> &Path {
        self.mount.as_ref().expect("mounted").path()
    }

    /// The path of the volume's root, as an argument.
    pub(crate) fn root(&self) -> &str {
        self.mounted().to_str().expect("UTF-8")
    }

    pub(crate) fn path(&self, path: &str) -> PathBuf {
        self.mounted().join(path)
    }

    pub(crate) fn key(&self, name: &str) -> PathBuf {
        self.path(KEYS).join(name)
    }

    pub(crate) fn unmount(&mut self) {
        self.mount = None;
    }

    /// Mounts it anew, so that nothing of it is in the kernel's cache.
    pub(crate) fn remount(&mut self) {
        self.unmount();
        self.mount = self.image.mount();
        assert!(self.mount.is_some(), "it was mounted before");
    }

    pub(crate) fn secure(&self, path: &str, sddl: &str) {
        secure(&self.path(path), sddl);
    }

    pub(crate) fn secure_bytes(&self, path: &str, bytes: &[u8]) {
        secure_bytes(&self.path(path), bytes);
    }

    pub(crate) fn sddl(&self, path: &str) -> String {
        sddl(&self.path(path))
    }

    /// The content of the volume without diskmend's own folder.
    pub(crate) fn content(&self) -> Content {
        content(self.mounted())
    }
}

/// Creates a dirty SYSTEM hive and two sound keys on a volume.
pub(crate) fn windows(root: &Path) {
    let config = root.join("Windows/System32/config");
    fs::create_dir_all(&config).expect("writable");
    copy_fixture("dirty-hvle-log1", &config);
    fs::create_dir_all(root.join(KEYS)).expect("writable");
    secure(&root.join(KEYS), DEFAULT_FOLDER);
    for key in [RDP_KEY, OTHER_KEY] {
        let path = root.join(key_path(key));
        fs::write(&path, key).expect("writable");
        secure(&path, DEFAULT_KEY);
    }
}

/// Removes the access of the services that need the keys of a volume.
pub(crate) fn break_keys(root: &Path) {
    secure(&root.join(KEYS), BROKEN_FOLDER);
    for key in [RDP_KEY, OTHER_KEY] {
        secure(&root.join(key_path(key)), BROKEN_KEY);
    }
}

pub(crate) fn secure(path: &Path, sddl: &str) {
    let descriptor = SecurityDescriptor::from_sddl(sddl, &Domains::default()).expect(sddl);
    secure_bytes(path, &descriptor.to_bytes().expect("small"));
}

fn secure_bytes(path: &Path, bytes: &[u8]) {
    let set = setxattr(path, "system.ntfs_acl", bytes, XattrFlags::empty());
    set.unwrap_or_else(|error| panic!("{}: {error}", path.display()));
}

/// The content of a volume without diskmend's own folder.
pub(crate) fn content(root: &Path) -> Content {
    let mut content = Content {
        files: BTreeMap::new(),
        descriptors: BTreeMap::new(),
    };
    let mut pending = vec![PathBuf::new()];
    while let Some(folder) = pending.pop() {
        for entry in fs::read_dir(root.join(&folder)).expect("readable") {
            let entry = entry.expect("readable");
            let path = folder.join(entry.file_name());
            let metadata = entry.path().symlink_metadata();
            let kind = metadata.expect("readable").file_type();
            if path == Path::new("diskmend") || kind.is_symlink() {
                continue;
            }
            let bytes = descriptor(&entry.path());
            content.descriptors.insert(path.clone(), bytes);
            if kind.is_dir() {
                pending.push(path);
            } else if kind.is_file() {
                let bytes = fs::read(entry.path()).expect("readable");
                content.files.insert(path, bytes);
            }
        }
    }
    content
}

/// The bytes of an object's security descriptor.
pub(crate) fn descriptor(path: &Path) -> Vec<u8> {
    let mut bytes = vec![0; 1 << 16];
    let len = getxattr(path, "system.ntfs_acl", &mut bytes[..]).expect("a security descriptor");
    bytes.truncate(len);
    bytes
}

pub(crate) fn sddl(path: &Path) -> String {
    let descriptor = SecurityDescriptor::from_bytes(&descriptor(path)).expect("sound");
    descriptor.to_sddl(SddlParts::All).expect("plain")
}

/// The boot store of a fixture: `bcd-bios` or `bcd-efi`.
pub(crate) fn fixture_store(name: &str) -> Vec<u8> {
    let fixtures = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fixtures");
    fs::read(fixtures.join(name).join("BCD")).expect("a fixture")
}

/// Checks that other tools find no errors in the unmounted volume on a device.
pub(crate) fn others_find_no_error(device: &str) {
    run("ntfsfix", &["-n", device]).expect("ntfsfix finds no error");
    run("ntfsinfo", &["-m", device]).expect("ntfsinfo reads it");
    let audit = Command::new("ntfssecaudit").args(["-a", device]).output();
    let audit = audit.expect("ntfssecaudit");
    let said = String::from_utf8_lossy(&audit.stdout).into_owned();
    let says = |text: &str| assert!(said.contains(text), "{text}:\n{said}");
    says("All keys are present in all lists");
    for list in ["$SDS-1", "$SII", "$SDH"] {
        says(&format!("0 errors in {list}"));
    }
    // ntfssecaudit reads on after the end of the second copy, and may find something there that
    // looks like an entry. Before that, it must find as many entries as in the first copy.
    let entries = |copy: &str| {
        let line = said
            .lines()
            .find(|line| line.ends_with(&format!("entries in {copy}")));
        line.map(|line| line.trim_end_matches(copy).to_owned())
    };
    assert!(
        entries("$SDS-1").is_some() && entries("$SDS-1") == entries("$SDS-2"),
        "{said}"
    );
}
