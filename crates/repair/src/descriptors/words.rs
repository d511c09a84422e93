//! A security descriptor for a person.

use diskmend_acl::{SddlParts, SecurityDescriptor, ace_text};

use crate::documents::DescriptorWords;

/// The words for a descriptor's bytes, as far as they can be read.
pub(crate) fn words(bytes: &[u8]) -> DescriptorWords {
    let Ok(salvaged) = SecurityDescriptor::salvage(bytes) else {
        return DescriptorWords {
            owner: None,
            entries: Some(vec!["(corrupt)".to_owned()]),
            sddl: None,
        };
    };
    let descriptor = &salvaged.descriptor;
    let sound = salvaged.corruptions.is_empty();
    let entries = descriptor
        .dacl
        .list()
        .map(|acl| acl.aces.iter().map(ace_text).collect());
    DescriptorWords {
        owner: descriptor
            .owner
            .map(|owner| owner.display_name().into_owned()),
        entries: match sound {
            true => entries,
            false => Some(entries.unwrap_or_else(|| vec!["(corrupt)".to_owned()])),
        },
        sddl: sound
            .then(|| descriptor.to_sddl(SddlParts::All).ok())
            .flatten(),
    }
}
