//! `[[values]]` rows.

use super::*;

const RULES: &str = r"ControlSet001\Services\A\Rules";
const DEFAULTS: &str = r"ControlSet001\Services\A\Defaults";
const ROW: &str = "[[values]]\nhive = 'SYSTEM'\nkey = 'ControlSet*\\Services\\A\\Rules'\n\
    type = 'REG_SZ'\nstarts_with = 'v'\nrestore_from = 'ControlSet*\\Services\\A\\Defaults'\n\
    fault = 'would_change'\nwhy = 'w'\n";

fn broken() -> FaultyDisk {
    let expand = ValueData::text(ValueType::EXPAND_SZ, "v2.10|own|");
    disk(
        &[
            (RULES, "Right", text("v2.30|a|")),
            (RULES, "Retyped", expand),
            (RULES, "Number", number(7)),
            (RULES, "Headless", text("2.30|a|")),
            (RULES, "Empty", text("")),
            (RULES, "", number(1)),
            (DEFAULTS, "Right", text("v2.30|other|")),
            (DEFAULTS, "number", text("v2.30|default|")),
            (DEFAULTS, "Headless", number(3)),
            (DEFAULTS, "Missing", text("v2.30|b|")),
        ],
        &[],
    )
}

#[test]
fn what_has_another_form_is_restored_or_deleted() {
    let (disk, row) = (broken(), recipe(ROW));
    let mut expected = [
        change(RULES, "Retyped", "\"v2.10|own|\""),
        change(RULES, "Number", "\"v2.30|default|\""),
        change(RULES, "Headless", "deleted"),
        change(RULES, "Empty", "deleted"),
    ];
    expected.sort();
    for goal in [Goal::Faults, Goal::Desired] {
        let mut found = planned(&disk, &[&row], goal);
        found.sort();
        assert_eq!(found, expected);
        repaired(&disk, &[&row], goal);
    }
    let named = recipe(&ROW.replace("fault = 'would_change'\n", ""));
    assert_eq!(planned(&disk, &[&named], Goal::Faults), []);
    assert_eq!(planned(&disk, &[&named], Goal::Desired).len(), 4);
}

#[test]
fn values_of_the_right_form_are_not_shown() {
    let healthy = disk(&[(RULES, "a", text("v1|")), (RULES, "b", text("v2|"))], &[]);
    assert_eq!(states(&healthy, &recipe(ROW)), []);
    assert_eq!(states(&disk(&[], &[]), &recipe(ROW)), []);
    let only_type = ROW.replace("starts_with = 'v'\n", "");
    let other = disk(&[(RULES, "a", text("x")), (RULES, "b", number(1))], &[]);
    let found = states(&other, &recipe(&only_type));
    assert_eq!(found, [(format!(r"{RULES}\b"), RowState::Fault)]);
}

#[test]
fn mistakes_are_named_with_their_place() {
    recipe(ROW);
    for (from, to, place, say) in [
        ("'REG_SZ'", "'SZ'", "9:8", "REG_DWORD"),
        ("'REG_SZ'", "'REG_DWORD'", "10:15", "only a text"),
        (
            "starts_with = 'v'",
            "starts_with = ''",
            "10:15",
            "a beginning",
        ),
        (
            "ControlSet*\\Services\\A\\Defaults",
            "Setup\\A",
            "11:16",
            "in every control set",
        ),
        ("A\\Defaults", "A\\rules", "11:16", "another key"),
        ("'would_change'", "'different'", "12:9", "would_change"),
        ("why = 'w'", "why = ''", "13:7", "say something"),
        ("starts_with", "start_with", "10:1", "start_with"),
    ] {
        refused(&ROW.replacen(from, to, 1), place, say);
    }
}
