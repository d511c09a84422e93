//! Each recipe on the disk that is made for it.

use std::collections::BTreeSet;

use super::cases::{self, Cases};
use super::kept::keep_hives;
use super::{Case, catalogue, in_state, inspect, repair, same_content, same_things, site};
use crate::documents::{Outcome, RowState};
use crate::engine_tests::support::undo;
use crate::plan::Goal;

fn test(case: &Case) {
    let Case { recipe, faults, .. } = case;
    let pristine = case.disk();
    let found = inspect(&site(&pristine), &[recipe]);
    assert!(found.skipped.is_empty(), "{recipe}: {:?}", found.skipped);
    let in_this = |state| in_state(&found, |other| other == state);
    same_things(
        &in_this(RowState::Fault),
        faults,
        &format!("{recipe}: faults"),
    );
    let others = in_state(&found, |state| {
        matches!(state, RowState::Differs | RowState::Missing)
    });
    same_things(&others, case.others, &format!("{recipe}: no faults"));
    assert_eq!(
        found.summary.repair.is_empty(),
        faults.is_empty(),
        "{recipe}"
    );

    repairs_faults(case);

    let disk = pristine.fork();
    let report = repair(&site(&disk), &[recipe], Goal::Desired).expect(recipe);
    if report.outcome != Outcome::Done {
        assert_eq!(report.outcome, Outcome::NothingToDo, "{recipe}: {report:?}");
        assert_eq!(case.left.len(), faults.len() + case.others.len());
    }
    let after = inspect(&site(&disk), &[recipe]);
    let wrong = in_state(&after, |state| {
        !matches!(state, RowState::Ok | RowState::Reported)
    });
    same_things(&wrong, case.left, &format!("{recipe}: after the repair"));

    keep_hives(recipe, &disk, &pristine);

    let again = disk.fork();
    let report = repair(&site(&again), &[recipe], Goal::Desired).expect(recipe);
    assert_eq!(report.outcome, Outcome::NothingToDo, "{recipe}: again");
    assert_eq!(again.operations(), 0, "{recipe}: a second run writes");

    if case.left.len() < faults.len() + case.others.len() {
        undo(&disk, None).unwrap_or_else(|error| panic!("{recipe}: undo: {error}"));
    }
    same_content(&disk, &pristine, recipe);
}

/// `--auto` repairs the faults and nothing else.
fn repairs_faults(case: &Case) {
    let Case { recipe, .. } = case;
    let disk = case.disk();
    let report = repair(&site(&disk), &[recipe], Goal::Faults).expect(recipe);
    let is_left = |fault: &&&str| case.left.contains(fault);
    if case.faults.iter().all(|fault| is_left(&fault)) {
        assert_eq!(report.outcome, Outcome::NothingToDo, "{recipe}: --auto");
        return;
    }
    let after = inspect(&site(&disk), &[recipe]);
    let faults = in_state(&after, |state| state == RowState::Fault);
    let left: Vec<&str> = case.faults.iter().filter(is_left).copied().collect();
    same_things(&faults, &left, &format!("{recipe}: after --auto"));
    let others = in_state(&after, |state| {
        matches!(state, RowState::Differs | RowState::Missing)
    });
    same_things(
        &others,
        case.others,
        &format!("{recipe}: --auto leaves choices"),
    );
}

fn test_all(cases: Cases) {
    for case in &cases {
        test(case);
    }
}

#[test]
fn recipes_for_remote_desktop() {
    test_all(cases::remote_desktop());
}

#[test]
fn recipes_for_permissions() {
    test_all(cases::permissions());
}

#[test]
fn recipes_for_the_boot_store() {
    test_all(cases::boot_store());
}

#[test]
fn recipes_for_services() {
    test_all(cases::services());
}

#[test]
fn recipes_for_lists() {
    test_all(cases::lists());
}

#[test]
fn recipes_for_files() {
    test_all(cases::files());
}

#[test]
fn recipes_for_the_system() {
    test_all(cases::system());
}

#[test]
fn recipes_for_the_listener() {
    test_all(cases::listener());
}

#[test]
fn recipes_for_settings() {
    test_all(cases::settings());
}

#[test]
fn recipes_for_the_network() {
    test_all(cases::network());
}

#[test]
fn recipes_for_what_is_left_behind() {
    test_all(cases::families());
}

/// What a recipe only reports is on the disk, and `inspect` shows it.
#[test]
fn settings_that_refuse_a_logon_are_reported() {
    let cases = cases::families();
    let case = cases.iter().find(|case| case.recipe == "logon-report");
    let case = case.expect("a disk");
    let found = inspect(&site(&case.disk()), &[case.recipe]);
    let reported = in_state(&found, |state| state == RowState::Reported);
    same_things(
        &reported,
        &[
            r"FipsAlgorithmPolicy\Enabled",
            r"Lsa\LmCompatibilityLevel",
            r"TermService\Type",
            r"MSV1_0\RestrictReceivingNTLMTraffic",
            r"MSV1_0\RestrictSendingNTLMTraffic",
            r"CredSSP\Parameters\AllowEncryptionOracle",
        ],
        case.recipe,
    );
}

#[test]
fn every_recipe_has_a_disk() {
    let cases = cases::all();
    let tested: BTreeSet<&str> = cases.iter().map(|case| case.recipe).collect();
    let known = catalogue().iter().filter(|recipe| recipe.has_rows());
    let known: BTreeSet<&str> = known.map(|recipe| recipe.name.as_str()).collect();
    let untested: Vec<_> = known.difference(&tested).collect();
    assert!(untested.is_empty(), "recipes without a disk: {untested:?}");
    let unknown: Vec<_> = tested.difference(&known).collect();
    assert!(unknown.is_empty(), "no recipes: {unknown:?}");
}

/// A recipe whose rows can be faults has a disk on which one of them is.
#[test]
fn every_fault_has_a_disk() {
    let cases = cases::all();
    for recipe in catalogue().iter() {
        let can_be_fault = recipe.text.contains("\nfault = ");
        let mut own = cases.iter().filter(|case| case.recipe == recipe.name);
        assert_eq!(
            own.any(|case| !case.faults.is_empty()),
            can_be_fault,
            "{}",
            recipe.name
        );
    }
}
