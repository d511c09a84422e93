//! The flags in an ACE's header (MS-DTYP 2.4.4.1).

use std::ops::BitOr;

/// Inheritance and audit flags; bits without a name are kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct AceFlags(pub u8);

impl AceFlags {
    /// No flag.
    pub const NONE: Self = Self(0);
    /// Files in the folder inherit the ACE, icacls's `(OI)`.
    pub const OBJECT_INHERIT: Self = Self(0x01);
    /// Folders in the folder inherit the ACE, icacls's `(CI)`.
    pub const CONTAINER_INHERIT: Self = Self(0x02);
    /// Objects that inherit the ACE don't pass it on, icacls's `(NP)`.
    pub const NO_PROPAGATE: Self = Self(0x04);
    /// The ACE doesn't count for the object itself, icacls's `(IO)`.
    pub const INHERIT_ONLY: Self = Self(0x08);
    /// The ACE was inherited from the parent, icacls's `(I)`.
    pub(crate) const INHERITED: Self = Self(0x10);
    /// Write an audit event if access is given.
    pub(crate) const SUCCESSFUL_ACCESS: Self = Self(0x40);
    /// Write an audit event if access is refused.
    pub(crate) const FAILED_ACCESS: Self = Self(0x80);
    /// Files and folders in the folder inherit the ACE, icacls's `(OI)(CI)`.
    pub(crate) const INHERIT_BOTH: Self = Self(0x03);

    /// All flags about inheritance: who inherits the ACE, and if it was inherited itself.
    pub(crate) const INHERITANCE: Self = Self(0x1F);

    /// True if every flag of `other` is set.
    #[must_use]
    pub const fn contains(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }

    /// These flags without those of `other`.
    #[must_use]
    pub(crate) const fn without(self, other: Self) -> Self {
        Self(self.0 & !other.0)
    }
}

impl BitOr for AceFlags {
    type Output = Self;

    fn bitor(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }
}
