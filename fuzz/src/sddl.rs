//! Reading security descriptors as text.

use diskmend_acl::{Domains, SddlParts, SecurityDescriptor};

/// Reads SDDL. What can be written as bytes or SDDL must read back as the same.
///
/// # Panics
/// If it does not.
pub fn sddl(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    let descriptor = match SecurityDescriptor::from_sddl(&text, &domains()) {
        Ok(descriptor) => descriptor,
        Err(error) => {
            assert!(error.offset <= text.len(), "{error}");
            assert!(text.is_char_boundary(error.offset), "{error}");
            return;
        }
    };
    if let Ok(bytes) = descriptor.to_bytes() {
        let read = SecurityDescriptor::from_bytes(&bytes);
        assert!(read.is_ok_and(|read| read.means_the_same(&descriptor)));
    }
    // A condition with very many operands can be read but not written.
    let Ok(written) = descriptor.to_sddl(SddlParts::All) else {
        return;
    };
    let read = SecurityDescriptor::from_sddl(&written, &Domains::default());
    let again = read.as_ref().map(|read| read.to_sddl(SddlParts::All));
    assert_eq!(again, Ok(Ok(written)));
    assert!(read.is_ok_and(|read| read.means_the_same(&descriptor)));
}

/// A machine and a domain by which aliases can be resolved.
pub(super) fn domains() -> Domains {
    Domains {
        machine: "S-1-5-21-1-2-3".parse().ok(),
        domain: "S-1-5-21-4-5-6".parse().ok(),
        root: None,
    }
}
