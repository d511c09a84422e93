//! What `[[registry_key]]` rows delete, and what undo brings back.

use diskmend_disk::Access;
use diskmend_disk::testing::{Fault, FaultyDisk, Loss};
use diskmend_hive::{Filetime, KeyState, ValueContent, ValueType};

use super::support::{
    FaultyHive, begun, is_unfinished, one_in, reading, same_hives, site, undo, volume, with_watch,
};
use crate::documents::{Deletion, InspectReport, Method, PlanReport, RepairReport, RowState};
use crate::error::{Error, Refusal};
use crate::hive_on_disk;
use crate::inspect::inspect_site;
use crate::plan::{Goal, plan_site};
use crate::recipe::{HiveName, Recipe};
use crate::repair::repair_site;
use crate::site::Options;
use crate::value_data::ValueData;

pub(super) const KEYS: [&str; 4] = [
    r"ControlSet001\Own",
    r"ControlSet001\Own\a",
    r"ControlSet001\Own\a\b",
    r"ControlSet001\Own\c",
];
pub(super) const LATER: &str = r"ControlSet001\Control";

fn recipe(rest: &str) -> Recipe {
    let text = format!(
        "schema = 1\nname = 'own'\ntitle = 't'\nsummary = 's'\nsources = ['https://e.org']\n\
         [[registry_key]]\nhive = 'SYSTEM'\nkey = 'ControlSet*\\oWN'\ndelete = true\nwhy = 'w'\n{rest}"
    );
    Recipe::parse("own.toml", &text).unwrap_or_else(|error| panic!("{rest}: {error}"))
}

/// A descriptor that no other key of the fixture has.
fn state(flag: u8, class: &[u8]) -> KeyState {
    let mut descriptor = vec![0; 20];
    descriptor.splice(..4, [1, 0, flag, 0x80]);
    KeyState {
        descriptor,
        class: class.to_vec(),
        last_written: Filetime(0),
        flags: 0,
        user_flags: 0,
    }
}

/// A disk with the keys, which are not spelt as in the recipe. Their times differ from the time of any run.
pub(super) fn disk() -> FaultyDisk {
    let disk = volume("system-001");
    disk.edit(|editor| {
        for (number, key) in (0..).zip(KEYS) {
            editor.create_key(key)?;
            editor.set_value(key, "V", ValueType::DWORD, &[number, 0, 0, 0])?;
            editor.set_value(key, "", ValueType::BINARY, &vec![number; 2_000])?;
        }
        editor.restore_key(KEYS[1], &state(4, b"c\0l\0"))?;
        editor.restore_key(KEYS[2], &state(8, b""))?;
        for (number, key) in (1..).zip(KEYS) {
            editor.set_last_written(key, Filetime(number * 1_000_000_000))?;
        }
        Ok(())
    });
    disk
}

/// The name and the state of a key, and its values.
pub(super) type Content = Vec<(Option<(String, KeyState)>, Vec<(String, ValueContent)>)>;

/// Everything in the keys.
fn content(disk: &FaultyDisk) -> Content {
    content_of(disk, &KEYS)
}

/// Everything in some keys.
pub(super) fn content_of(disk: &FaultyDisk, keys: &[&str]) -> Content {
    let site = site(disk);
    let place = hive_on_disk::find(site.root.as_ref(), HiveName::System).expect("a hive");
    let opened = hive_on_disk::open(place, Access::Read).expect("open");
    let content = keys.iter().map(|path| {
        let Some(key) = opened.hive.key(path).expect("sound") else {
            return (None, Vec::new());
        };
        let values = key.values().expect("sound").map(|value| {
            let value = value.expect("sound");
            let content = ValueContent::of(&value).expect("sound");
            (value.name().to_string(), content)
        });
        let state = KeyState::of(&key).expect("sound");
        (Some((key.name().to_string(), state)), values.collect())
    });
    content.collect()
}

fn inspect(disk: &FaultyDisk, recipe: &Recipe) -> InspectReport {
    let options = Options::default();
    with_watch(|watch| inspect_site(&site(disk), &[recipe], &options, watch).expect("inspect"))
}

fn plan(disk: &FaultyDisk, goal: Goal) -> Result<PlanReport, Error> {
    let (recipe, options) = (recipe(""), Options::default());
    let plan = with_watch(|watch| plan_site(&site(disk), &[&recipe], goal, &options, watch));
    plan.map(|plan| PlanReport::of(&plan))
}

fn repair(disk: &FaultyDisk) -> Result<RepairReport, Error> {
    let recipe = recipe("");
    let options = Options {
        check: false,
        ..Options::default()
    };
    with_watch(|watch| {
        let plan = plan_site(&site(disk), &[&recipe], Goal::Desired, &options, watch)?;
        repair_site(&site(disk), plan, &options, watch)
    })
}

#[test]
fn a_key_is_a_fault_only_if_the_row_says_so() {
    let disk = disk();
    for (rest, state, faults) in [
        ("", RowState::Differs, 0),
        ("fault = 'exists'", RowState::Fault, 1),
        ("fault = { exists = true }", RowState::Fault, 1),
    ] {
        let found = inspect(&disk, &recipe(rest));
        let [row] = found.rows.as_slice() else {
            panic!("{:?}", found.rows);
        };
        assert_eq!((row.state, found.summary.faults), (state, faults), "{rest}");
        assert_eq!(row.deletes, Some(Deletion::Key));
        let subtree = row.subtree.expect("it is there");
        assert_eq!((subtree.subkeys, subtree.values), (3, 8));
    }
    let found = inspect(&volume("system-001"), &recipe("fault = 'exists'"));
    assert_eq!(found.rows[0].state, RowState::Ok);
    assert_eq!(found.rows[0].subtree, None);
}

#[test]
fn a_deleted_key_comes_back_with_everything_it_had() {
    let pristine = disk();
    let before = content(&pristine);
    assert!(
        plan(&pristine, Goal::Faults)
            .expect("plan")
            .changes
            .is_empty()
    );
    let disk = pristine.fork();
    let report = repair(&disk).expect("repair");
    let [change] = report.changes.as_slice() else {
        panic!("{:?}", report.changes);
    };
    assert_eq!(
        (change.value.key.as_str(), change.deletes),
        (r"ControlSet001\oWN", Some(Deletion::Key))
    );
    assert_eq!(content(&disk), vec![(None, Vec::new()); 4]);
    assert!(repair(&disk).expect("again").changes.is_empty());

    // A later run keeps it from being undone by its bytes.
    let later = disk.fork();
    later.set_all(&[(LATER, "Later", 7)]);
    let undone = undo(&later, report.run.as_deref()).expect("undo");
    assert_eq!(undone.method, Method::Values);
    assert_eq!(content(&later), before);
    assert_eq!(reading(&later, LATER, "Later"), Some(ValueData::dword(7)));

    // A key that somebody has made since keeps what it has got.
    let made = disk.fork();
    made.set_all(&[(KEYS[1], "Mine", 7)]);
    let undone = undo(&made, report.run.as_deref()).expect("undo");
    assert_eq!(undone.method, Method::Values);
    let after = content(&made);
    assert_eq!((&after[2], &after[3]), (&before[2], &before[3]));
    assert_ne!(after[1].0, before[1].0);
    assert_eq!(reading(&made, KEYS[1], "Mine"), Some(ValueData::dword(7)));
    assert_eq!(reading(&made, KEYS[1], "V"), Some(ValueData::dword(1)));

    assert_eq!(undo(&disk, None).expect("undo").method, Method::Bytes);
    same_hives(&disk, &pristine, "undo");
}

#[test]
fn a_key_with_too_much_in_it_is_refused_before_anything_is_written() {
    let disk = disk();
    disk.edit(|editor| {
        for number in 0..5 {
            let data = vec![number; 1 << 20];
            editor.set_value(KEYS[3], &number.to_string(), ValueType::BINARY, &data)?;
        }
        Ok(())
    });
    let before = disk.fork();
    let refused = plan(&disk, Goal::Desired).expect_err("too much");
    let expected = matches!(&refused, Error::Refused(Refusal::TooMuchInKeys { .. }));
    assert!(expected, "{refused}");
    same_hives(&disk, &before, "nothing is written");
}

#[test]
fn a_deletion_or_its_undo_that_was_killed_can_be_undone() {
    let pristine = disk();
    let before = content(&pristine);
    let deleted = pristine.fork();
    let run = repair(&deleted).expect("repair").run;
    let counted = pristine.fork();
    repair(&counted).expect("repair");
    let mut states = 0;
    let begun = begun(&counted.log());
    for at in one_in(5, counted.operations() - begun) {
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
        assert_eq!(content(&disk), vec![(None, Vec::new()); 4], "{at}");
    }
    // Now the undo comes after a later run.
    let later = deleted.fork();
    later.set_all(&[(LATER, "Later", 7)]);
    let later = later.fork();
    let counted = later.fork();
    undo(&counted, run.as_deref()).expect("undo");
    for at in one_in(17, counted.operations()) {
        let disk = later.fork();
        disk.fail_at(at, Fault::Kill);
        if undo(&disk, run.as_deref()).is_ok() {
            continue;
        }
        disk.restart(Loss::Some(0xbf58_476d_1ce4_e5b9));
        for _ in 0..3 {
            match undo(&disk, run.as_deref()) {
                Ok(_) | Err(Error::NotUndoable { .. }) => break,
                // The reversal is a run of its own, and it was killed.
                Err(_) => {
                    undo(&disk, None).unwrap_or_else(|error| panic!("{at}: {error}"));
                }
            }
        }
        assert_eq!(content(&disk), before, "{at}");
        assert_eq!(
            reading(&disk, LATER, "Later"),
            Some(ValueData::dword(7)),
            "{at}"
        );
        states += 1;
    }
    assert!(states > 3, "{states}");
}
