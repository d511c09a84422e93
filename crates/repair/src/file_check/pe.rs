//! The headers of a PE file: a program, a library or a driver.

use std::fmt;

use diskmend_disk::File;

/// The machine that a PE file is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Machine(u16);

/// The machines that Windows runs on.
const MACHINES: [(u16, &str); 4] = [
    (0x14c, "x86"),
    (0x8664, "x64"),
    (0xaa64, "ARM64"),
    (0x1c4, "ARM"),
];
/// The greatest number of sections that Windows loads.
const MAX_SECTIONS: u16 = 96;
const SECTION_LEN: u64 = 40;
/// Bytes of the optional header up to the directories, for 32 and 64 bits.
const DIRECTORIES: [(u16, u64); 2] = [(0x10b, 96), (0x20b, 112)];
/// The directory with the place of the file's signature.
const SIGNATURE: u64 = 4;

impl fmt::Display for Machine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match MACHINES.iter().find(|(number, _)| *number == self.0) {
            Some((_, name)) => f.write_str(name),
            None => write!(f, "machine {:#06x}", self.0),
        }
    }
}

/// The machine, if the headers are sound and everything that they name is in the file.
///
/// # Errors
/// What is wrong, for display.
pub(super) fn machine(file: &dyn File) -> Result<Machine, String> {
    let len = file.len().map_err(|error| error.to_string())?;
    if len == 0 {
        return Err(super::EMPTY.to_owned());
    }
    let headers = headers(file, len)?;
    let machine = Machine(u16_at(file, headers + 4)?);
    if !MACHINES.iter().any(|(number, _)| *number == machine.0) {
        return Err(format!("it is for {machine}, which Windows doesn't run on"));
    }
    let sections = u16_at(file, headers + 6)?;
    if sections == 0 || sections > MAX_SECTIONS {
        return Err(format!("it states {sections} sections"));
    }
    let optional_len = u64::from(u16_at(file, headers + 20)?);
    let optional = headers + 24;
    let magic = u16_at(file, optional)?;
    let Some((_, directories)) = DIRECTORIES.iter().find(|(known, _)| *known == magic) else {
        return Err(format!("its optional header states the kind {magic:#x}"));
    };
    let headers_len = u64::from(u32_at(file, optional + 60)?);
    within("its headers", headers_len, len)?;
    let count = u64::from(u32_at(file, optional + directories - 4)?);
    let signature = directories + SIGNATURE * 8;
    if count > SIGNATURE && signature + 8 <= optional_len {
        let at = u64::from(u32_at(file, optional + signature)?);
        let size = u64::from(u32_at(file, optional + signature + 4)?);
        within("its signature", at + size, len)?;
    }
    for number in 0..u64::from(sections) {
        let section = optional + optional_len + number * SECTION_LEN;
        let size = u64::from(u32_at(file, section + 16)?);
        let at = u64::from(u32_at(file, section + 20)?);
        if size > 0 {
            within("a section", at + size, len)?;
        }
    }
    Ok(machine)
}

/// The machine that a file states, if it begins like a PE file, even if it is damaged.
pub(super) fn stated_machine(file: &dyn File) -> Option<Machine> {
    let headers = headers(file, file.len().ok()?).ok()?;
    let machine = u16_at(file, headers + 4).ok()?;
    let known = MACHINES.iter().any(|(number, _)| *number == machine);
    known.then_some(Machine(machine))
}

/// The offset of the headers.
fn headers(file: &dyn File, len: u64) -> Result<u64, String> {
    if bytes(file, 0)? != *b"MZ" {
        return Err("it does not begin with MZ".to_owned());
    }
    let headers = u64::from(u32_at(file, 0x3c)?);
    within("its headers", headers, len)?;
    if bytes(file, headers)? != *b"PE\0\0" {
        return Err(format!("no PE header at the offset {headers:#x}"));
    }
    Ok(headers)
}

fn within(what: &str, end: u64, len: u64) -> Result<(), String> {
    if end > len {
        return Err(format!(
            "{what} would end at byte {end}, and the file has {len}"
        ));
    }
    Ok(())
}

fn bytes<const N: usize>(file: &dyn File, at: u64) -> Result<[u8; N], String> {
    let mut read = [0; N];
    match file.read_exact_at(&mut read, at) {
        Ok(()) => Ok(read),
        Err(error) => Err(format!("the bytes at {at:#x} can't be read: {error}")),
    }
}

fn u16_at(file: &dyn File, at: u64) -> Result<u16, String> {
    bytes(file, at).map(u16::from_le_bytes)
}

fn u32_at(file: &dyn File, at: u64) -> Result<u32, String> {
    bytes(file, at).map(u32::from_le_bytes)
}
