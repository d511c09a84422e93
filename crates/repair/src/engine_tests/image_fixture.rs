//! Small unmounted disks, made with Linux tools: a Windows volume with a dirty hive and with keys
//! that SYSTEM can't read, and a boot volume.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::thread;
use std::time::Duration;

use diskmend_acl::{Domains, SecurityDescriptor};
use diskmend_disk::testing::FaultyDisk;
use rustix::fs::{XattrFlags, setxattr};

use super::boot_fixture::{BIOS, EFI, bios, efi};

pub(super) const KEYS: &str = "ProgramData/Microsoft/Crypto/RSA/MachineKeys";
/// The descriptor that a failed hardening leaves.
pub(super) const BROKEN: &str = "O:S-1-5-21-1-2-3-500G:SYD:P(D;;FA;;;SY)(D;;FR;;;NS)(A;;FA;;;SY)";
const FOLDER: &str = "O:SYG:SYD:PAI(A;;0x12019f;;;WD)(A;;FA;;;BA)";
pub(super) const KEY_FILES: usize = 3;
/// The extended attribute by which ntfs-3g shows security descriptors.
const SECURITY: &str = "system.ntfs_acl";

const SECTOR: usize = 512;
/// The first sector of the boot volume.
const BOOT_AT: usize = 63;
const BOOT_SECTORS: usize = 2 << 11;
const WINDOWS_AT: usize = BOOT_AT + BOOT_SECTORS;
const WINDOWS_SECTORS: usize = 4 << 11;
/// The offset of the first entry in the master boot record.
const ENTRIES: usize = 446;
const ENTRY_LEN: usize = 16;
/// The offset of the disk's signature in the master boot record.
const SIGNATURE_AT: usize = 0x1b8;

/// The kind of the boot volume.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Boot {
    /// A System Reserved partition, with a store for BIOS.
    Ntfs,
    /// An EFI system partition.
    Fat,
}

/// The format of the image file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Container {
    Raw,
    /// A dynamic VHD.
    Dynamic,
    Vhdx,
}

/// The bytes of an image file; `None`, with a message, if it can't be made on this machine.
pub(super) fn image(hive: &str, boot: Boot, container: Container) -> Option<Vec<u8>> {
    image_with(boot, container, |root| fill_windows(root, hive))
}

/// The bytes of an image file whose Windows volume has these files; `link` gets another name for
/// the first of its two.
pub(super) fn image_of(
    files: &BTreeMap<String, Vec<u8>>,
    link: Option<[&str; 2]>,
    container: Container,
) -> Option<Vec<u8>> {
    image_with(Boot::Ntfs, container, |root| {
        for (path, bytes) in files {
            put(root, path, bytes);
        }
        if let Some([old, new]) = link {
            fs::hard_link(root.join(old), root.join(new)).expect("linked");
        }
    })
}

/// The files below the folder `Windows` of a raw image, as ntfs-3g reads them, after ntfsfix has
/// found nothing to do; `None` if they aren't installed.
pub(super) fn read_with_tools(image: &[u8]) -> Option<BTreeMap<String, Vec<u8>>> {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("volume");
    let volume = image[WINDOWS_AT * SECTOR..][..WINDOWS_SECTORS * SECTOR].to_vec();
    fs::write(&path, volume).expect("written");
    let argument = path.to_str().expect("a plain path");
    let said = run("ntfsfix", &["--no-action", argument])?;
    assert!(said.contains("processed successfully"), "{said}");
    let mount = Mount::new(argument, &folder.path().join("mounted"))?;
    let mut files = BTreeMap::new();
    add_files(&mount.folder, "Windows", &mut files);
    Some(files)
}

fn add_files(root: &Path, path: &str, files: &mut BTreeMap<String, Vec<u8>>) {
    for entry in fs::read_dir(root.join(path)).expect("listed") {
        let entry = entry.expect("listed");
        let name = entry.file_name().into_string().expect("Unicode");
        let below = format!("{path}/{name}");
        if entry.file_type().expect("known").is_dir() {
            add_files(root, &below, files);
        } else {
            let bytes = fs::read(entry.path()).expect("readable");
            files.insert(below, bytes);
        }
    }
}

/// The bytes of an image file whose Windows volume has the files and descriptors of another disk.
pub(super) fn image_like(disk: &FaultyDisk) -> Option<Vec<u8>> {
    let mut image = image_with(Boot::Ntfs, Container::Raw, |root| {
        for (path, bytes) in disk.files() {
            put(root, &path, &bytes);
        }
        for (path, descriptor) in disk.descriptors() {
            set_descriptor(&root.join(path), &descriptor);
        }
    })?;
    image[SIGNATURE_AT..][..4].copy_from_slice(&0x1a2b_3c4d_u32.to_le_bytes());
    Some(image)
}

/// The bytes of an image file with an EFI system partition and a Windows for EFI.
pub(super) fn efi_image(hive: &str) -> Option<Vec<u8>> {
    let mut image = image_with(Boot::Fat, Container::Raw, |root| {
        fill_windows(root, hive);
        put(root, "Windows/System32/winload.efi", b"MZ");
    })?;
    image[SIGNATURE_AT..][..4].copy_from_slice(&0x1a2b_3c4d_u32.to_le_bytes());
    Some(image)
}

fn image_with(boot: Boot, container: Container, fill: impl FnOnce(&Path)) -> Option<Vec<u8>> {
    let folder = tempfile::tempdir().expect("a folder");
    let mut disk = vec![0; (WINDOWS_AT + WINDOWS_SECTORS) * SECTOR];
    let kind = match boot {
        Boot::Ntfs => 7,
        Boot::Fat => 0xEF,
    };
    add_partition(&mut disk, 0, kind, BOOT_AT, BOOT_SECTORS);
    add_partition(&mut disk, 1, 7, WINDOWS_AT, WINDOWS_SECTORS);
    disk[510..512].copy_from_slice(&[0x55, 0xAA]);
    let boot = match boot {
        Boot::Ntfs => ntfs(folder.path(), BOOT_AT, BOOT_SECTORS, |root| {
            put(root, BIOS, &bios().bytes());
            put(root, &format!("{BIOS}.LOG"), &[]);
        })?,
        Boot::Fat => fat(folder.path(), BOOT_SECTORS)?,
    };
    disk[BOOT_AT * SECTOR..][..boot.len()].copy_from_slice(&boot);
    let windows = ntfs(folder.path(), WINDOWS_AT, WINDOWS_SECTORS, fill)?;
    disk[WINDOWS_AT * SECTOR..][..windows.len()].copy_from_slice(&windows);
    contained(folder.path(), disk, container)
}

fn fill_windows(root: &Path, hive: &str) {
    let fixture = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fixtures");
    for entry in fs::read_dir(fixture.join(hive)).expect("the fixture") {
        let entry = entry.expect("an entry");
        let name = entry.file_name().into_string().expect("a plain name");
        if name.starts_with("SYSTEM") {
            let bytes = fs::read(entry.path()).expect("the file");
            put(root, &format!("Windows/System32/config/{name}"), &bytes);
            // These are between the files of the hive, which therefore can't all grow in one piece.
            put(root, &format!("Windows/{name}.txt"), &[0x55; 3000]);
        }
    }
    for number in 0..KEY_FILES {
        let key = format!("{KEYS}/{number}");
        put(root, &key, b"key");
        secure(&root.join(key), BROKEN);
    }
    secure(&root.join(KEYS), FOLDER);
}

pub(super) fn bytes(sddl: &str) -> Vec<u8> {
    let descriptor = SecurityDescriptor::from_sddl(sddl, &Domains::default()).expect(sddl);
    descriptor.to_bytes().expect("small")
}

fn secure(path: &Path, sddl: &str) {
    set_descriptor(path, &bytes(sddl));
}

fn set_descriptor(path: &Path, bytes: &[u8]) {
    setxattr(path, SECURITY, bytes, XattrFlags::empty()).expect("a descriptor");
}

fn put(root: &Path, path: &str, bytes: &[u8]) {
    let path = root.join(path);
    fs::create_dir_all(path.parent().expect("a folder")).expect("created");
    fs::write(path, bytes).expect("written");
}

/// Fills in an entry of the partition table.
fn add_partition(disk: &mut [u8], index: usize, kind: u8, start: usize, sectors: usize) {
    let entry = &mut disk[ENTRIES + index * ENTRY_LEN..][..ENTRY_LEN];
    entry[0] = if index == 0 { 0x80 } else { 0 };
    entry[4] = kind;
    entry[8..12].copy_from_slice(&(start as u32).to_le_bytes());
    entry[12..16].copy_from_slice(&(sectors as u32).to_le_bytes());
}

/// An NTFS volume that ntfs-3g has filled.
fn ntfs(folder: &Path, start: usize, sectors: usize, fill: impl FnOnce(&Path)) -> Option<Vec<u8>> {
    let path = new_file(folder, "volume", sectors);
    let start = start.to_string();
    let arguments = [
        "-F", "-Q", "-q", "-c", "1024", "-s", "512", "-H", "16", "-S", "63", "-p",
    ];
    let path_argument = path.to_str().expect("a plain path");
    run(
        "mkntfs",
        &[&arguments[..], &[&start, path_argument]].concat(),
    )?;
    let mount = Mount::new(path_argument, &folder.join("mounted"))?;
    fill(&mount.folder);
    drop(mount);
    Some(fs::read(path).expect("readable"))
}

/// A FAT volume with a boot manager and a boot store for EFI.
fn fat(folder: &Path, sectors: usize) -> Option<Vec<u8>> {
    let path = new_file(folder, "esp", sectors);
    let store = folder.join("BCD");
    fs::write(&store, efi().bytes()).expect("written");
    let image = path.to_str().expect("a plain path");
    run("mkfs.fat", &[image])?;
    let mut above = String::new();
    let parts: Vec<&str> = EFI.split('/').collect();
    for part in &parts[..parts.len() - 1] {
        above = format!("{above}/{part}");
        run("mmd", &["-i", image, &format!("::{above}")])?;
    }
    let store = store.to_str().expect("a plain path");
    run("mcopy", &["-i", image, store, &format!("::{EFI}")])?;
    let manager = folder.join("bootmgfw.efi");
    fs::write(&manager, b"MZ").expect("written");
    let manager = manager.to_str().expect("a plain path");
    run(
        "mcopy",
        &["-i", image, manager, &format!("::{above}/bootmgfw.efi")],
    )?;
    Some(fs::read(path).expect("readable"))
}

fn new_file(folder: &Path, name: &str, sectors: usize) -> PathBuf {
    let path = folder.join(name);
    let file = fs::File::create(&path).expect("a file");
    file.set_len((sectors * SECTOR) as u64).expect("a length");
    path
}

fn contained(folder: &Path, disk: Vec<u8>, container: Container) -> Option<Vec<u8>> {
    let (format, options) = match container {
        Container::Raw => return Some(disk),
        Container::Dynamic => ("vpc", "subformat=dynamic,force_size=on"),
        Container::Vhdx => ("vhdx", "subformat=dynamic,block_size=1048576"),
    };
    let raw = folder.join("raw");
    let made = folder.join("made");
    fs::write(&raw, disk).expect("written");
    let paths = [&raw, &made].map(|path| path.to_str().expect("a plain path"));
    let arguments = ["convert", "-f", "raw", "-O", format, "-o", options];
    run("qemu-img", &[&arguments[..], &paths].concat())?;
    Some(fs::read(made).expect("readable"))
}

/// Runs a program and returns its output; `None`, with a message, if it can't be run.
fn run(program: &str, arguments: &[&str]) -> Option<String> {
    let missing = |why: &dyn std::fmt::Display| {
        assert!(
            std::env::var_os("DISKMEND_NO_SKIP").is_none(),
            "{program}: {why}"
        );
        eprintln!("SKIPPED: {program}: {why}");
    };
    match Command::new(program).args(arguments).output() {
        Err(error) => missing(&error),
        Ok(output) if !output.status.success() => {
            missing(&String::from_utf8_lossy(&output.stderr));
        }
        Ok(output) => return Some(String::from_utf8_lossy(&output.stdout).trim().to_owned()),
    }
    None
}

/// A mounted volume; it is unmounted even if the test fails.
struct Mount {
    folder: PathBuf,
    device: String,
}

impl Mount {
    fn new(image: &str, folder: &Path) -> Option<Self> {
        fs::create_dir_all(folder).expect("a folder");
        let mount = Self {
            folder: folder.to_owned(),
            device: run("losetup", &["--find", "--show", image])?,
        };
        let folder = folder.to_str().expect("a plain path");
        let arguments = ["-t", "ntfs-3g", "-o", "permissions", &mount.device, folder];
        run("mount", &arguments)?;
        Some(mount)
    }
}

impl Drop for Mount {
    fn drop(&mut self) {
        // For a moment, a program that another test is starting has our open files.
        for _ in 0..100 {
            match Command::new("umount").arg(&self.folder).output() {
                Ok(output) if !output.status.success() => thread::sleep(Duration::from_millis(50)),
                _ => break,
            }
        }
        let detach = [OsStr::new("--detach"), OsStr::new(&self.device)];
        let _ = Command::new("losetup").args(detach).output();
    }
}
