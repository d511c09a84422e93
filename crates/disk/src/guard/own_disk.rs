//! Refusing the disk that this machine runs from.

use std::io;

use crate::error::GuardError;
use crate::system::SystemDir;
use crate::target::Target;

/// Checks that the target isn't the root of the running system. A folder below that root is
/// accepted.
///
/// On Linux the root is `/`, and under the Windows Subsystem for Linux also drive C: of the running
/// Windows. On Windows it is the root of the volume that holds the running Windows, no matter if
/// the path has a drive letter, a folder or a volume name.
///
/// # Errors
/// [`GuardError::OwnDisk`], or an error of finding that out.
pub fn not_own_disk(target: &Target) -> Result<(), GuardError> {
    let Some(root) = target.mounted() else {
        // A mounted disk can't be opened for writing, so this disk isn't the running system's.
        return Ok(());
    };
    if is_own_disk(root).map_err(GuardError::io("tell the target from the running system"))? {
        return Err(GuardError::OwnDisk);
    }
    Ok(())
}

#[cfg(unix)]
fn is_own_disk(root: &SystemDir) -> io::Result<bool> {
    use crate::dir::Dir;

    let own = SystemDir::open_ambient("/".as_ref())?;
    let device = root.own_metadata()?.identity.device;
    Ok(root.is_same(&own)? || wsl::is_system_drive(device)?)
}

#[cfg(windows)]
fn is_own_disk(root: &SystemDir) -> io::Result<bool> {
    root.is_same(&SystemDir::open_ambient(&crate::nt::system_root()?)?)
}

/// The Windows Subsystem for Linux shows the running Windows's drives as mounts of its own kinds.
#[cfg(unix)]
mod wsl {
    use std::fs;
    use std::io;

    /// True if the mounted device is drive C: of the Windows that runs this Linux.
    pub(super) fn is_system_drive(device: u64) -> io::Result<bool> {
        let version = read("/proc/version")?;
        if !version.to_ascii_lowercase().contains("microsoft") {
            return Ok(false);
        }
        let device = (rustix::fs::major(device), rustix::fs::minor(device));
        Ok(mounts_system_drive(&read("/proc/self/mountinfo")?, device))
    }

    /// Reads a file of the kernel; empty if there is none.
    fn read(path: &str) -> io::Result<String> {
        match fs::read(path) {
            Ok(bytes) => Ok(String::from_utf8_lossy(&bytes).into_owned()),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(String::new()),
            Err(error) => Err(error),
        }
    }

    /// Searches mountinfo (proc(5): ID, parent, major:minor, root, mount point, options, optional
    /// fields, `-`, type, source, super options).
    ///
    /// If a mount of Windows doesn't show its drive, it counts as the system drive.
    pub(super) fn mounts_system_drive(mountinfo: &str, device: (u32, u32)) -> bool {
        let device = format!("{}:{}", device.0, device.1);
        mountinfo.lines().any(|line| {
            let Some((mount, file_system)) = line.split_once(" - ") else {
                return false;
            };
            if mount.split(' ').nth(2) != Some(device.as_str()) {
                return false;
            }
            let mut fields = file_system.split(' ');
            let from_windows = matches!(fields.next(), Some("9p" | "drvfs" | "virtiofs"));
            from_windows && fields.next().is_none_or(is_or_may_be_system_drive)
        })
    }

    /// True if the source is drive C: or may be it. A source is a drive (`C:\`, the backslash
    /// possibly written as `\134`) or a network path.
    fn is_or_may_be_system_drive(source: &str) -> bool {
        let source = source.replace("\\134", "\\");
        let mut chars = source.chars();
        match (chars.next(), chars.next()) {
            (Some(drive), Some(':')) if drive.is_ascii_alphabetic() => {
                drive.eq_ignore_ascii_case(&'c')
            }
            (Some('\\'), Some('\\')) => false,
            _ => true,
        }
    }

    #[cfg(test)]
    mod tests {
        use super::*;

        const MOUNTINFO: &str = "\
            21 26 0:19 / /sys rw,nosuid - sysfs sysfs rw\n\
            80 66 0:50 / /mnt/c rw,noatime - 9p C:\\134 rw,aname=drvfs;path=C:\\;uid=1000\n\
            81 66 0:51 / /mnt/d rw,noatime shared:1 - 9p D:\\134 rw,aname=drvfs;path=D:\\\n\
            82 66 0:52 / /mnt/e rw,noatime - drvfs E: rw\n\
            83 66 0:53 / /mnt/share rw - drvfs \\\\server\\share rw\n\
            84 66 0:54 / /mnt/unknown rw - virtiofs drvfsa1 rw\n\
            85 66 8:17 / /mnt/disk rw - fuseblk /dev/sdb1 rw\n";

        #[test]
        fn only_mounts_of_windows_that_are_or_may_be_drive_c_count() {
            let own = |minor| mounts_system_drive(MOUNTINFO, (0, minor));
            assert!(own(50));
            assert!(!own(51));
            assert!(!own(52));
            assert!(!own(53));
            assert!(own(54));
            assert!(!own(19));
            assert!(!mounts_system_drive(MOUNTINFO, (8, 17)));
            assert!(!mounts_system_drive(MOUNTINFO, (9, 9)));
        }
    }
}
