//! If the engine refuses, it writes nothing.

use std::fs;
use std::sync::atomic::AtomicBool;

use diskmend_repair::{Class, Error, Goal, Phase, Progress, Refusal, Watch};

use crate::support::{Volume, apply, plan, same};

#[test]
fn a_folder_without_windows_is_refused() {
    let volume = Volume::empty("Users");
    let error = volume.inspect(&["tls"]).expect_err("no Windows");
    assert_eq!(error.class(), Class::Refused);
}

#[test]
fn a_hibernated_windows_is_read_but_not_repaired() {
    let volume = Volume::with_fixture("system-001-002");
    fs::write(volume.root.join("hiberfil.sys"), b"HIBR and more").expect("a file");
    let before = volume.snapshot();
    volume.inspect(&["tls"]).expect("inspect");
    let error = volume.repair(&["tls"]).expect_err("hibernated");
    assert_eq!(error.class(), Class::Refused);
    same(&volume.snapshot(), &before, "hibernated");
}

#[test]
fn a_damaged_hive_is_refused_with_its_errors() {
    let volume = Volume::with_fixture("broken-list");
    let before = volume.snapshot();
    let error = volume.repair(&["tls"]).expect_err("damaged");
    match error {
        Error::Refused(Refusal::HiveErrors { check, .. }) => {
            assert!(check.errors > 0);
            assert!(!check.problems.is_empty());
        }
        other => panic!("{other}"),
    }
    same(&volume.snapshot(), &before, "damaged");
}

#[test]
fn a_hive_that_another_process_works_on_is_refused() {
    let volume = Volume::with_fixture("system-001-002");
    let engine = volume.engine().expect("a folder");
    let plan = plan(&engine, &["tls"], Goal::Desired).expect("plan");
    let path = volume.root.join("Windows/System32/config/SYSTEM");
    let file = fs::File::open(path).expect("the hive");
    file.lock().expect("the lock");
    let error = apply(plan).expect_err("locked");
    assert!(
        matches!(error, Error::Refused(Refusal::HiveBusy { .. })),
        "{error}"
    );
}

#[cfg(unix)]
#[test]
fn a_link_in_place_of_the_state_folder_is_refused() {
    let outside = tempfile::tempdir().expect("a temporary folder");
    let volume = Volume::with_fixture("system-001-002");
    std::os::unix::fs::symlink(outside.path(), volume.root.join("diskmend")).expect("a link");
    let error = volume.repair(&["tls"]).expect_err("a link");
    assert!(
        matches!(error, Error::Refused(Refusal::StateFolder { .. })),
        "{error}"
    );
    assert_eq!(fs::read_dir(outside.path()).expect("a folder").count(), 0);
}

#[cfg(unix)]
#[test]
fn a_journal_that_points_outside_reaches_nothing() {
    let outside = tempfile::tempdir().expect("a temporary folder");
    let victim = outside.path().join("victim");
    fs::write(&victim, b"precious").expect("a file");
    let volume = Volume::with_fixture("system-001-002");
    let run = volume.repair(&["tls"]).expect("repair").run.expect("a run");
    // The run is a folder, which anybody can make. Runs in both formats are read by the same rules.
    let path = volume.root.join(format!("diskmend/runs/{run}"));
    let file = fs::read(&path).expect("the run file");
    let text = String::from_utf8_lossy(&file);
    let start = text.rfind("{\n  \"schema\"").expect("a journal");
    let journal = text[start..].to_owned();
    fs::remove_file(&path).expect("there");
    fs::create_dir(&path).expect("writable");
    let path = path.join("journal.json");
    fs::write(&path, &journal).expect("writable");
    let runs = volume.engine().expect("opened").runs().expect("runs").runs;
    assert!(runs[0].trust.is_given(), "{:?}", runs[0].trust);
    let hive = volume.root.join("Windows/System32/config/SYSTEM");
    for elsewhere in ["../victim", "link"] {
        let _ = std::os::unix::fs::symlink(&victim, volume.root.join("link"));
        let forged = journal.replace(
            "Windows/System32/config/SYSTEM\"",
            &format!("{elsewhere}\""),
        );
        assert_ne!(forged, journal);
        fs::write(&path, forged).expect("a file");
        let before = fs::read(&hive).expect("the hive");
        volume.undo(Some(&run)).expect_err(elsewhere);
        assert_eq!(fs::read(&victim).expect("the victim"), b"precious");
        assert!(fs::read(&hive).expect("the hive") == before, "{elsewhere}");
    }
}

#[test]
fn an_interrupt_before_the_commit_leaves_no_trace() {
    /// Sets the flag when a phase begins.
    struct StopAt<'a>(Phase, &'a AtomicBool);
    impl Progress for StopAt<'_> {
        fn phase(&mut self, phase: Phase, _subject: &str) {
            if phase == self.0 {
                self.1.store(true, std::sync::atomic::Ordering::Relaxed);
            }
        }
    }
    for phase in [
        Phase::Guards,
        Phase::Opening,
        Phase::Editing,
        Phase::Verifying,
        Phase::BackingUp,
    ] {
        let volume = Volume::with_fixture("dirty-hvle-both");
        let engine = volume.engine().expect("a folder");
        let plan = plan(&engine, &["tls"], Goal::Desired).expect("plan");
        let before = volume.windows();
        let cancel = AtomicBool::new(false);
        let mut progress = StopAt(phase, &cancel);
        let mut watch = Watch::new(&mut progress, &cancel);
        let result = plan.apply(&mut watch);
        let error = result.expect_err("interrupted");
        assert_eq!(error.class(), Class::Interrupted, "{phase}: {error}");
        same(&volume.windows(), &before, &phase.to_string());
        let runs = volume.root.join("diskmend/runs");
        let left = fs::read_dir(runs).map_or(0, Iterator::count);
        assert_eq!(left, 0, "{phase}");
    }
    let volume = Volume::with_fixture("dirty-hvle-both");
    let engine = volume.engine().expect("a folder");
    let plan = plan(&engine, &["tls"], Goal::Desired).expect("plan");
    let cancel = AtomicBool::new(false);
    let mut progress = StopAt(Phase::Committing, &cancel);
    let mut watch = Watch::new(&mut progress, &cancel);
    plan.apply(&mut watch)
        .expect("a commit that has begun is finished");
}
