//! The content of a hive as various programs report it.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Context, Result};
use diskmend_hive::reg_file::{Operation, RegFile};

/// Keys by path, and the values of each key by name.
pub(super) type Content = BTreeMap<String, BTreeMap<String, Data>>;

/// Type and bytes of a value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Data {
    pub(super) kind: u32,
    pub(super) bytes: Vec<u8>,
}

/// Reads what a program exported below `prefix`.
pub(super) fn parse(text: &[u8], prefix: &str) -> Result<Content> {
    let file = RegFile::parse(text)?.strip_prefix(prefix)?;
    let mut content = Content::new();
    for operation in file.operations {
        apply(&mut content, &operation);
    }
    Ok(content)
}

/// Changes the content as the operation would change a hive.
pub(super) fn apply(content: &mut Content, operation: &Operation) {
    let path = operation.path().trim_matches('\\').to_owned();
    match operation {
        Operation::CreateKey { .. } => create(content, &path),
        Operation::DeleteKey { .. } => delete_key(content, &path),
        Operation::SetValue {
            name,
            value_type,
            data,
            ..
        } => {
            create(content, &path);
            set(content, &path, name, *value_type, data.clone());
        }
        Operation::DeleteValue { name, .. } => delete_value(content, &path, name),
    }
}

fn create(content: &mut Content, path: &str) {
    let mut end = path.len();
    loop {
        content.entry(path[..end].to_owned()).or_default();
        match path[..end].rfind('\\') {
            Some(separator) => end = separator,
            None => break,
        }
    }
    content.entry(String::new()).or_default();
}

/// Sets a value of a key that exists.
pub(super) fn set(content: &mut Content, path: &str, name: &str, kind: u32, bytes: Vec<u8>) {
    if let Some(values) = content.get_mut(path) {
        values.insert(name.to_owned(), Data { kind, bytes });
    }
}

/// Deletes a value.
pub(super) fn delete_value(content: &mut Content, path: &str, name: &str) {
    if let Some(values) = content.get_mut(path) {
        values.remove(name);
    }
}

/// Deletes a key and everything below it.
pub(super) fn delete_key(content: &mut Content, path: &str) {
    let below = format!("{path}\\");
    content.retain(|key, _| key != path && !key.starts_with(&below));
}

/// The differences in words; empty if both are equal.
pub(super) fn differences(
    ours: &Content,
    theirs: &Content,
    same: impl Fn(&Data, &Data) -> bool,
) -> Vec<String> {
    let mut found = Vec::new();
    let paths: BTreeSet<_> = ours.keys().chain(theirs.keys()).collect();
    for path in paths {
        let (Some(our), Some(their)) = (ours.get(path), theirs.get(path)) else {
            let side = if ours.contains_key(path) {
                "we"
            } else {
                "they"
            };
            found.push(format!("only {side} have the key {path:?}"));
            continue;
        };
        let names: BTreeSet<_> = our.keys().chain(their.keys()).collect();
        for name in names {
            match (our.get(name), their.get(name)) {
                (Some(a), Some(b)) if same(a, b) => {}
                (a, b) => found.push(format!(
                    "{path:?} {name:?}: we have {}, they {}",
                    show(a),
                    show(b)
                )),
            }
        }
    }
    found
}

fn show(data: Option<&Data>) -> String {
    data.map_or_else(
        || "nothing".into(),
        |data| {
            let head = data.bytes.get(..16).unwrap_or(&data.bytes);
            format!("type {} {} bytes {head:02x?}", data.kind, data.bytes.len())
        },
    )
}

/// Reads reged's export. reged does not end the line of a value without data.
pub(super) fn parse_reged(text: &[u8], prefix: &str) -> Result<Content> {
    let mut text = std::str::from_utf8(text)?.replace("\"=hex:\"", "\"=hex:\n\"");
    for kind in 0..=12 {
        let empty = format!("\"=hex({kind:x}):");
        text = text.replace(&format!("{empty}\""), &format!("{empty}\n\""));
    }
    parse(text.as_bytes(), prefix)
}

/// Reads hivexget's output: types are decimal, every number of four bytes is `dword:`, strings end
/// before their terminator, and `str(2):"..."` has escapes.
pub(super) fn parse_hivexget(text: &[u8], prefix: &str) -> Result<Content> {
    let mut lines = Vec::new();
    for line in std::str::from_utf8(text)?.lines() {
        lines.push(without_decimal_type(line)?);
    }
    let mut content = parse(lines.join("\n").as_bytes(), prefix)?;
    for values in content.values_mut() {
        // hivexget writes the default value's name as a literal @.
        if let Some(data) = values.remove("@") {
            values.insert(String::new(), data);
        }
    }
    Ok(content)
}

/// The line with its type in hexadecimal digits, or without the type if it is a string.
fn without_decimal_type(line: &str) -> Result<String> {
    for kind in [2, 6] {
        let mark = format!("\"=str({kind}):\"");
        if let Some((name, text)) = line.split_once(&mark) {
            return Ok(format!("{name}\"=\"{text}"));
        }
    }
    let typed = line
        .split_once("\"=hex(")
        .and_then(|(name, rest)| Some((name, rest.split_once("):")?)));
    match typed {
        Some((name, (kind, bytes))) => {
            let kind: u32 = kind.parse().context("type in decimal")?;
            Ok(format!("{name}\"=hex({kind:x}):{bytes}"))
        }
        None => Ok(line.to_owned()),
    }
}

/// True if hivexget's or reged's notation agrees with the data, as far as the notation can express
/// them.
pub(super) fn agrees_lossy(ours: &Data, theirs: &Data) -> bool {
    const DWORD: u32 = 4;
    const BIG_ENDIAN: u32 = 5;
    match ours.kind {
        DWORD | BIG_ENDIAN if ours.bytes.len() != 4 => true,
        BIG_ENDIAN if theirs.kind == DWORD => ours.bytes.iter().rev().eq(&theirs.bytes),
        // Both programs end strings at the terminator, and don't show if there was one.
        1 | 2 | 6 if ours.bytes.len() % 2 == 1 => true,
        1 | 2 | 6 => text(&ours.bytes) == text(&theirs.bytes),
        _ => ours == theirs,
    }
}

fn text(bytes: &[u8]) -> Vec<u16> {
    let (units, _) = bytes.as_chunks::<2>();
    units
        .iter()
        .map(|unit| u16::from_le_bytes(*unit))
        .take_while(|unit| *unit != 0)
        .collect()
}
