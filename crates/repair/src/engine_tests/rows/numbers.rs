//! `[[registry]]` rows about bits of a number, ranges of numbers, and what is not on the disk.

use super::super::diagnosis::disk::{Break, SET, disk as server, whole as windows};
use super::*;
use crate::place::HiveName::{Software, System};

const DEVICE: &str = r"ControlSet001\Enum\PCI\VEN_1AF4\1";
const BITS: &str = "[[registry]]\nhive = 'SYSTEM'\nkey = 'ControlSet*\\Enum\\PCI\\{*}\\{*}'\n\
    value = 'V'\ntype = 'REG_DWORD'\nbits = { set = 0x4, clear = 0x3 }\n\
    fault = { bits = { any_set = 0x1 } }\nwhy = 'w'\n";

fn state(disk: &FaultyDisk, rows: &str) -> Vec<RowState> {
    let states = states(disk, &recipe(rows)).into_iter();
    states.map(|(_, state)| state).collect()
}

fn with(data: ValueData) -> FaultyDisk {
    disk(&[(DEVICE, "V", data)], &[])
}

#[test]
fn only_the_named_bits_change_and_all_come_back() {
    let bits = recipe(BITS);
    for (old, found, new) in [
        (0xff00_0001_u32, RowState::Fault, Some(0xff00_0004_u32)),
        (0x2, RowState::Differs, Some(0x4)),
        (0x80, RowState::Differs, Some(0x84)),
        (0x8000_0004, RowState::Ok, None),
    ] {
        let disk = with(number(old));
        assert_eq!(state(&disk, BITS), [found], "{old:#x}");
        let Some(new) = new else {
            assert_eq!(planned(&disk, &[&bits], Goal::Desired), []);
            continue;
        };
        let change = change(DEVICE, "V", &number(new).to_string());
        assert_eq!(planned(&disk, &[&bits], Goal::Desired), [change]);
        let by_itself = planned(&disk, &[&bits], Goal::Faults).len();
        assert_eq!(by_itself, usize::from(found == RowState::Fault));
        repaired(&disk, &[&bits], Goal::Desired);
    }
}

#[test]
fn a_value_without_such_bits_stays() {
    let short = ValueData {
        value_type: ValueType::DWORD,
        bytes: vec![1, 0],
    };
    let quad = ValueData {
        value_type: ValueType::QWORD,
        bytes: vec![1; 8],
    };
    for data in [short, quad, text("1")] {
        assert_eq!(state(&with(data), BITS), [RowState::Ok]);
    }
    let without = disk(&[(DEVICE, "Other", number(1))], &[]);
    assert_eq!(state(&without, BITS), [RowState::Ok]);
    assert_eq!(planned(&without, &[&recipe(BITS)], Goal::Desired), []);
}

/// Two recipes may want bits of one value: it is changed once, and has all of them.
#[test]
fn bits_of_two_recipes_change_together() {
    let other = BITS.replace("set = 0x4, clear = 0x3", "set = 0x10");
    let other = other.replace("fault = { bits = { any_set = 0x1 } }\n", "");
    let named = |name: &str, rows: &str| {
        let text = whole(rows).replace("'own'", &format!("'{name}'"));
        Recipe::parse(name, &text).expect(name)
    };
    let (one, two) = (named("one", BITS), named("two", &other));
    let disk = with(number(0x1));
    let both = planned(&disk, &[&one, &two], Goal::Desired);
    assert_eq!(both, [change(DEVICE, "V", "20 (0x14)")]);
    let both = planned(&disk, &[&one, &two], Goal::Faults);
    assert_eq!(both, [change(DEVICE, "V", "4")]);
    repaired(&disk, &[&one, &two], Goal::Desired);

    let mut catalogue = Catalogue::built_in().expect("valid");
    let whole_value = other.replace("bits = { set = 0x10 }", "data = 0");
    let rows = [
        ("one", BITS.to_owned()),
        ("two", other.clone()),
        ("against", other.replace("set = 0x10", "clear = 0x4")),
        ("value", whole_value),
    ];
    for (name, rows) in &rows {
        catalogue.add(named(name, rows)).expect(name);
    }
    catalogue.select(&["one", "two"]).expect("they agree");
    for against in ["against", "value"] {
        let error = catalogue.select(&["one", against]).expect_err(against);
        assert!(error.to_string().contains("want different"), "{error}");
    }
}

#[test]
fn numbers_in_a_range_are_right_or_a_fault() {
    let row = BITS.replace(
        "bits = { set = 0x4, clear = 0x3 }\nfault = { bits = { any_set = 0x1 } }",
        "data = 2\naccept = ['1..3', '0x10..0x1f']\nfault = { equals = [0, '100..'] }",
    );
    for (number_, found) in [
        (0, RowState::Fault),
        (1, RowState::Ok),
        (3, RowState::Ok),
        (4, RowState::Differs),
        (0x1f, RowState::Ok),
        (99, RowState::Differs),
        (100, RowState::Fault),
        (u32::MAX, RowState::Fault),
    ] {
        assert_eq!(state(&with(number(number_)), &row), [found], "{number_}");
    }
    let quad = row.replace("REG_DWORD", "REG_QWORD");
    for (number_, found) in [(3, RowState::Ok), (u64::MAX, RowState::Fault)] {
        let data = ValueData {
            value_type: ValueType::QWORD,
            bytes: u64::to_le_bytes(number_).to_vec(),
        };
        assert_eq!(state(&with(data), &quad), [found], "{number_}");
    }
}

#[test]
fn a_row_is_only_about_keys_in_which_another_value_is_so() {
    let row = BITS.replace(
        "why = 'w'",
        "where = { value = 'Class', equals = ['7..9'] }\nwhy = 'w'",
    );
    let one = (DEVICE, "V", number(1));
    for (class, found) in [
        (Some(number(7)), vec![RowState::Fault]),
        (Some(number(6)), vec![]),
        (Some(text("7")), vec![]),
        (None, vec![]),
    ] {
        let mut values = vec![one.clone()];
        values.extend(class.map(|class| (DEVICE, "Class", class)));
        assert_eq!(state(&disk(&values, &[]), &row), found);
    }
}

const LOGON: &str = r"Microsoft\Windows NT\CurrentVersion\Winlogon";

/// What a row says of a text in Winlogon, on a whole Windows.
fn of_program(text: &str) -> Vec<RowState> {
    let data = ValueData::text(ValueType::SZ, text);
    let breaks = [
        windows().to_vec(),
        vec![
            Break::Data(Software, LOGON.to_owned(), "Shell", data),
            Break::File("Windows/explorer.exe".to_owned(), b"MZ".to_vec()),
            Break::File("Windows/System32/empty.exe".to_owned(), Vec::new()),
            Break::File("Kiosk Shell/run it.exe".to_owned(), b"MZ".to_vec()),
        ],
    ];
    let row = format!(
        "[[registry]]\nhive = 'SOFTWARE'\nkey = '{LOGON}'\nvalue = 'Shell'\ntype = 'REG_SZ'\n\
         data = 'x'\nfault = 'program_missing'\nwhy = 'w'\n"
    );
    state(&server(&breaks.concat()), &row)
}

#[test]
fn a_program_that_is_not_on_the_disk_is_a_fault() {
    for there in [
        "explorer.exe",
        "EXPLORER.EXE",
        "explorer",
        "explorer.exe,",
        "explorer.exe /x",
        "\"explorer.exe\" /x",
        r"%SystemRoot%\explorer.exe",
        r"C:\Kiosk Shell\run it.exe",
        r#""C:\Kiosk Shell\run it.exe" -now, other.exe"#,
        r"C:\Kiosk Shell\run it.exe -now",
        // Nobody knows where these lead.
        r"D:\kiosk.exe",
        r"\\server\share\kiosk.exe",
        r"%KIOSK%\kiosk.exe",
        "",
        ",",
        " ",
    ] {
        assert_eq!(of_program(there), [RowState::Differs], "{there}");
    }
    for gone in [
        "kiosk.exe",
        "kiosk",
        "kiosk.exe, explorer.exe",
        "empty.exe",
        r"C:\Windows\system32\kiosk.exe,",
        r"C:\Kiosk Shell\gone.exe -now",
        r#""C:\Kiosk Shell\gone.exe" -now"#,
    ] {
        assert_eq!(of_program(gone), [RowState::Fault], "{gone}");
    }
}

#[test]
fn a_part_of_a_disk_lacks_no_program() {
    let data = ValueData::text(ValueType::SZ, "kiosk.exe");
    let disk = server(&[Break::Data(Software, LOGON.to_owned(), "Shell", data)]);
    let row = format!(
        "[[registry]]\nhive = 'SOFTWARE'\nkey = '{LOGON}'\nvalue = 'Shell'\ntype = 'REG_SZ'\n\
         data = 'x'\nfault = 'program_missing'\nwhy = 'w'\n"
    );
    assert_eq!(state(&disk, &row), [RowState::Differs]);
}

#[test]
fn a_drive_that_windows_never_had_is_a_fault() {
    let key = format!(r"{SET}\Control\Session Manager\Memory Management");
    let row = format!(
        "[[registry]]\nhive = 'SYSTEM'\nkey = '{key}'\nvalue = 'PagingFiles'\n\
         type = 'REG_MULTI_SZ'\ndata = ['x']\nfault = {{ drive_missing = true }}\nwhy = 'w'\n"
    );
    let of = |path: &str, letters: &[&'static str]| {
        let files = ValueData::list(&[path.to_owned()]);
        let mut breaks = vec![Break::Data(System, key.clone(), "PagingFiles", files)];
        for letter in letters {
            let volume = ValueData {
                value_type: ValueType::BINARY,
                bytes: vec![1; 12],
            };
            breaks.push(Break::Data(
                System,
                "MountedDevices".to_owned(),
                letter,
                volume,
            ));
        }
        state(&server(&breaks), &row)
    };
    let letters = [r"\DosDevices\C:", r"\DosDevices\D:", r"\??\Volume{1}"];
    assert_eq!(of(r"E:\pagefile.sys 0 0", &letters), [RowState::Fault]);
    for there in [
        r"d:\pagefile.sys 0 0",
        r"?:\pagefile.sys",
        r"\??\C:\pagefile.sys",
    ] {
        assert_eq!(of(there, &letters), [RowState::Differs], "{there}");
    }
    assert_eq!(of(r"E:\pagefile.sys", &[]), [RowState::Differs]);
}

#[test]
fn mistakes_are_named_with_their_place() {
    recipe(BITS);
    for (from, to, place, say) in [
        (
            "set = 0x4, clear = 0x3",
            "set = 0x6, clear = 0x3",
            "11:8",
            "0x2 are both",
        ),
        ("set = 0x4, clear = 0x3", "", "11:8", "name bits"),
        ("set = 0x4", "set = 0x100000000", "11:16", "beyond"),
        ("set = 0x4", "set = -1", "11:16", "a number"),
        ("set = 0x4", "set = 'x'", "11:16", "a number"),
        ("set = 0x4", "sets = 0x4", "11:10", "sets"),
        (
            "bits = { set",
            "data = 1\nbits = { set",
            "12:8",
            "one of data, bits",
        ),
        ("REG_DWORD", "REG_SZ", "11:8", "has bits"),
        ("type = 'REG_DWORD'\n", "", "10:8", "bits need a type"),
        (
            "any_set = 0x1",
            "any_set = 0x8",
            "12:9",
            "that the row clears",
        ),
        (
            "any_set = 0x1",
            "any_clear = 0x1",
            "12:9",
            "that the row clears",
        ),
        ("any_set = 0x1", "", "12:18", "any_clear"),
        ("any_set = 0x1", "set = 0x1", "12:20", "set"),
        (
            "fault",
            "if_missing = 'create'\nfault",
            "12:14",
            "with data",
        ),
        (
            "{ bits = { any_set = 0x1 } }",
            "'missing'",
            "12:9",
            "that is left",
        ),
        (
            "{ bits = { any_set = 0x1 } }",
            "'exists'",
            "12:9",
            "means other data",
        ),
        ("{*}\\{*}", "{*}\\{*}\\{*}\\{*}", "8:7", "at most 3"),
        ("why", "where = { value = 'X' }\nwhy", "13:19", "equals"),
        (
            "why",
            "where = { value = 'X', equals = [] }\nwhy",
            "13:33",
            "at least one",
        ),
    ] {
        assert!(BITS.contains(from), "{from}");
        refused(&BITS.replacen(from, to, 1), place, say);
    }
    let range = BITS.replace(
        "bits = { set = 0x4, clear = 0x3 }\nfault = { bits = { any_set = 0x1 } }",
        "data = 2\naccept = ['1..3']\nfault = { equals = ['5..'] }",
    );
    recipe(&range);
    for (from, to, place, say) in [
        ("1..3", "3..1", "12:11", "no number"),
        ("1..3", "..", "12:11", "not a range"),
        ("1..3", "0..=3", "12:11", "not a range"),
        ("1..3", "1..4294967296", "12:11", "not within"),
        ("1..3", "2..2", "12:10", "other data"),
        ("5..", "3..", "13:9", "accepted data cannot"),
        (
            "data = 2\naccept = ['1..3']",
            "data = 6",
            "12:9",
            "desired data cannot",
        ),
        ("REG_DWORD", "REG_BINARY", "11:8", "hexadecimal bytes"),
    ] {
        assert!(range.contains(from), "{from}");
        refused(&range.replacen(from, to, 1), place, say);
    }
}
