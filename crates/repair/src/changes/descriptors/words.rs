//! Security descriptors in words.

use diskmend_acl::{SddlParts, SecurityDescriptor, ace_text};
use serde::Serialize;

/// A security descriptor for a person.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct DescriptorWords {
    /// The owner's name; absent where there is none.
    pub owner: Option<String>,
    /// The entries of the DACL as icacls prints them; absent where everyone may do everything.
    pub entries: Option<Vec<String>>,
    /// The whole as SDDL; absent where SDDL has no words for it.
    pub sddl: Option<String>,
}

impl DescriptorWords {
    /// The words for a descriptor's bytes, as far as they can be read.
    #[must_use]
    pub fn of(bytes: &[u8]) -> Self {
        let corrupt = || Some(vec!["(corrupt)".to_owned()]);
        let Ok(salvaged) = SecurityDescriptor::salvage(bytes) else {
            return Self {
                owner: None,
                entries: corrupt(),
                sddl: None,
            };
        };
        let descriptor = &salvaged.descriptor;
        let sound = salvaged.corruptions.is_empty();
        let aces = descriptor.dacl.list().map(|acl| acl.aces.as_slice());
        let entries: Option<Vec<String>> = aces.map(|aces| aces.iter().map(ace_text).collect());
        let sddl = || descriptor.to_sddl(SddlParts::All).ok();
        Self {
            owner: descriptor
                .owner
                .map(|owner| owner.display_name().into_owned()),
            entries: match sound {
                true => entries,
                false => entries.or_else(corrupt),
            },
            sddl: sound.then(sddl).flatten(),
        }
    }
}
