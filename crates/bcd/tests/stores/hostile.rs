//! Damaged stores: every result is a value or an error, quickly and with little memory.

use diskmend_bcd::check::check;
use diskmend_bcd::loader::{self, Wanted};
use diskmend_bcd::text::{Document, TextError};
use diskmend_bcd::{
    Change, Guid, Listing, MAX_ELEMENTS, MAX_OBJECTS, Store, StoreError, inherit, well_known,
};
use diskmend_hive::{Editor, Filetime, Hive, Opened, ValueType, open};

use crate::support::{LOADER, clean, empty, file_of, generated, real_stores, serial_console};

/// A sequence of numbers from a seed (SplitMix64).
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    fn below(&mut self, limit: usize) -> usize {
        usize::try_from(self.next() % limit as u64).unwrap()
    }
}

/// Opens bytes as a hive, whatever its sequence numbers and checksum are.
fn any_hive(bytes: Vec<u8>) -> Option<Hive> {
    match open(Box::new(bytes)).ok()? {
        Opened::Clean(hive) => Some(hive),
        Opened::Dirty(hive) => hive.assume_clean().ok(),
    }
}

/// Uses every function of the library on a hive. Returns true if it is still a store.
fn exercise(bytes: &[u8]) -> bool {
    let Some(hive) = any_hive(bytes.to_vec()) else {
        return false;
    };
    let Ok(root) = hive.root() else {
        return false;
    };
    let _ = check(root).problems.iter().map(ToString::to_string).count();
    if let Ok(document) = Document::export(&root) {
        let text = document.to_string();
        match Document::parse(&text) {
            Ok(read) => assert!(read == document),
            // A hive can contain names that no registry editor can create.
            Err(error) => assert!(error.problem.contains("key name"), "{error}"),
        }
    }
    let Ok(store) = Store::open(&hive) else {
        return false;
    };
    if let Ok(listing) = Listing::new(&store, false) {
        let _ = listing.to_string();
    }
    let wanted = Wanted {
        system_root: "\\Windows".into(),
        ..Wanted::default()
    };
    let loader = match loader::find(&store, &wanted) {
        Ok(found) => found.loader.guid,
        Err(error) => {
            let _ = error.to_string();
            LOADER
        }
    };
    let _ = inherit::precedence(&store, well_known::BOOTMGR);
    let mut changes = serial_console(loader);
    changes.push(Change::CopyObject {
        from: loader,
        to: Guid::new(9, 9, 9, [9; 8]),
        description: None,
    });
    changes.push(Change::DeleteObject {
        object: loader,
        references: true,
    });
    for change in &changes {
        let _ = change.edits(&store);
    }
    let Some(hive) = any_hive(bytes.to_vec()) else {
        return false;
    };
    let mut editor = Editor::new(hive, Filetime(1));
    for change in &changes {
        let _ = change.apply(&mut editor);
    }
    true
}

fn mutate(bytes: &mut [u8], random: &mut Random) {
    for _ in 0..=random.below(8) {
        let at = random.below(bytes.len());
        match random.below(4) {
            0 => bytes[at] = [0, 1, 0x7f, 0x80, 0xff][random.below(5)],
            1 => bytes[at] ^= 1 << random.below(8),
            // Replacing a cell's offset by another causes cycles and shared keys.
            2 => {
                let from = random.below(bytes.len() - 4);
                let word: [u8; 4] = bytes[from..from + 4].try_into().unwrap();
                let at = at.min(bytes.len() - 4);
                bytes[at..at + 4].copy_from_slice(&word);
            }
            _ => {
                let at = at.min(bytes.len() - 4);
                let word = u32::from_le_bytes(bytes[at..at + 4].try_into().unwrap());
                let word = word.wrapping_add(random.below(17) as u32).wrapping_sub(8);
                bytes[at..at + 4].copy_from_slice(&word.to_le_bytes());
            }
        }
    }
}

#[test]
fn no_mutation_of_a_store_panics_or_hangs() {
    let mut stores = vec![file_of(generated())];
    stores.extend(
        real_stores("mutating real stores")
            .into_iter()
            .map(|real| real.bytes),
    );
    let mut random = Random(0x00d1_5c3e);
    let mut still_stores = 0;
    const ROUNDS: usize = 1000;
    for round in 0..ROUNDS {
        let mut bytes = stores[round % stores.len()].clone();
        mutate(&mut bytes, &mut random);
        still_stores += usize::from(exercise(&bytes));
    }
    assert!(
        still_stores > ROUNDS / 4,
        "{still_stores} of {ROUNDS}: the mutations must reach the library"
    );
}

/// Writes the subkey list of one key into another key, so that both have the same subkeys.
fn share_subkeys(bytes: &mut [u8], path: &str, from: &str) {
    let hive = clean(bytes.to_vec());
    let node = |path: &str| hive.key(path).unwrap().unwrap();
    let source = node(from);
    let at = node(path).cell().get() as usize + 4096 + 4;
    let count = source.node().subkey_count.get();
    let list = source.node().subkey_list.get();
    // Key node: number of subkeys at 20, their list at 28 (regf spec, Key node).
    bytes[at + 20..at + 24].copy_from_slice(&count.to_le_bytes());
    bytes[at + 28..at + 32].copy_from_slice(&list.to_le_bytes());
}

#[test]
fn a_key_that_contains_itself_is_an_error() {
    let mut bytes = file_of(generated());
    share_subkeys(&mut bytes, &format!("Objects\\{LOADER}\\Elements"), "");
    let hive = clean(bytes.clone());
    assert!(matches!(
        Document::export(&hive.root().unwrap()),
        Err(TextError::TooMany { .. })
    ));
    assert!(!check(hive.root().unwrap()).is_sound());
    assert!(exercise(&bytes));
}

#[test]
fn objects_that_share_many_elements_are_not_all_read() {
    let mut editor = empty();
    let first = Guid::new(0, 0, 0, [0; 8]);
    let elements = format!("Objects\\{first}\\Elements");
    for number in 0..2000u32 {
        let path = format!("{elements}\\14{number:06x}");
        editor.create_key(&path).unwrap();
        let data = vec![b'{'; 12_000];
        if number == 0 {
            editor
                .set_value(&path, "Element", ValueType::MULTI_SZ, &data)
                .unwrap();
        }
    }
    for number in 1..200 {
        let guid = Guid::new(number, 0, 0, [0; 8]);
        editor
            .create_key(&format!("Objects\\{guid}\\Elements"))
            .unwrap();
    }
    let mut bytes = file_of(editor);
    for number in 1..200 {
        let guid = Guid::new(number, 0, 0, [0; 8]);
        share_subkeys(&mut bytes, &format!("Objects\\{guid}\\Elements"), &elements);
    }
    let hive = clean(bytes);
    let store = Store::open(&hive).unwrap();
    assert!(matches!(
        Listing::new(&store, false),
        Err(StoreError::TooMany { .. })
    ));
    let report = check(hive.root().unwrap());
    assert!(report.elements <= 1 << 18, "{}", report.elements);
    assert!(!report.is_sound());
}

#[test]
fn more_objects_or_elements_than_any_store_has_are_an_error() {
    let mut editor = empty();
    for number in 0..=MAX_OBJECTS as u32 {
        let guid = Guid::new(number, 0, 0, [0; 8]);
        editor.create_key(&format!("Objects\\{guid}")).unwrap();
    }
    let store = Store::new(editor.root().unwrap()).unwrap();
    let last = store.objects().unwrap().last().unwrap();
    assert_eq!(
        last.err().unwrap().to_string(),
        format!("more than {MAX_OBJECTS} objects")
    );
    assert!(loader::loaders(&store).is_err());

    let mut editor = empty();
    let guid = Guid::new(1, 0, 0, [0; 8]);
    for number in 0..=MAX_ELEMENTS {
        let path = format!("Objects\\{guid}\\Elements\\{number:08x}");
        editor.create_key(&path).unwrap();
    }
    let store = Store::new(editor.root().unwrap()).unwrap();
    let object = store.object(guid).unwrap().unwrap();
    let last = object.elements().unwrap().last().unwrap();
    assert_eq!(
        last.err().unwrap().to_string(),
        format!("more than {MAX_ELEMENTS} elements")
    );
}

#[test]
fn data_longer_than_any_element_has_are_not_read_but_exported() {
    let mut editor = generated();
    let path = format!("Objects\\{LOADER}\\Elements\\12000030");
    editor.create_key(&path).unwrap();
    let long = vec![0x20; 100_000];
    editor
        .set_value(&path, "Element", ValueType::SZ, &long)
        .unwrap();
    let report = check(editor.root().unwrap());
    let problems: Vec<String> = report.problems.iter().map(ToString::to_string).collect();
    assert_eq!(
        problems,
        [format!("Objects\\{LOADER}: element 12000030 of {LOADER}")]
    );
    let document = Document::export(&editor.root().unwrap()).unwrap();
    let mut copy = empty();
    document.import(&mut copy).unwrap();
    let key = copy.key(&path).unwrap().unwrap();
    let value = key.value("Element").unwrap().unwrap();
    assert_eq!(value.data().unwrap(), long);
}
