//! Inspect, plan, repair and undo on real files.

use std::fs;

use diskmend_repair::documents::{Method, Outcome, RowState, SecondReader};
use diskmend_repair::{Class, Error, Goal};

use crate::support::{Volume, apply, fixtures, plan, same};

const ALL: [&str; 3] = ["tls", "nla", "crash-dump"];

#[test]
fn a_repair_is_complete_repeatable_and_undone_to_the_byte() {
    for fixture in [
        "system-001-002",
        "system-001",
        "system-001-003",
        "dirty-hvle-both",
        "dirty-hvle-log1",
        "dirty-dirt",
        "dirty-torn-header",
    ] {
        let volume = Volume::with_fixture(fixture);
        let before = volume.windows();
        let report = volume.repair(&ALL).expect(fixture);
        assert_eq!(report.outcome, Outcome::Done, "{fixture}");
        let [hive] = report.hives.as_slice() else {
            panic!("{fixture}: {} hives", report.hives.len());
        };
        assert_eq!(hive.second_reader, SecondReader::Agrees, "{fixture}");
        assert_eq!(
            hive.recovery.is_some(),
            fixture.starts_with("dirty"),
            "{fixture}"
        );

        let found = volume.inspect(&ALL).expect(fixture);
        assert!(!found.has_findings(), "{fixture}: {:?}", found.notices);
        let sets = &found.hives[0].control_sets.as_ref().expect("SYSTEM").sets;
        let in_sets = found.rows.iter().filter(|row| row.in_current_set.is_some());
        assert_eq!(in_sets.count(), found.rows.len(), "{fixture}");
        assert_eq!(found.rows.len() % sets.len(), 0, "{fixture}");

        let repaired = volume.snapshot();
        let again = volume.repair(&ALL).expect(fixture);
        assert_eq!(again.outcome, Outcome::NothingToDo, "{fixture}");
        same(&volume.snapshot(), &repaired, fixture);

        let undone = volume.undo(None).expect(fixture);
        assert_eq!(undone.method, Method::Bytes, "{fixture}");
        same(&volume.windows(), &before, fixture);
    }
}

#[test]
fn reading_writes_nothing() {
    let volume = Volume::with_fixture("dirty-hvle-both");
    let before = volume.snapshot();
    let found = volume.inspect(&ALL).expect("inspect");
    assert!(found.hives[0].dirty.is_some());
    assert!(found.rows.iter().any(|row| row.state != RowState::Ok));
    let engine = volume.engine().expect("a folder");
    plan(&engine, &ALL, Goal::Desired).expect("plan");
    same(&volume.snapshot(), &before, "inspect and plan");
}

#[test]
fn auto_writes_nothing_to_a_hive_without_a_fault() {
    let volume = Volume::with_fixture("system-001-002");
    let engine = volume.engine().expect("a folder");
    let plan = plan(&engine, &["crash-dump"], Goal::Faults).expect("plan");
    assert!(!plan.report().has_changes());
    let before = volume.snapshot();
    let report = apply(plan).expect("repair");
    assert_eq!(report.outcome, Outcome::NothingToDo);
    same(&volume.snapshot(), &before, "--auto");
}

#[test]
fn the_hive_is_found_in_any_case_and_as_a_copy() {
    for (config, name) in [
        ("WINDOWS/system32/Config", "system"),
        ("Windows/System32/config", "SYSTEM.hiv"),
    ] {
        let volume = Volume::empty(config);
        let hive = format!("{config}/{name}");
        volume.put(&hive, &fixtures().join("system-001-002/SYSTEM"));
        let before = volume.windows();
        let report = volume.repair(&["tls"]).expect(name);
        assert_eq!(report.hives[0].path, hive);
        assert_eq!(report.hives[0].hive, "SYSTEM");
        // The undo also removes the log that the commit needed.
        assert_ne!(volume.windows().len(), before.len(), "{name}");
        volume.undo(None).expect(name);
        same(&volume.windows(), &before, name);
    }
}

#[test]
fn undo_data_may_be_elsewhere() {
    let elsewhere = tempfile::tempdir().expect("a temporary folder");
    let mut volume = Volume::with_fixture("system-001-002");
    volume.options.state_dir = Some(elsewhere.path().join("state"));
    let before = volume.snapshot().into_keys().collect::<Vec<_>>();
    let bytes = volume.windows();
    let run = volume.repair(&["nla"]).expect("repair").run.expect("a run");
    assert!(elsewhere.path().join("state/runs").join(&run).is_file());
    assert!(!volume.root.join("diskmend").exists());
    volume.undo(Some(&run)).expect("undo");
    same(&volume.windows(), &bytes, "undo");
    assert_eq!(volume.snapshot().into_keys().collect::<Vec<_>>(), before);
}

#[test]
fn one_hive_may_be_left_alone_while_another_is_repaired() {
    let volume = Volume::with_fixture("system-001-002");
    let config = volume.root.join("Windows/System32/config");
    fs::write(config.join("SOFTWARE"), b"no hive").expect("a file");
    let text = r#"
        schema = 1
        name = "both"
        title = "t"
        summary = "s"
        sources = ["https://example.org"]
        [[registry]]
        hive = "SOFTWARE"
        key = 'Policies'
        value = "A"
        type = "REG_DWORD"
        data = 1
        why = "w"
        [[registry]]
        hive = "SYSTEM"
        key = 'ControlSet*\Control\A'
        value = "A"
        type = "REG_DWORD"
        data = 1
        why = "w"
    "#;
    let recipe = diskmend_repair::recipe::Recipe::parse("both.toml", text).expect("valid");
    let engine = volume.engine().expect("a folder");
    let plan = crate::support::watched(|watch| engine.plan(&[&recipe], Goal::Desired, watch));
    let plan = plan.expect("plan");
    let report = apply(plan).expect("repair");
    assert_eq!(report.outcome, Outcome::PartlyDone);
    assert_eq!(report.skipped.len(), 1);
    assert_eq!(report.skipped[0].hive, "SOFTWARE");
    assert!(report.skipped[0].reason.contains("not a registry hive"));
    assert!(report.changes.iter().all(|change| change.hive == "SYSTEM"));
}

#[test]
fn documents_carry_their_schema_and_survive_json() {
    let volume = Volume::with_fixture("dirty-hvle-both");
    let found = serde_json::to_value(volume.inspect(&ALL).expect("inspect")).expect("JSON");
    assert_eq!(found["schema"], 1);
    assert_eq!(found["hives"][0]["hive"], "SYSTEM");
    assert!(found["rows"][0]["desired"]["hex"].is_string());
    let report = serde_json::to_value(volume.repair(&ALL).expect("repair")).expect("JSON");
    assert_eq!(report["outcome"], "done");
    assert_eq!(report["schema"], 1);
    let undone = serde_json::to_value(volume.undo(None).expect("undo")).expect("JSON");
    assert_eq!(undone["method"], "bytes");
}

#[test]
fn an_unknown_run_is_an_error() {
    let volume = Volume::with_fixture("system-001");
    let error = volume.undo(Some("20200101T000000Z")).expect_err("none");
    assert!(matches!(error, Error::NoRun { .. }));
    let error = volume.undo(None).expect_err("none");
    assert!(matches!(error, Error::NothingToUndo));
    assert_eq!(error.class(), Class::Failed);
}
