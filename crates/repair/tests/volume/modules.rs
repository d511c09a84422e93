//! The order of the crate's modules.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

/// The production code of a file, without comments.
fn code(file: &Path) -> String {
    let text = std::fs::read_to_string(file).expect("a source file");
    let (code, _) = text
        .split_once("#[cfg(test)]\nmod tests {")
        .unwrap_or((&text, ""));
    let lines = code.lines().map(|line| line.split("//").next());
    lines.flatten().collect::<Vec<_>>().join("\n")
}

/// Adds the production code of a file or folder to `all`.
fn collect(path: &Path, all: &mut String) {
    if path.is_dir() {
        for entry in path.read_dir().expect("a folder") {
            collect(&entry.expect("an entry").path(), all);
        }
    } else if path.extension().is_some_and(|end| end == "rs") && !path.ends_with("tests.rs") {
        all.push_str(&code(path));
    }
}

/// The words that follow `crate::`.
fn after_crate(code: &str) -> impl Iterator<Item = &str> {
    code.split("crate::").skip(1).map(|rest| {
        let end = rest.find(|c: char| !c.is_alphanumeric() && c != '_');
        rest.split_at(end.unwrap_or(rest.len())).0
    })
}

/// The modules that the names of the crate's root come from.
fn exported(root: &str) -> BTreeMap<&str, &str> {
    let uses = root.split("pub use ").skip(1);
    let mut names = BTreeMap::new();
    for (module, rest) in uses.filter_map(|text| text.split_once(';')?.0.split_once("::")) {
        let words = rest.split(|c: char| !c.is_alphanumeric() && c != '_');
        names.extend(words.map(|name| (name, module)));
    }
    names
}

/// A newcomer can read the modules from the first to the last, and none has to be read twice.
#[test]
fn modules_depend_in_one_direction() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let root = code(&folder.join("lib.rs"));
    let exported = exported(&root);
    let mut codes: BTreeMap<String, String> = BTreeMap::new();
    for entry in folder.read_dir().expect("a folder") {
        let path = entry.expect("an entry").path();
        let name = path.file_stem().expect("a name").to_string_lossy();
        if !matches!(name.as_ref(), "lib" | "engine_tests") {
            collect(&path, codes.entry(name.into_owned()).or_default());
        }
    }
    let mut left: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for (module, code) in &codes {
        let names = after_crate(code);
        let names = names.map(|name| exported.get(name).copied().unwrap_or(name));
        let used = names.filter(|name| name != module && codes.contains_key(*name));
        left.insert(module, used.collect());
    }
    assert!(left["changes"].contains("session") && left["session"].contains("run"));
    loop {
        // A module of a circle uses one that is left, and is used by one.
        let users: BTreeSet<&str> = left.keys().copied().collect();
        let used: BTreeSet<&str> = left.values().flatten().copied().collect();
        let before = left.len();
        left.retain(|module, uses| used.contains(module) && !uses.is_disjoint(&users));
        if left.len() == before {
            break;
        }
    }
    assert_eq!(left, BTreeMap::new(), "these depend on each other");
}
