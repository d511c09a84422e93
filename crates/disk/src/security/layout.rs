//! The positions of the parts of a self-relative security descriptor (MS-DTYP 2.4.6). Windows
//! stores a descriptor's parts in its own order, so the bytes that are read back may differ from
//! those that were written.

/// Control bits that are stored with a descriptor: neither those that request a computation, nor
/// those that say that a part came from a default.
const LASTING: u16 = !(OWNER_DEFAULTED
    | GROUP_DEFAULTED
    | DACL_DEFAULTED
    | SACL_DEFAULTED
    | DACL_AUTO_INHERIT_REQ
    | SACL_AUTO_INHERIT_REQ);

const OWNER_DEFAULTED: u16 = 0x0001;
const GROUP_DEFAULTED: u16 = 0x0002;
const DACL_DEFAULTED: u16 = 0x0008;
const SACL_DEFAULTED: u16 = 0x0020;
const DACL_AUTO_INHERIT_REQ: u16 = 0x0100;
const SACL_AUTO_INHERIT_REQ: u16 = 0x0200;
const DACL_AUTO_INHERITED: u16 = 0x0400;
const SACL_AUTO_INHERITED: u16 = 0x0800;

/// Revision, Sbz1, Control, and the offsets of owner, group, SACL and DACL.
const HEADER_LEN: usize = 20;

/// True if both descriptors contain equal parts, wherever these are in the bytes.
pub(crate) fn same_parts(a: &[u8], b: &[u8]) -> bool {
    a == b || matches!((Parts::of(a), Parts::of(b)), (Some(a), Some(b)) if a == b)
}

/// The descriptor as the kernel accepts it: the kernel keeps the mark of automatic inheritance only
/// if this is requested.
pub(super) fn to_be_set(bytes: &[u8]) -> Vec<u8> {
    let mut bytes = bytes.to_vec();
    if let Some([_, _, low, high, ..]) = bytes.get_mut(..HEADER_LEN) {
        let mut control = u16::from_le_bytes([*low, *high]);
        for (inherited, asked) in [
            (DACL_AUTO_INHERITED, DACL_AUTO_INHERIT_REQ),
            (SACL_AUTO_INHERITED, SACL_AUTO_INHERIT_REQ),
        ] {
            if control & inherited != 0 {
                control |= asked;
            }
        }
        [*low, *high] = control.to_le_bytes();
    }
    bytes
}

/// True if every part is within the bytes.
pub(crate) fn is_whole(bytes: &[u8]) -> bool {
    Parts::of(bytes).is_some()
}

#[derive(PartialEq, Eq)]
struct Parts<'a> {
    control: u16,
    /// Owner and group.
    sids: [Option<&'a [u8]>; 2],
    /// SACL and DACL.
    acls: [Option<&'a [u8]>; 2],
}

impl<'a> Parts<'a> {
    fn of(bytes: &'a [u8]) -> Option<Self> {
        let header = bytes.get(..HEADER_LEN)?;
        let (control, offsets) = header.get(2..)?.split_first_chunk::<2>()?;
        let (offsets, _) = offsets.as_chunks::<4>();
        let [owner, group, sacl, dacl] = *<&[[u8; 4]; 4]>::try_from(offsets).ok()?;
        Some(Self {
            control: u16::from_le_bytes(*control) & LASTING,
            sids: [sid(bytes, owner)?, sid(bytes, group)?],
            acls: [acl(bytes, sacl)?, acl(bytes, dacl)?],
        })
    }
}

/// The part that begins at an offset; `Some(None)` if there is none.
fn part(
    bytes: &[u8],
    offset: [u8; 4],
    len: impl FnOnce(&[u8]) -> Option<usize>,
) -> Option<Option<&[u8]>> {
    let offset = usize::try_from(u32::from_le_bytes(offset)).ok()?;
    if offset == 0 {
        return Some(None);
    }
    let rest = bytes.get(offset..)?;
    Some(Some(rest.get(..len(rest)?)?))
}

/// A SID: Revision, SubAuthorityCount, IdentifierAuthority, SubAuthority (MS-DTYP 2.4.2.2).
fn sid(bytes: &[u8], offset: [u8; 4]) -> Option<Option<&[u8]>> {
    part(bytes, offset, |rest| {
        Some(8 + 4 * usize::from(*rest.get(1)?))
    })
}

/// An ACL, which contains its own length (MS-DTYP 2.4.5).
fn acl(bytes: &[u8], offset: [u8; 4]) -> Option<Option<&[u8]>> {
    part(bytes, offset, |rest| {
        let [.., low, high] = *rest.first_chunk::<4>()?;
        Some(u16::from_le_bytes([low, high]).into())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const SYSTEM: [u8; 12] = [1, 1, 0, 0, 0, 0, 0, 5, 18, 0, 0, 0];
    const ADMINISTRATORS: [u8; 16] = [1, 2, 0, 0, 0, 0, 0, 5, 32, 0, 0, 0, 32, 2, 0, 0];

    /// Owner Administrators, group SYSTEM and a DACL, with the parts in one of two orders.
    fn descriptor(control: u16, mask: u8, owner_first: bool) -> Vec<u8> {
        let mut dacl = vec![2, 0, 28, 0, 1, 0, 0, 0, 0, 0, 20, 0, mask, 0, 0, 0];
        dacl.extend(SYSTEM);
        let parts: [&[u8]; 3] = if owner_first {
            [&ADMINISTRATORS, &SYSTEM, &dacl]
        } else {
            [&dacl, &SYSTEM, &ADMINISTRATORS]
        };
        let second = 20 + parts[0].len() as u32;
        let third = second + parts[1].len() as u32;
        let (owner, dacl_at) = if owner_first {
            (20, third)
        } else {
            (third, 20)
        };
        let mut bytes = vec![1, 0];
        bytes.extend((control | 0x8004).to_le_bytes());
        for offset in [owner, second, 0, dacl_at] {
            bytes.extend(offset.to_le_bytes());
        }
        bytes.extend(parts.concat());
        bytes
    }

    #[test]
    fn only_the_parts_count() {
        let one = descriptor(0, 1, true);
        assert!(same_parts(&one, &descriptor(0, 1, false)));
        assert!(same_parts(&one, &descriptor(0x0129, 1, false)));
        assert!(!same_parts(&one, &descriptor(0, 2, false)));
        assert!(!same_parts(&one, &descriptor(0x1000, 1, false)));
        assert!(!same_parts(&one, &descriptor(0x0400, 1, false)));
        for len in 0..one.len() {
            assert!(!same_parts(&one, &one[..len]));
        }
        let mut hostile = one.clone();
        hostile[16..20].fill(0xFF);
        assert!(!same_parts(&one, &hostile));
    }

    #[test]
    fn the_mark_of_inheritance_is_asked_for() {
        let inherited = descriptor(0x0C00, 1, true);
        let asked = to_be_set(&inherited);
        assert_eq!(asked[2..4], 0x8F04u16.to_le_bytes());
        assert_eq!(asked[4..], inherited[4..]);
        assert!(same_parts(&asked, &inherited));
        assert_eq!(to_be_set(b"short"), b"short");
    }
}
