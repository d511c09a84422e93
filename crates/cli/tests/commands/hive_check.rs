//! `diskmend hive check`.

use std::fs;

use crate::fixture::{Fixture, copy_fixture};
use crate::program::diskmend;

#[test]
fn a_sound_hive_ends_with_0_and_is_counted() {
    let fixture = Fixture::new();
    let file = fixture.system();
    let file = file.to_str().expect("UTF-8");
    let before = fs::read(file).expect("readable");
    let run = diskmend(["hive", "check", file]).ends(0);
    assert!(run.stdout.ends_with("no problems\n"), "{}", run.stdout);
    let document = diskmend(["hive", "check", file, "--json"]).ends(0).json();
    assert_eq!(document["errors"], 0);
    assert_eq!(document["problems"].as_array().map(Vec::len), Some(0));
    assert_eq!(document["content"]["keys"], 25);
    assert_eq!(document["dirty"], serde_json::Value::Null);
    assert_eq!(fs::read(file).expect("readable"), before);
}

#[test]
fn problems_end_with_3_and_are_listed_with_offset_and_severity() {
    let fixture = Fixture::new();
    let file = fixture.system();
    let mut bytes = fs::read(&file).expect("readable");
    let cell = bytes
        .windows(2)
        .position(|two| two == b"sk")
        .expect("a security cell");
    let reference_count = cell + 12;
    bytes[reference_count] ^= 0xff;
    fs::write(&file, bytes).expect("writable");
    let run = diskmend(["hive", "check", file.to_str().expect("UTF-8")]).ends(3);
    assert!(
        run.stdout.contains("security-reference-count"),
        "{}",
        run.stdout
    );
    assert!(
        run.stdout.ends_with("0 errors, 1 warnings\n"),
        "{}",
        run.stdout
    );
    let run = diskmend(["hive", "check", file.to_str().expect("UTF-8"), "--json"]).ends(3);
    let problem = &run.json()["problems"][0];
    assert_eq!(problem["severity"], "warning");
    assert_eq!(problem["code"], "security-reference-count");
    let offset = problem["offset"].as_u64().expect("a number");
    assert!(offset.abs_diff(cell as u64) <= 16, "{offset} and {cell}");
}

/// Once such a hive ended with 0, as if nothing were to do.
#[test]
fn a_dirty_hive_is_a_finding_until_it_is_recovered() {
    for name in ["dirty-hvle-both", "dirty-dirt", "dirty-torn-header"] {
        let folder = tempfile::TempDir::new().expect("a temporary folder");
        copy_fixture(name, folder.path());
        let file = folder.path().join("SYSTEM");
        let file = file.to_str().expect("UTF-8");
        let run = diskmend(["hive", "check", file]).ends(3);
        assert!(run.stdout.contains("not closed cleanly"), "{}", run.stdout);
        assert!(
            run.stdout.ends_with("no other problems\n"),
            "{}",
            run.stdout
        );
        let document = diskmend(["hive", "check", file, "--json"]).ends(3).json();
        assert!(document["dirty"].is_string(), "{name}");
        assert_eq!(document["errors"], 0);
        diskmend(["hive", "recover", file, "--yes"]).ends(0);
        let run = diskmend(["hive", "check", file]).ends(0);
        assert!(run.stdout.ends_with("\nno problems\n"), "{}", run.stdout);
    }
}

#[test]
fn a_dirty_hive_without_logs_ends_with_1_and_a_hint() {
    let fixture = Fixture::new();
    let file = fixture.system();
    let mut bytes = fs::read(&file).expect("readable");
    bytes[4] = bytes[4].wrapping_add(1);
    let sum = diskmend_hive::checksum(bytes.first_chunk().expect("a base block"));
    bytes[508..512].copy_from_slice(&sum.to_le_bytes());
    fs::write(&file, bytes).expect("writable");
    diskmend(["hive", "check", file.to_str().expect("UTF-8")])
        .ends(1)
        .says("not closed cleanly and cannot be recovered")
        .says("hint: copy the hive together with its .LOG1 and .LOG2 files");
}

/// A file without clusters can have any length: once 1 TiB was read to its end.
#[cfg(unix)]
#[test]
fn a_log_that_the_hive_could_not_make_is_refused_unread() {
    let fixture = Fixture::new();
    let file = fixture.system();
    let log = file.with_extension("LOG1");
    let sparse = fs::File::create(&log).expect("creatable");
    if let Err(error) = sparse.set_len(1 << 40) {
        println!("not tried: no file of 1 TiB here: {error}");
        return;
    }
    let start = std::time::Instant::now();
    let run = diskmend(["hive", "check", file.to_str().expect("UTF-8")]).ends(1);
    assert!(start.elapsed() < std::time::Duration::from_secs(20));
    let expected = "the .LOG1 file is 1099511627776 bytes long";
    assert!(run.stderr.contains(expected), "{}", run.stderr);
}
