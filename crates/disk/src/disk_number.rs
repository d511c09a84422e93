//! Windows's numbers for the disks of this machine, and how it treats the disks.

use std::fmt;
use std::path::Path;

/// Disks are numbered from 0. Disks with greater numbers aren't asked for.
#[cfg(windows)]
const MAX_DISKS: u32 = 64;

/// Windows's number for a disk of this machine, as diskpart and Disk Management show it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct DiskNumber(pub u32);

impl DiskNumber {
    /// The disk that a path means on Windows: `\\.\PhysicalDrive2`.
    #[must_use]
    pub fn of_path(path: &Path) -> Option<Self> {
        const NAME: &str = "PhysicalDrive";
        let name = path.to_str()?.strip_prefix(r"\\.\")?;
        let (drive, number) = name.split_at_checked(NAME.len())?;
        let is_drive = drive.eq_ignore_ascii_case(NAME);
        is_drive.then_some(number)?.parse().ok().map(Self)
    }
}

impl fmt::Display for DiskNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// How Windows treats a disk.
#[cfg(windows)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct DiskState {
    /// None of its volumes can be reached.
    pub(crate) offline: bool,
    /// None of them can be written.
    pub(crate) read_only: bool,
}

/// The disks of this machine that answer.
#[cfg(windows)]
pub(crate) fn disks() -> Vec<DiskNumber> {
    let is_there = |disk: &DiskNumber| match crate::nt::disk_state(*disk) {
        Ok(state) => state.is_some(),
        // It is there, but this user may not ask it.
        Err(error) => error.kind() == std::io::ErrorKind::PermissionDenied,
    };
    (0..MAX_DISKS).map(DiskNumber).filter(is_there).collect()
}

/// The offline disks of this machine. Their volumes can't be reached.
#[cfg(windows)]
pub(crate) fn offline_disks() -> Vec<DiskNumber> {
    let is_offline = |disk: &DiskNumber| {
        // A disk that can't be asked isn't reported.
        matches!(
            crate::nt::disk_state(*disk),
            Ok(Some(DiskState { offline: true, .. }))
        )
    };
    (0..MAX_DISKS).map(DiskNumber).filter(is_offline).collect()
}

#[cfg(test)]
mod tests {
    use super::DiskNumber;

    #[test]
    fn a_disk_is_named_by_its_number() {
        let number = |path: &str| DiskNumber::of_path(path.as_ref());
        assert_eq!(number(r"\\.\PhysicalDrive2"), Some(DiskNumber(2)));
        assert_eq!(number(r"\\.\physicaldrive10"), Some(DiskNumber(10)));
        for other in [
            r"\\.\PhysicalDrive",
            r"\\.\PhysicalDriveX",
            r"\\.\F:",
            r"C:\PhysicalDrive2",
            "PhysicalDrive2",
            "",
        ] {
            assert_eq!(number(other), None, "{other}");
        }
    }
}
