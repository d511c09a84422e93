//! What `[[registry_key]]` rows copy, and what undo takes away again.

use diskmend_disk::testing::{Fault, FaultyDisk, Loss};
use diskmend_hive::{Filetime, KeyState, ValueType};

use super::registry_keys::{Content, KEYS, LATER, content_of, disk};
use super::support::{
    FaultyHive, begun, is_unfinished, one_in, reading, same_hives, site, undo, with_watch,
};
use crate::documents::{InspectReport, Method, PlanReport, RepairReport, RowState};
use crate::error::{Error, Refusal};
use crate::inspect::inspect_site;
use crate::plan::{Goal, plan_site};
use crate::recipe::Recipe;
use crate::repair::repair_site;
use crate::site::Options;
use crate::value_data::ValueData;

/// The copies of `KEYS`.
const COPIES: [&str; 4] = [
    r"ControlSet001\New\Copy",
    r"ControlSet001\New\Copy\a",
    r"ControlSet001\New\Copy\a\b",
    r"ControlSet001\New\Copy\c",
];

fn recipe(rest: &str) -> Recipe {
    let text = format!(
        "schema = 1\nname = 'own'\ntitle = 't'\nsummary = 's'\nsources = ['https://e.org']\n\
         [[registry_key]]\nhive = 'SYSTEM'\nkey = 'ControlSet*\\New\\Copy'\n\
         copy_of = 'ControlSet*\\oWN'\nwhy = 'w'\n{rest}"
    );
    Recipe::parse("own.toml", &text).unwrap_or_else(|error| panic!("{rest}: {error}"))
}

fn inspect(disk: &FaultyDisk, recipe: &Recipe) -> InspectReport {
    let options = Options::default();
    with_watch(|watch| inspect_site(&site(disk), &[recipe], &options, watch).expect("inspect"))
}

fn plan(disk: &FaultyDisk, rest: &str, goal: Goal) -> Result<PlanReport, Error> {
    let (recipe, options) = (recipe(rest), Options::default());
    let plan = with_watch(|watch| plan_site(&site(disk), &[&recipe], goal, &options, watch));
    plan.map(|plan| PlanReport::of(&plan))
}

fn repair(disk: &FaultyDisk) -> Result<RepairReport, Error> {
    let (recipe, options) = (recipe(""), Options::default());
    with_watch(|watch| {
        let plan = plan_site(&site(disk), &[&recipe], Goal::Desired, &options, watch)?;
        repair_site(&site(disk), plan, &options, watch)
    })
}

/// The content without names of keys and last-written times, which a copy has of its own.
fn comparable(mut content: Content) -> Content {
    for (key, _) in &mut content {
        if let Some((name, state)) = key {
            name.clear();
            *state = KeyState {
                last_written: Filetime(0),
                ..state.clone()
            };
        }
    }
    content
}

#[test]
fn a_missing_copy_is_a_fault_only_if_the_row_says_so() {
    let own = disk();
    for (rest, state, changes) in [
        ("", RowState::Missing, 0),
        ("fault = 'missing'", RowState::Fault, 1),
        ("fault = { missing = true }", RowState::Fault, 1),
    ] {
        let found = inspect(&own, &recipe(rest));
        let [row] = found.rows.as_slice() else {
            panic!("{:?}", found.rows);
        };
        assert_eq!(row.state, state, "{rest}");
        let copy = row.copy_of.as_ref().expect("a copy");
        assert_eq!(copy.from, r"ControlSet001\oWN");
        assert_eq!((copy.content.subkeys, copy.content.values), (3, 8));
        let planned = plan(&own, rest, Goal::Faults).expect("plan");
        assert_eq!(planned.changes.len(), changes, "{rest}");
    }
    // Nothing to copy, and a key that is there, whatever is in it.
    let nothing = super::support::volume("system-001");
    let there = own.fork();
    there.set_all(&[(COPIES[0], "Mine", 7)]);
    for disk in [nothing, there] {
        let found = inspect(&disk, &recipe("fault = 'missing'"));
        assert_eq!(found.rows[0].state, RowState::Ok);
        let operations = disk.operations();
        assert!(repair(&disk).expect("nothing to do").changes.is_empty());
        assert_eq!(disk.operations(), operations);
    }
}

#[test]
fn a_copy_has_everything_of_its_source_and_undo_removes_exactly_it() {
    let pristine = disk();
    let source = content_of(&pristine, &KEYS);
    let disk = pristine.fork();
    let report = repair(&disk).expect("repair");
    let [change] = report.changes.as_slice() else {
        panic!("{:?}", report.changes);
    };
    assert_eq!(change.value.key, COPIES[0]);
    assert!(change.is_about_key() && change.deletes.is_none());
    assert_eq!(
        comparable(content_of(&disk, &COPIES)),
        comparable(source.clone())
    );
    assert_eq!(content_of(&disk, &KEYS), source);
    let operations = disk.operations();
    assert!(repair(&disk).expect("again").changes.is_empty());
    assert_eq!(disk.operations(), operations, "a second run writes");

    // A later run keeps it from being undone by its bytes.
    let none = vec![(None, Vec::new()); 4];
    let later = disk.fork();
    later.set_all(&[(LATER, "Later", 7)]);
    let undone = undo(&later, report.run.as_deref()).expect("undo");
    assert_eq!(undone.method, Method::Values);
    assert_eq!(content_of(&later, &COPIES), none);
    assert_eq!(content_of(&later, &[r"ControlSet001\New"]), none[..1]);
    assert_eq!(content_of(&later, &KEYS), source);
    assert_eq!(reading(&later, LATER, "Later"), Some(ValueData::dword(7)));

    // What somebody has put into the copy since stays.
    let used = disk.fork();
    used.set_all(&[(COPIES[1], "Mine", 7)]);
    undo(&used, report.run.as_deref()).expect("undo");
    let left = content_of(&used, &COPIES);
    assert_eq!(left[2..], none[2..]);
    let [(Some(_), outer), (Some(_), inner)] = &left[..2] else {
        panic!("{left:?}");
    };
    assert!(outer.is_empty());
    assert_eq!(inner.len(), 1, "{inner:?}");

    assert_eq!(undo(&disk, None).expect("undo").method, Method::Bytes);
    same_hives(&disk, &pristine, "undo");
}

#[test]
fn a_key_with_too_much_in_it_is_not_copied() {
    let disk = disk();
    disk.edit(|editor| {
        for number in 0..5 {
            let data = vec![number; 1 << 20];
            editor.set_value(KEYS[3], &number.to_string(), ValueType::BINARY, &data)?;
        }
        Ok(())
    });
    let before = disk.fork();
    let refused = plan(&disk, "", Goal::Desired).expect_err("too much");
    let expected = matches!(&refused, Error::Refused(Refusal::TooMuchInKeys { .. }));
    assert!(expected, "{refused}");
    same_hives(&disk, &before, "nothing is written");
}

#[test]
fn a_copy_that_was_killed_is_undone_or_completed() {
    let pristine = disk();
    let source = comparable(content_of(&pristine, &KEYS));
    let counted = pristine.fork();
    repair(&counted).expect("repair");
    let begun = begun(&counted.log());
    let mut states = 0;
    for at in one_in(3, counted.operations() - begun) {
        let at = begun + at;
        let disk = pristine.fork();
        disk.fail_at(at, Fault::Kill);
        repair(&disk).expect_err("killed");
        disk.restart(Loss::Some(0x9e37_79b9_7f4a_7c15));
        if is_unfinished(&disk) {
            undo(&disk, None).unwrap_or_else(|error| panic!("{at}: {error}"));
            same_hives(&disk, &pristine, "undo");
            states += 1;
        }
        repair(&disk).unwrap_or_else(|error| panic!("{at}: {error}"));
        assert_eq!(comparable(content_of(&disk, &COPIES)), source, "{at}");
    }
    assert!(states > 2, "{states}");
}
