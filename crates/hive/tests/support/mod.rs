//! What the integration tests share: the external corpus.

use std::path::PathBuf;

use diskmend_hive::{Hive, Opened, open};

/// The folder of real hives; without it, prints that the test did not run.
pub(crate) fn corpus(test: &str) -> Option<PathBuf> {
    let folder = std::env::var_os("DISKMEND_CORPUS").map(PathBuf::from);
    if folder.is_none() {
        println!("SKIPPED: {test} needs real hives, DISKMEND_CORPUS is not set");
    }
    folder
}

/// The number of keys and of values below and including the root.
pub(crate) fn count(hive: &Hive) -> (usize, usize) {
    let (mut keys, mut values) = (0, 0);
    let mut stack = vec![hive.root().expect("root key")];
    while let Some(key) = stack.pop() {
        keys += 1;
        values += key.values().expect("value list").count();
        for subkey in key.subkeys().expect("subkey list") {
            stack.push(subkey.expect("subkey"));
        }
    }
    (keys, values)
}

/// Opens a hive that must be dirty.
pub(crate) fn open_dirty(file: Vec<u8>) -> diskmend_hive::DirtyHive {
    match open(Box::new(file)).expect("opens") {
        Opened::Dirty(hive) => hive,
        Opened::Clean(_) => panic!("the hive is clean"),
    }
}
