//! `[[list]]` rows.

use super::*;
use crate::engine_tests::evidence::list;

const CLASS: &str = r"ControlSet001\Control\Class\{4d36e967-e325-11ce-bfc1-08002be10318}";
const ROW: &str = r#"[[list]]
hive = "SYSTEM"
key = 'ControlSet*\Control\Class\{4d36e967-e325-11ce-bfc1-08002be10318}'
value = "UpperFilters"
separator = "multi_sz"
drop = "driver_missing"
keep = ["partmgr"]
empty = "delete"
fault = "would_change"
why = "w"
"#;

/// A whole Windows volume with these services, their drivers and a list of filters.
fn with_filters(filters: ValueData, drivers: &[&str]) -> FaultyDisk {
    let keys: Vec<String> = ["good", "gone", "empty", "own", "other"]
        .iter()
        .map(|name| format!(r"ControlSet001\Services\{name}"))
        .collect();
    let mut values: Vec<_> = keys
        .iter()
        .map(|key| (key.as_str(), "Type", number(1)))
        .collect();
    values.push((CLASS, "UpperFilters", filters));
    values.push((
        r"ControlSet001\Services\other",
        "ImagePath",
        text(r"\??\D:\other.sys"),
    ));
    whole(disk(&values, &[]), drivers)
}

/// Puts the files of a whole Windows volume on a disk, and these drivers.
pub(super) fn whole(disk: FaultyDisk, drivers: &[&str]) -> FaultyDisk {
    disk.put("Windows/System32/services.exe", b"MZ".to_vec());
    disk.put("Windows/System32/autochk.exe", b"MZ".to_vec());
    for driver in drivers {
        disk.put(
            &format!("Windows/System32/drivers/{driver}"),
            b"MZ".to_vec(),
        );
    }
    disk
}

fn auto(disk: &FaultyDisk) -> Changes {
    planned(disk, &[&recipe(ROW)], Goal::Faults)
}

fn filters(new: &str) -> [(String, String, String); 1] {
    [change(CLASS, "UpperFilters", new)]
}

#[test]
fn filters_without_service_or_driver_are_dropped_and_the_others_stay() {
    let names = [
        "NoService",
        "good",
        "gone",
        "partmgr",
        "GOOD",
        "empty",
        "other",
    ];
    let disk = with_filters(list(&names), &["good.sys"]);
    disk.put("Windows/System32/drivers/empty.sys", Vec::new());
    assert_eq!(
        auto(&disk),
        filters(r#"["good", "partmgr", "GOOD", "other"]"#)
    );
    repaired(&disk, &[&recipe(ROW)], Goal::Faults);
    let healthy = with_filters(list(&["good", "partmgr", "other"]), &["good.sys"]);
    assert_eq!(auto(&healthy), []);
    assert_eq!(planned(&healthy, &[&recipe(ROW)], Goal::Desired), []);
    let named = ROW.replace("fault = \"would_change\"\n", "");
    assert_eq!(planned(&disk, &[&recipe(&named)], Goal::Faults), []);
    assert_eq!(planned(&disk, &[&recipe(&named)], Goal::Desired).len(), 1);
}

#[test]
fn a_list_without_any_entry_left_is_deleted_or_left_empty() {
    let disk = with_filters(list(&["gone"]), &["good.sys"]);
    assert_eq!(auto(&disk), filters("deleted"));
    repaired(&disk, &[&recipe(ROW)], Goal::Faults);
    let leave = recipe(&ROW.replace("\"delete\"", "\"leave\""));
    assert_eq!(planned(&disk, &[&leave], Goal::Faults), filters("[]"));
}

/// Windows's own driver is not dropped: its file must come back.
#[test]
fn a_driver_of_windows_itself_is_kept_though_its_file_is_missing() {
    let disk = with_filters(list(&["own", "gone"]), &["good.sys"]);
    disk.put("Windows/WinSxS/amd64_own_1/OWN.sys", b"MZ".to_vec());
    disk.put("Windows/WinSxS/Manifests/own.manifest", b"x".to_vec());
    disk.put("Windows/WinSxS/gone.sys", b"not a component".to_vec());
    assert_eq!(auto(&disk), filters(r#"["own"]"#));
}

#[test]
fn without_a_whole_volume_only_a_missing_service_counts() {
    let names = list(&["gone", "good", "NoService"]);
    let part = with_filters(names.clone(), &[]);
    assert_eq!(auto(&part), filters(r#"["gone", "good"]"#));
    // Without any service, nothing is known about services.
    let none = disk(&[(CLASS, "UpperFilters", names)], &[]);
    assert_eq!(auto(&whole(none, &["good.sys"])), []);
}

#[test]
fn odd_lists_are_read_but_not_put_in_order() {
    let units = |text: &str| ValueData {
        value_type: ValueType::MULTI_SZ,
        bytes: text.encode_utf16().flat_map(u16::to_le_bytes).collect(),
    };
    let healthy = [
        units("good"),
        units("good\0"),
        units("\0"),
        units(""),
        units("good\0\0\0partmgr\0\0"),
        ValueData {
            value_type: ValueType::MULTI_SZ,
            bytes: vec![1],
        },
        ValueData {
            value_type: ValueType::MULTI_SZ,
            bytes: vec![0x61; 300_000],
        },
        text("gone"),
        number(1),
    ];
    for data in healthy {
        let disk = with_filters(data.clone(), &["good.sys"]);
        assert_eq!(
            planned(&disk, &[&recipe(ROW)], Goal::Desired),
            [],
            "{data:?}"
        );
    }
    let mut broken = units("good\0gone");
    broken.bytes.push(0x67);
    let disk = with_filters(broken, &["good.sys"]);
    assert_eq!(auto(&disk), filters(r#"["good"]"#));
    repaired(&disk, &[&recipe(ROW)], Goal::Faults);
    let missing = disk_without();
    assert_eq!(planned(&missing, &[&recipe(ROW)], Goal::Desired), []);
}

fn disk_without() -> FaultyDisk {
    let service = r"ControlSet001\Services\a";
    whole(disk(&[(service, "Type", number(1))], &[]), &["good.sys"])
}

/// A filter is looked for among the services of its own control set.
#[test]
fn each_control_set_is_judged_by_its_own_services() {
    let second = CLASS.replace("001", "002");
    let (one, two) = (r"ControlSet001\Services\a", r"ControlSet002\Services\b");
    let names = list(&["a", "b"]);
    let values = [
        (one, "Type", number(1)),
        (two, "Type", number(1)),
        (CLASS, "UpperFilters", names.clone()),
        (&second, "UpperFilters", names),
    ];
    let disk = whole(disk(&values, &[]), &["a.sys", "b.sys"]);
    let expected = [
        change(CLASS, "UpperFilters", r#"["a"]"#),
        change(&second, "UpperFilters", r#"["b"]"#),
    ];
    assert_eq!(auto(&disk), expected);
}

#[test]
fn names_are_dropped_by_name_with_commas_and_without() {
    let row = r#"[[list]]
hive = "SOFTWARE"
key = 'Some\Key'
value = "V"
separator = "comma"
drop = ["gone", "Also"]
why = "w"
"#;
    let software = [(r"Some\Key", "V", text("a, GONE ,b,also"))];
    let disk = disk(&[], &software);
    let found = planned(&disk, &[&recipe(row)], Goal::Desired);
    assert_eq!(found, [change(r"Some\Key", "V", "\"a,b\"")]);
    repaired(&disk, &[&recipe(row)], Goal::Desired);
}

#[test]
fn mistakes_are_named_with_their_place() {
    for (from, to, place, say) in [
        ("\"SYSTEM\"", "\"SYSTEMS\"", "7:8", "no hive"),
        (
            r"ControlSet*\Control\Class",
            r"Setup\Class",
            "11:8",
            "ControlSet*",
        ),
        ("\"UpperFilters\"", "\"a\\u0000\"", "9:9", ""),
        ("\"multi_sz\"", "\"space\"", "10:13", "comma"),
        ("\"driver_missing\"", "\"missing\"", "11:8", "file_missing"),
        ("\"driver_missing\"", "[]", "11:8", "at least one"),
        (
            "\"driver_missing\"",
            "[\"Partmgr\"]",
            "11:8",
            "both kept and dropped",
        ),
        ("\"driver_missing\"", "[\"\"]", "11:9", "not empty"),
        ("[\"partmgr\"]", "[\" \"]", "12:9", "not empty"),
        ("\"delete\"", "\"drop\"", "13:9", "leave"),
        ("\"would_change\"", "\"missing\"", "14:9", "would_change"),
        ("why = \"w\"", "why = \"\"", "15:7", "say something"),
        ("why = \"w\"", "wyh = \"\"", "15:1", "wyh"),
    ] {
        let row = ROW.replacen(from, to, 1);
        assert_ne!(row, ROW, "{from}");
        refused(&row, place, say);
    }
}

#[test]
fn a_row_that_sets_the_whole_list_contradicts_one_that_drops_from_it() {
    let mut catalogue = Catalogue::built_in().expect("valid");
    let value = "[[registry]]\nhive = 'SYSTEM'\nkey = 'ControlSet001\\Control\\Session Manager'\n\
                 value = 'bootexecute'\ntype = 'REG_MULTI_SZ'\ndata = ['a']\nwhy = 'w'\n";
    catalogue.add(recipe(value)).expect("a new name");
    assert!(catalogue.select(&["own", "boot-execute"]).is_err());
    assert!(catalogue.select(&["boot-execute", "own"]).is_err());
    assert!(catalogue.select(&["own", "setup-execute"]).is_ok());
}

#[test]
fn missing_programs_leave_the_start_of_windows() {
    let key = r"ControlSet001\Control\Session Manager";
    let lines = [
        "autocheck autochk *",
        "autocheck autochk /r \\??\\C:",
        "sdnclean64.exe",
        "autocheck gone a",
        "there",
        r"\??\D:\other.exe x",
    ];
    let broken = whole(disk(&[(key, "BootExecute", list(&lines))], &[]), &["a.sys"]);
    broken.put("Windows/System32/there.exe", b"MZ".to_vec());
    let left = [lines[0], lines[1], lines[4], lines[5]];
    let left = list(&left).to_string();
    built_in("boot-execute", |recipes| {
        let found = planned(&broken, recipes, Goal::Faults);
        assert_eq!(found, [change(key, "BootExecute", &left)]);
        repaired(&broken, recipes, Goal::Faults);
        // The default entry stays even if its program is missing.
        let default = disk(&[(key, "BootExecute", list(&[lines[0]]))], &[]);
        default.put("Windows/System32/services.exe", b"MZ".to_vec());
        default.put("Windows/System32/drivers/a.sys", b"MZ".to_vec());
        assert_eq!(planned(&default, recipes, Goal::Desired), []);
    });
    let setup = disk(&[(key, "SetupExecute", list(&["gone"]))], &[]);
    built_in("setup-execute", |recipes| {
        assert_eq!(planned(&setup, recipes, Goal::Faults), []);
        let setup = whole(setup.fork(), &["a.sys"]);
        let found = planned(&setup, recipes, Goal::Faults);
        assert_eq!(found, [change(key, "SetupExecute", "[]")]);
    });
}

#[test]
fn providers_without_a_library_leave_the_order() {
    let order = r"ControlSet001\Control\NetworkProvider\Order";
    let provider = |name: &str| format!(r"ControlSet001\Services\{name}\NetworkProvider");
    let (gone, there, kept) = (provider("Gone"), provider("vmhgfs"), provider("RDPNP"));
    let path = |file: &str| {
        let path = format!(r"%SystemRoot%\System32\{file}");
        ValueData::text(ValueType::EXPAND_SZ, &path)
    };
    let values = [
        (
            order,
            "ProviderOrder",
            text("rdpnp,Gone,VMHGFS,NoKey,LanmanWorkstation"),
        ),
        (gone.as_str(), "ProviderPath", path("gone.dll")),
        (there.as_str(), "ProviderPath", path("vmhgfs.dll")),
        (kept.as_str(), "ProviderPath", path("missing.dll")),
    ];
    let broken = whole(disk(&values, &[]), &["a.sys"]);
    broken.put("Windows/System32/vmhgfs.dll", b"MZ".to_vec());
    let left = "\"rdpnp,VMHGFS,NoKey,LanmanWorkstation\"";
    built_in("net-provider-order", |recipes| {
        let found = planned(&broken, recipes, Goal::Faults);
        assert_eq!(found, [change(order, "ProviderOrder", left)]);
        repaired(&broken, recipes, Goal::Faults);
    });
}

#[test]
fn orphaned_filters_leave_every_class() {
    let class =
        |id: &str| format!(r"ControlSet001\Control\Class\{{{id}-e325-11ce-bfc1-08002be10318}}");
    let (disks, keys, net) = (class("4d36e967"), class("4d36e96b"), class("4d36e972"));
    let values = [
        (r"ControlSet001\Services\stdcfltn", "Type", number(1)),
        (
            disks.as_str(),
            "LowerFilters",
            list(&["EhStorGone", "stdcfltn"]),
        ),
        (disks.as_str(), "UpperFilters", list(&["partmgr"])),
        (keys.as_str(), "UpperFilters", list(&["gone", "kbdclass"])),
        (net.as_str(), "LowerFilters", list(&["vpn"])),
    ];
    let broken = whole(disk(&values, &[]), &["stdcfltn.sys"]);
    built_in("filter-orphan", |recipes| {
        let mut found = planned(&broken, recipes, Goal::Faults);
        found.sort();
        let expected = [
            change(&disks, "LowerFilters", "[\"stdcfltn\"]"),
            change(&keys, "UpperFilters", "[\"kbdclass\"]"),
            change(&net, "LowerFilters", "deleted"),
        ];
        assert_eq!(found, expected);
        repaired(&broken, recipes, Goal::Faults);
    });
}
