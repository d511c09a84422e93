//! Files that are not hives, or only a part of one. Each command fails with a reason and writes
//! nothing.

use std::fs;

use crate::fixture::Fixture;
use crate::program::{Run, diskmend};

fn each_reader(file: &str) -> [Run; 4] {
    [
        diskmend(["hive", "check", file]),
        diskmend(["hive", "ls", file]),
        diskmend(["hive", "get", file, "Select"]),
        diskmend(["hive", "export", file]),
    ]
}

#[test]
fn a_missing_file_and_a_folder_are_named() {
    let fixture = Fixture::new();
    let missing = fixture.path("no");
    for run in each_reader(missing.to_str().expect("UTF-8")) {
        run.ends(1).says(missing.to_str().expect("UTF-8"));
    }
    for run in each_reader(fixture.folder.path().to_str().expect("UTF-8")) {
        run.ends(1).says("a folder");
    }
}

#[test]
fn a_file_that_is_not_a_hive_is_refused_with_what_was_expected() {
    let fixture = Fixture::new();
    let file = fixture.path("no-hive");
    for (bytes, expected) in [
        (Vec::new(), "the file is 0 bytes long"),
        (vec![0x41; 100], "the file is 100 bytes long"),
        (vec![0x41; 8192], "base block signature at offset 0"),
    ] {
        fs::write(&file, bytes).expect("writable");
        for run in each_reader(file.to_str().expect("UTF-8")) {
            run.ends(1).says("not a registry hive").says(expected);
        }
    }
}

#[test]
fn a_truncated_hive_is_refused_wherever_it_ends() {
    let fixture = Fixture::new();
    let file = fixture.path("cut");
    let whole = fs::read(fixture.system()).expect("readable");
    for len in [4, 511, 4095, 4096, 8191, whole.len() - 1] {
        fs::write(&file, &whole[..len]).expect("writable");
        for run in each_reader(file.to_str().expect("UTF-8")) {
            run.ends(1);
        }
        assert_eq!(fs::read(&file).expect("readable"), whole[..len]);
    }
}

#[cfg(unix)]
#[test]
fn a_link_is_not_followed() {
    let fixture = Fixture::new();
    let link = fixture.path("link");
    std::os::unix::fs::symlink(fixture.system(), &link).expect("a link");
    for run in each_reader(link.to_str().expect("UTF-8")) {
        run.ends(1).says("a link");
    }
}

#[test]
fn hives_with_any_byte_damaged_never_crash_a_reader() {
    let fixture = Fixture::new();
    let file = fixture.path("damaged");
    let whole = fs::read(fixture.system()).expect("readable");
    // One byte in every structure: the stride through the bins, from the second page on, meets all
    // positions within a cell. No reader depends on the platform, and under Wine programs start
    // slowly.
    let stride = if cfg!(windows) { 2039 } else { 509 };
    for at in (4096..whole.len()).step_by(stride) {
        let mut damaged = whole.clone();
        damaged[at] ^= 0xff;
        fs::write(&file, &damaged).expect("writable");
        for run in each_reader(file.to_str().expect("UTF-8")) {
            assert!(matches!(run.code, 0 | 1 | 3), "offset {at}: {}", run.stderr);
            assert!(
                !run.stderr.contains("panicked"),
                "offset {at}: {}",
                run.stderr
            );
        }
    }
}
