mod faults;
mod hostile;
mod parallel;

use std::collections::BTreeSet;

use super::*;
use crate::edit::Editor;
use crate::hive::{Opened, open};
use crate::offset::BASE_BLOCK_LEN;
use crate::time::Filetime;
use crate::value_type::ValueType;

/// A security descriptor without owner, group and lists (MS-DTYP 2.4.6).
const DESCRIPTOR: [u8; 20] = [
    1, 0, 0, 0x80, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
];

const NOW: Filetime = Filetime(0x01DA_0000_0000_0000);

/// The bytes of a hive, to be damaged.
struct Bytes(Vec<u8>);

impl Bytes {
    /// A hive with some keys, with values that store their data in each way, and with a free last
    /// bin.
    fn sample() -> Self {
        let mut bytes = Self::edited(|editor| {
            for path in ["A\\sub", "B", "C", "\u{414}"] {
                editor.create_key(path).expect("created");
            }
            let values: [(&str, usize); 6] = [
                ("", 2),
                ("one", 4),
                ("two", 100),
                ("\u{414}", 8),
                ("big", 20_000),
                ("none", 0),
            ];
            for (name, len) in values {
                editor
                    .set_value("A", name, ValueType::BINARY, &vec![0xAB; len])
                    .expect("set");
            }
        });
        bytes.add_free_bin();
        bytes
    }

    fn edited(edit: impl FnOnce(&mut Editor)) -> Self {
        let hive = Hive::create(5, &DESCRIPTOR, NOW).expect("created");
        let mut editor = Editor::new(hive, NOW);
        edit(&mut editor);
        let edited = editor.finish().expect("finished");
        Self(edited.hive().image().file().to_vec())
    }

    fn hive(&self) -> Hive {
        match open(Box::new(self.0.clone())).expect("a hive") {
            Opened::Clean(hive) => hive,
            Opened::Dirty(dirty) => dirty.assume_clean().expect("a hive"),
        }
    }

    fn check(&self) -> Report {
        check_with(&self.hive(), 1)
    }

    fn bins_len(&self) -> usize {
        self.hive().image().bins_len()
    }

    /// Adds a bin with one free cell; returns the cell's offset.
    fn add_free_bin(&mut self) -> u32 {
        self.add_bin(4096)
    }

    /// Adds a bin of `len` bytes with one free cell; returns the cell's offset.
    fn add_bin(&mut self, len: u32) -> u32 {
        let at = self.bins_len() as u32;
        let end = BASE_BLOCK_LEN + at as usize;
        self.0.resize(end, 0);
        self.0.extend(b"hbin");
        self.0.extend(at.to_le_bytes());
        self.0.extend(len.to_le_bytes());
        self.0.resize(end + 32, 0);
        self.0.extend((len - 32).to_le_bytes());
        self.0.resize(end + len as usize, 0);
        self.0[40..44].copy_from_slice(&(at + len).to_le_bytes());
        at + 32
    }

    /// The free cell of the last bin.
    fn free(&self) -> u32 {
        self.bins_len() as u32 - 4096 + 32
    }

    fn key(&self, path: &str) -> u32 {
        let hive = self.hive();
        let key = hive.key(path).expect("readable").expect("there");
        key.cell().get()
    }

    fn value(&self, name: &str) -> u32 {
        let hive = self.hive();
        let key = hive.key("A").expect("readable").expect("there");
        let value = key.value(name).expect("readable").expect("there");
        value.cell().get()
    }

    /// The number at `field` of the payload of the cell at `cell`.
    fn number(&self, cell: u32, field: usize) -> u32 {
        let at = BASE_BLOCK_LEN + cell as usize + 4 + field;
        u32::from_le_bytes(self.0[at..at + 4].try_into().expect("four bytes"))
    }

    fn put(&mut self, cell: u32, field: usize, bytes: &[u8]) {
        let at = BASE_BLOCK_LEN + cell as usize + 4 + field;
        self.0[at..at + bytes.len()].copy_from_slice(bytes);
    }

    fn put_number(&mut self, cell: u32, field: usize, number: u32) {
        self.put(cell, field, &number.to_le_bytes());
    }

    /// Sets a cell's size field.
    fn resize_cell(&mut self, cell: u32, size: i32) {
        let at = BASE_BLOCK_LEN + cell as usize;
        self.0[at..at + 4].copy_from_slice(&size.to_le_bytes());
    }
}

fn kinds(report: &Report) -> BTreeSet<ProblemKind> {
    report.problems.iter().map(|problem| problem.kind).collect()
}

#[test]
fn a_new_and_an_edited_hive_are_without_a_problem() {
    let empty = Bytes::edited(|_| {}).check();
    assert_eq!(empty.problems, []);
    assert_eq!((empty.content.keys, empty.content.security_cells), (1, 1));
    let sample = Bytes::sample().check();
    assert_eq!(sample.problems, []);
    assert_eq!((sample.content.keys, sample.content.values), (6, 6));
}

#[test]
fn the_table_in_the_documentation_lists_every_kind_of_problem() {
    let documentation = include_str!("mod.rs");
    for kind in ProblemKind::ALL {
        let row = format!("//! | `{kind}` | {} |", kind.severity());
        assert!(documentation.contains(&row), "no row {row}");
    }
}

#[test]
fn a_problem_is_shown_in_one_line_with_place_and_key() {
    let mut bytes = Bytes::sample();
    let key = bytes.key("A\\sub");
    bytes.put_number(key, 16, 0x1234);
    let report = bytes.check();
    let parent = bytes.key("A");
    let offset = CellOffset::new(key).in_file();
    assert_eq!(
        report.problems[0].to_string(),
        format!(
            "error key-parent at {offset} in A\\sub: expected parent {parent:#x}, found 0x1234"
        )
    );
}

#[test]
fn a_root_key_is_shown_as_a_backslash() {
    let mut bytes = Bytes::sample();
    let root = bytes.key("");
    bytes.put(root, 2, &[0x20]);
    assert_eq!(bytes.check().problems[0].path.as_deref(), Some("\\"));
}
