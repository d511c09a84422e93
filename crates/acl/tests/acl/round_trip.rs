//! Bytes, SDDL and save files are read back as they were written.

use crate::common::{REAL, any_ace, descriptor, plain_ace, unhex};
use diskmend_acl::{
    AccessMask, Ace, AceBody, AceFlags, AceType, Acl, AclSlot, Control, Domains, ObjectTypes,
    SavedEntries, SavedPart, SddlParts, SecurityDescriptor, Sid, Trustee, write_saved,
};
use proptest::collection::vec;
use proptest::prelude::*;

/// The bits for which SDDL has letters.
const DACL_BITS: u16 = Control::DACL_PROTECTED.0
    | Control::DACL_AUTO_INHERITED.0
    | Control::DACL_AUTO_INHERIT_REQUIRED.0;
const SACL_BITS: u16 = DACL_BITS << 1;

/// UTF-16 units that can be in a path of a save file.
fn path() -> impl Strategy<Value = Vec<u16>> {
    vec(any::<u16>(), 0..40).prop_filter("ends a line", |path| {
        let mark = match path.as_slice() {
            [0xFEFF | 0xFFFE, ..] => true,
            [0xBBEF, second, ..] => second & 0xFF == 0xBF,
            _ => false,
        };
        path.iter().all(|unit| ![0, 10, 13].contains(unit)) && !mark
    })
}

proptest! {
    #[test]
    fn bytes_come_back(descriptor in descriptor(any_ace(), !0)) {
        let bytes = descriptor.to_bytes().unwrap();
        let read = SecurityDescriptor::from_bytes(&bytes).unwrap();
        prop_assert!(read.is_exact(&bytes));
        prop_assert!(read.means_the_same(&descriptor));
        prop_assert_eq!(read.control(), descriptor.control());
    }

    #[test]
    fn sddl_comes_back(descriptor in descriptor(plain_ace(), DACL_BITS | SACL_BITS)) {
        let sddl = descriptor.to_sddl(SddlParts::All).unwrap();
        let read = SecurityDescriptor::from_sddl(&sddl, &Domains::default()).unwrap();
        prop_assert!(read.means_the_same(&descriptor), "{}", sddl);
        prop_assert_eq!(read.to_sddl(SddlParts::All).unwrap(), sddl);
    }

    #[test]
    fn a_save_file_comes_back(
        entries in vec((path(), descriptor(plain_ace(), DACL_BITS)), 0..5),
        byte_order_mark in any::<bool>(),
    ) {
        let mut dacls = if byte_order_mark { vec![0xFF, 0xFE] } else { Vec::new() };
        let mut owners = Vec::new();
        for (path, descriptor) in &entries {
            write_saved(path, descriptor, SavedPart::Dacl, &mut dacls).unwrap();
            write_saved(path, descriptor, SavedPart::Owners, &mut owners).unwrap();
        }
        let dacls = SavedEntries::new(&dacls, Domains::default()).unwrap();
        let owners = SavedEntries::new(&owners, Domains::default()).unwrap();
        let mut count = 0;
        for (((path, descriptor), dacl), owner) in entries.iter().zip(dacls).zip(owners) {
            let (dacl, owner) = (dacl.unwrap(), owner.unwrap());
            prop_assert_eq!(&dacl.path, path);
            prop_assert_eq!(&owner.path, path);
            match &descriptor.dacl {
                AclSlot::Absent => prop_assert_eq!(&dacl.descriptor.dacl, &AclSlot::Null),
                other => prop_assert_eq!(&dacl.descriptor.dacl, other),
            }
            prop_assert_eq!(owner.descriptor.owner, descriptor.owner);
            prop_assert_eq!(owner.descriptor.group, descriptor.group);
            count += 1;
        }
        prop_assert_eq!(count, entries.len());
    }
}

#[test]
fn real_descriptors_come_back_byte_for_byte() {
    for text in REAL {
        let bytes = unhex(text);
        let descriptor = SecurityDescriptor::from_bytes(&bytes).unwrap();
        assert!(descriptor.is_exact(&bytes), "{text}");
        let sddl = descriptor.to_sddl(SddlParts::All).unwrap();
        let read = SecurityDescriptor::from_sddl(&sddl, &Domains::default()).unwrap();
        assert!(read.means_the_same(&descriptor), "{sddl}");
    }
}

#[test]
fn real_descriptors_read_as_sddl() {
    let sddl = |text| {
        let descriptor = SecurityDescriptor::from_bytes(&unhex(text)).unwrap();
        descriptor.to_sddl(SddlParts::All).unwrap()
    };
    assert_eq!(
        sddl(REAL[0]),
        "O:BAG:BAD:P(A;NP;0x1f019f;;;BA)(A;NP;FR;;;BA)(A;NP;0x120088;;;WD)(A;NP;0x1f01bf;;;BA)(A;NP;0x1f01bf;;;SY)"
    );
    assert_eq!(sddl(REAL[2]), "O:BAG:BAD:(A;OICI;FA;;;WD)");
    assert_eq!(
        sddl(REAL[3]),
        "O:BAG:SYD:PAI(A;CI;KR;;;BA)S:AI(AU;FA;RPWPDTLOSDRC;;;WD)"
    );
}

#[test]
fn a_descriptor_that_sddl_cannot_express_is_refused() {
    let bare = Sid::new(5, &[]).unwrap();
    let mut owned = SecurityDescriptor::new();
    owned.owner = Some(bare);
    let mut listed = SecurityDescriptor::new();
    let guid = ObjectTypes {
        other_flags: 4,
        ..ObjectTypes::default()
    };
    let trustee = |sid, object, data: &[u8]| Trustee {
        mask: AccessMask::FILE_READ,
        object,
        sid,
        data: data.to_vec(),
    };
    assert_eq!(
        owned.to_sddl(SddlParts::All).unwrap_err().to_string(),
        "the owner S-1-5 can't be written as sddl: it has no sub-authority"
    );
    assert_eq!(owned.to_sddl(SddlParts::Dacl).unwrap(), "");
    for (number, trustee, why) in [
        (
            0x00,
            trustee(bare, None, &[]),
            "its SID has no sub-authority",
        ),
        (
            0x00,
            trustee(Sid::SYSTEM, None, &[0; 4]),
            "data follow its SID",
        ),
        (
            0x05,
            trustee(Sid::SYSTEM, Some(guid), &[]),
            "unknown object flags 0x4",
        ),
        (
            0x09,
            trustee(Sid::SYSTEM, None, b"artx\xA0"),
            "its condition has no words",
        ),
        (
            0x0A,
            trustee(Sid::SYSTEM, None, b"arty"),
            "its condition has no words",
        ),
        (
            0x0C,
            trustee(Sid::SYSTEM, None, &[]),
            "the type has no letters",
        ),
        (
            0x12,
            trustee(Sid::EVERYONE, None, &[]),
            "it holds a resource attribute",
        ),
    ] {
        let ace = Ace {
            ace_type: AceType(number),
            flags: AceFlags::NONE,
            body: AceBody::Trustee(trustee),
        };
        listed.dacl = AclSlot::List(Acl::new(vec![ace]));
        assert_eq!(
            listed.to_sddl(SddlParts::All).unwrap_err().to_string(),
            format!("DACL entry 0 of type {number:#04x} can't be written as sddl: {why}")
        );
    }
}
