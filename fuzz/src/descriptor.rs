//! Reading security descriptors from bytes, and editing them.

#![expect(
    clippy::panic,
    reason = "a fuzz target tells what is wrong by panicking"
)]

use diskmend_acl::{
    AccessMask, AceFlags, AclSlot, Domains, Grant, SddlParts, SecurityDescriptor, Sid, Token,
    icacls_lines,
};

/// Reads a descriptor as far as it is sound, and edits it. A second descriptor may follow the first
/// one: it serves as the wanted descriptor and as the parent.
///
/// # Panics
/// If a written descriptor does not read back, or an edit does not do what it reports.
pub fn descriptor(data: &[u8]) {
    let whole = SecurityDescriptor::from_bytes(data);
    let salvaged = match SecurityDescriptor::salvage(data) {
        Ok(salvaged) => salvaged,
        Err(corruption) => {
            assert_eq!(whole, Err(corruption), "what can't be salvaged is read");
            return;
        }
    };
    for (_, corruption) in &salvaged.corruptions {
        assert!(corruption.offset.0 <= data.len(), "{corruption}");
    }
    let first = salvaged.descriptor;
    match whole {
        Ok(whole) => assert_eq!(whole, first, "read and salvaged"),
        Err(_) => assert!(!salvaged.corruptions.is_empty(), "a refusal without reason"),
    }
    let len = stored(&first);
    let rest = len.and_then(|len| data.get(len..)).unwrap_or_default();
    let second = SecurityDescriptor::salvage(rest)
        .map(|salvaged| salvaged.descriptor)
        .unwrap_or_else(|_| first.clone());
    assert!(len.is_some(), "what was read is too large to be written");
    assert!(icacls_lines("x", &first).starts_with('x'));
    written_as_sddl(&first);
    granted(&first);
    set(&first, &second);
    reset(&first, &second);
}

/// The length of the descriptor's bytes, which must read back as the descriptor; `None` if it is
/// too large.
fn stored(descriptor: &SecurityDescriptor) -> Option<usize> {
    let bytes = descriptor.to_bytes().ok()?;
    match SecurityDescriptor::from_bytes(&bytes) {
        Ok(read) => {
            assert!(read.means_the_same(descriptor), "{descriptor:?}\n{read:?}");
            assert!(read.is_exact(&bytes), "{bytes:02x?}");
        }
        Err(corruption) => panic!("{descriptor:?} is written corrupt: {corruption}"),
    }
    Some(bytes.len())
}

fn written_as_sddl(descriptor: &SecurityDescriptor) {
    let Ok(sddl) = descriptor.to_sddl(SddlParts::All) else {
        return;
    };
    match SecurityDescriptor::from_sddl(&sddl, &Domains::default()) {
        Ok(read) => {
            // SDDL can't express the byte Sbz1 and some control bits.
            assert_eq!(
                (read.owner, read.group),
                (descriptor.owner, descriptor.group)
            );
            for (a, b) in [
                (&read.dacl, &descriptor.dacl),
                (&read.sacl, &descriptor.sacl),
            ] {
                assert!(same_entries(a, b), "{sddl}");
            }
            assert_eq!(read.to_sddl(SddlParts::All).as_ref(), Ok(&sddl));
        }
        Err(error) => panic!("{sddl} does not read back: {error}"),
    }
}

pub(super) fn same_entries(a: &AclSlot, b: &AclSlot) -> bool {
    match (a, b) {
        (AclSlot::List(a), AclSlot::List(b)) => a.means_the_same(b),
        _ => a == b,
    }
}

fn granted(descriptor: &SecurityDescriptor) {
    let mut edited = descriptor.clone();
    let grant = Grant {
        sid: Sid::NETWORK_SERVICE,
        mask: AccessMask::FILE_READ,
        inheritance: AceFlags::NONE,
    };
    edited.grant(&grant);
    assert_eq!(edited.grant(&grant), None, "granted twice");
    let service = Token::network_service();
    edited.unblock(&service, grant.mask);
    assert!(edited.access(&service, grant.mask).is_granted());
    let once = edited.clone();
    assert_eq!(edited.unblock(&service, grant.mask), []);
    assert_eq!(
        edited.grant(&grant),
        None,
        "granted after the denies are gone"
    );
    assert_eq!(edited, once);
    stored(&edited);
}

fn set(descriptor: &SecurityDescriptor, wanted: &SecurityDescriptor) {
    let mut edited = descriptor.clone();
    let edits = edited.set_to(wanted);
    assert_eq!(edits.is_empty(), edited == *descriptor, "{edits:?}");
    assert_eq!(edited.owner, wanted.owner.or(descriptor.owner));
    let dacl = match wanted.dacl {
        AclSlot::Absent => &descriptor.dacl,
        _ => &wanted.dacl,
    };
    assert!(same_entries(&edited.dacl, dacl), "{edits:?}");
    let once = edited.clone();
    assert_eq!(edited.set_to(wanted), []);
    assert_eq!(edited, once);
    stored(&edited);
}

fn reset(descriptor: &SecurityDescriptor, parent: &SecurityDescriptor) {
    for is_container in [false, true] {
        let mut edited = descriptor.clone();
        let edits = edited.reset_to_inherited(parent, is_container);
        assert_eq!(edits.is_empty(), edited == *descriptor, "{edits:?}");
        let once = edited.clone();
        assert_eq!(edited.reset_to_inherited(parent, is_container), []);
        assert_eq!(edited, once);
        for edit in edits {
            std::hint::black_box(edit.to_string());
        }
        stored(&edited);
    }
}
