//! Random edits of hives of every minor version, compared with a model, which is a plain tree in
//! memory. After each batch the full check must find nothing, and the hive must contain what the
//! model contains: in memory, for the `nt-hive` crate, and after it was committed and opened again.

#![cfg(test)]

mod model_tree;
#[expect(dead_code, reason = "other tests use more of it")]
mod support;

use diskmend_hive::check::check;
use diskmend_hive::commit::{Options, execute, plan};
use diskmend_hive::{Committable, Editor, Filetime, Hive, Key, Opened, Outcome, ValueType, open};
use model_tree::Tree;
use model_tree::files::Files;
use proptest::prelude::*;

/// A self-relative descriptor without owner, group, DACL and SACL (MS-DTYP 2.4.6).
const DESCRIPTOR: [u8; 20] = [
    1, 0, 0, 0x80, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
];
const NOW: Filetime = Filetime(134_116_992_000_000_000);

/// Names that often collide; some of them differ only in case.
const NAMES: &[&str] = &[
    "a",
    "A",
    "b",
    "_",
    "Z",
    "alpha",
    "ALPHA",
    "Alpha 2",
    "key with spaces",
    "{0a-1b}",
    "~",
    "é",
    "É",
    "Äpfel",
    "äPFEL",
    "straße",
    "ÿ",
    "Ÿ",
    "ключ",
    "КЛЮЧ",
    "日本語",
    "ab日",
    "😀",
    "😀b",
    "÷",
];

#[derive(Clone, Debug)]
enum Edit {
    CreateKey(Vec<&'static str>),
    DeleteKey(Vec<&'static str>),
    SetValue(Vec<&'static str>, &'static str, u32, usize, u8),
    DeleteValue(Vec<&'static str>, &'static str),
    CreateMany(Vec<&'static str>, &'static str, usize),
    DeleteMany(Vec<&'static str>, &'static str, usize, usize),
}

fn name() -> impl Strategy<Value = &'static str> {
    prop::sample::select(NAMES)
}

fn path() -> impl Strategy<Value = Vec<&'static str>> {
    prop::collection::vec(name(), 0..4)
}

/// Lengths at which data are stored in another way, and any other length.
fn data_len() -> impl Strategy<Value = usize> {
    prop_oneof![
        4 => 0_usize..10,
        2 => 0_usize..300,
        2 => 16_338_usize..16_350,
        1 => 32_680_usize..32_695,
        1 => 0_usize..60_000,
    ]
}

fn value_name() -> impl Strategy<Value = &'static str> {
    prop_oneof![1 => Just(""), 5 => name()]
}

fn edit() -> impl Strategy<Value = Edit> {
    let value_type = prop_oneof![9 => 0_u32..12, 1 => any::<u32>()];
    prop_oneof![
        4 => path().prop_map(Edit::CreateKey),
        1 => path().prop_map(Edit::DeleteKey),
        8 => (path(), value_name(), value_type, data_len(), any::<u8>())
            .prop_map(|(path, name, kind, len, seed)| Edit::SetValue(path, name, kind, len, seed)),
        2 => (path(), value_name()).prop_map(|(path, name)| Edit::DeleteValue(path, name)),
        1 => (path(), name(), 0_usize..1600)
            .prop_map(|(path, name, count)| Edit::CreateMany(path, name, count)),
        1 => (path(), name(), 0_usize..1600, 0_usize..1600)
            .prop_map(|(path, name, from, count)| Edit::DeleteMany(path, name, from, count)),
    ]
}

fn data(len: usize, seed: u8) -> Vec<u8> {
    (0..len)
        .map(|i| (i as u8).wrapping_mul(31).wrapping_add(seed))
        .collect()
}

fn new_hive(minor: u32) -> Hive {
    Hive::create(minor, &DESCRIPTOR, NOW).expect("valid descriptor")
}

/// A number in a name that sorts in another order than it counts, so that new keys go to all places
/// of a list.
fn scattered(name: &str, index: usize) -> String {
    format!("{name}{:04}", (index * 7919) % 10_007)
}

fn apply(editor: &mut Editor, tree: &mut Tree, edit: &Edit) {
    match edit {
        Edit::CreateKey(path) => {
            let outcome = editor.create_key(&path.join("\\")).expect("created");
            assert_eq!(outcome == Outcome::Changed, tree.create(path));
        }
        Edit::DeleteKey(path) => {
            let result = editor.delete_key(&path.join("\\"));
            if path.is_empty() {
                result.expect_err("the root stays");
            } else {
                let outcome = result.expect("deleted");
                assert_eq!(outcome == Outcome::Changed, tree.delete(path));
            }
        }
        Edit::SetValue(path, name, kind, len, seed) => {
            let data = data(*len, *seed);
            let joined = path.join("\\");
            editor.create_key(&joined).expect("created");
            tree.create(path);
            let kind = ValueType(*kind);
            let outcome = editor.set_value(&joined, name, kind, &data).expect("set");
            let changed = tree.get_mut(path).expect("created").set(name, kind, data);
            assert_eq!(outcome == Outcome::Changed, changed);
        }
        Edit::DeleteValue(path, name) => {
            let outcome = editor
                .delete_value(&path.join("\\"), name)
                .expect("deleted");
            let changed = tree.get_mut(path).is_some_and(|key| key.unset(name));
            assert_eq!(outcome == Outcome::Changed, changed);
        }
        Edit::CreateMany(path, name, count) => {
            for index in 0..*count {
                let last = scattered(name, index);
                let mut path = path.clone();
                path.push(&last);
                editor.create_key(&path.join("\\")).expect("created");
                tree.create(&path);
            }
        }
        Edit::DeleteMany(path, name, from, count) => {
            for index in *from..from + count {
                let last = scattered(name, index);
                let mut path = path.clone();
                path.push(&last);
                editor.delete_key(&path.join("\\")).expect("deleted");
                tree.delete(&path);
            }
        }
    }
}

/// Writes the hive to its files through the log.
fn commit(hive: &Committable, files: &mut Files) {
    let options = Options {
        now: NOW,
        format: None,
        with_log: true,
    };
    let plan = plan(hive, &files.logs(), &options).expect("a plan");
    execute(&plan, files).expect("memory does not fail");
}

/// The nt-hive crate, which shares no code with this crate, must read the hive as the model.
fn assert_same_to_nt_hive(hive: &Hive, tree: &Tree) {
    let hive = nt_hive::Hive::without_validation(hive.image().file()).expect("a hive");
    let root = hive.root_key_node().expect("a root");
    nt_hive_key(&root, tree, "", hive.minor_version());
}

fn nt_hive_key(key: &nt_hive::KeyNode<'_, &[u8]>, tree: &Tree, path: &str, minor: u32) {
    /// nt-hive takes longer data for big data, which older hives do not have.
    const PLAIN: usize = 16_344;
    let mut values = tree.values.iter();
    for value in key
        .values()
        .transpose()
        .expect("a list")
        .into_iter()
        .flatten()
    {
        let value = value.expect("a value");
        let wanted = values.next().expect("a value too many");
        assert_eq!(
            value.name().expect("a name").to_string_lossy(),
            wanted.name,
            "{path}"
        );
        assert_eq!(value.data_size() as usize, wanted.data.len(), "{path}");
        // nt-hive panics if there are no data.
        if !wanted.data.is_empty() && (minor > 3 || wanted.data.len() <= PLAIN) {
            let data = value.data().expect("data").into_vec().expect("data");
            assert!(data == wanted.data, "data of {} in {path:?}", wanted.name);
        }
    }
    assert!(values.next().is_none(), "values are missing in {path:?}");
    let mut keys = tree.keys.values();
    for subkey in key
        .subkeys()
        .transpose()
        .expect("a list")
        .into_iter()
        .flatten()
    {
        let subkey = subkey.expect("a key");
        let (name, below) = keys.next().expect("a key too many");
        assert_eq!(
            &subkey.name().expect("a name").to_string_lossy(),
            name,
            "{path}"
        );
        nt_hive_key(&subkey, below, &format!("{path}\\{name}"), minor);
    }
    assert!(keys.next().is_none(), "keys are missing below {path:?}");
}

fn reopen(file: Vec<u8>) -> Hive {
    match open(Box::new(file)).expect("opens") {
        Opened::Clean(hive) => hive,
        Opened::Dirty(hive) => panic!("{}", hive.state()),
    }
}

fn assert_same(key: Key<'_>, tree: &Tree, path: &str) {
    let values: Vec<_> = key
        .values()
        .expect("value list")
        .map(|value| {
            let value = value.expect("value");
            let data = value.data().expect("data").into_owned();
            (
                value.name().units().collect::<Vec<_>>(),
                value.data_type(),
                data,
            )
        })
        .collect();
    assert_eq!(values.len(), tree.values.len(), "values of {path:?}");
    for (found, wanted) in values.iter().zip(&tree.values) {
        let name: Vec<_> = wanted.name.encode_utf16().collect();
        assert_eq!(found.0, name, "name of a value of {path:?}");
        assert_eq!(
            found.1, wanted.kind,
            "type of {:?} in {path:?}",
            wanted.name
        );
        assert!(
            found.2 == wanted.data,
            "data of {:?} in {path:?}",
            wanted.name
        );
    }
    let mut wanted = tree.keys.values();
    for subkey in key.subkeys().expect("subkey list") {
        let subkey = subkey.expect("subkey");
        let (name, below) = wanted.next().expect("no more keys than the model");
        let units: Vec<_> = name.encode_utf16().collect();
        assert_eq!(
            subkey.name().units().collect::<Vec<_>>(),
            units,
            "below {path:?}"
        );
        assert_same(subkey, below, &format!("{path}\\{name}"));
    }
    assert!(wanted.next().is_none(), "keys are missing below {path:?}");
}

fn assert_sound(hive: &Hive) {
    let report = check(hive);
    assert!(report.problems.is_empty(), "{:#?}", report.problems);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 40, ..ProptestConfig::default() })]

    #[test]
    fn edits_do_what_a_plain_tree_does(
        minor in 3_u32..=6,
        batches in prop::collection::vec(prop::collection::vec(edit(), 1..25), 1..4),
    ) {
        let mut hive = new_hive(minor);
        let mut files = Files::of(hive.image().file().to_vec());
        let mut tree = Tree::default();
        for batch in batches {
            let mut editor = Editor::new(hive, NOW);
            for edit in &batch {
                apply(&mut editor, &mut tree, edit);
            }
            let edited = editor.finish().expect("not poisoned");
            let (verified, _) = edited.verify().expect("sound");
            prop_assert!(verified.report().problems.is_empty(), "{:#?}", verified.report());
            let verified = Committable::from(verified);
            assert_same(verified.root().expect("root"), &tree, "");
            assert_same_to_nt_hive(&verified, &tree);
            commit(&verified, &mut files);
            hive = reopen(files.primary().to_vec());
            assert_same(hive.root().expect("root"), &tree, "");
        }
        let everything: Vec<_> = tree.keys.values().map(|(name, _)| name.clone()).collect();
        let mut editor = Editor::new(hive, NOW);
        for name in everything {
            editor.delete_key(&name).expect("deleted");
        }
        for value in &tree.values {
            editor.delete_value("", &value.name).expect("deleted");
        }
        let edited = editor.finish().expect("not poisoned");
        assert_sound(edited.hive());
        let content = check(edited.hive()).content;
        prop_assert_eq!(content.keys, 1);
        // The root, its security cell, and one free cell in each bin.
        prop_assert_eq!(content.cells, content.bins + 2);
    }
}

#[test]
fn setting_one_value_a_thousand_times_reuses_its_cells() {
    for minor in 3..=6 {
        let mut editor = Editor::new(new_hive(minor), NOW);
        editor
            .set_value("", "v", ValueType::BINARY, &data(3000, 0))
            .expect("set");
        let start = editor
            .finish()
            .expect("not poisoned")
            .hive()
            .image()
            .bins_len();
        let mut editor = Editor::new(new_hive(minor), NOW);
        for seed in 0..1000_u32 {
            let kind = ValueType(seed % 12);
            editor
                .set_value("", "v", kind, &data(3000, seed as u8))
                .expect("set");
        }
        let edited = editor.finish().expect("not poisoned");
        assert_eq!(edited.hive().image().bins_len(), start);
        assert_sound(edited.hive());
    }
}

#[test]
fn data_that_grow_and_shrink_do_not_let_the_hive_grow_without_end() {
    let mut editor = Editor::new(new_hive(5), NOW);
    for round in 0..200_usize {
        for len in [3, 5000, 16_345, 60_000, 0, 16_344] {
            let data = data(len, round as u8);
            editor
                .set_value("", "v", ValueType::BINARY, &data)
                .expect("set");
        }
    }
    let edited = editor.finish().expect("not poisoned");
    assert_sound(edited.hive());
    let len = edited.hive().image().bins_len();
    assert!(
        len < 200_000,
        "60000 bytes of data take {len} bytes of bins"
    );
}
