//! The rows `[[registry_acl]]`: what they find and change, what undo brings back, and how far a
//! forged run reaches. Also the descriptors of keys that a recipe creates.

use diskmend_acl::{SddlParts, SecurityDescriptor};
use diskmend_disk::Access;
use diskmend_disk::testing::FaultyDisk;

use super::{recipe, repaired};
use crate::documents::{InspectReport, Method, PlanReport, Reversal, Row, RowState};
use crate::engine_tests::descriptors::bytes;
use crate::engine_tests::support::{FaultyHive, site, undo, volume, with_watch};
use crate::hive_on_disk;
use crate::inspect::inspect_site;
use crate::plan::{Goal, plan_site};
use crate::recipe::{Catalogue, HiveName, Recipe};
use crate::repair::repair_site;
use crate::site::Options;

const OWN: &str = r"ControlSet001\Own";
const CHILD: &str = r"ControlSet001\Own\a";
const OTHER: &str = r"ControlSet001\Own\b";

/// A disk on which these keys have these permissions.
fn disk(keys: &[(&str, &str)]) -> FaultyDisk {
    let disk = volume("system-001");
    disk.edit(|editor| {
        for (key, sddl) in keys {
            editor.create_key(key)?;
            editor.set_descriptor(key, &bytes(sddl))?;
        }
        Ok(())
    });
    disk
}

fn row(fields: &str) -> Recipe {
    recipe(&format!(
        "[[registry_acl]]\nhive = 'SYSTEM'\nkey = 'ControlSet*\\Own'\nwhy = 'w'\n{fields}"
    ))
}

/// The permissions of a key as SDDL.
fn sddl(disk: &FaultyDisk, key: &str) -> String {
    let site = site(disk);
    let place = hive_on_disk::find(site.root.as_ref(), HiveName::System).expect("a hive");
    let opened = hive_on_disk::open(place, Access::Read).expect("open");
    let key = opened.hive.key(key).expect("sound").expect("a key");
    let bytes = key.security_descriptor().expect("sound");
    let descriptor = SecurityDescriptor::from_bytes(bytes).expect("sound");
    descriptor.to_sddl(SddlParts::All).expect("plain")
}

fn inspect(disk: &FaultyDisk, recipe: &Recipe) -> InspectReport {
    let options = Options::default();
    let found = with_watch(|watch| inspect_site(&site(disk), &[recipe], &options, watch));
    found.expect("inspect")
}

fn states(disk: &FaultyDisk, recipe: &Recipe) -> Vec<(String, RowState)> {
    let rows = inspect(disk, recipe).rows.into_iter();
    rows.map(|row: Row| (row.key, row.state)).collect()
}

fn plan(disk: &FaultyDisk, recipe: &Recipe, goal: Goal) -> PlanReport {
    let options = Options::default();
    let plan = with_watch(|watch| plan_site(&site(disk), &[recipe], goal, &options, watch));
    PlanReport::of(&plan.expect("a plan"))
}

/// The permissions of a key after a repair by the row, which is undone to the byte.
fn after(before: &str, fields: &str) -> String {
    let disk = disk(&[(OWN, before)]);
    sddl(&repaired(&disk, &[&row(fields)], Goal::Desired), OWN)
}

#[test]
fn every_part_can_be_set() {
    for (fields, before, wanted) in [
        (
            "descriptor = 'O:SYD:P(A;CI;KA;;;SY)'",
            "O:BAG:BAD:AI(A;CIID;KR;;;WD)",
            "O:SYG:BAD:P(A;CI;KA;;;SY)",
        ),
        (
            "owner = 'NT AUTHORITY\\SYSTEM'",
            "O:BAG:SYD:(A;;KR;;;WD)",
            "O:SYG:SYD:(A;;KR;;;WD)",
        ),
        (
            "grant = ['NT AUTHORITY\\SYSTEM:(CI)(F)']",
            "O:BAG:SYD:(D;;KW;;;SY)(A;;KR;;;WD)",
            "O:BAG:SYD:(A;;KR;;;WD)(A;CI;KA;;;SY)",
        ),
        (
            "grant = ['BUILTIN\\Administrators:(F)']\nreplacement = 'D:P(A;CI;KA;;;SY)'",
            "O:BAG:SY",
            "O:BAG:SYD:P(A;CI;KA;;;SY)(A;;KA;;;BA)",
        ),
        (
            "remove = ['Everyone']",
            "O:BAG:SYD:AI(D;;KW;;;WD)(A;;KR;;;WD)(A;;KA;;;BA)(A;ID;KR;;;WD)",
            "O:BAG:SYD:AI(A;;KA;;;BA)(A;ID;KR;;;WD)",
        ),
        (
            "remove_deny = ['NT AUTHORITY\\SYSTEM:(W)']",
            "O:BAG:SYD:(D;;SDDCLC;;;WD)(D;;KW;;;BU)(A;;KA;;;SY)",
            "O:BAG:SYD:(D;;SD;;;WD)(D;;KW;;;BU)(A;;KA;;;SY)",
        ),
    ] {
        assert_eq!(after(before, fields), wanted, "{fields}");
    }
}

#[test]
fn what_already_has_the_effect_is_not_written() {
    let healthy = "O:SYG:SYD:AI(D;;DCLC;;;BU)(A;CIID;KR;;;BU)(A;CIID;KA;;;SY)";
    let disk = disk(&[(OWN, healthy)]);
    for fields in [
        "grant = ['NT AUTHORITY\\SYSTEM:(CI)(F)']",
        // NETWORK SERVICE is one of the users.
        "grant = ['NT AUTHORITY\\NETWORK SERVICE:(R)']",
        "remove_deny = ['NT AUTHORITY\\SYSTEM:(F)', 'NT AUTHORITY\\NETWORK SERVICE:(R)']",
        "remove = ['NT AUTHORITY\\SYSTEM']",
        "owner = 'NT AUTHORITY\\SYSTEM'",
        "descriptor = 'O:SYD:(D;;DCLC;;;BU)(A;CIID;KR;;;BU)(A;CIID;KA;;;SY)'",
    ] {
        let row = row(fields);
        assert_eq!(
            states(&disk, &row),
            [(OWN.to_owned(), RowState::Ok)],
            "{fields}"
        );
        let plan = plan(&disk, &row, Goal::Desired);
        assert!(!plan.has_changes(), "{fields}");
    }
    assert!(states(&volume("system-001"), &row("remove = ['Everyone']")).is_empty());
}

#[test]
fn a_fault_is_what_the_row_says_and_what_it_can_repair() {
    let deny = "remove_deny = ['NT AUTHORITY\\SYSTEM:(R,W)']";
    for (before, fault, state) in [
        (
            "O:SYG:SYD:(D;;DC;;;SY)(A;;KA;;;SY)",
            "denied",
            RowState::Fault,
        ),
        (
            "O:SYG:SYD:(D;;DC;;;SY)(A;;KA;;;SY)",
            "blocked",
            RowState::Fault,
        ),
        (
            "O:SYG:SYD:(D;;CC;;;SY)(A;;KA;;;SY)",
            "denied",
            RowState::Differs,
        ),
        (
            "O:SYG:SYD:(D;;DC;;;BU)(A;;KA;;;SY)",
            "blocked",
            RowState::Ok,
        ),
        // Nobody denies it.
        ("O:SYG:SYD:(A;;KR;;;SY)", "denied", RowState::Ok),
        ("O:SYG:SYD:(A;;KR;;;SY)", "blocked", RowState::Reported),
        // The entry comes from the key above.
        (
            "O:SYG:SYD:AI(D;ID;DC;;;SY)(A;ID;KA;;;SY)",
            "denied",
            RowState::Reported,
        ),
    ] {
        let fields = format!("{deny}\nfault = {{ {fault} = ['NT AUTHORITY\\SYSTEM:(SV)'] }}");
        let (disk, row) = (disk(&[(OWN, before)]), row(&fields));
        assert_eq!(
            states(&disk, &row),
            [(OWN.to_owned(), state)],
            "{before} {fault}"
        );
        let changes = plan(&disk, &row, Goal::Faults).changes;
        assert_eq!(
            !changes.is_empty(),
            state == RowState::Fault,
            "{before} {fault}"
        );
    }
}

#[test]
fn the_documents_show_both_descriptors_and_the_reason() {
    let disk = disk(&[(OWN, "O:SYG:SYD:(D;;DC;;;SY)(A;;KA;;;SY)")]);
    let row = row("remove_deny = ['NT AUTHORITY\\SYSTEM:(W)']\n\
         fault = { denied = ['NT AUTHORITY\\SYSTEM:(SV)'] }");
    let changes = plan(&disk, &row, Goal::Faults).changes;
    let [change] = changes.as_slice() else {
        panic!("{changes:?}");
    };
    let json = serde_json::to_value(change).expect("JSON");
    let permissions = &json["permissions"];
    assert_eq!(
        (&json["value"], &json["new"]),
        (&"".into(), &serde_json::Value::Null)
    );
    assert_eq!(
        permissions["reasons"][0],
        r"NT AUTHORITY\SYSTEM is denied rights by NT AUTHORITY\SYSTEM:(DENY)(SV)"
    );
    assert_eq!(
        permissions["edits"][0],
        r"remove NT AUTHORITY\SYSTEM:(DENY)(SV)"
    );
    assert_eq!(
        permissions["before"]["sddl"],
        "O:SYG:SYD:(D;;DC;;;SY)(A;;KA;;;SY)"
    );
    assert_eq!(permissions["after"]["sddl"], "O:SYG:SYD:(A;;KA;;;SY)");
    let found = serde_json::to_value(&inspect(&disk, &row).rows[0]).expect("JSON");
    assert_eq!(found["permissions"], *permissions);
}

#[test]
fn the_copies_of_a_removed_entry_go_with_it() {
    let fields = "applies_to = 'tree'\nremove_deny = ['NT AUTHORITY\\SYSTEM:(R,W)']";
    let copy = "O:SYG:SYD:AI(D;CIID;DC;;;SY)(A;CIID;KA;;;SY)";
    let disk = disk(&[
        (OWN, "O:SYG:SYD:AI(D;CI;DC;;;SY)(A;CIID;KA;;;SY)"),
        (CHILD, copy),
        (r"ControlSet001\Own\a\x", copy),
        (OTHER, "O:SYG:SYD:AI(A;CIID;KA;;;SY)"),
    ]);
    let after = repaired(&disk, &[&row(fields)], Goal::Desired);
    for key in [OWN, CHILD, r"ControlSet001\Own\a\x", OTHER] {
        assert_eq!(sddl(&after, key), "O:SYG:SYD:AI(A;CIID;KA;;;SY)", "{key}");
    }
    // Without its cause, it is left.
    let alone = self::disk(&[(OWN, "O:SYG:SYD:AI(A;CIID;KA;;;SY)"), (CHILD, copy)]);
    assert_eq!(
        states(&alone, &row(fields)),
        [(OWN.to_owned(), RowState::Ok)]
    );
}

#[test]
fn a_tree_with_too_many_keys_is_left_alone() {
    let disk = disk(&[(OWN, "O:SYG:SYD:(D;;DC;;;SY)(A;;KA;;;SY)")]);
    disk.edit(|editor| {
        for number in 0..1000 {
            editor.create_key(&format!(r"{OWN}\{number}"))?;
        }
        Ok(())
    });
    let fields = "remove_deny = ['NT AUTHORITY\\SYSTEM:(W)']";
    let tree = row(&format!("applies_to = 'tree'\n{fields}"));
    assert_eq!(states(&disk, &tree), [(OWN.to_owned(), RowState::Reported)]);
    assert_eq!(
        states(&disk, &row(fields)),
        [(OWN.to_owned(), RowState::Differs)]
    );
}

#[test]
fn undo_restores_permissions_after_later_changes() {
    let broken = "O:SYG:SYD:(D;;DC;;;SY)(A;;KA;;;SY)";
    let disk = disk(&[(OWN, broken)]);
    let row = row("remove_deny = ['NT AUTHORITY\\SYSTEM:(W)']");
    let options = Options::default();
    let report = with_watch(|watch| {
        let plan = plan_site(&site(&disk), &[&row], Goal::Desired, &options, watch)?;
        repair_site(&site(&disk), plan, &options, watch)
    });
    let run = report.expect("a repair").run;

    let later = disk.fork();
    later.set_all(&[(r"ControlSet001\Control", "Later", 7)]);
    let undone = undo(&later, run.as_deref()).expect("undo");
    assert_eq!(undone.method, Method::Values);
    assert_eq!(sddl(&later, OWN), broken);
    let reversed = &undone.changes[0];
    let permissions = reversed.permissions.as_ref().expect("permissions");
    assert_eq!(reversed.reversal, Reversal::Reversed);
    assert_eq!(
        (permissions.old.as_str(), permissions.new.as_str()),
        (broken, "O:SYG:SYD:(A;;KA;;;SY)")
    );
    // The reversal is a run, which can be undone too.
    undo(&later, undone.recorded_as.as_deref()).expect("undo of the reversal");
    assert_eq!(sddl(&later, OWN), "O:SYG:SYD:(A;;KA;;;SY)");

    // Somebody else's permissions stay.
    let other = disk.fork();
    other.edit(|editor| {
        editor
            .set_descriptor(OWN, &bytes("O:SYG:SYD:(A;;KR;;;WD)"))
            .map(drop)
    });
    let undone = undo(&other, run.as_deref()).expect("undo");
    assert_eq!(undone.changes[0].reversal, Reversal::LeftAlone);
    assert_eq!(sddl(&other, OWN), "O:SYG:SYD:(A;;KR;;;WD)");

    // The key is gone.
    let gone = disk.fork();
    gone.edit(|editor| editor.delete_key(OWN).map(drop));
    let undone = undo(&gone, run.as_deref()).expect("undo");
    assert_eq!(undone.changes[0].reversal, Reversal::LeftAlone);
}

#[test]
fn recipes_that_would_undo_each_other_are_refused_together() {
    let own = |name: &str, row: &str| {
        let text = format!(
            "schema = 1\nname = '{name}'\ntitle = 't'\nsummary = 's'\nsources = ['x']\n{row}"
        );
        Recipe::parse("own.toml", &text).unwrap_or_else(|error| panic!("{row}: {error}"))
    };
    let acl = |key: &str, rest: &str| {
        format!(
            "[[registry_acl]]\nhive = 'SYSTEM'\nkey = '{key}'\n{rest}\nremove = ['Everyone']\nwhy = 'w'\n"
        )
    };
    let delete = |key: &str| {
        format!("[[registry_key]]\nhive = 'SYSTEM'\nkey = '{key}'\ndelete = true\nwhy = 'w'\n")
    };
    let tree = acl(r"Setup\Own", "applies_to = 'tree'");
    for (one, other, fits) in [
        (tree.clone(), acl(r"Setup\own\A", ""), false),
        (acl(r"Setup\Own", ""), acl(r"Setup\Own\A", ""), true),
        (acl(r"Setup\Own", ""), acl(r"Setup\Own", ""), false),
        (acl(r"Setup\Own\A", ""), delete(r"Setup\Own"), false),
        (tree, delete(r"Setup\Own\A"), true),
    ] {
        let mut catalogue = Catalogue::built_in().expect("valid");
        catalogue.add(own("one", &one)).expect("new");
        catalogue.add(own("two", &other)).expect("new");
        let selected = catalogue.select_to_repair(&["one", "two"]);
        assert_eq!(selected.is_ok(), fits, "{one}{other}");
    }
}

/// It had the permissions of the key above, whatever that passes on.
#[test]
fn a_key_that_a_recipe_creates_inherits_as_windows_does() {
    let disk = disk(&[(
        OWN,
        "O:BAG:BAD:PAI(A;;KR;;;WD)(A;CI;KA;;;BA)(A;CIIO;GA;;;CO)(A;CIID;KA;;;SY)",
    )]);
    let recipe = recipe(
        "[[registry]]\nhive = 'SYSTEM'\nkey = 'ControlSet*\\Own\\new\\newer'\nvalue = 'V'\n\
         type = 'REG_DWORD'\ndata = 1\nwhy = 'w'\n",
    );
    let after = repaired(&disk, &[&recipe], Goal::Desired);
    let inherited = "O:SYG:SYD:AI(A;CIID;KA;;;BA)(A;ID;KA;;;SY)(A;CIIOID;GA;;;CO)(A;CIID;KA;;;SY)";
    assert_eq!(sddl(&after, r"ControlSet001\Own\new"), inherited);
    assert_eq!(sddl(&after, r"ControlSet001\Own\new\newer"), inherited);
    assert_eq!(sddl(&after, OWN), sddl(&disk, OWN));
}
