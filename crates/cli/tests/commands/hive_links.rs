//! Hives and logs with several names. Writing a log must not change the file that its other name
//! belongs to.

use std::fs;

use crate::fixture::{Fixture, Volume, files};
use crate::program::diskmend;

const VALUE: [&str; 5] = ["Setup", "New", "REG_DWORD", "1", "--yes"];

#[test]
fn a_log_that_is_another_hive_is_not_written() {
    for (log, other) in [
        ("SYSTEM.LOG1", "SOFTWARE"),
        ("SYSTEM.LOG2", "SYSTEM"),
        ("SYSTEM.LOG", "SYSTEM.LOG1"),
    ] {
        let volume = Volume::of_fixture("system-001");
        let config = volume.config();
        let path = config.join(other);
        if !path.exists() {
            fs::copy(volume.system(), &path).expect("a writable folder");
        }
        let _ = fs::remove_file(config.join(log));
        fs::hard_link(&path, config.join(log)).expect("a second name");
        let before = volume.hives();
        for verb in [&["plan"][..], &["repair", "--yes"]] {
            let args = verb.iter().copied().chain([volume.root(), "tls"]);
            let run = diskmend(args).ends(5);
            assert!(run.stderr.contains("hint: "), "{}", run.stderr);
            assert!(
                run.stderr.contains("2 names") || run.stderr.contains("same file"),
                "{}",
                run.stderr
            );
        }
        assert!(volume.hives() == before, "{log}: something was written");
        assert!(!volume.folder.path().join("diskmend").exists(), "{log}");
        // Reading is still allowed.
        let hive = volume.system();
        let hive = hive.to_str().expect("UTF-8");
        diskmend(["hive", "get", hive, "Select", "Current"]).ends(0);
        diskmend([
            "hive",
            "set",
            hive,
            "Setup",
            "New",
            "REG_DWORD",
            "1",
            "--yes",
        ])
        .ends(5);
        assert!(volume.hives() == before, "{log}: something was written");
    }
}

#[test]
fn the_logs_of_a_hive_file_are_no_other_files_either() {
    // The last one would not be written, because there is another log. But the next commit may
    // write it.
    for (log, own) in [
        ("SYSTEM.LOG1", None),
        ("SYSTEM.LOG2", None),
        ("SYSTEM.LOG2", Some("SYSTEM.LOG1")),
    ] {
        let fixture = Fixture::new();
        if let Some(own) = own {
            fs::write(fixture.path(own), b"").expect("a writable folder");
        }
        fs::write(fixture.path("OTHER"), b"kept").expect("a writable folder");
        fs::hard_link(fixture.path("OTHER"), fixture.path(log)).expect("a second name");
        let before = files(fixture.folder.path());
        let hive = fixture.system();
        let mut args = vec!["hive", "set", hive.to_str().expect("UTF-8")];
        args.extend(VALUE);
        let run = diskmend(args).ends(5);
        assert!(
            run.stderr.contains("2 names (hard links)"),
            "{}",
            run.stderr
        );
        assert!(files(fixture.folder.path()) == before, "{log} {own:?}");
    }
}

#[test]
fn a_hive_with_two_names_is_written_only_where_it_belongs_to_no_windows() {
    let fixture = Fixture::new();
    let other = fixture.path("OTHER");
    fs::hard_link(fixture.system(), &other).expect("a second name");
    let hive = fixture.system();
    let mut args = vec!["hive", "set", hive.to_str().expect("UTF-8")];
    args.extend(VALUE);
    diskmend(args).ends(0);
    let bytes = |path| fs::read(path).expect("the hive");
    assert!(bytes(fixture.system()) == bytes(other));

    let volume = Volume::of_fixture("system-001");
    fs::hard_link(volume.system(), volume.folder.path().join("OTHER")).expect("a second name");
    let before = volume.hives();
    diskmend(["plan", volume.root(), "tls"]).ends(5);
    diskmend(["repair", volume.root(), "tls", "--yes"]).ends(5);
    assert!(volume.hives() == before, "something was written");
}

/// The second name was made between the repair and its undo. The old bytes would go to the other
/// file too.
#[test]
fn undo_writes_no_file_that_has_another_name() {
    for name in ["SYSTEM", "SYSTEM.LOG1"] {
        let volume = Volume::new();
        diskmend(["repair", volume.root(), "tls", "--yes"]).ends(0);
        let file = volume.config().join(name);
        assert!(file.exists(), "{name}");
        fs::hard_link(file, volume.folder.path().join("OTHER")).expect("a second name");
        let before = volume.hives();
        for force in [&[][..], &["--force-bytes"]] {
            let args = ["undo", volume.root(), "--yes"];
            let run = diskmend(args.iter().chain(force)).ends(5);
            assert!(run.stderr.contains("2 names"), "{}", run.stderr);
            assert!(run.stderr.contains("hint: "), "{}", run.stderr);
        }
        assert!(volume.hives() == before, "{name}: something was written");
    }
}
