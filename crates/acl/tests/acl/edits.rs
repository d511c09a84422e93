//! After an edit, the descriptor can still be stored, the edit reports what it has changed, and a
//! second edit changes nothing.

use crate::common::{any_ace, descriptor};
use diskmend_acl::{Ace, AclSlot, Control, Edit, SecurityDescriptor};
use proptest::prelude::*;

/// The entries of a DACL, as often as they occur.
fn entries(descriptor: &SecurityDescriptor) -> Vec<Ace> {
    let list = descriptor.dacl.list();
    list.map(|acl| acl.aces.clone()).unwrap_or_default()
}

/// The entries after the reported edits, in any order.
fn told(mut entries: Vec<Ace>, edits: &[Edit]) -> Option<Vec<Ace>> {
    for edit in edits {
        match edit {
            Edit::Removed { ace } => {
                let place = entries.iter().position(|known| known == ace)?;
                entries.remove(place);
            }
            Edit::Added { ace } => entries.push(ace.clone()),
            _ => {}
        }
    }
    Some(entries)
}

fn sorted(mut entries: Vec<Ace>) -> Vec<Ace> {
    entries.sort_by_key(|ace| format!("{ace:?}"));
    entries
}

/// Two descriptors; most entries of the second are also in the first.
fn pair() -> impl Strategy<Value = (SecurityDescriptor, SecurityDescriptor)> {
    let any = || descriptor(any_ace(), !0);
    let related = any().prop_flat_map(move |first| {
        let all = entries(&first);
        let some = prop::sample::subsequence(all.clone(), 0..=all.len()).prop_shuffle();
        (Just(first), any(), some).prop_map(|(first, mut second, some)| {
            if let Some(acl) = second.dacl.list_mut() {
                acl.aces.truncate(1);
                acl.aces.extend(some);
            }
            (first, second)
        })
    });
    prop_oneof![2 => related, 1 => (any(), any())]
}

proptest! {
    #[test]
    fn set_to_makes_the_wanted_descriptor((before, wanted) in pair()) {
        let mut after = before.clone();
        let edits = after.set_to(&wanted);
        prop_assert_eq!(edits.is_empty(), after == before);
        prop_assert_eq!(after.owner, wanted.owner.or(before.owner));
        prop_assert_eq!(after.group, wanted.group.or(before.group));
        prop_assert_eq!(&after.sacl, &before.sacl);
        if wanted.dacl == AclSlot::Absent {
            prop_assert_eq!(&after.dacl, &before.dacl);
        } else {
            prop_assert_eq!(entries(&after), entries(&wanted));
            prop_assert_eq!(after.dacl.list().is_some(), wanted.dacl.list().is_some());
            let protected = Control::DACL_PROTECTED;
            prop_assert!(!wanted.control().contains(protected) || after.control().contains(protected));
            let told = told(entries(&before), &edits).map(sorted);
            prop_assert_eq!(told, Some(sorted(entries(&after))));
        }
        let once = after.clone();
        prop_assert_eq!(after.set_to(&wanted), []);
        prop_assert_eq!(after, once);
    }

    #[test]
    fn a_reset_leaves_only_inherited_entries((before, parent) in pair(), is_container in any::<bool>()) {
        let mut after = before.clone();
        let edits = after.reset_to_inherited(&parent, is_container);
        prop_assert_eq!(edits.is_empty(), after == before);
        prop_assert!(entries(&after).iter().all(Ace::is_inherited));
        prop_assert!(after.dacl.list().is_some());
        prop_assert!(!after.control().contains(Control::DACL_PROTECTED));
        prop_assert!(after.control().contains(Control::DACL_AUTO_INHERITED));
        let told = told(entries(&before), &edits).map(sorted);
        prop_assert_eq!(told, Some(sorted(entries(&after))));
        let kept = |descriptor: &SecurityDescriptor| {
            (descriptor.owner, descriptor.group, descriptor.sacl.clone())
        };
        prop_assert_eq!(kept(&after), kept(&before));
        let once = after.to_bytes().unwrap();
        prop_assert_eq!(after.reset_to_inherited(&parent, is_container), []);
        prop_assert_eq!(after.to_bytes().unwrap(), once);
    }
}
