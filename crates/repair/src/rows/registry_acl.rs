//! The `[[registry_acl]]` rows: wanted permissions of registry keys.

mod file;

use diskmend_acl::{Grant, Objects, SecurityDescriptor, TooLarge};
use diskmend_hive::{Corruption, Key};
use serde::Serialize;

pub(crate) use self::file::RegistryAclFile;
use super::{About, Claim, JudgeValues, KeyPattern, Kind, Shown, Wrong};
use crate::facts::{ControlSets, Facts};
use crate::finding::{Found, JudgedValue, Judgement, KeyEdits, KeyPermissions, RowState, Wanted};
use crate::hive_on_disk::HiveOnDisk;
use crate::place::HiveName;

/// The greatest number of keys of a tree whose permissions a row judges.
const MOST_KEYS: usize = 1000;

/// The wanted permissions of a registry key. A key that doesn't exist is right.
#[derive(Clone, Debug)]
pub struct RegistryAclRow {
    /// The hive.
    pub hive: HiveName,
    /// The key below the hive's root.
    pub key: KeyPattern,
    /// True if the row is also about every key below it.
    pub tree: bool,
    /// The wanted permissions.
    pub desired: DesiredPermissions,
    /// Says when permissions are evidence of a fault.
    pub fault: PermissionsFault,
    /// One sentence for a person.
    pub why: String,
}

/// The wanted permissions.
#[derive(Clone, Debug)]
pub enum DesiredPermissions {
    /// These parts; the other parts don't change.
    Parts {
        /// The parts.
        descriptor: Box<SecurityDescriptor>,
        /// The parts as SDDL, for display.
        sddl: String,
    },
    /// The present descriptor after these edits.
    Edits(KeyEdits),
}

/// Says when the permissions of a key are a fault: if one of these is so.
#[derive(Clone, Debug, Default)]
pub struct PermissionsFault {
    /// One of these accounts lacks its rights, or the DACL is corrupt.
    pub blocked: Vec<Grant>,
    /// An entry denies one of these accounts its rights.
    pub denied: Vec<Grant>,
}

impl Kind for RegistryAclRow {
    type Written = RegistryAclFile;
    type Entry<'a> = Entry<'a>;

    fn read(written: RegistryAclFile) -> Result<Self, Wrong> {
        written.read()
    }

    fn about(&self) -> About<'_> {
        About::Values(self.hive, self)
    }

    fn claim(&self) -> Option<Claim<'_>> {
        Some(Claim::Permissions {
            hive: self.hive,
            key: &self.key,
            tree: self.tree,
        })
    }

    fn why(&self) -> &str {
        &self.why
    }

    fn entry(&self) -> Entry<'_> {
        let words = |grants: &[Grant]| grants.iter().map(text).collect();
        Entry {
            hive: self.hive.file_name(),
            key: self.key.to_string(),
            applies_to: self.applies_to(),
            sets: self.desired.words(),
            fault_unless: words(&self.fault.blocked),
            fault_if_denied: words(&self.fault.denied),
            why: &self.why,
        }
    }

    fn shown(&self) -> Shown {
        let entry = self.entry();
        let about = if self.tree {
            "the key and every key below it"
        } else {
            "the key"
        };
        let mut lines = vec![about.to_owned()];
        lines.extend(entry.sets);
        for (accounts, what) in [
            (entry.fault_unless, "a fault unless these have their rights"),
            (entry.fault_if_denied, "a fault if these are denied rights"),
        ] {
            if !accounts.is_empty() {
                lines.push(format!("{what}: {}", accounts.join(", ")));
            }
        }
        Shown {
            place: format!("Permissions of {}\\{}", self.hive, self.key),
            lines,
        }
    }
}

impl RegistryAclRow {
    fn applies_to(&self) -> &'static str {
        if self.tree { "tree" } else { "key" }
    }

    /// Judges a descriptor. `parent` is that of the key above before and after its own change, if
    /// the row is about that key too.
    fn judge_one(
        &self,
        bytes: &[u8],
        parent: Option<[&SecurityDescriptor; 2]>,
    ) -> Result<Judgement, TooLarge> {
        let found = Found::of_key(bytes);
        let mut reasons = found.blocked(&self.fault.blocked);
        reasons.extend(found.denied(&self.fault.denied));
        let made = match &self.desired {
            DesiredPermissions::Parts { descriptor, .. } => found.with_parts(descriptor),
            DesiredPermissions::Edits(edits) => found.with_key_edits(edits, parent),
        };
        let mut judgement = Judgement::of(reasons, made)?;
        // The cause is above this key, or it is nothing that the row changes.
        if judgement.state == RowState::Fault && judgement.after.is_none() {
            judgement.state = RowState::Reported;
        }
        Ok(judgement)
    }

    /// Judges a key, and the keys below it if the row is about them. A key below that is right is
    /// left out.
    fn judge_tree(&self, path: String, key: Key<'_>) -> Result<Vec<(String, Judged)>, Corruption> {
        let mut all = Vec::new();
        let mut pending = vec![(path, key, None)];
        let mut count = 0;
        while let Some((path, key, parent)) = pending.pop() {
            let is_top = count == 0;
            count += 1;
            if count > MOST_KEYS {
                return Ok(all
                    .drain(..1)
                    .map(|(path, one)| (path, too_many(one)))
                    .collect());
            }
            let bytes = key.security_descriptor()?;
            let judged = self.judged(bytes, parent.as_ref());
            let after = judged.permissions.after.as_deref().unwrap_or(bytes);
            if self.tree && !key.has_predefined_handle() {
                // If a descriptor is corrupt, what it passes on is unknown.
                let read = |bytes: &[u8]| SecurityDescriptor::from_bytes(bytes).ok();
                let below = read(bytes).zip(read(after));
                for subkey in key.subkeys()? {
                    let subkey = subkey?;
                    if pending.len() > MOST_KEYS {
                        break;
                    }
                    let path = format!("{path}\\{}", subkey.name().in_path());
                    pending.push((path, subkey, below.clone()));
                }
            }
            if is_top || judged.state != RowState::Ok {
                all.push((path, judged));
            }
        }
        Ok(all)
    }

    fn judged(
        &self,
        bytes: &[u8],
        parent: Option<&(SecurityDescriptor, SecurityDescriptor)>,
    ) -> Judged {
        let parent = parent.map(|(before, after)| [before, after]);
        let judgement = self.judge_one(bytes, parent);
        let judgement = judgement.unwrap_or_else(|error| Judgement {
            state: RowState::Reported,
            reasons: vec![error.to_string()],
            edits: Vec::new(),
            after: None,
        });
        Judged {
            state: judgement.state,
            permissions: KeyPermissions {
                before: bytes.to_vec(),
                after: judgement.after,
                reasons: judgement.reasons,
                edits: judgement.edits,
            },
        }
    }
}

/// A key's permissions and the result of comparing them.
struct Judged {
    state: RowState,
    permissions: KeyPermissions,
}

/// The top key of a tree with too many keys, which is left alone.
fn too_many(top: Judged) -> Judged {
    Judged {
        state: RowState::Reported,
        permissions: KeyPermissions {
            before: top.permissions.before,
            after: None,
            reasons: vec![format!(
                "there are more than {MOST_KEYS} keys; their permissions are left alone"
            )],
            edits: Vec::new(),
        },
    }
}

impl JudgeValues for RegistryAclRow {
    fn judge(&self, hive: &HiveOnDisk, facts: &Facts<'_>) -> Result<Vec<JudgedValue>, Corruption> {
        let sets = if self.key.every_control_set() {
            Some(facts.control_sets_in(hive)?)
        } else {
            None
        };
        let names = sets.map_or_else(Vec::new, ControlSets::names);
        let mut all = Vec::new();
        for path in self.key.resolve_in(&hive.hive, &names)? {
            let Some(key) = hive.hive.key(&path)? else {
                continue;
            };
            let judged = self.judge_tree(path, key)?.into_iter();
            all.extend(judged.map(|(key, judged)| JudgedValue {
                in_current_set: sets.map(|sets| sets.is_in_current(&key)),
                key,
                value: String::new(),
                desired: Wanted::Permissions(Box::new(judged.permissions)),
                current: None,
                subtree: None,
                bits: None,
                state: judged.state,
            }));
        }
        Ok(all)
    }
}

impl DesiredPermissions {
    /// The wanted settings, for display.
    fn words(&self) -> Vec<String> {
        let edits = match self {
            Self::Parts { sddl, .. } => return vec![sddl.clone()],
            Self::Edits(edits) => edits,
        };
        let owner = edits.owner;
        let owner = owner.map(|owner| format!("owner {}", owner.display_name()));
        let removed = edits.remove.iter();
        let removed =
            removed.map(|sid| format!("remove every own entry for {}", sid.display_name()));
        let denied = edits.remove_deny.iter();
        let denied = denied.map(|grant| format!("no own entry denies {}", text(grant)));
        let grants = edits.grants.iter();
        let grants = grants.map(|grant| format!("allow {}", text(grant)));
        let all = owner.into_iter().chain(removed).chain(denied).chain(grants);
        all.collect()
    }
}

/// A grant for a key, for display.
fn text(grant: &Grant) -> String {
    Objects::Keys.grant_text(grant)
}

/// A row in JSON.
#[derive(Serialize)]
pub(crate) struct Entry<'a> {
    hive: &'static str,
    key: String,
    applies_to: &'static str,
    /// The wanted settings, for display.
    sets: Vec<String>,
    /// It is a fault unless these accounts have their rights.
    fault_unless: Vec<String>,
    /// It is a fault if an entry denies these accounts their rights.
    fault_if_denied: Vec<String>,
    why: &'a str,
}
