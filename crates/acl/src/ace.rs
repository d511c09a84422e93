//! Access control entries (MS-DTYP 2.4.4).

mod binary;
mod flags;
mod kind;

pub use flags::AceFlags;
pub use kind::{AceType, Effect};

use diskmend_base::Guid;

use crate::mask::AccessMask;
use crate::sid::Sid;

/// One entry of an ACL.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Ace {
    /// What kind of entry it is.
    pub ace_type: AceType,
    /// Inheritance and audit flags.
    pub flags: AceFlags,
    /// What follows the header.
    pub body: AceBody,
}

/// What follows an ACE's header.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum AceBody {
    /// A mask for a SID, which is every type that MS-DTYP defines.
    Trustee(Trustee),
    /// The bytes after the header of a type that MS-DTYP does not define; kept as they are.
    Opaque(Vec<u8>),
}

/// The mask and SID of an ACE, with what some types add.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Trustee {
    /// The rights the ACE is about.
    pub mask: AccessMask,
    /// What an object ACE adds; there exactly in the object types.
    pub object: Option<ObjectTypes>,
    /// Whom it is about.
    pub sid: Sid,
    /// What follows the SID: the condition of a conditional ACE, the attribute of a resource
    /// attribute ACE; empty in plain ACEs.
    pub data: Vec<u8>,
}

/// What an object ACE adds (MS-DTYP 2.4.4.3).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct ObjectTypes {
    /// The bits of Flags that say nothing about the two GUIDs.
    pub other_flags: u32,
    /// The kind of object, property or right that the ACE is about.
    pub object_type: Option<Guid>,
    /// The kind of object that inherits the ACE.
    pub inherited_object_type: Option<Guid>,
}

impl ObjectTypes {
    /// An ACE about every kind of object, which every kind inherits.
    pub(crate) const NONE: Self = Self {
        other_flags: 0,
        object_type: None,
        inherited_object_type: None,
    };
}

impl Ace {
    /// A plain ACE that allows `sid` the rights of `mask`.
    #[must_use]
    pub const fn allow(sid: Sid, mask: AccessMask, flags: AceFlags) -> Self {
        Self::plain(AceType::ACCESS_ALLOWED, sid, mask, flags)
    }

    /// A plain ACE that denies `sid` the rights of `mask`.
    #[must_use]
    pub const fn deny(sid: Sid, mask: AccessMask, flags: AceFlags) -> Self {
        Self::plain(AceType::ACCESS_DENIED, sid, mask, flags)
    }

    const fn plain(ace_type: AceType, sid: Sid, mask: AccessMask, flags: AceFlags) -> Self {
        Self {
            ace_type,
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

    /// True if the ACE came from the parent folder.
    #[must_use]
    pub const fn is_inherited(&self) -> bool {
        self.flags.contains(AceFlags::INHERITED)
    }

    /// True if the ACE counts for the object that carries it and not only for what inherits it.
    #[must_use]
    pub const fn applies_here(&self) -> bool {
        !self.flags.contains(AceFlags::INHERIT_ONLY)
    }
}
