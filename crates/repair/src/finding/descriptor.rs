//! Judging one security descriptor, and computing the changed one. Nothing is read or written here.

use diskmend_acl::{
    Acl, AclSlot, DaclFault, Edit, Grant, Objects, Part, SecurityDescriptor, Sid, Token, TooLarge,
};
use diskmend_disk::MAX_DESCRIPTOR_LEN;

use super::{MayBeFault, RowState};

/// A row's judgement of a descriptor.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Judgement {
    pub(crate) state: RowState,
    /// The evidence of the fault.
    pub(crate) reasons: Vec<String>,
    /// The edits, for display; empty if there are none.
    pub(crate) edits: Vec<String>,
    /// The bytes that it should have; absent if nothing changes.
    pub(crate) after: Option<Vec<u8>>,
}

/// Changes that `takeown` and `icacls /grant` would make, and more.
#[derive(Clone, Debug)]
pub struct Grants {
    /// The new owner; if absent, the owner doesn't change.
    pub owner: Option<Sid>,
    /// The grants, in this order.
    pub grants: Vec<Grant>,
    /// The DACL to start with if there is none, or if it is NULL, empty or corrupt. If absent, that
    /// is an empty one.
    pub replacement: Option<Box<SecurityDescriptor>>,
}

impl MayBeFault for Judgement {
    fn is_fault(&self) -> bool {
        self.state == RowState::Fault
    }

    fn is_no_fault(&mut self) {
        self.reasons.clear();
        self.state = match self.after {
            None => RowState::Ok,
            Some(_) => RowState::Differs,
        };
    }
}

impl Judgement {
    /// A row's judgement, from the evidence of the fault and the changed descriptor.
    ///
    /// # Errors
    /// If the new descriptor is too large to be stored.
    pub(crate) fn of(reasons: Vec<String>, made: Option<Made>) -> Result<Self, TooLarge> {
        let (edits, after) = encoded(made)?;
        let state = match (reasons.is_empty(), &after) {
            (false, _) => RowState::Fault,
            (true, Some(_)) => RowState::Differs,
            (true, None) => RowState::Ok,
        };
        Ok(Self {
            state,
            reasons,
            edits,
            after,
        })
    }
}

/// A descriptor after an edit by hand.
///
/// # Errors
/// If it is too large to be stored.
pub(crate) fn edited(
    bytes: &[u8],
    edit: impl FnOnce(&mut SecurityDescriptor) -> Vec<Edit>,
) -> Result<Judgement, TooLarge> {
    let found = Found::read(bytes);
    let mut made = found.begin();
    let edits = edit(&mut made.descriptor);
    made.edits = edits.iter().map(ToString::to_string).collect();
    let (edits, after) = encoded(found.end(made))?;
    Ok(Judgement {
        state: match &after {
            Some(_) => RowState::Differs,
            None => RowState::Ok,
        },
        reasons: Vec::new(),
        edits,
        after,
    })
}

/// The edits, and the bytes of the result.
fn encoded(made: Option<Made>) -> Result<(Vec<String>, Option<Vec<u8>>), TooLarge> {
    let Some(made) = made else {
        return Ok((Vec::new(), None));
    };
    let after = made.descriptor.to_bytes()?;
    if after.len() > MAX_DESCRIPTOR_LEN {
        return Err(TooLarge {
            what: "a security descriptor",
            need: after.len(),
            most: MAX_DESCRIPTOR_LEN,
        });
    }
    Ok((made.edits, Some(after)))
}

/// The readable parts of a descriptor.
pub(crate) struct Found {
    pub(super) descriptor: SecurityDescriptor,
    /// The corrupt parts and what is wrong with them, for display.
    corrupt: Vec<String>,
    pub(super) dacl: Option<DaclFault>,
    /// The objects that such a descriptor is for.
    pub(super) objects: Objects,
}

/// A changed descriptor.
pub(crate) struct Made {
    pub(super) descriptor: SecurityDescriptor,
    pub(super) edits: Vec<String>,
}

impl Found {
    /// Reads as much as possible of the descriptor of a file or folder.
    pub(crate) fn read(bytes: &[u8]) -> Self {
        Self::read_of(Objects::Files, bytes)
    }

    /// Reads as much as possible.
    pub(super) fn read_of(objects: Objects, bytes: &[u8]) -> Self {
        match SecurityDescriptor::salvage(bytes) {
            Ok(salvaged) => {
                let dacl_is_corrupt = salvaged
                    .corruptions
                    .iter()
                    .any(|(part, _)| *part == Part::Dacl);
                Self {
                    dacl: if dacl_is_corrupt {
                        Some(DaclFault::Corrupt)
                    } else {
                        salvaged.descriptor.dacl_fault()
                    },
                    descriptor: salvaged.descriptor,
                    corrupt: salvaged
                        .corruptions
                        .iter()
                        .map(|(_, corruption)| corruption.to_string())
                        .collect(),
                    objects,
                }
            }
            Err(corruption) => Self {
                descriptor: SecurityDescriptor::new(),
                corrupt: vec![corruption.to_string()],
                dacl: Some(DaclFault::Corrupt),
                objects,
            },
        }
    }

    /// Those of these accounts that lack rights, and why.
    pub(crate) fn blocked(&self, accounts: &[Grant]) -> Vec<String> {
        if self.dacl == Some(DaclFault::Corrupt) {
            return self.corrupt.clone();
        }
        accounts
            .iter()
            .filter_map(|wanted| {
                let token = Token::for_account(wanted.sid);
                let access = self.descriptor.access(&token, wanted.mask);
                if access.is_granted() {
                    return None;
                }
                let account = wanted.sid.display_name();
                let mut reason = format!(
                    "{account} lacks ({})",
                    self.objects.rights_text(access.missing)
                );
                let aces = self.descriptor.dacl.list().map(|acl| acl.aces.as_slice());
                for index in access.denied_by {
                    if let Some(ace) = aces.and_then(|aces| aces.get(index)) {
                        reason.push_str(&format!(", denied by {}", self.objects.ace_text(ace)));
                    }
                }
                Some(reason)
            })
            .collect()
    }

    /// The descriptor with these parts; `None` if it already has them.
    pub(crate) fn with_parts(&self, wanted: &SecurityDescriptor) -> Option<Made> {
        let mut made = self.begin();
        if self.dacl == Some(DaclFault::Corrupt) && wanted.dacl != AclSlot::Absent {
            let edit = made.descriptor.replace_dacl(wanted, DaclFault::Corrupt);
            made.edits.push(self.words(&edit));
        }
        let edits = made.descriptor.set_to(wanted);
        made.edits.extend(edits.iter().map(|edit| self.words(edit)));
        self.end(made)
    }

    /// The descriptor with an owner and grants, and without entries that deny what is granted.
    /// `None` if it is so already.
    pub(crate) fn with_grants(&self, wanted: &Grants) -> Option<Made> {
        let mut made = self.begin();
        let Made { descriptor, edits } = &mut made;
        let owner = wanted.owner.and_then(|owner| descriptor.set_owner(owner));
        edits.extend(owner.map(|edit| edit.to_string()));
        if let Some(fault) = self.dacl.filter(|_| !wanted.grants.is_empty()) {
            let edit = match &wanted.replacement {
                Some(replacement) => descriptor.replace_dacl(replacement, fault),
                None => descriptor.replace_dacl(&without_entries(), fault),
            };
            edits.push(edit.to_string());
        }
        for grant in &wanted.grants {
            edits.extend(descriptor.grant(grant).map(|edit| edit.to_string()));
        }
        for grant in &wanted.grants {
            let token = Token::for_account(grant.sid);
            let removed = descriptor.unblock(&token, grant.mask);
            edits.extend(removed.iter().map(ToString::to_string));
        }
        self.end(made)
    }

    /// An edit, for display.
    pub(super) fn words(&self, edit: &Edit) -> String {
        self.objects.edit_text(edit)
    }

    pub(super) fn begin(&self) -> Made {
        Made {
            descriptor: self.descriptor.clone(),
            edits: Vec::new(),
        }
    }

    /// Makes a changed descriptor complete, because only a complete one can be written. One that
    /// needs no change stays.
    pub(super) fn end(&self, mut made: Made) -> Option<Made> {
        if made.edits.is_empty() {
            return None;
        }
        let replaced = self.corrupt.iter();
        made.edits
            .extend(replaced.map(|corruption| format!("drop what is corrupt: {corruption}")));
        // No driver accepts a descriptor without owner and group.
        for missing in [
            (made.descriptor.owner.is_none()).then(|| made.descriptor.set_owner(Sid::SYSTEM)),
            (made.descriptor.group.is_none()).then(|| made.descriptor.set_group(Sid::SYSTEM)),
        ] {
            made.edits
                .extend(missing.flatten().map(|edit| edit.to_string()));
        }
        Some(made)
    }
}

pub(super) fn without_entries() -> SecurityDescriptor {
    let mut descriptor = SecurityDescriptor::new();
    descriptor.dacl = AclSlot::List(Acl::new(Vec::new()));
    descriptor
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::recipe::Catalogue;
    use crate::rows::{AclRow, AppliesTo, JudgeDescriptors, Row, Standing, Terms};
    use diskmend_acl::{Domains, SddlParts};

    fn row(recipe: &str, applies_to: &AppliesTo, build: Option<u32>) -> AclRow {
        let catalogue = Catalogue::built_in().expect("valid");
        let recipe = catalogue.get(recipe).expect("known");
        let mut rows = recipe.rows_with_terms();
        let fits = |(row, terms): (&Row, &Terms)| {
            let counts = match (&terms.builds, build) {
                (Some(builds), Some(build)) => builds.contains(&build),
                (builds, _) => builds.is_none(),
            };
            match row {
                Row::Acl(row) if row.applies_to == *applies_to && counts => Some(row.clone()),
                _ => None,
            }
        };
        rows.find_map(fits).expect("a row")
    }

    fn judge(row: &AclRow, bytes: &[u8]) -> Result<Judgement, TooLarge> {
        row.judge(bytes, Standing::Counts)
    }

    fn bytes(sddl: &str) -> Vec<u8> {
        let descriptor = SecurityDescriptor::from_sddl(sddl, &Domains::default()).expect(sddl);
        descriptor.to_bytes().expect("small")
    }

    fn sddl(bytes: &[u8]) -> String {
        let descriptor = SecurityDescriptor::from_bytes(bytes).expect("sound");
        descriptor.to_sddl(SddlParts::All).expect("plain")
    }

    /// The descriptor that the row makes from this one. Applying the row again must not change it.
    fn made(row: &AclRow, bytes: &[u8]) -> (Judgement, Option<String>) {
        let judgement = judge(row, bytes).expect("small");
        if let Some(after) = &judgement.after {
            let again = judge(row, after).expect("small");
            assert_eq!((again.state, again.after), (RowState::Ok, None));
        }
        let after = judgement.after.as_deref().map(sddl);
        (judgement, after)
    }

    const FOLDER: &str = "O:SYG:SYD:PAI(A;;0x12019f;;;WD)(A;;FA;;;BA)";
    const GRANTED: &str = "(A;;FA;;;SY)(A;;FR;;;NS)";

    #[test]
    fn the_documented_grants_are_made_as_icacls_makes_them() {
        let row = row("machine-keys", &AppliesTo::Folder, None);
        let (judgement, after) = made(&row, &bytes(FOLDER));
        assert_eq!(judgement.state, RowState::Differs);
        let expected = format!("O:BAG:SYD:PAI(A;;0x12019f;;;WD)(A;;FA;;;BA){GRANTED}");
        assert_eq!(after, Some(expected));
        assert_eq!(
            judgement.edits,
            [
                r"set owner BUILTIN\Administrators, was NT AUTHORITY\SYSTEM",
                r"allow NT AUTHORITY\SYSTEM:(F)",
                r"allow NT AUTHORITY\NETWORK SERVICE:(R)",
            ]
        );
    }

    #[test]
    fn a_deny_that_icacls_leaves_is_a_fault_and_is_removed() {
        let row = row("machine-keys", &AppliesTo::Contents, None);
        let broken = bytes("O:SYG:SYD:(D;;FR;;;WD)(D;;FA;;;SY)(A;;FA;;;SY)");
        let (judgement, after) = made(&row, &broken);
        assert_eq!(judgement.state, RowState::Fault);
        assert_eq!(judgement.reasons.len(), 1);
        assert!(judgement.reasons[0].contains(r"denied by Everyone:(DENY)(R)"));
        let expected = "O:BAG:SYD:(A;;FA;;;SY)(A;;FR;;;NS)(A;;FA;;;BA)";
        assert_eq!(after.as_deref(), Some(expected));
    }

    #[test]
    fn a_null_dacl_is_replaced() {
        let folder = row("machine-keys", &AppliesTo::Folder, None);
        let expected = format!("O:BAG:SYD:PAI(A;;0x12019f;;;WD)(A;;FA;;;BA){GRANTED}");
        for (sddl, state) in [
            ("O:SYG:SY", RowState::Differs),
            ("O:SYG:SYD:NO_ACCESS_CONTROL", RowState::Differs),
            ("O:SYG:SYD:P", RowState::Fault),
        ] {
            let (judgement, after) = made(&folder, &bytes(sddl));
            assert_eq!(judgement.state, state, "{sddl}");
            assert_eq!(after.as_deref(), Some(expected.as_str()), "{sddl}");
        }
        let file = row("machine-keys", &AppliesTo::Contents, None);
        let mut corrupt = bytes("O:SYG:SYD:(A;;FA;;;SY)");
        let dacl = u32::from_le_bytes(corrupt[16..20].try_into().expect("4 bytes")) as usize;
        corrupt[dacl] = 9;
        let (judgement, after) = made(&file, &corrupt);
        assert_eq!(judgement.state, RowState::Fault);
        let expected = format!("O:BAG:SYD:{GRANTED}(A;;FA;;;BA)");
        assert_eq!(after, Some(expected.clone()));
        for nonsense in [&b""[..], b"\x02", &[0xFF; 64]] {
            let (judgement, after) = made(&file, nonsense);
            assert_eq!(judgement.state, RowState::Fault);
            assert_eq!(after, Some(expected.clone()));
        }
    }

    #[test]
    fn the_defaults_follow_the_build_and_leave_what_is_right() {
        let prefix = AppliesTo::FilesWithPrefix("f686aace6942fb7f7ceb231212eef4a4_".to_owned());
        let old = row("machine-keys-default", &prefix, Some(14393));
        let new = row("machine-keys-default", &prefix, Some(17763));
        let session_env = Sid::of_service("SessionEnv");
        let right = format!("O:SYG:SYD:PAI(A;;FA;;;SY)(A;;FR;;;NS)(A;;FA;;;{session_env})");
        let (judgement, after) = made(&new, &bytes(&right));
        assert_eq!((judgement.state, after), (RowState::Ok, None));
        let (judgement, after) = made(&old, &bytes(&right));
        assert_eq!(judgement.state, RowState::Differs);
        let expected = "O:SYG:SYD:(A;;FA;;;SY)(A;;FR;;;NS)(A;;FR;;;BA)";
        assert_eq!(after.as_deref(), Some(expected));
        let (judgement, _) = made(&new, &bytes("O:SYG:SYD:(A;;FA;;;SY)"));
        assert_eq!(judgement.state, RowState::Fault);
        assert_eq!(
            judgement.reasons,
            [r"NT AUTHORITY\NETWORK SERVICE lacks (R)"]
        );
        let folder = row("machine-keys-default", &AppliesTo::Folder, None);
        assert_eq!(made(&folder, &bytes(FOLDER)).0.state, RowState::Ok);
    }

    #[test]
    fn a_row_that_only_looks_changes_nothing() {
        let look = row("machine-keys-default", &AppliesTo::Contents, None);
        let (judgement, after) = made(&look, &bytes("O:SYG:SYD:P"));
        assert_eq!((judgement.state, after), (RowState::Fault, None));
        assert_eq!(judgement.edits, [""; 0]);
    }
}
