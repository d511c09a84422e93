//! The canonical order of a DACL's entries.

use crate::ace::{Ace, Effect};
use crate::acl::Acl;
use crate::descriptor::SecurityDescriptor;

impl Acl {
    /// True if explicit deny entries come first, then the other explicit entries, then the
    /// inherited ones. Inherited entries may have any order, because only within one generation do
    /// deny entries come before allow entries.
    #[must_use]
    pub(crate) fn is_canonical(&self) -> bool {
        self.aces.is_sorted_by_key(rank)
    }
}

impl SecurityDescriptor {
    /// Puts the DACL's entries in canonical order, and keeps the order within each class. Returns
    /// true if that changed the list.
    pub(crate) fn make_canonical(&mut self) -> bool {
        if self.dacl.list().is_none_or(Acl::is_canonical) {
            return false;
        }
        if let Some(acl) = self.dacl_for_edit() {
            acl.aces.sort_by_key(rank);
        }
        true
    }
}

fn rank(ace: &Ace) -> u8 {
    match (ace.is_inherited(), ace.ace_type.effect()) {
        (false, Some(Effect::Deny)) => 0,
        (false, _) => 1,
        (true, _) => 2,
    }
}

#[cfg(test)]
mod tests {
    use crate::descriptor::SecurityDescriptor;
    use crate::sddl::SddlParts;
    use crate::sid::Domains;

    #[test]
    fn sorting_keeps_the_order_of_inherited_generations() {
        let sddl = "D:(A;ID;FR;;;WD)(D;ID;FA;;;NS)(A;;FA;;;SY)(D;;FW;;;BU)(A;;FR;;;BU)";
        let mut descriptor = SecurityDescriptor::from_sddl(sddl, &Domains::default()).unwrap();
        assert!(descriptor.make_canonical());
        assert!(!descriptor.make_canonical());
        assert_eq!(
            descriptor.to_sddl(SddlParts::All).unwrap(),
            "D:(D;;FW;;;BU)(A;;FA;;;SY)(A;;FR;;;BU)(A;ID;FR;;;WD)(D;ID;FA;;;NS)"
        );
    }
}
