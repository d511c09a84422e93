//! Writing a save file, one object at a time.

use super::{BYTE_ORDER_MARK, CARRIAGE_RETURN, LINE_FEED, SavedPart, foreign_mark};
use crate::descriptor::{AclSlot, SecurityDescriptor};
use crate::sddl::{Inexpressible, SddlParts};

/// An object that a save file can't hold.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SaveWriteError {
    /// The path holds what ends a line or marks the byte order.
    #[error("the path holds U+{unit:04X}, which has a meaning of its own in a save file")]
    Path {
        /// The UTF-16 unit.
        unit: u16,
    },
    /// A text in an ACE's condition or attribute holds the end of a line.
    #[error("a text in the {part:?} holds the end of a line")]
    LineBreak {
        /// What was to be saved.
        part: SavedPart,
    },
    /// SDDL has no words for a SID or an entry.
    #[error(transparent)]
    Inexpressible(#[from] Inexpressible),
}

/// The SDDL that a save file holds for one part of a descriptor, to be written for any number of
/// objects that have it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SavedSddl(Vec<u16>);

impl SavedSddl {
    /// That of a descriptor's part.
    ///
    /// # Errors
    /// When the SDDL would end the line, or there are no words in it for the descriptor.
    pub fn of(descriptor: &SecurityDescriptor, part: SavedPart) -> Result<Self, SaveWriteError> {
        let sddl = match part {
            SavedPart::Owners => descriptor.to_sddl(SddlParts::OwnerAndGroup)?,
            // A line without SDDL would restore nothing; a NULL DACL means the same.
            SavedPart::Dacl if descriptor.dacl == AclSlot::Absent => {
                "D:NO_ACCESS_CONTROL".to_owned()
            }
            SavedPart::Dacl => descriptor.to_sddl(SddlParts::Dacl)?,
        };
        let sddl: Vec<u16> = sddl.encode_utf16().collect();
        if sddl.iter().any(|unit| ends_line(*unit)) {
            return Err(SaveWriteError::LineBreak { part });
        }
        Ok(Self(sddl))
    }

    /// Appends an object's two lines to `out`; nothing if it fails. `path` is as for
    /// [`write_saved`].
    ///
    /// # Errors
    /// When the path would end the line.
    pub fn write(&self, path: &[u16], out: &mut Vec<u8>) -> Result<(), SaveWriteError> {
        check(path)?;
        for line in [path, &self.0] {
            let ended = line.iter().chain(&[CARRIAGE_RETURN, LINE_FEED]);
            out.extend(ended.flat_map(|unit| unit.to_le_bytes()));
        }
        Ok(())
    }
}

/// Appends an object's two lines to `out`; nothing if it fails. `path` is in UTF-16, relative, with
/// backslashes, and need not be valid UTF-16.
///
/// # Errors
/// When the path or the SDDL would end the line, or SDDL has no words for the descriptor.
pub fn write_saved(
    path: &[u16],
    descriptor: &SecurityDescriptor,
    part: SavedPart,
    out: &mut Vec<u8>,
) -> Result<(), SaveWriteError> {
    check(path)?;
    SavedSddl::of(descriptor, part)?.write(path, out)
}

fn check(path: &[u16]) -> Result<(), SaveWriteError> {
    let meant = path.iter().copied().find(|unit| ends_line(*unit));
    let first = path.first().copied();
    let second = path.get(1).copied().unwrap_or(CARRIAGE_RETURN);
    // At the beginning of the file it would pass for the mark of its encoding.
    let is_mark = |unit: u16| unit == BYTE_ORDER_MARK || foreign_mark([unit, second]).is_some();
    let marked = first.filter(|unit| is_mark(*unit));
    match meant.or(marked) {
        Some(unit) => Err(SaveWriteError::Path { unit }),
        None => Ok(()),
    }
}

const fn ends_line(unit: u16) -> bool {
    matches!(unit, LINE_FEED | CARRIAGE_RETURN | 0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sid::Domains;

    #[test]
    fn the_bytes_are_those_of_icacls() {
        let descriptor =
            SecurityDescriptor::from_sddl("O:SYD:P(A;;FA;;;SY)", &Domains::default()).unwrap();
        let mut out = Vec::new();
        write_saved(&[0x61, 0xD800], &descriptor, SavedPart::Dacl, &mut out).unwrap();
        let mut expected = b"a\0\x00\xD8\r\0\n\0".to_vec();
        expected.extend("D:P(A;;FA;;;SY)\r\n".bytes().flat_map(|b| [b, 0]));
        assert_eq!(out, expected);
    }

    #[test]
    fn what_would_break_a_line_is_refused_and_nothing_is_written() {
        let sddl = "D:(XA;;FA;;;SY;(a == \"x\ny\"))";
        let breaking = SecurityDescriptor::from_sddl(sddl, &Domains::default()).unwrap();
        let plain = SecurityDescriptor::new();
        let mut out = Vec::new();
        for (path, descriptor) in [
            (&[0x61, 0x0A][..], &plain),
            (&[0x0D], &plain),
            (&[0xFEFF, 0x61], &plain),
            (&[0xFFFE], &plain),
            (&[0xBBEF, 0x61BF], &plain),
            (&[0x61], &breaking),
        ] {
            assert!(write_saved(path, descriptor, SavedPart::Dacl, &mut out).is_err());
        }
        assert_eq!(out, []);
    }
}
