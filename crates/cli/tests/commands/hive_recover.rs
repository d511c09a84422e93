//! `diskmend hive recover`.

use crate::fixture::{Fixture, copy_fixture, files};
use crate::program::diskmend;

const DIRTY: [&str; 4] = [
    "dirty-hvle-both",
    "dirty-hvle-log1",
    "dirty-dirt",
    "dirty-torn-header",
];

#[test]
fn a_dirty_hive_gets_the_content_of_its_logs() {
    for name in DIRTY {
        let folder = tempfile::TempDir::new().expect("a temporary folder");
        copy_fixture(name, folder.path());
        let before = files(folder.path());
        let file = folder.path().join("SYSTEM");
        let file = file.to_str().expect("UTF-8");
        let recovered = diskmend(["hive", "export", file])
            .ends(0)
            .says("note: ")
            .stdout;
        assert_eq!(
            files(folder.path()),
            before,
            "{name}: reading writes nothing"
        );
        diskmend(["hive", "recover", file, "--yes"]).ends(0);
        let clean = diskmend(["hive", "export", file]).ends(0);
        assert_eq!(clean.stderr, "", "{name}");
        assert_eq!(clean.stdout, recovered, "{name}");
        let run = diskmend(["hive", "recover", file, "--yes"]).ends(0);
        assert!(run.stdout.contains("nothing to do"), "{}", run.stdout);
    }
}

#[test]
fn an_edit_recovers_first() {
    for name in DIRTY {
        let folder = tempfile::TempDir::new().expect("a temporary folder");
        copy_fixture(name, folder.path());
        let file = folder.path().join("SYSTEM");
        let file = file.to_str().expect("UTF-8");
        let recovered = diskmend(["hive", "export", file]).ends(0).stdout;
        let document = diskmend([
            "hive",
            "set",
            file,
            "zzz",
            "A",
            "REG_DWORD",
            "1",
            "--yes",
            "--json",
        ])
        .ends(0)
        .json();
        assert!(document["hives"][0]["recovery"]["pages"].as_u64() > Some(0));
        let edited = diskmend(["hive", "export", file]).ends(0).stdout;
        let added = "\n[zzz]\n\"A\"=dword:00000001\n";
        assert_eq!(edited.replace(added, ""), recovered, "{name}");
    }
}

#[test]
fn a_clean_hive_is_left_whatever_its_logs_hold() {
    let folder = tempfile::TempDir::new().expect("a temporary folder");
    copy_fixture("clean-stale-log", folder.path());
    let before = files(folder.path());
    let file = folder.path().join("SYSTEM");
    let run = diskmend(["hive", "recover", file.to_str().expect("UTF-8"), "--yes"]).ends(0);
    assert!(run.stdout.contains("nothing to do"), "{}", run.stdout);
    assert_eq!(files(folder.path()), before);
}

#[test]
fn a_dirty_hive_without_a_usable_log_is_refused() {
    for name in [
        "broken-dirty-no-log",
        "broken-checksum-no-log",
        "broken-log",
    ] {
        let folder = tempfile::TempDir::new().expect("a temporary folder");
        copy_fixture(name, folder.path());
        let before = files(folder.path());
        let file = folder.path().join("SYSTEM");
        diskmend(["hive", "recover", file.to_str().expect("UTF-8"), "--yes"])
            .ends(5)
            .says("hint: copy the hive together with its .LOG1 and .LOG2 files");
        let after = files(folder.path());
        for (name, bytes) in &before {
            assert_eq!(after.get(name), Some(bytes));
        }
    }
    let fixture = Fixture::new();
    // Nobody is asked about a clean hive.
    let clean = diskmend(["hive", "recover", fixture.system().to_str().expect("UTF-8")]).ends(0);
    assert!(clean.stdout.contains("nothing to do"), "{}", clean.stdout);
}
