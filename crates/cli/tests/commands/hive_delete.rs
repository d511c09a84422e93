//! `diskmend hive delete`.

use std::fs;

use crate::fixture::Fixture;
use crate::program::{Run, diskmend};

fn delete(fixture: &Fixture, args: &[&str]) -> Run {
    let file = fixture.system();
    let mut all = vec!["hive", "delete", file.to_str().expect("UTF-8")];
    all.extend(args);
    diskmend(all)
}

#[test]
fn a_value_is_deleted_alone_and_a_key_with_all_below_it() {
    let fixture = Fixture::new();
    let file = fixture.system();
    let file = file.to_str().expect("UTF-8");
    delete(&fixture, &["Select", "Failed", "--yes"]).ends(0);
    diskmend(["hive", "get", file, "Select", "Failed"]).ends(1);
    diskmend(["hive", "get", file, "Select", "Current"]).ends(0);
    delete(&fixture, &["Setup", "(Default)", "--yes"]).ends(0);
    diskmend(["hive", "get", file, "Setup", ""]).ends(1);
    delete(&fixture, &["ControlSet002", "--yes"]).ends(0);
    diskmend(["hive", "ls", file, "ControlSet002"]).ends(1);
    diskmend(["hive", "ls", file, "ControlSet001"]).ends(0);
    diskmend(["hive", "check", file]).ends(0);
}

#[test]
fn deleting_a_missing_value_is_nothing_to_do() {
    let fixture = Fixture::new();
    let before = fs::read(fixture.system()).expect("readable");
    for args in [["Select", "No"], ["No", "No"]] {
        let run = delete(&fixture, &[args[0], args[1], "--yes"]).ends(0);
        assert!(run.stdout.contains("nothing to do"), "{}", run.stdout);
    }
    delete(&fixture, &["No", "--yes"]).ends(0);
    assert_eq!(fs::read(fixture.system()).expect("readable"), before);
}

#[test]
fn the_root_can_not_be_deleted() {
    let fixture = Fixture::new();
    let before = fs::read(fixture.system()).expect("readable");
    delete(&fixture, &["\\", "--yes"])
        .ends(1)
        .says("can't be deleted");
    delete(&fixture, &["Select"]).ends(2);
    assert_eq!(fs::read(fixture.system()).expect("readable"), before);
}
