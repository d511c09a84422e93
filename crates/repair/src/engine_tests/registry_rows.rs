//! What `[[registry]]` rows find and change.

use diskmend_disk::testing::FaultyDisk;
use diskmend_hive::ValueType;

use super::boot_fixture::hive;
use super::support::{
    FaultyHive, differing, hives as hives_of, reading, same_hives, site, undo, volume, with_watch,
};
use crate::documents::{Deletion, InspectReport, Method, PlanReport, RepairReport, RowState};
use crate::error::Error;
use crate::inspect::inspect_site;
use crate::plan::{Goal, plan_site};
use crate::recipe::Recipe;
use crate::repair::repair_site;
use crate::site::Options;
use crate::value_data::ValueData;

const KEY: &str = r"ControlSet001\Control\Session Manager";

/// A recipe of one row about value `V` of a key that test disks have.
fn recipe(rest: &str) -> Recipe {
    let text = format!(
        "schema = 1\nname = 'own'\ntitle = 't'\nsummary = 's'\nsources = ['https://e.org']\n\
         [[registry]]\nhive = 'SYSTEM'\nkey = '{KEY}'\nvalue = 'V'\nwhy = 'w'\n{rest}"
    );
    Recipe::parse("own.toml", &text).unwrap_or_else(|error| panic!("{rest}: {error}"))
}

fn inspect(disk: &FaultyDisk, recipe: &Recipe) -> InspectReport {
    let options = Options::default();
    with_watch(|watch| inspect_site(&site(disk), &[recipe], &options, watch).expect("inspect"))
}

fn changes(disk: &FaultyDisk, recipe: &Recipe, goal: Goal) -> usize {
    let options = Options::default();
    let plan =
        with_watch(|watch| plan_site(&site(disk), &[recipe], goal, &options, watch).expect("plan"));
    PlanReport::of(&plan).changes.len()
}

fn repair(disk: &FaultyDisk, recipe: &Recipe) -> RepairReport {
    let options = Options::default();
    with_watch(|watch| {
        let plan = plan_site(&site(disk), &[recipe], Goal::Desired, &options, watch)?;
        repair_site(&site(disk), plan, &options, watch)
    })
    .expect("repair")
}

/// A disk whose value has these data, or doesn't exist.
fn disk(data: Option<(ValueType, &[u8])>) -> FaultyDisk {
    let disk = volume("system-001");
    disk.edit(|editor| {
        editor.create_key(KEY)?;
        editor.set_value(KEY, "Other", ValueType::DWORD, &[1, 0, 0, 0])?;
        if let Some((value_type, bytes)) = data {
            editor.set_value(KEY, "V", value_type, bytes)?;
        }
        Ok(())
    });
    disk
}

fn dword(number: u32) -> FaultyDisk {
    disk(Some((ValueType::DWORD, &number.to_le_bytes())))
}

/// The state of the value, and whether a repair that is named and `--auto` would change it.
fn judged(disk: &FaultyDisk, recipe: &Recipe) -> (RowState, bool, bool) {
    let report = inspect(disk, recipe);
    let [row] = report.rows.as_slice() else {
        panic!("{:?}", report.rows);
    };
    let named = changes(disk, recipe, Goal::Desired) > 0;
    (row.state, named, changes(disk, recipe, Goal::Faults) > 0)
}

#[test]
fn accepted_data_are_right_and_stay() {
    let recipe = recipe("type = 'REG_DWORD'\ndata = 1\naccept = [1, 2]\nfault = 'different'");
    for right in [1, 2] {
        assert_eq!(judged(&dword(right), &recipe), (RowState::Ok, false, false));
    }
    for wrong in [0, 3] {
        let state = (RowState::Fault, true, true);
        assert_eq!(judged(&dword(wrong), &recipe), state);
    }
    assert_eq!(
        judged(&disk(None), &recipe),
        (RowState::Missing, true, false)
    );
}

#[test]
fn a_value_is_deleted_and_comes_back() {
    let recipe =
        recipe("type = 'REG_DWORD'\ndelete = true\naccept = [7]\nfault = { equals = [2] }");
    assert_eq!(judged(&disk(None), &recipe), (RowState::Ok, false, false));
    assert_eq!(judged(&dword(7), &recipe), (RowState::Ok, false, false));
    assert_eq!(judged(&dword(1), &recipe), (RowState::Differs, true, false));
    assert_eq!(judged(&dword(2), &recipe), (RowState::Fault, true, true));

    let disk = dword(2);
    let before = hives_of(&disk);
    let report = repair(&disk, &recipe);
    let [change] = report.changes.as_slice() else {
        panic!("{:?}", report.changes);
    };
    assert_eq!(change.deletes, Some(Deletion::Value));
    assert_eq!(change.value.old, Some(ValueData::dword(2)));
    assert_eq!(change.value.new, None);
    assert_eq!(reading(&disk, KEY, "V"), None);
    assert_eq!(reading(&disk, KEY, "Other"), Some(ValueData::dword(1)));
    assert_eq!(judged(&disk, &recipe), (RowState::Ok, false, false));

    // Later runs keep it from being undone by its bytes.
    let later = disk.fork();
    later.set_all(&[(KEY, "Other", 9)]);
    let report = undo(&later, report.run.as_deref()).expect("undo");
    assert_eq!(report.method, Method::Values);
    assert_eq!(reading(&later, KEY, "V"), Some(ValueData::dword(2)));
    assert_eq!(reading(&later, KEY, "Other"), Some(ValueData::dword(9)));

    undo(&disk, None).expect("undo");
    let differ = differing(&hives_of(&disk), &before);
    assert!(differ.is_empty(), "{differ:?}");
}

#[test]
fn a_value_that_should_not_exist_is_a_fault_if_the_row_says_so() {
    let always = recipe("delete = true\nfault = 'exists'");
    assert_eq!(judged(&dword(0), &always), (RowState::Fault, true, true));
    assert_eq!(judged(&disk(None), &always), (RowState::Ok, false, false));
    let with = |other: u32| {
        let condition =
            format!("where = {{ value = 'Other', type = 'REG_DWORD', equals = [{other}] }}");
        recipe(&format!(
            "delete = true\nfault = {{ exists = true, {condition} }}"
        ))
    };
    assert_eq!(judged(&dword(0), &with(1)), (RowState::Fault, true, true));
    assert_eq!(
        judged(&dword(0), &with(2)),
        (RowState::Differs, true, false)
    );
}

/// The healthy 1903 has one terminator at the end of this list.
#[test]
fn strings_are_compared_without_their_terminators() {
    let wanted =
        recipe("type = 'REG_MULTI_SZ'\ndata = ['autocheck autochk *']\nfault = 'different'");
    let is_fault =
        recipe("type = 'REG_MULTI_SZ'\ndata = []\nfault = { equals = [['autocheck autochk *']] }");
    let text: Vec<u8> = "autocheck autochk *"
        .encode_utf16()
        .flat_map(u16::to_le_bytes)
        .collect();
    for end in 0..4 {
        let bytes = [text.clone(), vec![0; end * 2]].concat();
        let disk = disk(Some((ValueType::MULTI_SZ, &bytes)));
        assert_eq!(
            judged(&disk, &wanted),
            (RowState::Ok, false, false),
            "{end}"
        );
        assert_eq!(
            judged(&disk, &is_fault),
            (RowState::Fault, true, true),
            "{end}"
        );
    }
    let other = disk(Some((ValueType::SZ, &text)));
    assert_eq!(judged(&other, &wanted), (RowState::Fault, true, true));
}

#[test]
fn a_row_that_only_looks_changes_nothing_and_makes_no_fault() {
    let reported = (RowState::Reported, false, false);
    let quiet = (RowState::Ok, false, false);
    let exists = recipe("report = true");
    assert_eq!(judged(&dword(1), &exists), reported);
    assert_eq!(judged(&disk(None), &exists), quiet);
    let other = recipe("type = 'REG_DWORD'\nreport = 'exists'\naccept = [1, 2]");
    assert_eq!(judged(&dword(2), &other), quiet);
    assert_eq!(judged(&dword(3), &other), reported);
    let one = recipe("type = 'REG_DWORD'\nreport = { equals = [0, 4] }");
    assert_eq!(judged(&dword(4), &one), reported);
    assert_eq!(judged(&dword(1), &one), quiet);
    assert_eq!(judged(&disk(None), &recipe("report = 'missing'")), reported);

    let found = inspect(&dword(1), &exists);
    assert!(!found.has_faults() && !found.has_findings());
    assert_eq!((found.summary.reported, found.summary.ok), (1, 0));
    let json = serde_json::to_value(&found).expect("JSON");
    let row = &json["rows"][0];
    assert_eq!(row["only_reports"], true);
    assert_eq!(row["state"], "reported");
    assert!(
        row["desired"].is_null() && row.get("deletes").is_none(),
        "{row}"
    );

    // A fault is one although nothing repairs it.
    let fault = recipe("type = 'REG_DWORD'\nreport = true\nfault = { equals = [4] }");
    assert_eq!(judged(&dword(4), &fault), (RowState::Fault, false, false));
    let found = inspect(&dword(4), &fault);
    assert!(found.has_faults());
    assert!(found.summary.repair.is_empty(), "{:?}", found.summary);
    let disk = dword(4);
    let before = disk.fork();
    assert!(repair(&disk, &fault).changes.is_empty());
    same_hives(&disk, &before, "nothing is written");
}

/// The user rights of everybody: the default value of a key, with a type that nothing else has.
#[test]
fn the_other_hives_are_read_if_a_row_needs_them() {
    let key = r"Policy\Accounts\S-1-1-0\ActSysAc";
    let rights = |bits: u8| {
        hive(|editor| {
            editor.create_key(key)?;
            editor.set_value(key, "", ValueType::NONE, &[bits, 0, 0, 0])?;
            Ok(())
        })
    };
    let text = format!(
        "schema = 1\nname = 'own'\ntitle = 't'\nsummary = 's'\nsources = ['https://e.org']\n\
         [[registry]]\nhive = 'SECURITY'\nkey = '{key}'\nvalue = ''\nwhy = 'w'\n\
         type = 'REG_NONE'\ndata = '02 00 00 00'\nfault = {{ equals = ['42000000'] }}"
    );
    let recipe = Recipe::parse("own.toml", &text).expect("valid");
    let disk = disk(None);
    disk.put("Windows/System32/config/SECURITY", rights(0x42));
    assert_eq!(judged(&disk, &recipe), (RowState::Fault, true, true));
    let found = inspect(&disk, &recipe);
    let hives: Vec<_> = found.hives.iter().map(|hive| hive.hive.as_str()).collect();
    assert_eq!(hives, ["SECURITY"]);
    let before = hives_of(&disk);
    repair(&disk, &recipe);
    assert_eq!(judged(&disk, &recipe), (RowState::Ok, false, false));
    undo(&disk, None).expect("undo");
    assert_eq!(differing(&hives_of(&disk), &before), [""; 0]);

    // An absent hive is no fault, but what was asked for can't be done without it.
    let disk = volume("system-001");
    let found = inspect(&disk, &recipe);
    assert!(!found.has_faults() && found.skipped.is_empty());
    assert_eq!(found.notices[0].kind, "no-hive");
    let options = Options::default();
    let plan =
        |goal| with_watch(|watch| plan_site(&site(&disk), &[&recipe], goal, &options, watch));
    assert!(plan(Goal::Faults).is_ok());
    assert!(matches!(plan(Goal::Desired), Err(Error::NoHive { .. })));
    // Without SYSTEM there is no Windows.
    let other = text.replace("SECURITY", "SYSTEM");
    let other = Recipe::parse("own.toml", &other).expect("valid");
    let empty = FaultyDisk::new();
    assert!(matches!(
        with_watch(|watch| inspect_site(&site(&empty), &[&other], &options, watch)),
        Err(Error::NoHive { .. })
    ));
}

#[test]
fn a_row_may_be_about_every_subkey() {
    let text = "schema = 1\nname = 'own'\ntitle = 't'\nsummary = 's'\n\
        sources = ['https://e.org']\n[[registry]]\nhive = 'SYSTEM'\n\
        key = 'ControlSet*\\Own\\{*}\\In'\nvalue = 'V'\nwhy = 'w'\ntype = 'REG_DWORD'\n\
        data = 1\nif_missing = 'leave'\nfault = { equals = [4] }";
    let recipe = Recipe::parse("own.toml", text).expect("valid");
    let disk = volume("system-001");
    assert!(inspect(&disk, &recipe).rows.is_empty());
    let own = |rest: &str| format!(r"ControlSet001\Own\{rest}");
    // The last name hides what follows it on a terminal.
    let keys = [own(r"a\In"), own(r"B\In"), own("c\u{202e}\\In")];
    disk.edit(|editor| {
        for key in &keys {
            editor.create_key(key)?;
            editor.set_value(key, "V", ValueType::DWORD, &[4, 0, 0, 0])?;
        }
        editor.create_key(&own("d"))?;
        editor.set_value(&own("d"), "V", ValueType::DWORD, &[4, 0, 0, 0])?;
        Ok(())
    });
    let found = inspect(&disk, &recipe);
    let states: Vec<_> = found
        .rows
        .iter()
        .map(|row| (row.key.as_str(), row.state))
        .collect();
    let fault = RowState::Fault;
    assert_eq!(
        states,
        [
            (keys[0].as_str(), fault),
            (keys[1].as_str(), fault),
            (r"ControlSet001\Own\c<U+202E>\In", fault),
            (&own(r"d\In"), RowState::Ok)
        ]
    );
    let before = hives_of(&disk);
    assert_eq!(repair(&disk, &recipe).changes.len(), 3);
    for key in &keys {
        assert_eq!(reading(&disk, key, "V"), Some(ValueData::dword(1)), "{key}");
    }
    assert_eq!(reading(&disk, &own("d"), "V"), Some(ValueData::dword(4)));
    undo(&disk, None).expect("undo");
    assert_eq!(differing(&hives_of(&disk), &before), [""; 0]);
}
