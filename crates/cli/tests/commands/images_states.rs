//! What the commands say about a volume that Windows did not dismount, and what helps.

use serde_json::{Value, json};

use crate::common::run;
use crate::image_disk::{ImageDisk, Layout};
use crate::program::diskmend;

/// The first page of the $LogFile of a volume that was not dismounted (Linux-NTFS, $LogFile).
pub(crate) fn restart_page(version: (u8, u8)) -> Vec<u8> {
    let mut page = vec![0; 4096];
    page[..8].copy_from_slice(b"RSTR\x1E\x00\x09\x00");
    page[16..20].copy_from_slice(&4096_u32.to_le_bytes());
    page[20..24].copy_from_slice(&4096_u32.to_le_bytes());
    page[24] = 0x30;
    page[26] = version.1;
    page[28] = version.0;
    page[0x30] = 1;
    page[0x38] = 1;
    page[0x3A..0x3C].copy_from_slice(&[0xFF, 0xFF]);
    // The update sequence: its number, which ends each sector, and the bytes that it replaces.
    page[0x1E] = 1;
    for sector in page.chunks_mut(512) {
        sector[510..].copy_from_slice(&[1, 0]);
    }
    page
}

/// Gives the Windows volume of a disk a journal that begins with this page.
#[must_use]
pub(crate) fn set_log(disk: &ImageDisk, page: &[u8]) -> Option<()> {
    let device = disk.attach(disk.windows)?;
    let file = disk.beside("page");
    std::fs::write(&file, page).expect("writable");
    run("ntfscp", &["-f", "-i", device.path(), &file, "2"]).ok()?;
    Some(())
}

fn kinds(conditions: &Value) -> Vec<&str> {
    let conditions = conditions.as_array().expect("a list");
    let kinds = conditions
        .iter()
        .map(|condition| condition["kind"].as_str());
    kinds.map(|kind| kind.expect("a name")).collect()
}

fn windows_of(disks: &Value) -> &Value {
    let partitions = disks["partitions"].as_array().expect("a list");
    let found = partitions.iter().find(|one| one["windows"] == true);
    found.expect("a Windows")
}

#[test]
fn every_command_says_that_a_volume_was_not_dismounted() {
    let Some(disk) = ImageDisk::new(Layout::Mbr) else {
        return;
    };
    for command in [&["disks"][..], &["inspect"], &["diagnose"]] {
        let run = diskmend([command[0], disk.path(), "--json"]);
        assert!(!run.stdout.contains("\"conditions\""), "{}", run.stdout);
    }
    if set_log(&disk, &restart_page((2, 0))).is_none() {
        return;
    }
    let before = disk.snapshot();
    let words = [
        "was not dismounted",
        "$LogFile, version 2.0",
        "hint: let ntfsrecover make these changes: L=$(losetup -f --show -o",
        "hint: attach the disk to a computer with Windows",
        "hint: do not run ntfsfix on it",
    ];
    for command in [
        &["disks"][..],
        &["inspect", "tls"],
        &["plan", "tls"],
        &["diagnose"],
    ] {
        let arguments = [&command[..1], &[disk.path()], &command[1..]].concat();
        let run = diskmend(&arguments);
        for words in words {
            assert!(run.stderr.contains(words), "{command:?}: {}", run.stderr);
        }
        // Not every journal of version 2.0 is one of a fast start.
        assert!(!run.stderr.contains("fast"), "{}", run.stderr);
        let run = diskmend([&arguments[..], &["--json"]].concat()).json();
        let conditions = match command[0] {
            "disks" => &windows_of(&run)["conditions"],
            "plan" => &run["conditions"],
            _ => &run["identity"]["volume"]["conditions"],
        };
        assert_eq!(kinds(conditions), ["log-pending"], "{command:?}");
        if command[0] == "inspect" {
            let volume = &run["identity"]["volume"];
            assert_eq!(volume["journal"], "pending");
            assert_eq!(volume["journal_version"], "2.0");
            assert_eq!(volume["journal_closed"], json!(false));
        }
    }
    disk.is_untouched_since(&before);
}

#[test]
fn a_dirty_volume_and_a_hibernated_windows_are_told_with_what_helps() {
    let Some(base) = ImageDisk::new(Layout::Mbr) else {
        return;
    };
    let dirty = base.raw().expect("copied before");
    {
        let Some(device) = dirty.attach(dirty.windows) else {
            return;
        };
        // ntfsfix marks the volume for chkdsk.
        run("ntfsfix", &[device.path()]).expect("ntfsfix");
    }
    let found = diskmend(["disks", dirty.path()]).ends(0);
    let found = found.says("is marked dirty");
    found.says("chkdsk /f");
    let hibernated = base.raw().expect("copied before");
    {
        let Some(volume) = hibernated.mount(hibernated.windows) else {
            return;
        };
        std::fs::write(volume.path().join("hiberfil.sys"), b"hibr and more").expect("writable");
    }
    let found = diskmend(["disks", hibernated.path(), "--json"])
        .ends(0)
        .json();
    assert_eq!(kinds(&windows_of(&found)["conditions"]), ["hibernated"]);
    // A file for hibernation without a saved session is no reason to refuse.
    let awake = base.raw().expect("copied before");
    {
        let volume = awake.mount(awake.windows).expect("mounted before");
        std::fs::write(volume.path().join("hiberfil.sys"), vec![0; 1 << 16]).expect("writable");
    }
    diskmend(["repair", awake.path(), "tls", "--yes"]).ends(0);
}
