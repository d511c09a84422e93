//! Changes of the security descriptors of registry keys.

use diskmend_acl::{AceFlags, Grant, Objects, SecurityDescriptor, Sid, Token};

use super::descriptor::{Found, Made, without_entries};

/// Changes of the permissions of a key. Each is made only as far as it has an effect, so that a key
/// on which nothing is wrong stays as it is.
#[derive(Clone, Debug, Default)]
pub struct KeyEdits {
    /// The new owner; if absent, the owner doesn't change.
    pub owner: Option<Sid>,
    /// The grants, in this order. What an account may do already is not granted again.
    pub grants: Vec<Grant>,
    /// The accounts whose own entries are removed, whatever they say.
    pub remove: Vec<Sid>,
    /// Who must not be denied what: the entries that do so are removed, or lose these rights. Those
    /// that the key has inherited stay.
    pub remove_deny: Vec<Grant>,
    /// The DACL to start with if there is none, or if it is NULL, empty or corrupt, and rights are
    /// granted. If absent, that is an empty one.
    pub replacement: Option<Box<SecurityDescriptor>>,
}

impl Found {
    /// Reads as much as possible of the descriptor of a key.
    pub(crate) fn of_key(bytes: &[u8]) -> Self {
        Self::read_of(Objects::Keys, bytes)
    }

    /// Those of these accounts that an entry denies rights, and which entry.
    pub(crate) fn denied(&self, accounts: &[Grant]) -> Vec<String> {
        let aces = self.descriptor.dacl.list();
        let aces = aces.map_or(&[][..], |acl| acl.aces.as_slice());
        let mut reasons = Vec::new();
        for wanted in accounts {
            let access = self.descriptor.access(&token(wanted), wanted.mask);
            let entries = access.denied_by.iter().filter_map(|index| aces.get(*index));
            reasons.extend(entries.map(|ace| {
                format!(
                    "{} is denied rights by {}",
                    wanted.sid.display_name(),
                    self.objects.ace_text(ace)
                )
            }));
        }
        reasons
    }

    /// The descriptor after the edits. `parent` is that of the key above before and after its own
    /// edits, if there are any: a copy of an entry that was removed there is removed here too.
    /// `None` if nothing changes.
    pub(crate) fn with_key_edits(
        &self,
        wanted: &KeyEdits,
        parent: Option<[&SecurityDescriptor; 2]>,
    ) -> Option<Made> {
        let mut made = self.begin();
        let Made { descriptor, edits } = &mut made;
        let mut done = Vec::new();
        done.extend(wanted.owner.and_then(|owner| descriptor.set_owner(owner)));
        if let Some(fault) = self.dacl.filter(|_| !wanted.grants.is_empty()) {
            done.push(match &wanted.replacement {
                Some(replacement) => descriptor.replace_dacl(replacement, fault),
                None => descriptor.replace_dacl(&without_entries(), fault),
            });
        }
        for account in &wanted.remove {
            done.extend(descriptor.remove_account(*account));
        }
        for denied in &wanted.remove_deny {
            done.extend(descriptor.remove_denies(&token(denied), denied.mask));
        }
        if let Some([before, after]) = parent {
            done.extend(descriptor.remove_stale_denies(before, after));
        }
        for grant in &wanted.grants {
            if !is_granted(descriptor, grant) {
                done.extend(descriptor.grant(grant));
                done.extend(descriptor.unblock(&token(grant), grant.mask));
            }
        }
        edits.extend(done.iter().map(|edit| self.words(edit)));
        self.end(made)
    }
}

fn token(grant: &Grant) -> Token {
    Token::for_account(grant.sid)
}

/// True if an account has its rights already: on the key, and on the keys that would be created below
/// it if these are to inherit them.
fn is_granted(descriptor: &SecurityDescriptor, grant: &Grant) -> bool {
    let has = |one: &SecurityDescriptor| one.access(&token(grant), grant.mask).is_granted();
    (grant.inheritance.contains(AceFlags::INHERIT_ONLY) || has(descriptor))
        && (!grant.inheritance.contains(AceFlags::CONTAINER_INHERIT)
            || has(&descriptor.of_new_key()))
}
