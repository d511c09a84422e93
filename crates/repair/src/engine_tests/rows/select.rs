//! `[[select]]` rows.

use super::*;

/// A disk with `Select` and these control sets.
fn with(select: &[(&str, u32)], sets: &[u32]) -> FaultyDisk {
    let keys: Vec<String> = sets
        .iter()
        .flat_map(|set| {
            ["Control", "Services"].map(|below| format!(r"ControlSet{set:03}\{below}\a"))
        })
        .collect();
    let mut values: Vec<_> = keys
        .iter()
        .map(|key| (key.as_str(), "a", number(1)))
        .collect();
    for (name, data) in select {
        values.push(("Select", name, number(*data)));
    }
    disk(&values, &[])
}

const SELECT: [(&str, u32); 4] = [
    ("Current", 1),
    ("Default", 1),
    ("Failed", 0),
    ("LastKnownGood", 2),
];

fn named(disk: &FaultyDisk) -> Vec<String> {
    built_in("last-known-good", |recipes| {
        assert_eq!(planned(disk, recipes, Goal::Faults), [], "it is a choice");
        let found = planned(disk, recipes, Goal::Desired).into_iter();
        found
            .map(|(_, name, new)| format!("{name}={new}"))
            .collect()
    })
}

#[test]
fn windows_starts_from_the_last_known_good_set() {
    let disk = with(&SELECT, &[1, 2]);
    assert_eq!(named(&disk), ["Default=2", "Current=2", "Failed=1"]);
    built_in("last-known-good", |recipes| {
        let after = repaired(&disk, recipes, Goal::Desired);
        assert_eq!(named(&after), [""; 0]);
    });
    // After a fallback, Default and Current can be different sets.
    let select = [("Current", 3), ("Default", 1), ("LastKnownGood", 2)];
    assert_eq!(
        named(&with(&select, &[1, 2, 3])),
        ["Default=2", "Current=2", "Failed=1"]
    );
}

#[test]
fn a_set_that_is_missing_or_in_use_is_not_chosen() {
    let with_good = |good| {
        let mut select = SELECT;
        select[3].1 = good;
        select
    };
    for good in [0, 1, 3, 999, u32::MAX] {
        assert_eq!(named(&with(&with_good(good), &[1, 2])), [""; 0], "{good}");
    }
    // It is named, but it is only half there.
    let half = [
        ("Select", "Current", number(1)),
        ("Select", "LastKnownGood", number(2)),
        (r"ControlSet001\Control", "a", number(1)),
        (r"ControlSet002\Control", "a", number(1)),
    ];
    assert_eq!(named(&disk(&half, &[])), [""; 0]);
    let odd = [
        ("Select", "Current", number(1)),
        ("Select", "LastKnownGood", text("2")),
        (r"ControlSet002\Control", "a", number(1)),
        (r"ControlSet002\Services", "a", number(1)),
    ];
    assert_eq!(named(&disk(&odd, &[])), [""; 0]);
}

#[test]
fn mistakes_are_named_with_their_place() {
    let row = "[[select]]\nuse = 'last-known-good'\nwhy = 'w'\n";
    recipe(row);
    for (from, to, place, say) in [
        ("'last-known-good'", "'default'", "7:7", "no control set"),
        ("'w'", "''", "8:7", "say something"),
        ("use", "set", "7:1", "set"),
    ] {
        refused(&row.replacen(from, to, 1), place, say);
    }
}
