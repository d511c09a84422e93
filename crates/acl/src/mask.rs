//! Access masks (MS-DTYP 2.4.3) and the letters that icacls writes for them.

mod letters;

use std::fmt;
use std::ops::{BitAnd, BitOr, Not};

pub use letters::MaskTextError;

/// The objects that a mask is about. They give a meaning to its low 16 bits, to generic rights, and
/// to the letters that stand for rights.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Hash, Default)]
pub enum Objects {
    /// Files and folders.
    #[default]
    Files,
    /// Keys of the registry.
    Keys,
}

/// The rights that an ACE grants or denies. The constants have their meaning for files, except for
/// those of keys.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct AccessMask(pub u32);

impl AccessMask {
    /// No right.
    pub(crate) const NONE: Self = Self(0);
    /// FILE_READ_DATA, or FILE_LIST_DIRECTORY.
    pub(crate) const READ_DATA: Self = Self(0x1);
    /// FILE_WRITE_DATA, or FILE_ADD_FILE.
    pub(crate) const WRITE_DATA: Self = Self(0x2);
    /// FILE_APPEND_DATA, or FILE_ADD_SUBDIRECTORY.
    pub(crate) const APPEND_DATA: Self = Self(0x4);
    /// FILE_READ_EA.
    pub(crate) const READ_EA: Self = Self(0x8);
    /// FILE_WRITE_EA.
    pub(crate) const WRITE_EA: Self = Self(0x10);
    /// FILE_EXECUTE, or FILE_TRAVERSE.
    pub(crate) const EXECUTE: Self = Self(0x20);
    /// FILE_DELETE_CHILD.
    pub(crate) const DELETE_CHILD: Self = Self(0x40);
    /// FILE_READ_ATTRIBUTES.
    pub(crate) const READ_ATTRIBUTES: Self = Self(0x80);
    /// FILE_WRITE_ATTRIBUTES.
    pub(crate) const WRITE_ATTRIBUTES: Self = Self(0x100);
    /// DELETE.
    pub(crate) const DELETE: Self = Self(0x1_0000);
    /// READ_CONTROL: read the security descriptor without its SACL.
    pub(crate) const READ_CONTROL: Self = Self(0x2_0000);
    /// WRITE_DAC: change the DACL.
    pub(crate) const WRITE_DAC: Self = Self(0x4_0000);
    /// WRITE_OWNER.
    pub(crate) const WRITE_OWNER: Self = Self(0x8_0000);
    /// SYNCHRONIZE.
    pub(crate) const SYNCHRONIZE: Self = Self(0x10_0000);
    /// ACCESS_SYSTEM_SECURITY: read and change the SACL.
    pub(crate) const SYSTEM_SECURITY: Self = Self(0x100_0000);
    /// MAXIMUM_ALLOWED.
    pub(crate) const MAXIMUM_ALLOWED: Self = Self(0x200_0000);
    /// GENERIC_ALL.
    pub(crate) const GENERIC_ALL: Self = Self(0x1000_0000);
    /// GENERIC_EXECUTE.
    pub(crate) const GENERIC_EXECUTE: Self = Self(0x2000_0000);
    /// GENERIC_WRITE.
    pub(crate) const GENERIC_WRITE: Self = Self(0x4000_0000);
    /// GENERIC_READ.
    pub(crate) const GENERIC_READ: Self = Self(0x8000_0000);

    /// FILE_ALL_ACCESS, icacls's `F`.
    pub(crate) const FILE_ALL: Self = Self(0x1F_01FF);
    /// FILE_GENERIC_READ, icacls's `R`.
    pub const FILE_READ: Self = Self(0x12_0089);
    /// FILE_GENERIC_WRITE. icacls's `W` is this mask without READ_CONTROL.
    pub(crate) const FILE_WRITE: Self = Self(0x12_0116);
    /// FILE_GENERIC_EXECUTE.
    pub(crate) const FILE_EXECUTE: Self = Self(0x12_00A0);

    /// KEY_ALL_ACCESS.
    pub(crate) const KEY_ALL: Self = Self(0xF_003F);
    /// KEY_READ.
    pub(crate) const KEY_READ: Self = Self(0x2_0019);
    /// The rights for which Windows takes GENERIC_EXECUTE of a key: KEY_READ and KEY_CREATE_LINK.
    pub(crate) const KEY_EXECUTE: Self = Self(0x2_0039);
    /// KEY_WRITE.
    pub(crate) const KEY_WRITE: Self = Self(0x2_0006);

    /// Every bit that can be in an ACE of a key: KEY_ALL_ACCESS and ACCESS_SYSTEM_SECURITY.
    pub(crate) const OF_KEYS: Self = Self(0x10F_003F);

    /// True if every right of `other` is in this mask.
    #[must_use]
    pub(crate) const fn contains(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }

    /// True if the two masks have a right in common.
    #[must_use]
    pub(crate) const fn intersects(self, other: Self) -> bool {
        self.0 & other.0 != 0
    }

    /// The rights of this mask that `other` doesn't have.
    #[must_use]
    pub(crate) const fn without(self, other: Self) -> Self {
        Self(self.0 & !other.0)
    }

    /// True if the mask holds no right.
    #[must_use]
    pub(crate) const fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// The mask with every generic right replaced by the file rights it stands for (MS-DTYP 2.4.3,
    /// the generic mapping of file objects).
    #[must_use]
    pub(crate) fn map_generic(self) -> Self {
        self.map_generic_of(Objects::Files)
    }

    /// The mask with every generic right replaced by the rights of these objects that it stands for
    /// (MS-DTYP 2.4.3, generic mapping).
    #[must_use]
    pub(crate) fn map_generic_of(self, objects: Objects) -> Self {
        let [read, write, execute, all] = match objects {
            Objects::Files => [
                Self::FILE_READ,
                Self::FILE_WRITE,
                Self::FILE_EXECUTE,
                Self::FILE_ALL,
            ],
            Objects::Keys => [
                Self::KEY_READ,
                Self::KEY_WRITE,
                Self::KEY_EXECUTE,
                Self::KEY_ALL,
            ],
        };
        let generic = [
            (Self::GENERIC_READ, read),
            (Self::GENERIC_WRITE, write),
            (Self::GENERIC_EXECUTE, execute),
            (Self::GENERIC_ALL, all),
        ];
        generic.into_iter().fold(self, |mask, (from, to)| {
            if mask.contains(from) {
                mask.without(from) | to
            } else {
                mask
            }
        })
    }
}

impl BitOr for AccessMask {
    type Output = Self;

    fn bitor(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }
}

impl BitAnd for AccessMask {
    type Output = Self;

    fn bitand(self, other: Self) -> Self {
        Self(self.0 & other.0)
    }
}

impl Not for AccessMask {
    type Output = Self;

    fn not(self) -> Self {
        Self(!self.0)
    }
}

impl fmt::Debug for AccessMask {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:#x}", self.0)
    }
}
