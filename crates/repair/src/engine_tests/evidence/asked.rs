//! Evidence that recipes ask for in conditions and rules in their evidence.

use super::firewall::{RULES, rule};
use super::{disk, number, text, with_facts};
use crate::recipe::{Holds, Recipe};
use crate::value_data::{Readable, ValueData};
use diskmend_disk::testing::FaultyDisk;
use diskmend_hive::ValueType;

/// A recipe with a fault that depends on this evidence.
fn asking(evidence: &str) -> Result<Recipe, String> {
    let text = format!(
        "schema = 1\nname = 'own'\ntitle = 't'\nsummary = 's'\nsources = ['x']\n\
         [[condition]]\nname = 'asked'\n{evidence}\n\
         [[registry]]\nhive = 'SYSTEM'\nkey = 'Select'\nvalue = 'Current'\ntype = 'REG_DWORD'\n\
         data = 2\nfault = {{ equals = [1], and = ['asked'] }}\nwhy = 'w'\n"
    );
    Recipe::parse("own.toml", &text).map_err(|error| error.to_string())
}

/// True if the evidence is seen on a disk.
#[track_caller]
fn is_seen(evidence: &str, disk: &FaultyDisk) -> bool {
    let recipe = asking(evidence).unwrap_or_else(|error| panic!("{evidence}: {error}"));
    let looked = with_facts(disk, |facts| recipe.conditions[0].look(facts));
    match looked.expect("not interrupted") {
        Holds::Yes => true,
        Holds::No => false,
        Holds::Unknown(reason) => panic!("{evidence}: {reason}"),
    }
}

#[track_caller]
fn refused(evidence: &str, place: &str, say: &str) {
    let error = asking(evidence).expect_err(evidence);
    let place = format!("own.toml:{place}: ");
    assert!(
        error.contains(&place) && error.contains(say),
        "{evidence}: {error}"
    );
}

#[test]
fn a_service_exists_or_has_a_start_type() {
    let disk = disk(
        &[
            (r"ControlSet001\Services\Off", "Start", number(4)),
            (r"ControlSet001\Services\Typed", "Type", number(0x20)),
            (r"ControlSet001\Services\Left\Parameters", "x", number(1)),
        ],
        &[],
    );
    let seen = |fields: &str| is_seen(&format!("service = {{ {fields} }}"), &disk);
    assert!(seen("names = ['off'], is = 'present'"));
    assert!(seen("names = ['Typed'], is = 'present'"));
    assert!(seen("names = ['Gone', 'Off'], is = 'present'"));
    // What is left of a service is none.
    assert!(!seen("names = ['Left', 'Gone'], is = 'present'"));
    assert!(seen("names = ['Left'], is = 'missing'") && seen("names = ['Gone'], is = 'missing'"));
    assert!(!seen("names = ['Off'], is = 'missing'"));
    for start in ["['disabled']", "[4]", "['3..']", "['manual', '4..4']"] {
        assert!(
            seen(&format!("names = ['Off'], start = {start}")),
            "{start}"
        );
    }
    for start in ["['manual']", "[3]", "['0..3']"] {
        assert!(
            !seen(&format!("names = ['Off'], start = {start}")),
            "{start}"
        );
    }
    let empty = super::disk(&[], &[]);
    assert!(!is_seen(
        "service = { names = ['Gone'], is = 'missing' }",
        &empty
    ));
    for (fields, place, say) in [
        ("names = ['X']", "8:21", "start, is"),
        ("names = ['X'], is = 'there'", "8:33", "\"present\""),
        ("names = ['X'], start = []", "8:36", "at least one"),
        ("names = ['X'], start = ['off']", "8:37", "disabled"),
        ("names = ['X'], start = [-1]", "8:37", "not within"),
        ("names = ['X'], start = ['4..3']", "8:37", "no number"),
    ] {
        refused(&format!("service = {{ {fields} }}"), place, say);
    }
}

#[test]
fn a_rule_of_a_group_is_active_in_a_profile() {
    const POLICIES: &str = r"Policies\Microsoft\WindowsFirewall\FirewallRules";
    let group = "group = '@FirewallAPI.dll,-28752'";
    let off = (RULES, "RemoteDesktop-In-TCP", rule("FALSE", "3389", ""));
    let with = |more: Option<ValueData>| {
        let mut values = vec![off.clone()];
        values.extend(more.map(|rule| (RULES, "RemoteDesktop-In-TCP_1", rule)));
        disk(&values, &[])
    };
    let seen =
        |more: &str, disk: &FaultyDisk| is_seen(&format!("firewall = {{ {group}{more} }}"), disk);
    let (inactive, active) = (with(None), with(Some(rule("TRUE", "33890", ""))));
    assert!(!seen("", &inactive) && seen("", &active));
    assert!(seen(", active = false", &inactive) && !seen(", active = false", &active));
    let private = with(Some(rule("TRUE", "3389", "Profile=Private|")));
    assert!(seen("", &private) && seen(", profiles = ['public', 'private']", &private));
    assert!(!seen(", profiles = ['domain']", &private));
    // The inactive rule is for all profiles.
    assert!(seen(", profiles = ['domain'], active = false", &private));
    let Some(Readable::Text(admits)) = rule("TRUE", "3389", "").readable() else {
        panic!("text");
    };
    for (from, to) in [
        ("-28752", "-28753"),
        ("Dir=In", "Dir=Out"),
        ("Allow", "Block"),
    ] {
        let other = text(&admits.replace(from, to));
        assert!(!seen("", &with(Some(other))), "{to}");
    }
    let by_policy = disk(
        std::slice::from_ref(&off),
        &[(POLICIES, "x", rule("TRUE", "3389", ""))],
    );
    assert!(seen("", &by_policy));
    let none = disk(&[], &[]);
    assert!(!seen("", &none) && !seen(", active = false", &none));
    for (fields, place, say) in [
        ("", "8:12", "closed_by, group"),
        ("group = ''", "8:22", "a group"),
        ("group = 'a|b'", "8:22", "no |"),
        ("group = 'a', profiles = ['home']", "8:39", "private"),
        (
            "closed_by = ['no-rule'], active = true",
            "8:48",
            "only a group",
        ),
    ] {
        refused(&format!("firewall = {{ {fields} }}"), place, say);
    }
}

#[test]
fn numbers_are_in_a_range_or_have_bits() {
    const KEY: &str = r"ControlSet001\Enum\VMBUS\{f8615163}\1";
    let rights = ValueData {
        value_type: ValueType::NONE,
        bytes: vec![0, 4, 0, 0],
    };
    let disk = disk(
        &[
            (KEY, "ConfigFlags", number(0x41)),
            (KEY, "Class", text("net")),
            (KEY, "Rights", rights),
            ("Setup", "CmdLine", text("x")),
        ],
        &[],
    );
    let seen = |fields: &str| {
        let key = r"ControlSet*\Enum\VMBUS\{*}\{*}";
        is_seen(
            &format!("registry = {{ hive = 'SYSTEM', key = '{key}', {fields} }}"),
            &disk,
        )
    };
    for (fields, expected) in [
        ("value = 'ConfigFlags', equals = ['0x40..0x4f']", true),
        ("value = 'ConfigFlags', equals = ['..64']", false),
        ("value = 'ConfigFlags', not = ['..64']", true),
        ("value = 'Class', equals = ['0..']", false),
        ("value = 'ConfigFlags', bits = { any_set = 1 }", true),
        ("value = 'ConfigFlags', bits = { any_set = 2 }", false),
        ("value = 'ConfigFlags', bits = { any_clear = 3 }", true),
        ("value = 'ConfigFlags', bits = { any_clear = 0x41 }", false),
        ("value = 'Missing', bits = { any_clear = 1 }", false),
        (
            "value = 'Rights', type = 'REG_NONE', bits = { any_set = 0x400 }",
            true,
        ),
        (
            "value = 'ConfigFlags', bits = { any_set = 1 }, where = { value = 'Class', type = 'REG_SZ', equals = ['NET'] }",
            true,
        ),
        (
            "value = 'ConfigFlags', bits = { any_set = 1 }, where = { value = 'Class', type = 'REG_SZ', equals = ['usb'] }",
            false,
        ),
    ] {
        assert_eq!(seen(fields), expected, "{fields}");
    }
    for (fields, place, say) in [
        ("value = 'V', bits = { }", "8:67", "any_clear"),
        (
            "value = 'V', equals = [1], bits = { any_set = 1 }",
            "8:55",
            "bits",
        ),
        ("value = 'V', equals = ['2..1']", "8:70", "no number"),
    ] {
        refused(
            &format!("registry = {{ hive = 'SYSTEM', key = 'Select', {fields} }}"),
            place,
            say,
        );
    }
}
