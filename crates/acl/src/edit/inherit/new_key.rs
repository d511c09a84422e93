//! The descriptor that Windows gives to a new key of the registry.

use super::Heir;
use crate::ace::{Ace, AceBody, AceFlags};
use crate::acl::Acl;
use crate::descriptor::{AclSlot, Control, SecurityDescriptor};
use crate::mask::{AccessMask, Objects};
use crate::sid::Sid;

impl SecurityDescriptor {
    /// The descriptor that Windows gives to a key that SYSTEM creates below a key with this
    /// descriptor (MS-DTYP 2.5.3.4.1, without a descriptor from the creator).
    ///
    /// The new key inherits the entries of the DACL and the SACL that the parent passes on to keys.
    /// If the parent passes on no entry of its DACL, the DACL is the default one of SYSTEM's token.
    /// It makes no difference if the parent's lists are protected.
    ///
    /// Windows does three things that MS-DTYP doesn't mention, as its hives show. It drops the bits
    /// of a mask that mean nothing for a key. It marks the entries as inherited only if the parent's
    /// list is marked as automatically inherited. Then it also leaves out an entry if an earlier one
    /// already says the same.
    #[must_use]
    pub fn of_new_key(&self) -> Self {
        let mut new = Self::new();
        new.owner = Some(Sid::SYSTEM);
        new.group = Some(Sid::SYSTEM);
        let heir = Heir {
            owner: new.owner,
            group: new.group,
            objects: Objects::Keys,
            is_container: true,
        };
        let control = self.control();
        let marked = control.contains(Control::DACL_AUTO_INHERITED);
        new.dacl = AclSlot::List(match heir.passed_on(&self.dacl, marked) {
            Some(acl) => {
                new.set_control(Control::DACL_AUTO_INHERITED, marked);
                acl
            }
            None => default_of_system(),
        });
        let marked = control.contains(Control::SACL_AUTO_INHERITED);
        if let Some(acl) = heir.passed_on(&self.sacl, marked) {
            new.sacl = AclSlot::List(acl);
            new.set_control(Control::SACL_AUTO_INHERITED, marked);
        }
        new
    }
}

impl Heir {
    /// The entries that a list passes on; `None` if there are none.
    fn passed_on(&self, parent: &AclSlot, marked: bool) -> Option<Acl> {
        let mut aces: Vec<Ace> = Vec::new();
        for mut ace in self.inherits(parent.list()?) {
            if !marked {
                ace.flags = ace.flags.without(AceFlags::INHERITED);
            }
            if !marked || !is_repeated(&ace, &aces) {
                aces.push(ace);
            }
        }
        (!aces.is_empty()).then(|| Acl::new(aces))
    }
}

/// True if earlier entries give or deny at least the same rights to the same account, on the key and
/// on those that inherit.
fn is_repeated(ace: &Ace, earlier: &[Ace]) -> bool {
    let same = |one: &&Ace| match (&one.body, &ace.body) {
        (AceBody::Trustee(a), AceBody::Trustee(b)) => {
            one.ace_type == ace.ace_type
                && (a.sid, &a.object, &a.data) == (b.sid, &b.object, &b.data)
                && a.mask.contains(b.mask)
                && others(one) == others(ace)
        }
        _ => false,
    };
    let heirs = AceFlags(ace.flags.0 & AceFlags::INHERIT_BOTH.0);
    let counts = |covers: &dyn Fn(&Ace) -> bool| earlier.iter().filter(same).any(covers);
    let is_here = !ace.applies_here() || counts(&Ace::applies_here);
    let is_below = heirs == AceFlags::NONE
        || counts(&|one| one.flags.contains(heirs) && !one.flags.contains(AceFlags::NO_PROPAGATE));
    is_here && is_below
}

/// The flags that aren't about inheritance: those of audit entries.
fn others(ace: &Ace) -> AceFlags {
    ace.flags.without(AceFlags::INHERITANCE)
}

/// The default DACL of SYSTEM's token, with the rights of keys: SYSTEM may do everything and
/// Administrators may read.
fn default_of_system() -> Acl {
    Acl::new(vec![
        Ace::allow(Sid::SYSTEM, AccessMask::KEY_ALL, AceFlags::NONE),
        Ace::allow(Sid::ADMINISTRATORS, AccessMask::KEY_EXECUTE, AceFlags::NONE),
    ])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sddl::SddlParts;
    use crate::sid::Domains;

    /// The SDDL of a key that SYSTEM creates below one with this SDDL.
    fn below(parent: &str) -> String {
        let parent = SecurityDescriptor::from_sddl(parent, &Domains::default()).expect(parent);
        let new = parent.of_new_key().to_sddl(SddlParts::All);
        new.expect("plain")
    }

    /// From SYSTEM of a Windows 7: `Control`, and what a service has created below it.
    #[test]
    fn a_key_inherits_what_windows_lets_it_inherit() {
        const CONTROL: &str = "O:BAG:BAD:AI(A;ID;KR;;;BU)(A;CIIOID;GR;;;BU)(A;ID;KA;;;BA)\
            (A;CIIOID;GA;;;BA)(A;ID;KA;;;SY)(A;CIIOID;GA;;;SY)(A;CIIOID;GA;;;CO)";
        let created = CONTROL.replace("O:BAG:BA", "O:SYG:SY");
        assert_eq!(
            below(CONTROL),
            created,
            "CREATOR OWNER's rights are SYSTEM's already"
        );
        assert_eq!(below(&created), created);
    }

    #[test]
    fn creators_and_generic_rights_are_replaced_here_and_kept_for_descendants() {
        assert_eq!(
            below("O:BAG:BAD:AI(A;CI;GX;;;BU)(A;CIIO;GA;;;CO)(A;CINP;GW;;;CG)"),
            "O:SYG:SYD:AI(A;ID;CCSWRPWPRC;;;BU)(A;CIIOID;GX;;;BU)(A;ID;KA;;;SY)(A;CIIOID;GA;;;CO)"
        );
    }

    #[test]
    fn only_what_is_passed_on_to_keys_is_inherited() {
        assert_eq!(
            below("O:BAG:BAD:AI(A;;KA;;;BA)(D;OI;KW;;;BU)(A;CINP;KR;;;LS)(A;CIIOID;KR;;;NS)"),
            "O:SYG:SYD:AI(D;OIIOID;KW;;;BU)(A;ID;KR;;;LS)(A;CIID;KR;;;NS)"
        );
    }

    /// From `Enum` of a Windows 7, which is protected and was never marked.
    #[test]
    fn entries_are_marked_as_inherited_only_below_a_marked_list() {
        let dacl = "(A;CI;KR;;;WD)(A;CI;KA;;;SY)";
        assert_eq!(
            below(&format!("O:BAG:SYD:P{dacl}")),
            format!("O:SYG:SYD:{dacl}")
        );
        assert_eq!(
            below(&format!("O:BAG:SYD:PAI{dacl}")),
            "O:SYG:SYD:AI(A;CIID;KR;;;WD)(A;CIID;KA;;;SY)"
        );
        // It is also the case of an entry that its parent once inherited.
        assert_eq!(
            below("O:BAG:SYD:(A;CIID;KR;;;WD)"),
            "O:SYG:SYD:(A;CI;KR;;;WD)"
        );
    }

    /// From `services\\Dnscache` of a Windows 7.
    #[test]
    fn bits_that_mean_nothing_for_a_key_are_dropped_here() {
        assert_eq!(
            below("O:BAG:BAD:AI(A;CIIO;CCLCSWRPLOCRRCGR;;;BU)(A;CIIO;DTGR;;;NO)(A;CIIOID;GR;;;BU)"),
            "O:SYG:SYD:AI(A;ID;CCLCSWRPRC;;;BU)(A;CIIOID;CCLCSWRPLOCRRCGR;;;BU)(A;ID;KR;;;NO)\
             (A;CIIOID;DTGR;;;NO)"
        );
    }

    #[test]
    fn an_entry_that_says_nothing_new_is_left_out_of_a_marked_list_only() {
        let dacl = "(A;CI;KA;;;SY)(A;CI;KR;;;SY)(D;CI;KR;;;SY)(A;CINP;KR;;;SY)(A;OICI;KR;;;SY)";
        assert_eq!(
            below(&format!("D:AI{dacl}")),
            "O:SYG:SYD:AI(A;CIID;KA;;;SY)(D;CIID;KR;;;SY)(A;OICIID;KR;;;SY)"
        );
        assert_eq!(
            below(&format!("D:{dacl}")),
            "O:SYG:SYD:(A;CI;KA;;;SY)(A;CI;KR;;;SY)(D;CI;KR;;;SY)(A;;KR;;;SY)(A;OICI;KR;;;SY)"
        );
    }

    #[test]
    fn a_parent_that_passes_nothing_on_leaves_the_default_of_system() {
        let default = "O:SYG:SYD:(A;;KA;;;SY)(A;;CCSWRPWPRC;;;BA)";
        for parent in [
            "O:BA",
            "O:BAD:NO_ACCESS_CONTROL",
            "O:BAD:P",
            "O:BAD:AI(A;;KA;;;WD)",
        ] {
            assert_eq!(below(parent), default, "{parent}");
        }
    }

    #[test]
    fn audit_entries_are_inherited_too() {
        assert_eq!(
            below("O:BAD:AI(A;CI;KA;;;SY)S:AI(AU;CISA;KW;;;WD)(AU;SAFA;KA;;;WD)"),
            "O:SYG:SYD:AI(A;CIID;KA;;;SY)S:AI(AU;CIIDSA;KW;;;WD)"
        );
    }
}
