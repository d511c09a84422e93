//! A repair of an unmounted disk has the same result as on its mounted volumes, in every format.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::time::{SystemTime, UNIX_EPOCH};

use rustix::fs::{XattrFlags, setxattr};

use crate::common::{run, skipped};
use crate::image::make_junction;
use crate::image_disk::{Container, ImageDisk, Layout};
use crate::ntfs_disk::{Content, KEYS, content, others_find_no_error, secure};
use crate::program::{Run, diskmend};

/// The folder of the boot store on an EFI machine.
const EFI_BOOT: &str = "EFI/Microsoft/Boot";

/// The content of a disk.
#[derive(Debug, PartialEq, Eq)]
struct Whole {
    windows: Content,
    /// The System Reserved partition.
    reserved: Option<Content>,
    /// The folder of the boot store on the EFI system partition.
    efi: BTreeMap<String, Vec<u8>>,
}

/// The present time in intervals of 100 ns since 1601.
fn filetime() -> u64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH);
    let now = now.expect("after 1970").as_nanos() / 100;
    u64::try_from(now).expect("before 60000") + 116_444_736_000_000_000
}

/// A hive or log with zeros in place of times after `since`, and of checksums that depend on them.
fn without_times(mut bytes: Vec<u8>, since: u64) -> Vec<u8> {
    let now = filetime();
    if bytes.len() < 512 || !bytes.starts_with(b"regf") {
        return bytes;
    }
    for at in (0..bytes.len().saturating_sub(7)).step_by(4) {
        let time = bytes[at..at + 8].try_into().expect("8 bytes");
        if (since..=now).contains(&u64::from_le_bytes(time)) {
            bytes[at..at + 8].fill(0);
        }
    }
    // The checksum of the base block, and the two hashes of each log entry.
    bytes[508..512].fill(0);
    for at in (512..bytes.len()).step_by(512) {
        if bytes[at..].starts_with(b"HvLE") {
            bytes[at + 24..at + 40].fill(0);
        }
    }
    bytes
}

impl Whole {
    /// The content of a raw disk.
    fn of(disk: &ImageDisk) -> Option<Self> {
        let read = |part| {
            let volume = disk.mount_with(part, "ro,permissions")?;
            Some(content(volume.path()))
        };
        let windows = read(disk.windows)?;
        let mut efi = BTreeMap::new();
        let reserved = match disk.layout() {
            Layout::Mbr => Some(read(disk.boot)?),
            Layout::Gpt => {
                for name in ["BCD", "BCD.LOG", "BCD.LOG1", "BCD.LOG2"] {
                    let bytes = disk.read_esp(&format!("{EFI_BOOT}/{name}"));
                    efi.extend(bytes.map(|bytes| (name.to_owned(), bytes)));
                }
                None
            }
        };
        Some(Self {
            windows,
            reserved,
            efi,
        })
    }

    fn without_times(mut self, since: u64) -> Self {
        let volumes = [Some(&mut self.windows), self.reserved.as_mut()];
        let files = volumes
            .into_iter()
            .flatten()
            .flat_map(|volume| volume.files.values_mut());
        for file in files.chain(self.efi.values_mut()) {
            *file = without_times(std::mem::take(file), since);
        }
        self
    }

    /// Checks that both contents are equal, and names the files that differ.
    #[track_caller]
    fn is(&self, other: &Self) {
        let volumes = |whole: &Self| {
            let windows = whole.windows.files.clone().into_iter();
            let reserved = whole.reserved.iter();
            let reserved = reserved.flat_map(|volume| volume.files.clone());
            let efi = whole.efi.clone().into_iter();
            let efi = efi.map(|(name, bytes)| (name.into(), bytes));
            windows
                .chain(reserved)
                .chain(efi)
                .collect::<BTreeMap<_, _>>()
        };
        let (found, wanted) = (volumes(self), volumes(other));
        let names = |files: &BTreeMap<_, _>| files.keys().cloned().collect::<Vec<_>>();
        assert_eq!(names(&found), names(&wanted));
        for (name, bytes) in &found {
            let wanted = &wanted[name];
            assert_eq!(bytes.len(), wanted.len(), "{}", name.display());
            let differs = bytes.iter().zip(wanted).position(|(a, b)| a != b);
            assert_eq!(differs, None, "{}", name.display());
        }
        assert!(self == other, "descriptors differ");
    }
}

/// Makes a symbolic link like those of Windows ([MS-FSCC] 2.1.2.4, Symbolic Link Reparse Data
/// Buffer).
fn make_symlink(path: &Path, target: &str) {
    let name: Vec<u8> = target.encode_utf16().flat_map(u16::to_le_bytes).collect();
    let len = u16::try_from(name.len()).expect("short");
    let mut data = Vec::new();
    // Both names use the same bytes; an absolute name has no flags.
    for field in [0, len, 0, len, 0, 0] {
        data.extend(field.to_le_bytes());
    }
    data.extend(name);
    let mut reparse = 0xA000_000Cu32.to_le_bytes().to_vec();
    let len = u16::try_from(data.len()).expect("short");
    reparse.extend(len.to_le_bytes());
    reparse.extend([0, 0]);
    reparse.extend(data);
    fs::write(path, "").expect("writable");
    let set = setxattr(
        path,
        "system.ntfs_reparse_data",
        &reparse,
        XattrFlags::empty(),
    );
    set.expect("a reparse point");
}

/// More keys than are changed together. The later ones get descriptors that the volume then has.
const MANY: usize = 700;

/// Adds what can be in a folder of keys besides some files.
fn plant(root: &Path) {
    let keys = root.join(KEYS);
    for number in 0..MANY {
        let key = keys.join(format!("{number:032x}_key"));
        fs::write(&key, "key").expect("writable");
        let account = 1000 + number % 3;
        let owner = format!("S-1-5-21-1-2-3-{account}");
        secure(
            &key,
            &format!("O:{owner}G:SYD:PAI(D;;FR;;;NS)(A;;FA;;;{owner})"),
        );
    }
    fs::write(keys.join("open"), "key").expect("writable");
    secure(&keys.join("open"), "O:BAG:SYD:NO_ACCESS_CONTROL");
    let outside = root.join("Outside");
    fs::create_dir(&outside).expect("writable");
    fs::write(outside.join("secret"), "secret").expect("writable");
    // For Windows, this is not a link but a file.
    symlink("../../../../../Outside", keys.join("interix")).expect("writable");
    make_symlink(&keys.join("link"), r"\??\C:\Outside\secret");
    make_junction(&keys.join("junction"), r"\??\C:\Outside");
    fs::hard_link(outside.join("secret"), keys.join("linked")).expect("writable");
    let Some(corpus) = std::env::var_os("DISKMEND_CORPUS") else {
        println!("SKIPPED: DISKMEND_CORPUS is not set: a fixture stands for a real hive");
        return;
    };
    let config = root.join("Windows/System32/config");
    for entry in fs::read_dir(&config).expect("a folder") {
        fs::remove_file(entry.expect("readable").path()).expect("writable");
    }
    for suffix in ["", ".LOG1", ".LOG2"] {
        let from = Path::new(&corpus).join(format!("hives/regipy/SYSTEM_B{suffix}"));
        let bytes = fs::read(from).expect("the corpus");
        fs::write(config.join(format!("SYSTEM{suffix}")), bytes).expect("writable");
    }
}

/// Makes the same repair on the mounted volumes of a copy. Returns the run and the resulting
/// content.
fn on_a_mount(disk: &ImageDisk) -> Option<(Run, Whole)> {
    let copy = disk.raw()?;
    let state = copy.beside("state");
    let folder = copy.beside("efi");
    let boot = match copy.layout() {
        Layout::Mbr => Some(copy.mount(copy.boot)?),
        Layout::Gpt => {
            let boot = Path::new(&folder).join(EFI_BOOT);
            fs::create_dir_all(&boot).expect("writable");
            let store = copy.read_esp(&format!("{EFI_BOOT}/BCD")).expect("a store");
            fs::write(boot.join("BCD"), store).expect("writable");
            None
        }
    };
    let windows = copy.mount(copy.windows)?;
    let volume = boot.as_ref().map_or(folder.as_str(), |boot| boot.root());
    let run = diskmend([
        "repair",
        windows.root(),
        "rdp-internal-error",
        "--yes",
        "--boot-volume",
        volume,
        "--state-dir",
        &state,
    ]);
    drop(windows);
    drop(boot);
    let mut whole = Whole::of(&copy)?;
    if copy.layout() == Layout::Gpt {
        let boot = Path::new(&folder).join(EFI_BOOT);
        whole.efi = crate::fixture::files(&boot);
    }
    Some((run, whole))
}

/// Checks that other tools find no errors on the disk.
fn is_sound(disk: &ImageDisk, raw: &ImageDisk) {
    let check = |part| {
        let device = raw.attach(part).expect("attached before");
        others_find_no_error(device.path());
    };
    check(raw.windows);
    match raw.layout() {
        Layout::Mbr => check(raw.boot),
        Layout::Gpt => {
            let device = raw.attach(raw.boot).expect("attached before");
            run("fsck.fat", &["-n", device.path()]).expect("fsck.fat finds no error");
        }
    }
    if disk.container().is_vhdx() {
        run("qemu-img", &["check", disk.path()]).expect("qemu-img finds no error");
    }
    run("sfdisk", &["--verify", raw.path()]).expect("sfdisk finds no error");
}

/// Inspects, repairs, repairs again and undoes a disk.
fn lives(base: &ImageDisk, container: Container, reference: &(Run, Whole), since: u64) {
    let Some(disk) = base.convert(container) else {
        return;
    };
    let before = disk.snapshot();
    diskmend(["disks", disk.path()]).ends(0);
    diskmend(["inspect", disk.path(), "rdp-internal-error"]).ends(3);
    diskmend(["plan", disk.path(), "rdp-internal-error"]).ends(3);
    disk.is_untouched_since(&before);
    assert!(!Path::new(&disk.beside("disk.diskmend")).exists());

    let (on_mount, wanted) = reference;
    let repair = ["repair", disk.path(), "rdp-internal-error", "--yes"];
    let run = diskmend(repair).ends(on_mount.code);
    for link in ["link", "junction"] {
        let left = format!("{KEYS}/{link} is left alone");
        assert!(run.stderr.contains(&left), "{}", run.stderr);
    }
    let raw = disk.raw().expect("converted before");
    is_sound(&disk, &raw);
    let found = Whole::of(&raw).expect("mounted before");
    found.without_times(since).is(wanted);

    let repaired = disk.snapshot();
    diskmend(repair).ends(on_mount.code);
    disk.is_untouched_since(&repaired);

    let undone = diskmend(["undo", disk.path(), "--yes"]).ends(0);
    assert!(undone.stdout.contains("byte for byte"), "{}", undone.stdout);
    disk.has_bytes_of(&before);
}

fn all_live(layout: Layout, sector: u64, containers: &[Container]) {
    let since = filetime();
    let Some(base) = ImageDisk::with_sectors(layout, sector) else {
        return;
    };
    match base.mount(base.windows) {
        Some(volume) => plant(volume.path()),
        None => return,
    }
    let Some((run, wanted)) = on_a_mount(&base) else {
        return;
    };
    let reference = (run, wanted.without_times(since));
    for container in containers {
        lives(&base, *container, &reference, since);
    }
}

#[test]
fn an_efi_disk_in_a_vhdx_is_repaired_as_a_mount_is() {
    all_live(Layout::Gpt, 512, &[Container::VhdxDynamic, Container::Raw]);
}

#[test]
fn a_bios_disk_in_a_fixed_vhd_is_repaired_as_a_mount_is() {
    all_live(
        Layout::Mbr,
        512,
        &[Container::VhdFixed, Container::VhdDynamic],
    );
}

#[test]
fn a_disk_in_a_fixed_vhdx_is_repaired_as_a_mount_is() {
    all_live(Layout::Mbr, 512, &[Container::VhdxFixed]);
}

#[test]
fn a_disk_with_sectors_of_4096_bytes_is_repaired_as_a_mount_is() {
    all_live(Layout::Gpt, 4096, &[Container::Raw]);
}

#[test]
fn a_sparse_disk_of_4_tib_is_repaired_and_undone() {
    let Some(disk) = ImageDisk::with_room(Layout::Gpt, 4 << 40) else {
        return;
    };
    let before = disk.beside("before.img");
    run("cp", &["--sparse=always", disk.path(), &before]).expect("a copy of what is in it");
    let repair = ["repair", disk.path(), "rdp-internal-error", "--yes"];
    diskmend(repair).ends(0);
    {
        let device = disk.attach(disk.windows).expect("attached before");
        others_find_no_error(device.path());
    }
    let again = diskmend(repair).ends(0).stdout;
    assert!(again.contains("nothing to do"), "{again}");
    diskmend(["undo", disk.path(), "--yes"]).ends(0);
    let compare = ["compare", "-f", "raw", "-F", "raw", disk.path(), &before];
    match run("qemu-img", &compare) {
        Ok(compared) => assert!(compared.contains("identical"), "{compared}"),
        Err(error) => skipped("qemu-img (Debian package qemu-utils)", &error),
    }
}
