//! Files with data that can't be changed without changing other files, on an unmounted disk.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use rustix::fs::{XattrFlags, setxattr};

use crate::fixture::{hive_file, system};
use crate::image_disk::{ImageDisk, Layout};
use crate::program::diskmend;

const CONFIG: &str = "Windows/System32/config";
const HIVE: &str = "Windows/System32/config/SYSTEM";
/// The lengths of a cluster and of a FILE record, as mkntfs makes them.
const CLUSTER: u64 = 4096;
const RECORD: usize = 1024;

/// A disk with a clean hive, and logs that fill whole clusters; the number of the second log's
/// record.
fn disk() -> Option<(ImageDisk, u64)> {
    let disk = ImageDisk::new(Layout::Mbr)?;
    let volume = disk.mount(disk.windows)?;
    let hive = volume.path().join(HIVE);
    hive_file(&hive, system);
    for log in ["LOG1", "LOG2"] {
        fs::write(hive.with_extension(log), [0; 32 << 10]).expect("writable");
    }
    let log = fs::metadata(hive.with_extension("LOG2")).expect("there");
    drop(volume);
    Some((disk, log.ino()))
}

/// The offset and the bytes of a record in the first part of `$MFT`.
fn record(disk: &ImageDisk, number: u64) -> (u64, Vec<u8>) {
    let boot = disk.read_at(512, disk.windows.start);
    let mft = u64::from_le_bytes(boot[0x30..0x38].try_into().expect("8 bytes"));
    let at = disk.windows.start + mft * CLUSTER + number * RECORD as u64;
    let record = disk.read_at(RECORD, at);
    assert!(record.starts_with(b"FILE"), "record {number}");
    (at, record)
}

/// The offset of an attribute in a record.
fn attribute(record: &[u8], kind: u8) -> usize {
    let mut at = usize::from(record[20]);
    while record[at] != kind {
        assert_ne!(record[at], 0xFF, "no attribute {kind:#x}");
        at += usize::from(record[at + 4]) + (usize::from(record[at + 5]) << 8);
    }
    at
}

/// The first cluster of the data of a record.
fn first_cluster(record: &[u8]) -> u64 {
    let data = attribute(record, 0x80);
    let pairs = data + usize::from(record[data + 32]);
    let (len, place) = (record[pairs] & 15, record[pairs] >> 4);
    let place = &record[pairs + 1 + usize::from(len)..][..usize::from(place)];
    place
        .iter()
        .rev()
        .fold(0, |all, byte| all << 8 | u64::from(*byte))
}

/// Makes the 8 clusters of a record's data start at another cluster.
fn lead(disk: &ImageDisk, number: u64, cluster: u64) {
    let (at, record) = record(disk, number);
    let data = attribute(&record, 0x80);
    let pairs = data + usize::from(record[data + 32]);
    assert_eq!(record[data + 24], 7, "8 clusters");
    let mut new = [0x31, 8, 0, 0, 0, 0];
    new[2..5].copy_from_slice(&cluster.to_le_bytes()[..3]);
    assert!(pairs + new.len() < 510 || pairs > 512, "within a sector");
    disk.write_at(&new, at + pairs as u64);
}

/// A log that led to `$LogFile` was once written over it, and then undo refused.
#[test]
fn a_log_that_leads_to_another_file_is_refused_in_the_plan() {
    let Some((disk, log)) = disk() else { return };
    let logfile = first_cluster(&record(&disk, 2).1);
    let hive = {
        let volume = disk.mount_with(disk.windows, "ro").expect("mounted before");
        let hive = fs::metadata(volume.path().join(HIVE)).expect("there").ino();
        first_cluster(&record(&disk, hive).1)
    };
    for (what, cluster) in [("$LogFile", logfile), ("the hive", hive)] {
        let disk = disk.raw().expect("copied");
        lead(&disk, log, cluster);
        let before = disk.snapshot();
        diskmend(["inspect", disk.path(), "tls"]).ends(3);
        diskmend(["plan", disk.path(), "tls"])
            .ends(5)
            .says("has, too");
        let run = diskmend(["repair", disk.path(), "tls", "--yes"]).ends(5);
        assert!(run.stderr.contains("/SYSTEM"), "{what}: {}", run.stderr);
        disk.has_bytes_of(&before);
    }
}

/// The old bytes in a record are restored, whatever the state of the volume.
#[test]
fn a_volume_that_is_not_fit_for_writing_is_given_its_bytes_back() {
    let Some((disk, log)) = disk() else { return };
    let before = disk.snapshot();
    diskmend(["repair", disk.path(), "tls", "machine-keys", "--yes"]).ends(0);
    // $VOLUME_INFORMATION states that the volume is dirty, and two files share clusters.
    let (at, volume) = record(&disk, 3);
    let information = attribute(&volume, 0x70);
    let flags = information + usize::from(volume[information + 20]) + 10;
    let (log_at, log_record) = record(&disk, log);
    disk.write_at(&[volume[flags] | 1], at + flags as u64);
    lead(&disk, log, first_cluster(&record(&disk, 2).1));
    diskmend(["repair", disk.path(), "nla", "--yes"]).ends(5);
    diskmend(["undo", disk.path(), "--yes"]).ends(0);
    disk.write_at(&[volume[flags]], at + flags as u64);
    disk.write_at(&log_record, log_at);
    disk.has_bytes_of(&before);
}

/// On a volume that was formatted with compression, the hives are compressed.
#[test]
fn a_compressed_hive_is_read_and_not_written() {
    let Some((disk, _)) = disk() else { return };
    {
        let volume = disk.mount_with(disk.windows, "permissions,compression");
        let volume = volume.expect("mounted before");
        let config = volume.path().join(CONFIG);
        let value = (0x800_u32 | 0x10).to_le_bytes();
        let set = setxattr(&config, "system.ntfs_attrib", &value, XattrFlags::empty());
        set.expect("an attribute");
        for name in ["SYSTEM", "SYSTEM.LOG1", "SYSTEM.LOG2"] {
            let bytes = fs::read(config.join(name)).expect("there");
            fs::remove_file(config.join(name)).expect("removable");
            fs::write(config.join(name), bytes).expect("writable");
        }
    }
    let before = disk.snapshot();
    diskmend(["inspect", disk.path(), "tls"]).ends(3);
    for verb in [["plan", "tls"].as_slice(), &["repair", "tls", "--yes"]] {
        let (verb, more) = verb.split_first().expect("a verb");
        let arguments = [&[*verb, disk.path()], more].concat();
        diskmend(arguments).ends(5).says("compact /u");
    }
    disk.is_untouched_since(&before);
}

fn reparse(path: &Path, tag: u32) {
    let mut data = tag.to_le_bytes().to_vec();
    // Version 1 of WOF, the provider for files, and the provider's version 1 with XPRESS4K.
    data.extend([16, 0, 0, 0]);
    for number in [1_u32, 2, 1, 0] {
        data.extend(number.to_le_bytes());
    }
    let set = setxattr(path, "system.ntfs_reparse_data", &data, XattrFlags::empty());
    set.expect("a reparse point");
}

/// The plain data of such a file read as zeros.
#[test]
fn a_hive_that_windows_has_compressed_is_refused_by_name() {
    let Some((disk, _)) = disk() else { return };
    {
        let volume = disk.mount(disk.windows).expect("mounted before");
        reparse(&volume.path().join(HIVE), 0x8000_0017);
    }
    let before = disk.snapshot();
    for verb in ["inspect", "plan"] {
        let run = diskmend([verb, disk.path(), "tls"]);
        assert!([1, 5].contains(&run.code), "{verb} ends with {}", run.code);
        run.says("WOF").says("compact /u /exe");
    }
    let run = diskmend(["repair", disk.path(), "tls", "--yes"]);
    assert!([1, 5].contains(&run.code), "{}", run.code);
    disk.is_untouched_since(&before);
}

/// Zeros that were never stored would once have filled the memory.
#[test]
fn a_hive_that_is_hardly_stored_is_not_read() {
    let Some((disk, _)) = disk() else { return };
    {
        let volume = disk.mount(disk.windows).expect("mounted before");
        let hive = fs::OpenOptions::new()
            .write(true)
            .open(volume.path().join(HIVE));
        hive.expect("there").set_len(1500 << 20).expect("a hole");
    }
    let before = disk.snapshot();
    for verb in ["inspect", "plan"] {
        let run = diskmend([verb, disk.path(), "tls"]);
        assert!([1, 5].contains(&run.code), "{verb} ends with {}", run.code);
        run.says("but clusters for only");
    }
    disk.is_untouched_since(&before);
}
