//! Granting rights as `icacls /grant` does.

mod text;

pub use text::GrantTextError;

use super::Edit;
use crate::ace::{Ace, AceBody, AceFlags, AceType, Trustee};
use crate::descriptor::SecurityDescriptor;
use crate::mask::AccessMask;
use crate::sid::Sid;

/// A grant. It is read from an argument of `icacls /grant` and written as one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Grant {
    /// Who gets the rights.
    pub sid: Sid,
    /// The rights. Generic rights are granted as the file rights they stand for.
    pub mask: AccessMask,
    /// Who inherits the grant: `(OI)`, `(CI)`, `(NP)`, `(IO)`. Other flags are left out.
    pub inheritance: AceFlags,
}

const INHERITANCE: u8 = 0x0F;

/// Flags by which an ACE counts for other objects than an ACE without them.
const LIMITS: u8 = AceFlags::INHERIT_ONLY.0 | AceFlags::NO_PROPAGATE.0;

impl SecurityDescriptor {
    /// Grants rights in the DACL by the rules of `icacls /grant`. The rights are added to the
    /// explicit ACE that allows this SID with the same inheritance. If there is none, a new ACE is
    /// added before the inherited ones. Inherited ACEs and those of other SIDs don't change.
    ///
    /// `None` if an explicit ACE grants the rights already, and if there is no list to add them to:
    /// see [`dacl_fault`](Self::dacl_fault).
    pub fn grant(&mut self, grant: &Grant) -> Option<Edit> {
        let mask = grant.mask.map_generic();
        let flags = AceFlags(grant.inheritance.0 & INHERITANCE);
        let aces = &self.dacl.list()?.aces;
        if aces.iter().any(|ace| covers(ace, grant.sid, mask, flags)) {
            return None;
        }
        let widened = aces
            .iter()
            .position(|ace| ace.flags == flags && explicit_allow(ace, grant.sid).is_some());
        // Inherited ACEs come last. They and the entries after them keep their places.
        let place = aces
            .iter()
            .position(Ace::is_inherited)
            .unwrap_or(aces.len());
        let acl = self.dacl_for_edit()?;
        if let Some(ace) = widened.and_then(|index| acl.aces.get_mut(index)) {
            let before = ace.clone();
            if let AceBody::Trustee(trustee) = &mut ace.body {
                trustee.mask = trustee.mask | mask;
            }
            return Some(Edit::Widened {
                before,
                after: ace.clone(),
            });
        }
        let ace = Ace::allow(grant.sid, mask, flags);
        acl.aces.insert(place, ace.clone());
        Some(Edit::Added { ace })
    }
}

/// True if this ACE alone grants as much, both on the object and on everything that inherits.
fn covers(ace: &Ace, sid: Sid, mask: AccessMask, flags: AceFlags) -> bool {
    let same_limits = ace.flags.0 & LIMITS == flags.0 & LIMITS;
    explicit_allow(ace, sid).is_some_and(|trustee| {
        trustee.mask.contains(mask) && ace.flags.contains(flags) && same_limits
    })
}

fn explicit_allow(ace: &Ace, sid: Sid) -> Option<&Trustee> {
    let plain = ace.ace_type == AceType::ACCESS_ALLOWED && !ace.is_inherited();
    ace.trustee()
        .filter(|trustee| plain && trustee.sid == sid && trustee.data.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sddl::SddlParts;
    use crate::sid::Domains;

    fn granted(sddl: &str, sid: Sid, letters: &str, flags: AceFlags) -> (String, Option<Edit>) {
        let mut descriptor = SecurityDescriptor::from_sddl(sddl, &Domains::default()).unwrap();
        let edit = descriptor.grant(&Grant {
            sid,
            mask: AccessMask::from_icacls(letters).unwrap(),
            inheritance: flags,
        });
        (descriptor.to_sddl(SddlParts::All).unwrap(), edit)
    }

    #[test]
    fn a_grant_stands_between_denies_and_what_is_inherited() {
        let (sddl, edit) = granted(
            "D:AI(D;;FW;;;BU)(A;;FR;;;BA)(A;ID;FA;;;SY)",
            Sid::NETWORK_SERVICE,
            "R",
            AceFlags::NONE,
        );
        assert_eq!(
            sddl,
            "D:AI(D;;FW;;;BU)(A;;FR;;;BA)(A;;FR;;;NS)(A;ID;FA;;;SY)"
        );
        assert!(matches!(edit, Some(Edit::Added { .. })));
    }

    #[test]
    fn a_grant_widens_the_ace_of_the_same_sid_and_inheritance() {
        let (sddl, edit) = granted(
            "D:(A;;FW;;;NS)(A;OICI;FW;;;NS)",
            Sid::NETWORK_SERVICE,
            "R",
            AceFlags::INHERIT_BOTH,
        );
        assert_eq!(sddl, "D:(A;;FW;;;NS)(A;OICI;0x12019f;;;NS)");
        assert_eq!(
            edit.unwrap().to_string(),
            r"allow NT AUTHORITY\NETWORK SERVICE:(OI)(CI)(R,W), was NT AUTHORITY\NETWORK SERVICE:(OI)(CI)(W,Rc)"
        );
    }

    #[test]
    fn what_is_already_granted_is_not_changed() {
        for sddl in ["D:(A;;FA;;;SY)", "D:(A;OICI;FA;;;SY)"] {
            let (after, edit) = granted(sddl, Sid::SYSTEM, "F", AceFlags::NONE);
            assert_eq!((after.as_str(), edit), (sddl, None));
        }
    }

    #[test]
    fn an_ace_that_only_resembles_the_grant_does_not_count() {
        for (before, after) in [
            ("D:(A;ID;FA;;;SY)", "D:(A;;FA;;;SY)(A;ID;FA;;;SY)"),
            ("D:(A;OICIIO;FA;;;SY)", "D:(A;OICIIO;FA;;;SY)(A;;FA;;;SY)"),
            ("D:(A;;FR;;;SY)", "D:(A;;FA;;;SY)"),
            ("D:(D;;FA;;;SY)", "D:(D;;FA;;;SY)(A;;FA;;;SY)"),
            ("D:", "D:(A;;FA;;;SY)"),
        ] {
            let (sddl, edit) = granted(before, Sid::SYSTEM, "F", AceFlags::NONE);
            assert_eq!(sddl, after);
            assert!(edit.is_some());
        }
    }

    #[test]
    fn nothing_is_granted_in_an_absent_dacl() {
        for sddl in ["O:SY", "D:NO_ACCESS_CONTROL"] {
            let (after, edit) = granted(sddl, Sid::SYSTEM, "F", AceFlags::NONE);
            assert_eq!((after.as_str(), edit), (sddl, None));
        }
    }
}
