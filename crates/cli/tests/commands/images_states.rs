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
        if command[0] == "plan" {
            // What the journal contains decides, and it can't be read.
            assert_eq!(run.code, 5, "{}", run.stderr);
            continue;
        }
        let run = diskmend([&arguments[..], &["--json"]].concat()).json();
        let conditions = match command[0] {
            "disks" => &windows_of(&run)["conditions"],
            _ => &run["identity"]["volume"]["conditions"],
        };
        // The journal has no record that could be replayed.
        assert_eq!(kinds(conditions), ["log-not-understood"], "{command:?}");
        if command[0] == "inspect" {
            let volume = &run["identity"]["volume"];
            assert_eq!(volume["journal"], "not-understood");
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
    let Some(dirty) = dirty(&base) else { return };
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

/// A volume that is marked dirty, as ntfsfix leaves it.
fn dirty(base: &ImageDisk) -> Option<ImageDisk> {
    let dirty = base.raw()?;
    {
        let device = dirty.attach(dirty.windows)?;
        run("ntfsfix", &[device.path()]).ok()?;
    }
    Some(dirty)
}

#[test]
fn hives_are_changed_in_place_on_a_dirty_volume_and_permissions_are_left() {
    let Some(base) = ImageDisk::new(Layout::Mbr) else {
        return;
    };
    let Some(disk) = dirty(&base) else { return };
    let before = disk.snapshot();
    let plan = diskmend(["plan", disk.path(), "tls", "machine-keys"]).ends(3);
    for words in [
        "permissions is left alone: on such a volume, diskmend changes only the bytes of hives",
        "only bytes of hives and their logs are changed, where they are",
        "The volume stays marked as dirty",
        "is marked dirty",
        "chkdsk /f",
    ] {
        assert!(plan.stderr.contains(words), "{words}: {}", plan.stderr);
    }
    assert!(!plan.stdout.contains("to set"), "{}", plan.stdout);
    let document = diskmend(["plan", disk.path(), "tls", "machine-keys", "--json"]).ends(3);
    assert_eq!(kinds(&document.json()["conditions"]), ["dirty"]);
    disk.is_untouched_since(&before);

    let repaired = diskmend(["repair", disk.path(), "tls", "machine-keys", "--yes"]).ends(4);
    let repaired = repaired.says("permissions is left alone");
    repaired.says("chkdsk /f");
    // Everything that could be done is done.
    let again = diskmend(["plan", disk.path(), "tls"]).ends(0);
    assert!(again.stdout.contains("nothing to do"), "{}", again.stdout);
    let state = diskmend(["disks", disk.path(), "--json"]).ends(0).json();
    assert_eq!(kinds(&windows_of(&state)["conditions"]), ["dirty"]);
    diskmend(["undo", disk.path(), "--yes"]).ends(0);
    disk.has_bytes_of(&before);
}

#[test]
fn nothing_is_changed_on_a_dirty_volume_if_that_is_not_wanted_or_not_possible() {
    let Some(base) = ImageDisk::new(Layout::Mbr) else {
        return;
    };
    let Some(disk) = dirty(&base) else { return };
    let before = disk.snapshot();
    for command in ["plan", "repair"] {
        let run = diskmend([command, disk.path(), "tls", "--no-dirty-volume"]).ends(5);
        let run = run.says("is marked dirty");
        run.says("hint: attach the disk to a computer with Windows and check the volume");
    }
    // Permissions alone: nothing is left to do.
    diskmend(["repair", disk.path(), "machine-keys", "--yes"])
        .ends(5)
        .says("diskmend changes only the bytes of hives");
    disk.is_untouched_since(&before);
    let state = format!("{}.diskmend", disk.path());
    assert!(!std::path::Path::new(&state).exists());
}
