//! Descriptors for the tests: proptest strategies, and real bytes.

use diskmend_acl::{
    AccessMask, Ace, AceBody, AceFlags, AceType, Acl, AclSlot, Control, Guid, ObjectTypes,
    SecurityDescriptor, Sid, Trustee,
};
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;

/// Real descriptors. `getfattr -n system.ntfs_acl` has shown them on a volume that mkntfs made and
/// ntfs-3g 2022.10.3 mounted: a file and a folder made with `-o permissions`, and a file made
/// without it, with the parts in the order owner, group, DACL. The last one has the order in which
/// Windows stores descriptors in registry hives: SACL, DACL, owner, group.
pub(crate) const REAL: [&str; 4] = [
    "010004908c0000009c00000000000000140000000200780005000000000418009f011f0001020000000000052000000020020000000418008900120001020000000000052000000020020000000414008800120001010000000000010000000000041800bf011f000102000000000005200000002002000000041400bf011f000101000000000005120000000102000000000005200000002002000001020000000000052000000020020000",
    "01000490a0000000b0000000000000001400000002008c0006000000010914002000000001010000000000010000000000031800ff011f000102000000000005200000002002000000031800a90012000102000000000005200000002002000000031400a900120001010000000000010000000000031800bf011f000102000000000005200000002002000000031400bf011f000101000000000005120000000102000000000005200000002002000001020000000000052000000020020000",
    "0100048014000000240000000000000034000000010200000000000520000000200200000102000000000005200000002002000002001c000100000000031400ff011f00010100000000000100000000",
    "01001c9c5000000060000000140000003000000002001c000100000002801400f0000300010100000000000100000000020020000100000000021800190002000102000000000005200000002002000001020000000000052000000020020000010100000000000512000000",
];

/// The bytes of a descriptor that is written in hexadecimal.
pub(crate) fn unhex(text: &str) -> Vec<u8> {
    (0..text.len() / 2)
        .map(|at| u8::from_str_radix(&text[2 * at..2 * at + 2], 16).unwrap())
        .collect()
}

/// Any SID that can be written as text.
pub(crate) fn sid() -> BoxedStrategy<Sid> {
    let any_sid = (0..1u64 << 48, vec(any::<u32>(), 1..=15))
        .prop_map(|(authority, numbers)| Sid::new(authority, &numbers).unwrap());
    let usual = prop::sample::select(vec![
        Sid::SYSTEM,
        Sid::NETWORK_SERVICE,
        Sid::ADMINISTRATORS,
        Sid::EVERYONE,
        Sid::USERS,
        Sid::OWNER_RIGHTS,
        Sid::of_service("SessionEnv"),
    ]);
    prop_oneof![usual, any_sid].boxed()
}

fn object_types(other_flags: BoxedStrategy<u32>) -> BoxedStrategy<ObjectTypes> {
    let guid = || option::of(any::<[u8; 16]>().prop_map(Guid));
    (other_flags, guid(), guid())
        .prop_map(|(other_flags, object_type, inherited)| ObjectTypes {
            other_flags: other_flags & !3,
            object_type,
            inherited_object_type: inherited,
        })
        .boxed()
}

fn trustee_ace(
    types: BoxedStrategy<u8>,
    data: BoxedStrategy<Vec<u8>>,
    other_flags: BoxedStrategy<u32>,
) -> BoxedStrategy<Ace> {
    (
        types,
        any::<u8>(),
        any::<u32>(),
        object_types(other_flags),
        sid(),
        data,
    )
        .prop_map(|(ace_type, flags, mask, object, sid, data)| Ace {
            ace_type: AceType(ace_type),
            flags: AceFlags(flags),
            body: AceBody::Trustee(Trustee {
                mask: AccessMask(mask),
                object: AceType(ace_type).is_object().then_some(object),
                sid,
                data,
            }),
        })
        .boxed()
}

/// Bytes in whole words, which need no padding.
fn words(most: usize) -> BoxedStrategy<Vec<u8>> {
    vec(any::<[u8; 4]>(), 0..most)
        .prop_map(|words| words.concat())
        .boxed()
}

/// Any ACE that can be written as bytes.
pub(crate) fn any_ace() -> BoxedStrategy<Ace> {
    let known = (0u8..=0x15).prop_filter("compound", |t| *t != 4).boxed();
    let opaque = (prop_oneof![Just(4u8), 0x16..=0xFFu8], any::<u8>(), words(6)).prop_map(
        |(ace_type, flags, bytes)| Ace {
            ace_type: AceType(ace_type),
            flags: AceFlags(flags),
            body: AceBody::Opaque(bytes),
        },
    );
    prop_oneof![
        4 => trustee_ace(known, words(6), any::<u32>().boxed()),
        1 => opaque,
    ]
    .boxed()
}

/// Any ACE that SDDL can express, without conditions and attributes.
pub(crate) fn plain_ace() -> BoxedStrategy<Ace> {
    let types = prop::sample::select(vec![0u8, 1, 2, 3, 5, 6, 7, 8, 0x11, 0x13, 0x14]).boxed();
    trustee_ace(types, Just(Vec::new()).boxed(), Just(0u32).boxed())
}

fn slot(ace: BoxedStrategy<Ace>) -> BoxedStrategy<AclSlot> {
    prop_oneof![
        1 => Just(AclSlot::Absent),
        1 => Just(AclSlot::Null),
        4 => vec(ace, 0..6).prop_map(|aces| AclSlot::List(Acl::new(aces))),
    ]
    .boxed()
}

/// A descriptor of such ACEs, with control bits of `bits`.
pub(crate) fn descriptor(ace: BoxedStrategy<Ace>, bits: u16) -> BoxedStrategy<SecurityDescriptor> {
    let slots = (slot(ace.clone()), slot(ace));
    (option::of(sid()), option::of(sid()), slots, any::<u16>())
        .prop_map(move |(owner, group, (dacl, sacl), control)| {
            let mut descriptor = SecurityDescriptor::new();
            descriptor.owner = owner;
            descriptor.group = group;
            descriptor.dacl = dacl;
            descriptor.sacl = sacl;
            descriptor.set_control(Control(control & bits), true);
            descriptor
        })
        .boxed()
}
