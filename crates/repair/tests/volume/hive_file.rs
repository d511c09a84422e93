//! Editing hive files by their path.

use std::fs;

use diskmend_disk::Target;
use diskmend_hive::Editor;
use diskmend_hive::{EditError, ValueType};
use diskmend_repair::documents::{Outcome, RepairReport, SecondReader};
use diskmend_repair::{Engine, Error, Options, Stop, hive_file};

use crate::support::{Volume, fixtures, same, watched};

fn edit(
    path: &std::path::Path,
    options: &Options,
    change: impl FnOnce(&mut Editor) -> Result<(), EditError>,
) -> Result<RepairReport, Error> {
    let change = |editor: &mut Editor| -> Result<(), Stop<Error>> { Ok(change(editor)?) };
    let edited =
        watched(|watch| hive_file::edit(&path.into(), options, watch, change).map_err(Error::from));
    edited.map(|(report, ())| report)
}

fn set(editor: &mut Editor, number: u32) -> Result<(), EditError> {
    editor.create_key(r"Some\New Key")?;
    editor.set_value(
        r"Some\New Key",
        "A",
        ValueType::DWORD,
        &number.to_le_bytes(),
    )?;
    Ok(())
}

#[test]
fn a_loose_hive_keeps_its_undo_data_beside_it() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let hive = folder.path().join("some.dat");
    fs::copy(fixtures().join("system-001/SYSTEM"), &hive).expect("a copy");
    let before = fs::read(&hive).expect("the hive");
    let options = crate::support::options();
    let report = edit(&hive, &options, |editor| set(editor, 1)).expect("edit");
    assert_eq!(report.outcome, Outcome::Done);
    assert_eq!(report.hives[0].hive, "some.dat");
    assert_eq!(report.hives[0].second_reader, SecondReader::Agrees);
    let opened = hive_file::open(&hive.as_path().into()).expect("open");
    let key = opened
        .hive
        .key(r"some\new key")
        .expect("sound")
        .expect("there");
    assert_eq!(
        &*key
            .value("a")
            .expect("sound")
            .expect("there")
            .data()
            .expect("data"),
        [1, 0, 0, 0]
    );

    let again = edit(&hive, &options, |editor| set(editor, 1)).expect("edit");
    assert_eq!(again.outcome, Outcome::NothingToDo);
    assert_eq!(again.run, None);

    let target = hive_file::target_of(&hive).expect("a target");
    assert_eq!(target, folder.path());
    let target = Target::open(&target).expect("a folder");
    let mut engine = Engine::open(target, options).expect("a folder");
    watched(|watch| engine.undo(None, watch)).expect("undo");
    assert!(fs::read(&hive).expect("the hive") == before);
}

#[test]
fn a_hive_of_a_volume_shares_the_runs_of_the_volume() {
    let volume = Volume::with_fixture("system-001-002");
    let before = volume.windows();
    let hive = volume.root.join("Windows/System32/config/SYSTEM");
    edit(&hive, &volume.options, |editor| set(editor, 2)).expect("edit");
    assert!(volume.root.join("diskmend/runs").is_dir());
    volume.undo(None).expect("undo");
    same(&volume.windows(), &before, "undo");
}

#[test]
fn without_checks_the_second_reader_is_not_asked() {
    let volume = Volume::with_fixture("system-001-002");
    let hive = volume.root.join("Windows/System32/config/SYSTEM");
    let options = Options {
        check: false,
        ..crate::support::options()
    };
    let report = edit(&hive, &options, |editor| set(editor, 2)).expect("edit");
    assert_eq!(report.hives[0].second_reader, SecondReader::Skipped);
    assert!(report.hives[0].check.is_none());
}

#[test]
fn a_hive_that_was_damaged_before_the_edit_is_refused() {
    let volume = Volume::with_fixture("broken-parent");
    let hive = volume.root.join("Windows/System32/config/SYSTEM");
    let before = volume.snapshot();
    let error = edit(&hive, &volume.options, |editor| set(editor, 2)).expect_err("damaged");
    assert_eq!(error.class(), diskmend_repair::Class::Refused, "{error}");
    same(&volume.snapshot(), &before, "damaged");
}

#[test]
fn a_failed_edit_writes_nothing() {
    let volume = Volume::with_fixture("system-001-002");
    let hive = volume.root.join("Windows/System32/config/SYSTEM");
    let before = volume.snapshot();
    let error = edit(&hive, &volume.options, |editor| {
        set(editor, 2)?;
        editor.set_value("No Such Key", "A", ValueType::DWORD, &[0; 4])?;
        Ok(())
    });
    let error = error.expect_err("no such key");
    assert!(matches!(error, Error::Edit { .. }), "{error}");
    same(&volume.snapshot(), &before, "failed");
}
