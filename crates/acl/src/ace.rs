//! Access control entries (MS-DTYP 2.4.4).

mod binary;
mod flags;
mod kind;

pub use flags::AceFlags;
pub use kind::AceType;
pub(crate) use kind::Effect;

use diskmend_base::Guid;

use crate::mask::AccessMask;
use crate::sid::Sid;

/// One entry of an ACL.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Ace {
    /// The entry's type.
    pub ace_type: AceType,
    /// Inheritance and audit flags.
    pub flags: AceFlags,
    /// What follows the header.
    pub body: AceBody,
}

/// The bytes after an ACE's header.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum AceBody {
    /// A mask and a SID. Every type that MS-DTYP defines has them.
    Trustee(Trustee),
    /// The bytes after the header of a type that MS-DTYP doesn't define. They are kept unchanged.
    Opaque(Vec<u8>),
}

/// The mask and the SID of an ACE, and the fields that some types add.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Trustee {
    /// The rights the ACE is about.
    pub mask: AccessMask,
    /// The fields of an object ACE. They are present in the object types only.
    pub object: Option<ObjectTypes>,
    /// The account that the ACE is about.
    pub sid: Sid,
    /// The bytes after the SID: the condition of a conditional ACE, or the attribute of a resource
    /// attribute ACE. Plain ACEs have none.
    pub data: Vec<u8>,
}

/// The fields that only an object ACE has (MS-DTYP 2.4.4.3).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct ObjectTypes {
    /// The bits of Flags that aren't about the two GUIDs.
    pub other_flags: u32,
    /// The kind of object, property or right that the ACE is about.
    pub object_type: Option<Guid>,
    /// The kind of object that inherits the ACE.
    pub inherited_object_type: Option<Guid>,
}

impl ObjectTypes {
    /// For an ACE about every kind of object that every kind inherits.
    pub(crate) const NONE: Self = Self {
        other_flags: 0,
        object_type: None,
        inherited_object_type: None,
    };
}

impl Ace {
    /// A plain ACE that allows `sid` the rights of `mask`.
    #[must_use]
    pub(crate) const fn allow(sid: Sid, mask: AccessMask, flags: AceFlags) -> Self {
        Self {
            ace_type: AceType::ACCESS_ALLOWED,
            flags,
            body: AceBody::Trustee(Trustee {
                mask,
                object: None,
                sid,
                data: Vec::new(),
            }),
        }
    }

    /// The mask and SID, if the type has them.
    #[must_use]
    pub const fn trustee(&self) -> Option<&Trustee> {
        match &self.body {
            AceBody::Trustee(trustee) => Some(trustee),
            AceBody::Opaque(_) => None,
        }
    }

    /// True if the ACE was inherited from the parent folder.
    #[must_use]
    pub const fn is_inherited(&self) -> bool {
        self.flags.contains(AceFlags::INHERITED)
    }

    /// True if the ACE counts for its own object and its mask holds a generic right. Windows replaces
    /// generic rights when it sets a descriptor, so that no stored descriptor has such an entry.
    #[must_use]
    pub fn has_generic_rights(&self) -> bool {
        let generic = AccessMask::GENERIC_ALL
            | AccessMask::GENERIC_EXECUTE
            | AccessMask::GENERIC_WRITE
            | AccessMask::GENERIC_READ;
        let mask = self.trustee().map(|trustee| trustee.mask);
        self.applies_here() && mask.is_some_and(|mask| mask.intersects(generic))
    }

    /// True if the ACE counts for its own object and not only for those that inherit it.
    #[must_use]
    pub(crate) const fn applies_here(&self) -> bool {
        !self.flags.contains(AceFlags::INHERIT_ONLY)
    }
}
