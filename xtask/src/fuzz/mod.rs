//! Fuzzing: what hostile bytes must never do is panic, hang or take all memory.
//!
//! The entry points are plain functions over bytes. `cargo xtask fuzz` runs them on stable Rust
//! over mutated fixtures for a bounded time; the `fuzz` folder runs the same functions under
//! libFuzzer.

mod acl_save;
mod acl_seeds;
mod bcd;
mod descriptor;
mod edit;
#[cfg(target_os = "linux")]
mod forge;
mod image;
mod mutate;
mod mutate_short;
mod runner;
mod sddl;
mod seeds;
mod target;
mod walk;
mod watchdog;

use diskmend_hive::reg_file::{Encoding, RegFile, Writer};
use diskmend_hive::{Hive, Logs, Opened, Storage};

pub use acl_save::acl_save;
pub use bcd::bcd;
pub use descriptor::descriptor;
pub use edit::edit;
#[cfg(target_os = "linux")]
pub use forge::forge;
pub use image::{fat, ntfs_read, ntfs_write, partition, record, vhd, vhdx};
pub use runner::{Options, run, write_corpus};
pub use sddl::sddl;
pub use target::Target;

use crate::memory_file::MemoryFile;

/// Opens a hive and reads all that its keys lead to.
pub fn open(data: &[u8]) {
    if let Ok(Opened::Clean(hive)) = diskmend_hive::open(Box::new(data.to_vec())) {
        walk::walk(&hive);
    }
}

/// Checks a hive, as clean as it claims to be or not.
pub fn check(data: &[u8]) {
    if let Some(hive) = settled(data) {
        let report = diskmend_hive::check::check(&hive);
        // All texts of a report are made from hostile bytes.
        let texts: usize = report.problems.iter().map(|p| p.to_string().len()).sum();
        std::hint::black_box(texts);
    }
}

/// Recovers a hive from its logs, and checks what comes of it. The input is as [`join`] makes it.
pub fn replay(data: &[u8]) {
    let [primary, log1, log2] = split(data);
    let Ok(Opened::Dirty(hive)) = diskmend_hive::open(Box::new(primary.to_vec())) else {
        return;
    };
    let log1 = MemoryFile::new(log1.to_vec());
    let log2 = MemoryFile::new(log2.to_vec());
    let storage = |file| -> Option<&dyn Storage> { Some(file) };
    let len = primary.len() as u64;
    let Ok(logs) = Logs::read(len, None, storage(&log1), storage(&log2)) else {
        return;
    };
    if let Ok((hive, recovery)) = hive.recover(&logs) {
        assert!(!recovery.applied.is_empty(), "recovered from no log");
        std::hint::black_box(diskmend_hive::check::check(&hive));
        walk::walk(&hive);
    }
}

/// Parses a registry text file; what can be written must read back as the same operations.
///
/// # Panics
/// Where it does not.
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

/// The operations as text, without the lines they come from.
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

fn settled(data: &[u8]) -> Option<Hive> {
    match diskmend_hive::open(Box::new(data.to_vec())).ok()? {
        Opened::Clean(hive) => Some(hive),
        Opened::Dirty(hive) => hive.assume_clean().ok(),
    }
}

/// Three files as one input: the lengths of the first two, then all bytes.
#[must_use]
pub fn join(primary: &[u8], log1: &[u8], log2: &[u8]) -> Vec<u8> {
    let mut data = Vec::new();
    for file in [primary, log1] {
        data.extend((file.len() as u32).to_le_bytes());
    }
    for file in [primary, log1, log2] {
        data.extend_from_slice(file);
    }
    data
}

fn split(data: &[u8]) -> [&[u8]; 3] {
    let Some((lengths, bytes)) = data.split_first_chunk::<8>() else {
        return [data, &[], &[]];
    };
    let [a, b, c, d, e, f, g, h] = *lengths;
    let primary = u32::from_le_bytes([a, b, c, d]) as usize;
    let log1 = u32::from_le_bytes([e, f, g, h]) as usize;
    let (primary, rest) = bytes.split_at(primary.min(bytes.len()));
    let (log1, log2) = rest.split_at(log1.min(rest.len()));
    [primary, log1, log2]
}
