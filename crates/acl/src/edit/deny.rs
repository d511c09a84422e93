//! Removing entries that deny a wanted right. `icacls /grant` leaves them in place.

use std::mem;

use super::Edit;
use crate::ace::{Ace, AceBody};
use crate::descriptor::SecurityDescriptor;
use crate::mask::AccessMask;
use crate::token::Token;

impl SecurityDescriptor {
    /// Removes from the DACL what denies `token` a right of `wanted`, if the list grants that right
    /// too or would grant it without the deny entry. Call it after [`grant`](Self::grant).
    ///
    /// An explicit deny ACE loses the wanted rights, and is removed if it denies nothing else. An
    /// ACE that denies only SYNCHRONIZE isn't left behind either, because it locks out everyone who
    /// opens the file in the usual way. An inherited deny ACE isn't changed, because the parent
    /// would bring it back. If one comes before explicit ACEs, the list is put in canonical order,
    /// in which an explicit grant wins over it.
    pub fn unblock(&mut self, token: &Token, wanted: AccessMask) -> Vec<Edit> {
        let mut edits = self.narrow_denies(token, wanted);
        let blocked = !self.access(token, wanted).denied_by.is_empty();
        if blocked && self.make_canonical() {
            edits.push(Edit::Reordered);
            // Explicit deny entries that came after a grant now come before it.
            edits.extend(self.narrow_denies(token, wanted));
        }
        edits
    }

    fn narrow_denies(&mut self, token: &Token, wanted: AccessMask) -> Vec<Edit> {
        let denies = self.explicit_denies(token, wanted);
        let mut edits = Vec::new();
        if denies.is_empty() {
            return edits;
        }
        let Some(acl) = self.dacl_for_edit() else {
            return edits;
        };
        for (index, ace) in mem::take(&mut acl.aces).into_iter().enumerate() {
            if denies.binary_search(&index).is_err() {
                acl.aces.push(ace);
                continue;
            }
            match without(&ace, wanted.map_generic()) {
                Some(after) => {
                    acl.aces.push(after.clone());
                    edits.push(Edit::DenyNarrowed { before: ace, after });
                }
                None => edits.push(Edit::Removed { ace }),
            }
        }
        edits
    }
}

/// The ACE without these rights; `None` if no right that matters is left.
fn without(ace: &Ace, rights: AccessMask) -> Option<Ace> {
    let mut after = ace.clone();
    let AceBody::Trustee(trustee) = &mut after.body else {
        return None;
    };
    trustee.mask = trustee.mask.without(rights);
    let left = trustee.mask.without(AccessMask::SYNCHRONIZE);
    (!left.is_empty()).then_some(after)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sddl::SddlParts;
    use crate::sid::Domains;

    fn unblocked(sddl: &str, token: &Token, wanted: AccessMask) -> (String, Vec<String>) {
        let mut descriptor = SecurityDescriptor::from_sddl(sddl, &Domains::default()).unwrap();
        let edits = descriptor.unblock(token, wanted);
        let again = descriptor.unblock(token, wanted);
        assert_eq!(again, [], "a second run changes nothing");
        (
            descriptor.to_sddl(SddlParts::All).unwrap(),
            edits.iter().map(Edit::to_string).collect(),
        )
    }

    #[test]
    fn a_deny_of_the_wanted_right_alone_is_removed() {
        let (sddl, edits) = unblocked(
            "D:P(D;;FA;;;SY)(A;;FA;;;SY)",
            &Token::system(),
            AccessMask::FILE_ALL,
        );
        assert_eq!(sddl, "D:P(A;;FA;;;SY)");
        assert_eq!(edits, [r"remove NT AUTHORITY\SYSTEM:(N)"]);
    }

    #[test]
    fn a_deny_of_more_keeps_the_rest() {
        let (sddl, edits) = unblocked(
            "D:(D;;FA;;;NS)(A;;FR;;;NS)",
            &Token::network_service(),
            AccessMask::FILE_READ,
        );
        assert_eq!(sddl, "D:(D;;DCLCRPWPDTCRSDWDWO;;;NS)(A;;FR;;;NS)");
        assert_eq!(edits.len(), 1);
    }

    #[test]
    fn denies_of_groups_win_too() {
        let (sddl, edits) = unblocked(
            "D:(D;;FR;;;WD)(D;;FR;;;BU)(D;;FR;;;BG)(A;;FR;;;NS)",
            &Token::network_service(),
            AccessMask::FILE_READ,
        );
        assert_eq!(sddl, "D:(D;;FR;;;BG)(A;;FR;;;NS)");
        assert_eq!(edits.len(), 2);
    }

    #[test]
    fn denies_that_do_not_win_stay() {
        for sddl in [
            "D:(A;;FR;;;NS)(D;;FR;;;WD)",
            "D:(D;OICIIO;FA;;;NS)(A;;FR;;;NS)",
            "D:(D;;WDWO;;;NS)(A;;FR;;;NS)",
            "D:(A;;FR;;;NS)(D;ID;FA;;;NS)",
        ] {
            let (after, edits) = unblocked(sddl, &Token::network_service(), AccessMask::FILE_READ);
            assert_eq!((after.as_str(), edits.len()), (sddl, 0));
        }
    }

    #[test]
    fn an_inherited_deny_before_a_grant_is_moved_behind_it() {
        let (sddl, edits) = unblocked(
            "D:AI(D;ID;FA;;;NS)(A;;FR;;;NS)",
            &Token::network_service(),
            AccessMask::FILE_READ,
        );
        assert_eq!(sddl, "D:AI(A;;FR;;;NS)(D;ID;FA;;;NS)");
        assert_eq!(edits, ["put the entries in the right order"]);
    }

    #[test]
    fn a_deny_that_canonical_order_would_put_first_is_removed_too() {
        let (sddl, edits) = unblocked(
            "D:AI(D;ID;FA;;;NS)(A;;FR;;;NS)(D;;FR;;;WD)",
            &Token::network_service(),
            AccessMask::FILE_READ,
        );
        assert_eq!(sddl, "D:AI(A;;FR;;;NS)(D;ID;FA;;;NS)");
        assert_eq!(edits.len(), 2);
    }
}
