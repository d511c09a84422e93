//! Making a descriptor equal to a wanted one, part by part.

use super::Edit;
use crate::descriptor::{AclSlot, Control, SecurityDescriptor};

impl SecurityDescriptor {
    /// Replaces owner, group and DACL by those that `wanted` has. A part that `wanted` doesn't have
    /// stays, and the SACL stays always.
    ///
    /// A DACL with the same entries in the same order is right already, unless `wanted` protects
    /// its DACL and this one isn't protected. A DACL that isn't right also gets the bits of
    /// `wanted` for protection and automatic inheritance. The list of edits is empty only if
    /// nothing changed.
    pub fn set_to(&mut self, wanted: &Self) -> Vec<Edit> {
        let owner = wanted.owner.and_then(|owner| self.set_owner(owner));
        let group = wanted.group.and_then(|group| self.set_group(group));
        let mut edits: Vec<Edit> = owner.into_iter().chain(group).collect();
        if !self.has_dacl_of(wanted) {
            edits.extend(self.set_dacl_to(wanted));
        }
        edits
    }

    fn has_dacl_of(&self, wanted: &Self) -> bool {
        let protects = |descriptor: &Self| descriptor.control().contains(Control::DACL_PROTECTED);
        wanted.dacl == AclSlot::Absent
            || (self.dacl.means_the_same(&wanted.dacl) && (protects(self) || !protects(wanted)))
    }

    fn set_dacl_to(&mut self, wanted: &Self) -> Vec<Edit> {
        let mut dacl = wanted.dacl.clone();
        if let AclSlot::List(acl) = &mut dacl {
            acl.drop_slack();
        }
        let mut edits = self.set_dacl(dacl);
        let has = |bit| wanted.control().contains(bit);
        edits.extend(self.protect_dacl(has(Control::DACL_PROTECTED)));
        let inherited = Control::DACL_AUTO_INHERITED;
        self.set_control(inherited, has(inherited));
        self.dacl_was_edited();
        edits
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sddl::SddlParts;
    use crate::sid::Domains;

    fn set(sddl: &str, wanted: &str) -> (String, Vec<String>) {
        let read = |sddl| SecurityDescriptor::from_sddl(sddl, &Domains::default()).unwrap();
        let (mut descriptor, wanted) = (read(sddl), read(wanted));
        let edits = descriptor.set_to(&wanted);
        let once = descriptor.clone();
        assert_eq!(descriptor.set_to(&wanted), []);
        assert_eq!(descriptor, once, "a second run changes nothing");
        (
            descriptor.to_sddl(SddlParts::All).unwrap(),
            edits.iter().map(Edit::to_string).collect(),
        )
    }

    #[test]
    fn every_wanted_part_is_set_and_reported() {
        let (sddl, edits) = set(
            "O:BAD:AI(D;;FR;;;NS)(A;ID;FA;;;BA)S:(ML;;NW;;;HI)",
            "O:SYG:SYD:P(A;;FA;;;SY)(A;ID;FA;;;BA)S:(ML;;NW;;;LW)",
        );
        assert_eq!(sddl, "O:SYG:SYD:P(A;;FA;;;SY)(A;ID;FA;;;BA)S:(ML;;NW;;;HI)");
        assert_eq!(
            edits,
            [
                r"set owner NT AUTHORITY\SYSTEM, was BUILTIN\Administrators",
                r"set group NT AUTHORITY\SYSTEM, was none",
                r"remove NT AUTHORITY\NETWORK SERVICE:(DENY)(R)",
                r"allow NT AUTHORITY\SYSTEM:(F)",
                "protect the DACL from inheritance",
            ]
        );
    }

    #[test]
    fn parts_that_are_not_wanted_stay() {
        let sddl = "O:BAG:SYD:PAI(A;;FA;;;SY)";
        for wanted in ["", "O:BA", "G:SY", "D:PAI(A;;FA;;;SY)", "S:(ML;;NW;;;LW)"] {
            assert_eq!(set(sddl, wanted), (sddl.to_owned(), Vec::new()));
        }
    }

    #[test]
    fn only_protection_that_is_wanted_and_missing_makes_a_difference() {
        for (sddl, wanted) in [
            ("D:P(A;;FA;;;SY)", "D:(A;;FA;;;SY)"),
            ("D:AI(A;;FA;;;SY)", "D:(A;;FA;;;SY)"),
            ("D:(A;;FA;;;SY)", "D:AI(A;;FA;;;SY)"),
            ("D:PAI(A;;FA;;;SY)", "D:P(A;;FA;;;SY)"),
        ] {
            assert_eq!(set(sddl, wanted), (sddl.to_owned(), Vec::new()));
        }
        assert_eq!(
            set("D:AI(A;;FA;;;SY)", "D:P(A;;FA;;;SY)"),
            (
                "D:P(A;;FA;;;SY)".to_owned(),
                vec!["protect the DACL from inheritance".to_owned()]
            )
        );
    }

    #[test]
    fn a_wrong_dacl_loses_protection_that_is_not_wanted() {
        let (sddl, edits) = set("D:PAI(A;;FA;;;SY)(A;;FR;;;WD)", "D:(A;;FA;;;SY)");
        assert_eq!(sddl, "D:(A;;FA;;;SY)");
        assert_eq!(edits, ["remove Everyone:(R)", "let the DACL inherit"]);
    }

    #[test]
    fn the_order_of_the_wanted_entries_counts() {
        let (sddl, edits) = set("D:(A;;FR;;;WD)(D;;FW;;;WD)", "D:(D;;FW;;;WD)(A;;FR;;;WD)");
        assert_eq!(sddl, "D:(D;;FW;;;WD)(A;;FR;;;WD)");
        assert_eq!(edits, ["put the entries in the right order"]);
    }

    #[test]
    fn an_absent_or_empty_dacl_is_replaced() {
        for sddl in ["O:SY", "O:SYD:NO_ACCESS_CONTROL", "O:SYD:"] {
            let (after, edits) = set(sddl, "D:P(A;;FA;;;SY)");
            assert_eq!(after, "O:SYD:P(A;;FA;;;SY)");
            assert!(edits[0].starts_with("replace the DACL: "), "{edits:?}");
            assert_eq!(edits.len(), 3);
        }
    }
}
