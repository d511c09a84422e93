//! Crash dumps.

use super::{disk, with_facts};
use crate::facts::{BugCheck, FaultingImage};
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

/// A minidump of a 64-bit Windows: the kernel, and a driver whose code is at 0xfffff80012340000.
pub(in crate::engine_tests) fn minidump(code: u32, day: u64, driver: &str) -> Vec<u8> {
    const AT: u64 = 0xffff_f800_1234_0000;
    let mut bytes = dump(code, day);
    bytes.resize(0x5000, 0);
    let mut put = |at: usize, data: &[u8]| bytes[at..at + data.len()].copy_from_slice(data);
    for parameter in 0..4 {
        put(0x40 + 8 * parameter, &(AT + 0x123).to_le_bytes());
    }
    put(0xf98, &4_u32.to_le_bytes());
    let fields: [(usize, u32); 4] = [(0x08, 0x4ffc), (0x30, 0x3000), (0x34, 2), (0x38, 0x4000)];
    for (at, value) in fields {
        put(0x2000 + at, &value.to_le_bytes());
    }
    put(0x4ffc, b"TRGD");
    let drivers = [
        ("ntoskrnl.exe", AT - 0x100_0000, 0x4000),
        (driver, AT, 0x4100),
    ];
    for (index, (name, base, text)) in drivers.into_iter().enumerate() {
        let entry = 0x3000 + 0x90 * index;
        put(entry, &u32::try_from(text).expect("small").to_le_bytes());
        put(entry + 0x38, &base.to_le_bytes());
        put(entry + 0x48, &0x1000_u32.to_le_bytes());
        let units = diskmend_base::utf16::encode(name);
        let count = u32::try_from(units.len() / 2).expect("small");
        put(text, &count.to_le_bytes());
        put(text + 4, &units);
    }
    bytes
}

fn image(bytes: &[u8]) -> FaultingImage {
    let disk = disk(&[], &[]);
    disk.put("Windows/Minidump/010424-100-01.dmp", bytes.to_vec());
    bug_checks(&disk).remove(0).image
}

#[test]
fn a_minidump_names_the_file_in_which_windows_stopped() {
    let named = |name: &str| FaultingImage::Named(name.to_owned());
    for code in [0xd1, 0x1000_00d1, 0x7e, 0x50] {
        assert_eq!(image(&minidump(code, 3, "vendor.sys")), named("vendor.sys"));
    }
    // The parameters of other codes are no addresses.
    assert_eq!(
        image(&minidump(0x9f, 3, "vendor.sys")),
        FaultingImage::Untold
    );
    let mut exception = minidump(0x9f, 3, "vendor.sys");
    exception[0xf10..0xf18].copy_from_slice(&0xffff_f800_1234_0000_u64.to_le_bytes());
    assert_eq!(image(&exception), named("vendor.sys"));
    // The kernel reports what others did.
    assert_eq!(
        image(&minidump(0xd1, 3, "ntoskrnl.exe")),
        FaultingImage::Untold
    );
    let mut outside = minidump(0xd1, 3, "vendor.sys");
    outside[0x58..0x60].copy_from_slice(&0x1000_u64.to_le_bytes());
    assert_eq!(image(&outside), FaultingImage::Untold);
    // The driver that Windows itself found broken.
    let mut broken = minidump(0x9f, 3, "vendor.sys");
    broken[0x2040..0x2044].copy_from_slice(&0x4100_u32.to_le_bytes());
    assert_eq!(image(&broken), named("vendor.sys"));
    // A whole memory has no list; the minidump of the same stop has.
    let disk = disk(&[], &[]);
    let small = minidump(0xd1, 3, "vendor.sys");
    let mut whole = small.clone();
    whole[0xf98] = 1;
    disk.put("Windows/MEMORY.DMP", whole);
    disk.put("Windows/Minidump/010424-100-01.dmp", small);
    let found = bug_checks(&disk);
    assert_eq!(found.len(), 1);
    assert_eq!(
        (&*found[0].path, &found[0].image),
        ("Windows/MEMORY.DMP", &named("vendor.sys"))
    );
}

#[test]
fn a_minidump_of_a_32_bit_windows_names_the_file() {
    let mut bytes = vec![0; 0x3000];
    let mut put = |at: usize, data: &[u8]| bytes[at..at + data.len()].copy_from_slice(data);
    put(0, b"PAGEDUMP");
    put(0x28, &0xd1_u32.to_le_bytes());
    put(0x38, &0x8012_3456_u32.to_le_bytes());
    put(0xf88, &4_u32.to_le_bytes());
    for (at, value) in [(0x08, 0x2ffc_u32), (0x30, 0x2000), (0x34, 1)] {
        put(0x1000 + at, &value.to_le_bytes());
    }
    put(0x2ffc, b"TRGD");
    put(0x2000, &0x2800_u32.to_le_bytes());
    put(0x201c, &0x8012_0000_u32.to_le_bytes());
    put(0x2024, &0x8000_u32.to_le_bytes());
    put(0x2800, &5_u32.to_le_bytes());
    put(0x2804, &diskmend_base::utf16::encode("a.sys"));
    assert_eq!(image(&bytes), FaultingImage::Named("a.sys".to_owned()));
}

/// A dump is cut off if Windows was switched off while it wrote it.
#[test]
fn a_list_of_drivers_that_can_not_be_read_is_told() {
    let whole = minidump(0xd1, 3, "vendor.sys");
    let unreadable = |bytes: &[u8]| matches!(image(bytes), FaultingImage::Unreadable(_));
    assert!(!unreadable(&whole));
    for len in [0x2000, 0x2040, 0x3000, 0x4104, 0x4fff] {
        assert!(unreadable(&whole[..len]), "{len:#x}");
    }
    for (at, value) in [
        (0x2008, 0xffff_fffc_u32), // the mark
        (0x2030, 0xffff_ff00),     // the list
        (0x2034, u32::MAX),        // its length
        (0x3090, u32::MAX),        // a name
        (0x4100, 0),               // its length
        (0x4100, u32::MAX),
        (0x4104, 0x0001_0001), // control characters
        (0x2040, 1),           // the broken driver
    ] {
        let mut changed = whole.clone();
        changed[at..at + 4].copy_from_slice(&value.to_le_bytes());
        assert!(unreadable(&changed), "{at:#x} {value:#x}");
    }
    let disk = disk(&[], &[]);
    disk.put(
        "Windows/Minidump/010424-100-01.dmp",
        whole[..0x3000].to_vec(),
    );
    let found = serde_json::to_string(&super::causes::diagnose(&disk)).expect("JSON");
    assert!(
        found.contains("the file is unknown: the dump ends before"),
        "{found}"
    );
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
