//! Crash dumps.

use super::{disk, with_facts};
use crate::facts::BugCheck;
use diskmend_disk::testing::FaultyDisk;

/// 2024-01-01 00:00 UTC and later, as FILETIME.
const NEW_YEAR: u64 = 133_485_408_000_000_000;
const DAY: u64 = 864_000_000_000;

/// A dump of a 64-bit Windows.
pub(in crate::engine_tests) fn dump(code: u32, day: u64) -> Vec<u8> {
    let mut bytes = vec![0; 0x2000];
    bytes[..8].copy_from_slice(b"PAGEDU64");
    bytes[0x38..0x3c].copy_from_slice(&code.to_le_bytes());
    bytes[0x40..0x48].copy_from_slice(&0xffff_8000_u64.to_le_bytes());
    let time = NEW_YEAR + day * DAY;
    bytes[0xfa8..0xfb0].copy_from_slice(&time.to_le_bytes());
    bytes
}

fn bug_checks(disk: &FaultyDisk) -> Vec<BugCheck> {
    with_facts(disk, |facts| facts.bug_checks().map(<[_]>::to_vec)).expect("known")
}

#[test]
fn the_newest_dump_is_first_and_each_stop_is_told_once() {
    let disk = disk(&[], &[]);
    assert_eq!(bug_checks(&disk), []);
    disk.put("Windows/MEMORY.DMP", dump(0x7b, 3));
    // Windows writes a minidump of the same stop.
    disk.put("Windows/Minidump/010424-100-01.dmp", dump(0x7b, 3));
    disk.put("Windows/Minidump/010224-100-01.dmp", dump(0x50, 1));
    disk.put("Windows/Minidump/short.dmp", b"PAGEDU64".to_vec());
    disk.put("Windows/Minidump/other.dmp", vec![1; 0x2000]);
    disk.put("Windows/Minidump/notes.txt", dump(0x1, 9));
    let found = bug_checks(&disk);
    let codes: Vec<_> = found.iter().map(|check| check.code).collect();
    assert_eq!(codes, [0x7b, 0x50]);
    assert_eq!(found[0].parameters, [0xffff_8000, 0, 0, 0]);
    assert_eq!(found[0].time.as_deref(), Some("2024-01-04T00:00:00Z"));
    assert_eq!(found[1].path, "Windows/Minidump/010224-100-01.dmp");
}

#[test]
fn only_the_newest_of_many_dumps_are_read() {
    let disk = disk(&[], &[]);
    for number in 0..60_u32 {
        let name = format!("Windows/Minidump/0101{:02}-1-01.dmp", number % 60);
        disk.put(&name, dump(number, number.into()));
    }
    let found = bug_checks(&disk);
    assert_eq!(found.len(), 20);
    assert_eq!((found[0].code, found[19].code), (59, 40));
}
