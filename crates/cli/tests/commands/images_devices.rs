//! Block devices: the undo data are elsewhere, and mounted devices are not written.

use std::fs;
use std::os::unix::fs::FileExt as _;

use crate::common::run;
use crate::image::NtfsImage;
use crate::image_disk::{ImageDisk, Layout};
use crate::ntfs_disk::{break_keys, content, windows};
use crate::program::diskmend;
use crate::terminal::Session;

#[test]
fn a_block_device_is_repaired_with_undo_data_elsewhere() {
    let Some(disk) = ImageDisk::new(Layout::Gpt) else {
        return;
    };
    let before = disk.snapshot();
    let state = disk.beside("state");
    {
        let Some(device) = disk.attach_whole() else {
            return;
        };
        let disks = diskmend(["disks", device.path()]).ends(0);
        assert!(disks.stdout.contains("FAT32"), "{}", disks.stdout);
        diskmend(["inspect", device.path(), "rdp-internal-error"]).ends(3);
        diskmend(["repair", device.path(), "rdp-internal-error", "--yes"])
            .ends(5)
            .says("hint: name a folder for them with --state-dir DIR");
        let repair = ["repair", device.path(), "rdp-internal-error", "--yes"];
        let run = diskmend([&repair[..], &["--state-dir", &state]].concat()).ends(0);
        assert!(run.stderr.contains("--state-dir"), "{}", run.stderr);
        let again = diskmend([&repair[..], &["--state-dir", &state]].concat()).ends(0);
        assert!(again.stdout.contains("nothing to do"), "{}", again.stdout);
    }
    assert!(fs::exists(&state).expect("readable"));
    let device = disk.attach_whole().expect("attached before");
    let undo = ["undo", device.path(), "--yes", "--state-dir", &state];
    diskmend(undo).ends(0);
    drop(device);
    disk.has_bytes_of(&before);
}

/// Otherwise a person would be asked about a plan that can't be carried out.
#[test]
fn a_block_device_without_a_folder_for_undo_data_is_refused_at_once() {
    let Some(image) = NtfsImage::new(32) else {
        return;
    };
    let planned = "not a Windows volume";
    diskmend(["plan", image.device(), "tls"])
        .ends(5)
        .says(planned);
    diskmend(["repair", image.device(), "tls", "--dry-run"])
        .ends(5)
        .says(planned);
    diskmend(["repair", image.device(), "tls", "--yes"])
        .ends(5)
        .says("hint: name a folder for them with --state-dir DIR");
}

#[test]
fn a_folder_for_undo_data_of_an_image_can_be_named() {
    let Some(disk) = ImageDisk::new(Layout::Mbr) else {
        return;
    };
    let before = disk.snapshot();
    let state = disk.beside("state");
    let repair = ["repair", disk.path(), "tls", "machine-keys", "--yes"];
    let run = diskmend([&repair[..], &["--state-dir", &state]].concat()).ends(0);
    assert!(run.stderr.contains("--state-dir"), "{}", run.stderr);
    assert!(!fs::exists(format!("{}.diskmend", disk.path())).expect("readable"));
    diskmend(["undo", disk.path(), "--yes"]).ends(1);
    diskmend(["runs", disk.path(), "--state-dir", &state]).ends(0);
    diskmend(["undo", disk.path(), "--yes", "--state-dir", &state]).ends(0);
    disk.has_bytes_of(&before);
}

#[test]
fn a_device_that_is_mounted_is_refused() {
    let Some(image) = NtfsImage::new(32) else {
        return;
    };
    let folder = tempfile::tempdir().expect("a temporary folder");
    let state = folder.path().join("state");
    let state = state.to_str().expect("UTF-8");
    let repair = ["repair", image.device(), "machine-keys", "--yes"];
    let repair = [&repair[..], &["--state-dir", state]].concat();
    let before = {
        let Some(mount) = image.mount() else { return };
        windows(mount.path());
        break_keys(mount.path());
        let before = content(mount.path());
        diskmend(&repair)
            .ends(5)
            .says("the disk is in use")
            .says("hint: ");
        assert_eq!(content(mount.path()), before);
        assert!(!fs::exists(state).expect("readable"));
        before
    };
    // If the volume fills the disk, `--partition` is not needed.
    diskmend(&repair).ends(0);
    let mount = image.mount().expect("mounted before");
    assert_ne!(content(mount.path()), before);
    drop(mount);
    diskmend(["undo", image.device(), "--yes", "--state-dir", state]).ends(0);
    let mount = image.mount().expect("mounted before");
    assert_eq!(content(mount.path()), before);
}

/// Starts a repair of a device, and waits for its question.
fn asked(device: &str, state: &str) -> Session {
    let mut session = Session::start(&["repair", device, "tls", "--state-dir", state]);
    session.wait_for("[y/N]");
    session
}

#[test]
fn a_device_can_not_change_between_reading_and_writing() {
    let Some(image) = NtfsImage::new(32) else {
        return;
    };
    let folder = tempfile::tempdir().expect("a temporary folder");
    let state = folder.path().join("state");
    let state = state.to_str().expect("UTF-8");
    let before = {
        let Some(mount) = image.mount() else { return };
        windows(mount.path());
        let before = content(mount.path());
        // This is refused before the question.
        let session = Session::start(&["repair", image.device(), "tls", "--state-dir", state]);
        let (code, said) = session.ends();
        assert_eq!(code, Some(5), "{said}");
        assert!(said.contains("the disk is in use"), "{said}");
        assert!(!said.contains("[y/N]"), "{said}");
        before
    };
    assert_eq!(
        content(image.mount().expect("mounted before").path()),
        before
    );

    let mut session = asked(image.device(), state);
    let mount = tempfile::tempdir().expect("a temporary folder");
    let mount = mount.path().to_str().expect("UTF-8");
    let refused = run("mount", &["-t", "ntfs-3g", image.device(), mount]);
    refused.expect_err("nothing of it can be mounted meanwhile");
    session.types("y\n");
    let (code, said) = session.ends();
    assert_eq!(code, Some(0), "{said}");
    diskmend(["undo", image.device(), "--yes", "--state-dir", state]).ends(0);
    assert_eq!(
        content(image.mount().expect("mounted before").path()),
        before
    );
}

#[test]
fn cached_content_of_a_device_is_read_anew() {
    let Some(disk) = ImageDisk::new(Layout::Mbr) else {
        return;
    };
    let Some(device) = disk.attach_whole() else {
        return;
    };
    // Another program has the device open and has read it. Then it is changed through another
    // device.
    let held = fs::File::open(device.path()).expect("readable");
    held.read_exact_at(&mut [0; 4096], disk.windows.start)
        .expect("readable");
    disk.write_at(b"-FVE-FS-", disk.windows.start + 3);
    diskmend(["inspect", device.path(), "tls"])
        .ends(5)
        .says("BitLocker");
    drop(held);
}
