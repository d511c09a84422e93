//! Security descriptors as text.

use diskmend_acl::{Objects, SddlParts, SecurityDescriptor};
use serde::Serialize;

/// A security descriptor as text.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct DescriptorWords {
    /// The owner's name; absent if there is none.
    pub owner: Option<String>,
    /// The entries of the DACL as icacls prints them, with the letters for keys in a registry key's;
    /// absent if everyone may do everything.
    pub entries: Option<Vec<String>>,
    /// The whole descriptor as SDDL; absent if SDDL can't express it.
    pub sddl: Option<String>,
}

impl DescriptorWords {
    /// The text of the descriptor of a file or folder, as far as its bytes can be read.
    #[must_use]
    pub fn of(bytes: &[u8]) -> Self {
        Self::read(Objects::Files, bytes)
    }

    /// The text of the descriptor of a registry key, as far as its bytes can be read.
    #[must_use]
    pub fn of_key(bytes: &[u8]) -> Self {
        Self::read(Objects::Keys, bytes)
    }

    fn read(objects: Objects, bytes: &[u8]) -> Self {
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
        let words = |ace| objects.ace_text(ace);
        let entries: Option<Vec<String>> = aces.map(|aces| aces.iter().map(words).collect());
        let sddl = || descriptor.to_sddl(SddlParts::All).ok();
        Self {
            owner: descriptor
                .owner
                .map(|owner| owner.display_name().into_owned()),
            entries: if sound {
                entries
            } else {
                entries.or_else(corrupt)
            },
            sddl: sound.then(sddl).flatten(),
        }
    }

    /// The text in one line: the SDDL, or owner and entries if SDDL can't express the descriptor.
    pub(crate) fn line(&self) -> String {
        if let Some(sddl) = &self.sddl {
            return sddl.clone();
        }
        let owner = self.owner.iter().map(|owner| format!("owner {owner}"));
        let parts: Vec<String> = match &self.entries {
            Some(entries) => owner.chain(entries.iter().cloned()).collect(),
            None => owner.chain(["no DACL".to_owned()]).collect(),
        };
        parts.join("; ")
    }
}

#[cfg(test)]
mod tests {
    use diskmend_acl::Domains;

    use super::*;

    /// It was shown as "(corrupt)", so whoever vouched for a run did not see whom it lets in.
    #[test]
    fn entries_are_shown_if_sddl_can_not_express_the_descriptor() {
        let sddl = "O:BAD:(A;;FA;;;WD)(XA;;FA;;;SY;(a%D800))";
        let descriptor = SecurityDescriptor::from_sddl(sddl, &Domains::default()).expect("SDDL");
        let line = DescriptorWords::of(&descriptor.to_bytes().expect("fits")).line();
        assert!(
            line.starts_with(r"owner BUILTIN\Administrators; Everyone:"),
            "{line}"
        );
        assert_eq!(line.matches(";").count(), 2, "{line}");
        assert_eq!(DescriptorWords::of(&[1, 2, 3]).line(), "(corrupt)");
    }
}
