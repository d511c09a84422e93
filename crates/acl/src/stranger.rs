//! Unexpected accounts that may change an object.

use std::fmt;

use crate::ace::Effect;
use crate::descriptor::SecurityDescriptor;
use crate::mask::AccessMask;
use crate::sid::Sid;

/// Every right to change an object, its content or its descriptor.
const CHANGING: AccessMask = AccessMask(
    AccessMask::WRITE_DATA.0
        | AccessMask::APPEND_DATA.0
        | AccessMask::WRITE_EA.0
        | AccessMask::DELETE_CHILD.0
        | AccessMask::WRITE_ATTRIBUTES.0
        | AccessMask::DELETE.0
        | AccessMask::WRITE_DAC.0
        | AccessMask::WRITE_OWNER.0
        | AccessMask::MAXIMUM_ALLOWED.0
        | AccessMask::GENERIC_WRITE.0
        | AccessMask::GENERIC_ALL.0,
);

/// Somebody unexpected who may change an object.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Stranger {
    /// The owner, who can always change the DACL.
    Owner(Sid),
    /// The object has no owner.
    NoOwner,
    /// The object has no DACL or a NULL DACL.
    Everybody,
    /// An entry of the DACL allows a right to change something.
    Allowed(Sid),
    /// An entry of the DACL has a type that MS-DTYP doesn't define.
    Unknown,
}

impl fmt::Display for Stranger {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Owner(sid) => write!(f, "{} owns it", sid.display_name()),
            Self::NoOwner => f.write_str("it has no owner"),
            Self::Everybody => f.write_str("everybody may write it: it has no DACL"),
            Self::Allowed(sid) => write!(f, "{} may write it", sid.display_name()),
            Self::Unknown => f.write_str("its DACL holds an entry of an unknown type"),
        }
    }
}

impl SecurityDescriptor {
    /// The first account that may change the object, or objects that will inherit from it, and
    /// isn't one of `expected`.
    ///
    /// Entries that deny, and the conditions of entries that allow, are ignored: every account
    /// counts that an entry could ever allow to change something. CREATOR OWNER and OWNER RIGHTS
    /// stand for the owner of whatever inherits, and an unexpected account can't come to own
    /// anything.
    #[must_use]
    pub fn stranger(&self, expected: &[Sid]) -> Option<Stranger> {
        let is_stranger = |sid: &Sid| !expected.contains(sid);
        match self.owner {
            None => return Some(Stranger::NoOwner),
            Some(owner) if is_stranger(&owner) => return Some(Stranger::Owner(owner)),
            Some(_) => {}
        }
        let Some(dacl) = self.dacl.list() else {
            return Some(Stranger::Everybody);
        };
        dacl.aces.iter().find_map(|ace| {
            let Some(trustee) = ace.trustee() else {
                return Some(Stranger::Unknown);
            };
            let stands_for_owner =
                trustee.sid == Sid::CREATOR_OWNER || trustee.sid == Sid::OWNER_RIGHTS;
            let counts = ace.ace_type.effect() == Some(Effect::Allow)
                && trustee.mask.intersects(CHANGING)
                && !stands_for_owner
                && is_stranger(&trustee.sid);
            counts.then_some(Stranger::Allowed(trustee.sid))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sid::Domains;

    fn stranger(sddl: &str) -> Option<Stranger> {
        let descriptor = SecurityDescriptor::from_sddl(sddl, &Domains::default()).expect(sddl);
        descriptor.stranger(&[Sid::SYSTEM, Sid::ADMINISTRATORS])
    }

    #[test]
    fn accounts_that_may_change_something_are_reported() {
        let everyone = Some(Stranger::Allowed(Sid::EVERYONE));
        for right in [
            "0x2", "0x4", "0x10", "0x40", "0x100", "SD", "WD", "WO", "GA", "GW", "MA", "FA", "FW",
        ] {
            let right = if right == "MA" { "0x2000000" } else { right };
            for flags in ["", "OICI", "OICIIO", "ID", "CIIO"] {
                let sddl = format!("O:BAG:SYD:P(A;;FA;;;SY)(A;{flags};{right};;;WD)");
                assert_eq!(stranger(&sddl), everyone, "{sddl}");
                let first = format!("O:SYD:(D;;FA;;;WD)(A;{flags};{right};;;WD)");
                assert_eq!(
                    stranger(&first),
                    everyone,
                    "a deny in front changes nothing"
                );
            }
        }
        assert_eq!(stranger("D:P(A;;FA;;;SY)"), Some(Stranger::NoOwner));
        let owner = Some(Stranger::Owner(Sid::USERS));
        assert_eq!(stranger("O:BUD:P(A;;FA;;;SY)"), owner);
        assert_eq!(stranger("O:BA"), Some(Stranger::Everybody));
        assert_eq!(
            stranger("O:BAD:NO_ACCESS_CONTROL"),
            Some(Stranger::Everybody)
        );
        let conditional = r#"O:BAD:(XA;;FA;;;WD;(Member_of {SID(BA)}))"#;
        assert_eq!(stranger(conditional), everyone);
        let object = "O:BAD:(OA;;FA;ab721a53-1e2f-11d0-9819-00aa0040529b;;WD)";
        assert_eq!(stranger(object), everyone);
    }

    #[test]
    fn readers_and_expected_accounts_are_not_strangers() {
        for sddl in [
            "O:BAD:",
            "O:SYD:P(A;OICI;FA;;;SY)(A;OICI;FA;;;BA)",
            "O:BAD:AI(A;OICIID;FA;;;SY)(A;OICIID;0x1200a9;;;BU)(A;ID;GR;;;WD)(A;;GX;;;WD)",
            "O:BAD:(D;;FA;;;WD)(AU;SA;FA;;;WD)(A;OICIIO;FA;;;CO)(A;;FA;;;OW)",
        ] {
            assert_eq!(stranger(sddl), None, "{sddl}");
        }
    }
}
