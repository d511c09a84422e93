//! The boot sector of an NTFS volume as a BIOS uses it: the program in it, where it believes that
//! its partition begins, and its copy at the end of the volume. Nothing is written.

use std::io;

use diskmend_base::bytes;

use crate::device::Device;

/// The length of a sector, and of the boot sector, in bytes. Disks with longer sectors aren't
/// started by a BIOS.
pub const SECTOR_LEN: u64 = 512;
/// The length of the boot program, which begins in the boot sector, in bytes (`$Boot`).
const PROGRAM_LEN: u64 = 8192;
/// The offset of the name of the file system.
const OEM_AT: usize = 3;
const NTFS: &[u8] = b"NTFS    ";
/// The offset of `HiddenSectors`, 32 bits: the number of sectors before the partition.
pub const HIDDEN_AT: usize = 0x1c;
/// The offset of the number of sectors of the volume, 64 bits. The copy is in the sector after it.
const SECTORS_AT: usize = 0x28;
/// The offset of the program, after the description of the volume.
const CODE_AT: usize = 0x54;
/// The place of the signature of every boot sector.
const SIGNATURE_AT: usize = 510;
const SIGNATURE: [u8; 2] = [0x55, 0xAA];

/// The boot sector of a partition, and its copy.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct BootSector {
    /// The first sector, if it is one of NTFS.
    pub first: Option<NtfsSector>,
    /// True if the last sector is a boot sector of NTFS.
    pub has_copy: bool,
}

/// A boot sector of NTFS.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct NtfsSector {
    /// `HiddenSectors`: where the program believes that its partition begins, in sectors.
    pub hidden_sectors: u32,
    /// The program.
    pub program: BootProgram,
}

/// The program in a boot sector.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BootProgram {
    /// It starts the boot manager, `bootmgr`.
    BootManager,
    /// It starts `ntldr`, the loader of Windows before Vista.
    Ntldr,
    /// There is none: the bytes are zero, or the sector lacks its signature.
    Missing,
    /// It starts something else, or says that the volume can't be started.
    Other,
}

/// Reads the boot sector of the partition that `device` is.
///
/// # Errors
/// An error of the device.
pub fn read(device: &dyn Device) -> io::Result<BootSector> {
    let len = device.len();
    let mut start = vec![0; usize::try_from(len.min(PROGRAM_LEN)).map_err(io::Error::other)?];
    device.read_exact_at(&mut start, 0)?;
    let first = is_ntfs(&start).then(|| NtfsSector {
        hidden_sectors: number(&start, HIDDEN_AT, 4) as u32,
        program: program(&start),
    });
    // Without a boot sector, the copy is in the last sector of the partition.
    let last = (len / SECTOR_LEN).checked_sub(1);
    let after = first.map(|_| number(&start, SECTORS_AT, 8));
    let mut has_copy = false;
    for sector in after.into_iter().chain(last) {
        let Some(at) = sector.checked_mul(SECTOR_LEN) else {
            continue;
        };
        if at > 0 && at.checked_add(SECTOR_LEN).is_some_and(|end| end <= len) {
            let mut copy = [0; SECTOR_LEN as usize];
            device.read_exact_at(&mut copy, at)?;
            has_copy |= is_ntfs(&copy);
        }
    }
    Ok(BootSector { first, has_copy })
}

fn is_ntfs(sector: &[u8]) -> bool {
    bytes::slice(sector, OEM_AT, NTFS.len()) == Some(NTFS)
}

fn number(sector: &[u8], at: usize, len: usize) -> u64 {
    let bytes = bytes::slice(sector, at, len).unwrap_or_default();
    let mut number = 0;
    for byte in bytes.iter().rev() {
        number = number << 8 | u64::from(*byte);
    }
    number
}

fn program(start: &[u8]) -> BootProgram {
    let code = bytes::slice(start, CODE_AT, SIGNATURE_AT - CODE_AT).unwrap_or_default();
    let signature = bytes::slice(start, SIGNATURE_AT, SIGNATURE.len());
    if signature != Some(&SIGNATURE) || code.iter().all(|byte| *byte == 0) {
        return BootProgram::Missing;
    }
    // The messages are in the language of Windows, but these names aren't.
    if names(start, "BOOTMGR") {
        BootProgram::BootManager
    } else if names(start, "NTLDR") {
        BootProgram::Ntldr
    } else {
        BootProgram::Other
    }
}

/// True if a program contains a name, in ASCII or UTF-16.
fn names(program: &[u8], name: &str) -> bool {
    let wide: Vec<u8> = name.encode_utf16().flat_map(u16::to_le_bytes).collect();
    let has = |wanted: &[u8]| program.windows(wanted.len()).any(|part| part == wanted);
    has(name.as_bytes()) || has(&wide)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::Memory;

    fn read(bytes: &[u8]) -> io::Result<BootSector> {
        super::read(&Memory::new(bytes.to_vec()))
    }

    fn volume(program: &[u8], has_copy: bool) -> Vec<u8> {
        let mut bytes = vec![0; 64 * 512];
        bytes[OEM_AT..][..8].copy_from_slice(NTFS);
        bytes[HIDDEN_AT..][..4].copy_from_slice(&2048_u32.to_le_bytes());
        bytes[SECTORS_AT..][..8].copy_from_slice(&63_u64.to_le_bytes());
        bytes[CODE_AT..][..program.len()].copy_from_slice(program);
        bytes[SIGNATURE_AT..][..2].copy_from_slice(&SIGNATURE);
        if has_copy {
            let first = bytes[..512].to_vec();
            bytes[63 * 512..].copy_from_slice(&first);
        }
        bytes
    }

    #[test]
    fn a_program_is_known_by_what_it_starts() {
        let wide: Vec<u8> = "\u{7}BOOTMGR"
            .encode_utf16()
            .flat_map(u16::to_le_bytes)
            .collect();
        for (program, expected) in [
            (&b"\xfaBOOTMGR fehlt"[..], BootProgram::BootManager),
            (&wide, BootProgram::BootManager),
            (b"\xfaNTLDR is missing", BootProgram::Ntldr),
            (b"\xfaThis is not a bootable disk", BootProgram::Other),
            (b"", BootProgram::Missing),
        ] {
            let found = read(&volume(program, true)).expect("readable");
            let first = found.first.expect("NTFS");
            assert_eq!((first.hidden_sectors, first.program), (2048, expected));
            assert!(found.has_copy);
        }
        let mut unsigned = volume(b"\xfaBOOTMGR", false);
        unsigned[SIGNATURE_AT] = 0;
        let found = read(&unsigned).expect("readable");
        let first = found.first.expect("NTFS");
        assert_eq!(first.program, BootProgram::Missing);
        assert!(!found.has_copy);
    }

    #[test]
    fn a_copy_is_found_without_the_first_sector_and_any_length_is_read() {
        let mut lost = volume(b"\xfaBOOTMGR", true);
        lost[..512].fill(0);
        let found = read(&lost).expect("readable");
        assert_eq!((found.first, found.has_copy), (None, true));
        let whole = volume(b"\xfaBOOTMGR", true);
        for len in [0, 1, 20, 511, 512, 513, 8191, 8192, 8193] {
            read(&whole[..len]).expect("readable");
        }
        // The number of sectors may be anything.
        let mut odd = volume(b"\xfaBOOTMGR", true);
        for sectors in [0, 64, 1 << 54, u64::MAX] {
            odd[SECTORS_AT..][..8].copy_from_slice(&sectors.to_le_bytes());
            assert!(read(&odd).expect("readable").has_copy);
        }
    }
}
