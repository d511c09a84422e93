//! `[[registry]]` rows that are only about some keys.

use super::*;

const DEVICE: &str = r"ControlSet001\Control\Class\{1}\0001";

fn class(name: &str) -> (&'static str, &'static str, ValueData) {
    (DEVICE, "Kind", text(name))
}

/// What a row finds about keys below a class whose `Kind` is this.
fn of_kind(disk: &FaultyDisk) -> Changes {
    let own = recipe(
        "[[registry]]\nhive = 'SYSTEM'\nkey = 'ControlSet*\\Control\\Class\\{1}\\{*}'\nvalue = 'V'\n\
         type = 'REG_DWORD'\ndata = 1\nwhere = { value = 'Kind', type = 'REG_SZ', \
         equals = ['vmbus\\{ab-1}'] }\nwhy = 'w'\n",
    );
    planned(disk, &[&own], Goal::Desired)
}

#[test]
fn letters_in_upper_and_lower_case_are_the_same_in_another_value() {
    for kind in [r"vmbus\{ab-1}", r"VMBUS\{AB-1}", r"VMBus\{aB-1}"] {
        let found = of_kind(&disk(&[class(kind)], &[]));
        assert_eq!(found, [change(DEVICE, "V", "1")], "{kind}");
    }
    for kind in [r"vmbus\{ab-2}", r"vmbus\{ab-1}x", ""] {
        assert_eq!(of_kind(&disk(&[class(kind)], &[])), [], "{kind}");
    }
}

const ROW: &str = "[[registry]]\nhive = 'SYSTEM'\nkey = 'ControlSet*\\Control\\Own'\nvalue = 'V'\n\
    type = 'REG_DWORD'\ndata = 1\nif_service = 'viostor'\nwhy = 'w'\n";

#[test]
fn a_row_may_count_only_in_control_sets_with_a_service() {
    let own = recipe(ROW);
    let none = disk(&[], &[]);
    assert_eq!(planned(&none, &[&own], Goal::Desired), []);
    let service = (r"ControlSet001\Services\VioStor", "Start", number(4));
    let there = disk(&[service], &[]);
    let expected = [change(r"ControlSet001\Control\Own", "V", "1")];
    assert_eq!(planned(&there, &[&own], Goal::Desired), expected);
}

#[test]
fn mistakes_are_named_with_their_place() {
    recipe(ROW);
    for (from, to, place, say) in [
        ("'viostor'", "'a\\b'", "12:14", "one service"),
        ("'viostor'", "'{*}'", "12:14", "one service"),
        ("'viostor'", "''", "12:14", "empty"),
        (
            r"ControlSet*\",
            r"ControlSet001\",
            "12:14",
            "every control set",
        ),
        ("why =", "fault = 'unresolved'\nwhy =", "13:9", "boot store"),
    ] {
        refused(&ROW.replacen(from, to, 1), place, say);
    }
}
