//! Descriptors are written back byte for byte, whatever the layout of their parts.

use crate::common::{any_ace, sid};
use diskmend_acl::{Acl, AclSlot, Control, SecurityDescriptor, Sid};
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;

/// The length of the descriptor's header; the parts follow it.
const HEADER: usize = 20;
/// The offsets in the header of the offsets of owner, group, SACL and DACL.
const OFFSETS: [usize; 4] = [4, 8, 12, 16];

/// The bytes of an ACL with unused space at the end and any values in the reserved fields.
fn acl() -> impl Strategy<Value = Vec<u8>> {
    let slack = vec(any::<[u8; 4]>(), 0..5).prop_map(|words| words.concat());
    (vec(any_ace(), 0..5), slack, any::<u8>(), any::<u16>()).prop_map(
        |(aces, slack, sbz1, sbz2)| {
            let mut bytes = Acl::new(aces).to_bytes().unwrap();
            bytes.extend(slack);
            let len = u16::try_from(bytes.len()).unwrap();
            bytes[1] = sbz1;
            bytes[2..4].copy_from_slice(&len.to_le_bytes());
            bytes[6..8].copy_from_slice(&sbz2.to_le_bytes());
            bytes
        },
    )
}

proptest! {
    #[test]
    fn any_order_and_unused_space_come_back(
        sids in [option::of(sid()), option::of(sid())],
        lists in [option::of(acl()), option::of(acl())],
        order in Just([0_usize, 1, 2, 3]).prop_shuffle(),
        (sbz1, control) in any::<(u8, u16)>(),
    ) {
        let [owner, group] = sids;
        let [sacl, dacl] = lists;
        let bytes_of = |sid: &Option<Sid>| sid.as_ref().map(Sid::to_bytes);
        let mut control = control | Control::SELF_RELATIVE.0;
        for (list, bit) in [(&sacl, Control::SACL_PRESENT), (&dacl, Control::DACL_PRESENT)] {
            if list.is_some() {
                control |= bit.0;
            }
        }
        let parts = [bytes_of(&owner), bytes_of(&group), sacl, dacl];
        let mut bytes = vec![0; HEADER];
        bytes[..2].copy_from_slice(&[1, sbz1]);
        bytes[2..4].copy_from_slice(&control.to_le_bytes());
        for part in order {
            if let Some(part_bytes) = &parts[part] {
                let at = u32::try_from(bytes.len()).unwrap();
                bytes[OFFSETS[part]..][..4].copy_from_slice(&at.to_le_bytes());
                bytes.extend(part_bytes);
            }
        }
        let read = SecurityDescriptor::from_bytes(&bytes).unwrap();
        prop_assert!(read.is_exact(&bytes));
        prop_assert_eq!((read.owner, read.group), (owner, group));
        prop_assert_eq!(read.control(), Control(control));
        let [.., sacl, dacl] = &parts;
        for (slot, bytes, bit) in [
            (&read.sacl, sacl, Control::SACL_PRESENT),
            (&read.dacl, dacl, Control::DACL_PRESENT),
        ] {
            let expected = match bytes {
                Some(bytes) => AclSlot::List(Acl::from_bytes(bytes).unwrap()),
                None if Control(control).contains(bit) => AclSlot::Null,
                None => AclSlot::Absent,
            };
            prop_assert_eq!(slot, &expected);
        }
    }
}
