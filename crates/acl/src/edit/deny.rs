//! Removing entries that deny a wanted right. `icacls /grant` leaves them in place.

use std::mem;

use super::Edit;
use crate::ace::{Ace, AceBody, Effect};
use crate::acl::Acl;
use crate::descriptor::SecurityDescriptor;
use crate::mask::AccessMask;
use crate::sid::Sid;
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

    /// Removes the explicit entries that deny `token` a right of `wanted`, as
    /// [`unblock`](Self::unblock) does, but leaves the order as it is.
    pub fn remove_denies(&mut self, token: &Token, wanted: AccessMask) -> Vec<Edit> {
        self.narrow_denies(token, wanted)
    }

    /// Removes the explicit entries for an account, whatever they say, as `icacls /remove` does.
    pub fn remove_account(&mut self, account: Sid) -> Vec<Edit> {
        let is_its = |ace: &Ace| {
            let its = ace.trustee().is_some_and(|trustee| trustee.sid == account);
            its && !ace.is_inherited()
        };
        self.remove_aces(is_its)
    }

    /// Removes the inherited entries that deny something and that are copies of an entry which
    /// `parent` has passed on before it was edited and passes on no more. `before` is the parent's
    /// descriptor before the edit.
    pub fn remove_stale_denies(&mut self, before: &Self, parent: &Self) -> Vec<Edit> {
        let [old, new] = [before, parent].map(Self::of_new_key);
        let (old, new) = (old.dacl.list(), new.dacl.list());
        let is_in = |acl: Option<&Acl>, ace: &Ace| {
            acl.is_some_and(|acl| {
                acl.aces
                    .iter()
                    .any(|one| one.body == ace.body && one.ace_type == ace.ace_type)
            })
        };
        self.remove_aces(|ace| {
            let denies = ace.ace_type.effect() == Some(Effect::Deny);
            denies && ace.is_inherited() && is_in(old, ace) && !is_in(new, ace)
        })
    }

    fn remove_aces(&mut self, is_removed: impl Fn(&Ace) -> bool) -> Vec<Edit> {
        let found = self
            .dacl
            .list()
            .is_some_and(|acl| acl.aces.iter().any(&is_removed));
        let Some(acl) = self.dacl_for_edit_if(found) else {
            return Vec::new();
        };
        let (removed, kept) = mem::take(&mut acl.aces).into_iter().partition(is_removed);
        acl.aces = kept;
        let removed: Vec<Ace> = removed;
        removed
            .into_iter()
            .map(|ace| Edit::Removed { ace })
            .collect()
    }

    fn dacl_for_edit_if(&mut self, wanted: bool) -> Option<&mut Acl> {
        if wanted { self.dacl_for_edit() } else { None }
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
    use crate::mask::Objects;

    #[test]
    fn entries_of_an_account_are_removed_if_they_are_not_inherited() {
        let sddl = "D:(D;;KA;;;BU)(A;;KR;;;BU)(A;;KA;;;SY)(A;ID;KR;;;BU)";
        let mut descriptor = SecurityDescriptor::from_sddl(sddl, &Domains::default()).unwrap();
        let edits = descriptor.remove_account(Sid::USERS);
        let edits: Vec<_> = edits
            .iter()
            .map(|edit| Objects::Keys.edit_text(edit))
            .collect();
        assert_eq!(
            edits,
            [r"remove BUILTIN\Users:(N)", r"remove BUILTIN\Users:(R)"]
        );
        let after = descriptor.to_sddl(SddlParts::All).unwrap();
        assert_eq!(after, "D:(A;;KA;;;SY)(A;ID;KR;;;BU)");
        assert_eq!(descriptor.remove_account(Sid::USERS), []);
    }

    #[test]
    fn a_copy_of_a_removed_deny_is_removed_and_others_stay() {
        let read = |sddl| SecurityDescriptor::from_sddl(sddl, &Domains::default()).unwrap();
        let before = read("D:AI(D;CI;DCLC;;;SY)(A;CI;KA;;;SY)(D;CIID;SD;;;BU)");
        let parent = read("D:AI(A;CI;KA;;;SY)(D;CIID;SD;;;BU)");
        let mut child =
            read("D:AI(D;;DCLC;;;BU)(D;CIID;DCLC;;;SY)(D;CIID;SD;;;BU)(D;CIID;SD;;;SY)");
        assert_eq!(child.remove_stale_denies(&before, &before), []);
        let edits = child.remove_stale_denies(&before, &parent);
        assert_eq!(edits.len(), 1);
        let after = child.to_sddl(SddlParts::All).unwrap();
        assert_eq!(after, "D:AI(D;;DCLC;;;BU)(D;CIID;SD;;;BU)(D;CIID;SD;;;SY)");
    }

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
