//! Descriptors for objects that only the system and administrators may access, and setting them on
//! a mounted volume.

#[cfg(not(windows))]
use std::ffi::OsStr;
#[cfg(not(windows))]
use std::io;

#[cfg(not(windows))]
use super::{Handle, Keeping};
#[cfg(not(windows))]
use crate::system::SystemDir;

/// `O:BAG:BAD:P(A;OICI;FA;;;SY)(A;OICI;FA;;;BA)`, self-relative (MS-DTYP 2.4.6), as little-endian
/// words.
pub(crate) const FOLDER: [u32; 26] = words(FOR_CHILDREN);
/// `O:BAG:BAD:P(A;;FA;;;SY)(A;;FA;;;BA)`, in the same form.
#[cfg(not(windows))]
const FILE: [u32; 26] = words(0);

/// `OICI`: folders and files inherit the entry.
const FOR_CHILDREN: u32 = 0x0300;

const fn words(flags: u32) -> [u32; 26] {
    [
        0x9004_0001, // revision 1; self-relative, a DACL, protected
        72,          // where the owner begins
        88,          // the group
        0,
        20,                  // the DACL
        0x0034_0002,         // its revision, and length
        2,                   // entries
        0x0014_0000 | flags, // an entry that allows
        0x001F_01FF,
        0x0000_0101, // S-1-5-18
        0x0500_0000,
        18,
        0x0018_0000 | flags, // the other
        0x001F_01FF,
        0x0000_0201, // S-1-5-32-544
        0x0500_0000,
        32,
        544,
        0x0000_0201, // the owner
        0x0500_0000,
        32,
        544,
        0x0000_0201, // the group
        0x0500_0000,
        32,
        544,
    ]
}

/// Gives a new and empty object in a folder a descriptor that allows only the system and
/// administrators, and reads it back. It does nothing if the file system stores no descriptors.
#[cfg(not(windows))]
pub(crate) fn make_private(parent: &SystemDir, name: &OsStr, is_folder: bool) -> io::Result<()> {
    let Some(keeping) = Keeping::of(parent)? else {
        return Ok(());
    };
    let words = if is_folder { FOLDER } else { FILE };
    let wanted: Vec<u8> = words.iter().flat_map(|word| word.to_le_bytes()).collect();
    let handle = Handle::open(parent, name, &keeping)?;
    handle.write(&wanted).map_err(io::Error::other)?;
    let found = handle.read().map_err(io::Error::other)?;
    if Handle::is_same(&found, &wanted) {
        Ok(())
    } else {
        Err(io::Error::other(
            "reading back its security descriptor gave another one than was written",
        ))
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_descriptors_are_whole() {
        for words in [super::words(0), super::FOLDER] {
            let bytes: Vec<u8> = words.iter().flat_map(|word| word.to_le_bytes()).collect();
            let number = |at: usize| usize::from(u16::from_le_bytes([bytes[at], bytes[at + 1]]));
            assert_eq!(
                number(16) + number(22),
                number(4),
                "the owner follows the DACL"
            );
            assert_eq!(
                8 + number(30) + number(50),
                number(22),
                "its entries fill it"
            );
            assert_eq!(number(4) + 16, number(8), "the group follows the owner");
            assert_eq!(number(8) + 16, bytes.len());
        }
    }
}
