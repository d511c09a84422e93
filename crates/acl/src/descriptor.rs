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
    /// Who may do what.
    pub dacl: AclSlot,
    /// What is audited, and the integrity label.
    pub sacl: AclSlot,
    /// The control bits, without those that say which ACLs are there: these follow the slots.
    control: Control,
    /// The byte Sbz1, which a resource manager may use.
    resource_manager: u8,
    /// The order of the parts in the bytes.
    order: [Part; 4],
}

/// One of the two ACLs of a descriptor.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
pub enum AclSlot {
    /// There is none. A descriptor without a DACL allows everyone everything.
    #[default]
    Absent,
    /// There is a NULL one. A NULL DACL allows everyone everything.
    Null,
    /// There is one. A DACL without entries allows nobody anything, save what the owner always
    /// may.
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

    /// True if both are there in the same way and hold the same entries.
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
    /// A descriptor without any part.
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

    /// The control bits, with those that say which ACLs are there.
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

    /// Sets or clears control bits. Those that say which ACLs are there follow `dacl` and `sacl`
    /// and can't be set.
    pub fn set_control(&mut self, bits: Control, on: bool) {
        self.control = if on {
            self.control | bits
        } else {
            self.control.without(bits)
        };
    }

    /// True if both say the same about owner, group, rights, audit and inheritance. The order of
    /// the parts in the bytes, unused space, the bits that say that a part came from a default, and
    /// those about an ACL that is not there count for nothing.
    #[must_use]
    pub fn means_the_same(&self, other: &Self) -> bool {
        self.owner == other.owner
            && self.group == other.group
            && self.dacl.means_the_same(&other.dacl)
            && self.sacl.means_the_same(&other.sacl)
            && self.lasting_control() == other.lasting_control()
            && self.resource_manager == other.resource_manager
    }

    /// The control bits that still mean something once the descriptor is stored.
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
