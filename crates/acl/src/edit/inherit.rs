//! Inheritance from a parent folder or key (MS-DTYP 2.5.3.4). `icacls /reset` leaves nothing but
//! inherited entries.

mod new_key;

use super::Edit;
use crate::ace::{Ace, AceBody, AceFlags};
use crate::acl::Acl;
use crate::descriptor::{AclSlot, Control, SecurityDescriptor};
use crate::mask::{AccessMask, Objects};
use crate::sid::Sid;

impl SecurityDescriptor {
    /// Makes the DACL what `icacls /reset` makes it: the entries that the parent folder passes on
    /// and nothing else. It is then no longer protected, and is marked as automatically inherited.
    /// Owner, group and SACL don't change.
    ///
    /// Entries for CREATOR OWNER and CREATOR GROUP become entries for this descriptor's owner and
    /// group; they are dropped if it has none. A parent without a DACL or with a NULL DACL passes
    /// nothing on. If nothing is passed on the DACL is empty, and only the owner can change that:
    /// see [`dacl_fault`](Self::dacl_fault).
    pub fn reset_to_inherited(&mut self, parent: &Self, is_container: bool) -> Vec<Edit> {
        let heir = Heir {
            owner: self.owner,
            group: self.group,
            objects: Objects::Files,
            is_container,
        };
        let inherited = match parent.dacl.list() {
            Some(acl) => heir.inherits(acl),
            None => Vec::new(),
        };
        let mut edits = self.set_dacl(AclSlot::List(Acl::new(inherited)));
        edits.extend(self.protect_dacl(false));
        if !self.control().contains(Control::DACL_AUTO_INHERITED) {
            self.set_control(Control::DACL_AUTO_INHERITED, true);
            edits.push(Edit::AutoInherited { inherited: true });
        }
        if !edits.is_empty() {
            self.dacl_was_edited();
        }
        edits
    }
}

/// The object that inherits.
struct Heir {
    owner: Option<Sid>,
    group: Option<Sid>,
    objects: Objects,
    is_container: bool,
}

impl Heir {
    fn inherits(&self, parent: &Acl) -> Vec<Ace> {
        let each = parent.aces.iter();
        each.flat_map(|ace| self.inherits_ace(ace)).collect()
    }

    /// The entries that one ACE becomes: one that counts here, one for objects further below, or
    /// both if they differ.
    fn inherits_ace(&self, ace: &Ace) -> impl Iterator<Item = Ace> {
        let propagated = self.propagated(ace.flags);
        let here = self.counts_here(ace).then(|| self.resolved(ace)).flatten();
        // A SID or right that stands for another one must be resolved again below.
        let same_below = here.as_ref().is_some_and(|here| here.body == ace.body);
        let (here_flags, below) = match propagated {
            Some(flags) if same_below => (flags, None),
            Some(flags) => (AceFlags::NONE, Some(flags | AceFlags::INHERIT_ONLY)),
            None => (AceFlags::NONE, None),
        };
        let here = here.map(|here| with_flags(here, here_flags));
        let below = below.map(|flags| with_flags(ace.clone(), flags));
        here.into_iter().chain(below)
    }

    /// The flags with which the heir passes the ACE on; `None` if it doesn't.
    fn propagated(&self, flags: AceFlags) -> Option<AceFlags> {
        let heirs = AceFlags(flags.0 & AceFlags::INHERIT_BOTH.0);
        let passes = self.is_container && !flags.contains(AceFlags::NO_PROPAGATE);
        (passes && heirs != AceFlags::NONE).then_some(heirs)
    }

    fn counts_here(&self, ace: &Ace) -> bool {
        let flag = if self.is_container {
            AceFlags::CONTAINER_INHERIT
        } else {
            AceFlags::OBJECT_INHERIT
        };
        // Files, folders and keys have no object type, so an ACE for one isn't meant for them.
        let object = ace.trustee().and_then(|trustee| trustee.object);
        let other_type = object.is_some_and(|object| object.inherited_object_type.is_some());
        ace.flags.contains(flag) && !other_type
    }

    /// The ACE with the real SIDs and rights in place of those that stand for them; `None` if the
    /// owner or group that is meant doesn't exist.
    fn resolved(&self, ace: &Ace) -> Option<Ace> {
        let mut ace = ace.clone();
        if let AceBody::Trustee(trustee) = &mut ace.body {
            trustee.mask = match (self.objects, trustee.mask.map_generic_of(self.objects)) {
                (Objects::Files, mask) => mask,
                // Windows keeps only the bits that mean something for a key.
                (Objects::Keys, mask) => mask & AccessMask::OF_KEYS,
            };
            trustee.sid = match trustee.sid {
                Sid::CREATOR_OWNER => self.owner?,
                Sid::CREATOR_GROUP => self.group?,
                other => other,
            };
        }
        Some(ace)
    }
}

/// The ACE as an inherited one with these flags. Flags that aren't about inheritance stay.
fn with_flags(mut ace: Ace, flags: AceFlags) -> Ace {
    let others = ace.flags.without(AceFlags::INHERITANCE);
    ace.flags = others | flags | AceFlags::INHERITED;
    ace
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sddl::SddlParts;
    use crate::sid::Domains;

    const FILE: bool = false;
    const FOLDER: bool = true;

    fn descriptor(sddl: &str) -> SecurityDescriptor {
        SecurityDescriptor::from_sddl(sddl, &Domains::default()).unwrap()
    }

    fn reset(sddl: &str, parent: &str, is_container: bool) -> (String, Vec<String>) {
        let (mut child, parent) = (descriptor(sddl), descriptor(parent));
        let edits = child.reset_to_inherited(&parent, is_container);
        let once = child.clone();
        assert_eq!(child.reset_to_inherited(&parent, is_container), []);
        assert_eq!(child, once, "a second run changes nothing");
        (
            child.to_sddl(SddlParts::All).unwrap(),
            edits.iter().map(Edit::to_string).collect(),
        )
    }

    /// The DACL that an object of SYSTEM inherits, without its control bits.
    fn inherited(parent: &str, is_container: bool) -> String {
        let (sddl, _) = reset("O:SYG:BAD:", &format!("D:{parent}"), is_container);
        sddl.strip_prefix("O:SYG:BAD:AI").unwrap().to_owned()
    }

    #[test]
    fn flags_say_what_inherits_and_how() {
        for (flags, file, folder) in [
            ("", "", ""),
            ("OI", "ID", "OIIOID"),
            ("CI", "", "CIID"),
            ("OICI", "ID", "OICIID"),
            ("OINP", "ID", ""),
            ("CINP", "", "ID"),
            ("OICINP", "ID", "ID"),
            ("OIIO", "ID", "OIIOID"),
            ("CIIO", "", "CIID"),
            ("OICIIO", "ID", "OICIID"),
            ("OICINPIO", "ID", "ID"),
            ("OICIID", "ID", "OICIID"),
            ("NPIO", "", ""),
        ] {
            let parent = format!("(A;{flags};FR;;;BU)");
            for (is_container, child) in [(FILE, file), (FOLDER, folder)] {
                let expected = if child.is_empty() {
                    String::new()
                } else {
                    format!("(A;{child};FR;;;BU)")
                };
                assert_eq!(inherited(&parent, is_container), expected, "{flags}");
            }
        }
    }

    #[test]
    fn creators_are_replaced_here_and_kept_for_descendants() {
        let parent = "(A;OICIIO;FA;;;CO)(A;CI;FR;;;CG)(A;OINP;FW;;;CO)(D;OI;FW;;;CG)";
        assert_eq!(
            inherited(parent, FILE),
            "(A;ID;FA;;;SY)(A;ID;FW;;;SY)(D;ID;FW;;;BA)"
        );
        assert_eq!(
            inherited(parent, FOLDER),
            "(A;ID;FA;;;SY)(A;OICIIOID;FA;;;CO)(A;ID;FR;;;BA)(A;CIIOID;FR;;;CG)(D;OIIOID;FW;;;CG)"
        );
    }

    #[test]
    fn generic_rights_are_mapped_here_and_kept_for_descendants() {
        let parent = "(A;OICIIO;GA;;;SY)(A;OICINP;GXGR;;;BU)(A;OI;GA;;;BA)";
        assert_eq!(
            inherited(parent, FILE),
            "(A;ID;FA;;;SY)(A;ID;0x1200a9;;;BU)(A;ID;FA;;;BA)"
        );
        assert_eq!(
            inherited(parent, FOLDER),
            "(A;ID;FA;;;SY)(A;OICIIOID;GA;;;SY)(A;ID;0x1200a9;;;BU)(A;OIIOID;GA;;;BA)"
        );
    }

    #[test]
    fn the_rights_of_a_missing_owner_go_to_nobody() {
        let parent = "D:(A;OICI;FA;;;CO)";
        assert_eq!(reset("D:", parent, FILE).0, "D:AI");
        assert_eq!(reset("D:", parent, FOLDER).0, "D:AI(A;OICIIOID;FA;;;CO)");
    }

    #[test]
    fn aces_for_objects_of_a_type_only_pass_through_folders() {
        let guid = "ab721a53-1e2f-11d0-9819-00aa0040529b";
        let parent =
            format!("(OA;OICI;FR;{guid};;WD)(OA;OICI;FR;;{guid};WD)(OD;CINP;FR;;{guid};WD)");
        assert_eq!(inherited(&parent, FILE), format!("(OA;ID;FR;{guid};;WD)"));
        assert_eq!(
            inherited(&parent, FOLDER),
            format!("(OA;OICIID;FR;{guid};;WD)(OA;OICIIOID;FR;;{guid};WD)")
        );
    }

    #[test]
    fn conditions_and_flags_of_other_kinds_are_passed_on() {
        let parent = "(XA;OICICR;GR;;;WD;(Exists a))";
        assert_eq!(inherited(parent, FILE), "(XA;IDCR;FR;;;WD;(Exists a))");
    }

    #[test]
    fn an_ace_of_an_unknown_type_is_passed_on_with_its_bytes() {
        let unknown = |flags| Ace {
            ace_type: crate::ace::AceType(0x40),
            flags,
            body: AceBody::Opaque(vec![1, 2, 3, 4]),
        };
        let mut parent = descriptor("D:");
        parent.dacl.list_mut().unwrap().aces = vec![unknown(AceFlags::INHERIT_BOTH)];
        let mut child = descriptor("O:SYD:");
        child.reset_to_inherited(&parent, FILE);
        let aces = &child.dacl.list().unwrap().aces;
        assert_eq!(*aces, [unknown(AceFlags::INHERITED)]);
    }

    #[test]
    fn explicit_entries_are_removed_and_every_change_is_reported() {
        let (sddl, edits) = reset(
            "O:SYG:BAD:P(D;;FA;;;NS)(A;;FR;;;BU)(A;ID;FA;;;BA)S:(ML;;NW;;;HI)",
            "O:BAG:SYD:PAI(A;OICI;FA;;;BA)(A;OICI;FR;;;SY)S:(AU;OICISA;FA;;;WD)",
            FILE,
        );
        assert_eq!(
            sddl,
            "O:SYG:BAD:AI(A;ID;FA;;;BA)(A;ID;FR;;;SY)S:(ML;;NW;;;HI)"
        );
        assert_eq!(
            edits,
            [
                r"remove NT AUTHORITY\NETWORK SERVICE:(N)",
                r"remove BUILTIN\Users:(R)",
                r"allow NT AUTHORITY\SYSTEM:(I)(R)",
                "let the DACL inherit",
                "mark the DACL as inherited",
            ]
        );
    }

    #[test]
    fn nothing_is_inherited_from_a_parent_without_a_list() {
        for parent in ["O:BA", "D:NO_ACCESS_CONTROL", "D:(A;;FA;;;SY)"] {
            let (sddl, edits) = reset("D:AI(A;;FR;;;BU)", parent, FOLDER);
            assert_eq!(sddl, "D:AI");
            assert_eq!(edits, [r"remove BUILTIN\Users:(R)"]);
        }
    }

    #[test]
    fn an_absent_dacl_is_replaced() {
        let (sddl, edits) = reset("O:SY", "D:(A;OI;FR;;;BU)", FILE);
        assert_eq!(sddl, "O:SYD:AI(A;ID;FR;;;BU)");
        assert_eq!(edits.len(), 3);
    }

    #[test]
    fn what_is_already_inherited_is_not_changed() {
        let dacl = "O:SYG:SYD:AI(A;ID;FA;;;SY)(A;OICIIOID;GA;;;CO)";
        let (sddl, edits) = reset(dacl, "D:(A;OICI;GA;;;CO)", FOLDER);
        assert_eq!((sddl.as_str(), edits.len()), (dacl, 0));
    }
}
