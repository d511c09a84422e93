//! `[[driver]]` rows.

use super::list::whole;
use super::*;

const ROW: &str = "[[driver]]\nstart = ['boot', 'system']\nfile = 'missing'\nthird_party = true\n\
                   keep = ['kept']\nset = { start = 'disabled' }\nfault = 'would_change'\nwhy = 'w'\n";
const PATH: &str = r"system32\drivers\a.sys";

/// A whole volume with a driver `a` or `kept`, if it has this type, start and error control.
fn with(name: &str, numbers: [u32; 3], path: Option<&str>) -> FaultyDisk {
    let key = format!(r"ControlSet001\Services\{name}");
    let [kind, start, control] = numbers;
    let mut values = vec![
        (key.as_str(), "Type", number(kind)),
        (key.as_str(), "Start", number(start)),
        (key.as_str(), "ErrorControl", number(control)),
    ];
    values.extend(path.map(|path| (key.as_str(), "ImagePath", text(path))));
    whole(disk(&values, &[]), &["other.sys"])
}

fn is_fault(disk: &FaultyDisk) -> bool {
    let found = planned(disk, &[&recipe(ROW)], Goal::Faults);
    if found.is_empty() {
        assert_eq!(planned(disk, &[&recipe(ROW)], Goal::Desired), []);
        return false;
    }
    let key = r"ControlSet001\Services\a";
    assert_eq!(found, [change(key, "Start", "4")]);
    true
}

#[test]
fn only_a_driver_that_stops_the_start_is_disabled() {
    for (numbers, expected) in [
        ([1, 0, 1], true),
        ([2, 0, 3], true),
        ([1, 0, 0], false),
        ([1, 1, 1], false),
        ([1, 1, 0], false),
        ([1, 1, 2], true),
        ([2, 1, 3], true),
        ([1, 2, 3], false),
        ([1, 3, 3], false),
        ([1, 4, 3], false),
        ([8, 0, 3], false),
        ([0x10, 0, 3], false),
    ] {
        assert_eq!(
            is_fault(&with("a", numbers, Some(PATH))),
            expected,
            "{numbers:?}"
        );
    }
}

#[test]
fn every_form_of_the_path_is_followed_and_no_other() {
    for path in [
        PATH,
        r"\SystemRoot\System32\drivers\a.sys",
        r"\??\C:\Windows\System32\drivers\a.sys",
        r"%SystemRoot%\System32\drivers\a.sys",
    ] {
        let disk = with("a", [1, 0, 1], Some(path));
        assert!(is_fault(&disk), "{path}");
        disk.put("Windows/System32/drivers/A.SYS", b"MZ".to_vec());
        assert!(!is_fault(&disk), "{path}");
        disk.put("Windows/System32/drivers/A.SYS", Vec::new());
        assert!(is_fault(&disk), "{path}");
    }
    for path in [
        r"\??\D:\a.sys",
        r"..\a.sys",
        "",
        r"\Device\HarddiskVolume1\a.sys",
    ] {
        assert!(!is_fault(&with(
            "a",
            [1, 0, 1],
            Some(path).filter(|path| !path.is_empty())
        )));
    }
}

#[test]
fn drivers_of_windows_and_kept_ones_stay() {
    assert!(!is_fault(&with("kept", [1, 0, 3], Some(PATH))));
    assert!(!is_fault(&with("KEPT", [1, 0, 3], Some(PATH))));
    // Without a path, it is one of Windows's own.
    assert!(!is_fault(&with("a", [1, 0, 3], None)));
    let own = with("a", [1, 0, 3], Some(PATH));
    own.put("Windows/WinSxS/amd64_a_1/a.sys", b"MZ".to_vec());
    assert!(!is_fault(&own));
    let any = recipe(&ROW.replace("third_party = true\n", ""));
    assert_eq!(planned(&own, &[&any], Goal::Faults).len(), 1);
}

#[test]
fn a_part_of_a_volume_and_windows_xp_are_not_judged() {
    let path = text(PATH);
    let key = r"ControlSet001\Services\a";
    let values = [
        (key, "Type", number(1)),
        (key, "Start", number(0)),
        (key, "ImagePath", path),
    ];
    assert!(!is_fault(&disk(&values, &[])));
    let version = r"Microsoft\Windows NT\CurrentVersion";
    for (build, expected) in [("2600", false), ("7601", true)] {
        let software = [(version, "CurrentBuildNumber", text(build))];
        let disk = whole(disk(&values, &software), &["other.sys"]);
        assert_eq!(is_fault(&disk), expected, "{build}");
    }
}

#[test]
fn the_recipe_disables_the_driver_and_undo_enables_it() {
    let broken = with("a", [1, 0, 3], Some(PATH));
    built_in("driver-missing", |recipes| {
        repaired(&broken, recipes, Goal::Faults);
        let own = with("StorVsc", [1, 0, 3], Some(r"system32\drivers\storvsc.sys"));
        assert_eq!(planned(&own, recipes, Goal::Desired), []);
    });
}

/// Disables every driver of another maker, if its file is there or not.
fn disables_any(disk: &FaultyDisk) -> bool {
    let row = ROW.replace("'missing'", "'any'");
    let row = row.replace("fault = 'would_change'\n", "keep_groups = ['Port']\n");
    !planned(disk, &[&recipe(&row)], Goal::Desired).is_empty()
}

#[test]
fn a_driver_of_another_maker_is_disabled_unless_a_device_needs_it() {
    let disk = || {
        let disk = with("a", [1, 1, 0], Some(PATH));
        disk.put("Windows/WinSxS/amd64_a_1/disk.sys", b"MZ".to_vec());
        disk.put("Windows/WinSxS/amd64_b_1/ntfs.sys", b"MZ".to_vec());
        disk
    };
    assert!(disables_any(&disk()));
    let there = disk();
    there.put("Windows/System32/drivers/a.sys", b"MZ".to_vec());
    assert!(disables_any(&there));
    // Without the component store, any driver may be one of Windows itself.
    assert!(!disables_any(&with("a", [1, 1, 0], Some(PATH))));
    let own = disk();
    own.put("Windows/WinSxS/amd64_c_1/A.SYS", b"MZ".to_vec());
    assert!(!disables_any(&own));
    let elsewhere = with("a", [1, 1, 0], Some(r"\??\D:\a.sys"));
    assert!(!disables_any(&elsewhere));
}

#[test]
fn filters_of_devices_and_drivers_of_kept_groups_stay() {
    let key = r"ControlSet001\Services\a";
    let with = |more: (&str, &str, ValueData)| {
        let values = [
            (key, "Type", number(1)),
            (key, "Start", number(1)),
            (key, "ImagePath", text(PATH)),
            more,
        ];
        let disk = whole(disk(&values, &[]), &["other.sys"]);
        disk.put("Windows/WinSxS/amd64_a_1/disk.sys", b"MZ".to_vec());
        disk.put("Windows/WinSxS/amd64_b_1/ntfs.sys", b"MZ".to_vec());
        disk
    };
    let filters = || ValueData::list(&["other".to_owned(), "A".to_owned()]);
    let class = r"ControlSet001\Control\Class\{4d36e96b-e325-11ce-bfc1-08002be10318}";
    let device = r"ControlSet001\Enum\ACPI\PNP0303\4&1";
    for place in [class, device] {
        for value in ["UpperFilters", "LowerFilters"] {
            assert!(!disables_any(&with((place, value, filters()))), "{place}");
        }
        assert!(disables_any(&with((place, "Other", filters()))), "{place}");
    }
    assert!(!disables_any(&with((key, "Group", text("PORT")))));
    assert!(disables_any(&with((key, "Group", text("Other")))));
}

#[test]
fn mistakes_are_named_with_their_place() {
    for (from, to, place, say) in [
        ("'boot'", "'automatic'", "7:10", "boot or system"),
        ("'boot'", "'Boot'", "7:10", "no start"),
        ("['boot', 'system']", "[]", "7:9", "name boot"),
        ("'missing'", "'empty'", "8:8", "is not \"missing\""),
        ("'missing'", "'any'", "12:9", "no fault"),
        ("'kept'", "''", "10:9", "no name"),
        ("'disabled'", "'boot'", "11:17", "what the row is about"),
        ("'disabled'", "'off'", "11:17", "no start"),
        ("set = { start", "set = { stop", "11:9", "stop"),
        ("'would_change'", "'missing'", "12:9", "would_change"),
        ("'w'", "''", "13:7", "say something"),
    ] {
        let row = ROW.replacen(from, to, 1);
        assert_ne!(row, ROW, "{from}");
        refused(&row, place, say);
    }
}
