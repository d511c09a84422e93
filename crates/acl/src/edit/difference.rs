//! The difference between two DACLs.

use std::collections::HashMap;

use super::{Edit, fault};
use crate::ace::Ace;
use crate::descriptor::AclSlot;

/// The edits that turn `before` into `after`. There are none only if both mean the same.
pub(super) fn between(before: &AclSlot, after: &AclSlot) -> Vec<Edit> {
    let mut edits = Vec::new();
    if before.means_the_same(after) {
        return edits;
    }
    edits.extend(fault(before).map(|fault| Edit::DaclReplaced { fault }));
    let (old, new) = (entries(before), entries(after));
    let (removed, old_kept) = split(old, new);
    let (added, new_kept) = split(new, old);
    let clone = |ace: &&Ace| Ace::clone(ace);
    edits.extend(removed.iter().map(clone).map(|ace| Edit::Removed { ace }));
    edits.extend(added.iter().map(clone).map(|ace| Edit::Added { ace }));
    if old_kept != new_kept {
        edits.push(Edit::Reordered);
    }
    if *after == AclSlot::Null {
        edits.push(Edit::DaclNulled);
    }
    edits
}

fn entries(slot: &AclSlot) -> &[Ace] {
    match slot.list() {
        Some(acl) => &acl.aces,
        None => &[],
    }
}

/// The entries of `list` that `other` doesn't have, or has less often, and the entries that it has.
fn split<'a>(list: &'a [Ace], other: &[Ace]) -> (Vec<&'a Ace>, Vec<&'a Ace>) {
    // A hostile list may hold thousands of entries.
    let mut counts: HashMap<&Ace, usize> = HashMap::new();
    for ace in other {
        let count = counts.entry(ace).or_default();
        *count = count.saturating_add(1);
    }
    list.iter().partition(|ace| match counts.get_mut(ace) {
        Some(count @ 1..) => {
            *count = count.saturating_sub(1);
            false
        }
        _ => true,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::descriptor::SecurityDescriptor;
    use crate::sid::Domains;

    fn edits(before: &str, after: &str) -> Vec<String> {
        let dacl = |sddl| {
            let descriptor = SecurityDescriptor::from_sddl(sddl, &Domains::default());
            descriptor.unwrap().dacl
        };
        let edits = between(&dacl(before), &dacl(after));
        edits.iter().map(Edit::to_string).collect()
    }

    #[test]
    fn unchanged_entries_are_not_reported() {
        assert_eq!(
            edits(
                "D:(D;;FR;;;WD)(A;;FA;;;BA)(A;;FR;;;BU)",
                "D:(A;;FA;;;BA)(A;;FR;;;BU)(D;ID;FA;;;NS)"
            ),
            [
                "remove Everyone:(DENY)(R)",
                r"add NT AUTHORITY\NETWORK SERVICE:(I)(N)"
            ]
        );
    }

    #[test]
    fn an_entry_counts_as_often_as_it_stands_there() {
        assert_eq!(
            edits("D:(A;;FR;;;BU)(A;;FR;;;BU)", "D:(A;;FR;;;BU)"),
            [r"remove BUILTIN\Users:(R)"]
        );
        assert_eq!(
            edits("D:(A;;FR;;;BU)", "D:(A;;FR;;;BU)(A;;FR;;;BU)"),
            [r"allow BUILTIN\Users:(R)"]
        );
    }

    #[test]
    fn another_order_of_the_entries_is_reported() {
        assert_eq!(
            edits("D:(A;;FR;;;BU)(D;;FW;;;BU)", "D:(D;;FW;;;BU)(A;;FR;;;BU)"),
            ["put the entries in the right order"]
        );
    }

    #[test]
    fn a_dacl_that_gives_everyone_everything_or_nobody_anything_is_named() {
        let absent = "there is none, everyone may do everything";
        assert_eq!(
            edits("O:BA", "D:(A;;FR;;;BU)"),
            [
                format!("replace the DACL: {absent}"),
                r"allow BUILTIN\Users:(R)".to_owned()
            ]
        );
        assert_eq!(
            edits("D:NO_ACCESS_CONTROL", "D:"),
            ["replace the DACL: it is NULL, everyone may do everything"]
        );
        assert_eq!(
            edits("D:(A;;FR;;;BU)", "D:NO_ACCESS_CONTROL"),
            [
                r"remove BUILTIN\Users:(R)",
                "set a NULL DACL, everyone may do everything"
            ]
        );
        assert_eq!(edits("D:", "D:"), [""; 0]);
    }
}
