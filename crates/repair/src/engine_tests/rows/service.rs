//! `[[service]]` rows.

use super::*;

const A: &str = r"ControlSet001\Services\A";
/// The key as the row names it.
const NAMED: &str = r"ControlSet001\Services\a";
const ROW: &str = "[[service]]\nname = 'a'\nstart = 'manual'\nfault = 'disabled'\nwhy = 'w'\n";

/// A disk with a service `A` and this value.
fn with(name: &str, data: ValueData) -> FaultyDisk {
    disk(&[(A, "Type", number(32)), (A, name, data)], &[])
}

fn state(row: &str, disk: &FaultyDisk) -> Option<RowState> {
    let states = states(disk, &recipe(row));
    states.into_iter().map(|(_, state)| state).next()
}

#[test]
fn only_a_disabled_service_is_a_fault_and_another_start_is_a_choice() {
    for (start, expected) in [
        (0, RowState::Ok),
        (2, RowState::Ok),
        (3, RowState::Ok),
        (4, RowState::Fault),
        (5, RowState::Differs),
    ] {
        let disk = with("Start", number(start));
        assert_eq!(state(ROW, &disk), Some(expected), "{start}");
        let harmless = ROW.replace("fault = 'disabled'\n", "");
        let without = if start == 4 {
            RowState::Differs
        } else {
            expected
        };
        assert_eq!(state(&harmless, &disk), Some(without), "{start}");
        let exact = ROW.replace("why", "exact = true\nwhy");
        let strict = match start {
            0 | 2 => RowState::Differs,
            _ => expected,
        };
        assert_eq!(state(&exact, &disk), Some(strict), "{start}");
        let off = "[[service]]\nname = 'A'\nstart = 'disabled'\nwhy = 'w'\n";
        let is_off = if start == 4 {
            RowState::Ok
        } else {
            RowState::Differs
        };
        assert_eq!(state(off, &disk), Some(is_off), "{start}");
    }
}

#[test]
fn a_service_that_is_not_installed_stays_so() {
    let subkey = format!(r"{A}\Performance");
    for disk in [
        disk(&[(r"ControlSet001\Services\B", "Start", number(4))], &[]),
        // Such a key belongs to a service that was removed.
        disk(&[(&subkey, "Library", text("a.dll"))], &[]),
        disk(&[("Setup", "SetupType", number(0))], &[]),
    ] {
        assert_eq!(state(ROW, &disk), None);
        assert_eq!(planned(&disk, &[&recipe(ROW)], Goal::Desired), []);
    }
}

#[test]
fn what_is_no_number_is_replaced_only_by_name() {
    let odd = |data| (state(ROW, &with("Start", data)), RowState::Differs);
    for data in [
        text("4"),
        ValueData {
            value_type: ValueType::DWORD,
            bytes: vec![4, 0, 0, 0, 0, 0, 0, 0],
        },
        ValueData {
            value_type: ValueType::BINARY,
            bytes: vec![4, 0, 0, 0],
        },
        ValueData {
            value_type: ValueType::DWORD,
            bytes: Vec::new(),
        },
    ] {
        let (found, expected) = odd(data);
        assert_eq!(found, Some(expected));
    }
    let missing = disk(&[(A, "Type", number(16))], &[]);
    assert_eq!(state(ROW, &missing), Some(RowState::Missing));
    assert_eq!(planned(&missing, &[&recipe(ROW)], Goal::Faults), []);
    assert_eq!(
        planned(&missing, &[&recipe(ROW)], Goal::Desired),
        [change(NAMED, "Start", "3")]
    );
}

#[test]
fn every_control_set_is_repaired_and_undone() {
    let second = r"ControlSet002\Services\A";
    let disk = disk(
        &[(A, "Start", number(4)), (second, "Start", number(4))],
        &[],
    );
    let recipe = recipe(ROW);
    let found = planned(&disk, &[&recipe], Goal::Faults);
    let other = NAMED.replace("001", "002");
    let expected = [change(NAMED, "Start", "3"), change(&other, "Start", "3")];
    assert_eq!(found, expected);
    repaired(&disk, &[&recipe], Goal::Faults);
}

#[test]
fn a_critical_driver_is_no_fault_but_a_critical_service_is() {
    let row = "[[service]]\nname = 'A*'\nerror_control = 'normal'\nfault = 'severe'\nwhy = 'w'\n";
    let kind = |kind, control| {
        let values = [
            (A, "Type", number(kind)),
            (A, "ErrorControl", number(control)),
        ];
        state(row, &disk(&values, &[]))
    };
    for service in [0x10, 0x20, 0x110, 0x30] {
        assert_eq!(kind(service, 3), Some(RowState::Fault));
        assert_eq!(kind(service, 2), Some(RowState::Fault));
        assert_eq!(kind(service, 7), Some(RowState::Differs));
        // Of many services, only those that aren't right are shown.
        assert_eq!(kind(service, 1), None);
        assert_eq!(kind(service, 0), None);
    }
    for driver in [1, 2, 8] {
        assert_eq!(kind(driver, 3), None);
    }
    // Without a type, it isn't known to be a service.
    let untyped = disk(&[(A, "ErrorControl", number(3))], &[]);
    assert_eq!(state(row, &untyped), None);
}

#[test]
fn mistakes_are_named_with_their_place() {
    for (from, to, place, say) in [
        ("'a'", "''", "7:8", "empty"),
        ("'a'", r"'a\b'", "7:8", "has a \\"),
        ("'a'", "'a*b'", "7:8", "not accepted"),
        ("'manual'", "'Manual'", "8:9", "automatic"),
        ("start = 'manual'\n", "", "7:8", "sets nothing"),
        (
            "start = 'manual'",
            "start = 'manual'\nerror_control = 'normal'",
            "9:17",
            "a row for each",
        ),
        (
            "start = 'manual'",
            "error_control = 'none'",
            "8:17",
            "critical",
        ),
        ("'manual'", "'disabled'", "9:9", "cannot be a fault"),
        ("'disabled'", "'missing'", "9:9", "no fault \"missing\""),
        ("'disabled'", "['disabled', 'x']", "9:22", "no fault \"x\""),
        ("'disabled'", "['disabled', 'disabled']", "9:22", "twice"),
        ("'disabled'", "[]", "9:9", "at least one"),
        ("'disabled'", "{ are = 'x' }", "9:11", "are"),
        ("'w'", "' '", "10:7", "say something"),
        ("why", "wy = 1\nwhy", "10:1", "wy"),
    ] {
        let row = ROW.replacen(from, to, 1);
        assert_ne!(row, ROW, "{from}");
        refused(&row, place, say);
    }
    for form in [
        "{ is = 'disabled' }",
        "['disabled']",
        "{ is = ['disabled'] }",
    ] {
        recipe(&ROW.replace("'disabled'", form));
    }
}

#[test]
fn a_row_and_one_that_holds_the_service_contradict_each_other() {
    let mut catalogue = Catalogue::built_in().expect("valid");
    let hold = recipe("[[service]]\nname = 'TERMSERVICE'\nstart = 'disabled'\nwhy = 'w'\n");
    catalogue.add(hold).expect("a new name");
    let both = catalogue.select(&["own", "services-default"]);
    assert!(both.is_err(), "both were accepted");
    assert!(catalogue.select(&["own", "services-network"]).is_ok());
}

#[test]
fn the_default_services_are_enabled_if_they_are_disabled() {
    let service = |name: &str| format!(r"ControlSet001\Services\{name}");
    let wanted = [
        ("TermService", "3"),
        ("SessionEnv", "3"),
        ("Dhcp", "2"),
        ("AFD", "1"),
        ("NDIS", "0"),
        ("mpssvc", "2"),
        ("gpsvc", "2"),
        ("RpcSs", "2"),
        ("IKEEXT", "3"),
        ("TrustedInstaller", "3"),
    ];
    let keys = wanted.map(|(name, _)| service(name));
    let values: Vec<_> = keys
        .iter()
        .map(|key| (key.as_str(), "Start", number(4)))
        .collect();
    let remote = service("RemoteRegistry");
    let medic = service("WaaSMedicSvc");
    let healthy = [
        (remote.as_str(), "Start", number(4)),
        (medic.as_str(), "Start", number(4)),
    ];
    let broken = disk(&[&values[..], &healthy[..]].concat(), &[]);
    built_in("services-default", |recipes| {
        let mut found = planned(&broken, recipes, Goal::Faults);
        let mut expected: Vec<_> = wanted
            .iter()
            .map(|(name, start)| change(&service(name), "Start", start))
            .collect();
        found.sort();
        expected.sort();
        assert_eq!(found, expected);
        repaired(&broken, recipes, Goal::Faults);
        let choices: Vec<_> = keys
            .iter()
            .map(|key| (key.as_str(), "Start", number(1)))
            .collect();
        let chosen = disk(&choices, &[]);
        assert_eq!(planned(&chosen, recipes, Goal::Desired), []);
    });
}

#[test]
fn the_default_start_depends_on_the_windows() {
    let service = |name: &str| format!(r"ControlSet001\Services\{name}");
    let (plug, tcp, web) = (service("PlugPlay"), service("Tcpip"), service("WinRM"));
    let system = [
        (plug.as_str(), "Start", number(4)),
        (tcp.as_str(), "Start", number(4)),
        (web.as_str(), "Start", number(4)),
        (
            r"ControlSet001\Control\ProductOptions",
            "ProductType",
            text("ServerNT"),
        ),
    ];
    for (build, plug_play, tcpip) in [
        ("2600", None, Some("1")),
        ("7601", Some("2"), Some("0")),
        ("17763", Some("3"), Some("0")),
    ] {
        let version = r"Microsoft\Windows NT\CurrentVersion";
        let disk = disk(&system, &[(version, "CurrentBuildNumber", text(build))]);
        built_in("services-default", |recipes| {
            let found = planned(&disk, recipes, Goal::Faults);
            let of = |key: &str| {
                let mut found = found.iter().filter(|(one, ..)| one == key);
                found.next().map(|(.., new)| new.as_str())
            };
            assert_eq!((of(&plug), of(&tcp)), (plug_play, tcpip), "{build}");
            // Servers were not measured.
            assert_eq!(of(&web), None, "{build}");
            let named = planned(&disk, recipes, Goal::Desired);
            assert!(named.contains(&change(&web, "Start", "2")), "{named:?}");
        });
    }
}

#[test]
fn agents_do_not_restart_windows() {
    let service = |name: &str| format!(r"ControlSet001\Services\{name}");
    let keys = ["RdAgent", "AzureWLBackupPluginSvc", "Other", "disk"].map(service);
    let kinds = [0x10, 0x20, 0x20, 1];
    let mut values = Vec::new();
    for (key, kind) in keys.iter().zip(kinds) {
        values.push((key.as_str(), "Type", number(kind)));
        values.push((key.as_str(), "ErrorControl", number(3)));
    }
    let broken = disk(&values, &[]);
    built_in("rdagent-errorcontrol", |recipes| {
        let [agent, backup, ..] = &keys;
        let of = |key: &String| change(key, "ErrorControl", "1");
        assert_eq!(
            planned(&broken, recipes, Goal::Faults),
            [of(agent), of(backup)]
        );
        repaired(&broken, recipes, Goal::Desired);
    });
}

#[test]
fn a_disabled_agent_is_enabled_by_name_only() {
    let key = r"ControlSet001\Services\WindowsAzureGuestAgent";
    let broken = disk(&[(key, "Start", number(4))], &[]);
    built_in("guest-agent", |recipes| {
        assert_eq!(planned(&broken, recipes, Goal::Faults), []);
        let named = planned(&broken, recipes, Goal::Desired);
        assert_eq!(named, [change(key, "Start", "2")]);
        repaired(&broken, recipes, Goal::Desired);
    });
}
