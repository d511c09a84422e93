//! Checking if somebody else may have written to the folder for undo data, or to a run in it.

use std::io;

use diskmend_acl::{SecurityDescriptor, Sid};
use diskmend_disk::{Dir, Protection};

use super::MOST_NAMES;
use crate::error::{Refusal, chain};

/// The permission bits that let others than a folder's owner write to it.
const WRITABLE_BY_OTHERS: u32 = 0o022;

/// The reason why somebody else may have written to a folder, if there is one.
pub(super) fn doubt(folder: &dyn Dir) -> Option<String> {
    doubt_about(folder.protection())
}

/// The reason why somebody else may have written to a file in a folder, if there is one.
pub(super) fn doubt_of_file(folder: &dyn Dir, name: &str) -> Option<String> {
    doubt_about(folder.protection_of(name))
}

fn doubt_about(protection: io::Result<Protection>) -> Option<String> {
    match protection {
        Ok(protection) => judge(&protection),
        Err(error) => Some(format!("who may write it can't be told: {}", chain(&error))),
    }
}

/// The refusal of a folder that somebody else may have written to. `name` is its name. An empty
/// folder that will be taken over isn't refused.
pub(super) fn doubt_of(folder: &dyn Dir, name: &str) -> Option<Refusal> {
    let reason = doubt(folder)?;
    let can_be_taken =
        !cfg!(windows) && matches!(folder.protection(), Ok(Protection::Descriptor { .. }));
    if can_be_taken && folder.names(MOST_NAMES).is_ok_and(|names| names.is_empty()) {
        return None;
    }
    let name = name.to_owned();
    Some(Refusal::StateFolderOpen { name, reason })
}

fn judge(protection: &Protection) -> Option<String> {
    match protection {
        Protection::Descriptor { bytes, own } => {
            let mut expected = vec![
                Sid::SYSTEM,
                Sid::ADMINISTRATORS,
                Sid::of_service("TrustedInstaller"),
            ];
            let own = own.as_deref().map(Sid::from_bytes);
            expected.extend(own.and_then(Result::ok));
            match SecurityDescriptor::from_bytes(bytes) {
                Ok(descriptor) => descriptor.stranger(&expected).map(|one| one.to_string()),
                Err(error) => Some(format!("its permissions can't be read: {error}")),
            }
        }
        Protection::Mode { owner, own, .. } if !own => Some(format!("user {owner} owns it")),
        Protection::Mode { mode, .. } if mode & WRITABLE_BY_OTHERS != 0 => Some(format!(
            "others than its owner may write it (mode {mode:04o})"
        )),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use diskmend_acl::Domains;

    use super::*;

    fn descriptor(sddl: &str, own: Option<&str>) -> Option<String> {
        let descriptor = SecurityDescriptor::from_sddl(sddl, &Domains::default()).expect(sddl);
        judge(&Protection::Descriptor {
            bytes: descriptor.to_bytes().expect("small"),
            own: own.map(|sid| sid.parse::<Sid>().expect(sid).to_bytes()),
        })
    }

    #[test]
    fn the_account_that_runs_the_program_is_no_stranger_on_windows() {
        let sddl = "O:S-1-5-21-1-2-3-1001D:P(A;;FA;;;SY)(A;;FA;;;S-1-5-21-1-2-3-1001)";
        assert_eq!(descriptor(sddl, Some("S-1-5-21-1-2-3-1001")), None);
        for own in [None, Some("S-1-5-21-1-2-3-1002")] {
            let doubt = descriptor(sddl, own).expect("a stranger");
            assert_eq!(doubt, "S-1-5-21-1-2-3-1001 owns it");
        }
        let installer = Sid::of_service("TrustedInstaller");
        assert_eq!(
            descriptor(&format!("O:{installer}D:P(A;;FA;;;{installer})"), None),
            None
        );
    }

    #[test]
    fn bytes_that_are_not_a_descriptor_are_in_doubt() {
        let own = None;
        for bytes in [vec![], vec![0; 19], vec![0xFF; 64]] {
            assert!(
                judge(&Protection::Descriptor {
                    bytes,
                    own: own.clone()
                })
                .is_some()
            );
        }
    }

    #[test]
    fn modes_of_unix_are_judged() {
        let mode = |owner, own, mode| judge(&Protection::Mode { owner, own, mode });
        for sound in [0o700, 0o750, 0o755, 0o2755] {
            assert_eq!(mode(0, true, sound), None);
            assert_eq!(mode(7, false, sound).as_deref(), Some("user 7 owns it"));
        }
        for open in [0o720, 0o702, 0o1777] {
            assert!(mode(0, true, open).is_some(), "{open:o}");
        }
        assert_eq!(judge(&Protection::Nothing), None);
    }
}
