//! Finding the partition behind a mount of Linux, without another program: the kernel shows the
//! device and its start on the disk, and then the disk's table is read.

use std::fs::File;
use std::io::{Seek, SeekFrom};
use std::os::unix::fs::{FileTypeExt, MetadataExt};
use std::path::Path;
use std::sync::Arc;

use diskmend_image::container::Container;
use diskmend_image::device::Medium;
use diskmend_image::host::HostFile;
use diskmend_image::partition;
use rustix::fs::{AtFlags, StatxAttributes, StatxFlags, major, minor, statx};

use super::layout::DiskLayout;
use crate::image::sysfs::{self, Number};
use crate::target::Target;
use crate::volume_state::Encryption;

/// Sectors in sysfs have 512 bytes, also if the disk's own are longer.
const SECTOR: u64 = 512;

/// `None` if anything on the way isn't known. Then nothing is concluded from it.
pub(super) fn layout(target: &Target) -> Option<DiskLayout> {
    let device = mounted_device(target)?;
    let folder = std::fs::canonicalize(format!("/sys/dev/block/{}:{}", device.0, device.1)).ok()?;
    let number = |name: &str| -> Option<u64> {
        let text = sysfs::attribute(&folder, name).ok()??;
        str::from_utf8(&text).ok()?.trim().parse().ok()
    };
    let (start, disk) = if number("partition").is_some() {
        let start = number("start")?.checked_mul(SECTOR)?;
        (start, whole_disk(folder.parent()?)?)
    } else {
        // The partition of an image may be attached by its offset.
        let file = sysfs::attribute(&folder, "loop/backing_file").ok()??;
        let file = Path::new(std::str::from_utf8(&file).ok()?);
        (number("loop/offset").filter(|at| *at > 0)?, image(file)?)
    };
    let disk = Container::open(disk).ok()?;
    let table = partition::read(&disk, disk.logical_sector_size()).ok()?;
    let mut own = table.partitions.iter().filter(|one| one.start == start);
    let (own, None) = (own.next()?.number, own.next()) else {
        return None;
    };
    DiskLayout::of_table(&table, own)
}

/// The block device that holds the target's root folder.
fn mounted_device(target: &Target) -> Option<Number> {
    let root = target.mounted()?.raw();
    let known = statx(root, "", AtFlags::EMPTY_PATH, StatxFlags::MNT_ID).ok()?;
    if !known.stx_attributes.contains(StatxAttributes::MOUNT_ROOT) {
        return None;
    }
    let mounts = std::fs::read_to_string("/proc/self/mountinfo").ok()?;
    let device = root_of_mount(&mounts, known.stx_mnt_id)?;
    let own = (known.stx_dev_major, known.stx_dev_minor);
    (device == own && device.0 != 0).then_some(device)
}

/// The device of a mount, if the mount's root is the root of its file system (proc(5): ID, parent,
/// major:minor, root, mount point).
fn root_of_mount(mounts: &str, id: u64) -> Option<Number> {
    let id = id.to_string();
    let mut lines = mounts.lines().map(|line| line.split(' '));
    let mut fields = lines.find(|fields| fields.clone().next() == Some(id.as_str()))?;
    let device = fields.nth(2)?;
    if fields.next() != Some("/") {
        return None;
    }
    sysfs::parse(device)
}

/// True if the target is the root of a file system on a block device.
pub(crate) fn is_volume(target: &Target) -> bool {
    mounted_device(target).is_some()
}

/// The names that dislocker and bdemount give the decrypted volume.
const DECRYPTED: [&[u8]; 2] = [b"/dislocker-file", b"/bde1"];
/// How the kernel names a volume that cryptsetup has unlocked.
const UNLOCKED: &[u8] = b"CRYPT-BITLK-";

/// Whether the mounted volume is encrypted with BitLocker; `None` if that isn't known.
pub(crate) fn mounted_encryption(target: &Target) -> Option<Encryption> {
    let (major, minor) = mounted_device(target)?;
    let folder = format!("/sys/dev/block/{major}:{minor}");
    encryption_of(Path::new(&folder))
}

/// Whether a block device, by its folder in sysfs, shows the content of an encrypted volume.
fn encryption_of(folder: &Path) -> Option<Encryption> {
    if let Some(name) = sysfs::attribute(folder, "dm/uuid").ok()? {
        // A mapping of another kind may show an encrypted volume or not.
        return name.starts_with(UNLOCKED).then_some(Encryption::Unlocked);
    }
    if let Some(file) = sysfs::attribute(folder, "loop/backing_file").ok()? {
        let is_decrypted = DECRYPTED.iter().any(|name| file.ends_with(name));
        return Some(if is_decrypted {
            Encryption::Unlocked
        } else {
            Encryption::Off
        });
    }
    // NTFS can be mounted from a partition of a disk only if it isn't encrypted. Of another device,
    // for example one that a program shows, nothing is known.
    let is_partition = sysfs::attribute(folder, "partition").ok()?.is_some();
    is_partition.then_some(Encryption::Off)
}

/// Opens the device of a disk by its folder in sysfs.
fn whole_disk(folder: &Path) -> Option<Arc<dyn Medium>> {
    // sysfs replaces a slash in a name by an exclamation mark.
    let name = folder.file_name()?.to_str()?.replace('!', "/");
    let mut file = File::open(Path::new("/dev").join(name)).ok()?;
    let known = file.metadata().ok()?;
    let number = (major(known.rdev()), minor(known.rdev()));
    if !known.file_type().is_block_device() || sysfs::number(folder).ok()? != Some(number) {
        return None;
    }
    let len = file.seek(SeekFrom::End(0)).ok()?;
    Some(Arc::new(HostFile::block_device(file, len, 1)))
}

fn image(path: &Path) -> Option<Arc<dyn Medium>> {
    let file = File::open(path).ok()?;
    file.metadata().ok()?.is_file().then_some(())?;
    Some(Arc::new(HostFile::file(file).ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_device_tells_if_bitlocker_is_behind_it() {
        let folder = tempfile::tempdir().expect("a folder");
        let of = |name: &str, content: &str| {
            let device = folder.path().join(name.replace('/', "-"));
            let path = device.join(name);
            std::fs::create_dir_all(path.parent().expect("a folder")).expect("created");
            std::fs::write(path, content).expect("written");
            let found = encryption_of(&device);
            std::fs::remove_dir_all(device).expect("removed");
            found
        };
        assert_eq!(
            of("dm/uuid", "CRYPT-BITLK-1234-disk\n"),
            Some(Encryption::Unlocked)
        );
        assert_eq!(of("dm/uuid", "CRYPT-LUKS2-1234-disk\n"), None);
        let file = "loop/backing_file";
        assert_eq!(
            of(file, "/mnt/x/dislocker-file\n"),
            Some(Encryption::Unlocked)
        );
        assert_eq!(of(file, "/images/disk.img\n"), Some(Encryption::Off));
        assert_eq!(of("partition", "2\n"), Some(Encryption::Off));
        assert_eq!(of("size", "2\n"), None);
    }

    #[test]
    fn only_the_root_of_a_file_system_tells_its_device() {
        let mounts = "\
            21 26 0:19 / /sys rw shared:7 - sysfs sysfs rw\n\
            85 66 8:17 / /mnt/disk rw,relatime shared:9 - fuseblk /dev/sdb1 rw\n\
            86 66 8:18 /Windows /mnt/folder rw - ntfs3 /dev/sdb2 rw\n";
        assert_eq!(root_of_mount(mounts, 85), Some((8, 17)));
        assert_eq!(root_of_mount(mounts, 21), Some((0, 19)));
        for id in [86, 8, 5, 0] {
            assert_eq!(root_of_mount(mounts, id), None, "{id}");
        }
    }
}
