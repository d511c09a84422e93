//! The expected result for each fixture hive. `cargo xtask fixtures` makes the fixtures.

#![cfg(test)]

#[expect(dead_code, reason = "other tests use more of it")]
mod support;

use std::path::{Path, PathBuf};

use diskmend_hive::check::{Severity, check};
use diskmend_hive::{DirtyHive, Hive, LogKind, Logs, Opened, RecoverError, ValueType, open};
use support::count;

/// The expected result for a fixture.
enum Expected {
    /// Opens as clean, and the check finds nothing. The numbers count keys (with the root) and
    /// values.
    Sound(usize, usize),
    /// Opens as clean, and the check finds these kinds of problems, each at least once.
    Problems(&'static [&'static str]),
    /// Does not open; the reason contains this text.
    Refused(&'static str),
    /// Is dirty; these logs recover this number of keys and of values.
    Recovers(&'static [LogKind], usize, usize),
    /// Is dirty, and no log applies.
    Lost,
}

use Expected::{Lost, Problems, Recovers, Refused, Sound};

const TABLE: &[(&str, Expected)] = &[
    ("bcd-bios", Sound(76, 54)),
    ("bcd-efi", Sound(77, 55)),
    ("big-data", Sound(2, 3)),
    ("big-data-minor-3", Sound(2, 1)),
    ("broken-bin-signature", Problems(&["bin-signature"])),
    ("broken-cell-size", Problems(&["cell-size"])),
    ("broken-checksum-no-log", Lost),
    ("broken-cycle", Problems(&["cell-referenced-twice"])),
    ("broken-dirty-no-log", Lost),
    (
        "broken-double-reference",
        Problems(&["cell-referenced-twice"]),
    ),
    ("broken-free-cell", Problems(&["cell-not-allocated"])),
    (
        "broken-list",
        Problems(&["subkey-list-signature", "subkey-count"]),
    ),
    ("broken-log", Lost),
    ("broken-order", Problems(&["subkey-order"])),
    ("broken-parent", Problems(&["key-parent"])),
    ("broken-security-ring", Problems(&["security-link"])),
    (
        "broken-truncated",
        Refused("expected at least 36864, found 20480"),
    ),
    ("broken-value-data", Problems(&["value-data-size"])),
    ("clean-stale-log", Sound(96, 261)),
    ("deep-key", Sound(512, 0)),
    ("demo-software", Sound(4, 10)),
    ("demo-system", Recovers(&[LogKind::Log1], 100, 267)),
    ("dirty-dirt", Recovers(&[LogKind::Log1], 186, 510)),
    (
        "dirty-hvle-both",
        Recovers(&[LogKind::Log1, LogKind::Log2], 98, 267),
    ),
    ("dirty-hvle-log1", Recovers(&[LogKind::Log1], 186, 510)),
    ("dirty-torn-header", Recovers(&[LogKind::Log1], 97, 264)),
    ("minor-3", Sound(24, 28)),
    ("minor-4", Sound(24, 28)),
    ("minor-5", Sound(24, 28)),
    ("minor-6", Sound(24, 28)),
    ("names-minor-3", Sound(17, 7)),
    ("names-minor-5", Sound(17, 7)),
    ("system-001", Sound(96, 261)),
    ("system-001-002", Sound(185, 507)),
    ("system-001-003", Sound(185, 507)),
    ("warning-hash", Problems(&["subkey-hash"])),
    (
        "warning-reference-count",
        Problems(&["security-reference-count"]),
    ),
    ("wide-key-minor-3", Sound(2002, 0)),
    ("wide-key-minor-5", Sound(2002, 0)),
];

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fixtures")
}

/// The bytes of a fixture's hive, and its logs.
fn load(name: &str) -> (Vec<u8>, Logs) {
    let folder = root().join(name);
    let file = ["SYSTEM", "SOFTWARE", "BCD", "hive"]
        .iter()
        .find(|file| folder.join(file).is_file())
        .unwrap_or_else(|| panic!("no hive in {name}"));
    let read = |ending: &str| {
        let path = folder.join(format!("{file}{ending}"));
        path.is_file().then(|| std::fs::read(&path).expect("reads"))
    };
    let logs = [".LOG", ".LOG1", ".LOG2"].map(read);
    let [log, log1, log2] = logs.each_ref().map(|log| log.as_ref().map(|log| log as _));
    let hive = read("").expect("hive");
    let len = hive.len() as u64;
    (
        hive,
        Logs::read(len, log, log1, log2).expect("logs can be read"),
    )
}

fn clean(name: &str) -> Hive {
    match open(Box::new(load(name).0)).unwrap_or_else(|error| panic!("{name}: {error}")) {
        Opened::Clean(hive) => hive,
        Opened::Dirty(hive) => panic!("{name}: {}", hive.state()),
    }
}

fn dirty(name: &str) -> (DirtyHive, Logs) {
    let (bytes, logs) = load(name);
    match open(Box::new(bytes)).unwrap_or_else(|error| panic!("{name}: {error}")) {
        Opened::Dirty(hive) => (hive, logs),
        Opened::Clean(_) => panic!("{name} is clean"),
    }
}

fn assert_sound(name: &str, hive: &Hive, counts: (usize, usize)) {
    let report = check(hive);
    assert!(report.problems.is_empty(), "{name}: {:#?}", report.problems);
    assert_eq!(count(hive), counts, "{name}: keys and values");
    assert_eq!(
        (report.content.keys, report.content.values),
        counts,
        "{name}"
    );
}

#[test]
fn every_fixture_is_what_its_recipe_says() {
    for (name, expected) in TABLE {
        match expected {
            Sound(keys, values) => assert_sound(name, &clean(name), (*keys, *values)),
            Problems(codes) => {
                let report = check(&clean(name));
                for code in *codes {
                    let mut found = report.problems.iter().map(|problem| problem.kind.code());
                    assert!(found.any(|kind| kind == *code), "{name}: {report:#?}");
                }
                let severity = if name.starts_with("warning-") {
                    Severity::Warning
                } else {
                    Severity::Error
                };
                let worst = report
                    .problems
                    .iter()
                    .map(|problem| problem.severity())
                    .min();
                assert_eq!(worst, Some(severity), "{name}: {report:#?}");
            }
            Refused(reason) => {
                let error = open(Box::new(load(name).0)).err().map(|e| e.to_string());
                let error = error.unwrap_or_else(|| panic!("{name} opens"));
                assert!(error.contains(reason), "{name}: {error}");
            }
            Recovers(applied, keys, values) => {
                let (hive, logs) = dirty(name);
                let (hive, recovery) = hive
                    .recover(&logs)
                    .unwrap_or_else(|error| panic!("{name}: {error}"));
                let logs: Vec<_> = recovery.applied.iter().map(|log| log.log).collect();
                assert_eq!(logs, *applied, "{name}");
                assert_sound(name, &hive, (*keys, *values));
            }
            Lost => {
                let (hive, logs) = dirty(name);
                let result = hive.recover(&logs).err();
                assert!(matches!(result, Some(RecoverError::NoLog(_))), "{name}");
            }
        }
    }
}

#[test]
fn every_fixture_is_in_the_table() {
    let mut folders: Vec<_> = std::fs::read_dir(root())
        .expect("fixtures")
        .map(|entry| entry.expect("entry").path())
        .filter(|path| path.join("recipe.toml").is_file())
        .map(|path| {
            path.file_name()
                .expect("name")
                .to_string_lossy()
                .into_owned()
        })
        .collect();
    folders.sort();
    let table: Vec<_> = TABLE.iter().map(|(name, _)| *name).collect();
    assert_eq!(folders, table);
}

fn dword(hive: &Hive, key: &str, value: &str) -> Option<u32> {
    let key = hive.key(key).expect("sound")?;
    let value = key.value(value).expect("sound")?;
    assert_eq!(value.data_type(), ValueType::DWORD);
    let data = value.data().expect("sound");
    Some(u32::from_le_bytes(data[..].try_into().expect("four bytes")))
}

const CRASH: (&str, &str) = (r"ControlSet001\Control\CrashControl", "CrashDumpEnabled");
const LATE: &str = r"ControlSet001\Services\Late Driver";

#[test]
fn recovery_restores_changes_that_only_the_logs_hold() {
    for (name, crash_dump_enabled, start) in [
        ("dirty-dirt", 2, 3),
        ("dirty-hvle-both", 3, 0),
        ("dirty-hvle-log1", 2, 3),
        ("dirty-torn-header", 2, 3),
    ] {
        let (hive, logs) = dirty(name);
        let (hive, _) = hive.recover(&logs).expect("recovers");
        let found = dword(&hive, CRASH.0, CRASH.1);
        assert_eq!(found, Some(crash_dump_enabled), "{name}");
        assert_eq!(dword(&hive, LATE, "Start"), Some(start), "{name}");
        let gone = r"ControlSet001\Services\UmRdpService";
        assert!(hive.key(gone).expect("sound").is_none(), "{name}");
    }
}

#[test]
fn a_stale_log_changes_nothing() {
    let hive = clean("clean-stale-log");
    assert_eq!(dword(&hive, CRASH.0, CRASH.1), Some(7));
    assert!(hive.key(LATE).expect("sound").is_none());
}

#[test]
fn class_names_and_security_cells_of_their_own_are_read() {
    let hive = clean("system-001-002");
    let key = |path: &str| hive.key(path).expect("sound").expect("there");
    let class = key(r"ControlSet001\Control\Lsa\JD").class().expect("sound");
    let class = class.expect("class name").to_vec();
    let text: Vec<u8> = "5a3c91e7"
        .encode_utf16()
        .flat_map(u16::to_le_bytes)
        .collect();
    assert_eq!(class, text);
    let of_root = hive
        .root()
        .expect("root")
        .security_descriptor()
        .expect("sound");
    let own = key(r"ControlSet001\Enum\ACPI\VMBus\0")
        .security_descriptor()
        .expect("sound");
    assert_ne!(own, of_root);
    assert_eq!(check(&hive).content.security_cells, 3);
}
