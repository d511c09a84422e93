//! The descriptors that new keys inherit, compared with those that Windows has computed.

use diskmend_acl::{AclSlot, SecurityDescriptor, Sid};
use diskmend_hive::{Key, Opened, open};

use crate::support::corpus;

/// Keys that SYSTEM has created, and how many of them have exactly what is computed.
#[derive(Default)]
struct Count {
    keys: usize,
    equal: usize,
    exact: usize,
}

fn walk(key: Key<'_>, count: &mut Count) {
    let read = |key: &Key<'_>| SecurityDescriptor::from_bytes(key.security_descriptor().ok()?).ok();
    let Some(parent) = read(&key) else { return };
    let computed = parent.of_new_key();
    for child in key.subkeys().expect("sound") {
        let child = child.expect("sound");
        // Other keys got a descriptor from whoever created them, or have one that was set later.
        let inherits = read(&child).filter(|own| {
            let by_system = (own.owner, own.group) == (Some(Sid::SYSTEM), Some(Sid::SYSTEM));
            by_system && own.sacl == AclSlot::Absent && is_plain(own, &parent)
        });
        if let Some(own) = inherits {
            count.keys += 1;
            count.equal += usize::from(own.means_the_same(&computed));
            count.exact += usize::from(own.is_exact(&computed.to_bytes().expect("small")));
        }
        walk(child, count);
    }
}

/// True if every entry of a key's DACL is inherited, as far as its parent's mark shows that.
fn is_plain(own: &SecurityDescriptor, parent: &SecurityDescriptor) -> bool {
    let marked = |one: &SecurityDescriptor| {
        one.control()
            .contains(diskmend_acl::Control::DACL_AUTO_INHERITED)
    };
    let protected = own
        .control()
        .contains(diskmend_acl::Control::DACL_PROTECTED);
    let aces = own.dacl.list().map_or(&[][..], |acl| acl.aces.as_slice());
    !protected
        && marked(own) == marked(parent)
        && aces.iter().all(|ace| ace.is_inherited() == marked(parent))
}

#[test]
fn new_keys_inherit_what_they_inherit_in_windows_7() {
    let Some(corpus) = corpus() else { return };
    let bytes = std::fs::read(corpus.join("hives/regipy/SYSTEM")).expect("the hive");
    let Ok(Opened::Clean(hive)) = open(Box::new(bytes)) else {
        panic!("the hive was closed cleanly");
    };
    let mut count = Count::default();
    walk(hive.root().expect("sound"), &mut count);
    let Count { keys, equal, exact } = count;
    println!("{equal} of {keys} keys, {exact} to the byte");
    assert!(keys > 10_000, "{keys}");
    assert!(equal * 1000 >= keys * 995, "{equal} of {keys}");
}
