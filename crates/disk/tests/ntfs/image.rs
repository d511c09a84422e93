//! NTFS volumes in image files.

use std::fs;
use std::path::Path;

use rustix::fs::{XattrFlags, setxattr};

use crate::common::{Mount, run, skipped};

/// A new NTFS volume on a loop device.
pub(crate) struct NtfsImage {
    _dir: tempfile::TempDir,
    device: String,
}

impl NtfsImage {
    /// A volume of this many MiB. If that is not possible, reports it and returns `None`.
    pub(crate) fn new(mebibytes: u64) -> Option<Self> {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("disk.img");
        let file = fs::File::create(&path).unwrap();
        file.set_len(mebibytes << 20).unwrap();
        let path = path.to_str().unwrap();
        let made = run("mkntfs", &["-F", "-Q", "-q", path])
            .and_then(|_| run("losetup", &["--find", "--show", path]));
        match made {
            Ok(device) => Some(Self { _dir: dir, device }),
            Err(error) => {
                skipped("mkntfs and a loop device, as root", &error);
                None
            }
        }
    }

    pub(crate) fn device(&self) -> &str {
        &self.device
    }

    pub(crate) fn mount(&self) -> Option<Mount> {
        Mount::new(&["-t", "ntfs-3g", "-o", "permissions", &self.device])
    }
}

impl Drop for NtfsImage {
    fn drop(&mut self) {
        if let Err(error) = run("losetup", &["--detach", &self.device]) {
            println!("left attached: {error}");
        }
    }
}

/// Makes a junction like those of Windows ([MS-FSCC] 2.1.2.5, Mount Point Reparse Data Buffer).
pub(crate) fn make_junction(path: &Path, substitute: &str) {
    fs::create_dir(path).unwrap();
    let utf16 =
        |text: &str| -> Vec<u8> { text.encode_utf16().flat_map(u16::to_le_bytes).collect() };
    let print = utf16(substitute.trim_start_matches("\\??\\"));
    let substitute = utf16(substitute);
    let mut data = Vec::new();
    let print_at = substitute.len() + 2;
    for field in [0, substitute.len(), print_at, print.len()] {
        data.extend(u16::try_from(field).unwrap().to_le_bytes());
    }
    data.extend(&substitute);
    data.extend([0, 0]);
    data.extend(&print);
    data.extend([0, 0]);
    let mut reparse = 0xA000_0003u32.to_le_bytes().to_vec();
    reparse.extend(u16::try_from(data.len()).unwrap().to_le_bytes());
    reparse.extend([0, 0]);
    reparse.extend(data);
    setxattr(
        path,
        "system.ntfs_reparse_data",
        &reparse,
        XattrFlags::empty(),
    )
    .unwrap();
}
