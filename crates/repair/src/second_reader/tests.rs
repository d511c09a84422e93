use std::cell::Cell;

use diskmend_hive::{BASE_BLOCK_LEN, Committable, Editor, Filetime, Hive as OurHive};

use super::*;

thread_local! {
    static NAMES: Cell<usize> = const { Cell::new(0) };
}

/// Counts the names that are read from lists, which shows the cost of a lookup without measuring
/// time.
pub(super) fn count() {
    NAMES.set(NAMES.get() + 1);
}

const DESCRIPTOR: [u8; 20] = [
    1, 0, 0, 0x80, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
];

fn edited(minor: u32, edit: impl FnOnce(&mut Editor)) -> Committable {
    let hive = OurHive::create(minor, &DESCRIPTOR, Filetime(1)).expect("created");
    let mut editor = Editor::new(hive, Filetime(2));
    edit(&mut editor);
    let edited = editor.finish().expect("finished");
    let (hive, _) = edited.skip_verification().expect("all is there");
    hive.into()
}

fn sample(minor: u32) -> Committable {
    edited(minor, |editor| {
        editor.create_key("Services\\Disk").expect("created");
        let values = [
            ("Start", ValueType::DWORD, vec![3, 0, 0, 0]),
            ("", ValueType::SZ, vec![0; 40]),
            ("Odd", ValueType(0x1234), vec![9; 5]),
            ("Big", ValueType::BINARY, vec![7; 40_000]),
            ("Nothing", ValueType::NONE, vec![]),
        ];
        for (name, data_type, data) in values {
            editor
                .set_value("Services\\Disk", name, data_type, &data)
                .expect("set");
        }
    })
}

fn key<'a>(key: &'a str, expected: Expected<'a>) -> Expectation<'a> {
    Expectation { key, expected }
}

fn value(name: &'static str, value_type: ValueType, bytes: Vec<u8>) -> Expectation<'static> {
    let content = Box::leak(Box::new(ValueContent { value_type, bytes }));
    key("services\\DISK", Expected::Value { name, content })
}

fn no_value<'a>(path: &'a str, name: &'a str) -> Expectation<'a> {
    key(path, Expected::NoValue { name })
}

fn disagreement(hive: &OurHive, expectation: Expectation<'_>) -> (String, String, String) {
    disagreement_of(hive, &[expectation])
}

fn disagreement_of(hive: &OurHive, expected: &[Expectation<'_>]) -> (String, String, String) {
    match read_back(hive.image().file(), expected) {
        ReadBack::Disagrees {
            path,
            expected,
            actual,
        } => (path, expected, actual),
        other => panic!("{other:?}"),
    }
}

#[test]
fn agrees_about_existing_and_missing_values() {
    for minor in [3, 5] {
        let hive = sample(minor);
        let expected = [
            key("", Expected::Key),
            key("Services", Expected::Key),
            key("Services\\Disc", Expected::NoKey),
            key("Nowhere\\Disk", Expected::NoKey),
            value("START", ValueType::DWORD, vec![3, 0, 0, 0]),
            value("", ValueType::SZ, vec![0; 40]),
            value("Odd", ValueType(0x1234), vec![9; 5]),
            value("Big", ValueType::BINARY, vec![7; 40_000]),
            value("Nothing", ValueType::NONE, vec![]),
            no_value("Services\\Disk", "Tag"),
            no_value("Services", "Start"),
            no_value("Nowhere", "Start"),
        ];
        assert_eq!(read_back(hive.image().file(), &expected), ReadBack::Agrees);
    }
}

#[test]
fn disagrees_with_anything_else() {
    let hive = sample(5);
    for (expectation, expected, actual) in [
        (key("Servicer", Expected::Key), "a key", "no key"),
        (key("Services", Expected::NoKey), "no key", "a key"),
        (
            no_value("Services\\Disk", "Start"),
            "no value",
            "REG_DWORD of 4 bytes",
        ),
        (
            value("Tag", ValueType::DWORD, vec![1]),
            "REG_DWORD of 1 bytes 01",
            "no value",
        ),
        (
            value("Start", ValueType::DWORD, vec![4, 0, 0, 0]),
            "REG_DWORD of 4 bytes 04 00 00 00",
            "REG_DWORD of 4 bytes 03 00 00 00",
        ),
        (
            value("Odd", ValueType::BINARY, vec![9; 5]),
            "REG_BINARY of 5 bytes 09 09 09 09 09",
            "0x1234 of 5 bytes 09 09 09 09 09",
        ),
        (
            value("Nothing", ValueType::NONE, vec![1]),
            "REG_NONE of 1 bytes 01",
            "REG_NONE of 0 bytes",
        ),
    ] {
        let found = disagreement(&hive, expectation);
        assert_eq!((found.1.as_str(), found.2.as_str()), (expected, actual));
    }
    let (path, ..) = disagreement(&hive, value("Start", ValueType::NONE, vec![]));
    assert_eq!(path, "services\\DISK, value \"Start\"");
}

#[test]
fn one_byte_of_big_data_matters() {
    let mut data = vec![7; 40_000];
    data[39_999] = 8;
    let (_, expected, actual) = disagreement(&sample(5), value("Big", ValueType::BINARY, data));
    assert!(expected.starts_with("REG_BINARY of 40000 bytes 07"));
    assert_eq!(expected, actual);
}

/// The second reader upper-cases U+0131 to `I`, so it searches for it before `J`. Windows keeps it
/// unchanged, so it is after all of ASCII.
#[test]
fn an_order_that_nt_hive_does_not_share_is_not_held_against_the_hive() {
    let hive = edited(5, |editor| {
        for name in ["J", "K", "\u{131}"] {
            editor.create_key(name).expect("created");
        }
    });
    let file = hive.image().file();
    let ours = key("\u{131}", Expected::Key);
    assert_eq!(read_back(file, &[ours]), ReadBack::Agrees);
    let capital = key("I", Expected::NoKey);
    assert_eq!(read_back(file, &[capital]), ReadBack::Agrees);
}

#[test]
fn a_key_out_of_order_is_not_found() {
    let hive = edited(5, |editor| {
        for name in ["A", "B", "C"] {
            editor.create_key(name).expect("created");
        }
    });
    let mut file = hive.image().file().to_vec();
    let root = hive.root().expect("readable");
    let list = BASE_BLOCK_LEN + root.node().subkey_list.get() as usize + 4;
    file[list + 4..list + 28].rotate_left(8);
    let expectation = [key("A", Expected::Key)];
    let ReadBack::Disagrees { actual, .. } = read_back(&file, &expectation) else {
        panic!("found where no search finds it");
    };
    assert_eq!(actual, "a key that is not in its place in the subkey list");
}

#[test]
fn errors_and_panics_are_results_and_disagreement_comes_first() {
    let hive = sample(5);
    let services = hive.key("Services").expect("readable").expect("there");
    let at = BASE_BLOCK_LEN + services.node().subkey_list.get() as usize + 4;
    let lookup = [
        key("Services\\Disk", Expected::Key),
        key("Services", Expected::Key),
    ];

    let mut file = hive.image().file().to_vec();
    file[at..at + 2].copy_from_slice(b"xx");
    let ReadBack::CannotRead { reason } = read_back(&file, &lookup) else {
        panic!("read a list without a signature");
    };
    assert!(reason.contains("signature"), "{reason}");

    let mut file = hive.image().file().to_vec();
    file[at + 4..at + 8].copy_from_slice(&[0xFF; 4]);
    let ReadBack::CannotRead { reason } = read_back(&file, &lookup) else {
        panic!("read a key that has no cell");
    };
    assert!(reason.starts_with("panic: "), "{reason}");

    let both = [lookup[0], key("Nowhere", Expected::Key)];
    let result = read_back(&file, &both);
    assert!(matches!(result, ReadBack::Disagrees { .. }), "{result:?}");

    let short = read_back(&file[..100], &lookup);
    assert!(matches!(short, ReadBack::CannotRead { .. }), "{short:?}");
}

#[test]
fn a_panic_of_another_kind_is_reported_after_one_that_was_caught() {
    let inner = quiet::catch(|| quiet::catch(|| panic!("inner")));
    assert_eq!(inner, Ok(Err::<(), _>("panic: inner".to_owned())));
    assert_eq!(quiet::catch(|| 7), Ok(7));
    let outer = std::thread::spawn(|| panic!("outer")).join();
    assert!(outer.is_err());
}

/// A deleted key counts as absent only after the whole list is searched. Each deletion once
/// searched it anew: 4,000 deletions below a key with 100,000 subkeys took two minutes.
#[test]
fn each_list_is_read_once_however_many_keys_are_looked_up_in_it() {
    const SUBKEYS: usize = 3000;
    let hive = edited(5, |editor| {
        for number in 0..SUBKEYS {
            editor
                .create_key(&format!("Wide\\{number:04}"))
                .expect("created");
        }
        for number in (0..SUBKEYS).step_by(2) {
            editor
                .delete_key(&format!("Wide\\{number:04}"))
                .expect("deleted");
        }
    });
    let name = |number: usize| format!("wide\\{number:04}");
    let names: Vec<_> = (0..SUBKEYS).step_by(2).map(name).collect();
    let expected: Vec<_> = names
        .iter()
        .map(|name| key(name, Expected::NoKey))
        .collect();
    let before = NAMES.get();
    let result = read_back(hive.image().file(), &expected);
    assert_eq!(result, ReadBack::Agrees);
    assert_eq!(NAMES.get() - before, SUBKEYS / 2);
    let there = [0, 7, 8].map(name);
    let there = there.each_ref().map(|name| key(name, Expected::NoKey));
    let (path, ..) = disagreement_of(&hive, &there);
    assert_eq!(path, "wide\\0007");
}
