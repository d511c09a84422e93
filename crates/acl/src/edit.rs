//! Changing descriptors by the rules of icacls and takeown.

mod deny;
mod difference;
mod grant;
mod inherit;
mod order;
mod replace;

use std::fmt;

pub use grant::{Grant, GrantTextError};

use crate::ace::{Ace, AceType};
use crate::acl::Acl;
use crate::descriptor::{AclSlot, Control, SecurityDescriptor};
use crate::mask::Objects;
use crate::sid::Sid;

/// A change to a descriptor, for the plan and the report.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Edit {
    /// An ACE was added.
    Added {
        /// The new ACE.
        ace: Ace,
    },
    /// An explicit ACE got more rights.
    Widened {
        /// The ACE before the change.
        before: Ace,
        /// The ACE after the change.
        after: Ace,
    },
    /// An ACE was removed.
    Removed {
        /// The ACE that was removed.
        ace: Ace,
    },
    /// An ACE that denied more than the wanted rights no longer denies the wanted ones.
    DenyNarrowed {
        /// The ACE before the change.
        before: Ace,
        /// The ACE after the change.
        after: Ace,
    },
    /// The entries that stayed got another order: the canonical one, because an inherited entry won
    /// over an explicit one, or the order that was asked for.
    Reordered,
    /// The whole DACL was replaced.
    DaclReplaced {
        /// What was wrong with the old DACL.
        fault: DaclFault,
    },
    /// The DACL was made a NULL DACL.
    DaclNulled,
    /// The DACL's protection from inheritance was set or removed.
    Protection {
        /// True if the DACL now inherits nothing from the parent.
        protected: bool,
    },
    /// The mark of a DACL that automatic inheritance made was set or removed.
    AutoInherited {
        /// True if the DACL now has the mark.
        inherited: bool,
    },
    /// The owner was set.
    OwnerSet {
        /// The owner before.
        before: Option<Sid>,
        /// The owner now.
        after: Sid,
    },
    /// The primary group was set.
    GroupSet {
        /// The group before.
        before: Option<Sid>,
        /// The group now.
        after: Sid,
    },
}

/// The reason why a DACL can't be edited entry by entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DaclFault {
    /// The descriptor has no DACL, so everyone may do everything.
    Absent,
    /// The DACL is NULL, so everyone may do everything.
    Null,
    /// The DACL has no entries, so nobody may do anything.
    Empty,
    /// The DACL's bytes aren't an ACL.
    Corrupt,
}

impl fmt::Display for Edit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.write(Objects::Files, f)
    }
}

impl Objects {
    /// An edit of the descriptor of such an object, for display.
    #[must_use]
    pub fn edit_text(self, edit: &Edit) -> String {
        let mut text = String::new();
        // Writing to a string can't fail.
        let _ = edit.write(self, &mut text);
        text
    }
}

impl Edit {
    fn write(&self, objects: Objects, f: &mut impl fmt::Write) -> fmt::Result {
        match self {
            Self::Added { ace } => {
                let plain = ace.ace_type == AceType::ACCESS_ALLOWED;
                let verb = if plain { "allow" } else { "add" };
                write!(f, "{verb} {}", objects.ace_text(ace))
            }
            Self::Widened { before, after } => {
                write!(
                    f,
                    "allow {}, was {}",
                    objects.ace_text(after),
                    objects.ace_text(before)
                )
            }
            Self::Removed { ace } => write!(f, "remove {}", objects.ace_text(ace)),
            Self::DenyNarrowed { before, after } => {
                write!(
                    f,
                    "deny only {}, was {}",
                    objects.ace_text(after),
                    objects.ace_text(before)
                )
            }
            Self::Reordered => f.write_str("put the entries in the right order"),
            Self::DaclReplaced { fault } => write!(f, "replace the DACL: {fault}"),
            Self::DaclNulled => f.write_str("set a NULL DACL, everyone may do everything"),
            Self::Protection { protected: true } => {
                f.write_str("protect the DACL from inheritance")
            }
            Self::Protection { protected: false } => f.write_str("let the DACL inherit"),
            Self::AutoInherited { inherited: true } => f.write_str("mark the DACL as inherited"),
            Self::AutoInherited { inherited: false } => {
                f.write_str("no longer mark the DACL as inherited")
            }
            Self::OwnerSet { before, after } => write_set(f, "owner", before.as_ref(), after),
            Self::GroupSet { before, after } => write_set(f, "group", before.as_ref(), after),
        }
    }
}

fn write_set(
    f: &mut impl fmt::Write,
    part: &str,
    before: Option<&Sid>,
    after: &Sid,
) -> fmt::Result {
    let before = before.map_or_else(|| "none".into(), Sid::display_name);
    write!(f, "set {part} {}, was {before}", after.display_name())
}

impl fmt::Display for DaclFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Absent => "there is none, everyone may do everything",
            Self::Null => "it is NULL, everyone may do everything",
            Self::Empty => "it is empty, nobody may do anything",
            Self::Corrupt => "it is corrupt",
        })
    }
}

impl SecurityDescriptor {
    /// The reason why the DACL can't be edited entry by entry, if there is one. It is never
    /// [`Corrupt`](DaclFault::Corrupt): [`salvage`](Self::salvage) reports a corrupt DACL.
    #[must_use]
    pub fn dacl_fault(&self) -> Option<DaclFault> {
        fault(&self.dacl)
    }

    /// Sets the owner, as takeown and `icacls /setowner` do. `None` if the SID already is the
    /// owner.
    pub fn set_owner(&mut self, owner: Sid) -> Option<Edit> {
        if self.owner == Some(owner) {
            return None;
        }
        let before = self.owner.replace(owner);
        self.set_control(Control::OWNER_DEFAULTED, false);
        Some(Edit::OwnerSet {
            before,
            after: owner,
        })
    }

    /// Sets the primary group. `None` if the SID already is the group.
    pub fn set_group(&mut self, group: Sid) -> Option<Edit> {
        if self.group == Some(group) {
            return None;
        }
        let before = self.group.replace(group);
        self.set_control(Control::GROUP_DEFAULTED, false);
        Some(Edit::GroupSet {
            before,
            after: group,
        })
    }

    /// Replaces the DACL, and its control bits for inheritance, by those of `from`.
    pub fn replace_dacl(&mut self, from: &Self, fault: DaclFault) -> Edit {
        self.dacl = from.dacl.clone();
        for bit in [Control::DACL_PROTECTED, Control::DACL_AUTO_INHERITED] {
            self.set_control(bit, from.control().contains(bit));
        }
        self.dacl_was_edited();
        Edit::DaclReplaced { fault }
    }

    /// Protects the DACL from the parent folder's entries (SE_DACL_PROTECTED) or removes that
    /// protection. `None` if nothing had to change.
    pub(crate) fn protect_dacl(&mut self, protected: bool) -> Option<Edit> {
        let was_protected = self.control().contains(Control::DACL_PROTECTED);
        self.set_control(Control::DACL_PROTECTED, protected);
        (protected != was_protected).then_some(Edit::Protection { protected })
    }

    /// Replaces the DACL by `to` and returns what that changes; nothing if the entries are equal
    /// already.
    fn set_dacl(&mut self, to: AclSlot) -> Vec<Edit> {
        let edits = difference::between(&self.dacl, &to);
        if !edits.is_empty() {
            self.dacl = to;
        }
        edits
    }

    /// The DACL for editing. This clears the bits that say that the DACL came from a default and
    /// that its inheritance is still to be computed, because an edited DACL makes both untrue.
    fn dacl_for_edit(&mut self) -> Option<&mut Acl> {
        self.dacl.list()?;
        self.dacl_was_edited();
        let acl = self.dacl.list_mut()?;
        acl.drop_slack();
        Some(acl)
    }

    fn dacl_was_edited(&mut self) {
        self.set_control(Control::DACL_DEFAULTED, false);
        self.set_control(Control::DACL_AUTO_INHERIT_REQUIRED, false);
    }
}

fn fault(dacl: &AclSlot) -> Option<DaclFault> {
    match dacl {
        AclSlot::Absent => Some(DaclFault::Absent),
        AclSlot::Null => Some(DaclFault::Null),
        AclSlot::List(acl) if acl.aces.is_empty() => Some(DaclFault::Empty),
        AclSlot::List(_) => None,
    }
}
