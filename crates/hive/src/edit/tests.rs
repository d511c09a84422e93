use super::*;
use crate::format::{KeySecurity, ListHeader};
use crate::list::SubkeyList;
use crate::value::DataPlace;
use crate::work::steps_of;

/// A self-relative descriptor without owner, group, DACL and SACL (MS-DTYP 2.4.6).
const DESCRIPTOR: [u8; 20] = [
    1, 0, 0, 0x80, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
];

const EARLIER: Filetime = Filetime(1000);
const NOW: Filetime = Filetime(2000);

fn editor(minor: u32) -> Editor {
    Editor::new(
        Hive::create(minor, &DESCRIPTOR, EARLIER).expect("valid descriptor"),
        NOW,
    )
}

fn bins_len(editor: &Editor) -> usize {
    editor.heap.image.bins_len()
}

fn place<'a>(editor: &'a Editor, key: &str, name: &str) -> DataPlace<'a> {
    let key = editor.key(key).expect("sound").expect("there");
    let value = key.value(name).expect("sound").expect("there");
    value.place().expect("sound")
}

#[test]
fn data_move_between_inline_cell_and_big_data_in_both_directions() {
    let mut editor = editor(5);
    editor.create_key("a").expect("created");
    for len in [0, 4, 5, 16344, 16345, 40000, 3, 40000, 100, 16344, 0] {
        let data: Vec<u8> = (0..len).map(|byte| byte as u8).collect();
        let outcome = editor.set_value("a", "v", ValueType::BINARY, &data);
        assert_eq!(outcome.expect("set"), Outcome::Changed);
        let found = place(&editor, "a", "v");
        match len {
            0..=4 => assert!(matches!(found, DataPlace::Inline(_)), "{len}"),
            5..=16344 => assert!(matches!(found, DataPlace::Cell(..)), "{len}"),
            _ => assert!(matches!(found, DataPlace::BigData { .. }), "{len}"),
        }
        let key = editor.key("a").expect("sound").expect("there");
        let value = key.value("V").expect("sound").expect("there");
        assert_eq!(value.data().expect("sound"), data);
    }
}

/// With one byte more, Windows refuses a hive of the old format, because the cell is larger than 1
/// MiB.
#[test]
fn data_without_segments_fit_one_cell_of_a_mebibyte() {
    const MAX: usize = (1 << 20) - 4;
    let mut editor = editor(3);
    let set = |editor: &mut Editor, len: usize| {
        editor.set_value("", "v", ValueType::BINARY, &vec![7; len])
    };
    for len in [MAX + 1, MAX + 100] {
        match set(&mut editor, len) {
            Err(EditError::DataTooLong { max, .. }) => assert_eq!(max, MAX),
            other => panic!("{other:?}"),
        }
    }
    // The refused edit has changed nothing.
    assert_eq!(set(&mut editor, MAX).expect("set"), Outcome::Changed);
    let edited = editor.finish().expect("finished");
    assert_eq!(crate::check::check(edited.hive()).problems, []);
    let mut editor = self::editor(4);
    assert_eq!(set(&mut editor, MAX + 1).expect("set"), Outcome::Changed);
}

/// In no version of the format does Windows load a hive with a larger cell in use.
#[test]
fn no_cell_of_more_than_a_mebibyte_is_made() {
    const MAX: usize = (1 << 20) - 4;
    for minor in [3, 5, 6] {
        let mut editor = editor(minor);
        let at = editor.heap.allocate(MAX).expect("fits");
        for len in [MAX + 1, 2 << 20] {
            for result in [
                editor.heap.allocate(len).map(drop),
                editor.heap.resize(at, len).map(drop),
            ] {
                let refused =
                    matches!(result, Err(EditError::CellTooLong { len: found }) if found == len);
                assert!(refused, "{len}: {result:?}");
            }
        }
    }
}

/// The list of a key's values must also fit one cell of 1 MiB.
#[test]
fn a_key_with_as_many_values_as_windows_takes_gets_no_more() {
    const MAX: usize = (1 << 18) - 1;
    let mut editor = editor(5);
    editor
        .set_value("", "v", ValueType::BINARY, &[1])
        .expect("set");
    let root = editor.root_cell();
    let key = editor.root().expect("sound");
    let value = key.value_cells().expect("sound")[0];
    let list = vec![value; MAX];
    let list = editor
        .heap
        .store(zerocopy::IntoBytes::as_bytes(list.as_slice()));
    let list = list.expect("fits");
    editor
        .heap
        .update(root, "key node", |node: &mut KeyNode| {
            node.value_count = (MAX as u32).into();
            node.value_list = list.get().into();
        })
        .expect("there");
    let set = |editor: &mut Editor, name| editor.set_value("", name, ValueType::BINARY, &[2]);
    match set(&mut editor, "w") {
        Err(EditError::TooManyValues { count }) => assert_eq!(count, MAX),
        other => panic!("{other:?}"),
    }
    assert_eq!(set(&mut editor, "v").expect("set"), Outcome::Changed);
}

#[test]
fn zero_length_data_are_stored_with_the_inline_bit() {
    let mut editor = editor(5);
    editor
        .set_value("", "empty", ValueType::SZ, &[])
        .expect("set");
    let root = editor.root().expect("sound");
    let value = root.value("empty").expect("sound").expect("there");
    assert_eq!(value.raw().data_size.get(), 0x8000_0000);
    assert_eq!(value.raw().data.get(), 0);
}

#[test]
fn minor_version_3_keeps_long_data_in_one_cell() {
    let mut editor = editor(3);
    editor
        .set_value("", "v", ValueType::BINARY, &[7; 50_000])
        .expect("set");
    assert!(matches!(place(&editor, "", "v"), DataPlace::Cell(..)));
}

#[test]
fn equal_data_change_nothing() {
    let mut editor = editor(5);
    editor
        .set_value("", "v", ValueType::DWORD, &[1, 0, 0, 0])
        .expect("set");
    let before = editor.heap.image.file().to_vec();
    let again = editor.set_value("", "V", ValueType::DWORD, &[1, 0, 0, 0]);
    assert_eq!(again.expect("set"), Outcome::Unchanged);
    assert_eq!(editor.create_key("").expect("root"), Outcome::Unchanged);
    assert_eq!(
        editor.delete_value("", "w").expect("missing"),
        Outcome::Unchanged
    );
    assert_eq!(
        editor.delete_key("no\\such").expect("missing"),
        Outcome::Unchanged
    );
    assert!(before == editor.heap.image.file());
    assert_eq!(editor.changes().len(), 1);
}

/// Other editors never reuse free cells: when one value was set a thousand times, their hive grew
/// from 8 KiB to 4 MB.
#[test]
fn setting_a_value_again_and_again_does_not_grow_the_hive() {
    let mut editor = editor(5);
    for round in 0..1000 {
        editor
            .set_value("", "v", ValueType::BINARY, &[round as u8; 3000])
            .expect("set");
    }
    assert_eq!(bins_len(&editor), 4096);
    for round in 0..200 {
        let len = 17 + (round * 977) % 3500;
        editor
            .set_value("", "v", ValueType::BINARY, &vec![1; len])
            .expect("set");
    }
    assert!(bins_len(&editor) <= 2 * 4096, "{}", bins_len(&editor));
}

#[test]
fn a_wide_key_gets_an_index_root_and_shrinks_back_to_no_list() {
    let mut editor = editor(5);
    for number in 0..3000 {
        editor
            .create_key(&format!("wide\\{:04}", (number * 7) % 3000))
            .expect("created");
    }
    {
        let key = editor.key("wide").expect("sound").expect("there");
        let list = key.subkey_list().expect("sound").expect("a list");
        let SubkeyList::Root { leaves, .. } = list else {
            panic!("3000 subkeys need an index root");
        };
        assert!(leaves.len() >= 3);
        let names: Vec<_> = key
            .subkeys()
            .expect("sound")
            .map(|key| key.expect("sound").name().to_string())
            .collect();
        assert_eq!(
            names,
            (0..3000).map(|n| format!("{n:04}")).collect::<Vec<_>>()
        );
    }
    for number in 0..3000 {
        let path = format!("wide\\{:04}", (number * 11) % 3000);
        assert_eq!(editor.delete_key(&path).expect("deleted"), Outcome::Changed);
    }
    let key = editor.key("wide").expect("sound").expect("there");
    assert_eq!(key.node().subkey_count.get(), 0);
    assert_eq!(key.node().subkey_list.get(), u32::MAX);
}

/// Each deletion once read half of the list to find the entry of the key.
#[test]
fn deleting_from_a_wide_key_is_about_as_much_work_as_adding_to_it() {
    const SUBKEYS: usize = 6_000;
    const CHANGES: usize = 200;
    let mut editor = editor(5);
    for number in 0..SUBKEYS {
        editor
            .create_key(&format!("wide\\{number:05}"))
            .expect("created");
    }
    // The keys are spread over the whole list, in no order.
    let scattered = |number: usize| (number * 7919) % CHANGES * (SUBKEYS / CHANGES);
    let mut adding = 0;
    for number in 0..CHANGES {
        let path = format!("wide\\{:05} new", scattered(number));
        adding += steps_of(|| {
            assert_eq!(editor.create_key(&path).expect("created"), Outcome::Changed);
        });
    }
    let mut deleting = 0;
    for number in 0..CHANGES {
        let path = format!("wide\\{:05}", scattered(number));
        deleting += steps_of(|| {
            assert_eq!(editor.delete_key(&path).expect("deleted"), Outcome::Changed);
        });
    }
    let mut edited = None;
    deleting += steps_of(|| edited = Some(editor.finish().expect("finished")));
    let report = crate::check::check(edited.expect("finished").hive());
    assert_eq!(report.problems, []);
    assert_eq!(report.content.keys, SUBKEYS + 2);
    // Each deletion also looks up how the key's name is stored, for the undo.
    assert!(deleting <= 3 * adding, "{deleting} steps against {adding}");
}

#[test]
fn a_fast_leaf_becomes_an_index_leaf_past_its_limit() {
    let mut editor = editor(3);
    for number in 0..=ListHeader::MAX_FAST {
        editor.create_key(&format!("{number:04}")).expect("created");
    }
    let root = editor.root().expect("sound");
    let list = root.subkey_list().expect("sound").expect("a list");
    let SubkeyList::Leaf(leaf) = list else {
        panic!("one leaf is enough");
    };
    assert_eq!(leaf.kind, crate::list::LeafKind::Index);
}

#[test]
fn new_keys_share_the_parents_security_cell_and_count_it() {
    let mut editor = editor(5);
    editor.create_key("a\\b\\c").expect("created");
    let count = |editor: &Editor| {
        let root = editor.root().expect("sound");
        let at = CellOffset::new(root.node().security.get());
        let (raw, _) = editor
            .heap
            .bins()
            .structure::<KeySecurity>(at, "security cell")
            .expect("sound");
        raw.reference_count.get()
    };
    assert_eq!(count(&editor), 4);
    editor.delete_key("a\\b").expect("deleted");
    assert_eq!(count(&editor), 2);
}

/// A program that adds keys without counting them leaves a reference count that is too low.
/// Deleting such keys must not free a security cell that other keys still use.
#[test]
fn a_security_cell_in_use_is_not_freed_when_its_count_is_too_low() {
    let mut editor = editor(5);
    editor.create_key("a").expect("created");
    editor.create_key("b").expect("created");
    let at = CellOffset::new(editor.root().expect("sound").node().security.get());
    editor
        .heap
        .update(at, "security cell", |cell: &mut KeySecurity| {
            cell.reference_count = 1.into();
        })
        .expect("patched");
    editor.delete_key("a").expect("deleted");
    let edited = editor.finish().expect("finished").hive;
    let root = edited.root().expect("sound");
    assert_eq!(root.security_descriptor().expect("kept"), DESCRIPTOR);
    let (raw, _) = edited
        .bins()
        .structure::<KeySecurity>(at, "security cell")
        .expect("sound");
    assert_eq!(raw.reference_count.get(), 2);
}

#[test]
fn times_and_maxima_follow_the_change() {
    let mut editor = editor(5);
    editor.create_key("a\\longer name").expect("created");
    editor
        .set_value("a", "val", ValueType::BINARY, &[0; 100])
        .expect("set");
    editor
        .set_value("a", "val", ValueType::BINARY, &[0; 10])
        .expect("set");
    let key = editor.key("a").expect("sound").expect("there");
    assert_eq!(key.node().max_subkey_name_len.get(), 22);
    assert_eq!(key.node().max_value_name_len.get(), 6);
    assert_eq!(key.node().max_value_data_len.get(), 100);
    assert_eq!(key.node().last_written.get(), NOW.0);
}

#[test]
fn a_refused_edit_changes_nothing() {
    let mut editor = editor(5);
    assert!(matches!(
        editor.set_value("missing", "v", ValueType::SZ, &[]),
        Err(EditError::NoSuchKey { .. })
    ));
    assert!(matches!(
        editor.delete_key(""),
        Err(EditError::NotDeletable { .. })
    ));
    assert!(matches!(
        editor.create_key(&"x".repeat(256)),
        Err(EditError::Name { .. })
    ));
    let deep = vec!["k"; MAX_DEPTH + 1].join("\\");
    assert!(matches!(
        editor.create_key(&deep),
        Err(EditError::TooDeep { .. })
    ));
    assert!(editor.finish().is_ok());
}

#[test]
fn after_a_failed_edit_nothing_is_handed_out() {
    let mut editor = editor(5);
    editor.create_key("a").expect("created");
    let a = editor.key("a").expect("sound").expect("there").cell();
    editor.heap.write(a, 0, b"xx").expect("spoiled");
    assert!(matches!(
        editor.create_key("a\\b"),
        Err(EditError::Corrupt(_))
    ));
    assert!(matches!(editor.create_key("c"), Err(EditError::Poisoned)));
    assert!(matches!(editor.finish(), Err(EditError::Poisoned)));
}

/// Each deletion of a key with a security cell of its own once read the whole hive to find out if
/// the cell is still used.
#[test]
fn security_cells_without_a_user_are_freed_after_one_pass_over_the_hive() {
    const KEYS: usize = 500;
    let mut editor = editor(5);
    let shared = CellOffset::new(editor.root().expect("sound").node().security.get());
    for number in 0..KEYS {
        let path = format!("{number:03}");
        editor.create_key(&path).expect("created");
        let key = editor.key(&path).expect("sound").expect("there").cell();
        let own = security_after(&mut editor.heap, shared);
        let point = |node: &mut KeyNode| node.security = own.get().into();
        editor.heap.update(key, "key node", point).expect("pointed");
        security::release(&mut editor.heap, shared).expect("released");
    }
    let steps = steps_of(|| {
        for number in 0..KEYS {
            editor.delete_key(&format!("{number:03}")).expect("deleted");
        }
        let edited = std::mem::replace(&mut editor, super::tests::editor(5)).finish();
        let report = crate::check::check(&edited.expect("finished").hive);
        assert_eq!(report.problems, []);
        assert_eq!(report.content.security_cells, 1);
    });
    assert!(steps < 60 * KEYS, "{steps} steps");
}

/// Inserts a copy of a security cell behind it into the ring, with one user.
fn security_after(heap: &mut Heap, at: CellOffset) -> CellOffset {
    let copy = heap.bins().cell(at).expect("sound").to_vec();
    let own = heap.store(&copy).expect("stored");
    let mut next = CellOffset::NIL;
    let link = |cell: &mut KeySecurity| {
        next = CellOffset::new(cell.flink.get());
        cell.flink = own.get().into();
    };
    heap.update(at, "security cell", link).expect("linked");
    let link = |cell: &mut KeySecurity| cell.blink = own.get().into();
    heap.update(next, "security cell", link).expect("linked");
    let links = |cell: &mut KeySecurity| {
        cell.flink = next.get().into();
        cell.blink = at.get().into();
        cell.reference_count = 1.into();
    };
    heap.update(own, "security cell", links).expect("linked");
    own
}

/// After any edits, the map of free cells is equal to one that is made anew.
#[test]
fn the_map_of_free_cells_follows_every_change() {
    let mut heap = editor(5).heap;
    let mut state = 1_u64;
    let mut random = |below: usize| {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1);
        (state >> 33) as usize % below
    };
    let mut cells = Vec::new();
    for round in 0..3000 {
        let len = [20, 300, 4000, 9000][random(4)] + random(100);
        match random(3) {
            0 if !cells.is_empty() => {
                let cell = cells.swap_remove(random(cells.len()));
                heap.free(cell).expect("freed");
            }
            1 if !cells.is_empty() => {
                heap.resize(cells[random(cells.len())], len)
                    .map(drop)
                    .expect("tried");
            }
            _ if cells.len() > 100 => heap.free(cells.remove(0)).expect("freed"),
            _ => cells.push(heap.allocate(len).expect("allocated")),
        }
        if round % 50 == 0 {
            heap.assert_map_is_right();
        }
    }
}

/// A hive that a later Windows has marked as its own.
fn later_editor() -> Editor {
    let mut hive = Hive::create(5, &DESCRIPTOR, EARLIER).expect("valid descriptor");
    hive.image.base_block_mut().guid_signature = *b"rmtm";
    Editor::new(hive, NOW)
}

fn hashes(editor: &Editor, key: &str) -> Vec<(String, u32)> {
    let key = editor.key(key).expect("sound").expect("there");
    let Some(SubkeyList::Leaf(leaf)) = key.subkey_list().expect("sound") else {
        panic!("one leaf");
    };
    let names = key.subkeys().expect("sound");
    let names = names.map(|key| key.expect("sound").name().to_string());
    names
        .zip((0..leaf.len()).filter_map(|at| leaf.hash(at)))
        .collect()
}

/// Windows Vista and later upper-case U+0219 to U+0218. Made by the table of Windows XP, a key of
/// that name had the wrong hash and place, so Windows did not find it.
#[test]
fn names_are_hashed_and_ordered_by_the_table_of_the_hives_windows() {
    let names = ["\u{218}b", "\u{219}a", "\u{218}c"];
    let mut later = later_editor();
    let mut early = editor(5);
    for editor in [&mut later, &mut early] {
        for name in names {
            editor.create_key(name).expect("created");
        }
        let upper = editor.key("\u{218}A").expect("sound");
        assert!(upper.is_some(), "found by either case");
        let edited = std::mem::replace(editor, super::tests::editor(5)).finish();
        let hive = edited.expect("finished").hive;
        assert_eq!(crate::check::check(&hive).problems, []);
        *editor = Editor::new(hive, NOW);
    }
    let expected = |order: [usize; 3], upper: u32| -> Vec<(String, u32)> {
        order
            .iter()
            .map(|&at| {
                let first = if at == 1 { upper } else { 0x218 };
                let last = [u32::from(b'B'), u32::from(b'A'), u32::from(b'C')][at];
                (names[at].to_owned(), first * 37 + last)
            })
            .collect()
    };
    assert_eq!(hashes(&later, ""), expected([1, 0, 2], 0x218));
    assert_eq!(hashes(&early, ""), expected([0, 2, 1], 0x219));
}

/// The hashes of a list show which Windows has written it, whoever has loaded the hive since.
#[test]
fn a_list_that_another_windows_has_written_is_continued_in_its_way() {
    let mut early = editor(5);
    early.create_key("\u{219}a").expect("created");
    let mut hive = early.finish().expect("finished").hive;
    hive.image.base_block_mut().guid_signature = *b"rmtm";
    let mut editor = Editor::new(hive, NOW);
    assert_eq!(
        editor.create_key("\u{219}A").expect("there"),
        Outcome::Unchanged
    );
    editor.create_key("\u{21B}").expect("created");
    let wanted = [
        ("\u{219}a".to_owned(), 0x219 * 37 + u32::from(b'A')),
        ("\u{21B}".to_owned(), 0x21B),
    ];
    assert_eq!(hashes(&editor, ""), wanted);
    let hive = editor.finish().expect("finished").hive;
    assert_eq!(crate::check::check(&hive).problems, []);
}
