//! Decides which volumes belong to the disk of the target, from the known positions of all volumes.

use std::collections::BTreeSet;

use crate::disk_number::DiskNumber;

/// Disks, without repetition.
pub(super) type Disks = BTreeSet<DiskNumber>;

/// The volumes that are on the target's disks and on no other, except the target itself.
///
/// There are none if one of those disks also contains an extent of the running system (`own`): then
/// they start this machine. A volume that is on no disk does not count either.
pub(super) fn siblings<N>(
    target: &Disks,
    own: &Disks,
    volumes: impl IntoIterator<Item = (N, Disks)>,
    is_target: impl Fn(&N) -> bool,
) -> Vec<N> {
    if !target.is_disjoint(own) {
        return Vec::new();
    }
    let beside = |(name, disks): &(N, Disks)| {
        !disks.is_empty() && disks.is_subset(target) && !is_target(name)
    };
    let found = volumes.into_iter().filter(beside);
    found.map(|(name, _)| name).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn on(disks: &[u32]) -> Disks {
        disks.iter().copied().map(DiskNumber).collect()
    }

    /// A machine with its own disk 0, and two others.
    fn machine() -> [(&'static str, Disks); 8] {
        [
            ("own windows", on(&[0])),
            ("own esp", on(&[0])),
            ("reserved", on(&[2])),
            ("windows", on(&[2])),
            ("other", on(&[3])),
            ("spanned", on(&[2, 3])),
            ("half on own", on(&[0, 2])),
            ("cd", on(&[])),
        ]
    }

    fn beside(target: &str, disks: &[u32], own: &[u32]) -> Vec<&'static str> {
        siblings(&on(disks), &on(own), machine(), |name| *name == target)
    }

    #[test]
    fn only_volumes_completely_on_the_targets_disk_are_its_siblings() {
        assert_eq!(beside("windows", &[2], &[0]), ["reserved"]);
        assert_eq!(beside("other", &[3], &[0]), [""; 0]);
    }

    #[test]
    fn a_target_on_several_disks_has_siblings_on_each() {
        let expected = ["reserved", "windows", "other"];
        assert_eq!(beside("spanned", &[2, 3], &[0]), expected);
    }

    #[test]
    fn nothing_on_the_running_systems_disk_is_a_sibling() {
        assert_eq!(beside("other", &[0], &[0]), [""; 0]);
        assert_eq!(beside("half on own", &[0, 2], &[0]), [""; 0]);
        // The running system is on two disks.
        assert_eq!(beside("windows", &[2], &[0, 2]), [""; 0]);
    }

    #[test]
    fn a_system_that_runs_from_memory_owns_no_disk() {
        assert_eq!(beside("windows", &[2], &[]), ["reserved"]);
    }

    #[test]
    fn a_target_on_no_disk_has_no_siblings() {
        assert_eq!(beside("cd", &[], &[0]), [""; 0]);
        assert_eq!(beside("cd", &[], &[]), [""; 0]);
    }
}
