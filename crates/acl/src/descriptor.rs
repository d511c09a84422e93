//! Self-relative security descriptors (MS-DTYP 2.4.6).

mod binary;
mod control;
mod salvage;

pub use control::Control;
pub use salvage::{Part, Salvaged};

use crate::acl::Acl;
use crate::sid::Sid;

/// Who owns an object and who may do what with it.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct SecurityDescriptor {
    /// The owner, if there is one.
    pub owner: Option<Sid>,
    /// The primary group, if there is one.
    pub group: Option<Sid>,
    /// The DACL: who may do what.
    pub dacl: AclSlot,
    /// The SACL: what is audited, and the integrity label.
    pub sacl: AclSlot,
    /// The control bits without those that say which ACLs are present; these follow from `dacl` and
    /// `sacl`.
    control: Control,
    /// The byte Sbz1, which a resource manager may use.
    resource_manager: u8,
    /// The order in which the bytes hold the parts.
    order: [Part; 4],
}

/// One of the two ACLs of a descriptor.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
pub enum AclSlot {
    /// The ACL isn't present. A descriptor without a DACL allows everyone everything.
    #[default]
    Absent,
    /// The ACL is present and NULL. A NULL DACL allows everyone everything.
    Null,
    /// The ACL is present. A DACL without entries allows nobody anything, except what the owner may
    /// always do.
    List(Acl),
}

impl AclSlot {
    /// The list, if there is one.
    #[must_use]
    pub const fn list(&self) -> Option<&Acl> {
        match self {
            Self::List(acl) => Some(acl),
            Self::Absent | Self::Null => None,
        }
    }

    /// The list for editing, if there is one.
    pub const fn list_mut(&mut self) -> Option<&mut Acl> {
        match self {
            Self::List(acl) => Some(acl),
            Self::Absent | Self::Null => None,
        }
    }

    /// True if both ACLs are present in the same way and hold the same entries.
    pub(crate) fn means_the_same(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::List(a), Self::List(b)) => a.means_the_same(b),
            (Self::Absent, Self::Absent) | (Self::Null, Self::Null) => true,
            _ => false,
        }
    }
}

impl Default for SecurityDescriptor {
    fn default() -> Self {
        Self::new()
    }
}

impl SecurityDescriptor {
    /// A descriptor without any parts.
    #[must_use]
    pub const fn new() -> Self {
        Self {
            owner: None,
            group: None,
            dacl: AclSlot::Absent,
            sacl: AclSlot::Absent,
            control: Control::SELF_RELATIVE,
            resource_manager: 0,
            order: Part::WINDOWS_ORDER,
        }
    }

    /// The control bits, including those that say which ACLs are present.
    #[must_use]
    pub fn control(&self) -> Control {
        let mut control = self.control | Control::SELF_RELATIVE;
        for (slot, bit) in [
            (&self.dacl, Control::DACL_PRESENT),
            (&self.sacl, Control::SACL_PRESENT),
        ] {
            control = match slot {
                AclSlot::Absent => control.without(bit),
                AclSlot::Null | AclSlot::List(_) => control | bit,
            };
        }
        control
    }

    /// Sets or clears control bits. The bits that say which ACLs are present can't be set: they
    /// follow from `dacl` and `sacl`.
    pub fn set_control(&mut self, bits: Control, on: bool) {
        self.control = if on {
            self.control | bits
        } else {
            self.control.without(bits)
        };
    }

    /// True if both descriptors say the same about owner, group, rights, audit and inheritance. The
    /// comparison ignores the order of the parts in the bytes, unused space, the bits that say that
    /// a part came from a default, and the bits about an ACL that isn't present.
    #[must_use]
    pub fn means_the_same(&self, other: &Self) -> bool {
        self.owner == other.owner
            && self.group == other.group
            && self.dacl.means_the_same(&other.dacl)
            && self.sacl.means_the_same(&other.sacl)
            && self.lasting_control() == other.lasting_control()
            && self.resource_manager == other.resource_manager
    }

    /// The control bits that still have a meaning in a stored descriptor.
    fn lasting_control(&self) -> Control {
        let mut control = self.control().without(Control::DEFAULTED);
        if self.dacl == AclSlot::Absent {
            control = control.without(Control::DACL_INHERITANCE);
        }
        if self.sacl == AclSlot::Absent {
            control = control.without(Control::SACL_INHERITANCE);
        }
        control
    }
}
