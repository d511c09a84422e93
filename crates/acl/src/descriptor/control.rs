//! The control bits of a security descriptor (MS-DTYP 2.4.6, Control).

use std::ops::BitOr;

/// Control bits. Bits without a name here are kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct Control(pub u16);

impl Control {
    /// OD: the owner came from a default.
    pub(crate) const OWNER_DEFAULTED: Self = Self(0x0001);
    /// GD: the primary group came from a default.
    pub(crate) const GROUP_DEFAULTED: Self = Self(0x0002);
    /// DP: there is a DACL, perhaps a NULL one.
    pub const DACL_PRESENT: Self = Self(0x0004);
    /// DD: the DACL came from a default.
    pub(crate) const DACL_DEFAULTED: Self = Self(0x0008);
    /// SP: there is a SACL, perhaps a NULL one.
    pub const SACL_PRESENT: Self = Self(0x0010);
    /// DC: whoever sets the DACL has to compute what it inherits.
    pub const DACL_AUTO_INHERIT_REQUIRED: Self = Self(0x0100);
    /// SC: whoever sets the SACL has to compute what it inherits.
    pub(crate) const SACL_AUTO_INHERIT_REQUIRED: Self = Self(0x0200);
    /// DI: automatic inheritance made the DACL, SDDL's `AI`.
    pub const DACL_AUTO_INHERITED: Self = Self(0x0400);
    /// SI: automatic inheritance made the SACL, SDDL's `AI`.
    pub(crate) const SACL_AUTO_INHERITED: Self = Self(0x0800);
    /// PD: the DACL inherits nothing from the parent, SDDL's `P`.
    pub const DACL_PROTECTED: Self = Self(0x1000);
    /// PS: the SACL inherits nothing from the parent, SDDL's `P`.
    pub(crate) const SACL_PROTECTED: Self = Self(0x2000);
    /// SR: the descriptor is one block of bytes, and offsets in its header lead to its parts.
    pub const SELF_RELATIVE: Self = Self(0x8000);

    /// OD, GD, DD and SD: a part came from a default.
    pub(super) const DEFAULTED: Self = Self(0x002B);
    /// DC, DI and PD: how the DACL inherits.
    pub(super) const DACL_INHERITANCE: Self = Self(0x1500);
    /// SC, SI and PS: how the SACL inherits.
    pub(super) const SACL_INHERITANCE: Self = Self(0x2A00);

    /// True if every bit of `other` is set.
    #[must_use]
    pub const fn contains(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }

    /// These bits without those of `other`.
    #[must_use]
    pub(crate) const fn without(self, other: Self) -> Self {
        Self(self.0 & !other.0)
    }
}

impl BitOr for Control {
    type Output = Self;

    fn bitor(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }
}
