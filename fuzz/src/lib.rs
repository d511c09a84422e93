//! Hostile bytes must never make diskmend panic, hang or use up the memory. Each target is a
//! function over bytes; libFuzzer calls it from a file in `fuzz_targets`.

#![cfg(target_os = "linux")]
#![forbid(unsafe_code)]

mod acl_save;
mod bcd;
mod descriptor;
mod edit;
mod events;
mod forge;
mod hive_input;
mod image;
mod sddl;
mod walk;

use diskmend_hive::reg_file::{Encoding, RegFile, Writer};
use diskmend_hive::{Hive, Logs, Opened, Storage};

pub use acl_save::acl_save;
pub use bcd::bcd;
pub use descriptor::descriptor;
pub use edit::edit;
pub use events::events;
pub use forge::forge;
pub use image::{fat, ntfs_read, ntfs_write, partition, record, vhd, vhdx};
pub use sddl::sddl;

use hive_input::HiveInput;

/// Opens a hive and reads everything to which its keys lead.
pub fn open(data: &[u8]) {
    let [primary, ..] = HiveInput::parse(data).files;
    if let Ok(Opened::Clean(hive)) = diskmend_hive::open(Box::new(primary)) {
        walk::walk(&hive);
    }
}

/// Checks a hive, clean or dirty.
pub fn check(data: &[u8]) {
    let [primary, ..] = HiveInput::parse(data).files;
    if let Some(hive) = settled(primary) {
        let report = diskmend_hive::check::check(&hive);
        // All texts of a report are made from hostile bytes.
        let texts: usize = report.problems.iter().map(|p| p.to_string().len()).sum();
        std::hint::black_box(texts);
    }
}

/// Recovers a hive from its logs, and checks the result.
///
/// # Panics
/// If it is recovered without a log.
pub fn replay(data: &[u8]) {
    let [primary, log1, log2] = HiveInput::parse(data).files;
    let len = primary.len() as u64;
    let Ok(Opened::Dirty(hive)) = diskmend_hive::open(Box::new(primary)) else {
        return;
    };
    let storage = |file| -> Option<&dyn Storage> { Some(file) };
    let Ok(logs) = Logs::read(len, None, storage(&log1), storage(&log2)) else {
        return;
    };
    if let Ok((hive, recovery)) = hive.recover(&logs) {
        assert!(!recovery.applied.is_empty(), "recovered from no log");
        std::hint::black_box(diskmend_hive::check::check(&hive));
        walk::walk(&hive);
    }
}

/// Parses a registry text file. What can be written must read back as the same operations.
///
/// # Panics
/// If it does not.
pub fn reg_file(data: &[u8]) {
    let Ok(file) = RegFile::parse(data) else {
        return;
    };
    let written = || {
        let mut writer = Writer::start(Vec::new(), Encoding::Utf8)?;
        for operation in &file.operations {
            writer.operation(operation)?;
        }
        writer.finish()
    };
    if let Ok(text) = written() {
        let again = RegFile::parse(&text);
        let again = again.map(|file| without_lines(&file));
        assert_eq!(again, Ok(without_lines(&file)), "written and read back");
    }
}

/// Reads bytes as a kind of evidence, which the first byte names.
///
/// # Panics
/// If what is read leads out of the target, or breaks another rule.
pub fn evidence(data: &[u8]) {
    if let Some((kind, data)) = data.split_first() {
        diskmend_repair::read_evidence(*kind, data);
    }
}

/// The operations as text, without line numbers.
fn without_lines(file: &RegFile) -> Vec<String> {
    file.operations
        .iter()
        .map(|operation| {
            let text = format!("{operation:?}");
            let line = format!("line: {} }}", operation.line());
            text.strip_suffix(&line).unwrap_or(&text).to_owned()
        })
        .collect()
}

/// A hive that can be read, clean or dirty.
fn settled(bytes: Vec<u8>) -> Option<Hive> {
    match diskmend_hive::open(Box::new(bytes)).ok()? {
        Opened::Clean(hive) => Some(hive),
        Opened::Dirty(hive) => hive.assume_clean().ok(),
    }
}
