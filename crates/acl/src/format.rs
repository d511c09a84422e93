//! Every binary structure of a security descriptor, as MS-DTYP sections 2.4.2 to 2.4.6 define it.
//!
//! All numbers are little-endian except a SID's identifier authority.

use zerocopy::byteorder::little_endian::{U16, U32};
use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout, Unaligned};

/// The fixed start of a SID (MS-DTYP 2.4.2.2); `sub_authority_count` numbers of 32 bits follow.
#[derive(Clone, Copy, FromBytes, IntoBytes, KnownLayout, Immutable, Unaligned)]
#[repr(C)]
pub(crate) struct SidHeader {
    /// Always 1.
    pub(crate) revision: u8,
    /// At most 15.
    pub(crate) sub_authority_count: u8,
    /// A big-endian number of 48 bits.
    pub(crate) identifier_authority: [u8; 6],
}

/// The start of every ACE (MS-DTYP 2.4.4.1).
#[derive(Clone, Copy, FromBytes, IntoBytes, KnownLayout, Immutable, Unaligned)]
#[repr(C)]
pub(crate) struct AceHeader {
    /// The type of ACE that follows.
    pub(crate) ace_type: u8,
    /// Inheritance and audit flags.
    pub(crate) ace_flags: u8,
    /// The length of the ACE in bytes, with this header. It is a multiple of 4.
    pub(crate) ace_size: U16,
}

/// The start of an ACL (MS-DTYP 2.4.5); `ace_count` ACEs follow.
#[derive(Clone, Copy, FromBytes, IntoBytes, KnownLayout, Immutable, Unaligned)]
#[repr(C)]
pub(crate) struct AclHeader {
    /// 2, or 4 if an object ACE may follow.
    pub(crate) acl_revision: u8,
    /// Reserved, zero.
    pub(crate) sbz1: u8,
    /// The length of the ACL in bytes, with this header and the unused space at the end.
    pub(crate) acl_size: U16,
    /// The number of ACEs.
    pub(crate) ace_count: U16,
    /// Reserved, zero.
    pub(crate) sbz2: U16,
}

/// The start of a self-relative security descriptor (MS-DTYP 2.4.6). The offsets are in bytes from
/// the start of this structure and are multiples of 4. Offset 0 means that the part is missing.
#[derive(Clone, Copy, FromBytes, IntoBytes, KnownLayout, Immutable, Unaligned)]
#[repr(C)]
pub(crate) struct DescriptorHeader {
    /// Always 1.
    pub(crate) revision: u8,
    /// Reserved, or bits of a resource manager if the control bit RM is set.
    pub(crate) sbz1: u8,
    /// The control bits.
    pub(crate) control: U16,
    /// The owner's SID.
    pub(crate) offset_owner: U32,
    /// The primary group's SID.
    pub(crate) offset_group: U32,
    /// The SACL. 0 together with the control bit SP means a NULL SACL.
    pub(crate) offset_sacl: U32,
    /// The DACL. 0 together with the control bit DP means a NULL DACL.
    pub(crate) offset_dacl: U32,
}

const _: () = assert!(size_of::<SidHeader>() == 8);
const _: () = assert!(size_of::<AceHeader>() == 4);
const _: () = assert!(size_of::<AclHeader>() == 8);
const _: () = assert!(size_of::<DescriptorHeader>() == 20);

/// The revision of a SID and of a security descriptor.
pub(crate) const REVISION: u8 = 1;
/// The revision of an ACL without object ACEs.
pub(crate) const ACL_REVISION: u8 = 2;
/// The revision of an ACL that may hold object ACEs.
pub(crate) const ACL_REVISION_DS: u8 = 4;
/// The greatest number of sub-authorities in a SID.
pub(crate) const MAX_SUB_AUTHORITIES: usize = 15;
/// The greatest length of an ACL and of an ACE in bytes.
pub(crate) const MAX_ACL_LEN: usize = 0xFFFF;
/// Offsets and lengths are multiples of this.
pub(crate) const ALIGNMENT: usize = 4;
/// The bit of an object ACE's Flags that says that ObjectType is present (MS-DTYP 2.4.4.3).
pub(crate) const OBJECT_TYPE_PRESENT: u32 = 1;
/// The bit of an object ACE's Flags that says that InheritedObjectType is present.
pub(crate) const INHERITED_OBJECT_TYPE_PRESENT: u32 = 2;
