//! Whether a DACL gives someone a right (MS-DTYP 2.5.3.2, access check algorithm).

use crate::ace::{Ace, Effect};
use crate::acl::Acl;
use crate::descriptor::SecurityDescriptor;
use crate::mask::AccessMask;
use crate::sid::Sid;
use crate::token::Token;

/// The outcome of an access check.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Access {
    /// The wanted rights that the DACL denies or doesn't grant.
    pub missing: AccessMask,
    /// The indexes of the DACL's entries, from 0, that deny a wanted right before another entry
    /// grants it.
    pub denied_by: Vec<usize>,
}

impl Access {
    /// True if the DACL gives every right that was asked for.
    #[must_use]
    pub const fn is_granted(&self) -> bool {
        self.missing.is_empty()
    }
}

impl SecurityDescriptor {
    /// Checks if the DACL gives `token` every right of `wanted`. A generic right counts as the file
    /// rights it stands for.
    ///
    /// Privileges, such as those to take ownership or to back up, are ignored. Neither the claims
    /// that a conditional ACE asks for nor object types are known here, so a conditional ACE or an
    /// object ACE counts if it denies and doesn't count if it allows. MS-DTYP 2.5.3.1.5 demands
    /// that for a condition with an unknown result.
    #[must_use]
    pub fn access(&self, token: &Token, wanted: AccessMask) -> Access {
        let Some(acl) = self.dacl.list() else {
            return Access::default();
        };
        let asker = Asker::of(self, acl, token);
        let mut undecided = asker.to_decide(wanted);
        let mut access = Access::default();
        for (index, ace) in acl.aces.iter().enumerate() {
            let Some((effect, mask)) = asker.counts(ace) else {
                continue;
            };
            if effect == Effect::Deny && undecided.intersects(mask) {
                access.denied_by.push(index);
                access.missing = access.missing | (undecided & mask);
            }
            undecided = undecided.without(mask);
        }
        access.missing = access.missing | undecided;
        access
    }

    /// The indexes of the explicit entries that deny a wanted right before another entry grants it,
    /// and of those that would do so after the entries before them are removed.
    pub(crate) fn explicit_denies(&self, token: &Token, wanted: AccessMask) -> Vec<usize> {
        let Some(acl) = self.dacl.list() else {
            return Vec::new();
        };
        let asker = Asker::of(self, acl, token);
        let mut undecided = asker.to_decide(wanted);
        let mut denies = Vec::new();
        for (index, ace) in acl.aces.iter().enumerate() {
            let Some((effect, mask)) = asker.counts(ace) else {
                continue;
            };
            if effect == Effect::Allow || ace.is_inherited() {
                undecided = undecided.without(mask);
            } else if undecided.intersects(mask) {
                denies.push(index);
            }
        }
        denies
    }
}

/// A token, and its relation to the object.
struct Asker<'a> {
    token: &'a Token,
    owns: bool,
    /// True if the token's user owns the object and the DACL doesn't limit the owner's rights.
    has_owner_s_rights: bool,
}

impl<'a> Asker<'a> {
    fn of(descriptor: &SecurityDescriptor, acl: &Acl, token: &'a Token) -> Self {
        let owns = descriptor.owner.is_some_and(|owner| token.holds(&owner));
        Self {
            token,
            owns,
            has_owner_s_rights: owns && !acl.aces.iter().any(limits_owner),
        }
    }

    /// The part of `wanted` that the entries decide about.
    fn to_decide(&self, wanted: AccessMask) -> AccessMask {
        let wanted = wanted.map_generic();
        if self.has_owner_s_rights {
            wanted.without(AccessMask::READ_CONTROL | AccessMask::WRITE_DAC)
        } else {
            wanted
        }
    }

    /// The ACE's effect on the token and the rights it is about; `None` if it has no effect.
    fn counts(&self, ace: &Ace) -> Option<(Effect, AccessMask)> {
        let effect = ace.ace_type.effect()?;
        let trustee = ace.trustee()?;
        let about =
            self.token.holds(&trustee.sid) || (self.owns && trustee.sid == Sid::OWNER_RIGHTS);
        if !ace.applies_here() || !about {
            return None;
        }
        let object_type = trustee.object.and_then(|object| object.object_type);
        let unknown = ace.ace_type.is_callback() || object_type.is_some();
        (!unknown || effect == Effect::Deny).then_some((effect, trustee.mask))
    }
}

/// True for an ACE that says what the owner may do, which replaces the rights that every owner has.
fn limits_owner(ace: &Ace) -> bool {
    ace.applies_here()
        && ace.ace_type.effect().is_some()
        && ace
            .trustee()
            .is_some_and(|trustee| trustee.sid == Sid::OWNER_RIGHTS)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sid::Domains;

    fn descriptor(sddl: &str) -> SecurityDescriptor {
        SecurityDescriptor::from_sddl(sddl, &Domains::default()).unwrap()
    }

    fn missing(sddl: &str, token: &Token, wanted: AccessMask) -> u32 {
        descriptor(sddl).access(token, wanted).missing.0
    }

    const READ: AccessMask = AccessMask::FILE_READ;

    #[test]
    fn the_windows_default_of_machine_keys_lets_services_make_keys() {
        let sddl = "O:SYG:SYD:PAI(A;;0x12019f;;;WD)(A;;FA;;;BA)";
        assert_eq!(
            missing(sddl, &Token::network_service(), AccessMask(0x12_019F)),
            0
        );
        assert_eq!(missing(sddl, &Token::system(), AccessMask::FILE_ALL), 0);
        assert_eq!(
            missing(sddl, &Token::network_service(), AccessMask::FILE_ALL),
            0x0D_0060
        );
    }

    #[test]
    fn no_dacl_allows_all_and_an_empty_one_only_what_the_owner_may() {
        let system = Token::system();
        assert_eq!(missing("O:BA", &system, AccessMask::FILE_ALL), 0);
        assert_eq!(
            missing("D:NO_ACCESS_CONTROL", &system, AccessMask::FILE_ALL),
            0
        );
        assert_eq!(missing("O:BUD:", &system, READ), READ.0);
        assert_eq!(missing("O:BAD:", &system, READ), 0x10_0089);
        assert_eq!(
            missing("O:BAD:(A;;FR;;;OW)", &system, AccessMask(0x6_0000)),
            0x4_0000
        );
    }

    #[test]
    fn the_order_of_allow_and_deny_decides() {
        let network = Token::network_service();
        let denied = descriptor("D:(D;;FR;;;WD)(A;;FR;;;NS)").access(&network, READ);
        assert_eq!((denied.missing, denied.denied_by), (READ, vec![0]));
        assert!(
            descriptor("D:(A;;FR;;;NS)(D;;FR;;;WD)")
                .access(&network, READ)
                .is_granted()
        );
        let part = descriptor("D:(A;;0x120000;;;NS)(D;;FR;;;BU)(A;;FA;;;WD)");
        let part = part.access(&network, READ);
        assert_eq!((part.missing.0, part.denied_by), (0x89, vec![1]));
    }

    #[test]
    fn aces_that_do_not_apply_to_this_object_are_not_counted() {
        let network = Token::network_service();
        assert_eq!(
            missing("D:(D;OICIIO;FA;;;NS)(A;;FR;;;NS)", &network, READ),
            0
        );
        assert_eq!(missing("D:(A;OICIIO;FA;;;NS)", &network, READ), READ.0);
        assert_eq!(
            missing("D:(AU;SA;FA;;;NS)(A;;FA;;;BA)", &network, READ),
            READ.0
        );
    }

    #[test]
    fn unknown_conditions_deny_but_do_not_allow() {
        let guid = "ab721a53-1e2f-11d0-9819-00aa0040529b";
        let network = Token::network_service();
        let sddl = format!("D:(OA;;FR;{guid};;NS)");
        assert_eq!(missing(&sddl, &network, READ), READ.0);
        let sddl = format!("D:(OD;;FR;{guid};;NS)(A;;FR;;;NS)");
        assert_eq!(missing(&sddl, &network, READ), READ.0);
        assert_eq!(
            missing(&format!("D:(OA;;FR;;{guid};NS)"), &network, READ),
            0
        );
    }

    #[test]
    fn generic_rights_are_checked_as_file_rights() {
        let network = Token::network_service();
        assert_eq!(
            missing("D:(A;;FR;;;NS)", &network, AccessMask::GENERIC_READ),
            0
        );
    }
}
