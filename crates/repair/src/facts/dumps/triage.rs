//! The list of drivers in a minidump of the kernel, a "triage dump": `TRIAGE_DUMP64` or
//! `TRIAGE_DUMP32` behind the header, `DUMP_DRIVER_ENTRY` for each driver, and names as `DUMP_STRING`.
//!
//! All offsets in the dump are from its start. Other kinds of dumps hold memory instead of a list.

use std::io;

use diskmend_base::Storage;
use diskmend_base::bytes::{u32_at, u64_at};
use diskmend_base::count::{to_u64, to_usize};
use diskmend_base::utf16::whole_units;

use super::header::{Header, Width};

/// The number at `ValidOffset`.
const VALID: u32 = u32::from_le_bytes(*b"TRGD");
/// The length of the fields up to `BrokenDriverOffset`.
const BLOCK_LEN: usize = 0x44;
const VALID_OFFSET: usize = 0x08;
const DRIVER_LIST_OFFSET: usize = 0x30;
const DRIVER_COUNT: usize = 0x34;
const BROKEN_DRIVER_OFFSET: usize = 0x40;
/// The greatest number of drivers. Windows has some hundreds.
const MOST_DRIVERS: u32 = 2048;
/// The greatest number of characters of a name.
const MOST_CHARS: u32 = 260;

/// The file in which Windows stopped, as far as a dump tells.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum FaultingImage {
    /// The dump does not tell it.
    #[default]
    Untold,
    /// Its name, such as `vendor.sys`.
    Named(String),
    /// The dump should tell it, but can't be read; the reason, for display.
    Unreadable(String),
}

/// The places in a list of drivers, which depend on the width of addresses.
struct Layout {
    /// The place of the block in the dump: behind the header.
    block: u64,
    entry: usize,
    base: usize,
    size: usize,
}

const fn layout(width: Width) -> Layout {
    match width {
        Width::Bits64 => Layout {
            block: 0x2000,
            entry: 0x90,
            base: 0x38,
            size: 0x48,
        },
        Width::Bits32 => Layout {
            block: 0x1000,
            entry: 0x4c,
            base: 0x1c,
            size: 0x24,
        },
    }
}

/// The file in which Windows stopped: the driver that the dump names as broken, or the one whose code
/// is at the address that the error tells. The kernel itself is not told: it reports errors that
/// others made.
pub(super) fn faulting_image(dump: &dyn Storage, header: &Header) -> FaultingImage {
    if !header.is_triage {
        return FaultingImage::Untold;
    }
    let named = name(dump, header).map(|name| name.filter(|name| !is_kernel(name)));
    match named {
        Ok(Some(name)) => FaultingImage::Named(name),
        Ok(None) => FaultingImage::Untold,
        Err(error) => FaultingImage::Unreadable(error.to_string()),
    }
}

fn is_kernel(name: &str) -> bool {
    let kernels = [
        "ntoskrnl.exe",
        "ntkrnlmp.exe",
        "ntkrnlpa.exe",
        "hal.dll",
        "nt",
    ];
    kernels
        .iter()
        .any(|kernel| kernel.eq_ignore_ascii_case(name))
}

fn name(dump: &dyn Storage, header: &Header) -> io::Result<Option<String>> {
    let layout = layout(header.width);
    let block = part(dump, layout.block, BLOCK_LEN)?;
    let field =
        |at| u32_at(&block, at).ok_or_else(|| invalid("the block of the dump is too short"));
    let mark = part(dump, field(VALID_OFFSET)?.into(), 4)?;
    if u32_at(&mark, 0) != Some(VALID) {
        return Err(invalid(
            "the dump was not finished: its last mark is missing",
        ));
    }
    let broken = field(BROKEN_DRIVER_OFFSET)?;
    if broken != 0 {
        return text(dump, broken).map(Some);
    }
    let addresses = header.addresses();
    if addresses.is_empty() {
        return Ok(None);
    }
    let count = field(DRIVER_COUNT)?;
    if count > MOST_DRIVERS {
        let message = format!("the dump lists {count} drivers, more than {MOST_DRIVERS}");
        return Err(invalid(&message));
    }
    let len = layout.entry * to_usize(count);
    let list = part(dump, field(DRIVER_LIST_OFFSET)?.into(), len)?;
    for address in addresses {
        for entry in list.chunks_exact(layout.entry) {
            let base = match header.width {
                Width::Bits64 => u64_at(entry, layout.base),
                Width::Bits32 => u32_at(entry, layout.base).map(u64::from),
            };
            let size = u32_at(entry, layout.size).map(u64::from);
            let is_in =
                |(base, size): (u64, u64)| address.checked_sub(base).is_some_and(|at| at < size);
            if base.zip(size).is_some_and(is_in)
                && let Some(name) = u32_at(entry, 0)
            {
                let name = text(dump, name)?;
                if !is_kernel(&name) {
                    return Ok(Some(name));
                }
            }
        }
    }
    Ok(None)
}

/// A name: its number of characters, and as many UTF-16 units.
fn text(dump: &dyn Storage, offset: u32) -> io::Result<String> {
    let offset = u64::from(offset);
    let count = u32_at(&part(dump, offset, 4)?, 0).unwrap_or(0);
    if count == 0 || count > MOST_CHARS {
        return Err(invalid(&format!(
            "a name in the dump has {count} characters"
        )));
    }
    let units: Vec<u16> = whole_units(&part(dump, offset + 4, 2 * to_usize(count))?).collect();
    let name = String::from_utf16_lossy(&units);
    // The name of a loaded driver has no folder, and that of a broken one may have.
    let name = name.rsplit('\\').next().unwrap_or(&name);
    let name = name.trim_end_matches('\0');
    if name.is_empty() || name.chars().any(char::is_control) {
        return Err(invalid("a name in the dump is no name of a file"));
    }
    Ok(name.to_owned())
}

/// A part of the dump.
fn part(dump: &dyn Storage, offset: u64, len: usize) -> io::Result<Vec<u8>> {
    let end = offset.checked_add(to_u64(len));
    if end.is_none_or(|end| dump.len().is_ok_and(|all| end > all)) {
        let message = format!("the dump ends before {len} bytes at offset {offset:#x}");
        return Err(invalid(&message));
    }
    let mut bytes = vec![0; len];
    dump.read_exact_at(&mut bytes, offset)?;
    Ok(bytes)
}

fn invalid(message: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, message)
}
