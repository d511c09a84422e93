//! Reads everything to which the keys of a hive lead, as far as possible.

use diskmend_hive::{Hive, Key};

/// The maximum number of keys that are visited: a hostile hive can list a key any number of times.
const MAX_KEYS: usize = 20_000;

/// Visits keys from the root on. An error only ends its branch.
pub(super) fn walk(hive: &Hive) {
    let mut pending: Vec<Key<'_>> = hive.root().into_iter().collect();
    let mut visited = 0;
    while let Some(key) = pending.pop() {
        visited += 1;
        if visited > MAX_KEYS {
            return;
        }
        read(&key);
        let room = MAX_KEYS.saturating_sub(pending.len());
        if let Ok(subkeys) = key.subkeys() {
            pending.extend(subkeys.take(room).flatten());
        }
    }
}

fn read(key: &Key<'_>) {
    std::hint::black_box(key.class().is_ok());
    std::hint::black_box(key.security_descriptor().is_ok());
    std::hint::black_box(key.name().escaped().to_string());
    let found = key.subkey("ControlSet001").is_ok() && key.value("Start").is_ok();
    std::hint::black_box(found);
    let Ok(values) = key.values() else {
        return;
    };
    for value in values.take(MAX_KEYS).flatten() {
        std::hint::black_box(value.name().escaped().to_string());
        if let Ok(data) = value.data() {
            std::hint::black_box(data.len());
        }
    }
}

/// The paths of some keys, as far as they can be read.
pub(super) fn paths(hive: &Hive, most: usize) -> Vec<String> {
    let mut paths = vec![String::new()];
    let mut pending: Vec<_> = hive
        .root()
        .into_iter()
        .map(|key| (key, String::new()))
        .collect();
    while let Some((key, path)) = pending.pop() {
        let Ok(subkeys) = key.subkeys() else {
            continue;
        };
        for subkey in subkeys.flatten() {
            if paths.len() >= most {
                return paths;
            }
            let path = format!("{path}\\{}", subkey.name());
            paths.push(path.clone());
            pending.push((subkey, path));
        }
    }
    paths
}
