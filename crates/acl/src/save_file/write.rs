//! Writing a save file, one object at a time.

use super::{BYTE_ORDER_MARK, CARRIAGE_RETURN, LINE_FEED, SavedPart, foreign_mark};
use crate::descriptor::{AclSlot, SecurityDescriptor};
use crate::sddl::{Inexpressible, SddlParts};

/// An object that a save file can't hold.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SaveWriteError {
    /// The path holds a character that ends a line or marks the byte order.
    #[error("the path holds U+{unit:04X}, which has a special meaning in a save file")]
    Path {
        /// The UTF-16 unit.
        unit: u16,
    },
    /// A text in an ACE's condition or attribute holds a line end.
    #[error("a text in the {part} holds a line end")]
    LineBreak {
        /// The part that was to be saved.
        part: SavedPart,
    },
    /// SDDL can't express a SID or an entry.
    #[error(transparent)]
    Inexpressible(#[from] Inexpressible),
}

/// The SDDL that a save file holds for one part of a descriptor. It can be written for every object
/// that has this descriptor.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SavedSddl(Vec<u16>);

impl SavedSddl {
    /// The SDDL of a descriptor's part.
    ///
    /// # Errors
    /// If the SDDL holds a line end, or if SDDL can't express the descriptor.
    pub fn of(descriptor: &SecurityDescriptor, part: SavedPart) -> Result<Self, SaveWriteError> {
        let sddl = match part {
            SavedPart::Owners => descriptor.to_sddl(SddlParts::OwnerAndGroup)?,
            // A line without SDDL would restore nothing. A NULL DACL has the meaning of an absent
            // one.
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

    /// Appends an object's two lines to `out`, or nothing if it fails. `path` has the form that
    /// [`write_saved`] takes.
    ///
    /// # Errors
    /// If the path holds a line end.
    pub fn write(&self, path: &[u16], out: &mut Vec<u8>) -> Result<(), SaveWriteError> {
        check(path)?;
        for line in [path, &self.0] {
            let ended = line.iter().chain(&[CARRIAGE_RETURN, LINE_FEED]);
            out.extend(ended.flat_map(|unit| unit.to_le_bytes()));
        }
        Ok(())
    }
}

/// Appends an object's two lines to `out`, or nothing if it fails. `path` is a relative path in
/// UTF-16 with backslashes. It needn't be valid UTF-16.
///
/// # Errors
/// If the path or the SDDL holds a line end, or if SDDL can't express the descriptor.
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
    // At the start of the file it would be read as a byte order mark.
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
    fn a_part_has_the_name_that_people_use() {
        let message = |part| SaveWriteError::LineBreak { part }.to_string();
        let expected = "a text in the owner and group holds a line end";
        assert_eq!(message(SavedPart::Owners), expected);
        let expected = "a text in the DACL holds a line end";
        assert_eq!(message(SavedPart::Dacl), expected);
    }

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
