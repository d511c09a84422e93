//! A mounted volume on which an attacker has changed the index of folders: an entry leads to a file
//! in another folder, or a folder contains itself.

use std::fs;
use std::os::unix::fs::{FileExt, MetadataExt};
use std::path::PathBuf;

use diskmend_disk::{Access, Change, Descriptors, Kind, NtPath, Object, ObjectError, Target};
use rustix::fs::{XattrFlags, getxattr, setxattr};

use crate::common::Mount;
use crate::image::NtfsImage;

const KEYS: &str = "ProgramData/MachineKeys";
const CONFIG: &str = "Windows/System32/config";
/// `O:BAG:BAD:P(A;;mask;;;SY)`, self-relative.
fn descriptor(mask: u32) -> Vec<u8> {
    let words = [
        0x9004_0001u32,
        48,
        48,
        0,
        20,
        0x001C_0002,
        1,
        0x0014_0000,
        mask,
        0x0101,
        0x0500_0000,
        18,
        0x0201,
        0x0500_0000,
        32,
        544,
    ];
    words.iter().flat_map(|word| word.to_le_bytes()).collect()
}

/// A mounted volume with a forged index.
struct Forged {
    image: NtfsImage,
    mount: Option<Mount>,
}

impl Forged {
    fn new() -> Option<Self> {
        let image = NtfsImage::new(64)?;
        let mount = Some(image.mount()?);
        let forged = Self { image, mount };
        for folder in [KEYS, CONFIG, "ProgramData/Deep/Inner", "Users"] {
            fs::create_dir_all(forged.path(folder)).expect("writable");
        }
        for file in [
            "ProgramData/MachineKeys/key",
            "ProgramData/MachineKeys/other",
        ] {
            forged.write(file);
        }
        for file in ["Windows/System32/config/SAM", "Users/private"] {
            forged.write(file);
        }
        Some(forged)
    }

    fn write(&self, path: &str) {
        fs::write(self.path(path), path).expect("writable");
        let bytes = descriptor(0x1F_01FF);
        setxattr(
            self.path(path),
            "system.ntfs_acl",
            &bytes,
            XattrFlags::empty(),
        )
        .expect("NTFS");
    }

    fn path(&self, path: &str) -> PathBuf {
        self.mount.as_ref().expect("mounted").path().join(path)
    }

    fn number(&self, path: &str) -> u64 {
        fs::symlink_metadata(self.path(path)).expect(path).ino()
    }

    fn sddl(&self, path: &str) -> Vec<u8> {
        let mut bytes = vec![0; 1 << 16];
        let len = getxattr(self.path(path), "system.ntfs_acl", &mut bytes[..]).expect(path);
        bytes.truncate(len);
        bytes
    }

    /// Makes the entries of names in folders lead to other records.
    fn forge(&mut self, entries: &[(&str, &str, u64)]) {
        let entries: Vec<(u64, &str, u64)> = entries
            .iter()
            .map(|(folder, name, to)| (self.number(folder), *name, *to))
            .collect();
        self.change(|device| {
            for (folder, name, to) in entries {
                forge(device, folder, name, to);
            }
        });
    }

    /// Changes the device while it is not mounted.
    fn change(&mut self, change: impl FnOnce(&fs::File)) {
        self.mount = None;
        let mut options = fs::File::options();
        options.read(true).write(true);
        let device = options.open(self.image.device()).expect("a device");
        change(&device);
        device.sync_all().expect("a device");
        drop(device);
        self.mount = self.image.mount();
        assert!(self.mount.is_some(), "it was mounted before");
    }

    /// Mounts a copy in a file that is then renamed, so that diskmend can't read its records.
    fn mount_without_device(&mut self) -> Option<tempfile::TempDir> {
        self.mount = None;
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join("disk.img");
        fs::write(&file, fs::read(self.image.device()).expect("a device")).expect("room");
        let source = file.to_str().expect("UTF-8");
        self.mount = Mount::by("ntfs-3g", &["-o", "permissions", source]);
        self.mount.as_ref()?;
        fs::rename(&file, folder.path().join("moved.img")).expect("writable");
        Some(folder)
    }

    fn descriptors(&self) -> Box<dyn Descriptors> {
        let target = Target::open(&self.path("")).expect("a folder");
        target.root().descriptors().expect("NTFS").expect("NTFS")
    }
}

/// The offset of a record of 1024 bytes in an $MFT of one piece.
fn record_at(device: &fs::File, number: u64) -> u64 {
    let mut boot = [0; 512];
    device.read_exact_at(&mut boot, 0).expect("a boot sector");
    let sector = u64::from(u16::from_le_bytes([boot[11], boot[12]]));
    let cluster = sector * u64::from(boot[13]);
    let mft = u64::from_le_bytes(boot[48..56].try_into().expect("8 bytes"));
    assert_eq!(boot[64] as i8, -10, "records of 1024 bytes");
    mft * cluster + number * 1024
}

fn record(device: &fs::File, number: u64) -> [u8; 1024] {
    let mut record = [0; 1024];
    let at = record_at(device, number);
    device.read_exact_at(&mut record, at).expect("a record");
    assert_eq!(&record[..4], b"FILE");
    swap_protected(&mut record);
    record
}

/// Exchanges the ends of the sectors with the copies of them in the update sequence array.
fn swap_protected(record: &mut [u8; 1024]) {
    let array = usize::from(u16::from_le_bytes([record[4], record[5]]));
    for sector in 0..2 {
        let end = (sector + 1) * 512 - 2;
        let kept = array + 2 + 2 * sector;
        let protected = record[end..end + 2] == record[array..array + 2];
        if protected {
            record.copy_within(kept..kept + 2, end);
        } else {
            record.copy_within(end..end + 2, kept);
            record.copy_within(array..array + 2, end);
        }
    }
}

/// Changes the reference in the entry of a name in the index root of a folder.
fn forge(device: &fs::File, folder: u64, name: &str, to: u64) {
    /// The distance from the start of an entry to the name in it.
    const TO_NAME: usize = 16 + 66;

    let sequence = record(device, to)[16..18].to_vec();
    let mut bytes = record(device, folder);
    let name: Vec<u8> = name.encode_utf16().flat_map(u16::to_le_bytes).collect();
    // The first attributes contain the folder's own name.
    let root = bytes
        .windows(4)
        .rposition(|window| window == 0x90u32.to_le_bytes())
        .expect("an index root");
    let at = bytes[root..]
        .windows(name.len())
        .position(|window| window == name)
        .expect("the name")
        + root
        - TO_NAME;
    let mut reference = to.to_le_bytes();
    reference[6..].copy_from_slice(&sequence);
    bytes[at..at + 8].copy_from_slice(&reference);
    swap_protected(&mut bytes);
    let place = record_at(device, folder);
    device.write_all_at(&bytes, place).expect("writable");
}

/// Adds the name of another file to the record of a file, without a change of its number of links.
fn name_again(device: &fs::File, number: u64, from: u64, namespace: Option<u8>) {
    const FILE_NAME: u32 = 0x30;

    let last_name = |bytes: &[u8; 1024]| {
        let number = |at: usize| u32::from_le_bytes(bytes[at..at + 4].try_into().expect("4 bytes"));
        let mut at = usize::from(bytes[20]);
        let mut found = None;
        while number(at) != u32::MAX {
            let end = at + number(at + 4) as usize;
            if number(at) == FILE_NAME {
                found = Some(at..end);
            }
            at = end;
        }
        (found.expect("a name"), at + 8)
    };
    let other = record(device, from);
    let mut name = other[last_name(&other).0].to_vec();
    if let Some(namespace) = namespace {
        let value = usize::from(name[20]);
        name[value + 65] = namespace;
    }
    let mut bytes = record(device, number);
    // The id for the next attribute.
    name[14..16].copy_from_slice(&bytes[40..42]);
    bytes[40] += 1;
    let (own, end) = last_name(&bytes);
    bytes.copy_within(own.end..end, own.end + name.len());
    bytes[own.end..own.end + name.len()].copy_from_slice(&name);
    let used = (end + name.len()) as u32;
    bytes[24..28].copy_from_slice(&used.to_le_bytes());
    swap_protected(&mut bytes);
    let place = record_at(device, number);
    device.write_all_at(&bytes, place).expect("writable");
}

fn failed<'a>(objects: &'a [Object], path: &str) -> Option<&'a ObjectError> {
    let mut here = objects
        .iter()
        .filter(|object| object.path.to_string() == path);
    // A folder that is not entered is reported twice: by its name, and when it would be entered.
    here.find_map(|object| object.descriptor.as_ref().err())
}

#[test]
fn the_file_of_a_forged_entry_is_neither_read_nor_changed() {
    let Some(mut disk) = Forged::new() else {
        return;
    };
    let elsewhere = ["Windows/System32/config/SAM", "Users/private"];
    for victim in elsewhere {
        let before = disk.sddl(victim);
        let number = disk.number(victim);
        disk.forge(&[(KEYS, "key", number)]);
        assert_eq!(
            disk.number("ProgramData/MachineKeys/key"),
            number,
            "it is reached"
        );
        let volume = disk.descriptors();
        let path = NtPath::from("ProgramData/MachineKeys/key");
        let objects: Vec<_> = volume.walk(&NtPath::from(KEYS)).flatten().collect();
        let error = failed(&objects, "ProgramData/MachineKeys/key");
        assert!(
            matches!(
                error,
                Some(ObjectError::Elsewhere { .. } | ObjectError::SameAs { .. })
            ),
            "{victim}: {error:?}"
        );
        assert!(failed(&objects, "ProgramData/MachineKeys/other").is_none());
        volume.object(&path).descriptor.expect_err(victim);
        let change = Change {
            path,
            kind: Kind::File,
            before: before.clone(),
            after: descriptor(0x12_0089),
        };
        let mut results = volume.change(&[change]);
        results.pop().expect("one").expect_err(victim);
        assert_eq!(disk.sddl(victim), before);
        // By its own path, the file is accessible.
        volume
            .object(&NtPath::from(victim))
            .descriptor
            .expect("its own place");
    }
}

#[test]
fn the_volumes_own_files_and_folders_on_the_way_are_left_alone() {
    let Some(mut disk) = Forged::new() else {
        return;
    };
    let config = disk.number(CONFIG);
    for own in [0, 5, 7, 9, 11, config] {
        disk.forge(&[(KEYS, "key", own), ("ProgramData/Deep", "Inner", own)]);
        let volume = disk.descriptors();
        let objects: Vec<_> = volume
            .walk(&NtPath::from("ProgramData"))
            .flatten()
            .collect();
        assert!(objects.len() < 20, "{own}: {} objects", objects.len());
        for path in ["ProgramData/MachineKeys/key", "ProgramData/Deep/Inner"] {
            // ntfs-3g does not list the volume's own files.
            let is_listed = objects.iter().any(|object| object.path.to_string() == path);
            assert!(
                !is_listed || failed(&objects, path).is_some(),
                "{own}: {path}"
            );
            let path = NtPath::from(path);
            volume.object(&path).descriptor.expect_err("not there");
        }
        let below = NtPath::from("ProgramData/Deep/Inner/SAM");
        volume.object(&below).descriptor.expect_err("not reached");
    }
}

/// Even in its own folder, a name must belong to the right file.
#[test]
fn two_names_of_one_file_are_not_two_files() {
    let Some(mut disk) = Forged::new() else {
        return;
    };
    let other = disk.number("ProgramData/MachineKeys/other");
    disk.forge(&[(KEYS, "key", other)]);
    let volume = disk.descriptors();
    let objects: Vec<_> = volume.walk(&NtPath::from(KEYS)).flatten().collect();
    assert!(failed(&objects, "ProgramData/MachineKeys/key").is_some());
    assert!(failed(&objects, "ProgramData/MachineKeys/other").is_none());
}

/// A second name in the record of a folder once gave access to the hives to everyone who gets
/// access to the folder of keys. A folder must have one name only. The same holds for the short
/// name of a file in another folder.
#[test]
fn a_file_with_two_places_in_its_own_record_is_left_alone() {
    const DOS: u8 = 2;

    for (victim, namespace) in [
        (CONFIG, None),
        ("Users", None),
        ("Windows/System32/config/SAM", Some(DOS)),
        ("Users/private", None),
        ("Users/private", Some(DOS)),
    ] {
        let Some(mut disk) = Forged::new() else {
            return;
        };
        let (key, number) = (
            disk.number("ProgramData/MachineKeys/key"),
            disk.number(victim),
        );
        disk.change(|device| name_again(device, number, key, namespace));
        disk.forge(&[(KEYS, "key", number)]);
        assert_eq!(disk.number("ProgramData/MachineKeys/key"), number);
        let mounted = disk.descriptors();
        let folder = tempfile::tempdir().expect("a folder");
        let copy = folder.path().join("disk.img");
        fs::write(&copy, fs::read(disk.image.device()).expect("a device")).expect("room");
        let image = Target::open(&copy).expect("a disk");
        let image = image.root().descriptors().expect("NTFS").expect("NTFS");
        for (volume, what) in [(&mounted, "mounted"), (&image, "image")] {
            let objects: Vec<_> = volume.walk(&NtPath::from(KEYS)).flatten().collect();
            let path = "ProgramData/MachineKeys/key";
            assert!(
                failed(&objects, path).is_some(),
                "{what}: {victim} {namespace:?}: {objects:?}"
            );
            let below = |object: &&Object| object.path.to_string().starts_with(&format!("{path}/"));
            assert_eq!(
                objects.iter().find(below).map(|o| o.path.to_string()),
                None,
                "{what}"
            );
            assert!(
                failed(&objects, "ProgramData/MachineKeys/other").is_none(),
                "{what}"
            );
        }
    }
}

/// A log would be written over SAM: the driver reports one name, because the record counts one
/// link.
#[test]
fn a_second_name_in_the_record_counts_whatever_the_number_of_links() {
    const LOG: &str = "Windows/System32/config/SYSTEM.LOG1";

    let Some(mut disk) = Forged::new() else {
        return;
    };
    disk.write(LOG);
    let (log, sam) = (disk.number(LOG), disk.number("Windows/System32/config/SAM"));
    disk.change(|device| name_again(device, sam, log, None));
    disk.forge(&[(CONFIG, "SYSTEM.LOG1", sam)]);
    let metadata = fs::metadata(disk.path(LOG)).expect("there");
    assert_eq!((metadata.ino(), metadata.nlink()), (sam, 1));
    let target = Target::open(&disk.path("")).expect("a folder");
    let found = target.root().find(&LOG.split('/').collect::<Vec<_>>());
    let found = found.expect("readable").expect("there");
    let file = found.dir.open(&found.name, Access::Read);
    assert_eq!(file.expect("a file").names().expect("known"), 2);
}

/// Two entries that lead back double the number of paths with every level, whether or not the
/// records show that the folders are elsewhere.
#[test]
fn a_folder_that_lies_in_itself_is_walked_once() {
    let Some(mut disk) = Forged::new() else {
        return;
    };
    for name in ["one", "two"] {
        fs::create_dir(disk.path("ProgramData/Deep").join(name)).expect("writable");
    }
    let (deep, above) = (disk.number("ProgramData/Deep"), disk.number("ProgramData"));
    for to in [above, deep] {
        disk.forge(&[
            ("ProgramData/Deep", "one", to),
            ("ProgramData/Deep", "two", to),
        ]);
        walks_end(&disk);
    }
    if let Some(_folder) = disk.mount_without_device() {
        walks_end(&disk);
    }
}

/// Walks from the folders above `one` and `two`, which must not be entered.
fn walks_end(disk: &Forged) {
    const MOST: usize = 5000;

    for start in ["", "ProgramData", "ProgramData/Deep"] {
        let volume = disk.descriptors();
        let start = NtPath::from(start);
        let objects: Vec<_> = volume.walk(&start).flatten().take(MOST).collect();
        assert!(objects.len() < 100, "{start}: {} objects", objects.len());
        for path in ["ProgramData/Deep/one", "ProgramData/Deep/two"] {
            assert!(failed(&objects, path).is_some(), "{path}");
        }
    }
}

/// The protection that remains if the volume's device can't be read.
#[test]
fn without_the_device_what_windows_starts_from_has_one_place_each() {
    let Some(mut disk) = Forged::new() else {
        return;
    };
    let sam = disk.number("Windows/System32/config/SAM");
    let keys = disk.number(KEYS);
    let windows = disk.number("Windows");
    disk.write("Windows/notepad.exe");
    fs::create_dir(disk.path("ProgramData/Deep/Outer")).expect("writable");
    disk.forge(&[
        (KEYS, "key", sam),
        ("ProgramData/Deep", "Inner", keys),
        ("ProgramData/Deep", "Outer", windows),
    ]);
    let Some(_folder) = disk.mount_without_device() else {
        return;
    };
    let volume = disk.descriptors();
    let objects: Vec<_> = volume
        .walk(&NtPath::from("ProgramData"))
        .flatten()
        .collect();
    let twice = [KEYS, "ProgramData/Deep/Inner"];
    let told = twice.map(|path| failed(&objects, path).is_some());
    assert!(told[0] != told[1], "one of the two: {objects:?}");
    let entered = if told[0] { twice[1] } else { twice[0] };
    let error = failed(&objects, &format!("{entered}/key"));
    assert!(
        matches!(error, Some(ObjectError::SameAs { .. })),
        "{objects:?}"
    );
    // Each folder on the way also has its place.
    let below = volume.object(&NtPath::from("ProgramData/Deep/Outer/notepad.exe"));
    let error = below.descriptor.expect_err("not reached");
    assert!(matches!(error, ObjectError::SameAs { .. }), "{error}");
}

/// Beside the hives there are more names than are examined, so it is not known which files are
/// hives.
#[test]
fn without_the_device_nothing_is_changed_unless_all_hives_are_known() {
    let Some(mut disk) = Forged::new() else {
        return;
    };
    for number in 0..4100 {
        let name = format!("{CONFIG}/{number}");
        fs::File::create(disk.path(&name)).expect("writable");
    }
    let sam = disk.number("Windows/System32/config/SAM");
    disk.forge(&[(KEYS, "key", sam)]);
    let Some(_folder) = disk.mount_without_device() else {
        return;
    };
    let volume = disk.descriptors();
    for path in ["ProgramData/MachineKeys/key", KEYS] {
        let error = volume.object(&NtPath::from(path)).descriptor;
        let error = error.expect_err("not known").to_string();
        assert!(error.contains("Windows/System32/config"), "{error}");
        assert!(error.contains("more than 4096 names"), "{error}");
    }
}

/// A log with a name that leads to SAM would be written over SAM.
#[test]
fn a_file_that_a_forged_entry_leads_to_is_not_opened() {
    let Some(mut disk) = Forged::new() else {
        return;
    };
    disk.write("Windows/System32/config/LOG");
    disk.write("Windows/System32/config/SYS");
    let (sam, users) = (
        disk.number("Windows/System32/config/SAM"),
        disk.number("Users"),
    );
    disk.forge(&[(CONFIG, "LOG", sam), ("ProgramData", "Deep", users)]);
    let target = Target::open(&disk.path("")).expect("a folder");
    let mut way: Vec<&str> = CONFIG.split('/').collect();
    for (name, is_there) in [("LOG", false), ("SAM", true), ("sys", true)] {
        way.push(name);
        let found = target.root().find(&way).expect("listed").expect("listed");
        let opened = found.open(Access::ReadWrite);
        assert_eq!(opened.is_ok(), is_there, "{name}: {opened:?}");
        way.pop();
    }
    target
        .root()
        .find(&["ProgramData", "Deep", "private"])
        .expect_err("not there");
    // A new file is known at once.
    let config = target
        .root()
        .find(&way)
        .expect("there")
        .expect("there")
        .open_dir()
        .expect("there");
    config.create("new").expect("writable");
    config.open("new", Access::ReadWrite).expect("new");
    config.create_dir("folder").expect("writable");
    config.open_dir("folder").expect("new");
}
